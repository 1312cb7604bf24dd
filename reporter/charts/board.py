"""A sheet to draw on: pixels, x to the right and y downward, over one matplotlib figure.

There are no axes and no layout engine; whoever draws has measured the text. Everything is coloured
by token, and several lines of one kind are one artist, because artists are what drawing time goes to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from reporter.charts import fonts
from reporter.charts.style import LIGHT, REGULAR, TEXT_PX

if TYPE_CHECKING:
    from matplotlib.artist import Artist

Point: TypeAlias = tuple[float, float]
Segment: TypeAlias = tuple[float, float, float, float]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_PX_PER_INCH = 72
DOT = "dot"
HALO = "halo"
SETTINGS: dict[str, Any] = {
    "agg.path.chunksize": 0,
    "figure.edgecolor": "white",
    "patch.antialiased": True,
    "path.effects": [],
    "path.simplify": False,
    "path.sketch": None,
    "path.snap": True,
    "savefig.bbox": None,
    "savefig.edgecolor": "auto",
    "savefig.facecolor": "auto",
    "savefig.transparent": False,
    "text.antialiased": True,
    "text.hinting": "no_hinting",
    "text.usetex": False,
}
"""What a person's own matplotlibrc must not change, neither while painting nor while writing."""


class Board:
    """One drawing in the making."""

    def __init__(self, width: float, height: float) -> None:
        """Open an empty sheet.

        Args:
            width: Width in pixels.
            height: Height in pixels.
        """
        self.width = round(width)
        self.height = round(height)
        self.figure = Figure(
            figsize=(self.width / _PX_PER_INCH, self.height / _PX_PER_INCH), dpi=_PX_PER_INCH
        )
        self.figure.patch.set_visible(False)
        self.hints: list[tuple[Box, str]] = []
        """Places that tell more to who points at them: where, and which row of the chart's table."""
        self.texts: list[Text] = []
        self.dots: list[Circle] = []
        self.paths: list[PathPatch] = []
        self._place = (
            Affine2D().scale(1 / self.width, -1 / self.height).translate(0, 1) + self.figure.transFigure
        )

    def lines(
        self,
        segments: Iterable[Segment],
        token: str,
        thick: float = 1.0,
        *,
        dash: tuple[float, ...] | None = None,
        round_ends: bool = False,
        alpha: float | None = None,
        order: float = 2.0,
    ) -> None:
        """Draw straight lines of one kind as one path; nothing for no lines."""
        vertices: list[Point] = []
        for x0, y0, x1, y1 in segments:
            vertices += [(x0, y0), (x1, y1)]
        if not vertices:
            return
        codes: list[Any] = [Path.MOVETO, Path.LINETO] * (len(vertices) // 2)
        self.path(
            Path(vertices, codes),
            edge=token,
            thick=thick,
            dash=dash,
            round_ends=round_ends,
            alpha=alpha,
            order=order,
        )

    def boxes(
        self, boxes: Iterable[Box], token: str, *, alpha: float | None = None, order: float = 1.0
    ) -> None:
        """Fill rectangles of one kind as one path."""
        vertices: list[Point] = []
        codes: list[Any] = []
        for left, top, right, bottom in boxes:
            vertices += [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
            codes += [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
        if vertices:
            self.path(Path(vertices, codes), fill=token, alpha=alpha, order=order)

    def outline(self, box: Box, token: str, thick: float, *, order: float = 2.0) -> None:
        """Draw the edge of a rectangle."""
        left, top, right, bottom = box
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        codes: list[Any] = [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY]
        self.path(Path(corners, codes), edge=token, thick=thick, order=order)

    def cloud(
        self,
        points: Sequence[Point],
        token: str,
        across: float,
        *,
        alpha: float | None = None,
        order: float = 2.0,
    ) -> None:
        """Draw many small dots as one path of round-ended strokes of no length, in any order."""
        vertices: list[Point] = []
        for x, y in sorted(points):
            vertices += [(x, y), (x + 0.01, y)]
        if vertices:
            codes: list[Any] = [Path.MOVETO, Path.LINETO] * len(points)
            self.path(
                Path(vertices, codes), edge=token, thick=across, round_ends=True, alpha=alpha, order=order
            )

    def path(
        self,
        path: Path,
        *,
        fill: str | None = None,
        edge: str | None = None,
        thick: float = 0.0,
        dash: tuple[float, ...] | None = None,
        round_ends: bool = False,
        alpha: float | None = None,
        order: float = 1.0,
    ) -> None:
        """Draw a path of straight lines, filled, stroked or both."""
        patch = PathPatch(
            path,
            facecolor=LIGHT[fill] if fill else "none",
            edgecolor=LIGHT[edge] if edge else "none",
            linewidth=thick if edge else 0,
            linestyle=(0, dash) if dash else "solid",
            capstyle="round" if round_ends else "butt",
            joinstyle="round",
            alpha=alpha,
            zorder=order,
            transform=self._place,
            # Snapping moves small strokes to whole pixels and swallows dots altogether.
            snap=False,
        )
        self._add(patch)
        self.paths.append(patch)

    def dot(
        self, x: float, y: float, token: str, radius: float = 4.2, *, hollow: bool = False, order: float = 4.0
    ) -> None:
        """Draw a mark: filled for the latest run, hollow for the prior one."""
        circle = Circle(
            (x, y),
            radius,
            facecolor=LIGHT["paper"] if hollow else LIGHT[token],
            edgecolor=LIGHT[token] if hollow else "none",
            linewidth=1.4 if hollow else 0,
            zorder=order,
            transform=self._place,
            gid=DOT,
        )
        self._add(circle)
        self.dots.append(circle)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        token: str = "ink",  # noqa: S107 (a colour, not a secret)
        *,
        size: float = TEXT_PX,
        weight: int = REGULAR,
        align: Literal["left", "center", "right"] = "left",
        halo: bool = False,
        order: float = 6.0,
    ) -> None:
        """Write one line; `y` is its base line. An empty one is not written."""
        if not text.strip():
            return
        words = Text(
            x,
            y,
            text,
            color=LIGHT[token],
            fontproperties=fonts.properties(weight, size),
            horizontalalignment=align,
            verticalalignment="baseline",
            parse_math=False,
            zorder=order,
            transform=self._place,
            gid=HALO if halo else None,
        )
        # Remembered apart: a named family says nothing of the weight once it is a file.
        words.set_label(str(weight))
        self._add(words)
        self.texts.append(words)

    def _add(self, artist: Artist) -> None:
        self.figure.add_artist(artist)
