"""From the prior window's cost to the latest's in four steps that add up exactly.

How much came in (volume), how far the population's cost lies from the sample's (coverage), what came in
(mix), and what a piece of it cost (unit cost). Each step has an interval, for a run holds a sample.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reporter.report import Bridge, BridgeLine

Values: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]
RESAMPLES = 500
MIN_PAID = 20
"""Fewest items that cost something, on each side, for intervals."""
_ALL_BUT = 0.02
"""Share of a window that may be missing from its sample for the sample to count as all of it."""
_AT_ONCE = 2_000_000
"""Drawn items held in memory together."""
_WEIGHTS = (1 / 4, 1 / 12, 1 / 12, 1 / 4)
"""Shapley weights of four players, by how many of the other three have moved already."""


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
    prior_items: Mapping[str, float | None] = field(default_factory=dict)
    """What each of its items cost, by key; ``None`` without data. Only intervals need items."""
    latest_items: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Population:
    """All items of a window and what they cost."""

    items: int
    cost_usd: float


class _Parts(NamedTuple):
    """The steps, a number a draw; of mix and unit cost a number a cell as well, cells last."""

    volume: Values
    coverage: Values
    mix: Values
    unit_cost: Values


def bridge(cells: Sequence[Cell], prior: Population, latest: Population, seed: int = 0) -> Bridge | None:
    """Split the change of cost between two windows.

    Method: cost = items x coverage x sum over cells of share x unit cost, coverage being what the
    population's mean cost is to the sample's; Shapley value over the four factors (Shorrocks 1999), which
    treats them alike and leaves no rest. A cell that came or went keeps one unit cost, so that its whole
    effect is mix. A line's mix effect is measured against the same change of share at the average cost:
    growth of a cheap cluster is a saving. Lines add up to mix and unit cost.

    Args:
        cells: Every item of both runs in exactly one cell.
        prior: What the prior window held.
        latest: What the latest window held.
        seed: Fixes the draws behind the intervals.

    Returns:
        The bridge, without intervals where cells hold too few paid items; ``None`` where a sample or a
        population is empty or free.
    """
    windows = (prior, latest)
    shares = np.array([[c.prior_share for c in cells], [c.latest_share for c in cells]])
    known = np.array([[c.prior_cost_usd for c in cells], [c.latest_cost_usd for c in cells]], dtype=float)
    costs = _completed(known)
    if (shares * costs).sum(axis=1).min() <= 0 or any(w.items <= 0 or w.cost_usd <= 0 for w in windows):
        return None
    parts = _split(shares, costs, windows)
    lines = [
        BridgeLine(title=cell.title, status=cell.status, mix=mix, unit_cost=unit)
        for cell, mix, unit in zip(cells, parts.mix.tolist(), parts.unit_cost.tolist(), strict=True)
    ]
    lines.sort(key=lambda line: (-abs(line.mix + line.unit_cost), line.title, line.status))
    steps = {
        "volume": float(parts.volume),
        "coverage": float(parts.coverage),
        "mix": math.fsum(line.mix for line in lines),
        "unit_cost": math.fsum(line.unit_cost for line in lines),
    }
    return Bridge(
        prior=prior.cost_usd,
        latest=latest.cost_usd,
        **steps,
        intervals=_intervals(steps, cells, known, windows, seed),
        lines=lines,
    )


@np.errstate(divide="ignore", invalid="ignore", over="ignore")
def _split(shares: Values, costs: Values, windows: tuple[Population, Population]) -> _Parts:
    """Give the Shapley value of each factor, shares and costs being (side, ..., cell)."""
    items = [float(window.items) for window in windows]
    means = (shares * costs).sum(axis=-1)
    factor = [w.cost_usd / (w.items * mean) for w, mean in zip(windows, means, strict=True)]
    volume, coverage = np.zeros(means.shape[1:]), np.zeros(means.shape[1:])
    mix, unit = np.zeros(shares.shape[1:]), np.zeros(shares.shape[1:])
    for state in product((0, 1), repeat=3):
        weight = _WEIGHTS[sum(state)]
        one, two, three = state
        mean = (shares[two] * costs[three]).sum(axis=-1)
        volume = volume + weight * (items[1] - items[0]) * factor[one] * mean
        coverage = coverage + weight * (factor[1] - factor[0]) * items[one] * mean
        scale = np.expand_dims(weight * items[one] * factor[two], -1)
        average = ((shares[0] + shares[1]) / 2 * costs[three]).sum(axis=-1, keepdims=True)
        mix = mix + scale * (shares[1] - shares[0]) * (costs[three] - average)
        unit = unit + scale * shares[three] * (costs[1] - costs[0])
    return _Parts(volume, coverage, mix, unit)


def _intervals(
    steps: Mapping[str, float],
    cells: Sequence[Cell],
    known: Values,
    windows: tuple[Population, Population],
    seed: int,
) -> dict[str, tuple[float, float]]:
    """Give the 95 % interval of each step.

    Method: percentile bootstrap over items (Efron & Tibshirani 1993, ch. 13), 500 seeded draws from the
    items of both runs together, so that an item of both is drawn once for both, with its cell and cost on
    either side. Shares and mean costs vary; items and cost of the populations are counted, not sampled, and
    stay. Cells are taken as given. A cell none of whose items with data was drawn keeps its mean cost.
    Where a sample holds much of its window, intervals are narrowed by the finite population correction
    (Cochran 1977, s. 2.6) of the side that holds less.

    Returns:
        Limits by step, the step itself within; empty with fewer than 20 paid items on a side, and where both
        samples hold all of their windows, so that nothing is left to chance.
    """
    paid = [
        sum((cost or 0.0) > 0 for items in side for cost in items.values())
        for side in ([c.prior_items for c in cells], [c.latest_items for c in cells])
    ]
    held = [sum(map(len, side)) for side in ([c.prior_items for c in cells], [c.latest_items for c in cells])]
    left_out = 1 - min(min(1.0, count / window.items) for count, window in zip(held, windows, strict=True))
    if min(paid) < MIN_PAID or left_out <= _ALL_BUT:
        return {}
    narrowed = math.sqrt(left_out)
    parts = _split(*_drawn(cells, known, seed), windows)
    drawn = (parts.volume, parts.coverage, parts.mix.sum(axis=-1), parts.unit_cost.sum(axis=-1))
    limits = {}
    for (name, value), draws in zip(steps.items(), drawn, strict=True):
        # A draw without a paid item on one side says nothing.
        low, high = np.quantile(draws[np.isfinite(draws)], (0.025, 0.975))
        low, high = value + narrowed * (float(low) - value), value + narrowed * (float(high) - value)
        limits[name] = min(low, value), max(high, value)
    return limits


class _Side(NamedTuple):
    """Items of one run, in order of their keys."""

    at: Places
    """Where each stands among the items of both runs."""
    cell: Places
    cost: Values
    """Unknown without data."""

    def tally(self, times: Places, width: int) -> tuple[Values, Values]:
        """Give shares and mean costs, each (draw, cell), from how often each item was drawn."""
        mine, known = times[:, self.at], ~np.isnan(self.cost)
        bins = (np.arange(len(times))[:, np.newaxis] * width + self.cell).ravel()
        held, priced, spent = (
            np.bincount(bins, weights.ravel(), len(times) * width).reshape(-1, width)
            for weights in (mine, mine * known, mine * np.where(known, self.cost, 0.0))
        )
        with np.errstate(invalid="ignore"):
            return held / held.sum(axis=1, keepdims=True), spent / priced


def _drawn(cells: Sequence[Cell], known: Values, seed: int) -> tuple[Values, Values]:
    """Draw items again and again; give shares and mean costs, each (side, draw, cell)."""
    held = [
        {key: (k, cost) for k, items in enumerate(side) for key, cost in items.items()}
        for side in ([c.prior_items for c in cells], [c.latest_items for c in cells])
    ]
    place = {key: i for i, key in enumerate(sorted(held[0].keys() | held[1].keys()))}
    sides = [
        _Side(
            np.array([i for key, i in place.items() if key in side], dtype=np.int64),
            np.array([side[key][0] for key in place if key in side], dtype=np.int64),
            np.array([side[key][1] for key in place if key in side], dtype=np.float64),
        )
        for side in held
    ]
    rng, n, width = np.random.default_rng(seed), len(place), len(cells)
    shares, costs = np.empty((2, RESAMPLES, width)), np.empty((2, RESAMPLES, width))
    step = max(1, _AT_ONCE // n)
    for start in range(0, RESAMPLES, step):
        some = slice(start, min(start + step, RESAMPLES))
        rows = some.stop - start
        picked = rng.integers(0, n, (rows, n)) + np.arange(rows)[:, np.newaxis] * n
        times = np.bincount(picked.ravel(), minlength=rows * n).reshape(rows, n)
        for t, side in enumerate(sides):
            shares[t, some], costs[t, some] = side.tally(times, width)
    return shares, _completed(np.where(np.isnan(costs), known[:, np.newaxis], costs))


def _completed(costs: Values) -> Values:
    """Fill unknown unit costs: a side on which a cell does not exist takes the other's."""
    filled = np.where(np.isnan(costs), costs[::-1], costs)
    return np.where(np.isnan(filled), 0.0, filled)
