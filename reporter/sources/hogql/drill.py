"""Drill-down: calls in slices of time, traces as PostHog lists and shows them, the user's own HogQL."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from reporter.errors import QuestionFailed, QuestionRefused, QuestionTooLarge, SourceError
from reporter.model import Call, Summary, Table, Trace, TraceEvent, TraceSummary, Window
from reporter.sources import rows as build
from reporter.sources.filters import named
from reporter.sources.hogql import values
from reporter.sources.hogql.ask import off_contract
from reporter.sources.hogql.pairs import in_pairs
from reporter.sources.queries.hogql import calls as questions

if TYPE_CHECKING:
    from reporter.model import Level
    from reporter.sources.hogql.reading import Reader

_Said: TypeAlias = Callable[[Sequence[str], datetime, datetime], Mapping[str, str]]
_PAGE = 20_000
_KEYS = 2_000
_SLICE = timedelta(days=1)
_SHORTEST = timedelta(minutes=5)
_LISTED = 100
"""Traces PostHog is asked for at once."""
_FETCHED = 50
"""Traces read at once: what was said in one may be megabytes."""
_MOST_ROWS = 49_999
_BEFORE, _AFTER = timedelta(days=7), timedelta(days=1)
"""How far outside a window a trace that belongs to it is looked for."""
_RECENT = timedelta(days=35)
"""PostHog keeps what was said for 30 days, so most traces asked for are not older."""
_LONGEST = timedelta(days=400)


class Drill:
    """Puts questions about calls and traces."""

    def __init__(self, reader: Reader, now: datetime) -> None:
        """Take a reader and the real time, after which nothing is looked for."""
        self._reader = reader
        self._now = now
        self._fetched: dict[tuple[str, Window], Trace | None] = {}

    # -- calls ----------------------------------------------------------------------------------------

    def calls(
        self,
        window: Window,
        level: Level,
        filters: Sequence[Mapping[str, Any]],
        keys: Sequence[str] | None,
        by: Sequence[str] = (),
    ) -> Iterator[Call]:
        """Stream calls in order of time and id; a slice that is too much is cut in two."""
        users: dict[str, int] = {}
        slices = [
            (start, min(start + _SLICE, window.end)) for start in _steps(window.start, window.end, _SLICE)
        ][::-1]
        while slices:
            start, end = slices.pop()
            try:
                found = self._slice(level, window, (start, end), filters, keys, by)
            except QuestionTooLarge:
                if end - start < 2 * _SHORTEST:
                    raise
                middle = start + (end - start) / 2
                slices += [(middle, end), (start, middle)]
                continue
            for row in found:
                held = row["grouped"] if by else ()
                yield build.call(_call(row), users, tuple(values.said(text) for text in held))

    def _slice(
        self,
        level: Level,
        window: Window,
        span: tuple[datetime, datetime],
        filters: Sequence[Mapping[str, Any]],
        keys: Sequence[str] | None,
        by: Sequence[str],
    ) -> list[Mapping[str, Any]]:
        """Read all calls of a slice, page by page."""
        found: list[Mapping[str, Any]] = []
        groups: list[Sequence[str] | None] = [None]
        if keys is not None:
            groups = [keys[first : first + _KEYS] for first in range(0, len(keys), _KEYS)]
        for group in groups:
            after: tuple[datetime, str] | None = None
            while True:
                edges = window.start, window.end
                ask = questions.calls(level, span, edges, after, _PAGE, filters, group, by)
                rows = self._reader.rows(ask)
                found += rows
                if len(rows) < _PAGE:
                    break
                last = values.moment(rows[-1]["moment"]).replace(tzinfo=UTC), str(rows[-1]["id"])
                if after is not None and last <= after:  # it would go on for ever
                    raise off_contract(self._reader.client, "calls", "a page that was asked for before")
                after = last
        if len(groups) > 1:
            unique = {str(row["id"]): row for row in found}  # a generation may have been judged in two groups
            found = sorted(unique.values(), key=lambda row: (values.moment(row["moment"]), str(row["id"])))
        return found

    # -- traces ---------------------------------------------------------------------------------------

    def traces(
        self, window: Window, filters: Mapping[str, str], limit: int, ids: Sequence[str] | None
    ) -> tuple[TraceSummary, ...]:
        """List traces: PostHog finds them, and each is measured as everywhere else in a report."""
        found: dict[str, TraceSummary] = {}
        # Without a filter there is nothing to find where ids are given.
        pages = _chunks(ids) if ids is not None and not filters else self._pages(window, filters, limit)
        wanted = None if ids is None else set(ids)
        for listed in pages:
            chosen = [one for one in listed if wanted is None or one in wanted]
            if chosen:
                for summary in self._summaries(chosen, window.start - _BEFORE, window.end + _AFTER):
                    if window.start <= summary.started_at < window.end:
                        found[summary.trace_id] = summary
            if wanted is None and len(found) >= limit:
                break
        newest = sorted(found.values(), key=lambda summary: summary.trace_id)
        newest.sort(key=lambda summary: summary.started_at, reverse=True)
        return tuple(newest[: max(0, limit)])

    def _pages(self, window: Window, filters: Mapping[str, str], limit: int) -> Iterator[list[str]]:
        """Give the ids PostHog's own trace list holds, newest first, page by page."""
        offset, more = 0, True
        seen: set[str] = set()
        while more:
            listed, more = self._listed(window, filters, min(max(limit, 1), _LISTED), offset)
            if seen.issuperset(listed):  # nothing, or nothing new
                return
            seen.update(listed)
            offset += len(listed)
            yield listed

    def _listed(
        self, window: Window, filters: Mapping[str, str], limit: int, offset: int
    ) -> tuple[list[str], bool]:
        """Ask PostHog for one page of its own trace list; gives ids and whether there are more."""
        properties = [
            {"type": each.scope, "key": each.key, "value": [text], "operator": "exact"}
            for each, text in sorted((named(name), text) for name, text in filters.items())
        ]
        answer = self._reader.client.query(
            {
                "kind": "TracesQuery",
                "dateRange": _dates(window.start, window.end),
                "properties": properties,
                "limit": limit,
                "offset": offset,
            },
            "list of traces",
        )
        results = answer.get("results")
        if not isinstance(results, list):
            raise off_contract(self._reader.client, "list of traces", "an answer without traces")
        ids = [str(one["id"]) for one in results if isinstance(one, Mapping) and one.get("id")]
        return ids, bool(answer.get("hasMore")) and bool(ids)

    def _summaries(self, trace_ids: Sequence[str], start: datetime, end: datetime) -> list[TraceSummary]:
        rows = self._reader.rows(questions.summaries(trace_ids, start, end))
        return [build.summary(_summary(row)) for row in rows]

    def trace(self, trace_id: str, window: Window | None) -> Trace | None:
        """Read one trace: figures from the events, what was said from PostHog's own answer if it has one."""
        if window is not None and (trace_id, window) in self._fetched:
            return self._fetched[trace_id, window]
        span = (window.start, window.end) if window else self._extent(trace_id)
        if span is None:
            return None
        return self._read([trace_id], span, self._answer_of).get(trace_id)

    def fetch(self, traces: Sequence[tuple[str, Window]]) -> None:
        """Read several traces at once, to be asked for by `trace`; a failure leaves each to be read alone."""
        for window in dict.fromkeys(window for _, window in traces):
            wanted = [one for one, its in traces if its == window and (one, window) not in self._fetched]
            for first in range(0, len(wanted), _FETCHED):
                some = wanted[first : first + _FETCHED]
                try:
                    found = self._read(some, (window.start, window.end), self._content_of)
                except SourceError:
                    continue
                self._fetched.update({(one, window): found.get(one) for one in some})

    def _read(
        self, trace_ids: Sequence[str], span: tuple[datetime, datetime], ask: _Said
    ) -> Mapping[str, Trace]:
        """Read traces and what was said in them, by id."""
        rows: list[Mapping[str, Any]] = []
        summaries: list[TraceSummary] = []
        said: dict[str, str] = {}

        def figures() -> None:
            summaries.extend(self._summaries(trace_ids, *span))
            rows.extend(self._reader.rows(questions.trace_rows(trace_ids, *span)))

        def content() -> None:
            try:
                said.update(ask(trace_ids, *span))
            except (QuestionRefused, QuestionFailed, QuestionTooLarge):
                return  # the figures stand without it

        in_pairs([figures, content])
        events: defaultdict[str, list[TraceEvent]] = defaultdict(list)
        for row in rows:
            events[str(row["trace"])].append(build.trace_event(_event(row), _spoken(row, said)))
        return {one.trace_id: Trace(summary=one, events=tuple(events[one.trace_id])) for one in summaries}

    def _extent(self, trace_id: str) -> tuple[datetime, datetime] | None:
        """Find when a trace happened: lately, else at any time PostHog keeps events for."""
        for length in (_RECENT, _LONGEST):
            ask = questions.extent(trace_id, self._now - length, self._now + _AFTER)
            for row in self._reader.rows(ask):
                if values.whole(row["events"]):
                    first, last = (values.moment(row[name]).replace(tzinfo=UTC) for name in ("first", "last"))
                    return first, last + timedelta(microseconds=1)
        return None

    def _answer_of(self, trace_ids: Sequence[str], start: datetime, end: datetime) -> dict[str, str]:
        """Ask PostHog for single traces as its own screen does; properties as JSON text by event id."""
        said: dict[str, str] = {}
        for trace_id in trace_ids:
            question = {"kind": "TraceQuery", "traceId": trace_id, "dateRange": _dates(start, end)}
            results = self._reader.client.query(question, "one trace").get("results")
            for trace in results if isinstance(results, list) else ():
                for event in (trace.get("events") if isinstance(trace, Mapping) else None) or ():
                    if isinstance(event, Mapping) and isinstance(event.get("properties"), Mapping):
                        said[str(event.get("id"))] = json.dumps(event["properties"])
        return said

    def _content_of(self, trace_ids: Sequence[str], start: datetime, end: datetime) -> dict[str, str]:
        """Ask what was said in several traces; properties as JSON text by event id."""
        said: dict[str, str] = {}
        for row in self._reader.rows(questions.content(trace_ids, start, end)):
            held = {f"$ai_{name}": _json(row[name]) for name in questions.CONTENT_COLUMNS[1:] if row[name]}
            said[str(row["id"])] = json.dumps(held)
        return said

    def written(
        self, level: Level, keys: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, Summary]:
        """Read what the summariser wrote of items, by key."""
        found: list[tuple[str, str | None, str | None]] = []
        for first in range(0, len(keys), _KEYS):
            for row in self._reader.rows(questions.written(level, keys[first : first + _KEYS], start, end)):
                item = values.word(row["item"]) or ""
                key = item if level == "trace" else item.lower()
                found.append((key, values.word(row["title"]), values.word(row["bullets"])))
        return build.written(found)

    # -- the user's own question ------------------------------------------------------------------------

    def query(self, sql: str, values_: Mapping[str, Any], limit: int) -> Table:
        """Run the user's own statement, wrapped so that its rows are bounded and a cut shows."""
        limit = max(0, min(limit, _MOST_ROWS))
        answer = self._reader.client.query(
            {
                "kind": "HogQLQuery",
                # The statement is the user's own, and PostHog is the one to judge it.
                "query": f"SELECT * FROM (\n{sql.strip().rstrip(';')}\n) LIMIT {limit + 1}",  # noqa: S608
                "values": dict(values_),
                "modifiers": {"convertToProjectTimezone": False},
            },
            "query",
        )
        if answer.get("error"):
            raise QuestionRefused(str(answer["error"])[:500])
        columns, rows = answer.get("columns"), answer.get("results")
        if not isinstance(columns, list) or not isinstance(rows, list):
            raise off_contract(self._reader.client, "query", "an answer without rows")
        kept = tuple(tuple(row) if isinstance(row, list) else (row,) for row in rows[:limit])
        return Table(tuple(map(str, columns)), kept, truncated=len(rows) > limit)


def _chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    for first in range(0, len(ids), _KEYS):
        yield list(ids[first : first + _KEYS])


def _steps(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    while start < end:
        yield start
        start += step


def _dates(start: datetime, end: datetime) -> dict[str, Any]:
    first, last = (moment.astimezone(UTC).isoformat().replace("+00:00", "Z") for moment in (start, end))
    return {"date_from": first, "date_to": last, "explicitDate": True}


def _call(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give a row of `queries.hogql.calls.calls` as `rows.call` takes it."""
    return (
        str(row["id"]),
        str(row["kind"]),
        values.moment(row["moment"]),
        row["trace"] or None,
        values.word(row["model"]),
        values.word(row["provider"]),
        values.figure(row["cost"]),
        values.figure(row["latency"]),
        values.figure(row["tokens_in"]),
        values.figure(row["tokens_out"]),
        values.flag(row["bad"]),
        values.figure(row["http_status"]),
        values.word(row["error"]) if values.flag(row["bad"]) else None,
        row["who"],
    )


def _summary(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        str(row["trace"]),
        values.word(row["name"]),
        values.moment(row["began"]),
        values.figure(row["latency"]),
        values.money([(row["cost_whole"], row["cost_rest"], row["cost_plain"])]),
        values.figure(row["tokens_in"]),
        values.figure(row["tokens_out"]),
        values.whole(row["errors"]),
        values.whole(row["events"]),
    )


def _event(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        str(row["id"]),
        str(row["kind"]),
        values.moment(row["moment"]),
        values.word(row["model"]),
        values.word(row["provider"]),
        values.figure(row["latency"]),
        values.figure(row["cost"]),
        values.figure(row["tokens_in"]),
        values.figure(row["tokens_out"]),
        values.flag(row["bad"]),
        values.word(row["error"]) if values.flag(row["bad"]) else None,
    )


def _spoken(row: Mapping[str, Any], said: Mapping[str, str]) -> str:
    """Give an event's properties: what was said, and the names the events table holds."""
    names = {
        "$ai_span_id": "span",
        "$ai_parent_id": "parent",
        "$ai_generation_id": "generation",
        "$ai_span_name": "span_name",
        "$ai_trace_name": "trace_name",
    }
    kept = {name: word for name, column in names.items() if (word := values.word(row[column]))}
    held = _json(said.get(str(row["id"])) or "{}")
    return json.dumps({**kept, **held} if isinstance(held, dict) else kept)


def _json(text: Any) -> Any:
    """Read a text that may be JSON."""
    try:
        return json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return text
