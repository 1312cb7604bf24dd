# ruff: noqa: S608 -- statements are built of constants; every value is bound or written as an escaped literal
"""Runs: their headers, whole events, and memberships."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from reporter.sources.queries.hogql.spelling import RUNS, Ask, Values

Emission: TypeAlias = tuple[str, datetime]
"""A run's event: its uuid, and when it was emitted."""
RUNS_LIMIT = 5_000
_SECOND = timedelta(seconds=1)
_HEADER = (
    "clustering_run_id",
    "clustering_level",
    "clustering_job_id",
    "clustering_job_name",
    "window_start",
    "window_end",
    "total_items_analyzed",
    "total_traces_analyzed",
    "clustering_params",
)
HEADER_PROPERTIES = tuple(f"$ai_{name}" for name in _HEADER)
"""Properties of a run's event that make its header, in the order of `runs`' columns."""
_UNCOUNTED = " AND ".join(
    f"JSONExtractRaw(properties, '$ai_total_{name}_analyzed') IN ('', 'null')" for name in ("items", "traces")
)
_READABLE = "JSONExtractString(properties, '$ai_clustering_run_id') != ''"
_CLUSTERS = "JSONExtractArrayRaw(properties, '$ai_clusters')"
"""A run's clusters as JSON texts; none where they are stored as text inside the JSON, as early runs did."""
_PLAIN = f"""{_READABLE} AND JSONType(properties, '$ai_clusters') = 'Array'
    AND arrayAll(c -> JSONType(c, 'traces') = 'Object', {_CLUSTERS})"""


def runs(since: datetime, until: datetime) -> Ask:
    """Ask for runs emitted in [since, until], newest first, without clusters where the items are counted.

    Properties come as JSON text; ``whole`` holds all of them where ClickHouse cannot read them as JSON.
    ``plain`` says whether the items' keys can be read where the data lie.
    """
    values = Values()
    named = ", ".join(
        f"JSONExtractRaw(properties, '$ai_{name}') AS header{number}" for number, name in enumerate(_HEADER)
    )
    sql = f"""SELECT toString(uuid) AS id, event AS kind, timestamp AS emitted, {named},
      if({_UNCOUNTED}, JSONExtractRaw(properties, '$ai_clusters'), '') AS clusters,
      if({_READABLE}, '', toString(properties)) AS whole, if({_PLAIN}, 1, 0) AS plain
    FROM events
    WHERE event IN ({RUNS}) AND timestamp >= {values.time(since)} AND timestamp <= {values.time(until)}
    ORDER BY emitted DESC, id DESC LIMIT {RUNS_LIMIT}"""
    columns = (
        "id",
        "kind",
        "emitted",
        *(f"header{n}" for n in range(len(_HEADER))),
        "clusters",
        "whole",
        "plain",
    )
    return Ask("runs", sql, columns, RUNS_LIMIT, values.bound)


def emitted(values: Values, events: Sequence[Emission]) -> str:
    """Choose the events of some runs; their moments may have been rounded on the way here."""
    first = min(moment for _, moment in events) - _SECOND
    last = max(moment for _, moment in events) + _SECOND
    ids = ", ".join(values(uuid) for uuid, _ in events)
    return f"event IN ({RUNS}) AND {values.within('timestamp', first, last)} AND toString(uuid) IN ({ids})"


def whole_runs(events: Sequence[Emission]) -> Ask:
    """Ask for all properties of some runs' events."""
    values = Values()
    limit = len(events) + 1
    sql = f"""SELECT DISTINCT toString(uuid) AS id, event AS kind, timestamp AS emitted,
      toString(properties) AS whole
    FROM events WHERE {emitted(values, events)} LIMIT {limit}"""
    return Ask("whole runs", sql, ("id", "kind", "emitted", "whole"), limit, values.bound)


def run_by_id(run_id: str, since: datetime, until: datetime) -> Ask:
    """Ask for the newest event emitted in [since, until) that carries a run id."""
    values = Values()
    sql = f"""SELECT toString(uuid) AS id, event AS kind, timestamp AS emitted, toString(properties) AS whole
    FROM events
    WHERE event IN ({RUNS}) AND {values.within("timestamp", since, until)}
      AND trim(JSONExtractString(properties, '$ai_clustering_run_id')) = {values(run_id)}
    ORDER BY emitted DESC, id DESC LIMIT 1"""
    return Ask("one run", sql, ("id", "kind", "emitted", "whole"), 2, values.bound)


def memberships(events: Sequence[Emission]) -> Ask:
    """Ask for item keys, titles and descriptions of some runs: about an eighth of their bytes.

    A run whose clusters are shaped otherwise (early ones) comes ``whole``.
    """
    values = Values()
    limit = len(events) + 1

    sql = f"""SELECT DISTINCT id, kind, emitted, run, whole,
      arrayMap(c -> JSONExtractRaw(c, 'cluster_id'), clusters) AS numbers,
      arrayMap(c -> JSONExtractRaw(c, 'title'), clusters) AS titles,
      arrayMap(c -> JSONExtractRaw(c, 'description'), clusters) AS descriptions,
      arrayMap(c -> JSONExtractKeys(c, 'traces'), clusters) AS members
    FROM (
      SELECT toString(uuid) AS id, event AS kind, timestamp AS emitted,
        JSONExtractRaw(properties, '$ai_clustering_run_id') AS run,
        if({_PLAIN}, '', toString(properties)) AS whole, if({_PLAIN}, {_CLUSTERS}, []) AS clusters
      FROM events WHERE {emitted(values, events)}
    ) LIMIT {limit}"""
    columns = ("id", "kind", "emitted", "run", "whole", "numbers", "titles", "descriptions", "members")
    return Ask("memberships", sql, columns, limit, values.bound)
