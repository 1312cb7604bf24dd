"""One call of the program: its settings once they are known, and the console they ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reporter.cli.console import Console

if TYPE_CHECKING:
    from reporter.cli.progress import Progress
    from reporter.config import Resolved, Settings
    from reporter.report import Caveat
    from reporter.state import StateFolder


class Session:
    """What a command and the code around it share; begins with the plainest console."""

    def __init__(self) -> None:
        """Begin before anything is known."""
        self.console = Console()
        self._state: Path | None = None

    def settle(self, flags: Mapping[str, object], *, look_for_file: bool = True) -> Resolved:
        """Settle the settings and print as they ask from here on.

        Args:
            flags: What was given on the command line, by field of `Settings`.
            look_for_file: Whether ./reporter.toml counts.

        Raises:
            UsageError: A setting is wrong.
        """
        from reporter import config

        # A command that reads no source has no use for a key.
        asks_keyring = "source" in flags
        resolved = config.resolve(
            flags, os.environ, Path(), look_for_file=look_for_file, asks_keyring=asks_keyring
        )
        settings = resolved.settings
        self.console = Console(
            color=settings.color, quiet=settings.quiet, json_lines=settings.log_format == "json"
        )
        self._state = settings.state
        return resolved

    @contextmanager
    def at_work(self, settings: Settings) -> Iterator[Progress]:
        """Run a block under the deadline, telling its steps.

        Raises:
            SourceError: It took longer than allowed.
        """
        from reporter.cli import limits, progress

        with (
            limits.limited(settings.timeout_s),
            progress.shown(self.console, verbose=settings.verbose) as shown,
        ):
            yield shown

    def caution(self, caveat: Caveat) -> None:
        """Print what a reader must know before trusting a list."""
        self.console.warning(caveat.message)

    def state_folder(self) -> StateFolder:
        """Give the folder of what is kept between runs."""
        from reporter.state import StateFolder, default_folder

        return StateFolder(self._state or default_folder(), warn=self.console.warning)
