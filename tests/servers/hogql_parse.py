"""HogQL text becomes PostHog's own syntax tree, as plain dicts whose ``node`` names the kind.

The parser is PostHog's. It looks for modules of PostHog's server, which empty ones satisfy; they would hide the
SDK of the same name, so this module is for a process of its own.
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from types import ModuleType
from typing import Any

from tests.once import once
from tests.servers.refusal import Refused, invalid

for _name in ("posthog", "posthog.hogql", "posthog.hogql.errors"):
    sys.modules.setdefault(_name, ModuleType(_name))

import hogql_parser  # noqa: E402 (needs the modules above)

Node = dict[str, Any]


def parse_select(sql: str) -> Node:
    """Parse a statement.

    Raises:
        Refused: It is no HogQL.
    """
    return _checked(_parsed(sql), sql)


@lru_cache(maxsize=1_000)
def _parsed(sql: str) -> str:
    """Keep what was parsed: the parser takes most of the time of an answer, and tests repeat statements."""
    return once(
        b"HogQL " + sql.encode("utf-8", "surrogatepass"),
        lambda: str(hogql_parser.parse_select_json(sql, is_internal=False)).encode("utf-8", "surrogatepass"),
    ).decode("utf-8", "surrogatepass")


def parse_expr(sql: str) -> Node:
    """Parse an expression; raises as `parse_select`."""
    return _checked(hogql_parser.parse_expr_json(sql, is_internal=False), sql)


def _checked(answer: str, sql: str) -> Node:
    tree: Node = json.loads(answer)
    if tree.get("error"):
        raise _syntax_error(tree, sql)
    return tree


def _syntax_error(tree: Node, sql: str) -> Refused:
    message = str(tree.get("message") or f"Syntax error in {sql[:80]!r}")
    return invalid(message, "query_error" if tree.get("type") == "NotImplementedError" else "syntax_error")


def constant(value: Any) -> Node:
    """Make a constant; a list becomes an array of constants."""
    if isinstance(value, list | tuple):
        return {"node": "Array", "exprs": [constant(each) for each in value]}
    return {"node": "Constant", "value": value}


def field(*chain: str | int) -> Node:
    return {"node": "Field", "chain": list(chain)}


def call(name: str, *args: Node) -> Node:
    return {"node": "Call", "name": name, "args": list(args)}


def compare(left: Node, op: str, right: Node) -> Node:
    return {"node": "CompareOperation", "op": op, "left": left, "right": right}


def every(parts: list[Node]) -> Node:
    """Join conditions by AND."""
    return parts[0] if len(parts) == 1 else {"node": "And", "exprs": parts} if parts else constant(value=True)


def children(node: Any) -> list[Node]:
    """Give the nodes directly below a node."""
    found: list[Node] = []
    pending = list(node.values()) if isinstance(node, dict) else [node]
    while pending:
        one = pending.pop(0)
        if isinstance(one, dict):
            if "node" in one:
                found.append(one)
            else:
                pending = list(one.values()) + pending
        elif isinstance(one, list):
            pending = list(one) + pending
    return found


def walk(node: Node) -> list[Node]:
    """Give a node and all below it."""
    found, pending = [], [node]
    while pending:
        one = pending.pop()
        found.append(one)
        pending += children(one)
    return found
