# ruff: noqa: S608 -- statements are what this prints
"""HogQL statements as ClickHouse statements over one project's tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.servers.hogql_expressions import Expressions
from tests.servers.hogql_kinds import kind_of
from tests.servers.hogql_parse import Node
from tests.servers.hogql_prepare import arms, joins, table_of
from tests.servers.hogql_scope import Scope, Table, real_table
from tests.servers.hogql_text import expression, identifier
from tests.servers.refusal import invalid
from tests.servers.settings import Settings
from tests.servers.store import database_of

_JOINS = {"JOIN", "INNER JOIN", "LEFT JOIN", "LEFT OUTER JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN",
          "ANY INNER JOIN", "ANY LEFT JOIN", "LEFT ANY JOIN", "INNER ANY JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN",
          "SEMI LEFT JOIN", "ANTI LEFT JOIN", "ALL INNER JOIN", "ALL LEFT JOIN", "FULL OUTER JOIN",
          "RIGHT OUTER JOIN", "ASOF JOIN", "LEFT ASOF JOIN"}  # fmt: skip


class Printer(Expressions):
    """Prints one statement."""

    def __init__(self, settings: Settings, modifiers: Mapping[str, Any] | None = None) -> None:
        super().__init__(settings, modifiers or {})
        self._ctes: list[dict[str, Node]] = []

    def statement(self, tree: Node) -> tuple[str, list[str]]:
        """Print a whole statement; gives it with the names of its columns.

        Raises:
            Refused: HogQL does not allow it.
        """
        sql, columns = self._any(tree)
        return sql, list(columns)

    def select(self, node: Node) -> str:
        return f"({self._any(node)[0]})"

    def _any(self, node: Node) -> tuple[str, dict[str, str]]:
        """Print a statement; gives it and its columns' kinds."""
        outside, self.inside_aggregate = self.inside_aggregate, ""
        try:
            if node["node"] == "SelectSetQuery":
                return self._set(node)
            if node["node"] == "SelectQuery":
                return self._select(node)
        finally:
            self.inside_aggregate = outside
        raise invalid(f"{node['node']} clause is not supported in ClickHouse dialect")

    def _set(self, node: Node) -> tuple[str, dict[str, str]]:
        first, *rest = arms(node)
        self._enter(first)
        sql, columns = self._select(first, entered=True)
        printed = [f"({sql})"]
        for arm, one in zip(rest, node["subsequent_select_queries"], strict=True):
            other, found = self._any(arm)
            if len(found) != len(columns):
                self._leave()
                raise invalid("Different number of columns in UNION elements")
            printed.append(f"{one.get('set_operator') or 'UNION ALL'} ({other})")
        self._leave()
        whole = " ".join(printed)
        if node.get("limit") is not None:
            whole = f"SELECT * FROM ({whole}) LIMIT {self.print(node['limit'], Scope())}"
        return whole, columns

    def _enter(self, node: Node) -> None:
        """Make the statements and expressions named by WITH known."""
        named: dict[str, Node] = {}
        columns: dict[str, Node] = {}
        for cte in node.get("ctes") or []:
            if cte.get("recursive"):
                raise invalid("Recursive CTEs are not supported here")
            is_select = cte["cte_type"] == "subquery"
            (named if is_select else columns)[cte["name"]] = cte["expr"]
        self._ctes.append(named)
        self.column_ctes.append(columns)

    def _leave(self) -> None:
        self._ctes.pop()
        self.column_ctes.pop()

    def _select(self, node: Node, *, entered: bool = False) -> tuple[str, dict[str, str]]:
        if not entered:
            self._enter(node)
        scope = Scope(typed=self.settings.property_types)
        source = self._source(node, scope)
        arrays = ""
        if node.get("array_join_op"):
            listed = [self._array_join(one, scope) for one in node.get("array_join_list") or []]
            arrays = f" {node['array_join_op']} {', '.join(listed)}"
        columns: dict[str, str] = {}
        selected = [one for each in node.get("select") or [] for one in self._columns(each, scope, columns)]
        distinct = "DISTINCT " if node.get("distinct") else ""
        sql = f"SELECT {distinct}{', '.join(selected)}{source}{arrays}{self._clauses(node, scope)}"
        if not entered:
            self._leave()
        return sql, columns

    def _clauses(self, node: Node, scope: Scope) -> str:
        scope.in_where = True
        parts = [
            f" {word} {self.print(node[name], scope)}"
            for word, name in (("PREWHERE", "prewhere"), ("WHERE", "where"))
            if node.get(name) is not None
        ]
        scope.in_where = False
        if node.get("group_by_mode") not in (None, "all", "ALL"):
            raise invalid(f"GROUP BY {node['group_by_mode']} is not supported here")
        if node.get("group_by"):
            parts.append(f" GROUP BY {self._all(node['group_by'], scope)}")
        elif node.get("group_by_mode"):
            parts.append(" GROUP BY ALL")
        if node.get("having") is not None:
            parts.append(f" HAVING {self.print(node['having'], scope)}")
        if node.get("window_exprs"):
            windows = (
                f"{identifier(name)} AS ({self.window(one, scope)})"
                for name, one in node["window_exprs"].items()
            )
            parts.append(f" WINDOW {', '.join(windows)}")
        if node.get("qualify") is not None:
            parts.append(f" QUALIFY {self.print(node['qualify'], scope)}")
        if node.get("order_by"):
            parts.append(f" ORDER BY {self.order(node['order_by'], scope)}")
        by = node.get("limit_by")
        if by:
            parts.append(f" LIMIT {self.print(by['n'], scope)} BY {self._all(by['exprs'], scope)}")
        if node.get("limit_percent"):
            raise invalid("LIMIT PERCENT is not supported here")
        if node.get("limit") is not None:
            ties = " WITH TIES" if node.get("limit_with_ties") else ""
            parts.append(f" LIMIT {self.print(node['limit'], scope)}{ties}")
        return "".join(parts)

    # -- what is read from ----------------------------------------------------------------------------

    def _source(self, node: Node, scope: Scope) -> str:
        printed = []
        for number, join in enumerate(joins(node)):
            word = join.get("join_type") or "JOIN"
            if number and word.removeprefix("GLOBAL ") not in _JOINS:
                raise invalid(f"Unsupported join type: {word}")
            printed.append((f"{word} " if number else "") + self._table(join, scope))
        scope.in_join = True
        for number, join in enumerate(joins(node)):
            constraint = join.get("constraint")
            if constraint:
                kind = constraint["constraint_type"]
                printed[number] += f" {kind} " + (
                    self._using(constraint["expr"])
                    if kind == "USING"
                    else self.print(constraint["expr"], scope)
                )
        scope.in_join = False
        return f" FROM {' '.join(printed)}" if printed else ""

    @staticmethod
    def _using(expr: Node) -> str:
        fields = expr["exprs"] if expr["node"] in ("Tuple", "Array") else [expr]
        return f"({', '.join(identifier(str(one['chain'][-1])) for one in fields)})"

    def _table(self, join: Node, scope: Scope) -> str:
        alias, name = join.get("alias"), table_of(join)
        if name is None:
            return self._below(join["table"], alias, scope)
        for depth, named in reversed(list(enumerate(self._ctes))):
            if name in named:
                return self._cte(named, name, depth, alias, scope)
        if join.get("table_args") is not None:
            return self._function(name, join["table_args"], alias, scope)
        table = real_table(name, alias)
        if table is None:
            raise invalid(f"Unknown table `{name}`.", "unknown_table")
        self._add(table, scope)
        return f"{database_of(self.settings.id)}.{table.real} AS {identifier(table.name)}"

    def _cte(self, named: dict[str, Node], name: str, depth: int, alias: str | None, scope: Scope) -> str:
        """Put a statement where its name stands; it may use those named before it."""
        before = dict(list(named.items())[: list(named).index(name)])
        saved, self._ctes = self._ctes, [*self._ctes[:depth], before]
        try:
            return self._below(named[name], alias or name, scope)
        finally:
            self._ctes = saved

    def _below(self, statement: Node, alias: str | None, scope: Scope) -> str:
        sql, columns = self._any(statement)
        self._add(Table(alias or "", columns), scope)
        return f"({sql})" + (f" AS {identifier(alias)}" if alias else "")

    def _function(self, name: str, args: list[Node], alias: str | None, scope: Scope) -> str:
        if name != "numbers":
            raise invalid(f"Unknown table function `{name}`.", "unknown_table")
        self._add(Table(alias or "numbers", {"number": "int"}), scope)
        return f"numbers({self._all(args, Scope())}) AS {identifier(alias or 'numbers')}"

    @staticmethod
    def _add(table: Table, scope: Scope) -> None:
        if table.name and any(other.name == table.name for other in scope.tables):
            raise invalid(f'Already have joined a table called "{table.name}". Can\'t redefine.')
        scope.tables.append(table)

    def _array_join(self, node: Node, scope: Scope) -> str:
        if node["node"] != "Alias":
            raise invalid("ARRAY JOIN arrays must have an alias")
        sql = self.print(node["expr"], scope)
        scope.add_alias(node["alias"], "unknown")
        return f"{sql} AS {identifier(node['alias'])}"

    # -- columns --------------------------------------------------------------------------------------

    def _columns(self, node: Node, scope: Scope, columns: dict[str, str]) -> list[str]:
        """Print one column, or all that a star means, and note their names and kinds."""
        if node["node"] == "ColumnsExpr":
            raise invalid("COLUMNS and EXCLUDE are not supported here")
        if node["node"] == "Field" and node["chain"][-1] == "*":
            return self._star(node, scope, columns)
        if node["node"] == "Alias":
            sql = self.print(node["expr"], scope)
            name, kind = node["alias"], kind_of(node["expr"], scope)
            scope.add_alias(name, kind)
        else:
            sql, kind = self.print(node, scope), kind_of(node, scope)
            name = str(node["chain"][-1]) if node["node"] == "Field" else expression(node)
        return [self._named(sql, name, kind, columns)]

    @staticmethod
    def _named(sql: str, name: str, kind: str, columns: dict[str, str]) -> str:
        if name in columns:  # the same twice: only the last may be called by its name
            twin = f"{name}__{len(columns)}"
            columns[twin] = kind
            return f"{sql} AS {_safe(twin)}"
        columns[name] = kind
        return sql if sql == name else f"{sql} AS {_safe(name)}"

    def _star(self, node: Node, scope: Scope, columns: dict[str, str]) -> list[str]:
        chain = node["chain"]
        tables = scope.tables
        if len(chain) > 1:
            table = scope.table(str(chain[0]))
            if table is None:
                raise invalid(f"Unable to resolve field: {chain[0]}")
            tables = [table]
        if not tables:
            raise invalid("Cannot use '*' when there is no table in the query")
        printed = []
        for table in tables:
            for name, kind in table.columns.items():
                prefix = [table.name] if table.name else []
                printed.append(self._named(self.named([*prefix, name], scope), name, kind, columns))
        return printed


def _safe(name: str) -> str:
    """Quote a column's name; one PostHog made of an expression may hold anything."""
    return identifier(name.replace("%", "_"))
