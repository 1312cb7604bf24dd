"""Drawings as pixels, for mail programs, which show no SVG."""

from __future__ import annotations

import functools
import io

from matplotlib import font_manager, patheffects
from matplotlib.font_manager import FontProperties
from PIL import Image, ImageOps

from reporter.charts import fonts, typeface
from reporter.charts.board import HALO, Board
from reporter.charts.style import LIGHT

SCALE = 2
"""Pixels a CSS pixel: phones have two and more."""
MARGIN_PX = 10
"""Paper around a drawing: on a dark page it is a panel."""
_PX_PER_INCH = 72
_HALO_PX = 3
_COLOURS = 64
"""A drawing has a dozen colours and their shades at edges; a palette makes it a quarter of the bytes."""


def png(board: Board) -> bytes:
    """Write a board as PNG on white paper, for a page of any colour.

    Letters the face lacks are drawn with fonts installed here, and left out where none has them. Equal boards
    give equal bytes on one machine.
    """
    figure = board.figure
    figure.patch.set_visible(True)
    figure.patch.set_facecolor(LIGHT["paper"])
    for text in board.texts:
        if foreign := _foreign(text.get_text()):
            found, missing = _helpers(foreign)
            text.set_text("".join(ch for ch in text.get_text() if ch not in missing) or " ")
            text.set_fontproperties(_mixed(int(str(text.get_label())), text.get_fontsize(), found))
        if text.get_gid() == HALO:
            halo = patheffects.withStroke(linewidth=_HALO_PX, foreground=LIGHT["paper"])
            text.set_path_effects([halo])
    drawn, target = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=_PX_PER_INCH * SCALE, metadata={"Software": None})
    framed = ImageOps.expand(Image.open(drawn).convert("RGB"), MARGIN_PX * SCALE, LIGHT["paper"])
    flat = framed.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    flat.save(target, format="png", optimize=True)
    return target.getvalue()


def _foreign(text: str) -> str:
    """Give the letters of a text that the face lacks."""
    face = fonts.loaded(400)
    return "".join(sorted({letter for letter in text if not face.get_char_index(ord(letter))}))


@functools.lru_cache(maxsize=512)
def _helpers(letters: str) -> tuple[tuple[str, ...], str]:
    """Find families that have some letters, and the letters nothing here can draw."""
    files, missing = fonts.covering(letters)
    for file in files:
        font_manager.fontManager.addfont(file)
    return tuple(font_manager.get_font(file).family_name for file in files), missing


@functools.lru_cache(maxsize=512)
def _mixed(weight: int, size: float, helpers: tuple[str, ...]) -> FontProperties:
    """Describe the face with what stands in for letters it lacks."""
    font_manager.fontManager.addfont(typeface.path(weight))
    own = font_manager.get_font(typeface.path(weight)).family_name
    return FontProperties(family=[own, *helpers], weight=weight, size=size)
