# ruff: noqa: S608 -- statements are built of constants; every value is bound or written as an escaped literal
"""Runs: their headers, whole events, and memberships."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from reporter.sources.queries import HEADER_PROPERTIES
from reporter.sources.queries.hogql.spelling import RUNS, Ask, Values, nested

Emission: TypeAlias = tuple[str, datetime]
"""A run's event: its uuid, and when it was emitted."""
RUNS_LIMIT = 5_000
_SECOND = timedelta(seconds=1)
_COUNTS = slice(6, 8)
"""Where the two names of the number of items stand among them."""
_SHAPE = """JSONExtractArrayRaw(properties, '$ai_clusters') AS listed,
    JSONType(properties, '$ai_clusters') AS kept"""
_PLAIN = "kept = 'Array' AND arrayAll(c -> JSONType(c, 'traces') = 'Object', listed)"
"""Whether a run's items can be read where they lie; early runs stored clusters as text inside the JSON."""


def runs(since: datetime, until: datetime) -> Ask:
    """Ask for runs emitted in [since, until], newest first, without clusters where the items are counted.

    Properties come as JSON text; ``whole`` holds all of them where ClickHouse cannot read them as JSON.
    ``plain`` says whether the items' keys can be read where the data lie.
    """
    values = Values()
    headers = [f"header{number}" for number in range(len(HEADER_PROPERTIES))]
    named = ", ".join(
        f"JSONExtractRaw(properties, '{name}') AS {header}"
        for name, header in zip(HEADER_PROPERTIES, headers, strict=True)
    )
    kept = ", ".join(["id", "kind", "emitted", *headers])
    run, (items, traces) = headers[0], headers[_COUNTS]
    read = nested(
        f"""SELECT toString(uuid) AS id, event AS kind, timestamp AS emitted, {named},
          toString(properties) AS whole, JSONExtractRaw(properties, '$ai_clusters') AS text, {_SHAPE}
        FROM events
        WHERE event IN ({RUNS}) AND timestamp >= {values.time(since)}
          AND timestamp <= {values.time(until)}""",
        f"""{kept}, if({items} IN ('', 'null') AND {traces} IN ('', 'null'), text, '') AS clusters,
          if({run} = '', whole, '') AS whole, if({run} != '' AND {_PLAIN}, 1, 0) AS plain""",
    )
    columns = ("id", "kind", "emitted", *headers, "clusters", "whole", "plain")
    sql = f"SELECT {', '.join(columns)} FROM ({read}) ORDER BY emitted DESC, id DESC LIMIT {RUNS_LIMIT}"
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

    read = nested(
        f"""SELECT toString(uuid) AS id, event AS kind, timestamp AS emitted, toString(properties) AS whole,
          JSONExtractRaw(properties, '$ai_clustering_run_id') AS run, {_SHAPE}
        FROM events WHERE {emitted(values, events)}""",
        f"id, kind, emitted, whole, run, listed, {_PLAIN} AS plain",
        "id, kind, emitted, run, if(plain, '', whole) AS whole, if(plain, listed, []) AS clusters",
    )
    sql = f"""SELECT DISTINCT id, kind, emitted, run, whole,
      arrayMap(c -> JSONExtractRaw(c, 'cluster_id'), clusters) AS numbers,
      arrayMap(c -> JSONExtractRaw(c, 'title'), clusters) AS titles,
      arrayMap(c -> JSONExtractRaw(c, 'description'), clusters) AS descriptions,
      arrayMap(c -> JSONExtractKeys(c, 'traces'), clusters) AS members
    FROM ({read}) LIMIT {limit}"""
    columns = ("id", "kind", "emitted", "run", "whole", "numbers", "titles", "descriptions", "members")
    return Ask("memberships", sql, columns, limit, values.bound)
