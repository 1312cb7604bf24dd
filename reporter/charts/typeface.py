"""The typeface of charts, pages and paper: where it lies, and the part of it that a document embeds.

The face comes from the package ``font-source-sans-pro`` (SIL Open Font License). The subset bears
another family name, because the licence reserves the name "Source" for the unmodified fonts. Loads
nothing that draws: a process that lays out drawings made elsewhere does without.
"""

from __future__ import annotations

import functools
import io
from typing import Any

import font_source_sans_pro

from reporter.charts.style import FONT_FAMILY

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


_FEATURES = ("kern", "mark", "mkmk", "ccmp", "locl")
_NAME_IDS = (0, 1, 2, 4, 6, 13, 14)
"""Layout features and names that a cut font keeps; the licence is among the names."""


def path(weight: int) -> str:
    """Give the TrueType file of a weight (400 or 600)."""
    return str(font_source_sans_pro.font_files_ttf[_FILES[weight]])


@functools.cache
def face(weight: int, *, packed: bool = True) -> bytes:
    """Make the page's font: a subset under the family name `FONT_FAMILY`.

    Args:
        weight: 400 or 600.
        packed: Whether as WOFF2, for a page that travels; else as TrueType, for an engine that is at hand.

    Returns:
        The font file, the same bytes for the same installed libraries.
    """
    import uharfbuzz as harfbuzz
    from fontTools.ttLib import TTFont

    wanted = harfbuzz.SubsetInput()
    for kept, values in (
        (wanted.unicode_set, _COVERED),
        (wanted.layout_feature_tag_set, map(_tag, _FEATURES)),
        (wanted.name_id_set, _NAME_IDS),
    ):
        kept.clear()
        kept.update(values)
    wanted.flags = harfbuzz.SubsetFlags.NO_HINTING | harfbuzz.SubsetFlags.NOTDEF_OUTLINE
    whole = harfbuzz.Face(harfbuzz.Blob.from_file_path(path(weight)))
    # HarfBuzz cuts in a millisecond what takes fontTools half a second; it writes no WOFF2.
    font: Any = TTFont(io.BytesIO(harfbuzz.subset(whole, wanted).blob.data), recalcTimestamp=False)
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
    font.flavor = "woff2" if packed else None
    target = io.BytesIO()
    font.save(target)
    return target.getvalue()


def _tag(name: str) -> int:
    """Give the number OpenType files a feature under."""
    return int.from_bytes(name.encode("ascii"), "big")
