"""Labels on a map: places beside islands where they touch no other label and, if they can, no mark.

Costs come from two grids of cells (how much of a box lies on coasts and dots), summed over any box
by a table of running sums, so that thousands of places are weighed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reporter.charts.board import Box
from reporter.charts.hulls import Points, inside

_CELL_PX = 4.0
_ANGLES = 32
_DISTANCES_PX = (4.0, 12.0, 24.0, 40.0, 60.0, 84.0)
_FOREIGN_COST = 60.0
"""A box wholly on another island."""
_OWN_COST = 14.0
_DOT_COST = 0.12
_DISTANCE_COST = 0.12
"""A pixel away from the coast."""
_SIDE_COST = 1.2
"""Above and below read more easily than beside."""
_WORST = 9.0
"""What costs more is better left out."""
_ROUNDS = 4
_BETWEEN_PX = 3.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A label and the island it belongs to."""

    width: float
    height: float
    island: Points
    dots: Points


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a label went."""

    box: Box
    leader: tuple[float, float, float, float] | None
    """From the coast to the label, where it stands some way off."""


def place(labels: Sequence[Wanted], noise: Points, width: float, height: float) -> list[Placed | None]:
    """Find a place for every label, the most important first.

    Args:
        labels: In falling order of importance.
        noise: Dots that belong to no island, shape (n, 2).
        width: Width of the sheet in pixels.
        height: Height of the sheet in pixels.

    Returns:
        A place for each label, ``None`` where none is left. No two boxes overlap, and none leaves the sheet.
    """
    grid = _Grid(labels, noise, width, height)
    choices = [_choices(label, i, grid, width, height) for i, label in enumerate(labels)]
    taken: list[int | None] = [None] * len(labels)
    for _ in range(_ROUNDS):
        before = list(taken)
        for i, (boxes, costs, _) in enumerate(choices):
            others = [choices[k][0][t] for k, t in enumerate(taken) if k != i and t is not None]
            free = costs + np.where(_overlaps(boxes, others), np.inf, 0.0)
            best = int(np.argmin(free)) if len(free) else -1
            taken[i] = best if best >= 0 and free[best] <= _WORST else None
        if taken == before:
            break
    return [
        None
        if t is None
        else Placed(_box(choices[i][0][t]), _leader(labels[i].island, _box(choices[i][0][t])))
        for i, t in enumerate(taken)
    ]


class _Grid:
    """Running sums of what lies where."""

    def __init__(self, labels: Sequence[Wanted], noise: Points, width: float, height: float) -> None:
        self._shape = int(np.ceil(height / _CELL_PX)), int(np.ceil(width / _CELL_PX))
        rows, columns = self._shape
        xs, ys = np.meshgrid((np.arange(columns) + 0.5) * _CELL_PX, (np.arange(rows) + 0.5) * _CELL_PX)
        cells = np.stack([xs.ravel(), ys.ravel()], axis=1)
        masks = [inside(label.island, cells).reshape(self._shape) for label in labels]
        total = np.sum(masks, axis=0, dtype=float) if masks else np.zeros(self._shape)
        self._all = _sums(total)
        self._own = [_sums(mask.astype(float)) for mask in masks]
        dots = [label.dots for label in labels]
        self._dots = _sums(self._count(np.concatenate([*dots, noise])) if dots else np.zeros(self._shape))

    def coverage(self, boxes: NDArray[np.float64], index: int) -> tuple[NDArray[np.float64], ...]:
        """Give, for each box, its part on other islands, its part on its own, and the dots under it."""
        left = np.clip(np.floor(boxes[:, 0] / _CELL_PX).astype(int), 0, self._shape[1])
        top = np.clip(np.floor(boxes[:, 1] / _CELL_PX).astype(int), 0, self._shape[0])
        right = np.clip(np.ceil(boxes[:, 2] / _CELL_PX).astype(int), 0, self._shape[1])
        bottom = np.clip(np.ceil(boxes[:, 3] / _CELL_PX).astype(int), 0, self._shape[0])

        def within(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            found: NDArray[np.float64] = (
                sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
            )
            return found

        area = np.maximum(1, (right - left) * (bottom - top))
        own = within(self._own[index])
        return (within(self._all) - own) / area, own / area, within(self._dots)

    def _count(self, points: Points) -> NDArray[np.float64]:
        rows, columns = self._shape
        counted, _, _ = np.histogram2d(
            points[:, 1],
            points[:, 0],
            bins=(rows, columns),
            range=((0, rows * _CELL_PX), (0, columns * _CELL_PX)),
        )
        return counted


def _choices(
    label: Wanted, index: int, grid: _Grid, width: float, height: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Give boxes around an island and what each costs."""
    middle = label.island.mean(axis=0)
    boxes: list[tuple[float, float, float, float]] = []
    base: list[float] = []
    for step in range(_ANGLES):
        angle = 2 * np.pi * step / _ANGLES
        way = np.array([np.cos(angle), np.sin(angle)])
        coast = float(((label.island - middle) @ way).max())
        # The box touches the tangent to the coast from outside.
        reach = abs(way[0]) * label.width / 2 + abs(way[1]) * label.height / 2
        for distance in _DISTANCES_PX:
            x, y = middle + way * (coast + distance + reach)
            left = min(max(float(x) - label.width / 2, 0.0), width - label.width)
            top = min(max(float(y) - label.height / 2, 0.0), height - label.height)
            pushed = abs(left + label.width / 2 - float(x)) + abs(top + label.height / 2 - float(y))
            boxes.append((left, top, left + label.width, top + label.height))
            base.append(_DISTANCE_COST * (distance + pushed) + _SIDE_COST * abs(float(way[0])))
    made = np.array(boxes)
    foreign, own, dots = grid.coverage(made, index)
    costs = np.array(base) + _FOREIGN_COST * foreign + _OWN_COST * own + _DOT_COST * dots
    fits = (made[:, 0] >= 0) & (made[:, 1] >= 0)
    return made, np.where(fits, costs, np.inf), index


def _overlaps(boxes: NDArray[np.float64], others: list[NDArray[np.float64]]) -> NDArray[np.bool_]:
    hit = np.zeros(len(boxes), dtype=bool)
    for other in others:
        hit |= (
            (boxes[:, 0] < other[2] + _BETWEEN_PX)
            & (boxes[:, 2] > other[0] - _BETWEEN_PX)
            & (boxes[:, 1] < other[3] + _BETWEEN_PX)
            & (boxes[:, 3] > other[1] - _BETWEEN_PX)
        )
    return hit


def _leader(island: Points, box: Box) -> tuple[float, float, float, float] | None:
    """Join coast and label by the shortest line, if it is long enough to need one."""
    left, top, right, bottom = box
    nearest = np.stack([np.clip(island[:, 0], left, right), np.clip(island[:, 1], top, bottom)], axis=1)
    gaps = np.linalg.norm(nearest - island, axis=1)
    i = int(np.argmin(gaps))
    if gaps[i] < 14:
        return None
    return float(island[i, 0]), float(island[i, 1]), float(nearest[i, 0]), float(nearest[i, 1])


def _sums(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.pad(cells.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))


def _box(row: NDArray[np.float64]) -> Box:
    return float(row[0]), float(row[1]), float(row[2]), float(row[3])
