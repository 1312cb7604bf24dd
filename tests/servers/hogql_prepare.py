"""What happens to a statement before it is translated: values go in, forbidden things are refused, limits are set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.servers import hogql_filters
from tests.servers.hogql_parse import Node, children, constant, parse_select, walk
from tests.servers.refusal import OFFSET_TEXT, invalid
from tests.servers.settings import Settings

DEFAULT_ROWS = 100
MOST_ROWS = 50_000


@dataclass
class Prepared:
    """A statement ready for translation."""

    tree: Node
    paged: bool
    """Whether it came without a limit of its own, so that the answer tells whether there is more."""
    bounded: bool
    """Whether each reading of events has both bounds of time and names its events."""


def prepare(sql: str, values: Mapping[str, Any], filters: Any, settings: Settings) -> Prepared:
    """Parse and prepare a statement of a user.

    Raises:
        Refused: PostHog would not answer it.
    """
    tree = parse_select(sql)
    tree = Filling(values, filters, settings).fill(tree, [])
    _refuse(tree)
    bounded = is_bounded(tree)
    paged = tree["node"] == "SelectQuery" and tree.get("limit") is None
    _limit(tree)
    return Prepared(tree, paged, bounded)


class Filling:
    """Puts values and filters where placeholders are."""

    def __init__(self, values: Mapping[str, Any], filters: Any, settings: Settings) -> None:
        self.values, self.filters, self.settings = values, filters, settings

    def fill(self, node: Any, selects: list[Node]) -> Any:
        if isinstance(node, list):
            return [self.fill(one, selects) for one in node]
        if not isinstance(node, dict):
            return node
        if node.get("node") == "Placeholder":
            return self._filled(node, selects)
        if node.get("node") == "SelectQuery":
            selects = [*selects, node]
        return {key: self.fill(value, selects) for key, value in node.items()}

    def _filled(self, node: Node, selects: list[Node]) -> Node:
        chain = [str(part) for part in node["expr"].get("chain") or []]
        name = ".".join(chain)
        if chain == ["filters"]:
            if "filters" in self.values:
                raise invalid("Query contains 'filters' both as placeholder and as a query parameter.")
            return self._filters(selects)
        if chain and chain[0] == "filters":
            raise invalid(f"Unsupported filters placeholder `{{{name}}}`.")
        if len(chain) != 1 or name not in self.values:
            raise invalid(f"Unresolved placeholder: {{{name}}}")
        value = self.values[name]
        if isinstance(value, dict):
            raise invalid(f"Placeholder {{{name}}} is no constant", "invalid_input")
        return constant(value)

    def _filters(self, selects: list[Node]) -> Node:
        if not selects or not any(_is_events(join) for join in joins(selects[-1])):
            raise invalid(
                "Cannot use 'filters' placeholder in a SELECT clause that does not select from the events, sessions, "
                "logs, traces or groups table."
            )
        return hogql_filters.condition(self.filters, self.settings)


def joins(select: Node) -> list[Node]:
    """Give the joined tables of a select, in order."""
    found, join = [], select.get("select_from")
    while join:
        found.append(join)
        join = join.get("next_join")
    return found


def table_of(join: Node) -> str | None:
    """Give the dotted name of a joined table; ``None`` for a statement."""
    table = join["table"]
    return ".".join(str(part) for part in table["chain"]) if table["node"] == "Field" else None


def _is_events(join: Node) -> bool:
    return table_of(join) in ("events", "posthog.ai_events")


def _refuse(tree: Node) -> None:
    for node in walk(tree):
        if node["node"] in ("SelectQuery", "SelectSetQuery"):
            by = node.get("limit_by") or {}
            if node.get("offset") is not None or by.get("offset_value") is not None:
                raise invalid(OFFSET_TEXT)
        if node.get("table_final"):
            raise invalid("The FINAL keyword is not supported in HogQL as it causes slow queries")
        if node.get("within_group") is not None:
            raise invalid(
                f"Aggregation '{node['name']}' with WITHIN GROUP is not supported in ClickHouse dialect"
            )


def _limit(tree: Node) -> None:
    """Give each statement at the top a limit, and lower one that is too high."""
    if tree["node"] == "SelectSetQuery":
        for arm in arms(tree):
            _limit(arm)
        if tree.get("limit") is not None:
            tree["limit"] = _lowered(tree["limit"])
        return
    tree["limit"] = constant(DEFAULT_ROWS) if tree.get("limit") is None else _lowered(tree["limit"])


def _lowered(limit: Node) -> Node:
    if limit["node"] == "Constant" and isinstance(limit["value"], int):
        return constant(min(limit["value"], MOST_ROWS))
    return {"node": "Call", "name": "min2", "args": [constant(MOST_ROWS), limit]}


def arms(tree: Node) -> list[Node]:
    """Give the statements of a UNION."""
    return [tree["initial_select_query"], *(one["select_query"] for one in tree["subsequent_select_queries"])]


def is_bounded(tree: Node) -> bool:
    """Whether each select from events says which events, and from when until when."""
    return all(
        _bounded(node)
        for node in walk(tree)
        if node["node"] == "SelectQuery" and any(_is_events(join) for join in joins(node))
    )


def _bounded(select: Node) -> bool:
    found = set()
    for part in [*_conjuncts(select.get("where")), *_conjuncts(select.get("prewhere"))]:
        if part["node"] == "BetweenExpr" and _is_field(part["expr"], "timestamp") and not part.get("negated"):
            found |= {"lower", "upper"}
        if part["node"] != "CompareOperation":
            continue
        left, op, right = part["left"], part["op"], part["right"]
        if _is_field(right, "timestamp"):
            left, op = right, {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
        if _is_field(left, "timestamp"):
            found.add({">": "lower", ">=": "lower", "<": "upper", "<=": "upper"}.get(op, ""))
        if _is_field(left, "event") and op in ("==", "in"):
            found.add("event")
    return {"lower", "upper", "event"} <= found


def _conjuncts(node: Node | None) -> list[Node]:
    if node is None:
        return []
    if node["node"] == "And":
        return [part for one in children(node) for part in _conjuncts(one)]
    return [node]


def _is_field(node: Node, name: str) -> bool:
    return node["node"] == "Field" and node["chain"][-1] == name and "properties" not in node["chain"]
