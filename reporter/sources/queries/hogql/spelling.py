# ruff: noqa: S608 -- statements are built of constants; every value is bound or written as an escaped literal
"""What every HogQL statement is made of: bounds, bound values, and properties read the same in every project.

A project types properties for itself, so each is cast explicitly; text read through ``properties.name`` keeps
its JSON escapes, so ids are unescaped before they are compared; times are compared bare with two-argument UTC
times, so that PostHog's index is used; copies of one event are counted once (`ONCE`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reporter.sources.base import CALL_EVENTS, PERSON, RUN_EVENTS
from reporter.sources.queries import ERROR_CHARS, FIELDS, literals

MOST_ROWS = 50_000
"""Rows PostHog gives at most; it lowers a higher limit without saying so."""
MONEY_SCALE = 2**20
"""Parts of a dollar that `money` counts in whole numbers."""
MONEY_COLUMNS = ("cost_whole", "cost_rest", "cost_plain")
RUNS = literals(tuple(RUN_EVENTS))
CALLS = literals(CALL_EVENTS)
ONCE = "ORDER BY id LIMIT 1 BY id"
"""Ends a statement over `events`: of copies of one event one stays."""
LOOK = "model, provider, error, who"
"""Columns that tell failures apart."""
FIGURE = {
    name: f"f[{number}]"
    for number, name in enumerate(
        ("cost", "latency", "tokens_in", "tokens_out", "tokens_cached", "http_status"), start=1
    )
}
"""Figure → where it stands in an event's array of figures."""


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


def passing(filters: Sequence[Mapping[str, Any]]) -> str:
    """Give the condition that PostHog replaces by a job's filters."""
    return "{filters}" if filters else "true"


def said(figure: str) -> str:
    """Read the text of a property, JSON escapes kept; NULL where it is not set."""
    return f"toString(properties.{FIELDS[figure]})"


def raw(name: str, values: Values) -> str:
    """Read a property (`PERSON`) as JSON text, whatever type its project gave it."""
    key = name.removeprefix(PERSON)
    holder = "properties" if key == name else "person.properties"
    return f"JSONExtractRaw({holder}, {values(key)})"


def nested(innermost: str, *levels: str) -> str:
    """Put select lists around a statement, each reading the one before.

    PostHog's parser takes twice the time for each call inside a call, and little for a statement inside a
    statement; so what would be ``f(g(h(x)))`` is written as three levels.
    """
    for columns in levels:
        innermost = f"SELECT {columns} FROM ({innermost})"
    return innermost


def events(where: str, *, look: bool = False, more: str = "", names: str = "") -> str:
    r"""Spell AI events with their figures, one row a stored copy.

    Columns: ``id, kind, moment, trace, bad``, the array ``f`` of figures, which `FIGURE` names, and
    ``cost_whole, cost_rest``, which `money` adds up. What is no finite number is dropped (x - x is 0 for
    finite x alone). PostHog keeps the escapes of JSON (``it\"s``) in the text of a property, so the trace id
    is read once more as JSON.

    Args:
        where: Condition over the table ``events``.
        look: Whether to add what tells failures apart: ``model, provider, error, who``.
        more: Further columns to read, ``expression AS name``, with commas between.
        names: Their names.
    """
    texts = ", ".join(said(name) for name in FIGURE)
    further = [more] if more else []
    kept = f"id, kind, moment, {names}" if names else "id, kind, moment"
    cut = kept
    if look:
        further.append(f"{said('model')} AS model, {said('provider')} AS provider, {said('error')} AS error")
        further.append("distinct_id AS who")
        cut += f", model, provider, substring(error, 1, {ERROR_CHARS}) AS error, who"
        kept += ", model, provider, error, who"
    read = ", ".join(
        [f"[{texts}] AS t", f"{said('trace_id')} AS trace", f"{said('is_error')} AS bad", *further]
    )
    return nested(
        f"SELECT toString(uuid) AS id, event AS kind, timestamp AS moment, {read} FROM events WHERE {where}",
        f"{cut}, arrayMap(x -> trim(x), t) AS t, coalesce(trace, '') AS trace, coalesce(bad, '') AS bad",
        f"{kept}, arrayMap(x -> toFloat(x), t) AS n, trace, concat('{{\"id\":\"', trace, '\"}}') AS spelled, "
        "lower(bad) = 'true' AS bad",
        f"{kept}, arrayMap(x -> if(x - x = 0, x, NULL), n) AS f, trace, bad, "
        "JSONExtractString(spelled, 'id') AS plain",
        f"{kept}, f, {FIGURE['cost']} * {MONEY_SCALE} AS scaled, if(plain = '', trace, plain) AS trace, bad",
        f"{kept}, f, scaled, floor(scaled) AS below, trace, bad",
        f"{kept}, f, toInt(below) AS cost_whole, scaled - below AS cost_rest, trace, bad",
    )


def of_traces(trace_ids: Sequence[str]) -> str:
    """Say that an event of the table ``events`` is of one of some traces, as sent or as JSON spells them."""
    spelled = dict.fromkeys(
        form for one in trace_ids for form in (one, json.dumps(one, ensure_ascii=False)[1:-1])
    )
    listed = ", ".join(text_literal(one) for one in spelled) or "''"
    return f"coalesce({said('trace_id')}, '') IN ({listed})"


def money(prefix: str) -> str:
    """Sum the cost of `events` so that the order of rows cannot show: whole parts, and small rests.

    The plain sum comes third, for amounts too large to be counted in whole parts.
    """
    return (
        f"sum({prefix}cost_whole) AS cost_whole, sum({prefix}cost_rest) AS cost_rest, "
        f"sum({prefix}{FIGURE['cost']}) AS cost_plain"
    )
