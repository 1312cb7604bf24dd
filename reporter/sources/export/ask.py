# ruff: noqa: S608 -- the statement is the user's own; the engine is locked
"""The user's own query: one SELECT over the view ``events``, bounded, and unable to reach anything else.

What keeps it harmless is the engine's locked configuration (`store`); what is checked here is that the
statement is one the user can have meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import duckdb

from reporter.errors import UsageError
from reporter.model import Table
from reporter.sources.export.explain import translated
from reporter.sources.export.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

_HINT = (
    "Ask with one SELECT over events (uuid, event, distinct_id, timestamp, properties, person_properties)."
)
_TOKENS = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/
      | (?P<holder> (?:\b\w+\.)? \b(?:person_)?properties )\.(?P<key> \$?[A-Za-z_]\w* )""",
    re.VERBOSE | re.DOTALL,
)
"""What is left alone (literals, quoted names, comments), and a property read the way PostHog spells it."""
_ZONED = ("TIMESTAMP WITH TIME ZONE", "TIME WITH TIME ZONE")


def ask(store: Store, sql: str, values: Mapping[str, Any], limit: int) -> Table:
    """Run one bounded SELECT.

    Args:
        store: The export.
        sql: The statement; ``$name`` stands for a value, ``properties.name`` for the text of a property.
        values: Values by name.
        limit: Rows to give at most.

    Returns:
        The answer, times as naive UTC where the engine gives them so.

    Raises:
        UsageError: The statement is not one SELECT, or the engine refuses it.
        SourceError: The engine failed.
    """
    limit = max(0, limit)
    connection = store.connection
    body, names = _select_of(connection, _TOKENS.sub(_spelled, sql))
    store.open_view()
    used = {name: value for name, value in values.items() if name in names}
    try:
        shape = connection.execute(f"DESCRIBE SELECT * FROM (\n{body}\n)", used).fetchall()
        # Zoned times would come back in a zone; the model's times are UTC.
        zoned = [name for name, kind, *_ in shape if kind in _ZONED]
        casts = ", ".join(f"CAST({_name(name)} AS VARCHAR) AS {_name(name)}" for name in zoned)
        chosen = f"* REPLACE ({casts})" if zoned else "*"
        found = connection.execute(
            f"SELECT {chosen} FROM (\n{body}\n) LIMIT {limit + 1}",
            used,
        ).fetchall()
    except (duckdb.OutOfMemoryException, duckdb.IOException, duckdb.InternalException) as error:
        raise translated(error) from error
    except duckdb.Error as error:
        raise UsageError(f"the query was refused: {str(error).splitlines()[0][:500]}", hint=_HINT) from error
    rows = tuple(found[:limit])
    return Table(columns=tuple(str(row[0]) for row in shape), rows=rows, truncated=len(found) > limit)


def _select_of(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[str, set[str]]:
    """Give the statement without its semicolon and the names it binds, sure that it is one SELECT."""
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise UsageError(f"this is not SQL: {str(error).splitlines()[0][:500]}", hint=_HINT) from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise UsageError("only one SELECT can be run", hint=_HINT)
    return str(statements[0].query).strip().rstrip(";"), set(statements[0].named_parameters)


def _spelled(token: re.Match[str]) -> str:
    """Spell ``properties.$ai_model`` for DuckDB; any other token stays."""
    if token["key"] is None:
        return token[0]
    return f"({token['holder']}->>'/{token['key']}')"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
