"""Drawings as pixels, for mail programs, which show no SVG."""

from __future__ import annotations

import functools
import io

from matplotlib import font_manager, patheffects
from matplotlib.font_manager import FontProperties
from PIL import Image, ImageOps

from reporter.charts import fonts
from reporter.charts.board import HALO, Board
from reporter.charts.style import FALLBACK_FAMILIES, LIGHT

SCALE = 2
"""Pixels a CSS pixel: phones have two and more."""
_PX_PER_INCH = 72
_HALO_PX = 3
MARGIN_PX = 10
"""Paper around a drawing: on a dark page it is a panel."""
_COLOURS = 64
"""A drawing has a dozen colours and their shades at edges; a palette makes it a quarter of the bytes."""


def png(board: Board) -> bytes:
    """Write a board as PNG on white paper, for a page of any colour; equal boards give equal bytes.

    Letters the face lacks are taken from the fonts installed here, and are boxes where none has them.
    """
    figure = board.figure
    figure.patch.set_visible(True)
    figure.patch.set_facecolor(LIGHT["paper"])
    for text in board.texts:
        if lacking := _lacking(text.get_text()):
            text.set_fontproperties(_mixed(int(str(text.get_label())), text.get_fontsize(), lacking))
        if text.get_gid() == HALO:
            halo = patheffects.withStroke(linewidth=_HALO_PX, foreground=LIGHT["paper"])
            text.set_path_effects([halo])
    drawn, target = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=_PX_PER_INCH * SCALE, metadata={"Software": None})
    framed = ImageOps.expand(Image.open(drawn).convert("RGB"), MARGIN_PX * SCALE, LIGHT["paper"])
    flat = framed.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    flat.save(target, format="png", optimize=True)
    return target.getvalue()


def _lacking(text: str) -> str:
    face = fonts.loaded(400)
    return "".join(sorted({letter for letter in text if not face.get_char_index(ord(letter))}))


@functools.cache
def _installed() -> dict[str, str]:
    """Find the file of each family to fall back to that is installed here."""
    known = {entry.name: entry.fname for entry in reversed(font_manager.fontManager.ttflist)}
    return {name: known[name] for name in FALLBACK_FAMILIES if name in known}


@functools.lru_cache(maxsize=512)
def _mixed(weight: int, size: float, lacking: str) -> FontProperties:  # noqa: ARG001 (one entry a set of letters)
    """Describe the face with what stands in for letters it lacks."""
    font_manager.fontManager.addfont(fonts.path(weight))
    own = font_manager.get_font(fonts.path(weight)).family_name
    return FontProperties(family=[own, *_installed()], weight=weight, size=size)
