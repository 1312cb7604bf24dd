"""Where items lie on a run's map: islands with lumps, bends and satellites, turned anew in every run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reporter.sources.demo import timeline

if TYPE_CHECKING:
    from reporter.sources.demo.themes import Theme

_LUMPS = 3
_SATELLITE = 0.12
"""Share of a theme's items that lie on a small island beside it."""
_REACH = 11.0
"""Half-width of the area over which one-off items scatter."""
_STRAY = (1.5, 2.6)
"""How much farther from the island noise lies than a member would."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A position on the map."""

    x: float
    y: float


class Map:
    """One run's two-dimensional layout."""

    def __init__(self, run: str) -> None:
        """Turn, mirror and stretch the map in this run's own way.

        Args:
            run: The run's id; equal ids give equal maps.
        """
        self._run = run
        rng = timeline.dice("map", run)
        self._turn = rng.uniform(0, math.tau)
        self._mirror = rng.choice((-1.0, 1.0))
        self._scale = rng.uniform(0.62, 0.8)
        self._squeeze = rng.uniform(0.86, 1.0)
        self._shift = Spot(rng.uniform(4.0, 9.0), rng.uniform(2.0, 7.0))

    def spot(self, theme: Theme | None, key: str, depth: float, angle: float, *, stray: bool) -> Spot:
        """Place one item.

        Args:
            theme: The theme it belongs to by nature; ``None`` for a one-off.
            key: Item key; its place inside the island is its own and lasts over runs.
            depth: How far from the theme's heart (0-1).
            angle: Where along the island (0-1).
            stray: Whether the run counts it as noise.

        Returns:
            The position, to 4 decimals.
        """
        own = timeline.dice("spot", key)
        if theme is None:
            return self._turned(own.uniform(-_REACH, _REACH), own.uniform(-_REACH, _REACH) - 1.0)
        form = timeline.dice("island", theme.key)
        long, short = theme.spread
        lumps = sorted(form.uniform(-0.85, 0.85) for _ in range(_LUMPS))
        bend, tilt = form.uniform(-0.9, 0.9), form.uniform(0, math.pi)
        far = form.choice((-1.0, 1.0)), form.uniform(0.6, 1.4)
        along = 0.45 * lumps[min(_LUMPS - 1, int(angle * _LUMPS))] + 0.55 * (2 * angle - 1)
        along = long * (along + own.gauss(0, 0.13))
        across = short * own.gauss(0, 0.3 + 0.35 * depth) + bend * short * ((along / long) ** 2 - 0.4) * 1.6
        if angle < _SATELLITE:
            along = far[0] * long * 1.35 + along * 0.22 + own.gauss(0, 0.06)
            across = across * 0.6 + far[1] * short
        if stray:
            reach = own.uniform(*_STRAY)
            along, across = along * reach, across * reach + own.choice((-1, 1)) * short
        here = timeline.dice("drift", self._run, theme.key)
        tilt += here.gauss(0, 0.2)
        dx, dy = here.gauss(0, 0.28), here.gauss(0, 0.28)
        cos, sin = math.cos(tilt), math.sin(tilt)
        x, y = theme.place
        return self._turned(x + dx + along * cos - across * sin, y + dy + along * sin + across * cos)

    def _turned(self, x: float, y: float) -> Spot:
        cos, sin = math.cos(self._turn), math.sin(self._turn)
        flat = self._mirror * (x * cos - y * sin) * self._scale
        tall = (x * sin + y * cos) * self._scale * self._squeeze
        return Spot(round(flat + self._shift.x, 4), round(tall + self._shift.y, 4))


def centroid(run: str, theme: str, dimensions: int = 100) -> list[float]:
    """Give a cluster's centre in the run's own space of many dimensions.

    Args:
        run: The run's id.
        theme: What the cluster is about.
        dimensions: How many numbers.

    Returns:
        Numbers to 3 decimals; they mean nothing outside this run.
    """
    rng = timeline.dice("centroid", run, theme)
    return [round(rng.gauss(5.0, 3.0), 3) for _ in range(dimensions)]
