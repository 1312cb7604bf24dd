# ruff: noqa: S608 -- statements are built of constants and of literals written by `literal`
"""HogQL statements respelled for ClickHouse itself: each question stays spelled once.

What HogQL adds to ClickHouse's SQL, and our statements use, is little: properties by name, casts that give
NULL instead of an error, bound values, a project's filters, and tables that are not what they are called.
Texts are told from code first, so that nothing in data is ever respelled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reporter.sources.queries import FIELDS, TRACE_EVENTS, literals

COLUMNS = ("uuid", "event", "timestamp", "distinct_id", "properties", "person_properties")
"""Columns every statement may read."""
TRACE_ROWS = 10_000
"""Events of a trace that are read at most."""
NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*", re.ASCII)
"""What may name a database, a table or a column."""
_TOKENS = re.compile(
    r"""(?P<text> '(?:[^'\\]|\\.)*' | "[^"]*" | `[^`]*` | --[^\n]* | /\*.*?\*/ )
      | toString\(\s*(?P<holder>properties|person\.properties)\.(?P<name>\$?\w+)\s*\)
      | (?P<bare_holder>\b(?:person\.)?properties)\.(?P<bare>\$?[A-Za-z_]\w*)
      | (?P<person>\bperson\.properties\b)
      | \btoDateTime\(\s*(?P<moment>\{v\d+\}|'[^']*')\s*,\s*'UTC'\s*\)
      | \btoInt\((?P<whole>\w+)\)
      | (?P<float>\btoFloat\()
      | (?P<said>\bposthog\.ai_events\b)
      | \{(?P<value>\w+)\}""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Events:
    """Where events lie."""

    database: str | None
    """``None`` for the one the server takes by itself."""
    table: str = "events"
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column of `COLUMNS` → what it is called there, where that is another name."""
    team: tuple[str, int] | None = None
    """Column that tells projects apart, and the project's number."""

    @property
    def sql(self) -> str:
        """The names our statements use, as common table expressions."""
        place = (
            quoted(self.table) if self.database is None else f"{quoted(self.database)}.{quoted(self.table)}"
        )
        read = ", ".join(
            f"toString({column}) AS {name}" if name.endswith("properties") else f"{column} AS {name}"
            for name in COLUMNS
            for column in [quoted(self.columns.get(name, name))]
        )
        ours = f" WHERE {quoted(self.team[0])} = {self.team[1]}" if self.team else ""
        said = ", ".join(
            f"JSONExtractRaw(properties, '$ai_{name}') AS {name}"
            for name in ("input", "output", "output_choices", "input_state", "output_state")
        )
        return (
            f"WITH events AS (SELECT {read} FROM {place}{ours}), said_in_traces AS (SELECT uuid, timestamp, "
            f"JSONExtractString(properties, '{FIELDS['trace_id']}') AS trace_id, {said} FROM events)"
        )


def quoted(name: str) -> str:
    """Write a name that `NAME` matches."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name anything")
    return f"`{name}`"


def literal(value: object) -> str:
    """Write a value as an SQL literal."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value).encode("utf-8", "replace").decode()
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def said(key: str, holder: str = "properties") -> str:
    """Read the text of a property as HogQL does: JSON escapes kept, NULL where it is not set."""
    raw = f"JSONExtractRaw({holder}, {literal(key)})"
    return f"replaceRegexpAll(nullIf(nullIf({raw}, ''), 'null'), '^\"|\"$', '')"


def respelled(hogql: str, values: Mapping[str, Any], condition: str) -> str:
    """Spell a HogQL statement for ClickHouse.

    Args:
        hogql: The statement.
        values: Bound values by name.
        condition: What stands in for ``{filters}``.

    Raises:
        KeyError: It names a value that is not bound.
    """

    def spelled(found: re.Match[str]) -> str:
        group = found.lastgroup or ""
        if group in ("name", "bare"):
            ours = (found["holder"] or found["bare_holder"]) == "properties"
            return said(found[group], "properties" if ours else "person_properties")
        if group == "moment":
            return f"toDateTime64({respelled(found['moment'], values, condition)}, 6, 'UTC')"
        if group == "value":
            return condition if found["value"] == "filters" else literal(values[found["value"]])
        plain = {
            "text": found[0],
            "person": "person_properties",
            "whole": f"accurateCastOrNull({found['whole']}, 'Int64')",
            "float": "toFloat64OrNull(",
            "said": "said_in_traces",
        }
        return plain[group]

    return _TOKENS.sub(spelled, hogql)


_OF_TRACES = f"event IN ({literals(TRACE_EVENTS)})"
_TRACE = f"ifNull({said(FIELDS['trace_id'])}, '')"


def traces(span: tuple[str, str], condition: str, limit: int, offset: int) -> str:
    """Ask for traces that begin in a window and have an event for which a condition holds, newest first."""
    events = f"{_OF_TRACES} AND {_within(span)}"
    return f"""SELECT id FROM (
      SELECT {_TRACE} AS id, min(timestamp) AS began FROM events
      WHERE {events} AND id != '' AND id IN (SELECT {_TRACE} FROM events WHERE {events} AND {condition})
      GROUP BY id) ORDER BY began DESC, id LIMIT {int(limit)} OFFSET {int(offset)}"""


def trace(span: tuple[str, str], trace_id: str) -> str:
    """Ask for the events of one trace in a window: id, and all properties as JSON text."""
    spelled = f"({literal(trace_id)}, {literal(json.dumps(trace_id, ensure_ascii=False)[1:-1])})"
    return f"""SELECT DISTINCT toString(uuid), properties FROM events
      WHERE {_OF_TRACES} AND {_within(span)} AND {_TRACE} IN {spelled} LIMIT {TRACE_ROWS}"""


def _within(span: tuple[str, str]) -> str:
    return " AND ".join(
        f"timestamp {sign} toDateTime64({literal(edge)}, 6, 'UTC')"
        for sign, edge in zip((">=", "<"), span, strict=True)
    )
