"""One HogQL question and its rows, checked; and many parts asked together, divided where that is too much."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from reporter.errors import QuestionFailed, QuestionRefused, QuestionTooLarge, SourceError, SourceUnreadable
from reporter.sources.queries.hogql.spelling import Ask
from reporter.units import clean

Part = TypeVar("Part")
Row = Sequence[Any]


_LONGEST = 400


class Asker(Protocol):
    """Whoever answers HogQL questions about one project's events."""

    @property
    def host(self) -> str:
        """Who it is, for messages; without a secret."""

    @property
    def system(self) -> str:
        """What kind of place it is, for messages: PostHog, or ClickHouse."""

    @property
    def project_id(self) -> str | None:
        """The project, where it is known."""

    def query(self, question: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """Put a question (PostHog's ``HogQLQuery`` or ``TracesQuery``), and give the answer.

        Raises:
            QuestionTooLarge: It is beyond what may be answered; a smaller one may do.
            QuestionRefused: It is not answered as it stands.
            QuestionFailed: It failed, and failed again.
            SourceError: Nothing can be asked.
        """

    def unsaid(self, text: str) -> str:
        """Take what is secret out of a text."""

    def close(self) -> None:
        """Close all connections; may be called twice."""


def off_contract(client: Asker, what: str, found: str) -> SourceUnreadable:
    """Say that an answer which says success holds something else."""
    return SourceUnreadable(
        f"this is not what {client.system} answers: {clean(found, _LONGEST)}",
        subject=f"{client.host} ({what})",
        hint=f"Check --host or --source: {client.system} must answer there, not a proxy's sign-in page.",
    )


def rows_of(client: Asker, ask: Ask, *, cached: Callable[[], None] = lambda: None) -> list[Row]:
    """Put a question and give its rows.

    Args:
        client: Whom to ask.
        ask: The question.
        cached: Called where PostHog answered from its cache although it was asked not to.

    Returns:
        Rows, each as long as the question has columns; at most as many as its limit.

    Raises:
        QuestionTooLarge, QuestionRefused, QuestionFailed, SourceError: As `Client.query`.
    """
    question: dict[str, Any] = {
        "kind": "HogQLQuery",
        "query": ask.sql,
        "values": dict(ask.values),
        # Times are then UTC whatever zone the project has.
        "modifiers": {"convertToProjectTimezone": False},
    }
    if ask.filters:
        question["filters"] = {"properties": list(ask.filters)}
    answer = client.query(question, ask.name)
    if answer.get("error"):
        why = client.unsaid(clean(str(answer["error"])))
        raise QuestionRefused(f"{client.system} refused: {why}", subject=f"{client.host} ({ask.name})")
    if answer.get("is_cached"):
        cached()
    rows, columns = answer.get("results"), answer.get("columns")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise off_contract(client, ask.name, "an answer without rows")
    if isinstance(columns, list) and tuple(columns) != ask.columns:
        raise off_contract(client, ask.name, "rows of other columns than were asked for")
    if any(len(row) != len(ask.columns) for row in rows):
        raise off_contract(client, ask.name, "rows of another length than were asked for")
    return rows


def full(client: Asker, ask: Ask, rows: Sequence[Row]) -> QuestionTooLarge | None:
    """Give an error if an answer has as many rows as its bound, so that more may be missing."""
    if len(rows) < ask.limit:
        return None
    return QuestionTooLarge(
        f"{client.system} gives at most {ask.limit:,} rows, and the answer holds as many",
        subject=f"{client.host} ({ask.name})",
        hint="Ask for less with --job, --level or --since.",
    )


def divided(
    parts: Sequence[Part],
    put: Callable[[Sequence[Part]], None],
    halve: Callable[[Part], Sequence[Part]],
    failed: Callable[[Part, SourceError], None],
) -> None:
    """Ask about many parts at once; where that is refused or too much, about fewer.

    Args:
        parts: What to ask about.
        put: Asks about some parts and keeps the answer.
        halve: Cuts a single part that is too much; gives nothing where it cannot be cut.
        failed: Told about a single part that cannot be answered.
    """
    try:
        put(parts)
    except (QuestionTooLarge, QuestionRefused, QuestionFailed) as error:
        if len(parts) > 1:
            middle = len(parts) // 2
            divided(parts[:middle], put, halve, failed)
            divided(parts[middle:], put, halve, failed)
        elif lost := _cut(parts[0], error, put, halve):
            failed(parts[0], lost)


def _cut(
    part: Part,
    error: SourceError,
    put: Callable[[Sequence[Part]], None],
    halve: Callable[[Part], Sequence[Part]],
) -> SourceError | None:
    """Ask about the halves of a part that was too much, and theirs; gives the first error that stays.

    Nothing more is asked about a part once a smallest piece of it failed: it would be incomplete anyway.
    """
    pieces = halve(part) if isinstance(error, QuestionTooLarge) else ()
    if not pieces:
        return error
    for piece in pieces:
        try:
            put([piece])
        except (QuestionTooLarge, QuestionRefused, QuestionFailed) as smaller:
            if lost := _cut(piece, smaller, put, halve):
                return lost
    return None


def batches(parts: Sequence[Part], weight: Callable[[Part], float], most: float) -> list[list[Part]]:
    """Put parts into batches of about a weight, in order; a part heavier than that stands alone."""
    made: list[list[Part]] = []
    load = most
    for part in parts:
        load += weight(part)
        if load > most or not made:
            made.append([])
            load = weight(part)
        made[-1].append(part)
    return made


def by_column(ask: Ask, row: Row) -> Mapping[str, Any]:
    """Name the values of a row."""
    return dict(zip(ask.columns, row, strict=True))
