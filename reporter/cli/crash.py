"""A bug of ours, written down for whoever mends it: traceback, versions, command line; no keys, no data."""

from __future__ import annotations

import os
import platform
import re
import shlex
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from reporter import __version__
from reporter.config import KEY_VARIABLE
from reporter.config.secret import mask
from reporter.state import StateFolder

_KEYS = re.compile(r"\bph[a-z]_[A-Za-z0-9_-]{8,}")
_PASSWORD = re.compile(r"://[^/@\s]*@")


def keep(error: BaseException, arguments: Sequence[str], folder: StateFolder) -> Path:
    """Write a crash to a private file.

    Args:
        error: What nobody expected.
        arguments: The command line, without the program's name.
        folder: Where to put it.

    Returns:
        The file.

    Raises:
        UsageError: The folder cannot be used.
    """
    name = f"crash-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.txt"
    return folder.write(name, text(error, arguments).encode("utf-8", "backslashreplace"))


def text(error: BaseException, arguments: Sequence[str]) -> str:
    """Describe a crash, without local variables, keys and passwords."""
    written = "\n".join(
        (
            f"reporter {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"reporter {shlex.join(arguments)}",
            "",
            "".join(traceback.format_exception(error)),
        )
    )
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if key:  # the settings may not have been read yet
        written = written.replace(key, "***")
    return _PASSWORD.sub("://***@", _KEYS.sub("***", mask(written)))
