# ruff: noqa: S608 -- statements of constants; every value is put in as a placeholder
"""``TracesQuery`` and ``TraceQuery``: PostHog's own reading of traces, in HogQL."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.servers import dates, hogql, hogql_filters
from tests.servers.hogql_parse import Node, call, constant, every, parse_select
from tests.servers.hogql_prepare import Filling
from tests.servers.refusal import invalid
from tests.servers.settings import Settings
from tests.servers.store import HEAVY, Store

_SHARED = {"kind", "dateRange", "properties", "includeSentiment", "modifiers", "tags", "response", "version"}
_LIST = _SHARED | {"limit", "offset", "filterTestAccounts", "filterSupportTraces", "personId", "groupKey",
                   "groupTypeIndex", "randomOrder", "showColumnConfigurator"}  # fmt: skip
_ONE = _SHARED | {"traceId"}
_CAPTURE = timedelta(minutes=10)
_EVENTS = "'$ai_span', '$ai_generation', '$ai_embedding', '$ai_metric', '$ai_feedback', '$ai_trace'"
_COSTED = "event IN ('$ai_generation', '$ai_embedding')"
_LISTED = "event IN ('$ai_metric', '$ai_feedback') OR toString({parent}) = toString({trace})"

_AI_TABLE = {name: name for name in ("trace_id", "session_id", "parent_id", "span_name", "trace_name", "latency",
                                     "input_tokens", "output_tokens", "input_cost_usd", "output_cost_usd",
                                     "total_cost_usd", "is_error", *HEAVY)}  # fmt: skip
_TEXT = ("trace_id", "session_id", "parent_id", "span_name", "trace_name", *HEAVY)
_EVENT_TABLE = {
    **{
        name: f"properties.$ai_{name}" if name in _TEXT else f"toFloat(properties.$ai_{name})"
        for name in _AI_TABLE
        if name != "is_error"
    },
    "is_error": "if(toString(properties.$ai_is_error) IN ('true', '1'), 1, 0)",
}


def _statement(table: str, names: Mapping[str, str], *, full: bool) -> str:
    """Spell the question: one row a trace."""
    costs = ", ".join(
        f"nullIf(round(sumIf({names[f'{kind}_cost_usd']}, {_COSTED}), 10), 0) AS {kind}_cost"
        for kind in ("input", "output", "total")
    )
    tokens = ", ".join(
        f"nullIf(sumIf({names[f'{kind}_tokens']}, {_COSTED}), 0) AS {kind}_tokens"
        for kind in ("input", "output")
    )
    shown = (
        "event != '$ai_trace'" if full else _LISTED.format(parent=names["parent_id"], trace=names["trace_id"])
    )
    heavy = ", ".join(names[name] for name in HEAVY)
    latency, parent, trace = names["latency"], names["parent_id"], names["trace_id"]
    title = f"ifNull(nullIf({names['span_name']}, ''), nullIf({names['trace_name']}, ''))"
    return f"""SELECT {trace} AS id, any({names["session_id"]}) AS ai_session_id, min(timestamp) AS first_timestamp,
      max(timestamp) AS last_timestamp,
      ifNull(nullIf(argMinIf(distinct_id, timestamp, event = '$ai_trace'), ''), argMin(distinct_id, timestamp))
        AS first_distinct_id,
      round(CASE WHEN countIf({latency} > 0 AND event != '$ai_generation') = 0
          AND countIf({latency} > 0 AND event = '$ai_generation') > 0
        THEN sumIf({latency}, event = '$ai_generation' AND {latency} > 0)
        ELSE sumIf({latency}, {parent} IS NULL OR {parent} = '' OR {parent} = {trace}) END, 2) AS total_latency,
      {tokens}, {costs}, countIf({names["is_error"]} = 1) AS error_count,
      arrayDistinct(arraySort(x -> x.3, groupArrayIf(
        tuple(uuid, event, timestamp, properties, {heavy}), {shown}))) AS events,
      argMinIf({names["input_state"]}, timestamp, event = '$ai_trace') AS trace_input,
      argMinIf({names["output_state"]}, timestamp, event = '$ai_trace') AS trace_output,
      ifNull(argMinIf({title}, timestamp, event = '$ai_trace'), argMin({title}, timestamp)) AS title,
      groupUniqArray(ifNull(properties.$ai_tools_called, '')) AS tools_called, {{passes}}
    FROM {table} WHERE event IN ({_EVENTS}) AND timestamp >= {{since}} AND timestamp <= {{until}}
      AND {trace} != '' AND {{chosen}}
    GROUP BY {trace} HAVING passing = 1 ORDER BY first_timestamp DESC, id LIMIT {{most}}"""


class Traces:
    """Reads traces of one project."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings

    def list(self, query: Mapping[str, Any]) -> hogql.Answer:
        """Answer a ``TracesQuery``.

        Raises:
            Refused: It cannot be answered.
        """
        _checked(query, _LIST)
        start, end = dates.span(query.get("dateRange"), self._settings.timezone)
        limit, offset = _count(query, "limit", 100), _count(query, "offset", 0)
        chosen: Node = constant(value=True)
        if query.get("filterTestAccounts"):
            chosen = hogql_filters.condition({"filterTestAccounts": True}, self._settings)
        rows, is_ai, bytes_read = self._found(query, (start, end), lambda _: chosen, full=False)
        inside = [row for row in rows if start <= row["first_timestamp"] <= end]
        page = inside[offset : offset + limit]
        body = {
            "results": [_trace(row, ai=is_ai) for row in page],
            "hasMore": len(inside) > offset + limit,
            "limit": limit,
            "offset": offset,
        }
        return hogql.Answer({**body, **_extras()}, bytes_read)

    def one(self, query: Mapping[str, Any]) -> hogql.Answer:
        """Answer a ``TraceQuery``; raises as `list` does."""
        _checked(query, _ONE)
        if not isinstance(query.get("traceId"), str):
            raise invalid("Field required", "invalid_input", "query__TraceQuery__traceId")
        start, end = dates.span(query.get("dateRange"), self._settings.timezone)

        def chosen(names: Mapping[str, str]) -> Node:
            wanted = [hogql_filters.of_property(one, self._settings) for one in query.get("properties") or []]
            return every([_equal(names["trace_id"], query["traceId"]), *wanted])

        found, is_ai, bytes_read = self._found(query, (start, end), chosen, full=True)
        inside = [row for row in found if row["first_timestamp"] <= end and row["last_timestamp"] >= start]
        body = {
            "results": [_trace(row, ai=is_ai) for row in inside],
            "hasMore": None,
            "limit": None,
            "offset": None,
        }
        return hogql.Answer({**body, **_extras()}, bytes_read)

    def _found(
        self,
        query: Mapping[str, Any],
        span: tuple[datetime, datetime],
        chosen: Callable[[Mapping[str, str]], Node],
        *,
        full: bool,
    ) -> tuple[list[dict[str, Any]], bool, int]:
        """Read traces from the table of AI events, or from all events where that has none."""
        spent = 0
        for table, names in (("posthog.ai_events", _AI_TABLE), ("events", _EVENT_TABLE)):
            rows, bytes_read = self._rows(
                table, names, query, span, chosen(names), full=full, most=1 if full else 50_000
            )
            spent += bytes_read
            if rows:
                return rows, table != "events", spent
        return [], False, spent

    def _rows(
        self,
        table: str,
        names: Mapping[str, str],
        query: Mapping[str, Any],
        span: tuple[datetime, datetime],
        chosen: Node,
        *,
        full: bool,
        most: int,
    ) -> tuple[list[dict[str, Any]], int]:
        tree = parse_select(_statement(table, names, full=full))
        wanted = [hogql_filters.of_property(one, self._settings) for one in query.get("properties") or []]
        passes = call("max", every(wanted)) if wanted and not full else constant(1)
        filling = {
            "since": {"node": "Constant", "instant": (span[0] - _CAPTURE).isoformat()},
            "until": {"node": "Constant", "instant": (span[1] + _CAPTURE).isoformat()},
            "passes": {"node": "Alias", "alias": "passing", "expr": passes},
            "chosen": chosen,
            "most": constant(most),
        }
        tree = _filled(tree, filling)
        found, _, columns = hogql.run(self._store, self._settings, tree, query.get("modifiers"))
        return [dict(zip(columns, row, strict=True)) for row in found.rows], found.bytes_read


def _filled(node: Any, filling: Mapping[str, Node]) -> Any:
    if isinstance(node, list):
        return [_filled(one, filling) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("node") == "Placeholder":
        return filling[str(node["expr"]["chain"][0])]
    return {key: _filled(value, filling) for key, value in node.items()}


def _equal(name: str, trace_id: str) -> Node:
    where = parse_select(f"SELECT 1 WHERE {name} = {{id}}")["where"]
    filled: Node = Filling({"id": trace_id}, None, Settings()).fill(where, [])
    return filled


def _checked(query: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(query) - known)
    if unknown:
        raise invalid(
            "Extra inputs are not permitted", "invalid_input", f"query__{query['kind']}__{unknown[0]}"
        )


def _count(query: Mapping[str, Any], name: str, default: int) -> int:
    value = query.get(name)
    if value is not None and (not isinstance(value, int) or value < 0):
        raise invalid("Input should be a valid integer", "invalid_input", f"query__TracesQuery__{name}")
    return min(value or default, 50_000) if name == "limit" else value or default


def _extras() -> dict[str, Any]:
    return {
        "columns": ["id", "ai_session_id", "first_timestamp"],
        "hogql": "",
        "error": None,
        "modifiers": {},
    }


def _trace(row: Mapping[str, Any], *, ai: bool) -> dict[str, Any]:
    return {
        "id": row["id"],
        "aiSessionId": row["ai_session_id"] or None,
        "createdAt": row["first_timestamp"].isoformat(),
        "distinctId": row["first_distinct_id"],
        "totalLatency": _number(row["total_latency"]),
        "inputTokens": _number(row["input_tokens"]),
        "outputTokens": _number(row["output_tokens"]),
        "inputCost": _number(row["input_cost"]),
        "outputCost": _number(row["output_cost"]),
        "totalCost": _number(row["total_cost"]),
        "errorCount": float(row["error_count"]),
        "traceName": row["title"],
        "inputState": _loaded(row["trace_input"]),
        "outputState": _loaded(row["trace_output"]),
        "isSupportTrace": False,
        "tools": sorted({tool for called in row["tools_called"] for tool in called.split(",") if tool}),
        "events": [_event(one, ai=ai) for one in row["events"]],
    }


def _number(value: Any) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _event(found: list[Any], *, ai: bool) -> dict[str, Any]:
    uuid, event, timestamp, properties, *heavy = found
    said = json.loads(properties)
    for name, value in zip(HEAVY, heavy, strict=True):
        if ai and value not in (None, ""):
            said[f"$ai_{name}"] = _loaded(value)
    return {"id": uuid, "event": event, "createdAt": timestamp.isoformat(), "properties": said}


def _loaded(value: Any) -> Any:
    if not value:
        return None
    try:
        return json.loads(value)
    except ValueError:
        return value
