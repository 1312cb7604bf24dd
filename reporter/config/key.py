"""One setting: its names, its meaning, how it is read."""

from __future__ import annotations

from dataclasses import dataclass

from reporter.config import parse

DATA, RUNS, REPORT, DELIVERY, BEHAVIOUR = "Data", "Runs", "Report", "Delivery", "Behaviour"
SECTIONS = (DATA, RUNS, REPORT, DELIVERY, BEHAVIOUR)
"""Headings, in the order they are shown."""


@dataclass(frozen=True, slots=True)
class Key:
    """One setting."""

    field: str
    """Name in `Settings`."""
    section: str
    """Heading it stands under."""
    help: str
    """What it does, a sentence or two for people."""
    parse: parse.Parser
    """Reads a raw value; raises `ValueError` saying what is allowed."""
    example: str
    """A value as TOML writes it: the default where there is one."""
    flags: tuple[str, ...] = ()
    """Spellings on the command line, short ones first; ``"--x/--no-x"`` for a pair; none for what is settled
    once and for all."""
    metavar: str = ""
    """What stands for the value in help; empty for a switch."""
    choices: tuple[str, ...] = ()
    """The words allowed, where they are few."""
    repeats: bool = False
    """Whether the flag may be given several times."""
    table: str = ""
    """Table of reporter.toml and part of the environment variable's name; empty for the top."""
    rebased: bool = False
    """Whether a relative path in reporter.toml is meant from that file's folder."""
    word: str = ""
    """Name in its table, for a setting without a flag."""

    @property
    def flag(self) -> str:
        """The long spelling of the flag; empty where there is none."""
        return self.flags[-1].split("/", maxsplit=1)[0] if self.flags else ""

    @property
    def name(self) -> str:
        """Name in reporter.toml, with its table: ``timeout``, ``posthog.host``."""
        word = self.word or self.flag.removeprefix("--").replace("-", "_")
        return f"{self.table}.{word}" if self.table else word

    @property
    def variable(self) -> str:
        """Name of the environment variable: ``REPORTER_TIMEOUT``, ``POSTHOG_HOST``."""
        name = self.name.replace(".", "_").upper()
        return name if self.table == "posthog" else f"REPORTER_{name}"
