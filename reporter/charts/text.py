"""Measured text: widths, cutting, wrapping, and moving labels apart.

Widths come from the face's own advances, so a drawing is the same wherever it is made; for letters
the face lacks they are estimated generously and depend on no installed font.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence

from matplotlib.ft2font import LoadFlags

from reporter.charts import fonts
from reporter.charts.style import REGULAR, TEXT_PX

_ELLIPSIS = "\u2026"
_FULL_WIDTH_EM = 1.05
_OTHER_EM = 0.8
_PICTURE_EM = 1.4
_UNITS_PER_PX = 65536


def width(text: str, size_px: float = TEXT_PX, weight: int = REGULAR) -> float:
    """Measure one line in pixels, without kerning (which only makes it a little narrower)."""
    return size_px * sum(_advance_em(ch, weight) for ch in text)


def fit(text: str, room_px: float, size_px: float = TEXT_PX, weight: int = REGULAR) -> str:
    """Cut a line to a width, ending it in an ellipsis if anything had to go.

    Args:
        text: One line.
        room_px: Width to stay within.
        size_px: Size of the type.
        weight: 400 or 600.

    Returns:
        The text itself if it fits; ``""`` where not even the ellipsis does.
    """
    if width(text, size_px, weight) <= room_px:
        return text
    room = room_px - width(_ELLIPSIS, size_px, weight)
    if room < 0:
        return ""
    used, kept = 0.0, 0
    for ch in text:
        used += size_px * _advance_em(ch, weight)
        if used > room:
            break
        kept += 1
    return text[:kept].rstrip(" ,.;:-\u2013(") + _ELLIPSIS


def wrap(
    text: str, room_px: float, size_px: float = TEXT_PX, weight: int = REGULAR, *, lines: int = 2
) -> list[str]:
    """Break a text at spaces into at most so many lines; the last is cut if it must be."""
    made: list[str] = []
    rest = text.split(" ")
    while rest and len(made) < lines - 1:
        if width(" ".join(rest), size_px, weight) <= room_px:
            break
        line = ""
        while rest and width(f"{line} {rest[0]}".strip(), size_px, weight) <= room_px:
            line = f"{line} {rest.pop(0)}".strip()
        if not line:
            break
        made.append(line)
    if rest:
        made.append(fit(" ".join(rest), room_px, size_px, weight))
    return made or [""]


def dodge(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions apart by as little as possible, keeping their order.

    Least squares under a minimum distance: isotonic regression of the positions less their stacked
    gaps (pool adjacent violators), then clipped to the bounds.

    Args:
        wanted: Positions, in any order.
        gap: Least distance between neighbours; made smaller where the bounds leave no room for it.
        low: Lower bound, inclusive.
        high: Upper bound, inclusive.

    Returns:
        A position for each one wanted, in the same order.
    """
    if not wanted:
        return []
    count = len(wanted)
    if count > 1:
        gap = min(gap, (high - low) / (count - 1))
    order = sorted(range(count), key=lambda i: (wanted[i], i))
    pools: list[tuple[float, int]] = []
    for place, i in enumerate(order):
        total, size = wanted[i] - place * gap, 1
        while pools and pools[-1][0] / pools[-1][1] > total / size:
            before = pools.pop()
            total, size = total + before[0], size + before[1]
        pools.append((total, size))
    moved = [0.0] * count
    place = 0
    for total, size in pools:
        base = min(max(total / size, low), max(low, high - (count - 1) * gap))
        for _ in range(size):
            moved[order[place]] = base + place * gap
            place += 1
    return moved


@functools.lru_cache(maxsize=8192)
def _advance_em(ch: str, weight: int) -> float:
    """Give the width of one letter in multiples of the type size."""
    font = fonts.loaded(weight)
    if not font.get_char_index(ord(ch)):
        if unicodedata.combining(ch) or ch == "\u200d":
            return 0.0
        if ord(ch) >= 0x1F000:
            return _PICTURE_EM
        return _FULL_WIDTH_EM if unicodedata.east_asian_width(ch) in ("W", "F") else _OTHER_EM
    font.set_size(100, 72)
    return font.load_char(ord(ch), flags=LoadFlags.NO_HINTING).linearHoriAdvance / _UNITS_PER_PX / 100
