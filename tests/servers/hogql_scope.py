"""Which table, column or alias a name in a statement means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.servers import store
from tests.servers.refusal import invalid

_EVENTS = {
    "uuid": "uuid", "event": "string", "properties": "json", "timestamp": "datetime", "distinct_id": "string",
    "elements_chain": "string", "created_at": "datetime", "$session_id": "string", "$window_id": "string",
}  # fmt: skip
_HIDDEN = {"person_id": "uuid", "team_id": "int"}
_AI_EVENTS = {
    "uuid": "uuid", "event": "string", "timestamp": "datetime", "distinct_id": "string", "person_id": "uuid",
    "properties": "json", "retention_days": "int", "trace_id": "string",
    **dict.fromkeys(store.TEXTS, "string"), **dict.fromkeys(store.WHOLES, "int"),
    **dict.fromkeys(store.FLOATS, "float"), "is_error": "int", **dict.fromkeys(store.HEAVY, "json"),
}  # fmt: skip
_PERSON = {"id": ("person_id", "uuid"), "created_at": ("person_created_at", "datetime"),
           "properties": ("person_properties", "json")}  # fmt: skip


@dataclass
class Table:
    """A table or statement that is read from."""

    name: str
    """How the statement calls it; empty for a statement without an alias."""
    columns: dict[str, str]
    """Column → its kind: ``string``, ``int``, ``datetime``, ``json``…"""
    real: str = ""
    """``events`` or ``ai_events`` where it is one."""
    hidden: dict[str, str] = field(default_factory=dict)
    """Columns that ``*`` does not give."""

    def kind(self, column: str) -> str | None:
        return self.columns.get(column) or self.hidden.get(column)


def real_table(name: str, alias: str | None) -> Table | None:
    """Find one of PostHog's tables."""
    if name == "events":
        return Table(alias or "events", _EVENTS, "events", _HIDDEN)
    if name == "posthog.ai_events":
        return Table(alias or "ai_events", _AI_EVENTS, "ai_events", {"team_id": "int"})
    return None


@dataclass
class Scope:
    """The names one select, or one lambda inside it, may use."""

    tables: list[Table] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    """Alias → kind."""
    outer: Scope | None = None
    """For a lambda: the scope around it."""
    arguments: tuple[str, ...] = ()
    in_where: bool = False
    in_join: bool = False
    typed: Mapping[str, str] = field(default_factory=dict)
    """Property → type, as the project's definitions have it."""

    def add_alias(self, name: str, kind: str) -> None:
        """Make an alias known to what is read after it."""
        if name in self.aliases:
            raise invalid(f"Cannot redefine an alias with the name: {name}")
        if name == "team_id":
            raise invalid(f"Alias '{name}' is a reserved keyword.")
        self.aliases[name] = kind

    def table(self, name: str) -> Table | None:
        scope: Scope | None = self
        while scope:
            for table in scope.tables:
                if table.name == name:
                    return table
            scope = scope.outer
        return None

    def lookup(self, name: str) -> tuple[Table | None, str] | None:
        """Find a name; gives its table (``None`` for aliases and arguments) and kind.

        Raises:
            Refused: Two tables have it.
        """
        if name in self.arguments:
            return None, "unknown"
        if name in self.aliases:
            return None, self.aliases[name]
        having = [table for table in self.tables if table.kind(name) or (name == "person" and table.real)]
        if len(having) > 1:
            raise invalid(f"Ambiguous query. Found multiple sources for field: {name}")
        if having:
            return having[0], having[0].kind(name) or "person"
        return self.outer.lookup(name) if self.outer else None


def person_column(part: str) -> tuple[str, str]:
    """Give the column that holds a person's field, and its kind."""
    if part not in _PERSON:
        raise invalid(f"Field not found: person.{part}")
    return _PERSON[part]
