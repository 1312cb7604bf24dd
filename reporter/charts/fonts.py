"""The typeface: file paths for matplotlib, WOFF2 subsets for the page, what other scripts lack.

The face comes from the package ``font-source-sans-pro`` (SIL Open Font License). The subset bears
another family name, because the licence reserves the name "Source" for the unmodified fonts.
"""

from __future__ import annotations

import functools
import io
import unicodedata
from pathlib import Path
from typing import Any, Literal, TypeAlias

import font_source_sans_pro
from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font

from reporter.charts.style import FONT_FAMILY

Weight: TypeAlias = Literal[400, 600]

_FILES: dict[int, str] = {400: "SourceSansPro", 600: "SourceSansProSemibold"}
_NAMES: dict[int, str] = {400: "Regular", 600: "SemiBold"}
_SCRIPTS = dict.fromkeys(
    ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH"), "CJK"
)
"""First word of a letter's Unicode name → what fonts for it are called, where that is another word."""
_LOOKED_INTO = 40
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
def loaded(weight: int) -> FT2Font:
    """Open the face of a weight for measuring; it is never drawn with, so that its size stays set."""
    return FT2Font(path(weight))


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


@functools.lru_cache(maxsize=512)
def properties(weight: int, size_px: float) -> FontProperties:
    """Give matplotlib's description of the face."""
    return FontProperties(fname=path(weight), size=size_px)


def covering(letters: str) -> tuple[tuple[str, ...], str]:
    """Find installed fonts that matplotlib can draw some letters with, one after the other.

    Args:
        letters: Letters the face lacks.

    Returns:
        Font files, and the letters that none of the files looked into has: those named after the letters'
        scripts, and a few more, for opening all of several hundred takes seconds.
    """
    missing, chosen = set(letters), []
    scripts = {_SCRIPTS.get(word, word.capitalize()) for word in map(_script, letters)}
    files = [file for file in font_manager.findSystemFonts() if "Color" not in file]
    for file in sorted(files, key=lambda file: _likeness(file, scripts))[:_LOOKED_INTO]:
        if not missing:
            break
        if known := missing & _letters_of(file, missing):
            chosen.append(file)
            missing -= known
    return tuple(chosen), "".join(sorted(missing))


def _tag(name: str) -> int:
    """Give the number OpenType files a feature under."""
    return int.from_bytes(name.encode("ascii"), "big")


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _likeness(file: str, scripts: set[str]) -> tuple[bool, bool, bool, bool, str]:
    """Sort fonts: named after a script wanted, without serifs, regular, of Noto."""
    name = Path(file).name
    return (
        not any(s in name for s in scripts),
        "Sans" not in name,
        "Regular" not in name,
        "Noto" not in name,
        name,
    )


def _letters_of(file: str, wanted: set[str]) -> set[str]:
    try:
        face = FT2Font(file)
    except (OSError, RuntimeError):
        return set()
    return {letter for letter in wanted if face.get_char_index(ord(letter))}


def lacking(letters: str) -> str:
    """Give those of some letters that neither the face nor any font installed here has.

    Fonts are looked for anew, file by file: matplotlib's own list does not notice fonts installed later. A
    file that cannot be read counts as none.
    """
    from fontTools.ttLib import TTFont, TTLibError

    missing = {letter for letter in letters if not loaded(400).get_char_index(ord(letter))}
    for file in sorted(font_manager.findSystemFonts()):
        if not missing:
            break
        try:
            # A collection holds one set of letters in several styles: the first face speaks for it.
            with Path(file).open("rb") as data:
                known = TTFont(data, fontNumber=0, lazy=True).getBestCmap() or {}
        except (OSError, TTLibError):
            continue
        missing -= {letter for letter in missing if ord(letter) in known}
    return "".join(letter for letter in letters if letter in missing)
