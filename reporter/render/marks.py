"""Geometry of the small marks inside table cells; the templates turn it into a few SVG elements.

Coordinates are CSS pixels with one decimal, so that equal numbers are equal bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 72.0
"""Width of a dot mark and of a sparkline."""
HEIGHT = 16.0
_PAD = 4.0
_BAND_POINTS = 4
"""Earlier runs needed before their range is called normal."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A value with its 95 % interval on a scale that begins at zero."""

    x: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Spark:
    """A value over runs, oldest first, with the last one marked."""

    lines: tuple[str, ...]
    """One ``points`` attribute for each unbroken stretch; a gap stays a gap."""
    x: str
    y: str
    """The last value."""
    band_top: str | None
    band_height: str | None
    """Range of the earlier runs, where there are enough of them."""
    width: str
    height: str
    marked: tuple[str, ...] = ()
    """Where something happened, as x."""


def dot(value: float | None, low: float | None, high: float | None, top: float) -> Dot | None:
    """Place a value on a scale from 0 to `top`; ``None`` where there is nothing to place."""
    if value is None or top <= 0 or not math.isfinite(value):
        return None

    def at(number: float) -> str:
        return _px(_PAD + (WIDTH - 2 * _PAD) * min(1.0, max(0.0, number / top)))

    return Dot(x=at(value), low=at(value if low is None else low), high=at(value if high is None else high))


def spark(
    values: Sequence[float | None],
    *,
    width: float = WIDTH,
    height: float = HEIGHT,
    marked: Sequence[float] = (),
) -> Spark | None:
    """Draw a history; ``None`` with fewer than two known values or without a latest one.

    Args:
        values: Oldest first; ``None`` is a gap.
        width: Of the whole mark, in pixels.
        height: Of the whole mark, in pixels.
        marked: Where something happened, in steps from the first value.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    if len(known) < 2 or values[-1] is None or not math.isfinite(values[-1]):
        return None
    bottom, top = min(known), max(known)
    # A range under a tenth of the level is drawn as nearly flat: a sparkline must not shout.
    span = max(top - bottom, 0.1 * max(abs(top), abs(bottom))) or 1.0
    middle = (top + bottom) / 2

    def place(index: int, value: float) -> tuple[float, float]:
        x = _PAD + (width - 2 * _PAD) * index / (len(values) - 1)
        return x, height / 2 - (height - 2 * _PAD) * (value - middle) / span

    lines: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if value is None or not math.isfinite(value):
            lines.append([])
        else:
            x, y = place(index, value)
            lines[-1].append(f"{_px(x)},{_px(y)}")
    x, y = place(len(values) - 1, values[-1])
    earlier = [value for value in values[:-1] if value is not None and math.isfinite(value)]
    band: tuple[float, float] | None = None
    if len(earlier) >= _BAND_POINTS:
        band = place(0, max(earlier))[1], place(0, min(earlier))[1]
    return Spark(
        lines=tuple(" ".join(line) for line in lines if len(line) > 1),
        x=_px(x),
        y=_px(y),
        band_top=None if band is None else _px(band[0]),
        band_height=None if band is None else _px(max(1.0, band[1] - band[0])),
        width=_px(width),
        height=_px(height),
        marked=tuple(_px(_PAD + (width - 2 * _PAD) * at / (len(values) - 1)) for at in marked),
    )


def _px(value: float) -> str:
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"
