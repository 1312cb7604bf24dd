"""Islands of a map: the hull around the inner part of a cloud of points, rounded."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from matplotlib.path import Path
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]
"""Shape (n, 2)."""

_CORNERS_LEAST = 3
_DIRECTIONS = 72
_SMOOTH_RAD = 0.15
"""Standard deviation of the smoothing."""
_TINY_PX = 9.0


def core(points: Points, share: float = 0.9) -> Points:
    """Keep the inner part of a cloud: the points nearest to its median, each axis in its own spread.

    Args:
        points: Shape (n, 2), n at least 1.
        share: Part (0-1) to keep; at least one point stays.

    Returns:
        Shape (m, 2), in the given order.
    """
    spread = points.std(axis=0)
    spread[spread == 0] = 1.0
    distance = np.linalg.norm((points - np.median(points, axis=0)) / spread, axis=1)
    keep = max(1, round(share * len(points)))
    chosen = np.argsort(distance, kind="stable")[:keep]
    return points[np.sort(chosen)]


def convex_hull(points: Points) -> Points:
    """Find the convex hull, counter-clockwise in a frame whose y points up.

    Andrew's monotone chain (A. M. Andrew, Information Processing Letters 9(5), 1979).

    Args:
        points: Shape (n, 2); repeated points are fine.

    Returns:
        Shape (k, 2): corners only, none of them on an edge; one or two points where all are in line.
    """
    ordered = sorted({(float(x), float(y)) for x, y in points})
    if len(ordered) < _CORNERS_LEAST:
        return np.array(ordered, dtype=float).reshape(-1, 2)

    def half(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for p in run:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], p) <= 0:
                kept.pop()
            kept.append(p)
        return kept[:-1]

    return np.array(half(ordered) + half(ordered[::-1]), dtype=float)


def island(points: Points, grow_px: float = 7.0) -> Points:
    """Draw the coast of a cloud: the hull of its core, a little larger, its corners round.

    A convex shape is its support function h: how far it reaches in each direction. Smoothing h over
    directions rounds the corners and keeps the shape convex (the result is a mean of turned copies);
    the outline is h times the direction plus h' times the direction's normal (R. Schneider, Convex
    Bodies, section 1.7). As h(t+d) + h(t-d) >= 2 h(t) cos d, smoothing takes at most the factor exp(-s^2/2)
    off the reach, which is given back.

    Args:
        points: Pixel positions, shape (n, 2), n at least 1.
        grow_px: Distance kept from the outermost dots.

    Returns:
        Shape (k, 2): a closed, convex outline without its first point repeated.
    """
    corners = convex_hull(core(points))
    radius = grow_px if len(corners) >= _CORNERS_LEAST else max(grow_px, _TINY_PX)
    middle = corners.mean(axis=0)
    angles = np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS)
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    waves = np.fft.rfft((ways @ (corners - middle).T).max(axis=1))
    order = np.arange(len(waves))
    # Scaled so that the mean of turned copies reaches at least as far as the hull in every direction.
    waves = waves * np.exp(0.5 * (1 - order**2) * _SMOOTH_RAD**2)
    support = np.fft.irfft(waves, _DIRECTIONS) + radius
    slope = np.fft.irfft(1j * order * waves, _DIRECTIONS)
    across = np.stack([-ways[:, 1], ways[:, 0]], axis=1)
    coast: Points = middle + support[:, None] * ways + slope[:, None] * across
    return coast


def outline(polygon: Points) -> Path:
    """Make a closed path of a polygon."""
    vertices = np.concatenate([polygon, polygon[:1]])
    codes: list[Any] = [Path.MOVETO, *[Path.LINETO] * (len(polygon) - 1), Path.CLOSEPOLY]
    return Path(vertices, codes)


def inside(polygon: Points, points: Points) -> NDArray[np.bool_]:
    """Say which points lie inside a polygon."""
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    found = np.zeros(len(points), dtype=bool)
    near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    if len(near):
        found[near] = Path(polygon).contains_points(points[near])
    return found


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
