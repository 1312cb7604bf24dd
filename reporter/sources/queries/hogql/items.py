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
    CLUSTERS,
    FIGURES,
    LOOK,
    MONEY_COLUMNS,
    MOST_ROWS,
    ONCE,
    TRACE_ID,
    Ask,
    Values,
    money,
    number,
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


_VERDICT = f"""multiIf(lower({said("applicable")}) = 'false', 'na', lower({said("result")}) = 'true', 'pass',
    lower({said("result")}) = 'false', 'fail', '')"""
ITEM_COLUMNS = (
    "part", "item", "grouped", *MONEY_COLUMNS, "latency", "tokens_in", "tokens_out",
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
            uuid = [f"toString(uuid) = {self.values(part.run.event_uuid)}, {place}" for place, part in stored]
            runs = [(part.run.event_uuid, part.run.emitted_at) for _, part in stored]
            items = f"arrayFlatten(arrayMap(c -> JSONExtractKeys(c, 'traces'), {CLUSTERS}))"
            spelled.append(
                f"SELECT DISTINCT multiIf({', '.join(uuid)}, -1) AS part, arrayJoin({items}) AS item "
                f"FROM events WHERE {emitted(self.values, runs)}"
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


def _grouped(by: str | None, values: Values) -> str:
    """Read the property rows are grouped by as JSON text, whatever the project types it."""
    return f"JSONExtractRaw(properties, {values(by)})" if by is not None else "''"


def _events_of(chosen: _Chosen, more: str) -> str:
    """Spell the calls of the chosen items (trace and generation level), one row a call."""
    if chosen.level == "trace":
        events, mine = f"event IN ({CALLS})", f"{TRACE_ID} IN (SELECT item FROM ({chosen.keys}))"
    else:
        events, mine = "event = '$ai_generation'", f"toString(uuid) IN (SELECT id FROM ({chosen.keys}))"
    wanted = f"{events} AND {chosen.span()} AND {mine}"
    return f"SELECT {FIGURES}, {more} FROM events WHERE {wanted} {ONCE}"


def _measured_calls(chosen: _Chosen, by: str | None) -> str:
    matched = "e.trace = w.item" if chosen.level == "trace" else "e.id = w.id"
    return f"""SELECT w.part AS part, w.item AS item, e.grouped AS grouped, {money("e.cost")},
      max(e.latency) AS latency, sum(e.tokens_in) AS tokens_in, sum(e.tokens_out) AS tokens_out,
      sum(e.tokens_cached) AS tokens_cached, countIf(e.bad) AS errors,
      countIf(e.kind IN ('$ai_generation', '$ai_embedding')) AS calls, min(e.moment) AS first,
      max(e.moment) AS last, 1 AS found, '' AS verdict, '' AS name, '' AS runtime, NULL AS judge_cost,
      '' AS target, min(e.trace) AS trace
    FROM ({_events_of(chosen, f"{_grouped(by, chosen.values)} AS grouped")}) AS e
    JOIN ({chosen.keys}) AS w ON {matched}
    WHERE {chosen.inside("e.moment", _edges)}
    GROUP BY part, item, grouped"""


def _judged(chosen: _Chosen, more: str) -> str:
    """Spell the evaluations of the chosen items with the generations they judged (``g``), where found."""
    evaluations = f"""SELECT toString(uuid) AS id, timestamp AS moment, {_VERDICT} AS verdict,
        coalesce({said("evaluation_name")}, '') AS name,
        coalesce({said("evaluation_runtime")}, '') AS runtime, {number("cost")} AS cost,
        lower(coalesce({said("target")}, '')) AS target, {TRACE_ID} AS trace
      FROM events
      WHERE event = '$ai_evaluation' AND {chosen.span()}
        AND toString(uuid) IN (SELECT id FROM ({chosen.keys})) {ONCE}"""
    start = min(part.run.window.start for _, part in chosen.numbered)
    end = max(part.run.window.end for _, part in chosen.numbered)
    generations = f"""SELECT {FIGURES}, {more} FROM events
      WHERE event = '$ai_generation' AND {chosen.values.within("timestamp", start, end)}
        AND toString(uuid) IN (SELECT target FROM ({evaluations})) {ONCE}"""
    return f"""({chosen.keys}) AS w
      JOIN ({evaluations}) AS v ON v.id = w.id
      LEFT JOIN ({generations}) AS g ON g.id = v.target"""


def _measured_evaluations(chosen: _Chosen, by: str | None) -> str:
    """One row an evaluation: its judged generation counts where it was found inside the run's window."""
    figures = ("latency", "tokens_in", "tokens_out", "tokens_cached")
    counted = ", ".join(f"if(hit, g_{name}, NULL) AS {name}" for name in figures)
    return f"""SELECT part, item, if(hit, g_grouped, '') AS grouped, NULL AS cost_whole, NULL AS cost_rest,
      if(hit, g_cost, NULL) AS cost_plain, {counted}, if(hit AND g_bad, 1, 0) AS errors,
      if(hit, 1, 0) AS calls, v_moment AS first, if(hit, g_moment, v_moment) AS last, if(hit, 1, 0) AS found,
      v_verdict AS verdict, v_name AS name, v_runtime AS runtime, v_cost AS judge_cost, v_target AS target,
      if(v_trace = '' AND hit, g_trace, v_trace) AS trace
    FROM (
      SELECT w.part AS part, w.item AS item, v.moment AS v_moment, v.verdict AS v_verdict, v.name AS v_name,
        v.runtime AS v_runtime, v.cost AS v_cost, v.target AS v_target, v.trace AS v_trace,
        g.grouped AS g_grouped, g.cost AS g_cost, {", ".join(f"g.{name} AS g_{name}" for name in figures)},
        g.bad AS g_bad, g.moment AS g_moment, g.trace AS g_trace,
        (g.id != '' AND ({chosen.inside("g.moment", _window)})) AS hit
      FROM {_judged(chosen, f"{_grouped(by, chosen.values)} AS grouped")}
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
            return f"{head} {_judged(chosen, LOOK)} WHERE g.id != '' AND g.bad AND {where}"
        matched = "e.trace = w.item" if chosen.level == "trace" else "e.id = w.id"
        return (
            f"{head} ({_events_of(chosen, LOOK)}) AS e JOIN ({chosen.keys}) AS w ON {matched} "
            f"WHERE e.bad AND ({chosen.inside('e.moment', _edges)})"
        )

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
