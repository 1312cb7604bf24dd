"""What PostHog adds to an expression that nobody wrote: care for NULL, and how strictly a time is read."""

from __future__ import annotations

import re

from tests.servers.hogql_parse import Node
from tests.servers.hogql_text import REGEX

RANGE = ("<", "<=", ">", ">=")


def constant_reader(node: Node) -> str:
    """Choose what reads a time: constants are read strictly, everything else as far as possible."""
    if node["node"] != "Constant":
        return "parseDateTime64BestEffortOrNull"
    if re.match(r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{1,6}$", node["value"]):
        return "toDateTime64"
    return (
        "toDateTime"
        if re.match(r"^\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2})?$", node["value"])
        else ("parseDateTime64BestEffort")
    )


def null_safe(op: str, found: str, left: tuple[Node, str], right: tuple[Node, str]) -> str:
    """Let a comparison with NULL be false, and its opposite true."""
    if op in RANGE:
        return f"ifNull({found}, 0)"
    negative = op.startswith(("!", "not"))
    test = "isNotNull" if negative else "isNull"
    if op not in REGEX:
        for (node, _), (_, other) in ((right, left), (left, right)):
            if node["node"] == "Constant":
                is_null = node.get("value") is None and "instant" not in node
                return f"{test}({other})" if is_null else f"ifNull({found}, {1 if negative else 0})"
    return f"ifNull({found}, {test}({left[1]}) {'or' if negative else 'and'} {test}({right[1]}))"
