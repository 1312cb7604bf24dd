# ruff: noqa: S608 -- statements are built of constants; values are bound
"""Every question spelled for DuckDB, over the events of an export.

Values are always bound (``$name``); braces hold the few places where a reader splices its own SQL in. All
ask the table `AI_EVENTS`, whose columns are the figures of one event, already read from its properties by
`DUCKDB_EVENT`. Sums do not depend on the order of rows or the number of threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reporter.sources.base import CALL_EVENTS, RUN_EVENTS
from reporter.sources.queries import ERROR_CHARS, FIELDS, HEADER_PROPERTIES, TRACE_EVENTS, literals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reporter.model import Level

AI_EVENTS = "ai"
"""Name of the table of AI events, one row a uuid."""

_CALLS = literals(CALL_EVENTS)
_TRACE = literals(TRACE_EVENTS)
_RUNS = literals(tuple(RUN_EVENTS))

DUCKDB_MACROS = (
    # Text that is a finite number, however written; never true/false, never 1_000.
    """CREATE MACRO number(said) AS CASE WHEN isfinite(TRY_CAST(said AS DOUBLE)) AND NOT contains(said, '_')
       THEN TRY_CAST(said AS DOUBLE) END""",
    # PostHog reads the empty text and the text null as "not set".
    "CREATE MACRO said(given) AS nullif(nullif(given, ''), 'null')",
    # Whole parts of 2^-20 add exactly in any order, small rests nearly so: the nearest number there is, as
    # PostHog's answers are added up. What is too large to be counted in parts is added in order of size.
    """CREATE MACRO total(figure) AS CASE WHEN max(abs(figure)) < 4e12
       THEN (CAST(sum(TRY_CAST(floor(figure * 1048576) AS HUGEINT)) AS DOUBLE)
             + kahan_sum(figure * 1048576 - floor(figure * 1048576) ORDER BY figure)) / 1048576
       ELSE kahan_sum(figure ORDER BY figure) END""",
)
"""Run once on a DuckDB connection before any other statement here."""

_PATHS = ", ".join(f"""'$."{key}"'""" for key in FIELDS.values())
_AT = {name: f"given[{index}]" for index, name in enumerate(FIELDS, start=1)}
DUCKDB_GIVEN = f"json_extract_string(properties, [{_PATHS}])"
"""The texts of all `FIELDS` of one event, read in one pass over its properties."""

_FIGURES_OF = {
    "trace_id": f"""CASE WHEN {_AT["trace_id"]} = '' THEN NULL
       WHEN {_AT["trace_id"]}[1] IN ('{{', '[')
        AND json_type(properties, '$."{FIELDS["trace_id"]}"') <> 'VARCHAR' THEN NULL
       ELSE {_AT["trace_id"]} END""",
    "cost": f"number({_AT['cost']})",
    "latency": f"number({_AT['latency']})",
    "tokens_in": f"number({_AT['tokens_in']})",
    "tokens_out": f"number({_AT['tokens_out']})",
    "tokens_cached": f"number({_AT['tokens_cached']})",
    "is_error": f"coalesce(lower({_AT['is_error']}) = 'true', false)",
    "http_status": f"number({_AT['http_status']})",
    "model": f"said({_AT['model']})",
    "provider": f"said({_AT['provider']})",
    "error": f"""CASE WHEN lower({_AT["is_error"]}) = 'true'
       THEN left(said({_AT["error"]}), {ERROR_CHARS}) END""",
    "name": f"""coalesce(said({_AT["trace_name"]}),
           CASE WHEN event = '$ai_trace' THEN said({_AT["span_name"]}) END)""",
    "evaluation_name": f"CASE WHEN event = '$ai_evaluation' THEN said({_AT['evaluation_name']}) END",
    "evaluation_runtime": f"CASE WHEN event = '$ai_evaluation' THEN said({_AT['evaluation_runtime']}) END",
    "verdict": f"""CASE WHEN event <> '$ai_evaluation' THEN NULL
       WHEN lower({_AT["applicable"]}) = 'false' THEN 'na'
       WHEN lower({_AT["result"]}) = 'true' THEN 'pass'
       WHEN lower({_AT["result"]}) = 'false' THEN 'fail' END""",
    "target": f"""CASE WHEN event = '$ai_evaluation'
       THEN CAST(TRY_CAST({_AT["target"]} AS UUID) AS VARCHAR) END""",
    "run_id": f"CASE WHEN event IN ({_RUNS}) THEN trim({_AT['run_id']}) END",
}
DUCKDB_FIGURES = ", ".join(f"{read} AS {name}" for name, read in _FIGURES_OF.items())
"""The figures of one event, from a relation that also has ``given`` (`DUCKDB_GIVEN`)."""

DUCKDB_PRINT = f"hash(stamp, ts, event, distinct_id, {', '.join(_FIGURES_OF)})"
"""Tells apart rows of one uuid whose figures differ, over a relation that has `DUCKDB_FIGURES`."""

DUCKDB_EVENT = f"""
  uuid, event, distinct_id, ts, stamp, {DUCKDB_FIGURES},
  CASE WHEN event IN ({_RUNS}) THEN properties END AS properties,
  strlen(properties) AS size
"""
"""The columns of `AI_EVENTS`, from a relation that also has ``given`` (`DUCKDB_GIVEN`)."""


def ai_events(rows: str) -> str:
    """Spell the figures of the AI events of a relation."""
    given = f"SELECT *, {DUCKDB_GIVEN} AS given FROM {rows} WHERE starts_with(event, '$ai_')"
    return f"SELECT {DUCKDB_EVENT} FROM ({given})"


def printed(rows: str) -> str:
    """Spell the rows of a relation, each with its ``print``."""
    read = f"SELECT *, {DUCKDB_FIGURES} FROM (SELECT *, {DUCKDB_GIVEN} AS given FROM {rows})"
    return f"(SELECT *, {DUCKDB_PRINT} AS print FROM ({read}))"


_FIGURES = """total(e.cost), max(e.latency), total(e.tokens_in), total(e.tokens_out), total(e.tokens_cached),
  count_if(e.is_error), count_if(e.event IN ('$ai_generation', '$ai_embedding'))"""
_USE = "(e.model, CAST(e.event <> '$ai_span' AS INTEGER), e.tokens_in, e.tokens_out, e.cost)"
"""What one event tells of its model."""
_NO_VERDICT = "NULL, NULL, NULL, NULL, NULL"

_HEADER_PATHS = ", ".join(f"""'$."{name}"'""" for name in HEADER_PROPERTIES)
_HEADER = ", ".join(f"'{name}', header[{index}]" for index, name in enumerate(HEADER_PROPERTIES, start=1))
_TOTALS_AT = [index for index, name in enumerate(HEADER_PROPERTIES, start=1) if "_total_" in name]
_UNCOUNTED = " AND ".join(f"coalesce(json_type(header[{index}]), 'NULL') = 'NULL'" for index in _TOTALS_AT)

RUN_HEADERS = f"""
    SELECT uuid, event, ts,
           CASE WHEN {_UNCOUNTED} THEN properties ELSE CAST(json_object({_HEADER}) AS VARCHAR) END,
           run_id
    FROM (SELECT *, json_extract(properties, [{_HEADER_PATHS}]) AS header FROM {AI_EVENTS}
          WHERE event IN ({_RUNS}) AND ts BETWEEN $since AND $until)
    ORDER BY ts DESC, uuid DESC
    """
"""Runs emitted in a span, both ends included, newest first; whole only where the counts are missing."""

RUN_EVENT = f"""
    SELECT uuid, event, ts, properties FROM {AI_EVENTS}
    WHERE event IN ({_RUNS}) AND run_id = $run_id
    ORDER BY ts DESC, uuid DESC LIMIT 1
    """
"""The newest event that carries a run id, at any age."""

_WANTED_EVENT = f"""
    FROM wanted w
    JOIN {AI_EVENTS} e ON {{match}}
    {{joins}}
    WHERE e.event IN ({{events}}) AND e.ts >= w.starts AND e.ts < w.ends
"""
_JUDGED = f"""
    FROM wanted w
    JOIN {AI_EVENTS} v ON v.uuid = w.id AND v.event = '$ai_evaluation' AND v.ts >= w.starts AND v.ts < w.ends
    {{kind}} JOIN {AI_EVENTS} e
      ON e.uuid = v.target AND e.event = '$ai_generation' AND e.ts >= w.starts AND e.ts < w.ends
    {{joins}}
"""
_CHOSEN: Mapping[Level, str] = {
    "trace": _WANTED_EVENT.replace("{match}", "e.trace_id = w.key").replace("{events}", _CALLS),
    "generation": _WANTED_EVENT.replace("{match}", "e.uuid = w.id").replace("{events}", "'$ai_generation'"),
}

ITEMS: Mapping[Level, str] = {
    **{
        level: f"""
            SELECT w.run, w.key, {{by}}, {_FIGURES},
                   min(e.ts), max(e.ts), true, {_NO_VERDICT}, min(e.trace_id), list({_USE})
            {chosen}
            GROUP BY 1, 2, 3
            """
        for level, chosen in _CHOSEN.items()
    },
    "evaluation": f"""
        SELECT w.run, w.key, {{by}}, e.cost, e.latency, e.tokens_in, e.tokens_out, e.tokens_cached,
               CAST(coalesce(e.is_error, false) AS INTEGER), CAST(e.uuid IS NOT NULL AS INTEGER),
               least(v.ts, e.ts), greatest(v.ts, e.ts), e.uuid IS NOT NULL,
               v.verdict, v.evaluation_name, v.evaluation_runtime, v.cost, v.target,
               coalesce(v.trace_id, e.trace_id), CASE WHEN e.uuid IS NULL THEN [] ELSE [{_USE}] END
        {_JUDGED.replace("{kind}", "LEFT")}
        """,
}
"""One row per item (and value of ``{by}``) of the runs in ``wanted`` (run, key, id, starts, ends). The
last column lists what each event tells of its model."""

FAILURES: Mapping[Level, str] = {
    level: f"""
        SELECT w.run, w.key, e.error, e.http_status, e.model, e.provider, e.ts, e.cost, e.distinct_id
        {chosen} AND e.is_error
        """
    for level, chosen in {**_CHOSEN, "evaluation": _JUDGED.replace("{kind}", "") + " WHERE true"}.items()
}
"""One row per failed call of the items in ``wanted``."""

_POPULATION: Mapping[Level, str] = {
    "trace": f"{{joins}} WHERE e.event IN ({_CALLS})",
    "generation": "{joins} WHERE e.event = '$ai_generation'",
    "evaluation": "{joins} WHERE e.event = '$ai_evaluation'",
}
_SPAN = "e.ts >= $starts AND e.ts < $ends"
_TOTALS = "total({0}cost), total({0}tokens_in), total({0}tokens_out), count_if({0}is_error)"

TOTALS: Mapping[Level, str] = {
    "trace": f"""
        SELECT count(DISTINCT e.trace_id), count_if(e.event <> '$ai_span'), {_TOTALS.format("e.")}
        FROM {AI_EVENTS} e {_POPULATION["trace"]} AND {_SPAN} AND {{condition}}
        """,
    "generation": f"""
        SELECT count(*), count(*), {_TOTALS.format("e.")}
        FROM {AI_EVENTS} e {_POPULATION["generation"]} AND {_SPAN} AND {{condition}}
        """,
    "evaluation": f"""
        WITH judged AS (
          SELECT e.target FROM {AI_EVENTS} e {_POPULATION["evaluation"]} AND {_SPAN} AND {{condition}})
        SELECT count(*), count(g.uuid), {_TOTALS.format("g.")}
        FROM judged LEFT JOIN {AI_EVENTS} g
          ON g.uuid = judged.target AND g.event = '$ai_generation' AND g.ts >= $starts AND g.ts < $ends
        """,
}
"""The population of a window under ``{condition}``. A generation judged twice counts twice at evaluation
level, as it does in the items."""

_CALL = """e.uuid, e.event, e.ts, e.trace_id, e.model, e.provider, e.cost, e.latency, e.tokens_in,
  e.tokens_out, e.is_error, e.http_status, e.error, e.distinct_id"""
_PAGE = f"{_SPAN} AND (e.ts, e.uuid) > ($after_ts, $after_uuid) ORDER BY e.ts, e.uuid LIMIT $page"

CALLS: Mapping[Level, str] = {
    "trace": f"""
        SELECT {_CALL}, {{by}} FROM {AI_EVENTS} e {_POPULATION["trace"]} AND {{condition}}
          AND ($keys IS NULL OR e.trace_id IN (SELECT unnest($keys))) AND {_PAGE}
        """,
    "generation": f"""
        SELECT {_CALL}, {{by}} FROM {AI_EVENTS} e {_POPULATION["generation"]} AND {{condition}}
          AND ($keys IS NULL OR e.uuid IN (SELECT unnest($keys))) AND {_PAGE}
        """,
    "evaluation": f"""
        WITH judged AS (
          SELECT e.target FROM {AI_EVENTS} e {_POPULATION["evaluation"]} AND {_SPAN} AND {{condition}}
            AND ($keys IS NULL OR e.uuid IN (SELECT unnest($keys))))
        SELECT {_CALL}, {{by}} FROM {AI_EVENTS} e {{more}}
        WHERE e.event = '$ai_generation' AND e.uuid IN (FROM judged) AND {_PAGE}
        """,
}
"""One page of the calls of a window, in order of time and uuid, each with the list ``{by}``; what it reads is
joined by ``{joins}``, at evaluation level by ``{more}``."""

_SUMMARY = f"""
    SELECT e.trace_id,
           arg_min(e.name, (e.event <> '$ai_trace', e.ts, e.uuid)) FILTER (WHERE e.name IS NOT NULL),
           min(e.ts),
           max(e.latency) FILTER (WHERE e.event <> '$ai_trace'),
           total(CASE WHEN e.event <> '$ai_trace' THEN e.cost END),
           total(CASE WHEN e.event <> '$ai_trace' THEN e.tokens_in END),
           total(CASE WHEN e.event <> '$ai_trace' THEN e.tokens_out END),
           count_if(e.is_error AND e.event <> '$ai_trace'),
           count(*)
    FROM {AI_EVENTS} e
    WHERE e.event IN ({_TRACE})
"""

TRACES = f"""
    {_SUMMARY} AND ($ids IS NULL OR e.trace_id IN (SELECT unnest($ids))) AND e.trace_id IN (
        SELECT e.trace_id FROM {AI_EVENTS} e {{joins}} WHERE e.event IN ({_TRACE}) AND {{condition}})
    GROUP BY e.trace_id HAVING min(e.ts) >= $starts AND min(e.ts) < $ends
    ORDER BY min(e.ts) DESC, e.trace_id LIMIT $limit
    """
"""Traces that begin in a window and have an event for which ``{condition}`` holds, newest first."""

TRACE_SUMMARY = (
    f"{_SUMMARY} AND e.trace_id = $trace_id AND e.ts >= $starts AND e.ts < $ends GROUP BY e.trace_id"
)
"""One trace, seen through a window."""

TRACE_ROWS = f"""
    SELECT e.uuid, e.event, e.ts, e.model, e.provider, e.latency, e.cost, e.tokens_in, e.tokens_out,
           e.is_error, e.error
    FROM {AI_EVENTS} e
    WHERE e.event IN ({_TRACE}) AND e.trace_id = $trace_id AND e.ts >= $starts AND e.ts < $ends
    ORDER BY e.ts, e.uuid
    """
"""The events of one trace inside a window, oldest first."""

EXTENT = f"SELECT count(*), min(ts), max(ts) FROM {AI_EVENTS}"
"""How many AI events there are, and from when to when."""
