"""From the prior window's cost to the latest's in four steps that add up exactly.

How much came in (volume), how far the population's cost lies from the sample's (coverage), what came in
(mix), and what a piece of it cost (unit cost). The last is split further into calls, models, tokens and
prices. Steps and lines have intervals, for a run holds a sample.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np

from reporter.analysis.cells import Cell, Items, Tally
from reporter.analysis.unit_cost import PARTS, WEIGHTS, Usage, Values, effects
from reporter.report import Bridge, BridgeLine, UnitCostParts

Interval: TypeAlias = tuple[float, float]
STEPS = ("volume", "coverage", "mix", "unit_cost")
_ROUNDING = 1e-12
"""What of an amount may come of rounding."""
MIN_PAID = 20
"""Fewest items that cost something, on each side, for intervals."""
MIN_IN_CELL = 10
"""Fewest items with data, on each side a cell has, for intervals of its line."""
_ALL_BUT = 0.02
"""Share of a window that may be missing from its sample for the sample to count as all of it."""


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
    weight: Values
    """Dollars of unit cost for each dollar that a cell's mean cost rose."""


class _Limits(NamedTuple):
    """95 % intervals; empty or ``None`` where there is none."""

    steps: dict[str, Interval]
    mix: Sequence[Interval | None]
    """A cell each, as below."""
    unit_cost: Sequence[Interval | None]


def bridge(cells: Sequence[Cell], prior: Population, latest: Population, seed: int = 0) -> Bridge | None:
    """Split the change of cost between two windows.

    Method: cost = items x coverage x sum over cells of share x unit cost, coverage being what the
    population's mean cost is to the sample's; Shapley value over the four factors (Shorrocks 1999), which
    treats them alike and leaves no rest. A cell that came or went keeps one unit cost, so that its whole
    effect is mix. A line's mix effect is measured against the same change of share at the average cost:
    growth of a cheap cluster is a saving. Lines add up to mix and unit cost. Unit cost is split inside each
    cell (`unit_cost.effects`); what a cell's calls do not explain is ``other``.

    Args:
        cells: Every item of both runs in exactly one cell.
        prior: What the prior window held.
        latest: What the latest window held.
        seed: Fixes the draws behind the intervals.

    Returns:
        The bridge, US dollars, without intervals where cells hold too few paid items; ``None`` where a sample
        or a population is empty or free.
    """
    windows = (prior, latest)
    shares = np.array([[c.prior_share for c in cells], [c.latest_share for c in cells]])
    known = np.array([[c.prior_cost_usd for c in cells], [c.latest_cost_usd for c in cells]], dtype=float)
    costs = _completed(known)
    if (shares * costs).sum(axis=1).min() <= 0 or any(w.items <= 0 or w.cost_usd <= 0 for w in windows):
        return None
    parts = _split(shares, costs, windows)
    items = Items(cells)
    split = _unit_cost_parts(items, parts, max(window.cost_usd for window in windows))
    steps = {
        "volume": float(parts.volume),
        "coverage": float(parts.coverage),
        "mix": math.fsum(parts.mix.tolist()),
        "unit_cost": math.fsum(parts.unit_cost.tolist()),
    }
    whole = _added(split)
    limits = _intervals(steps, whole, parts, items, known, windows, seed)
    lines = [
        BridgeLine(
            title=cell.title,
            status=cell.status,
            mix=float(parts.mix[k]),
            unit_cost=float(parts.unit_cost[k]),
            mix_interval=limits.mix[k],
            unit_cost_interval=limits.unit_cost[k],
            unit_cost_parts=split[k],
            latest=list(cell.latest_ids),
            prior=list(cell.prior_ids),
        )
        for k, cell in enumerate(cells)
    ]
    lines.sort(key=lambda line: (-abs(line.mix + line.unit_cost), line.title, line.status))
    return Bridge(
        prior=prior.cost_usd,
        latest=latest.cost_usd,
        **steps,
        intervals=limits.steps,
        lines=lines,
        unit_cost_parts=whole,
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
        weight = WEIGHTS[sum(state)]
        one, two, three = state
        mean = (shares[two] * costs[three]).sum(axis=-1)
        volume = volume + weight * (items[1] - items[0]) * factor[one] * mean
        coverage = coverage + weight * (factor[1] - factor[0]) * items[one] * mean
        scale = np.expand_dims(weight * items[one] * factor[two], -1)
        average = ((shares[0] + shares[1]) / 2 * costs[three]).sum(axis=-1, keepdims=True)
        mix = mix + scale * (shares[1] - shares[0]) * (costs[three] - average)
        unit = unit + scale * shares[three]
    return _Parts(volume, coverage, mix, unit * (costs[1] - costs[0]), unit)


def _unit_cost_parts(items: Items, parts: _Parts, bill: float) -> list[UnitCostParts | None]:
    """Split each cell's unit cost effect; nowhere where no cell has calls on both sides."""
    found = effects(items.once().usage, items.cell_of)[:, 0]
    if np.isnan(found).all():
        return [None] * len(parts.unit_cost)
    split = np.nan_to_num(found) * parts.weight
    return [
        UnitCostParts(**dict(zip(PARTS, four, strict=True)), other=_rest(unit, four, bill))
        for unit, four in zip(parts.unit_cost.tolist(), split.T.tolist(), strict=True)
    ]


def _rest(whole: float, parts: Sequence[float], bill: float) -> float:
    """Give what the parts leave of a whole, in US dollars; nothing where numbers of that size round so."""
    rest = whole - math.fsum(parts)
    return 0.0 if abs(rest) <= _ROUNDING * max(bill, abs(whole), *map(abs, parts)) else rest


def _added(lines: Sequence[UnitCostParts | None]) -> UnitCostParts | None:
    """Add up the parts of all lines."""
    told = [line for line in lines if line is not None]
    if not told:
        return None
    return UnitCostParts(
        **{name: math.fsum(getattr(line, name) for line in told) for name in (*PARTS, "other")}
    )


def _intervals(
    steps: dict[str, float],
    whole: UnitCostParts | None,
    parts: _Parts,
    items: Items,
    known: Values,
    windows: tuple[Population, Population],
    seed: int,
) -> _Limits:
    """Give the 95 % intervals of steps, of the parts of unit cost, and of lines.

    Method: percentile bootstrap over items (Efron & Tibshirani 1993, ch. 13), 500 seeded draws from the
    items of both runs together, so that an item of both is drawn once for both, with its cell and cost on
    either side. Shares, mean costs and what was used of each model vary; items and cost of the populations
    are counted, not sampled, and stay. Cells are taken as given. A cell none of whose items with data was
    drawn keeps its mean cost. Where a sample holds much of its window, intervals are narrowed by the finite
    population correction (Cochran 1977, s. 2.6) of the side that holds less.

    Returns:
        Limits, the estimate itself within; none with fewer than 20 paid items on a side, and where both
        samples hold all of their windows, so that nothing is left to chance. A line has none with fewer than
        10 items with data on a side that its cell has, and none of unit cost where the cell came or went.
    """
    once = items.once()
    held = once.held.sum(axis=(1, 2)).tolist()
    left_out = 1 - min(min(1.0, count / window.items) for count, window in zip(held, windows, strict=True))
    none: list[Interval | None] = [None] * known.shape[1]
    if min(items.paid) < MIN_PAID or left_out <= _ALL_BUT:
        return _Limits({}, none, none)
    narrowed = math.sqrt(left_out)
    shares, costs, usage = _filled(items.drawn(seed), known)
    drawn = _split(shares, costs, windows)
    # A draw without a paid item on one side says nothing.
    told = np.isfinite(drawn.coverage)

    def limits(values: Values, draws: Values) -> list[Interval]:
        """Give the limits of some values (n,) from their draws (draw, n)."""
        low, high = values + narrowed * (np.quantile(draws[told], (0.025, 0.975), axis=0) - values)
        return list(zip(np.minimum(low, values).tolist(), np.maximum(high, values).tolist(), strict=True))

    totals = (drawn.volume, drawn.coverage, drawn.mix.sum(axis=-1), drawn.unit_cost.sum(axis=-1))
    found = dict(zip(STEPS, limits(np.array([*steps.values()]), np.stack(totals, axis=-1)), strict=True))
    if whole is not None:
        split = (np.nan_to_num(effects(usage, items.cell_of)) * drawn.weight).sum(axis=-1)
        values = np.array([getattr(whole, name) for name in PARTS])
        found |= dict(zip(PARTS, limits(values, split.T), strict=True))
    missing = np.isnan(known)
    enough = ((once.usage.items[:, 0] >= MIN_IN_CELL) | missing).min(axis=0).tolist()
    both = [usable and not lone for usable, lone in zip(enough, missing.max(axis=0).tolist(), strict=True)]
    return _Limits(
        found,
        [one if usable else None for one, usable in zip(limits(parts.mix, drawn.mix), enough, strict=True)],
        [
            one if usable else None
            for one, usable in zip(limits(parts.unit_cost, drawn.unit_cost), both, strict=True)
        ],
    )


def _filled(drawn: Tally, known: Values) -> tuple[Values, Values, Usage]:
    """Give shares and mean costs (side, draw, cell) and usage of draws, filled where nothing was drawn."""
    with np.errstate(invalid="ignore"):
        shares = drawn.held / drawn.held.sum(axis=-1, keepdims=True)
        costs = drawn.spent / drawn.usage.items
    costs = _completed(np.where(np.isnan(costs), known[:, np.newaxis], costs))
    return shares, costs, drawn.usage


def _completed(costs: Values) -> Values:
    """Fill unknown unit costs: a side on which a cell does not exist takes the other's."""
    filled = np.where(np.isnan(costs), costs[::-1], costs)
    return np.where(np.isnan(filled), 0.0, filled)
