"""The frame that charts of one row a cluster share: names at the left, numbers at the right, rules.

On a wide sheet names stand beside the marks, on a narrow one above them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reporter.charts.board import Board
from reporter.charts.scale import Scale
from reporter.charts.sheet import Form
from reporter.charts.style import REGULAR, SMALL_PX, STRONG, TEXT_PX
from reporter.charts.text import fit, width
from reporter.charts.words import Tone

BASE = TEXT_PX * 0.34
"""From the middle of a line of text down to its base line."""
_NAME_SHARE = 0.36
_GAP = 18.0
_ARROW_PX = 16.0
_HEAD_PX = 24.0
_FOOT_PX = 26.0
_NARROW_NAME_PX = 11.0
"""Narrow form: from the top of a row down to the middle of its name."""
_NARROW_MARKS = 0.68
"""Narrow form: from the top of a row down to its marks, as a part of its height."""
_DENSE = 0.66
_BLANK = "no data"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a chart."""

    name: str
    cells: tuple[str, ...]
    """Numbers at the right, as many as there are headings; empty for a row without data."""
    tone: Tone = "calm"
    arrow: str = ""
    faint: bool = False
    """For the noise, which is no cluster."""

    @property
    def mark(self) -> str:
        """Colour token of the row's marks."""
        return {"calm": "soft", "plain": "ink", "worse": "worse", "better": "better"}[self.tone]

    @property
    def strong(self) -> bool:
        """Whether the row is one the eye should land on."""
        return self.tone != "calm"


class Frame:
    """The measured frame of one drawing."""

    def __init__(
        self, rows: Sequence[Row], heads: tuple[str, ...], form: Form, *, row_px: float, narrow_px: float
    ) -> None:
        """Measure names and numbers and open a board of the right height.

        Args:
            rows: What stands in the lines, in order.
            heads: Headings of the columns of numbers.
            form: The form to draw for.
            row_px: Height of a row in the wide forms, name and marks side by side.
            narrow_px: Height of a row in the narrow form, name above marks.
        """
        self.rows = rows
        self.heads = heads
        self.form = form
        self.step = narrow_px if form.narrow else row_px * _DENSE if form.dense else row_px
        self._columns = self._measure()
        numbers = form.width - self._columns[0][0] if heads else 0.0
        names = 0.0
        if not form.narrow:
            names = min(
                max((width(r.name, TEXT_PX, STRONG) for r in rows), default=0.0) + _GAP,
                form.width * _NAME_SHARE,
            )
        self.left = names + 6 if names else 5.0
        self.right = form.width - 6.0 if form.narrow else form.width - numbers - _GAP
        self._numbers = numbers
        self._names = names
        self.top = _HEAD_PX
        self.bottom = _HEAD_PX + self.step * len(rows)
        self.board = Board(form.width, self.bottom + _FOOT_PX)

    def y(self, index: int) -> float:
        """Give the height of a row's marks."""
        part = _NARROW_MARKS if self.form.narrow else 0.5
        return self.top + (index + part) * self.step

    def scale(self, low: float, high: float, *, log: bool = False) -> Scale:
        """Make the horizontal axis."""
        return Scale(low, high, self.left, self.right, log)

    def write(self) -> None:
        """Write headings, names and numbers, and part the rows by hair lines."""
        for (_, right), head in zip(self._columns, self.heads, strict=True):
            self.board.text(right, 11, head, "mute", size=SMALL_PX, align="right")
        for index, row in enumerate(self.rows):
            self._write_row(index, row)
            top = self.top + index * self.step
            self.board.hints.append(((0.0, top, float(self.form.width), top + self.step), row.name))
        if not self.form.narrow:
            hairs = [
                (0.0, self.top + i * self.step, float(self.form.width), self.top + i * self.step)
                for i in range(1, len(self.rows))
            ]
            self.board.lines(hairs, "rule", 0.6, alpha=0.55, order=0.3)

    def rules(self, scale: Scale, ticks: Sequence[float], labels: Sequence[str]) -> None:
        """Draw light verticals at round values, labelled at the foot unless labels would touch."""
        self.board.lines(
            [(scale(t), self.top - 4, scale(t), self.bottom + 4) for t in ticks], "rule", 1.0, order=0.5
        )
        taken = -1e9
        for tick, label in zip(ticks, labels, strict=True):
            half = width(label, SMALL_PX) / 2
            x = min(max(scale(tick), half), self.form.width - half)
            if x - half < taken + 8:
                continue
            taken = x + half
            self.board.text(x, self.bottom + 19, label, "mute", size=SMALL_PX, align="center")

    def reference(self, x: float, label: str) -> None:
        """Draw a dashed vertical for the whole run, labelled at the head."""
        self.board.lines([(x, self.top - 6, x, self.bottom + 4)], "mute", 1.1, dash=(3, 3), order=1.2)
        room = width(label, SMALL_PX)
        head = self._columns[0][0] if self.heads else float(self.form.width)
        if self.form.narrow:
            head = min(
                (
                    right - width(text, SMALL_PX)
                    for (_, right), text in zip(self._columns, self.heads, strict=True)
                ),
                default=head,
            )
        at = min(x + 4, head - room - 10) if x + 4 + room > head - 10 else x + 4
        self.board.text(max(0.0, at), 11, label, "mute", size=SMALL_PX)

    def _measure(self) -> list[tuple[float, float]]:
        """Give left and right edge of every column of numbers."""
        columns: list[tuple[float, float]] = []
        right = float(self.form.width)
        for i in range(len(self.heads) - 1, -1, -1):
            cells = [row.cells[i] for row in self.rows if row.cells]
            room = max([width(self.heads[i], SMALL_PX), *(width(cell, TEXT_PX, STRONG) for cell in cells)])
            columns.insert(0, (right - room, right))
            right -= room + _GAP
        if columns:
            first, last = columns[0]
            columns[0] = (first - _ARROW_PX, last)
        return columns

    def _write_row(self, index: int, row: Row) -> None:
        weight = STRONG if row.strong else REGULAR
        loud = row.mark if row.strong else ""
        middle = self.top + index * self.step + _NARROW_NAME_PX if self.form.narrow else self.y(index)
        base = middle + BASE
        ends = [right for _, right in self._columns]
        if row.cells:
            for right, cell in zip(ends, row.cells, strict=True):
                self.board.text(
                    right, base, cell, loud or "mute", weight=weight, align="right", halo=self.form.narrow
                )
            if row.arrow:
                start = ends[0] - width(row.cells[0], TEXT_PX, weight) - 5
                self.board.text(
                    start,
                    base,
                    row.arrow,
                    loud or "mute",
                    size=SMALL_PX,
                    align="right",
                    halo=self.form.narrow,
                )
        elif ends:
            self.board.text(ends[-1], base, _BLANK, "mute", align="right")
        used = self._numbers + 8 if self.form.narrow else _GAP
        room = self.form.width - used if self.form.narrow else self._names - 10
        token = loud or ("mute" if row.faint or not row.cells else "ink")
        self.board.text(
            0, base, fit(row.name, room, TEXT_PX, weight), token, weight=weight, halo=self.form.narrow
        )
