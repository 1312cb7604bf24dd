"""Answers HogQL: prepares, translates and runs a statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.servers.hogql_parse import Node, constant
from tests.servers.hogql_prepare import DEFAULT_ROWS, Prepared, prepare
from tests.servers.hogql_print import Printer
from tests.servers.settings import Settings
from tests.servers.store import Found, Store, written


@dataclass
class Answer:
    """The body of an answer, and what it cost."""

    body: dict[str, Any]
    bytes_read: int = 0


def run(
    store: Store, settings: Settings, tree: Node, modifiers: Mapping[str, Any] | None = None
) -> tuple[Found, str, list[str]]:
    """Run a prepared statement; gives rows, ClickHouse's text of it, and the columns' names."""
    sql, columns = Printer(settings, modifiers).statement(tree)
    return store.run(sql, settings.most_sql_bytes), sql, columns


def answer(store: Store, settings: Settings, query: Mapping[str, Any], prepared: Prepared) -> Answer:
    """Answer a ``HogQLQuery``.

    Raises:
        Refused: It cannot be answered.
    """
    if prepared.paged:
        prepared.tree["limit"] = constant(DEFAULT_ROWS + 1)
    found, sql, columns = run(store, settings, prepared.tree, query.get("modifiers"))
    rows = [written(row) for row in found.rows]
    more = {"hasMore": None, "limit": None, "offset": None}
    if prepared.paged:
        more = {"hasMore": len(rows) > DEFAULT_ROWS, "limit": DEFAULT_ROWS, "offset": 0}
        rows = rows[:DEFAULT_ROWS]
    names = [name.partition("__")[0] if name.rpartition("__")[2].isdigit() else name for name in columns]
    body = {
        "results": rows,
        "columns": names,
        "types": [[name, kind] for name, kind in zip(names, found.types, strict=True)],
        **more,
        "query": query.get("query"),
        "hogql": query.get("query"),
        "clickhouse": sql,
        "error": None,
        "explain": None,
        "metadata": None,
        "modifiers": dict(query.get("modifiers") or {}),
        "timings": [{"k": ".", "t": 0.01}],
    }
    return Answer(body, found.bytes_read)


def prepared(query: Mapping[str, Any], settings: Settings) -> Prepared:
    """Prepare a ``HogQLQuery``; raises as `hogql_prepare.prepare` does."""
    return prepare(str(query["query"]), query.get("values") or {}, query.get("filters"), settings)
