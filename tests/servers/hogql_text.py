"""HogQL expressions written out: what PostHog names a column after that has no alias."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.servers.hogql_parse import Node
from tests.servers.refusal import invalid

ARITHMETIC = {"+": "plus", "-": "minus", "*": "multiply", "/": "divide", "%": "modulo"}
COMPARISONS = {
    "==": "equals", "!=": "notEquals", "<": "less", ">": "greater", "<=": "lessOrEquals", ">=": "greaterOrEquals",
    "like": "like", "ilike": "ilike", "in": "in", "global in": "globalIn", "global not in": "globalNotIn",
    **{f"not {op}": f"not{name}" for op, name in (("like", "Like"), ("ilike", "ILike"), ("in", "In"))},
}  # fmt: skip
REGEX = {"=~": "match({}, {})", "!~": "not(match({}, {}))", "=~*": "match({}, concat('(?i)', {}))",
         "!~*": "not(match({}, concat('(?i)', {})))"}  # fmt: skip
_PLAIN_NAME = re.compile(r"^[A-Za-z_$][A-Za-z0-9_$]*$")
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\b": "\\b", "\f": "\\f", "\r": "\\r", "\n": "\\n", "\t": "\\t", "\0": "\\0",
            "\a": "\\a", "\v": "\\v"}  # fmt: skip


def literal(value: Any) -> str:
    """Write a constant."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + "".join(_ESCAPES.get(sign, sign) for sign in value) + "'"
    return repr(value)


def constant_text(node: Node) -> str:
    """Write a constant of the tree, numbers that JSON cannot hold included."""
    if node.get("value_type") == "number":
        return {"Infinity": "inf", "-Infinity": "-inf", "NaN": "nan"}.get(node["value"], str(node["value"]))
    return literal(node.get("value"))


def identifier(name: str) -> str:
    """Quote a name where it must be."""
    if "%" in name:
        raise invalid(f'The HogQL identifier "{name}" is not permitted as it contains the "%" character')
    return name if _PLAIN_NAME.match(name) else "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def expression(node: Node) -> str:
    """Write an expression as PostHog normalises HogQL."""
    write = _WRITERS.get(node["node"])
    return write(node) if write else node["node"]


def _constant(node: Node) -> str:
    return literal(node["instant"]) if "instant" in node else constant_text(node)


def _field(node: Node) -> str:
    return ".".join(
        str(part) if isinstance(part, int) or part == "*" else identifier(part) for part in node["chain"]
    )


def _comparison(node: Node) -> str:
    left, right = expression(node["left"]), expression(node["right"])
    form = REGEX.get(node["op"])
    return form.format(left, right) if form else f"{COMPARISONS.get(node['op'], 'in')}({left}, {right})"


def _lambda(node: Node) -> str:
    args = node["args"]
    head = args[0] if len(args) == 1 else f"({', '.join(args)})"
    return f"{head} -> {expression(node['expr'])}"


def _between(node: Node) -> str:
    negated = " NOT" if node.get("negated") else ""
    low, high = expression(node["low"]), expression(node["high"])
    return f"{expression(node['expr'])}{negated} BETWEEN {low} AND {high}"


def _call(node: Node) -> str:
    params = f"({_list(node['params'])})" if node.get("params") else ""
    distinct = "DISTINCT " if node.get("distinct") else ""
    return f"{node['name']}{params}({distinct}{_list(node.get('args') or [])})"


_WRITERS: dict[str, Callable[[Node], str]] = {
    "Constant": _constant,
    "Field": _field,
    "Alias": lambda node: f"{expression(node['expr'])} AS {identifier(node['alias'])}",
    "ArithmeticOperation": lambda node: f"{ARITHMETIC[node['op']]}({_list([node['left'], node['right']])})",
    "CompareOperation": _comparison,
    "And": lambda node: f"and({_list(node['exprs'])})",
    "Or": lambda node: f"or({_list(node['exprs'])})",
    "Not": lambda node: f"not({expression(node['expr'])})",
    "Array": lambda node: f"[{_list(node['exprs'])}]",
    "Tuple": lambda node: f"tuple({_list(node['exprs'])})",
    "ArrayAccess": lambda node: f"{expression(node['array'])}[{expression(node['property'])}]",
    "TupleAccess": lambda node: f"{expression(node['tuple'])}.{node['index']}",
    "Lambda": _lambda,
    "BetweenExpr": _between,
    "Call": _call,
    "WindowFunction": lambda node: f"{node['name']}({_list(node.get('exprs') or [])}) OVER ()",
}


def _list(nodes: list[Node]) -> str:
    return ", ".join(expression(node) for node in nodes)
