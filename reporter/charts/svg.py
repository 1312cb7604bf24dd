"""Drawings as SVG that a strict page may inline: written by a matplotlib renderer of our own.

matplotlib's SVG writer makes ``style=`` attributes, a style sheet, metadata and ids, all of which
would have to be taken out again. This renderer never makes them: colours leave as palette classes,
sizes as presentation attributes, text as escaped text, and there is nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.colors import to_hex
from matplotlib.path import Path

from reporter.charts import text as measured
from reporter.charts.board import DOT, HALO
from reporter.charts.style import REGULAR, SMALL_PX, STRONG, TEXT_PX, TOKENS, print_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.font_manager import FontProperties
    from matplotlib.text import Text
    from matplotlib.transforms import Transform

    from reporter.charts.board import Board

_ANCHORS = {"left": "", "center": ' text-anchor="middle"', "right": ' text-anchor="end"'}
_CLASSES = re.compile(' class="([^"]*)"')
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def markup(
    board: Board, *, key: str, name: str, form: str, alt: str, hints: Mapping[str, str] | None = None
) -> str:
    """Write a board as one inline SVG element.

    Args:
        board: The finished drawing.
        key: Prefix that makes ids unique on the page, e.g. ``chart-0-share-wide``.
        name: Kind of chart, for a class of its own.
        form: ``wide`` or ``narrow``, for a class of its own.
        alt: The finding with its main numbers; untrusted.
        hints: What rows tell to who points at them, by name; untrusted.

    Returns:
        Well-formed XML without ``style=``, handlers, links or scripts.
    """
    renderer = _Renderer(board.width, board.height)
    board.figure.draw(renderer)
    label = f"{key}-title"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class={quoteattr(f"chart chart-{form} chart-{name}")}'
        f' viewBox="0 0 {board.width} {board.height}" width="{board.width}" height="{board.height}"'
        f' role="img" aria-labelledby={quoteattr(label)}>'
        f"<title id={quoteattr(label)}>{_safe(alt)}</title>"
        f'<g fill="none" stroke-linejoin="round" aria-hidden="true">{"".join(renderer.parts)}'
        f"{_hints(board, hints or {})}</g></svg>"
    )


def _hints(board: Board, hints: Mapping[str, str]) -> str:
    """Lay over each row a place that a pointer finds."""
    return "".join(
        f'<rect class="hint" x="{_px(left)}" y="{_px(top)}" width="{_px(right - left)}"'
        f' height="{_px(bottom - top)}"><title>{_safe(hints[name])}</title></rect>'
        for (left, top, right, bottom), name in board.hints
        if name in hints
    )


def printed(board: Board) -> str:
    """Write a board as an SVG document for paper, its colours in a style sheet of its own."""
    renderer = _Renderer(board.width, board.height, underlaid=True)
    board.figure.draw(renderer)
    body = "".join(renderer.parts)
    used = {name for found in _CLASSES.findall(body) for name in found.split()}
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {board.width} {board.height}"'
        f' width="{board.width}" height="{board.height}"><style>{print_rules(used)}</style>'
        f'<g fill="none" stroke-linejoin="round">{body}</g></svg>'
    )


class _Renderer(RendererBase):
    """Collects elements; knows only what a `Board` can hold."""

    def __init__(self, width: int, height: int, *, underlaid: bool = False) -> None:
        """Open an empty drawing.

        Args:
            width: Width in pixels.
            height: Height in pixels.
            underlaid: Whether a label that may cross marks lies on paper, for engines without halos.
        """
        super().__init__()
        self.parts: list[str] = []
        self._width = width
        self._height = height
        self._underlaid = underlaid
        self._group: str | None = None

    def flipy(self) -> bool:
        return True

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self._width, self._height

    def new_gc(self) -> GraphicsContextBase:
        return GraphicsContextBase()

    def points_to_pixels(self, points: Any) -> Any:
        return points

    def open_group(self, s: str, gid: str | None = None) -> None:  # noqa: ARG002 (the base class's signature)
        self._group = gid

    def close_group(self, s: str) -> None:  # noqa: ARG002 (the base class's signature)
        self._group = None

    def get_text_width_height_descent(
        self,
        s: str,
        prop: FontProperties,
        ismath: bool | str,  # noqa: ARG002, FBT001 (the base class's signature)
    ) -> tuple[float, float, float]:
        size = float(prop.get_size_in_points())
        return measured.width(s, size), size, size * 0.25

    def draw_path(
        self,
        gc: GraphicsContextBase,
        path: Path,
        transform: Transform,
        rgbFace: Any = None,  # noqa: N803 (the base class's)
    ) -> None:
        points = np.asarray(transform.transform(path.vertices), dtype=float)
        points[:, 1] = self._height - points[:, 1]
        paint = _paint(gc, rgbFace)
        if self._group == DOT:
            low, high = points.min(axis=0), points.max(axis=0)
            x, y = (low + high) / 2
            self.parts.append(f'<circle{paint} cx="{_px(x)}" cy="{_px(y)}" r="{_px((high - low)[0] / 2)}"/>')
        else:
            self.parts.append(f'<path{paint} d="{_outline(points, path.codes)}"/>')

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,  # noqa: ARG002 (the anchor is taken instead, so that the browser aligns)
        y: float,  # noqa: ARG002
        s: str,
        prop: FontProperties,
        angle: float,  # noqa: ARG002 (nothing is ever turned)
        ismath: bool | str = False,  # noqa: ARG002, FBT001, FBT002
        mtext: Text | None = None,
    ) -> None:
        if mtext is None:  # pragma: no cover (a line break, which no cleaned text holds)
            return
        at = mtext.get_transform().transform(mtext.get_unitless_position())
        size = float(prop.get_size_in_points())
        classes = [f"f-{TOKENS[to_hex(gc.get_rgb())]}"]
        classes += ["b"] if mtext.get_label() == str(STRONG) else []
        classes += ["m"] if size == SMALL_PX else []
        classes += ["h"] if self._group == HALO else []
        if self._group == HALO and self._underlaid:
            self._underlay(s, float(at[0]), self._height - float(at[1]), mtext)
        own = "" if size in (SMALL_PX, TEXT_PX) else f' font-size="{_px(size)}"'
        self.parts.append(
            f'<text class="{" ".join(classes)}"{own} x="{_px(at[0])}" y="{_px(self._height - at[1])}"'
            f"{_ANCHORS[mtext.get_horizontalalignment()]}>{_safe(s)}</text>"
        )

    def _underlay(self, s: str, x: float, y: float, text: Text) -> None:
        size = float(text.get_fontsize())
        across = measured.width(s, size, STRONG if text.get_label() == str(STRONG) else REGULAR)
        left = x - across * {"left": 0.0, "center": 0.5, "right": 1.0}[text.get_horizontalalignment()]
        self.parts.append(
            f'<rect class="f-paper" opacity="0.75" x="{_px(left - 1)}" y="{_px(y - size * 0.85)}"'
            f' width="{_px(across + 2)}" height="{_px(size * 1.1)}"/>'
        )


def _paint(gc: GraphicsContextBase, face: Any) -> str:
    """Write colours as classes and the rest as presentation attributes."""
    classes: list[str] = []
    extra = ""
    opacity = 1.0
    if face is not None:
        classes.append(f"f-{TOKENS[to_hex(face[:3])]}")
        opacity = float(face[3])
    thick = float(gc.get_linewidth())
    if thick > 0:
        classes.append(f"s-{TOKENS[to_hex(gc.get_rgb()[:3])]}")
        opacity = float(gc.get_rgb()[3])
        extra = f' stroke-width="{_px(thick)}"'
        if gc.get_capstyle() == "round":
            extra += ' stroke-linecap="round"'
        dashes: Any = gc.get_dashes()[1]
        if dashes is not None:
            extra += f' stroke-dasharray="{" ".join(_px(float(d)) for d in dashes)}"'
    if opacity < 1:
        extra += f' opacity="{_px(opacity)}"'
    return f' class="{" ".join(classes)}"{extra}'


def _outline(points: np.ndarray[Any, np.dtype[np.float64]], codes: Any) -> str:
    """Write path data in relative steps of a tenth of a pixel; rounding does not add up along the way."""
    steps = [(round(float(x) * 10), round(float(y) * 10)) for x, y in points]
    if codes is None:
        codes = [Path.MOVETO] + [Path.LINETO] * (len(steps) - 1)
    made: list[str] = []
    here = start = (0, 0)
    for code, to in zip(codes, steps, strict=True):
        if code == Path.CLOSEPOLY:
            made.append("z")
            here = start
            continue
        if code == Path.MOVETO:
            start = to
            made.append(("m" if made else "M") + _step(here, to))
        elif to == here:
            # A stroke of no length: its round ends make a dot.
            made.append("h0")
        else:
            made.append("l" + _step(here, to))
        here = to
    return "".join(made)


def _step(here: tuple[int, int], to: tuple[int, int]) -> str:
    x, y = (to[0] - here[0]) / 10, (to[1] - here[1]) / 10
    return f"{x:g}{'' if y < 0 else ' '}{y:g}"


def _px(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _safe(text: str) -> str:
    return escape(_ILLEGAL.sub("", text))
