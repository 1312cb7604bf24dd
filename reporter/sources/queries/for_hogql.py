# ruff: noqa: S608 -- statements are built of constants; every value is bound or written as an escaped literal
"""Every question spelled in HogQL, over PostHog's table ``events``.

What shapes the spelling: a column is always given a name and a bound (`Ask.limit`), because PostHog cuts
silently; times are compared bare with two-argument UTC times, so that its index is used; properties are cast
explicitly, because each project types them for itself; ``OFFSET`` is never used. Text read through
``properties.name`` keeps its JSON escapes, so ids are unescaped before they are compared. Copies of one event
are counted once (`_ONCE`). Several runs are measured by one statement: each is a numbered `Part`.

Money is summed exactly whatever the order of rows: `_MONEY` gives whole millionths (of two) and the rest apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reporter.sources.base import CALL_EVENTS, RUN_EVENTS
from reporter.sources.queries import ERROR_CHARS, FIELDS, TRACE_EVENTS, literals

if TYPE_CHECKING:
    from reporter.model import Level, RunHeader, Window

MOST_ROWS = 50_000
"""Rows PostHog gives at most; it lowers a higher limit without saying so."""
RUNS_LIMIT = 5_000
MONEY_SCALE = 2**20
"""Parts of a dollar that `_MONEY` counts in whole numbers."""

_RUNS = literals(tuple(RUN_EVENTS))
_CALLS = literals(CALL_EVENTS)
_TRACE_EVENTS = literals(TRACE_EVENTS)
_SECOND = timedelta(seconds=1)
_ONCE = "ORDER BY id, created_at DESC LIMIT 1 BY id"
"""Ends an inner statement that names ``toString(uuid) AS id``: of copies of one event the newest stays."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One bounded HogQL statement."""

    name: str
    """What it asks, as PostHog's own log of queries shall show it."""
    sql: str
    columns: tuple[str, ...]
    """Names of the columns, in order."""
    limit: int
    """Rows the statement is bounded to; an answer of as many rows may be cut."""
    values: Mapping[str, Any]
    """Bound values by name."""
    filters: Sequence[Mapping[str, Any]] | None = None
    """PostHog property filters that stand in for ``{filters}``."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run, or a slice of its window, whose items are measured."""

    run: RunHeader
    start: datetime
    """Inclusive."""
    end: datetime
    """Exclusive."""
    keys: tuple[str, ...] | None = None
    """Item keys spelled out; ``None`` to let PostHog read them from the run's event."""


class Values:
    """Values bound in one statement."""

    def __init__(self) -> None:
        """Begin without any."""
        self.bound: dict[str, Any] = {}

    def __call__(self, value: str | float) -> str:
        """Bind a value; gives what stands for it in the statement."""
        name = f"v{len(self.bound)}"
        self.bound[name] = value
        return f"{{{name}}}"

    def time(self, moment: datetime) -> str:
        """Bind a time."""
        naive = moment.astimezone(UTC).replace(tzinfo=None)
        return f"toDateTime({self(naive.isoformat(sep=' '))}, 'UTC')"

    def within(self, column: str, start: datetime, end: datetime) -> str:
        """Say that a time lies in [start, end)."""
        return f"{column} >= {self.time(start)} AND {column} < {self.time(end)}"


def text_literal(text: str) -> str:
    """Write data as an SQL literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _property(figure: str) -> str:
    return f"toString(properties.{FIELDS[figure]})"


def _number(figure: str) -> str:
    """Read a finite number, however it was written; x - x is 0 for finite x alone."""
    number = f"toFloat(trim({_property(figure)}))"
    return f"if({number} - {number} = 0, {number}, NULL)"


def _true(figure: str) -> str:
    return f"coalesce(lower({_property(figure)}) = 'true', false)"


def _trace_id() -> str:
    r"""Read the trace id as it was sent: PostHog keeps JSON's escapes (``it\"s``) in the text of a property."""
    kept = f"coalesce({_property('trace_id')}, '')"
    plain = f"JSONExtractString(concat('{{\"id\":\"', {kept}, '\"}}'), 'id')"
    return f"if(position({kept}, '\\\\') > 0 AND {plain} != '', {plain}, {kept})"


_TRACE_ID = _trace_id()
_ERROR = f"substring(coalesce({_property('error')}, ''), 1, {ERROR_CHARS})"
_FIGURES = f"""toString(uuid) AS id, event AS kind, timestamp AS moment, {_TRACE_ID} AS trace,
    {_number("cost")} AS cost, {_number("latency")} AS latency, {_number("tokens_in")} AS tokens_in,
    {_number("tokens_out")} AS tokens_out, {_number("tokens_cached")} AS tokens_cached,
    {_true("is_error")} AS bad"""
_LOOK = f"""{_number("http_status")} AS status, {_property("model")} AS model,
    {_property("provider")} AS provider, {_ERROR} AS error, toString(distinct_id) AS who"""
_MONEY = f"""sum(toInt(floor({{0}} * {MONEY_SCALE}))), sum({{0}} * {MONEY_SCALE} - floor({{0}} * {MONEY_SCALE})),
    sum({{0}})"""
_CLUSTERS = """JSONExtractArrayRaw(if(JSONType(properties, '$ai_clusters') = 'String',
    JSONExtractString(properties, '$ai_clusters'), JSONExtractRaw(properties, '$ai_clusters')))"""
_VERDICT = f"""multiIf(lower({_property("applicable")}) = 'false', 'na', lower({_property("result")}) = 'true', 'pass',
    lower({_property("result")}) = 'false', 'fail', '')"""

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
_PLAIN = f"""{_READABLE} AND JSONType(properties, '$ai_clusters') != 'String'
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
    WHERE event IN ({_RUNS}) AND timestamp >= {values.time(since)} AND timestamp <= {values.time(until)}
    ORDER BY emitted DESC, id DESC LIMIT {RUNS_LIMIT}"""
    columns = ("id", "kind", "emitted", *(f"header{n}" for n in range(len(_HEADER))), "clusters", "whole", "plain")
    return Ask("runs", sql, columns, RUNS_LIMIT, values.bound)


def _emitted(values: Values, headers: Sequence[RunHeader]) -> str:
    """Choose the events of some runs; their moments may have been rounded on the way here."""
    first = min(header.emitted_at for header in headers) - _SECOND
    last = max(header.emitted_at for header in headers) + _SECOND
    ids = ", ".join(values(header.event_uuid) for header in headers)
    return f"event IN ({_RUNS}) AND {values.within('timestamp', first, last)} AND toString(uuid) IN ({ids})"


def whole_runs(headers: Sequence[RunHeader]) -> Ask:
    """Ask for all properties of some runs' events."""
    values = Values()
    limit = len(headers) + 1
    sql = f"""SELECT DISTINCT toString(uuid) AS id, event AS kind, timestamp AS emitted,
      toString(properties) AS whole
    FROM events WHERE {_emitted(values, headers)} LIMIT {limit}"""
    return Ask("whole runs", sql, ("id", "kind", "emitted", "whole"), limit, values.bound)


def run_by_id(run_id: str, since: datetime, until: datetime) -> Ask:
    """Ask for the newest event emitted in [since, until) that carries a run id."""
    values = Values()
    sql = f"""SELECT toString(uuid) AS id, event AS kind, timestamp AS emitted, toString(properties) AS whole
    FROM events
    WHERE event IN ({_RUNS}) AND {values.within("timestamp", since, until)}
      AND trim(JSONExtractString(properties, '$ai_clustering_run_id')) = {values(run_id)}
    ORDER BY emitted DESC, id DESC LIMIT 1"""
    return Ask("one run", sql, ("id", "kind", "emitted", "whole"), 2, values.bound)


def memberships(headers: Sequence[RunHeader]) -> Ask:
    """Ask for item keys, titles and descriptions of some runs: about an eighth of their bytes.

    A run whose clusters are shaped otherwise (early ones) comes ``whole``.
    """
    values = Values()
    limit = len(headers) + 1

    def each(expression: str, name: str) -> str:
        return f"if({_PLAIN}, arrayMap(c -> {expression}, {_CLUSTERS}), []) AS {name}"

    sql = f"""SELECT DISTINCT toString(uuid) AS id, event AS kind, timestamp AS emitted,
      JSONExtractRaw(properties, '$ai_clustering_run_id') AS run, if({_PLAIN}, '', toString(properties)) AS whole,
      {each("JSONExtractRaw(c, 'cluster_id')", "numbers")}, {each("JSONExtractRaw(c, 'title')", "titles")},
      {each("JSONExtractRaw(c, 'description')", "descriptions")}, {each("JSONExtractKeys(c, 'traces')", "members")}
    FROM events WHERE {_emitted(values, headers)} LIMIT {limit}"""
    columns = ("id", "kind", "emitted", "run", "whole", "numbers", "titles", "descriptions", "members")
    return Ask("memberships", sql, columns, limit, values.bound)


# -- items and failures ---------------------------------------------------------------------------------

ITEM_COLUMNS = (
    "part", "item", "grouped", "cost_whole", "cost_rest", "cost_plain", "latency", "tokens_in", "tokens_out",
    "tokens_cached", "errors", "calls", "first", "last", "found", "verdict", "name", "runtime", "judge_cost",
    "target", "trace",
)  # fmt: skip
FAILURE_COLUMNS = ("part", "item", "error", "status", "model", "provider", "moment", "cost", "who")


@dataclass(slots=True)
class _Chosen:
    """The parts of one level, numbered, with what chooses their events."""

    level: Level
    numbered: Sequence[tuple[int, Part]]
    values: Values
    keys: str = field(init=False)

    def __post_init__(self) -> None:
        """Spell the keys: a statement that gives ``part, item, id``."""
        self.keys = f"SELECT part, item, lower(item) AS id FROM ({' UNION ALL '.join(self._keys())})"

    def _keys(self) -> list[str]:
        spelled = []
        stored = [(number, part) for number, part in self.numbered if part.keys is None]
        if stored:
            uuid = [
                f"toString(uuid) = {self.values(part.run.event_uuid)}, {number}" for number, part in stored
            ]
            items = f"arrayFlatten(arrayMap(c -> JSONExtractKeys(c, 'traces'), {_CLUSTERS}))"
            spelled.append(
                f"SELECT DISTINCT multiIf({', '.join(uuid)}, -1) AS part, arrayJoin({items}) AS item FROM events "
                f"WHERE {_emitted(self.values, [part.run for _, part in stored])}"
            )
        for number, part in self.numbered:
            if part.keys is not None:
                listed = ", ".join(text_literal(key) for key in part.keys) or "''"
                spelled.append(f"SELECT {number} AS part, arrayJoin([{listed}]) AS item")
        return spelled

    def span(self, column: str = "timestamp") -> str:
        """Bound an inner statement to the windows of all parts."""
        windows = sorted({(part.start, part.end) for _, part in self.numbered})
        bound = self.values.within(column, windows[0][0], max(end for _, end in windows))
        if len(windows) > 1:
            each = " OR ".join(f"({self.values.within(column, *window)})" for window in windows)
            bound += f" AND ({each})"
        return bound

    def inside(self, column: str, edges: Callable[[Part], tuple[datetime, datetime]]) -> str:
        """Say that a time lies in the window of its own part."""
        return " OR ".join(
            f"(w.part = {number} AND {self.values.within(column, *edges(part))})"
            for number, part in self.numbered
        )


def _edges(part: Part) -> tuple[datetime, datetime]:
    return part.start, part.end


def _window(part: Part) -> tuple[datetime, datetime]:
    return part.run.window.start, part.run.window.end


def _grouped(by: str | None, values: Values) -> str:
    """Read the property rows are grouped by as JSON text, whatever the project types it."""
    return f"JSONExtractRaw(properties, {values(by)})" if by is not None else "''"


def _events_of(chosen: _Chosen, more: str) -> str:
    """Spell the calls of the chosen items (trace and generation level), one row a call."""
    wanted = (
        f"event IN ({_CALLS}) AND {chosen.span()} AND {_TRACE_ID} IN (SELECT item FROM ({chosen.keys}))"
        if chosen.level == "trace"
        else f"event = '$ai_generation' AND {chosen.span()} AND toString(uuid) IN (SELECT id FROM ({chosen.keys}))"
    )
    return f"SELECT {_FIGURES}, {more} FROM events WHERE {wanted} {_ONCE}"


def _measured_calls(chosen: _Chosen, by: str | None) -> str:
    matched = "e.trace = w.item" if chosen.level == "trace" else "e.id = w.id"
    money = [f"{sql.strip()} AS {name}" for sql, name in zip(
        _split_money("e.cost"), ("cost_whole", "cost_rest", "cost_plain"), strict=True)]  # fmt: skip
    return f"""SELECT w.part AS part, w.item AS item, e.grouped AS grouped, {", ".join(money)},
      max(e.latency) AS latency, sum(e.tokens_in) AS tokens_in, sum(e.tokens_out) AS tokens_out,
      sum(e.tokens_cached) AS tokens_cached, countIf(e.bad) AS errors,
      countIf(e.kind IN ('$ai_generation', '$ai_embedding')) AS calls, min(e.moment) AS first,
      max(e.moment) AS last, 1 AS found, '' AS verdict, '' AS name, '' AS runtime, NULL AS judge_cost,
      '' AS target, min(e.trace) AS trace
    FROM ({_events_of(chosen, f"{_grouped(by, chosen.values)} AS grouped")}) AS e
    JOIN ({chosen.keys}) AS w ON {matched}
    WHERE {chosen.inside("e.moment", _edges)}
    GROUP BY part, item, grouped"""


def _split_money(column: str) -> tuple[str, str, str]:
    return (
        f"sum(toInt(floor({column} * {MONEY_SCALE})))",
        f"sum({column} * {MONEY_SCALE} - floor({column} * {MONEY_SCALE}))",
        f"sum({column})",
    )


def _judged(chosen: _Chosen, more: str) -> str:
    """Spell the evaluations of the chosen items with the generations they judged (``g``), where found."""
    evaluations = f"""SELECT toString(uuid) AS id, timestamp AS moment, {_VERDICT} AS verdict,
        coalesce({_property("evaluation_name")}, '') AS name,
        coalesce({_property("evaluation_runtime")}, '') AS runtime, {_number("cost")} AS cost,
        lower(coalesce({_property("target")}, '')) AS target, {_TRACE_ID} AS trace
      FROM events
      WHERE event = '$ai_evaluation' AND {chosen.span()}
        AND toString(uuid) IN (SELECT id FROM ({chosen.keys})) {_ONCE}"""
    start = min(part.run.window.start for _, part in chosen.numbered)
    end = max(part.run.window.end for _, part in chosen.numbered)
    generations = f"""SELECT {_FIGURES}, {more} FROM events
      WHERE event = '$ai_generation' AND {chosen.values.within("timestamp", start, end)}
        AND toString(uuid) IN (SELECT target FROM ({evaluations})) {_ONCE}"""
    return f"""({chosen.keys}) AS w
      JOIN ({evaluations}) AS v ON v.id = w.id
      LEFT JOIN ({generations}) AS g ON g.id = v.target"""


def _measured_evaluations(chosen: _Chosen, by: str | None) -> str:
    more = f"{_grouped(by, chosen.values)} AS grouped"
    whole, rest, plain = (
        f"floor(cost * {MONEY_SCALE})",
        f"cost * {MONEY_SCALE} - floor(cost * {MONEY_SCALE})",
        "cost",
    )
    return f"""SELECT part, item, if(hit, grouped, '') AS grouped, if(hit, toInt({whole}), NULL) AS cost_whole,
      if(hit, {rest}, NULL) AS cost_rest, if(hit, {plain}, NULL) AS cost_plain,
      if(hit, latency, NULL) AS latency, if(hit, tokens_in, NULL) AS tokens_in,
      if(hit, tokens_out, NULL) AS tokens_out, if(hit, tokens_cached, NULL) AS tokens_cached,
      if(hit AND bad, 1, 0) AS errors, if(hit, 1, 0) AS calls, moment AS first,
      if(hit, judged, moment) AS last, if(hit, 1, 0) AS found, verdict, name, runtime, judge_cost, target,
      if(trace = '' AND hit, parent, trace) AS trace
    FROM (
      SELECT w.part AS part, w.item AS item, v.moment AS moment, v.verdict AS verdict, v.name AS name,
        v.runtime AS runtime, v.cost AS judge_cost, v.target AS target, v.trace AS trace, g.grouped AS grouped,
        g.cost AS cost, g.latency AS latency, g.tokens_in AS tokens_in, g.tokens_out AS tokens_out,
        g.tokens_cached AS tokens_cached, g.bad AS bad, g.moment AS judged, g.trace AS parent,
        (g.id != '' AND ({chosen.inside("g.moment", _window)})) AS hit
      FROM {_judged(chosen, more)}
      WHERE {chosen.inside("v.moment", _edges)}
    )"""


def items(parts: Sequence[Part], by: str | None = None) -> Ask:
    """Ask for one row an item (or item and value of a property) of some parts; columns are `ITEM_COLUMNS`."""

    def spell(chosen: _Chosen) -> str:
        if chosen.level == "evaluation":
            inner = _measured_evaluations(chosen, by)
        else:
            inner = _measured_calls(chosen, by)
        return f"SELECT {', '.join(ITEM_COLUMNS)} FROM ({inner})"

    return _united("items", parts, ITEM_COLUMNS, spell)


def failures(parts: Sequence[Part]) -> Ask:
    """Ask for one row a failed call of the items of some parts; columns are `FAILURE_COLUMNS`."""

    def spell(chosen: _Chosen) -> str:
        call = "g" if chosen.level == "evaluation" else "e"
        columns = ", ".join(f"{call}.{name} AS {name}" for name in FAILURE_COLUMNS[2:])
        head = f"SELECT w.part AS part, w.item AS item, {columns} FROM"
        if chosen.level == "evaluation":
            where = f"({chosen.inside('v.moment', _edges)}) AND ({chosen.inside('g.moment', _window)})"
            return f"{head} {_judged(chosen, _LOOK)} WHERE g.id != '' AND g.bad AND {where}"
        matched = "e.trace = w.item" if chosen.level == "trace" else "e.id = w.id"
        return (
            f"{head} ({_events_of(chosen, _LOOK)}) AS e JOIN ({chosen.keys}) AS w ON {matched} "
            f"WHERE e.bad AND ({chosen.inside('e.moment', _edges)})"
        )

    return _united("failures", parts, FAILURE_COLUMNS, spell)


def _united(name: str, parts: Sequence[Part], columns: tuple[str, ...], spell: Callable[[_Chosen], str]) -> Ask:
    """Put the parts of all levels into one statement."""
    values = Values()
    arms = []
    for level in dict.fromkeys(part.run.level for part in parts):
        numbered = [(number, part) for number, part in enumerate(parts) if part.run.level == level]
        arms.append(spell(_Chosen(level, numbered, values)))
    sql = f"SELECT {', '.join(columns)} FROM ({' UNION ALL '.join(arms)}) LIMIT {MOST_ROWS}"
    return Ask(name, sql, columns, MOST_ROWS, values.bound)


# -- populations ----------------------------------------------------------------------------------------

TOTAL_COLUMNS = ("part", "items", "calls", "cost_whole", "cost_rest", "cost_plain", "tokens_in", "tokens_out",
                 "errors")  # fmt: skip


def totals(asked: Sequence[tuple[Window, Level]], filters: Sequence[Mapping[str, Any]]) -> Ask:
    """Ask for the population of some windows under one list of filters; columns are `TOTAL_COLUMNS`."""
    values = Values()
    arms = [_population(number, window, level, values) for number, (window, level) in enumerate(asked)]
    limit = len(arms) + 1
    sql = f"SELECT {', '.join(TOTAL_COLUMNS)} FROM ({' UNION ALL '.join(arms)}) LIMIT {limit}"
    return Ask("totals", sql, TOTAL_COLUMNS, limit, values.bound, filters=list(filters))


def _population(number: int, window: Window, level: Level, values: Values) -> str:
    span = values.within("timestamp", window.start, window.end)
    money = ", ".join(
        f"{sql} AS {name}"
        for sql, name in zip(_split_money("cost"), ("cost_whole", "cost_rest", "cost_plain"), strict=True)
    )
    sums = f"{money}, sum(tokens_in) AS tokens_in, sum(tokens_out) AS tokens_out, countIf(bad) AS errors"
    if level == "evaluation":
        judged = f"""SELECT toString(uuid) AS id, lower(coalesce({_property("target")}, '')) AS target
          FROM events WHERE event = '$ai_evaluation' AND {span} AND {{filters}} {_ONCE}"""
        generations = f"SELECT {_FIGURES} FROM events WHERE event = '$ai_generation' AND {span} {_ONCE}"
        sums = sums.replace("countIf(bad)", "countIf(g.id != '' AND g.bad)")
        for name in ("cost", "tokens_in", "tokens_out"):
            sums = sums.replace(f"({name}", f"(g.{name}")
        return f"""SELECT {number} AS part, count() AS items, countIf(g.id != '') AS calls,
          {sums.replace("- floor(cost", "- floor(g.cost")}
        FROM ({judged}) AS v LEFT JOIN ({generations}) AS g ON g.id = v.target"""
    counted = {
        "trace": ("uniqExactIf(trace, trace != '')", "countIf(kind != '$ai_span')", f"event IN ({_CALLS})"),
        "generation": ("count()", "count()", "event = '$ai_generation'"),
    }[level]
    return f"""SELECT {number} AS part, {counted[0]} AS items, {counted[1]} AS calls, {sums}
      FROM (SELECT {_FIGURES} FROM events WHERE {counted[2]} AND {span} AND {{filters}} {_ONCE})"""
