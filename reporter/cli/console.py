"""Everything that is printed: results on standard output, the rest on standard error.

What comes from data or from an error is cleaned first: no escape sequence, no control character and no
password inside an address reaches a terminal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import click

from reporter.errors import DeliveryError, ReporterError

_PASSWORD = re.compile(r"://[^/@\s]*@")
_LONGEST = 2000
"""Longest line printed from data, in characters."""
_COLORS = {"error": "red", "warning": "yellow", "hint": "cyan"}


@dataclass(frozen=True, slots=True)
class Console:
    """Where and how to print."""

    color: bool | None = None
    """Always, never, or (``None``) on terminals."""
    quiet: bool = False
    """Print nothing on standard error but errors."""
    json_lines: bool = False
    """Write each message on standard error as one JSON object a line."""

    def result(self, text: str, *, strong: bool = False) -> None:
        """Print one line of result.

        Raises:
            DeliveryError: Standard output cannot be written.
        """
        self._out(click.style(clean(text), bold=True) if strong else clean(text))

    def value(self, value: Any) -> None:
        """Print a value as JSON on one line, ASCII only.

        Raises:
            DeliveryError: Standard output cannot be written.
        """
        self._out(_json(value))

    def document(self, text: str) -> None:
        """Print a text of our own as it is.

        Raises:
            DeliveryError: Standard output cannot be written.
        """
        self._out(text, newline=False)

    def warning(self, text: str) -> None:
        """Print a warning, unless quiet."""
        if not self.quiet:
            self.line(text, "warning")

    def line(self, text: str, level: Literal["info", "warning", "error"], **more: object) -> None:
        """Print one message on standard error.

        Args:
            text: What to say.
            level: How bad it is; ``info`` has no mark.
            more: What else a JSON line holds.
        """
        if self.json_lines:
            click.echo(_json({"level": level, "message": clean(text), **more}), err=True)
            return
        mark = "" if level == "info" else click.style(f"{level}:", fg=_COLORS[level], bold=True) + " "
        click.echo(mark + clean(text), err=True, color=self.color)

    def error(self, error: ReporterError, *, usage: str = "") -> None:
        """Print a failure: what happened, to what, and what to do next.

        Args:
            error: The failure.
            usage: The usage of the command called, where it was called wrongly.
        """
        if self.json_lines:
            self.line(
                error.message,
                "error",
                subject=clean(error.subject),
                hint=clean(error.hint),
                exit_code=error.exit_code,
            )
            return
        if usage:
            click.echo(usage, err=True)
        first, *rest = (f"{error.subject}: {error.message}" if error.subject else error.message).split("\n")
        self.line(first, "error")
        for line in rest:
            indent = len(line) - len(line.lstrip(" "))  # a mark stands under what it points at
            click.echo(f"  {'':{indent}}{clean(line)}", err=True)
        if error.hint:
            click.echo(
                click.style("hint:", fg=_COLORS["hint"]) + f" {clean(error.hint)}", err=True, color=self.color
            )

    def _out(self, text: str, *, newline: bool = True) -> None:
        try:
            click.echo(text, nl=newline, color=self.color)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise DeliveryError(f"standard output cannot be written: {error.strerror}") from error


def clean(text: str) -> str:
    """Make a line fit for a terminal: one line, no control characters, no password in an address."""
    from reporter import units
    from reporter.config.secret import mask

    return _PASSWORD.sub("://***@", mask(units.clean(text, _LONGEST)))


def _json(value: Any) -> str:
    import json

    return json.dumps(value, allow_nan=False)
