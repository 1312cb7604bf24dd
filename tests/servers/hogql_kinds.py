"""What kind of value an expression gives, as far as HogQL itself needs to know."""

from __future__ import annotations

from collections.abc import Callable

from tests.servers.hogql_parse import Node
from tests.servers.hogql_scope import Scope

_BY_NAME = {
    **dict.fromkeys(["now", "toDateTime", "parseDateTimeBestEffort", "toTimeZone", "toStartOfDay", "toStartOfHour", "toStartOfMinute", "toStartOfInterval", "fromUnixTimestamp", "current_timestamp", "toStartOfFiveMinutes", "fromUnixTimestamp64Milli"], "datetime"),
    **dict.fromkeys(["toDate", "to_date", "today", "yesterday", "toStartOfWeek", "toStartOfMonth", "toMonday", "toStartOfYear", "current_date"], "date"),
    **dict.fromkeys(["count", "countIf", "uniq", "uniqIf", "uniqExact", "uniqExactIf", "toInt", "length", "toUnixTimestamp", "position", "toUnixTimestamp64Milli", "dateDiff", "toHour", "toYear", "JSONExtractInt", "JSONLength"], "int"),
    **dict.fromkeys(["toFloat", "avg", "avgIf", "quantile", "median", "JSONExtractFloat"], "float"),
    **dict.fromkeys(["toString", "lower", "upper", "trim", "concat", "substring", "JSONExtractString", "JSONExtractRaw"], "string"),
}  # fmt: skip
_BY_ARGUMENT = {
    **dict.fromkeys(["min", "max", "any", "anyLast", "minIf", "maxIf", "anyIf", "argMin", "argMax", "argMinIf", "argMaxIf", "assumeNotNull", "toNullable", "ifNull", "coalesce", "nullIf", "greatest", "least", "plus", "minus", "addDays", "addHours", "addMinutes", "addSeconds", "subtractDays", "subtractHours", "subtractMinutes", "ifnull", "nullif", "dateAdd", "dateSub"], 0),
    "if": 1,
    "multiIf": 1,
    "dateTrunc": 1,
}  # fmt: skip

_TYPED = {"Numeric": "float", "Boolean": "bool", "DateTime": "datetime"}


def kind_of(node: Node, scope: Scope) -> str:
    """Tell the kind of an expression; ``unknown`` where nothing says it."""
    by_node: dict[str, Callable[[], str]] = {
        "Constant": lambda: _of_constant(node),
        "Field": lambda: _of_field([str(part) for part in node["chain"]], scope),
        "Alias": lambda: kind_of(node["expr"], scope),
        "ArithmeticOperation": lambda: _of_sum(node, scope),
        "Call": lambda: _of_call(node, scope),
    }
    return by_node.get(node["node"], lambda: "unknown")()


def _of_sum(node: Node, scope: Scope) -> str:
    kinds = {kind_of(node["left"], scope), kind_of(node["right"], scope)}
    return "datetime" if "datetime" in kinds and node["op"] in "+-" and "unknown" in kinds else "unknown"


def _of_call(node: Node, scope: Scope) -> str:
    place = _BY_ARGUMENT.get(node["name"])
    args = node.get("args") or []
    if place is not None and len(args) > place:
        return kind_of(args[place], scope)
    return _BY_NAME.get(node["name"], "unknown")


def _of_constant(node: Node) -> str:
    value = node.get("value")
    if "instant" in node:
        return "datetime"
    if isinstance(value, bool):
        return "bool"
    kinds = {str: "string", int: "int", float: "float"}
    return "float" if node.get("value_type") else kinds.get(type(value), "unknown")


def _of_field(chain: list[str], scope: Scope) -> str:
    table = scope.table(chain[0]) if len(chain) > 1 else None
    if table:
        chain = chain[1:]
        kind = table.kind(chain[0]) or "unknown"
    else:
        found = scope.lookup(chain[0])
        if found is None:
            return "unknown"
        table, kind = found
    if kind == "person":
        return "datetime" if chain[1:] == ["created_at"] else "string"
    if kind == "json" and len(chain) > 1:
        typed = scope.typed.get(chain[1]) if table and table.real == "events" and len(chain) == 2 else None
        return _TYPED.get(typed or "", "string")
    return kind if len(chain) == 1 else "unknown"
