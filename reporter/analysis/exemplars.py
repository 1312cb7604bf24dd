"""Which items of a cluster are worth opening, and where its items lie on the map.

Chosen by figures alone; what the items say is never looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeAlias

from reporter.analysis import links
from reporter.model import Cluster, Item, ItemMetrics, Level, Run
from reporter.report import Exemplar

Rows: TypeAlias = Mapping[str, ItemMetrics]
POINTS = 400
"""Most points drawn of a cluster."""
REASONS = ("nearest", "typical", "most_expensive", "slowest", "failing", "farthest")
"""Why an item may be chosen, in the order they are listed."""
_LEAST_TYPICAL = 5
"""Items with cost and latency below which none is called typical."""


def exemplars(
    cluster: Cluster, rows: Rows, level: Level, host: str, project_id: str | None
) -> list[Exemplar]:
    """Choose up to six different items of a cluster.

    The nearest to the centre, the one nearest to the median cost and latency, the most expensive, the
    slowest, the newest that failed and the farthest. An item is named once, for the first of its reasons,
    nearness and failure before the others, and no second best takes its place: every reason is true of its
    item. Noise has no centre: its nearest is the least anomalous item.
    """
    ranked = sorted((i for i in cluster.items if i.rank is not None), key=lambda i: (i.rank, i.key))
    if cluster.is_noise:
        ranked.reverse()
    figures = [
        (item, rows[item.key]) for item in sorted(cluster.items, key=lambda i: i.key) if item.key in rows
    ]
    failed = [
        (row.last_at.timestamp() if row.last_at else 0.0, item) for item, row in figures if row.error_events
    ]
    newest = max((at for at, _ in failed), default=0.0)
    wanted: tuple[tuple[str, list[Item]], ...] = (
        ("nearest", ranked[:1]),
        ("failing", [item for at, item in failed if at == newest]),
        ("typical", _typical(figures)[:1]),
        ("most_expensive", _most(figures, lambda row: row.cost_usd)),
        ("slowest", _most(figures, lambda row: row.latency_s)),
        ("farthest", ranked[-1:]),
    )
    chosen: dict[str, Item] = {}
    for reason, items in wanted:
        left = [item for item in items if item not in chosen.values()]
        if left:
            chosen[reason] = left[0]
    return [
        Exemplar(
            item_key=item.key,
            trace_id=links.trace_of(level, item, rows.get(item.key)),
            reason=reason,
            url=links.item_url(host, project_id, level, item, rows.get(item.key)),
            quote=None,
        )
        for reason in REASONS
        if (item := chosen.get(reason)) is not None
    ]


def points(run: Run) -> dict[int, list[tuple[float, float]]]:
    """Scale plot positions to 0-1 over the whole run, both axes alike, the shorter one centred.

    Returns:
        Cluster id → at most `POINTS` positions chosen evenly by rank, rounded to four decimals; empty
        lists where the run has no coordinates.
    """
    placed = {
        cluster.cluster_id: [(i.x, i.y) for i in cluster.items if i.x is not None and i.y is not None]
        for cluster in run.clusters
    }
    everything = [xy for positions in placed.values() for xy in positions]
    if not everything:
        return {cluster_id: [] for cluster_id in placed}
    low = [min(xy[axis] for xy in everything) for axis in (0, 1)]
    extent = [max(xy[axis] for xy in everything) - low[axis] for axis in (0, 1)]
    span = max(extent)

    def scaled(value: float, axis: int) -> float:
        if span <= 0:
            return 0.5
        return round((value - low[axis]) / span + (1 - extent[axis] / span) / 2, 4)

    return {
        cluster_id: [(scaled(x, 0), scaled(y, 1)) for x, y in _evenly(positions)]
        for cluster_id, positions in placed.items()
    }


def _typical(figures: Sequence[tuple[Item, ItemMetrics]]) -> list[Item]:
    """Order items by how far cost and latency are from the cluster's medians, on a log scale."""
    known = [
        (math.log(row.cost_usd), math.log(row.latency_s), item)
        for item, row in figures
        if row.cost_usd and row.latency_s and row.cost_usd > 0 and row.latency_s > 0 and not row.error_events
    ]
    if len(known) < _LEAST_TYPICAL:
        return []
    cost, latency = median(k[0] for k in known), median(k[1] for k in known)
    ordered = sorted(known, key=lambda k: (abs(k[0] - cost) + abs(k[1] - latency), k[2].key))
    return [item for *_, item in ordered]


def _most(
    figures: Sequence[tuple[Item, ItemMetrics]], figure: Callable[[ItemMetrics], float | None]
) -> list[Item]:
    known = [(value, item) for item, row in figures if (value := figure(row)) is not None and value > 0]
    return [max(known, key=lambda pair: pair[0])[1]] if known else []


def _evenly(positions: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    n = len(positions)
    return list(positions) if n <= POINTS else [positions[i * n // POINTS] for i in range(POINTS)]
