"""Telling what is being done, on standard error: a live line on a terminal, plain or JSON lines if asked."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from reporter.cli.console import Console, clean


class Progress(Protocol):
    """Where the pipeline says what it is doing."""

    def step(self, text: str) -> None:
        """Tell that a step begins, in a few words."""


class Silent:
    """Says nothing."""

    def step(self, text: str) -> None:
        """Ignore the step."""


class Lines:
    """Says every step on a line of its own, with the seconds since the start."""

    def __init__(self, console: Console) -> None:
        """Start the clock."""
        self._console = console
        self._start = time.monotonic()

    def step(self, text: str) -> None:
        """Print the step."""
        elapsed = time.monotonic() - self._start
        if self._console.json_lines:
            self._console.line(text, "info", elapsed_s=round(elapsed, 3))
        else:
            self._console.line(f"[{elapsed:.1f} s] {text}", "info")


class Live:
    """Shows the current step on one line of a terminal and takes it away at the end."""

    def step(self, text: str) -> None:
        """Replace the line."""
        width = max(10, shutil.get_terminal_size().columns - 2)
        sys.stderr.write(f"\r\x1b[2K{clean(text)[:width]}…")
        sys.stderr.flush()

    @staticmethod
    def clear() -> None:
        """Take the line away."""
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()


@contextmanager
def shown(console: Console, *, verbose: bool) -> Iterator[Progress]:
    """Give the progress that fits: none if quiet, lines if asked for, else a live line on a terminal."""
    if console.quiet:
        yield Silent()
    elif verbose or console.json_lines:
        yield Lines(console)
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        live = Live()
        try:
            yield live
        finally:
            live.clear()
    else:
        yield Silent()
