"""Rows and columns on a terminal: aligned where they fit, one block a row where they do not."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from reporter.cli.console import clean

_GAP = 2
_LEAST = 12
"""Fewest columns a text that may be cut is given."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    title: str
    cut: bool = False
    """Whether its texts may be shortened; an id never is, for a cut id is of no use."""
    right: bool = False
    """Whether it holds numbers."""


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, width: int | None) -> list[str]:
    """Lay out a table.

    Args:
        columns: The columns.
        rows: Texts of any origin, as many a row as there are columns.
        width: Columns of the terminal; ``None`` for no limit.

    Returns:
        The lines, without line ends.
    """
    cells = [[clean(text) for text in row] for row in rows]
    widths = [
        max([columns_of(c.title), *(columns_of(row[i]) for row in cells)]) for i, c in enumerate(columns)
    ]
    if width is not None:
        for i in sorted((i for i, c in enumerate(columns) if c.cut), key=lambda i: -widths[i]):
            over = sum(widths) + _GAP * (len(widths) - 1) - width
            if over > 0:
                widths[i] = max(min(widths[i], _LEAST), widths[i] - over)
        if sum(widths) + _GAP * (len(widths) - 1) > width:
            return _blocks(columns, cells)
    lines = [[c.title for c in columns], *cells]
    return [
        (" " * _GAP)
        .join(_fit(text, w, right=c.right) for text, w, c in zip(line, widths, columns, strict=True))
        .rstrip()
        for line in lines
    ]


def columns_of(text: str) -> int:
    """Count the columns a text takes on a terminal: two for wide characters, none for combining ones."""
    return sum(
        0 if unicodedata.combining(ch) else 2 if unicodedata.east_asian_width(ch) in "WF" else 1
        for ch in text
    )


def _blocks(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> list[str]:
    """Write each row as lines of "title  text", an empty line between rows."""
    label = max(columns_of(c.title) for c in columns)
    lines: list[str] = []
    for row in cells:
        lines += [""] if lines else []
        lines += [
            f"{_fit(c.title, label)}{' ' * _GAP}{text}" for c, text in zip(columns, row, strict=True) if text
        ]
    return lines


def _fit(text: str, width: int, *, right: bool = False) -> str:
    while columns_of(text) > width:
        text = text[:-2].rstrip() + "…"
    space = " " * (width - columns_of(text))
    return space + text if right else text + space
