# ruff: noqa: S608 -- statements are built of constants; every value is bound or written as an escaped literal
"""Calls one by one, and traces: what drill-down and incidents ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reporter.sources.queries import TRACE_EVENTS, literals
from reporter.sources.queries.hogql.spelling import (
    CALLS,
    FIGURES,
    LOOK,
    MONEY_COLUMNS,
    ONCE,
    TRACE_ID,
    Ask,
    Values,
    money,
    passing,
    said,
    text_literal,
)

if TYPE_CHECKING:
    from reporter.model import Level

CALL_COLUMNS = (
    "id", "kind", "moment", "trace", "model", "provider", "cost", "latency", "tokens_in", "tokens_out", "bad",
    "status", "error", "who",
)  # fmt: skip
SUMMARY_COLUMNS = ("trace", "name", "began", "latency", *MONEY_COLUMNS, "tokens_in", "tokens_out", "errors",
                   "events")  # fmt: skip
ROW_COLUMNS = ("id", "kind", "moment", "model", "provider", "latency", "cost", "tokens_in", "tokens_out",
               "bad", "error", "span", "parent", "generation", "span_name", "trace_name")  # fmt: skip
TRACE_ROWS_LIMIT = 10_000
_TRACE = literals(TRACE_EVENTS)


def calls(
    level: Level,
    span: tuple[datetime, datetime],
    window: tuple[datetime, datetime],
    after: tuple[datetime, str] | None,
    page: int,
    filters: Sequence[Mapping[str, Any]],
    keys: Sequence[str] | None,
) -> Ask:
    """Ask for one page of the calls of [start, end), in order of time and id.

    Args:
        level: Trace: all calls; generation: generations; evaluation: the generations that evaluations of the
            window judged.
        span: First moment of the calls, inclusive, and last, exclusive.
        window: The same of the evaluations.
        after: Time and id of the last call of the page before.
        page: Rows of a page.
        filters: Property filters the calls (evaluation level: the evaluations) must pass.
        keys: Trace ids, or ids of events, the calls must belong to; ``None`` for all.
    """
    values = Values()
    bound = values.within("timestamp", *span)
    events = f"event IN ({CALLS})" if level == "trace" else "event = '$ai_generation'"
    listed = None if keys is None else ", ".join(text_literal(key) for key in keys) or "''"
    chosen = passing(filters)
    if listed is not None:
        chosen += f" AND {TRACE_ID if level == 'trace' else 'toString(uuid)'} IN ({listed})"
    if level == "evaluation":
        judged = f"""SELECT lower(coalesce({said("target")}, '')) AS target FROM events
          WHERE event = '$ai_evaluation' AND {values.within("timestamp", *window)} AND {chosen}"""
        chosen = f"toString(uuid) IN ({judged})"
    further = ""
    if after is not None:
        moment, last = after
        at = values.time(moment)
        further = f"WHERE moment > {at} OR (moment = {at} AND id > {values(last)})"
    sql = f"""SELECT {", ".join(CALL_COLUMNS)}
    FROM (SELECT {FIGURES}, {LOOK} FROM events WHERE {events} AND {bound} AND {chosen} {ONCE})
    {further} ORDER BY moment, id LIMIT {page}"""
    return Ask("calls", sql, CALL_COLUMNS, page, values.bound, filters=list(filters))


def _named() -> str:
    """Read the name of a trace from an event: the trace's own name, else that of its own event."""
    return f"coalesce({said('trace_name')}, if(event = '$ai_trace', {said('span_name')}, NULL))"


def summaries(trace_ids: Sequence[str], start: datetime, end: datetime) -> Ask:
    """Ask for some traces as far as their events lie in [start, end); columns are `SUMMARY_COLUMNS`."""
    values = Values()
    limit = len(trace_ids) + 1
    listed = ", ".join(values(trace_id) for trace_id in trace_ids)
    sql = f"""SELECT e.trace AS trace,
      argMinIf(e.title, (if(e.kind = '$ai_trace', 1, 0), e.moment, e.id), e.title != '') AS name,
      min(e.moment) AS began, maxIf(e.latency, e.counted) AS latency, {money("if(e.counted, e.cost, NULL)")},
      sumIf(e.tokens_in, e.counted) AS tokens_in, sumIf(e.tokens_out, e.counted) AS tokens_out,
      countIf(e.bad AND e.counted) AS errors, count() AS events
    FROM (SELECT {FIGURES}, coalesce({_named()}, '') AS title, event != '$ai_trace' AS counted FROM events
      WHERE event IN ({_TRACE}) AND {values.within("timestamp", start, end)} AND {TRACE_ID} IN ({listed})
      {ONCE}) AS e
    GROUP BY trace LIMIT {limit}"""
    return Ask("traces", sql, SUMMARY_COLUMNS, limit, values.bound)


def trace_rows(trace_id: str, start: datetime, end: datetime) -> Ask:
    """Ask for the events of one trace in [start, end), oldest first; columns are `ROW_COLUMNS`."""
    values = Values()
    names = ", ".join(
        f"coalesce(toString(properties.$ai_{name}), '') AS {column}"
        for name, column in (
            ("span_id", "span"),
            ("parent_id", "parent"),
            ("generation_id", "generation"),
            ("span_name", "span_name"),
            ("trace_name", "trace_name"),
        )
    )
    sql = f"""SELECT {", ".join(ROW_COLUMNS)}
    FROM (SELECT {FIGURES}, {LOOK}, {names} FROM events
      WHERE event IN ({_TRACE}) AND {values.within("timestamp", start, end)}
        AND {TRACE_ID} = {values(trace_id)} {ONCE})
    ORDER BY moment, id LIMIT {TRACE_ROWS_LIMIT}"""
    return Ask("one trace", sql, ROW_COLUMNS, TRACE_ROWS_LIMIT, values.bound)


def extent(trace_id: str, start: datetime, end: datetime) -> Ask:
    """Ask when a trace's first and last event in [start, end) happened."""
    values = Values()
    sql = f"""SELECT min(timestamp) AS first, max(timestamp) AS last, count() AS events FROM events
    WHERE event IN ({_TRACE}) AND {values.within("timestamp", start, end)} AND {TRACE_ID} = {values(trace_id)}
    LIMIT 2"""
    return Ask("extent of a trace", sql, ("first", "last", "events"), 2, values.bound)
