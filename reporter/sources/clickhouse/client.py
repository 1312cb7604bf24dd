"""ClickHouse as one who answers HogQL questions: statements are respelled, errors told in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from reporter.errors import QuestionRefused, QuestionTooLarge, SourceError, SourceUnreadable
from reporter.sources.clickhouse.engines import Refused
from reporter.sources.filters import CLICKHOUSE, Condition, Property, condition_of
from reporter.sources.queries import for_clickhouse
from reporter.sources.times import parse_instant
from reporter.units import clean

if TYPE_CHECKING:
    from reporter.sources.clickhouse.engines import Engine
    from reporter.sources.queries.for_clickhouse import Events

_NAMED = re.compile(r"\(([A-Z][A-Z0-9_]+)\)\s*(?:\(version [^)]*\))?\s*$")
_TOO_LARGE = {
    "MEMORY_LIMIT_EXCEEDED", "TIMEOUT_EXCEEDED", "TOO_MANY_ROWS", "TOO_MANY_BYTES", "TOO_MANY_ROWS_OR_BYTES",
    "TOO_SLOW", "QUERY_IS_TOO_LARGE", "SET_SIZE_LIMIT_EXCEEDED",
}  # fmt: skip
_ENTRY: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("AUTHENTICATION_FAILED", "REQUIRED_PASSWORD", "WRONG_PASSWORD", "UNKNOWN_USER"),
        ("ClickHouse does not accept this user", "Check the user in --source, and CLICKHOUSE_PASSWORD."),
    ),
    "ACCESS_DENIED": (
        "this user may not read what is needed",
        "It needs SELECT on the table of events, and a profile that lets settings be set (readonly 0 or 2).",
    ),
    "READONLY": (
        "this user may not set what a statement needs",
        "Give it a profile with readonly 2: it still writes nothing.",
    ),
    **dict.fromkeys(
        ("UNKNOWN_TABLE", "UNKNOWN_DATABASE", "UNKNOWN_IDENTIFIER", "NOT_FOUND_COLUMN_IN_BLOCK"),
        (
            "the table of events is another than --source says",
            "Name database, table and columns in the address: clickhouse://HOST/DATABASE?table=…&column.timestamp=…",
        ),
    ),
}
_LONGEST = 400


class ClickHouse:
    """Answers PostHog's questions from a table of events."""

    system: Final = "ClickHouse"

    def __init__(self, engine: Engine, events: Events, *, host: str, project_id: str | None) -> None:
        """Take an engine and where events lie in it; nothing is asked yet."""
        self._engine = engine
        self._events = events
        self.host = host
        self.project_id = project_id

    def close(self) -> None:
        """Close all connections; may be called twice."""
        self._engine.close()

    def unsaid(self, text: str) -> str:
        """Take the password out of a text."""
        return self._engine.unsaid(text)

    def query(self, question: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """Answer a ``HogQLQuery``, a ``TracesQuery``, or nothing for any other kind.

        Raises:
            QuestionTooLarge, QuestionRefused, QuestionFailed, SourceError: As `ask.Asker`.
        """
        kind = question.get("kind")
        if kind == "TracesQuery":
            return self._traces(question, name)
        if kind == "TraceQuery":
            return self._trace(question, name)
        if kind != "HogQLQuery":
            return {"results": []}
        condition = self._condition((question.get("filters") or {}).get("properties") or (), name)
        try:
            sql = for_clickhouse.respelled(str(question["query"]), question.get("values") or {}, condition)
        except KeyError as error:
            raise QuestionRefused(f"the value {error} is not given", subject=self._about(name)) from None
        return self._run(sql, name)

    def _traces(self, question: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """List traces as PostHog's own list does: ids, newest first, a page at a time."""
        limit = int(question["limit"])
        condition = self._condition(question.get("properties") or (), name)
        sql = for_clickhouse.traces(_span(question), condition, limit + 1, int(question["offset"]))
        found = [row[0] for row in self._run(sql, name)["results"]]
        return {"results": [{"id": one} for one in found[:limit]], "hasMore": len(found) > limit}

    def _trace(self, question: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """Give the events of one trace, each with all its properties."""
        sql = for_clickhouse.trace(_span(question), str(question["traceId"]))
        events = [
            {"id": uuid, "properties": held}
            for uuid, text in self._run(sql, name)["results"]
            if isinstance(held := _json(text), Mapping)
        ]
        return {"results": [{"events": events}]}

    def _condition(self, filters: Sequence[Mapping[str, Any]], name: str) -> str:
        condition = condition_of(filters, CLICKHOUSE)
        if condition is None:
            raise QuestionRefused("a filter cannot be applied outside PostHog", subject=self._about(name))
        return f"({_filtering(condition)})"

    def _run(self, sql: str, name: str) -> Mapping[str, Any]:
        try:
            body = self._engine.run(f"{self._events.sql} {sql}")
        except Refused as refused:
            raise self._told(str(refused), name) from None
        try:
            found = json.loads(body)
            columns = [str(column["name"]) for column in found["meta"]]
            return {"results": found["data"], "columns": columns}
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise SourceUnreadable(
                f"this is not what ClickHouse answers ({type(error).__name__})",
                subject=self._about(name),
                hint="Check the host and the port in --source.",
            ) from None

    def _about(self, name: str) -> str:
        return f"{self.host} ({name})"

    def _told(self, said: str, name: str) -> SourceError:
        """Say what the engine's words mean."""
        said = said.split("Stack trace:", maxsplit=1)[0].strip()
        code = found[1] if (found := _NAMED.search(said)) else ""
        words = self.unsaid(clean(said.rsplit("DB::Exception:", maxsplit=1)[-1], _LONGEST))
        if code in _ENTRY and name != "query":
            message, hint = _ENTRY[code]
            return SourceUnreadable(f"{message}: {words}", subject=self.host, hint=hint)
        if code in _TOO_LARGE or "Max query size exceeded" in said:
            hint = "Ask for less with --job, --level or --since."
            return QuestionTooLarge(
                f"ClickHouse cannot answer this within its limits: {words}",
                subject=self._about(name),
                hint=hint,
            )
        return QuestionRefused(f"ClickHouse refused: {words}", subject=self._about(name))


def _span(question: Mapping[str, Any]) -> tuple[str, str]:
    """Read the window of a question; its edges as naive UTC."""
    edges = [parse_instant(question["dateRange"][edge]) for edge in ("date_from", "date_to")]
    start, end = (
        "" if edge is None else edge.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ") for edge in edges
    )
    return start, end


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None


def _filtering(condition: Condition) -> str:
    """Spell a condition on properties (`filters`), its values written out."""

    def column(wanted: Property) -> str:
        holder = "properties" if wanted.scope == "event" else "person_properties"
        raw = f"JSONExtractRaw({holder}, {for_clickhouse.literal(wanted.key)})"
        whole = f"JSONExtractString({holder}, {for_clickhouse.literal(wanted.key)})"
        text = f"if(startsWith({raw}, '\"'), {whole}, {raw})"
        return f"nullIf(nullIf({text}, ''), 'null')"

    columns = {f"p{number}": column(wanted) for number, wanted in enumerate(condition.properties)}
    sql = condition.sql.format(**columns)
    return re.sub(
        r"('(?:[^'\\]|\\.)*')|\$(f\d+)\b",
        lambda found: found[1] or for_clickhouse.literal(condition.values[found[2]]),
        sql,
    )
