"""From the prior window's cost to the latest's in four steps that add up exactly.

How much came in (volume), how far the population's cost lies from the sample's (coverage), what came in
(mix), and what a piece of it cost (unit cost).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from reporter.report import Bridge, BridgeLine

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


@dataclass(frozen=True, slots=True)
class Population:
    """All items of a window and what they cost."""

    items: int
    cost_usd: float


def bridge(cells: Sequence[Cell], prior: Population, latest: Population) -> Bridge | None:
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

    Returns:
        The bridge, without intervals; ``None`` where a sample or a population is empty or free.
    """
    costs = [_costs(cell) for cell in cells]
    shares = [(cell.prior_share, cell.latest_share) for cell in cells]
    means = [math.fsum(p[t] * c[t] for p, c in zip(shares, costs, strict=True)) for t in (0, 1)]
    windows = (prior, latest)
    if min(means) <= 0 or any(w.items <= 0 or w.cost_usd <= 0 for w in windows):
        return None
    items = [float(w.items) for w in windows]
    factor = [w.cost_usd / (w.items * mean) for w, mean in zip(windows, means, strict=True)]
    mix, unit = [0.0] * len(cells), [0.0] * len(cells)
    volume, coverage = [], []
    for state in product((0, 1), repeat=3):
        weight = _WEIGHTS[sum(state)]
        one, two, three = state
        volume.append(weight * (items[1] - items[0]) * factor[one] * _mean(shares, costs, two, three))
        coverage.append(weight * (factor[1] - factor[0]) * items[one] * _mean(shares, costs, two, three))
        scale = weight * items[one] * factor[two]
        average = math.fsum((p[0] + p[1]) / 2 * c[three] for p, c in zip(shares, costs, strict=True))
        for k, (p, c) in enumerate(zip(shares, costs, strict=True)):
            mix[k] += scale * (p[1] - p[0]) * (c[three] - average)
            unit[k] += scale * p[three] * (c[1] - c[0])
    lines = [
        BridgeLine(title=cell.title, status=cell.status, mix=mix[k], unit_cost=unit[k])
        for k, cell in enumerate(cells)
    ]
    lines.sort(key=lambda line: (-abs(line.mix + line.unit_cost), line.title, line.status))
    return Bridge(
        prior=prior.cost_usd,
        latest=latest.cost_usd,
        volume=math.fsum(volume),
        coverage=math.fsum(coverage),
        mix=math.fsum(mix),
        unit_cost=math.fsum(unit),
        intervals={},
        lines=lines,
    )


def _costs(cell: Cell) -> tuple[float, float]:
    """Give both unit costs; a side on which the cell does not exist takes the other's."""
    prior, latest = cell.prior_cost_usd, cell.latest_cost_usd
    known = prior if prior is not None else latest if latest is not None else 0.0
    return known, latest if latest is not None else known


def _mean(
    shares: Sequence[tuple[float, float]], costs: Sequence[tuple[float, float]], a: int, b: int
) -> float:
    return math.fsum(p[a] * c[b] for p, c in zip(shares, costs, strict=True))
