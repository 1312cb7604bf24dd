"""HogQL expressions as ClickHouse expressions.

What PostHog adds is added: a comparison with NULL gives false (its opposite true), properties are read from JSON
and cast by the project's definitions, times are turned into the project's zone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.servers import hogql_functions
from tests.servers.hogql_functions import Function
from tests.servers.hogql_kinds import kind_of
from tests.servers.hogql_parse import Node, call, constant
from tests.servers.hogql_rules import RANGE, constant_reader, null_safe
from tests.servers.hogql_scope import Scope, Table, person_column
from tests.servers.hogql_text import ARITHMETIC, COMPARISONS, REGEX, constant_text, identifier, literal
from tests.servers.refusal import invalid
from tests.servers.settings import Settings

_UNWRAPPED = ("$ai_trace_id", "$ai_session_id", "$ai_is_error")
"""Read without a NULL for what is missing, as PostHog reads them for the sake of an index."""
_ALWAYS_TEXT = ("$ai_trace_id", "$ai_session_id", "$ai_parent_id", "$ai_span_id", "$ai_generation_id",
                "$ai_experiment_id")  # fmt: skip
_READS_TEXT = ("toFloatOrZero", "toIntOrZero", "toFloatOrDefault")
_CASTS = {
    **dict.fromkeys(("int", "integer", "bigint", "int64"), "toInt"),
    **dict.fromkeys(("float", "double", "real", "float64", "double precision"), "toFloat"),
    **dict.fromkeys(("text", "varchar", "string", "char"), "toString"),
    **dict.fromkeys(("timestamp", "datetime", "timestamptz"), "toDateTime"),
    "bool": "toBool", "boolean": "toBool", "date": "toDate", "uuid": "toUUID",
}  # fmt: skip
_WITH_PRECISION = ("now64", "parseDateTime64BestEffortOrNull", "parseDateTime64BestEffortUSOrNull",
                   "parseDateTime64BestEffort", "toDateTime64")  # fmt: skip


class Expressions(ABC):
    """Prints expressions of one statement."""

    def __init__(self, settings: Settings, modifiers: Mapping[str, object]) -> None:
        self.settings = settings
        self.zone = "UTC" if modifiers.get("convertToProjectTimezone") is False else settings.timezone
        self.converts = modifiers.get("convertToProjectTimezone") is not False
        self.inside_aggregate = ""
        self.column_ctes: list[dict[str, Node]] = []

    @abstractmethod
    def select(self, node: Node) -> str:
        """Print a statement inside an expression, in parentheses."""

    def print(self, node: Node, scope: Scope) -> str:
        """Print an expression.

        Raises:
            Refused: HogQL does not allow it.
        """
        kind = node["node"]
        method = getattr(self, f"_{kind.lower()}", None)
        if method is None:
            raise invalid(f"{kind} is not supported in HogQL queries here")
        return str(method(node, scope))

    def _all(self, nodes: list[Node], scope: Scope) -> str:
        return ", ".join(self.print(node, scope) for node in nodes)

    def _constant(self, node: Node, _: Scope) -> str:
        if "instant" in node:
            local = datetime.fromisoformat(node["instant"]).astimezone(ZoneInfo(self.zone))
            return f"toDateTime64('{local:%Y-%m-%d %H:%M:%S.%f}', 6, {literal(self.zone)})"
        return constant_text(node)

    def _selectquery(self, node: Node, _: Scope) -> str:
        return self.select(node)

    def _selectsetquery(self, node: Node, _: Scope) -> str:
        return self.select(node)

    def _alias(self, node: Node, scope: Scope) -> str:
        inside = self.print(node["expr"], scope)
        kind = kind_of(node["expr"], scope)
        scope.add_alias(node["alias"], kind)
        return f"({inside} AS {identifier(node['alias'])})"

    def _arithmeticoperation(self, node: Node, scope: Scope) -> str:
        left, right = self.print(node["left"], scope), self.print(node["right"], scope)
        return f"{ARITHMETIC[node['op']]}({left}, {right})"

    def _and(self, node: Node, scope: Scope) -> str:
        return f"and({self._all(node['exprs'], scope)})"

    def _or(self, node: Node, scope: Scope) -> str:
        return f"or({self._all(node['exprs'], scope)})"

    def _not(self, node: Node, scope: Scope) -> str:
        return f"not({self.print(node['expr'], scope)})"

    def _array(self, node: Node, scope: Scope) -> str:
        return f"[{self._all(node['exprs'], scope)}]"

    def _tuple(self, node: Node, scope: Scope) -> str:
        return f"tuple({self._all(node['exprs'], scope)})"

    def _tupleaccess(self, node: Node, scope: Scope) -> str:
        return f"({self.print(node['tuple'], scope)}).{int(node['index'])}"

    def _arrayaccess(self, node: Node, scope: Scope) -> str:
        chain = _path(node)
        if chain and self._is_json({"node": "Field", "chain": chain[:-1]}, scope):
            return self.named(chain, scope)
        return f"{self.print(node['array'], scope)}[{self.print(node['property'], scope)}]"

    def _is_json(self, node: Node, scope: Scope) -> bool:
        chain = node["chain"]
        return (
            kind_of(node, scope) == "json"
            or (len(chain) > 1 and "properties" in chain[:-1])
            or (chain[-1] == "properties")
        )

    def _lambda(self, node: Node, scope: Scope) -> str:
        inner = Scope(outer=scope, arguments=tuple(node["args"]), typed=scope.typed)
        return f"({', '.join(identifier(arg) for arg in node['args'])}) -> {self.print(node['expr'], inner)}"

    def _betweenexpr(self, node: Node, scope: Scope) -> str:
        expr, low, high = (self.print(node[part], scope) for part in ("expr", "low", "high"))
        found = f"({expr}{' NOT' if node.get('negated') else ''} BETWEEN {low} AND {high})"
        return f"ifNull({found}, 0)"

    def _typecast(self, node: Node, scope: Scope) -> str:
        name = _CASTS.get(node["type_name"].lower())
        if name is None:
            raise invalid(f"Unsupported type cast to '{node['type_name']}'")
        return self._call(call(name, node["expr"]), scope)

    _trycast = _typecast

    def _isdistinctfrom(self, node: Node, scope: Scope) -> str:
        op = "!=" if not node.get("negated") else "=="
        return self._compareoperation({**node, "node": "CompareOperation", "op": op}, scope)

    # -- comparisons ----------------------------------------------------------------------------------

    def _compareoperation(self, node: Node, scope: Scope) -> str:
        op, left, right = node["op"], node["left"], node["right"]
        if op.endswith("cohort"):
            return self._in_cohort(node, scope)
        if op in ("==", "!=") and left["node"] == right["node"] == "Constant":
            same = left.get("value") == right.get("value")
            return "1" if same is (op == "==") else "0"
        first, second = self.print(left, scope), self.print(right, scope)
        if op in RANGE and scope.in_where:
            first, second = self._zoned(left, right, first, scope), self._zoned(right, left, second, scope)
        form = REGEX.get(op)
        found = form.format(first, second) if form else f"{COMPARISONS[op]}({first}, {second})"
        if op in ("in", "not in") or self._is_bare(left, right, first + second, scope):
            return found
        return null_safe(op, found, (left, first), (right, second))

    def _is_bare(self, left: Node, right: Node, printed: str, scope: Scope) -> bool:
        """Whether PostHog leaves a comparison alone, so that it can be NULL."""
        if scope.in_join or any(f"'{name}'), '^\"|" in printed for name in _UNWRAPPED):
            return True
        for node in (left, right):
            chain = [str(part) for part in node.get("chain") or []]
            if chain and chain[-1] == "timestamp" and self._column_of(chain, scope):
                return True
        return False

    def _column_of(self, chain: list[str], scope: Scope) -> bool:
        table = scope.table(chain[0]) if len(chain) > 1 else None
        found = scope.lookup(chain[0]) if table is None else (table, "")
        return bool(found and found[0] and found[0].real)

    def _zoned(self, node: Node, other: Node, printed: str, scope: Scope) -> str:
        """Read text that is compared with a column of time in the project's zone."""
        is_text = node["node"] == "Constant" and isinstance(node.get("value"), str)
        if is_text and other["node"] == "Field" and kind_of(other, scope) == "datetime" and self.converts:
            return f"toDateTime64({printed}, 6, {literal(self.zone)})"
        return printed

    def _in_cohort(self, node: Node, scope: Scope) -> str:
        number = node["right"].get("value")
        members = self.settings.cohorts.get(str(number))
        if members is None:
            raise invalid(f"Could not find cohort with ID {number}")
        op = "not in" if node["op"].startswith("not") else "in"
        field = {"node": "Field", "chain": [*node["left"]["chain"][:-1], "distinct_id"]}
        return self._compareoperation(
            {**node, "op": op, "left": field, "right": constant(list(members))}, scope
        )

    # -- names ----------------------------------------------------------------------------------------

    def _field(self, node: Node, scope: Scope) -> str:
        return self.named([part if isinstance(part, int) else str(part) for part in node["chain"]], scope)

    def named(self, chain: list[str | int], scope: Scope, *, as_text: bool = False) -> str:
        """Print what a name means.

        Args:
            chain: The name's parts.
            scope: Where it stands.
            as_text: Whether a property is wanted as text, whatever the project types it.
        """
        first = str(chain[0])
        table = scope.table(first) if len(chain) > 1 else None
        if table:
            chain = chain[1:]
            kind = table.kind(str(chain[0])) or ("person" if chain[0] == "person" and table.real else "")
            if not kind:
                raise invalid(f"Field not found: {chain[0]}")
        else:
            found = scope.lookup(first)
            if found is None:
                for ctes in reversed(self.column_ctes):
                    if first in ctes:
                        return self.print(ctes[first], scope)
                raise invalid(f"Unable to resolve field: {first}")
            table, kind = found
        if kind == "person" and table:
            return self._person(chain, table, as_text=as_text)
        column = identifier(str(chain[0]))
        source = f"{identifier(table.name)}.{column}" if table and table.name else column
        if len(chain) == 1:
            if kind == "datetime" and table and table.real and self.converts:
                return f"toTimeZone({source}, {literal(self.zone)})"
            return source
        if kind == "json" or (table is None and kind == "unknown"):
            typed = self.settings.property_types if table and table.real == "events" else {}
            return self._property(source, chain[1:], typed, as_text=as_text)
        raise invalid(f'Can not access property "{chain[1]}" on field "{chain[0]}".')

    def _person(self, chain: list[str | int], table: Table, *, as_text: bool) -> str:
        if len(chain) == 1:
            raise invalid("Can't select a table when a column is expected: person")
        column, kind = person_column(str(chain[1]))
        source = f"{identifier(table.name)}.{column}"
        if len(chain) > 2:
            return self._property(source, chain[2:], self.settings.person_property_types, as_text=as_text)
        return (
            f"toTimeZone({source}, {literal(self.zone)})" if kind == "datetime" and self.converts else source
        )

    def _property(
        self, source: str, path: list[str | int], typed: Mapping[str, str], *, as_text: bool
    ) -> str:
        names = ", ".join(str(part) if isinstance(part, int) else literal(part) for part in path)
        raw = f"JSONExtractRaw({source}, {names})"
        if not (len(path) == 1 and path[0] in _UNWRAPPED):
            raw = f"nullIf(nullIf({raw}, ''), 'null')"
        found = f"replaceRegexpAll({raw}, '^\"|\"$', '')"
        type_ = typed.get(str(path[0])) if len(path) == 1 and path[0] not in _ALWAYS_TEXT else None
        if as_text or type_ is None:
            return found
        return {
            "Numeric": f"accurateCastOrNull({found}, 'Float64')",
            "Boolean": f"toBool(transform(toString({found}), ['true', 'false'], [1, 0], NULL))",
            "DateTime": f"parseDateTime64BestEffortOrNull({found}, 6, {literal(self.zone)})",
        }.get(type_, found)

    # -- calls ----------------------------------------------------------------------------------------

    def _call(self, node: Node, scope: Scope) -> str:
        name, args = node["name"], node.get("args") or []
        if name in COMPARISONS.values() and len(args) == 2:
            op = next(op for op, called in COMPARISONS.items() if called == name)
            return self._compareoperation(
                {"node": "CompareOperation", "op": op, "left": args[0], "right": args[1]}, scope
            )
        function = hogql_functions.find(node)
        if function.aggregate:
            return self._aggregate(node, function, scope)
        if name in _READS_TEXT and args[0]["node"] == "Field":
            printed = [self.named(list(args[0]["chain"]), scope, as_text=True)]
            printed += [self.print(arg, scope) for arg in args[1:]]
        elif name.lower() == "concat":
            printed = [self._joined(arg, scope) for arg in args]
        else:
            printed = [self.print(arg, scope) for arg in args]
        return self._called(name, function, args, printed, scope)

    def _aggregate(self, node: Node, function: Function, scope: Scope) -> str:
        if self.inside_aggregate:
            raise invalid(
                f"Aggregation '{node['name']}' cannot be nested inside another aggregation '{self.inside_aggregate}'."
            )
        self.inside_aggregate = node["name"]
        args = ", ".join(
            "*" if arg.get("chain") == ["*"] else self.print(arg, scope) for arg in node.get("args") or []
        )
        self.inside_aggregate = ""
        params = f"({self._all(node['params'], scope)})" if node.get("params") is not None else ""
        ordered = f" ORDER BY {self.order(node['order_by'], scope)}" if node.get("order_by") else ""
        only = f" FILTER (WHERE {self.print(node['filter_expr'], scope)})" if node.get("filter_expr") else ""
        name = "count" if function.name == "count" and args == "*" else function.name
        args = "" if args == "*" else args
        return f"{name}{params}({'DISTINCT ' if node.get('distinct') else ''}{args}{ordered}){only}"

    def _joined(self, arg: Node, scope: Scope) -> str:
        if arg["node"] == "Constant":
            if arg.get("value") is None:
                return "''"
            return (
                self.print(arg, scope)
                if isinstance(arg["value"], str)
                else f"toString({self.print(arg, scope)})"
            )
        return f"ifNull(toString({self.print(arg, scope)}), '')"

    def _called(
        self, name: str, function: Function, args: list[Node], printed: list[str], scope: Scope
    ) -> str:
        target = function.name
        if function.suffix:
            printed.append(literal(function.suffix))
        if name == "toDecimal":
            return f"accurateCastOrNull({printed[0]}, concat('Decimal64(', toString({printed[1]}), ')'))"
        kind = kind_of(args[0], scope) if args else ""
        if (name == "toDateTime" and kind in ("datetime", "date", "int")) or (
            name in ("toDate", "to_date") and kind in ("datetime", "date")
        ):
            target = "toDateTime" if name == "toDateTime" else "toDate"
        if function.timezone:
            overridden = len(args) == function.most and function.most != 0
            if not overridden:
                printed.append(literal(self.zone))
            if target == "parseDateTime64BestEffortOrNull" and len(args) == 1 and kind == "string":
                target = constant_reader(args[0])
            if target in _WITH_PRECISION:
                printed.insert(len(printed) - 1, "6")
        if name == "toStartOfWeek" and len(args) == 1:
            printed.append("0")
        if name in ("trimLeft", "trimRight", "trim", "ltrim", "rtrim", "btrim") and len(args) == 2:
            side = "LEADING" if target == "trimLeft" else "TRAILING" if target == "trimRight" else "BOTH"
            return f"trim({side} {printed[1]} FROM {printed[0]})"
        return f"{target}({', '.join(printed)})"

    def _windowfunction(self, node: Node, scope: Scope) -> str:
        name, exprs = node["name"], [self.print(one, scope) for one in node.get("exprs") or []]
        over = identifier(node["over_identifier"]) if node.get("over_identifier") else "()"
        window = node.get("over_expr")
        if name in ("lag", "lead"):
            name = f"{name}InFrame"
            exprs[:1] = [f"toNullable({exprs[0]})"]
            if window and not window.get("frame_method"):
                unbounded = {"frame_type": "PRECEDING"}, {"frame_type": "FOLLOWING"}
                window = {
                    **window,
                    "frame_method": "ROWS",
                    "frame_start": unbounded[0],
                    "frame_end": unbounded[1],
                }
        if window:
            over = f"({self.window(window, scope)})"
        params = f"({', '.join(exprs)})" if node.get("args") else ""
        args = self._all(node["args"], scope) if node.get("args") else ", ".join(exprs)
        return f"{identifier(name)}{params}({args}) OVER {over}"

    def window(self, node: Node, scope: Scope) -> str:
        """Print what a window function looks over."""
        parts = []
        if node.get("partition_by"):
            parts.append(f"PARTITION BY {self._all(node['partition_by'], scope)}")
        if node.get("order_by"):
            parts.append(f"ORDER BY {self.order(node['order_by'], scope)}")
        if node.get("frame_method"):
            start, end = _frame(node["frame_start"]), node.get("frame_end")
            parts.append(
                f"{node['frame_method']} " + (f"BETWEEN {start} AND {_frame(end)}" if end else start)
            )
        return " ".join(parts)

    def order(self, nodes: list[Node], scope: Scope) -> str:
        """Print what rows are ordered by."""
        if any(node.get("with_fill") for node in nodes):
            raise invalid("WITH FILL is not supported here")
        return ", ".join(f"{self.print(node['expr'], scope)} {node.get('order') or 'ASC'}" for node in nodes)


def _frame(edge: Node) -> str:
    if edge["frame_type"] == "CURRENT ROW":
        return "CURRENT ROW"
    return f"{edge.get('frame_value') if edge.get('frame_value') is not None else 'UNBOUNDED'} {edge['frame_type']}"


def _path(node: Node) -> list[str | int]:
    """Give ``a['b']['c']`` as a path; empty where it is none."""
    if node["node"] == "Field":
        return list(node["chain"])
    if node["node"] != "ArrayAccess" or node["property"]["node"] != "Constant":
        return []
    above = _path(node["array"])
    return [*above, node["property"]["value"]] if above else []
