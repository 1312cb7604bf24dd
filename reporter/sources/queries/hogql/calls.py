# ruff: noqa: S608 -- statements are built of constants; every value is bound or written as an escaped literal
"""Calls one by one, and traces: what drill-down and incidents ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reporter.sources.queries import SUMMARY_EVENTS, TRACE_EVENTS, literals
from reporter.sources.queries.hogql.spelling import (
    CALLS,
    FIGURE,
    MONEY_COLUMNS,
    ONCE,
    Ask,
    Values,
    events,
    nested,
    of_traces,
    passing,
    raw,
    said,
    text_literal,
)

if TYPE_CHECKING:
    from reporter.model import Level

CALL_COLUMNS = (
    "id", "kind", "moment", "trace", "model", "provider", "cost", "latency", "tokens_in", "tokens_out", "bad",
    "http_status", "error", "who",
)  # fmt: skip
SUMMARY_COLUMNS = ("trace", "name", "began", "latency", *MONEY_COLUMNS, "tokens_in", "tokens_out", "errors",
                   "events")  # fmt: skip
ROW_COLUMNS = (
    "trace", "id", "kind", "moment", "model", "provider", "latency", "cost", "tokens_in", "tokens_out", "bad",
    "error", "span", "parent", "generation", "span_name", "trace_name",
)  # fmt: skip
CONTENT_COLUMNS = ("id", "input", "output", "output_choices", "input_state", "output_state")
WRITTEN_COLUMNS = ("item", "title", "bullets")
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
    by: Sequence[str] = (),
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
        by: Properties whose values, as JSON text, make one more column, ``grouped``.
    """
    values = Values()
    kind = f"event IN ({CALLS})" if level == "trace" else "event = '$ai_generation'"
    chosen = passing(filters)
    if keys is not None:
        listed = ", ".join(text_literal(key) for key in keys) or "''"
        chosen += f" AND {of_traces(keys) if level == 'trace' else f'toString(uuid) IN ({listed})'}"
    if level == "evaluation":
        judged = nested(
            f"""SELECT {said("target")} AS target FROM events
            WHERE event = '$ai_evaluation' AND {values.within("timestamp", *window)} AND {chosen}""",
            "lower(target) AS target",
        )
        chosen = f"toString(uuid) IN ({judged})"
    further = ""
    if after is not None:
        moment, last = after
        at = values.time(moment)
        further = f"WHERE moment > {at} OR (moment = {at} AND id > {values(last)})"
    grouped = ", ".join(raw(name, values) for name in by)
    read = events(
        f"{kind} AND {values.within('timestamp', *span)} AND {chosen}",
        look=True,
        more=f"[{grouped}] AS grouped" if by else "",
        names="grouped" if by else "",
    )
    columns = (*CALL_COLUMNS, "grouped") if by else CALL_COLUMNS
    sql = f"""SELECT {_columns(columns)} FROM ({read} {ONCE}) {further}
    ORDER BY moment, id LIMIT {page}"""
    return Ask("calls", sql, columns, page, values.bound, filters=list(filters))


def _columns(names: Sequence[str]) -> str:
    return ", ".join(f"{FIGURE[name]} AS {name}" if name in FIGURE else name for name in names)


def summaries(trace_ids: Sequence[str], start: datetime, end: datetime) -> Ask:
    """Ask for some traces as far as their events lie in [start, end); columns are `SUMMARY_COLUMNS`.

    A trace's name is what an event calls the trace, its own event last, else that event's span name.
    """
    values = Values()
    limit = len(trace_ids) + 1
    where = f"event IN ({_TRACE}) AND {values.within('timestamp', start, end)} AND {of_traces(trace_ids)}"
    titles = f"{said('trace_name')} AS t_name, {said('span_name')} AS t_span"
    read = events(where, more=titles, names="t_name, t_span")
    f = {name: f"e.{place}" for name, place in FIGURE.items()}
    sql = f"""SELECT e.trace AS trace,
      argMinIf(e.title, (if(e.counted, 0, 1), e.moment, e.id), e.title != '') AS name,
      min(e.moment) AS began, maxIf({f["latency"]}, e.counted) AS latency,
      sumIf(e.cost_whole, e.counted) AS cost_whole, sumIf(e.cost_rest, e.counted) AS cost_rest,
      sumIf({f["cost"]}, e.counted) AS cost_plain,
      sumIf({f["tokens_in"]}, e.counted) AS tokens_in, sumIf({f["tokens_out"]}, e.counted) AS tokens_out,
      countIf(e.bad AND e.counted) AS errors, count() AS events
    FROM (SELECT *, coalesce(t_name, if(kind = '$ai_trace', t_span, NULL), '') AS title,
        kind != '$ai_trace' AS counted FROM ({read} {ONCE})) AS e
    GROUP BY trace LIMIT {limit}"""
    return Ask("traces", sql, SUMMARY_COLUMNS, limit, values.bound)


def trace_rows(trace_ids: Sequence[str], start: datetime, end: datetime) -> Ask:
    """Ask for the events of some traces in [start, end), oldest first; columns are `ROW_COLUMNS`."""
    values = Values()
    named = {
        "span": "span_id",
        "parent": "parent_id",
        "generation": "generation_id",
        "span_name": "span_name",
        "trace_name": "trace_name",
    }
    names = ", ".join(f"toString(properties.$ai_{name}) AS {column}" for column, name in named.items())
    where = f"event IN ({_TRACE}) AND {values.within('timestamp', start, end)} AND {of_traces(trace_ids)}"
    read = events(where, look=True, more=names, names=", ".join(named))
    sql = f"""SELECT {_columns(ROW_COLUMNS)} FROM ({read} {ONCE})
    ORDER BY moment, id LIMIT {TRACE_ROWS_LIMIT}"""
    return Ask("events of traces", sql, ROW_COLUMNS, TRACE_ROWS_LIMIT, values.bound)


def content(trace_ids: Sequence[str], start: datetime, end: datetime) -> Ask:
    """Ask what was said in some traces in [start, end); columns are `CONTENT_COLUMNS`.

    PostHog keeps it in a table of its own, for 30 days, in order of trace and time.
    """
    values = Values()
    listed = ", ".join(text_literal(trace_id) for trace_id in trace_ids)
    columns = ", ".join(f"toString({name}) AS {name}" for name in CONTENT_COLUMNS[1:])
    sql = f"""SELECT DISTINCT toString(uuid) AS id, {columns} FROM posthog.ai_events
    WHERE trace_id IN ({listed}) AND {values.within("timestamp", start, end)} LIMIT {TRACE_ROWS_LIMIT}"""
    return Ask("what traces said", sql, CONTENT_COLUMNS, TRACE_ROWS_LIMIT, values.bound)


def extent(trace_id: str, start: datetime, end: datetime) -> Ask:
    """Ask when a trace's first and last event in [start, end) happened."""
    values = Values()
    sql = f"""SELECT min(timestamp) AS first, max(timestamp) AS last, count() AS events FROM events
    WHERE event IN ({_TRACE}) AND {values.within("timestamp", start, end)} AND {of_traces([trace_id])}
    LIMIT 2"""
    return Ask("extent of a trace", sql, ("first", "last", "events"), 2, values.bound)


def written(level: Level, keys: Sequence[str], start: datetime, end: datetime) -> Ask:
    """Ask what the summariser wrote of some items in [start, end), newest first; at most a few rows each.

    Columns are `WRITTEN_COLUMNS`.
    """
    values = Values()
    event, held = SUMMARY_EVENTS[level]
    listed = ", ".join(text_literal(key) for key in keys) or "''"
    chosen = of_traces(keys) if level == "trace" else f"lower(toString(properties.{held})) IN ({listed})"
    sql = f"""SELECT toString(properties.{held}) AS item, toString(properties.$ai_summary_title) AS title,
      toString(properties.$ai_summary_bullets) AS bullets
    FROM events WHERE event = '{event}' AND {values.within("timestamp", start, end)} AND {chosen}
    ORDER BY timestamp DESC, toString(uuid) LIMIT {TRACE_ROWS_LIMIT}"""
    return Ask("summaries of items", sql, WRITTEN_COLUMNS, TRACE_ROWS_LIMIT, values.bound)
