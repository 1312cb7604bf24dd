"""Both runs cut into cells, and what comes of drawing their items again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from reporter.analysis.unit_cost import Places, Usage, Values
from reporter.model import ModelUse

Counts: TypeAlias = NDArray[np.int64]
RESAMPLES = 500
_AT_ONCE = 250_000
"""Drawn items held in memory together."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one item with data cost, USD, and what it used of each model."""

    cost_usd: float
    models: Sequence[ModelUse] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """Clusters of both runs that belong together, one that came or went, or the noise."""

    title: str
    status: str
    """What became of it: a transition, or ``noise``."""
    prior_share: float
    latest_share: float
    prior_cost_usd: float | None
    """Mean cost of an item; ``None`` where the cell does not exist on that side."""
    latest_cost_usd: float | None
    prior_items: Mapping[str, Spent | None] = field(default_factory=dict)
    """What each of its items cost, by key; ``None`` without data. Intervals and the split of unit cost need
    them."""
    latest_items: Mapping[str, Spent | None] = field(default_factory=dict)
    prior_ids: tuple[int, ...] = ()
    latest_ids: tuple[int, ...] = ()


class Tally(NamedTuple):
    """What cells hold, as often as each item was drawn."""

    held: Values
    """Items, (side, draw, cell)."""
    spent: Values
    """US dollars, of the same shape."""
    usage: Usage


class _Side(NamedTuple):
    """Items of one run in order of their keys, as sums over them: a row an item, a column a cell or a use."""

    at: Places
    """Where each stands among the items of both runs."""
    held: sparse.csr_array
    priced: sparse.csr_array
    spent: sparse.csr_array
    calls: sparse.csr_array
    tokens: sparse.csr_array
    cost: sparse.csr_array


class Items:
    """The items of both runs; whatever order they come in, everything told of them is the same."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        """Take the items of cells."""
        self._width = len(cells)
        held = [_in_order([c.prior_items for c in cells]), _in_order([c.latest_items for c in cells])]
        self._place = {key: i for i, key in enumerate(sorted(held[0].keys() | held[1].keys()))}
        uses = {
            (k, use.model is not None, use.model or "")
            for side in held
            for k, spent in side.values()
            for use in (spent.models if spent else ())
        }
        self._uses = {use: i for i, use in enumerate(sorted(uses))}
        self.cell_of: Places = np.array([k for k, _, _ in sorted(uses)], dtype=np.int64)
        """The cell of each use, ascending."""
        self._sides = [self._side(side) for side in held]
        self.paid = tuple(
            sum(spent is not None and spent.cost_usd > 0 for _, spent in side.values()) for side in held
        )
        """Items that cost something, a side each."""

    def _side(self, items: Mapping[str, tuple[int, Spent | None]]) -> _Side:
        cells = [(row, k, spent) for row, (k, spent) in enumerate(items.values())]
        uses = [
            (row, self._uses[k, use.model is not None, use.model or ""], use)
            for row, k, spent in cells
            for use in (spent.models if spent else ())
        ]

        def by_cell(values: Sequence[float]) -> sparse.csr_array:
            places = ([row for row, _, _ in cells], [k for _, k, _ in cells])
            return sparse.csr_array((np.array(values, dtype=float), places), (len(items), self._width))

        def by_use(values: Sequence[float]) -> sparse.csr_array:
            places = ([row for row, _, _ in uses], [place for _, place, _ in uses])
            return sparse.csr_array((np.array(values, dtype=float), places), (len(items), len(self._uses)))

        return _Side(
            np.array([self._place[key] for key in items], dtype=np.int64),
            by_cell([1.0 for _ in cells]),
            by_cell([float(spent is not None) for _, _, spent in cells]),
            by_cell([spent.cost_usd if spent else 0.0 for _, _, spent in cells]),
            by_use([float(use.calls) for _, _, use in uses]),
            by_use([use.tokens or 0.0 for _, _, use in uses]),
            by_use([use.cost_usd or 0.0 for _, _, use in uses]),
        )

    def once(self) -> Tally:
        """Tell what the cells hold, in one draw that has each item once."""
        return self._tally(np.ones((1, len(self._place)), dtype=np.int64))

    def drawn(self, seed: int) -> Tally:
        """Draw as many items as there are, an item of both runs for both; `RESAMPLES` times."""
        rng, n = np.random.default_rng(seed), len(self._place)
        step = max(1, _AT_ONCE // max(1, n))
        some = []
        for start in range(0, RESAMPLES, step):
            rows = min(step, RESAMPLES - start)
            picked = rng.integers(0, n, (rows, n)) + np.arange(rows)[:, np.newaxis] * n
            some.append(self._tally(np.bincount(picked.ravel(), minlength=rows * n).reshape(rows, n)))
        held, spent, usage = zip(*some, strict=True)
        return Tally(
            np.concatenate(held, axis=1),
            np.concatenate(spent, axis=1),
            Usage(*(np.concatenate(parts, axis=1) for parts in zip(*usage, strict=True))),
        )

    def _tally(self, times: Counts) -> Tally:
        """Add up items from how often each was drawn (draw, item)."""
        sums = []
        for side in self._sides:
            mine = times[:, side.at].astype(float)
            sums.append([mine @ values for values in side[1:]])
        held, priced, spent, calls, tokens, cost = (np.stack(pair) for pair in zip(*sums, strict=True))
        return Tally(held, spent, Usage(priced, calls, tokens, cost))


def _in_order(sides: Sequence[Mapping[str, Spent | None]]) -> dict[str, tuple[int, Spent | None]]:
    """Give the items of one side's cells by key, in its order, each with its cell."""
    held = {key: (k, spent) for k, items in enumerate(sides) for key, spent in items.items()}
    return dict(sorted(held.items()))
