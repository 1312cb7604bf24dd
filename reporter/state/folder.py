"""One private folder: whole files only, damage set aside instead of trusted.

Files are written beside their place, flushed and renamed, so that a reader sees the old or the new one and
never a half. Symbolic links are neither read nor written through.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from reporter.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}", re.ASCII)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
"""Absent on Windows, where links need a privilege to be made."""
_ABANDONED_S = 3600.0
"""No write takes so long: what is older was left by one that was killed."""


def intruder(found: os.stat_result) -> str | None:
    """Say who else could put files into a folder; ``None`` where nobody can.

    Args:
        found: What the system says about the folder.
    """
    if os.name != "posix":
        return None
    if os.geteuid() not in (0, found.st_uid):
        return "the state folder belongs to another user"
    return "other users can write to the state folder" if found.st_mode & stat.S_IWOTH else None


class StateFolder:
    """A folder for this user's eyes only, made when first written to."""

    def __init__(self, path: Path, *, warn: Callable[[str], None]) -> None:
        """Name the folder; nothing is read or made yet.

        Args:
            path: Where it is, or is to be.
            warn: Told, in one sentence, when a damaged file was set aside.
        """
        self.path = path
        self._warn = warn

    def prepare(self) -> None:
        """Make the folder, or make sure that nobody else can put files into it.

        Raises:
            UsageError: It cannot be made, or somebody else can.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            reason = intruder(self.path.stat())
        except OSError as error:
            raise self._unusable(error) from error
        if reason is not None:
            raise UsageError(
                reason, subject=str(self.path), hint="Give a folder of your own with --state DIR."
            )

    def write(self, name: str, data: bytes) -> Path:
        """Write a file whole, readable by its owner alone.

        Args:
            name: A plain file name.
            data: Everything it shall hold.

        Returns:
            Where it lies.

        Raises:
            UsageError: The folder cannot be used.
        """
        target = self._place(name)
        self.prepare()
        temporary: Path | None = None
        try:
            handle, made = mkstemp(
                dir=self.path, prefix=f".{name[:40]}.", suffix=".tmp"
            )  # opens with mode 0600
            temporary = Path(made)
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(target)
            temporary = None
            self._sweep(name)
        except OSError as error:
            raise self._unusable(error) from error
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)
        return target

    def _sweep(self, name: str) -> None:
        """Remove what killed writes of a file left behind."""
        for left in self.path.glob(f".{name[:40]}.*.tmp"):
            with suppress(OSError):
                if time.time() - left.lstat().st_mtime > _ABANDONED_S:
                    left.unlink()

    def write_json(self, name: str, value: Any) -> Path:
        """Write a value as JSON with sorted keys.

        Args:
            name: A plain file name.
            value: What `json` can write; NaN and infinity are refused.

        Raises:
            UsageError: The folder cannot be used.
            ValueError: The value holds NaN or infinity.
        """
        return self.write(name, json.dumps(value, sort_keys=True, allow_nan=False).encode("ascii"))

    def read_json(self, name: str) -> Any | None:
        """Read a value that `write_json` wrote.

        A file that is not JSON is renamed to ``NAME.corrupt`` and told to `warn`.

        Returns:
            The value, or ``None`` where there is no such file or it was damaged.

        Raises:
            UsageError: The folder or the file cannot be read.
        """
        target = self._place(name)
        try:
            with os.fdopen(os.open(target, os.O_RDONLY | _NO_FOLLOW), "rb") as stream:
                data = stream.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._unusable(error) from error
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            aside = target.with_name(f"{name}.corrupt")
            try:
                target.replace(aside)
            except OSError as error:
                raise self._unusable(error) from error
            self._warn(f"{target} was damaged; it was set aside as {aside.name} and is begun anew.")
            return None

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a plain file name: {name!r}")
        return self.path / name

    def _unusable(self, error: OSError) -> UsageError:
        return UsageError(
            f"the state folder cannot be used: {error.strerror}",
            subject=str(self.path),
            hint="Give another with --state DIR, or keep nothing with --no-cache.",
        )
