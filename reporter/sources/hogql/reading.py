"""Reading runs, memberships, items and populations of many runs in few requests, each outcome kept apart.

An outcome is a value or the error that asking for it ended with, so that a run that cannot be read costs no
other run its answer.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias, TypeVar

from reporter.errors import QuestionTooLarge, RunUnreadable, SourceError
from reporter.model import Failure, ItemMetrics, Job, Membership, RunHeader, Totals, Window
from reporter.sources import rows as build
from reporter.sources.decode import EventRow, decode_header, decode_membership, decode_run
from reporter.sources.hogql import values
from reporter.sources.hogql.ask import Asker, Row, batches, by_column, divided, full, rows_of
from reporter.sources.queries import HEADER_PROPERTIES
from reporter.sources.queries.hogql import items as item_questions
from reporter.sources.queries.hogql import population as population_questions
from reporter.sources.queries.hogql import runs as run_questions
from reporter.sources.queries.hogql.items import Part
from reporter.sources.queries.hogql.runs import Emission
from reporter.sources.queries.hogql.spelling import Ask
from reporter.sources.times import parse_instant

T = TypeVar("T")
Outcome: TypeAlias = T | SourceError

_ANSWER_BYTES = 2_000_000
"""About how large one answer of whole runs or memberships may be."""
_WHOLE_BYTES = 320, 40_000
"""About how many bytes an item takes in a whole run, and a run besides."""
_MEMBER_BYTES = 44, 10_000
"""The same in a membership."""
_MOST_KEYS, _MOST_KEY_BYTES = 2_000, 200_000
"""Item keys one statement may spell out."""
_MOST_ROWS_ASKED = 25_000
"""Items asked about by one statement: half of what PostHog gives at most."""
_SHORTEST = timedelta(hours=6)
"""A slice of a window that is not cut any further."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The runs of a span of time."""

    headers: tuple[RunHeader, ...]
    broken: tuple[RunUnreadable, ...]
    odd: frozenset[str]
    """Ids of runs whose keys PostHog cannot read from their event."""


@dataclass(slots=True)
class Reader:
    """Puts questions about runs to PostHog; keeps nothing."""

    client: Asker
    cached: Callable[[], None] = field(default=lambda: None)
    """Called where PostHog answered from its cache."""

    def rows(self, ask: Ask) -> list[Mapping[str, Any]]:
        """Put a question whose answer may be as long as its bound; gives rows by column."""
        return [by_column(ask, row) for row in rows_of(self.client, ask, cached=self.cached)]

    def all_rows(self, ask: Ask) -> list[Mapping[str, Any]]:
        """Put a question whose answer must be whole.

        Raises:
            QuestionTooLarge: The answer is as long as its bound.
        """
        found: list[Row] = rows_of(self.client, ask, cached=self.cached)
        if error := full(self.client, ask, found):
            raise error
        return [by_column(ask, row) for row in found]

    def listed(self, since: datetime, until: datetime) -> Listed:
        """List the runs emitted in [since, until], newest first, one header a run id."""
        headers: list[RunHeader] = []
        broken: list[tuple[Emission, RunUnreadable]] = []
        odd: set[str] = set()
        seen: set[str] = set()
        for row in self._run_rows(since, until):
            event = _listed_event(row)
            name = _run_id(row)
            if name and name in seen:
                continue
            seen.add(name)
            try:
                header = decode_header(event)
            except RunUnreadable as error:
                broken.append(((event.uuid, event.timestamp), error))
                continue
            headers.append(header)
            if not values.flag(row["plain"]):
                odd.add(header.run_id)
        return Listed(tuple(headers), self._all_faults(broken), frozenset(odd))

    def _run_rows(self, since: datetime, until: datetime) -> list[Mapping[str, Any]]:
        """List run events; a span with more of them than one answer holds is read in halves, newest first."""
        try:
            return self.all_rows(run_questions.runs(since, until))
        except QuestionTooLarge:
            if until - since < _SHORTEST:
                raise
        middle = since + (until - since) / 2
        newer = self._run_rows(middle, until)
        return [*newer, *self._run_rows(since, middle - timedelta(microseconds=1))]

    def _all_faults(self, broken: Sequence[tuple[Emission, RunUnreadable]]) -> tuple[RunUnreadable, ...]:
        """Read the whole events of runs with a broken header, so that their clusters' faults are told too."""
        if not broken:
            return ()
        whole: dict[str, EventRow] = {}
        try:
            for row in self.rows(run_questions.whole_runs([emission for emission, _ in broken])):
                whole[str(row["id"])] = _event(row)
        except SourceError:  # what is known already will do
            return tuple(error for _, error in broken)
        return tuple(_every_fault(whole.get(uuid), error) for (uuid, _), error in broken)

    def whole(self, headers: Sequence[RunHeader]) -> Mapping[str, Outcome[EventRow]]:
        """Read the whole events of some runs, by run id; a run that is gone has no entry."""
        found: dict[str, Outcome[EventRow]] = {}

        def put(some: Sequence[RunHeader]) -> None:
            uuids = {header.event_uuid: header.run_id for header in some}
            for row in self.rows(run_questions.whole_runs([_emission(header) for header in some])):
                if str(row["id"]) in uuids:
                    found[uuids[str(row["id"])]] = _event(row)

        for batch in whole_batches(headers):
            divided(batch, put, lambda _: (), lambda header, error: found.update({header.run_id: error}))
        return found

    def memberships(self, headers: Sequence[RunHeader]) -> Mapping[str, Outcome[Membership]]:
        """Read the memberships of some runs, by run id; a run that is gone has no entry."""
        found: dict[str, Outcome[Membership]] = {}

        def put(some: Sequence[RunHeader]) -> None:
            uuids = {header.event_uuid: header.run_id for header in some}
            for row in self.rows(run_questions.memberships([_emission(header) for header in some])):
                run_id = uuids.get(str(row["id"]))
                if run_id is not None:
                    try:
                        found[run_id] = decode_membership(_member_event(row))
                    except RunUnreadable as error:
                        found[run_id] = error

        for batch in member_batches(headers):
            divided(batch, put, lambda _: (), lambda header, error: found.update({header.run_id: error}))
        return found

    def items(
        self, parts: Sequence[Part], by: str | None = None
    ) -> Mapping[str, Outcome[tuple[ItemMetrics, ...]]]:
        """Measure the items of some runs, by run id."""
        rows, errors = self._about(parts, lambda some: item_questions.items(some, by))
        return {
            part.run.run_id: errors.get(part.run.run_id) or values.items(rows[part.run.run_id])
            for part in parts
        }

    def failures(self, parts: Sequence[Part]) -> Mapping[str, Outcome[tuple[Failure, ...]]]:
        """Read the failed calls of some runs' items, by run id."""
        rows, errors = self._about(parts, item_questions.failures)
        return {
            part.run.run_id: errors.get(part.run.run_id)
            or build.failures([values.failure(row) for row in rows[part.run.run_id]])
            for part in parts
        }

    def _about(
        self, parts: Sequence[Part], question: Callable[[Sequence[Part]], Ask]
    ) -> tuple[Mapping[str, list[Mapping[str, Any]]], Mapping[str, SourceError]]:
        """Put one question about many parts; gives rows and errors by run id."""
        rows: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        errors: dict[str, SourceError] = {}

        def put(some: Sequence[Part]) -> None:
            for row in self.all_rows(question(some)):
                number = values.whole(row["part"])
                if 0 <= number < len(some):
                    rows[some[number].run.run_id].append(row)

        def failed(part: Part, error: SourceError) -> None:
            errors.setdefault(part.run.run_id, error)

        for batch in _fitting(parts):
            divided(batch, put, _halves, failed)
        return rows, errors

    def totals(self, asked: Sequence[tuple[Window, Job]]) -> list[Outcome[Totals]]:
        """Measure populations, in the order asked; jobs that filter alike share a question."""
        found: list[Outcome[Totals] | None] = [None] * len(asked)
        alike: defaultdict[str, list[int]] = defaultdict(list)
        for number, (_, job) in enumerate(asked):
            alike[json.dumps(job.event_filters, sort_keys=True, default=str)].append(number)

        for numbers in alike.values():
            filters = asked[numbers[0]][1].event_filters

            def put(some: Sequence[int], filters: Sequence[Mapping[str, Any]] = filters) -> None:
                windows = [(asked[number][0], asked[number][1].level) for number in some]
                for row in self.all_rows(population_questions.totals(windows, filters)):
                    place = values.whole(row["part"])
                    if 0 <= place < len(some):
                        found[some[place]] = values.totals(row)

            def failed(number: int, error: SourceError) -> None:
                found[number] = error

            divided(numbers, put, lambda _: (), failed)
        lost = SourceError(
            f"{self.client.system} left out a population that was asked for", subject=self.client.host
        )
        return [lost if one is None else one for one in found]


def whole_batches(headers: Sequence[RunHeader]) -> list[list[RunHeader]]:
    """Put runs into as few answers as their size allows, to be read whole."""
    return batches(headers, lambda header: _bytes(header, _WHOLE_BYTES), _ANSWER_BYTES)


def member_batches(headers: Sequence[RunHeader]) -> list[list[RunHeader]]:
    """Put runs into as few answers as their size allows, to read their memberships."""
    return batches(headers, lambda header: _bytes(header, _MEMBER_BYTES), _ANSWER_BYTES)


def _bytes(header: RunHeader, each: tuple[int, int]) -> float:
    an_item, a_run = each
    return header.items * an_item + a_run


def keyed(header: RunHeader, membership: Membership) -> tuple[Part, ...]:
    """Make the parts of a run whose keys must be spelled out: as many keys a part as a statement takes."""
    keys = sorted({key for cluster in membership.clusters for key in cluster.keys})
    groups = batches(
        keys, lambda key: max(1 / _MOST_KEYS, (len(key.encode()) + 4) / _MOST_KEY_BYTES), 1.0
    ) or [[]]
    whole = part_of(header)
    return tuple(replace(whole, keys=tuple(group)) for group in groups)


def part_of(header: RunHeader) -> Part:
    """Make the part that is a whole run, its keys read where they lie."""
    return Part(header, header.window.start, header.window.end)


def _fitting(parts: Sequence[Part]) -> list[list[Part]]:
    """Put parts into as few statements as their rows and spelled-out keys allow."""
    return batches(
        parts,
        lambda part: max(
            part.run.items / _MOST_ROWS_ASKED,
            len(part.keys or ()) / _MOST_KEYS,
            sum(len(key.encode()) + 4 for key in part.keys or ()) / _MOST_KEY_BYTES,
        ),
        1.0,
    )


def _halves(part: Part) -> Sequence[Part]:
    """Cut a part's window, or its keys, in two; nothing where it is too short for that."""
    if part.keys is not None and len(part.keys) > 1:
        middle = len(part.keys) // 2
        return replace(part, keys=part.keys[:middle]), replace(part, keys=part.keys[middle:])
    if part.end - part.start < 2 * _SHORTEST:
        return ()
    center = part.start + (part.end - part.start) / 2
    return replace(part, end=center), replace(part, start=center)


def _emission(header: RunHeader) -> Emission:
    return header.event_uuid, header.emitted_at


def _native(text: Any) -> Any:
    """Read a property that came as JSON text; nothing where there was none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _moment(value: Any) -> Any:
    """Read a time; what is none goes on as it is, for decoding to name as a fault."""
    return parse_instant(value) or value


def _listed_event(row: Mapping[str, Any]) -> EventRow:
    """Give a row of the run list as the event it stands for."""
    properties: Any = row["whole"]
    if not properties:
        named = HEADER_PROPERTIES
        properties = {
            name: value
            for number, name in enumerate(named)
            if (value := _native(row[f"header{number}"])) is not None
        }
        if row["clusters"]:
            properties["$ai_clusters"] = row["clusters"]
    return EventRow(str(row["id"]), str(row["kind"]), _moment(row["emitted"]), properties)


def _run_id(row: Mapping[str, Any]) -> str:
    """Give the run id of a row of the run list as far as it can be told from copies."""
    told = _native(row["header0"])
    if told is None and row["whole"]:
        whole = _native(row["whole"])
        told = whole.get(HEADER_PROPERTIES[0]) if isinstance(whole, Mapping) else None
    return str(told).strip() if told is not None else ""


def _event(row: Mapping[str, Any]) -> EventRow:
    """Give a row of whole runs as an event."""
    return EventRow(str(row["id"]), str(row["kind"]), _moment(row["emitted"]), row["whole"] or "")


def _member_event(row: Mapping[str, Any]) -> EventRow:
    """Give a row of memberships as the event it stands for, with keys for items."""
    if row["whole"]:
        return _event(row)
    columns = [row[name] for name in ("numbers", "titles", "descriptions", "members")]
    lists = [column if isinstance(column, list) else [] for column in columns]
    clusters = [
        {
            "cluster_id": _native(number),
            "title": _native(title),
            "description": _native(words),
            "trace_ids": keys,
        }
        for number, title, words, keys in zip(*lists, strict=False)
    ]
    properties = {"$ai_clustering_run_id": _native(row["run"]), "$ai_clusters": clusters}
    return EventRow(str(row["id"]), str(row["kind"]), _moment(row["emitted"]), properties)


def _every_fault(event: EventRow | None, error: RunUnreadable) -> RunUnreadable:
    if event is not None:
        try:
            decode_run(event)
        except RunUnreadable as whole:
            return whole
    return error
