"""The typeface: file paths for matplotlib, WOFF2 subsets for the page, fall-backs for other scripts.

The face comes from the package ``font-source-sans-pro`` (SIL Open Font License). The subset bears
another family name, because the licence reserves the name "Source" for the unmodified fonts.
"""

from __future__ import annotations

import functools
import io
from typing import Any, Literal, TypeAlias

import font_source_sans_pro
import matplotlib
from matplotlib import font_manager
from matplotlib.font_manager import FontEntry, FontProperties
from matplotlib.ft2font import FT2Font

from reporter.charts.style import FONT_FAMILY

Weight: TypeAlias = Literal[400, 600]

_FILES: dict[int, str] = {400: "SourceSansPro", 600: "SourceSansProSemibold"}
_NAMES: dict[int, str] = {400: "Regular", 600: "SemiBold"}
_COVERED = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),
    *range(0x2010, 0x2028),
    *range(0x2030, 0x2040),
    0x2212,
    *(ord(ch) for ch in "ȘșȚțẞ€₹₽™←↑→↓↔∞≈≠≤≥▲▼◆✓"),
)
"""Latin with its extensions, punctuation, arrows and signs: what the tool itself writes, and most names."""
_FALLBACKS = (
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Naskh Arabic",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Tamil",
    "Noto Sans Thai",
    "Noto Sans Georgian",
    "Noto Sans Armenian",
    "Noto Sans Symbols",
    "Noto Sans Symbols2",
    "DejaVu Sans",
)
"""Families looked for, in this order, for letters the face lacks."""


def path(weight: int) -> str:
    """Give the TrueType file of a weight (400 or 600)."""
    return str(font_source_sans_pro.font_files_ttf[_FILES[weight]])


@functools.cache
def loaded(weight: int) -> FT2Font:
    """Open the face of a weight for measuring; it is never drawn with, so that its size stays set."""
    return FT2Font(path(weight))


@functools.cache
def face(weight: int) -> bytes:
    """Make the page's font: a WOFF2 subset under the family name `FONT_FAMILY`.

    Args:
        weight: 400 or 600.

    Returns:
        The font file, the same bytes for the same installed libraries.
    """
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(
        layout_features=["kern", "mark", "mkmk", "ccmp", "locl"],
        hinting=False,
        notdef_outline=True,
        name_IDs=[0, 1, 2, 4, 6, 13, 14],
        recalc_timestamp=False,
    )
    font: Any = TTFont(path(weight), recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=_COVERED)
    subsetter.subset(font)
    style = _NAMES[weight]
    names = {
        1: FONT_FAMILY,
        2: style,
        4: f"{FONT_FAMILY} {style}",
        6: f"{FONT_FAMILY.replace(' ', '')}-{style}",
    }
    for record in font["name"].names:
        if record.nameID in names:
            record.string = names[record.nameID]
    font.flavor = "woff2"
    target = io.BytesIO()
    font.save(target)
    return target.getvalue()


@functools.lru_cache(maxsize=512)
def properties(weight: int, size_px: float) -> FontProperties:
    """Give matplotlib's description of the face."""
    return FontProperties(fname=path(weight), size=size_px)


def list_folder() -> str:
    """Give the folder of matplotlib's list of fonts, which does not notice fonts installed later."""
    return str(matplotlib.get_cachedir())


def drawable(letter: str) -> bool:
    """Say whether the face, or a fall-back installed here, has a letter."""
    return _family_for(ord(letter)) is not None


@functools.lru_cache(maxsize=8192)
def _family_for(code: int) -> str | None:
    """Give the first family with a letter: ``""`` for the face itself, ``None`` for no family."""
    if loaded(400).get_char_index(code):
        return ""
    for family in _installed_fallbacks():
        if _opened(family).get_char_index(code):
            return family
    return None


@functools.cache
def _installed_fallbacks() -> tuple[str, ...]:
    present = {entry.name for entry in font_manager.fontManager.ttflist}
    return tuple(family for family in _FALLBACKS if family in present)


@functools.cache
def _opened(family: str) -> FT2Font:
    return font_manager.get_font(_entry(family, 400).fname)


@functools.cache
def _entry(family: str, weight: int) -> FontEntry:
    """Find the upright file of an installed family that comes nearest to a weight."""
    upright = [e for e in font_manager.fontManager.ttflist if e.name == family and e.style == "normal"]
    everyone = upright or [e for e in font_manager.fontManager.ttflist if e.name == family]
    return min(everyone, key=lambda e: (abs(_number(e.weight) - weight), str(e.fname)))


def _number(weight: str | int) -> int:
    return weight if isinstance(weight, int) else font_manager.weight_dict.get(weight, 400)
