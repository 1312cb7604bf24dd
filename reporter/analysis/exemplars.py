"""Which items of a cluster are worth opening, and where its items lie on the map.

Chosen by figures alone; what the items say is never looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from reporter.analysis import links
from reporter.model import Cluster, Item, ItemMetrics, Level, Run
from reporter.report import Exemplar

Rows: TypeAlias = Mapping[str, ItemMetrics]
POINTS = 400
"""Most points drawn of a cluster."""


def exemplars(
    cluster: Cluster, rows: Rows, level: Level, host: str, project_id: str | None
) -> list[Exemplar]:
    """Choose up to five different items of a cluster.

    The nearest to the centre, the most expensive, the slowest, one that failed (most error events first)
    and the farthest. An item that would be named twice keeps its first reason; only "failing" then moves
    on to the next item, because what it says stays true. Noise has no centre: its nearest is the least
    anomalous item.
    """
    ranked = sorted((i for i in cluster.items if i.rank is not None), key=lambda i: (i.rank, i.key))
    if cluster.is_noise:
        ranked.reverse()
    figures = [
        (item, rows[item.key]) for item in sorted(cluster.items, key=lambda i: i.key) if item.key in rows
    ]
    failing = sorted(
        (pair for pair in figures if pair[1].error_events > 0),
        key=lambda pair: (-pair[1].error_events, pair[0].key),
    )
    wanted: list[tuple[str, list[Item]]] = [
        ("nearest", ranked[:1]),
        ("most_expensive", _most(figures, lambda row: row.cost_usd)),
        ("slowest", _most(figures, lambda row: row.latency_s)),
        ("failing", [item for item, _ in failing]),
        ("farthest", ranked[-1:]),
    ]
    made: list[Exemplar] = []
    taken: set[str] = set()
    for reason, items in wanted:
        item = next((i for i in items if i.key not in taken), None)
        if item is None:
            continue
        taken.add(item.key)
        row = rows.get(item.key)
        made.append(
            Exemplar(
                item_key=item.key,
                trace_id=links.trace_of(level, item, row),
                reason=reason,
                url=links.item_url(host, project_id, level, item, row),
                quote=None,
            )
        )
    return made


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


def _most(
    figures: Sequence[tuple[Item, ItemMetrics]], figure: Callable[[ItemMetrics], float | None]
) -> list[Item]:
    known = [(value, item) for item, row in figures if (value := figure(row)) is not None and value > 0]
    return [max(known, key=lambda pair: pair[0])[1]] if known else []


def _evenly(positions: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    n = len(positions)
    return list(positions) if n <= POINTS else [positions[i * n // POINTS] for i in range(POINTS)]
