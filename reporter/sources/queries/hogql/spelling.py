"""What every HogQL statement is made of: bounds, bound values, and properties read the same in every project.

A project types properties for itself, so each is cast explicitly; text read through ``properties.name`` keeps
its JSON escapes, so ids are unescaped before they are compared; times are compared bare with two-argument UTC
times, so that PostHog's index is used; copies of one event are counted once (`ONCE`).
"""

from __future__ import annotations

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
ONCE = "ORDER BY id, created_at DESC LIMIT 1 BY id"
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


def number(figure: str) -> str:
    """Read a finite number, however it was written; x - x is 0 for finite x alone."""
    read = f"toFloat(trim({said(figure)}))"
    return f"if({read} - {read} = 0, {read}, NULL)"


def true(figure: str) -> str:
    """Tell whether a property is true, as a truth value or as text in any case."""
    return f"coalesce(lower({said(figure)}) = 'true', false)"


def money(column: str) -> str:
    """Sum money so that the order of rows cannot show: whole parts, which add exactly, and small rests.

    The plain sum comes third, for amounts too large to be counted in whole parts.
    """
    scaled = f"{column} * {MONEY_SCALE}"
    return (
        f"sum(toInt(floor({scaled}))) AS cost_whole, sum({scaled} - floor({scaled})) AS cost_rest, "
        f"sum({column}) AS cost_plain"
    )


def _trace_id() -> str:
    kept = f"coalesce({said('trace_id')}, '')"
    plain = f"JSONExtractString(concat('{{\"id\":\"', {kept}, '\"}}'), 'id')"
    return f"if(position({kept}, '\\\\') > 0 AND {plain} != '', {plain}, {kept})"


TRACE_ID = _trace_id()
r"""The trace id as it was sent: PostHog keeps JSON's escapes (``it\"s``) in the text of a property."""
ERROR = f"substring(coalesce({said('error')}, ''), 1, {ERROR_CHARS})"
FIGURES = f"""toString(uuid) AS id, event AS kind, timestamp AS moment, {TRACE_ID} AS trace,
    {number("cost")} AS cost, {number("latency")} AS latency, {number("tokens_in")} AS tokens_in,
    {number("tokens_out")} AS tokens_out, {number("tokens_cached")} AS tokens_cached,
    {true("is_error")} AS bad"""
"""Columns of one AI event."""
LOOK = f"""{number("http_status")} AS status, {said("model")} AS model, {said("provider")} AS provider,
    {ERROR} AS error, toString(distinct_id) AS who"""
"""Further columns of one AI event: what tells failures apart."""
CLUSTERS = """JSONExtractArrayRaw(if(JSONType(properties, '$ai_clusters') = 'String',
    JSONExtractString(properties, '$ai_clusters'), JSONExtractRaw(properties, '$ai_clusters')))"""
"""The clusters of a run's event as JSON texts; early runs stored them as text inside the JSON."""
