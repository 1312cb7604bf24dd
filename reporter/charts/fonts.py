"""Fonts as matplotlib takes them: the typeface, and what other scripts need beside it."""

from __future__ import annotations

import functools
import unicodedata
from pathlib import Path
from typing import Literal, TypeAlias

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font

from reporter.charts import typeface

Weight: TypeAlias = Literal[400, 600]

_SCRIPTS = dict.fromkeys(
    ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH"), "CJK"
)
"""First word of a letter's Unicode name → what fonts for it are called, where that is another word."""
_LOOKED_INTO = 40


@functools.cache
def loaded(weight: int) -> FT2Font:
    """Open the face of a weight for measuring; it is never drawn with, so that its size stays set."""
    return FT2Font(typeface.path(weight))


@functools.lru_cache(maxsize=512)
def properties(weight: int, size_px: float) -> FontProperties:
    """Give matplotlib's description of the face."""
    return FontProperties(fname=typeface.path(weight), size=size_px)


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
