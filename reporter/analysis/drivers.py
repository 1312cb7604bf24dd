"""Which values of a dimension (a model, a provider, any property) carry a change of a mean.

A mean over items is the sum of what each value adds to it: the cost of all calls to one model, divided by all
items. The difference of two runs is therefore the sum of the differences of the values, exactly, and each
value's part of it is its contribution (additive decomposition of a ratio by its numerator).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from reporter import units
from reporter.model import ItemMetrics
from reporter.report import Driver

MODEL = "$ai_model"
LEAST_ITEMS = 5
"""Items, of both runs together, that a value needs to be named: fewer may tell who they are of."""
MOST = 10
"""Values named; the rest is added up."""
NONE = "(not set)"
Part: TypeAlias = tuple[str, str | None, float | None]
"""Item, value of the dimension, figure."""
_FIGURES: Mapping[str, Callable[[ItemMetrics], float | None]] = {
    "mean_cost_usd": lambda row: row.cost_usd,
    "mean_tokens": lambda row: row.tokens,
    "failed_calls": lambda row: float(row.error_events),
}
FIGURES = tuple(_FIGURES)
"""Means that can be taken apart, each per item with data."""


def parts(rows: Iterable[ItemMetrics], figure: str) -> list[Part]:
    """Read a figure from rows of items by a property (`Source.items` with ``by``)."""
    return [(row.key, row.by, _FIGURES[figure](row)) for row in rows]


def parts_by_model(rows: Iterable[ItemMetrics]) -> list[Part]:
    """Read costs by model from rows of items as every report has them."""
    return [(row.key, use.model, use.cost_usd) for row in rows for use in row.models]


def drivers(
    latest: Sequence[Part], prior: Sequence[Part], sizes: tuple[int, int], dimension: str, figure: str
) -> list[Driver]:
    """Say what each value of a dimension adds to the change of a mean.

    Args:
        latest: Parts of the latest run's items.
        prior: The same of the prior run's.
        sizes: Items with data of the latest and of the prior run, by which the sums are divided.
        dimension: Its name, for the reader.
        figure: One of `FIGURES`.

    Returns:
        At most `MOST` values, the largest contribution first, then what is left, summed; contributions add up
        to 1. Empty where either run has no item or the mean did not change.
    """
    if not all(sizes):
        return []
    now, before = _sums(latest), _sums(prior)
    moved = {
        value: now.get(value, _NOTHING)[0] / sizes[0] - before.get(value, _NOTHING)[0] / sizes[1]
        for value in sorted({*now, *before})
    }
    whole = math.fsum(moved.values())
    if not whole or not math.isfinite(whole):
        return []
    items = {v: (len(now.get(v, _NOTHING)[1]), len(before.get(v, _NOTHING)[1])) for v in moved}
    named = [v for v in moved if sum(items[v]) >= LEAST_ITEMS]
    named = sorted(named, key=lambda v: (-abs(moved[v]), v))[:MOST]
    told = [_driver(dimension, v, figure, moved[v], whole, items[v]) for v in named]
    rest = [v for v in moved if v not in named]
    if rest:
        seen = tuple(len({item for v in rest for item in side.get(v, _NOTHING)[1]}) for side in (now, before))
        left = math.fsum(moved[v] for v in rest)
        told.append(
            _driver(
                dimension,
                f"({units.plural(len(rest), 'smaller value')})",
                figure,
                left,
                whole,
                (seen[0], seen[1]),
            )
        )
    return told


_NOTHING: tuple[float, frozenset[str]] = (0.0, frozenset())


def _sums(some: Iterable[Part]) -> dict[str, tuple[float, frozenset[str]]]:
    figures: defaultdict[str, list[float]] = defaultdict(list)
    items: defaultdict[str, set[str]] = defaultdict(set)
    for item, value, figure in some:
        name = NONE if value is None else value
        items[name].add(item)
        if figure is not None:
            figures[name].append(figure)
    return {name: (math.fsum(sorted(figures[name])), frozenset(mine)) for name, mine in items.items()}


def _driver(
    dimension: str, value: str, figure: str, difference: float, whole: float, items: tuple[int, int]
) -> Driver:
    return Driver(
        dimension=dimension,
        value=value,
        contribution=difference / whole,
        latest_items=items[0],
        prior_items=items[1],
        metric=figure,
        difference=difference,
    )
