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

from reporter.sources.base import CALL_EVENTS, RUN_EVENTS
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


def events(where: str, *, look: bool = False, more: str = "", names: str = "") -> str:
    r"""Spell AI events with their figures, one row a stored copy.

    Columns: ``id, kind, moment, trace, bad`` and the array ``f`` of figures, which `FIGURE` names.
    Plain statements inside one another and one array instead of long expressions, for PostHog's parser takes
    seconds for those. What is no finite number is dropped (x - x is 0 for finite x alone). PostHog keeps the
    escapes of JSON (``it\"s``) in the text of a property, so the trace id is read once more as JSON.

    Args:
        where: Condition over the table ``events``.
        look: Whether to add what tells failures apart: ``model, provider, error, who``.
        more: Further columns to read, ``expression AS name``, with commas between.
        names: Their names.
    """
    texts = ", ".join(said(name) for name in FIGURE)
    if look:
        added = f"""{said("model")} AS model, {said("provider")} AS provider,
          substring(coalesce({said("error")}, ''), 1, {ERROR_CHARS}) AS error, toString(distinct_id) AS who"""
        more = f"{more}, {added}" if more else added
        names = f"{names}, {LOOK}" if names else LOOK
    kept = f"id, kind, moment, {names}" if names else "id, kind, moment"
    plain = """JSONExtractString(concat('{"id":"', t_trace, '"}'), 'id')"""
    return f"""SELECT {kept}, coalesce(t_bad = 'true', false) AS bad,
      arrayMap(x -> if(x - x = 0, x, NULL), arrayMap(t -> toFloat(trim(t)), texts)) AS f,
      if(position(t_trace, '\\\\') > 0, coalesce(nullIf({plain}, ''), t_trace), t_trace) AS trace
    FROM (
      SELECT toString(uuid) AS id, event AS kind, timestamp AS moment,
        [{texts}] AS texts, coalesce({said("trace_id")}, '') AS t_trace, lower({said("is_error")}) AS t_bad
        {", " + more if more else ""}
      FROM events WHERE {where})"""


def of_traces(trace_ids: Sequence[str]) -> str:
    """Say that an event of the table ``events`` is of one of some traces, as sent or as JSON spells them."""
    spelled = dict.fromkeys(
        form for one in trace_ids for form in (one, json.dumps(one, ensure_ascii=False)[1:-1])
    )
    listed = ", ".join(text_literal(one) for one in spelled) or "''"
    return f"coalesce({said('trace_id')}, '') IN ({listed})"


def money(column: str) -> str:
    """Sum money so that the order of rows cannot show: whole parts, which add exactly, and small rests.

    The plain sum comes third, for amounts too large to be counted in whole parts.
    """
    scaled = f"{column} * {MONEY_SCALE}"
    return (
        f"sum(toInt(floor({scaled}))) AS cost_whole, sum({scaled} - floor({scaled})) AS cost_rest, "
        f"sum({column}) AS cost_plain"
    )
