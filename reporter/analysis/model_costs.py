"""What a cluster's items used of each model: the table of cost by model."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from reporter.model import ItemMetrics, ModelUse
from reporter.report import ModelCost

MOST = 40
"""Models listed for a cluster."""
OTHERS = "all other models"


def models(rows: Sequence[ItemMetrics], prior_rows: Sequence[ItemMetrics] | None) -> list[ModelCost]:
    """Sum what items used of each model, dearest first.

    Args:
        rows: Items of the latest run.
        prior_rows: Items of the same cluster in the prior run; ``None`` where there is none.

    Returns:
        At most `MOST` entries, the last one summing up all others where there are more.
    """
    uses = [use for row in rows for use in row.models]
    spent = None if prior_rows is None else _spent([use for row in prior_rows for use in row.models])
    alike: defaultdict[str | None, list[ModelUse]] = defaultdict(list)
    for use in uses:
        alike[use.model].append(use)
    costs = _spent(uses)
    names = sorted({*alike, *(spent or {})}, key=lambda name: (-(costs.get(name) or 0.0), name or ""))
    if len(names) > MOST:
        rest = frozenset(names[MOST - 1 :])
        one = [use for name in rest for use in alike[name]]
        before = None if spent is None else _sum(spent.get(name) for name in rest)
        kept = [_model(name, alike[name], spent) for name in names[: MOST - 1]]
        return [*kept, msgspec.structs.replace(_model(OTHERS, one, None), prior_cost_usd=before)]
    return [_model(name, alike[name], spent) for name in names]


def _model(
    name: str | None, uses: Sequence[ModelUse], spent: Mapping[str | None, float | None] | None
) -> ModelCost:
    return ModelCost(
        model=name,
        calls=sum(use.calls for use in uses),
        tokens=_sum(use.tokens for use in uses),
        cost_usd=_sum(use.cost_usd for use in uses),
        prior_cost_usd=None if spent is None else spent.get(name, 0.0),
    )


def _spent(uses: Sequence[ModelUse]) -> dict[str | None, float | None]:
    alike: defaultdict[str | None, list[float | None]] = defaultdict(list)
    for use in uses:
        alike[use.model].append(use.cost_usd)
    return {name: _sum(costs) for name, costs in alike.items()}


def _sum(values: Iterable[float | None]) -> float | None:
    known = sorted(value for value in values if value is not None)
    return math.fsum(known) if known else None
