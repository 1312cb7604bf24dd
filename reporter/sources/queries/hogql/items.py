# ruff: noqa: S608 -- statements are built of constants; every value is bound or written as an escaped literal
"""Items and failed calls of runs, for as many runs as one statement may hold.

Each run, or slice of one, is a numbered `Part`; parts of all levels go into one statement. Which events
belong to a part is read from the run's own event where the data lie, unless its keys are spelled out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from reporter.sources.queries.hogql.runs import emitted
from reporter.sources.queries.hogql.spelling import (
    CALLS,
    FIGURE,
    LOOK,
    MONEY_COLUMNS,
    MOST_ROWS,
    ONCE,
    Ask,
    Values,
    events,
    money,
    nested,
    raw,
    said,
    text_literal,
)

if TYPE_CHECKING:
    from reporter.model import Level, RunHeader


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


ITEM_COLUMNS = (
    "part", "item", "grouped", *MONEY_COLUMNS, "latency", "tokens_in", "tokens_out",
    "tokens_cached", "errors", "calls", "first", "last", "found", "verdict", "name", "runtime", "judge_cost",
    "target", "trace", "models",
)  # fmt: skip
USE_COLUMNS = ("model", "calls", "tokens_in", "tokens_out", *MONEY_COLUMNS)
"""What stands in each tuple of the column ``models``."""
FAILURE_COLUMNS = ("part", "item", "error", "http_status", "model", "provider", "moment", "cost", "who")


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
            places = [f"id = {self.values(part.run.event_uuid)}, {place}" for place, part in stored]
            runs = emitted(self.values, [(part.run.event_uuid, part.run.emitted_at) for _, part in stored])
            spelled.append(
                nested(
                    f"""SELECT toString(uuid) AS id,
                      JSONExtractArrayRaw(properties, '$ai_clusters') AS clusters FROM events WHERE {runs}""",
                    "id, arrayMap(c -> JSONExtractKeys(c, 'traces'), clusters) AS lists",
                    f"multiIf({', '.join(places)}, -1) AS part, arrayFlatten(lists) AS items",
                    "DISTINCT part, arrayJoin(items) AS item",
                )
            )
        for place, part in self.numbered:
            if part.keys is not None:
                listed = ", ".join(text_literal(key) for key in part.keys) or "''"
                spelled.append(f"SELECT {place} AS part, arrayJoin([{listed}]) AS item")
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
            f"(w.part = {place} AND {self.values.within(column, *edges(part))})"
            for place, part in self.numbered
        )


def _edges(part: Part) -> tuple[datetime, datetime]:
    return part.start, part.end


def _window(part: Part) -> tuple[datetime, datetime]:
    return part.run.window.start, part.run.window.end


_ONCE = "ORDER BY part, item, id LIMIT 1 BY part, item, id"
"""`spelling.ONCE` where one event may belong to several parts."""


_GROUPED = "grouped, model"


def _by(by: str | None, values: Values) -> str:
    """Read what rows are grouped by: the model, and a property as JSON text, whatever its project's type."""
    grouped = raw(by, values) if by is not None else "''"
    return f"{grouped} AS grouped, {said('model')} AS model"


def _calls(chosen: _Chosen, columns: Sequence[str], *, look: bool = False, by: str = "") -> str:
    """Spell the calls of the chosen items (trace and generation level): ``part, item`` and some columns."""
    kind = f"event IN ({CALLS})" if chosen.level == "trace" else "event = '$ai_generation'"
    read = events(f"{kind} AND {chosen.span()}", look=look, more=by, names=_GROUPED if by else "")
    matched = "e.trace = w.item" if chosen.level == "trace" else "e.id = w.id"
    named = ", ".join(f"e.{name} AS {name}" for name in ("id", *columns))
    return f"""SELECT w.part AS part, w.item AS item, {named}
      FROM ({read}) AS e JOIN ({chosen.keys}) AS w ON {matched}
      WHERE {chosen.inside("e.moment", _edges)} {_ONCE}"""


def _measured_calls(chosen: _Chosen, by: str | None) -> str:
    f = {name: f"c.{place}" for name, place in FIGURE.items()}
    columns = ("kind", "moment", "trace", "bad", "grouped", "model", "f", "cost_whole", "cost_rest")
    by_model = f"""SELECT c.part AS part, c.item AS item, c.grouped AS grouped, c.model AS model,
      {money("c.")},
      max({f["latency"]}) AS latency, sum({f["tokens_in"]}) AS tokens_in,
      sum({f["tokens_out"]}) AS tokens_out, sum({f["tokens_cached"]}) AS tokens_cached,
      countIf(c.bad) AS errors, countIf(c.kind != '$ai_span') AS calls, min(c.moment) AS first,
      max(c.moment) AS last, min(c.trace) AS trace
    FROM ({_calls(chosen, columns, by=_by(by, chosen.values))}) AS c
    GROUP BY part, item, grouped, model"""
    summed = (*MONEY_COLUMNS, "tokens_in", "tokens_out", "tokens_cached", "errors", "calls")
    return f"""SELECT m.part AS part, m.item AS item, m.grouped AS grouped,
      {", ".join(f"sum(m.{name}) AS {name}" for name in summed)}, max(m.latency) AS latency,
      min(m.first) AS first, max(m.last) AS last, 1 AS found, '' AS verdict, '' AS name, '' AS runtime,
      NULL AS judge_cost, '' AS target, min(m.trace) AS trace,
      groupArray(({", ".join(f"m.{name}" for name in USE_COLUMNS)})) AS models
    FROM ({by_model}) AS m GROUP BY part, item, grouped"""


def _judged(chosen: _Chosen, columns: Sequence[str], *, look: bool = False, by: str = "") -> str:
    """Spell the evaluations of the chosen items (``v_…``) with the generations they judged (``g_…``).

    ``hit`` tells whether the generation was found inside the run's window.
    """
    texts = {
        "applicable": "applicable",
        "result": "result",
        "name": "evaluation_name",
        "runtime": "evaluation_runtime",
        "cost": "cost",
        "target": "target",
        "trace": "trace_id",
    }
    told = ", ".join(f"{said(figure)} AS {name}" for name, figure in texts.items())
    read = nested(
        f"""SELECT toString(uuid) AS id, timestamp AS moment, {told} FROM events
        WHERE event = '$ai_evaluation' AND {chosen.span()}""",
        "id, moment, name, runtime, trace, lower(applicable) AS applicable, lower(result) AS result, "
        "trim(cost) AS cost, lower(target) AS target",
        "id, moment, name, runtime, trace, applicable, result, toFloat(cost) AS n, target",
        "id, moment, name, runtime, coalesce(trace, '') AS trace, applicable, result, "
        "if(n - n = 0, n, NULL) AS cost, target",
    )
    start = min(part.run.window.start for _, part in chosen.numbered)
    end = max(part.run.window.end for _, part in chosen.numbered)
    where = f"event = '$ai_generation' AND {chosen.values.within('timestamp', start, end)}"
    generations = events(where, look=look, more=by, names=_GROUPED if by else "")
    own = ("moment", "name", "runtime", "cost", "target", "trace", "applicable", "result")
    mine = ", ".join(f"v.{name} AS v_{name}" for name in own)
    judged = ", ".join(f"g.{name} AS g_{name}" for name in ("moment", "trace", "bad", *columns))
    return f"""SELECT w.part AS part, w.item AS item, v.id AS id, {mine}, {judged},
        (g.id != '' AND ({chosen.inside("g.moment", _window)})) AS hit
      FROM ({chosen.keys}) AS w
      JOIN ({read}) AS v ON v.id = w.id
      LEFT JOIN ({generations} {ONCE}) AS g ON g.id = v.target
      WHERE {chosen.inside("v.moment", _edges)} {_ONCE}"""


def _measured_evaluations(chosen: _Chosen, by: str | None) -> str:
    """One row an evaluation: its judged generation counts where it was found inside the run's window."""
    counted = {name: f"if(hit, g_{FIGURE[name]}, NULL)" for name in FIGURE}
    verdict = (
        """multiIf(v_applicable = 'false', 'na', v_result = 'true', 'pass', v_result = 'false', 'fail', '')"""
    )
    return f"""SELECT part, item, if(hit, g_grouped, '') AS grouped, NULL AS cost_whole, NULL AS cost_rest,
      {counted["cost"]} AS cost_plain, {counted["latency"]} AS latency, {counted["tokens_in"]} AS tokens_in,
      {counted["tokens_out"]} AS tokens_out, {counted["tokens_cached"]} AS tokens_cached,
      if(hit AND g_bad, 1, 0) AS errors, if(hit, 1, 0) AS calls, v_moment AS first,
      if(hit, g_moment, v_moment) AS last, if(hit, 1, 0) AS found, {verdict} AS verdict, v_name AS name,
      v_runtime AS runtime, v_cost AS judge_cost, v_target AS target,
      if(v_trace = '' AND hit, g_trace, v_trace) AS trace,
      [(g_model, calls, tokens_in, tokens_out, NULL, NULL, cost_plain)] AS models
    FROM ({_judged(chosen, ("grouped", "model", "f"), by=_by(by, chosen.values))})"""


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
        if chosen.level == "evaluation":
            read = _judged(chosen, ("f", *LOOK.split(", ")), look=True)
            return f"""SELECT part, item, g_error AS error, g_{FIGURE["http_status"]} AS http_status,
              g_model AS model, g_provider AS provider, g_moment AS moment, g_{FIGURE["cost"]} AS cost,
              g_who AS who FROM ({read}) WHERE hit AND g_bad"""
        read = _calls(chosen, ("moment", "bad", "f", *LOOK.split(", ")), look=True)
        return f"""SELECT part, item, error, {FIGURE["http_status"]} AS http_status, model, provider, moment,
          {FIGURE["cost"]} AS cost, who FROM ({read}) WHERE bad"""

    return _united("failures", parts, FAILURE_COLUMNS, spell)


def _united(
    name: str, parts: Sequence[Part], columns: tuple[str, ...], spell: Callable[[_Chosen], str]
) -> Ask:
    """Put the parts of all levels into one statement."""
    values = Values()
    arms = []
    for level in dict.fromkeys(part.run.level for part in parts):
        numbered = [(number, part) for number, part in enumerate(parts) if part.run.level == level]
        arms.append(spell(_Chosen(level, numbered, values)))
    sql = f"SELECT {', '.join(columns)} FROM ({' UNION ALL '.join(arms)}) LIMIT {MOST_ROWS}"
    return Ask(name, sql, columns, MOST_ROWS, values.bound)
