"""The `Source` over batch-export files: every verb is one question to the `Store`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from reporter.errors import RunNotFound, RunUnreadable, SourceError
from reporter.model import (
    Call,
    Failure,
    ItemMetrics,
    Job,
    Level,
    Membership,
    Provenance,
    Run,
    RunHeader,
    Summary,
    Table,
    Totals,
    Trace,
    TraceSummary,
    Window,
)
from reporter.sources import rows as build
from reporter.sources.caveats import Caveats
from reporter.sources.decode import EventRow, decode_header, decode_membership, decode_run
from reporter.sources.export.ask import ask
from reporter.sources.export.store import Store
from reporter.sources.filters import Condition, condition_of, equality, named
from reporter.sources.jobs import JobsFile
from reporter.sources.queries import SUMMARY_EVENTS
from reporter.sources.queries import for_duckdb as queries
from reporter.sources.run_id import parse_run_id
from reporter.units import clean, count, iso, span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from reporter.sources.base import Wanted, Warn

_AT_ONCE = 60_000  # items measured ahead: those of ten jobs and their priors
_PAGE = 50_000
"""Calls read by one statement."""
_ALWAYS = Window(start=datetime.min.replace(tzinfo=UTC), end=datetime.max.replace(tzinfo=UTC))


class ExportSource:
    """PostHog batch exports on this machine, read through an embedded DuckDB; no server, no network."""

    def __init__(
        self, paths: Sequence[str], jobs_file: str | None = None, *, warn: Warn, project_id: str | None = None
    ) -> None:
        """Load the export.

        Args:
            paths: Files, folders or globs of Parquet or JSON lines (plain, ``.gz``, ``.zst``).
            jobs_file: The REST answer that lists clustering jobs, saved as JSON; ``None`` where there
                is none.
            warn: Where caveats go, each fact once.
            project_id: PostHog's project number; ``None`` to take it from the newest run id.

        Raises:
            SourceUnreadable: A file is missing, broken or something else than an export of events.
        """
        self._caveats = Caveats(warn)
        self._listed: dict[
            tuple[datetime, datetime], tuple[tuple[RunHeader, ...], tuple[RunUnreadable, ...]]
        ] = {}
        self._project_id = project_id
        self._configured = JobsFile(jobs_file)
        self._store = Store(paths)
        self._memberships: dict[str, Membership] = {}
        self._measured: dict[str, tuple[ItemMetrics, ...]] = {}
        self._totals: dict[Any, Totals] = {}
        self._described: Provenance | None = None
        if self._store.nameless:
            message = (
                f"{count(self._store.nameless)} AI events have no id or no readable time and were left out."
            )
            self._caveats.tell("events_unreadable", "", message)

    def __enter__(self) -> Self:
        """Give the source itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the source."""
        self.close()

    def close(self) -> None:
        """Forget everything that was loaded; may be called twice."""
        self._store.close()

    def ahead(self, wanted: Wanted) -> None:
        """Measure the items of many runs in one pass over the events, as many as memory is kept for."""
        room, some = _AT_ONCE, []
        for run in wanted.measured:
            room -= run.items
            if room >= 0 and isinstance(self._members_of(run.run_id), Membership):
                some.append(run)
        if len(some) > 1:
            try:
                self._measured.update(self._items(some, None))
            except SourceError:
                return  # each is measured, and may fail, by itself

    def jobs(self) -> tuple[Job, ...] | None:
        """List the jobs of the jobs file; ``None`` where none was given."""
        return self._configured.jobs()

    def job(self, job_id: str) -> Job | None:
        """Give one job of the jobs file, or ``None``."""
        return self._configured.job(job_id)

    def runs(self, since: datetime, until: datetime) -> tuple[RunHeader, ...]:
        """List run headers emitted in [since, until], newest first; see `reporter.sources.base.Source`."""
        headers, broken = self._headers(since, until)
        for error in broken:
            self._caveats.unreadable(error)
        return headers

    def broken(self, since: datetime, until: datetime) -> tuple[RunUnreadable, ...]:
        """List the runs whose header cannot be decoded; see `reporter.sources.base.Source`."""
        return self._headers(since, until)[1]

    def _headers(
        self, since: datetime, until: datetime
    ) -> tuple[tuple[RunHeader, ...], tuple[RunUnreadable, ...]]:
        """Read headers and broken runs in one pass, kept because both verbs ask for the same span."""
        known = self._listed.get((since, until))
        if known is not None:
            return known
        found = self._store.rows(
            queries.RUN_HEADERS, {"since": build.naive(since), "until": build.naive(until)}
        )
        headers: list[RunHeader] = []
        broken: list[RunUnreadable] = []
        seen: set[str] = set()
        for uuid, event, ts, properties, run_id in found:
            if run_id and run_id in seen:
                continue
            seen.add(run_id)
            try:
                headers.append(decode_header(EventRow(uuid, event, build.aware(ts), properties or "")))
            except RunUnreadable as error:
                broken.append(self._all_faults(run_id, error))
        self._listed[since, until] = answer = (tuple(headers), tuple(broken))
        return answer

    def _all_faults(self, run_id: str | None, error: RunUnreadable) -> RunUnreadable:
        """Read the whole event of a run with a broken header, so that its clusters' faults are told too."""
        row = self._run_event(run_id) if run_id else None
        if row is None:
            return error
        try:
            decode_run(row)
        except RunUnreadable as whole:
            return whole
        return error

    def run(self, run_id: str) -> Run:
        """Read one whole run, whatever its age.

        Raises:
            RunNotFound: No event carries this id.
            RunUnreadable: The event breaks the contract; all faults are listed.
        """
        row = self._run_event(run_id)
        if row is None:
            raise RunNotFound(
                "the export holds no run with this id",
                subject=clean(run_id),
                hint="List the runs there are; a run is exported with the day it was emitted on.",
            )
        return decode_run(row)

    def memberships(self, run_ids: Sequence[str]) -> Mapping[str, Membership]:
        """Give item membership per run id; unreadable or unknown runs are left out with a caveat."""
        found = {run_id: self._membership(run_id) for run_id in dict.fromkeys(run_ids)}
        return {run_id: membership for run_id, membership in found.items() if membership is not None}

    def items(
        self, runs: Sequence[RunHeader], by: str | None = None
    ) -> Mapping[str, tuple[ItemMetrics, ...]]:
        """Measure the items of each run inside that run's window.

        At evaluation level `by` is a property of the judged generation, as the figures are.
        See `reporter.sources.base.Source`.
        """
        if by is not None:
            return self._items(runs, by)
        missing = [run for run in runs if run.run_id not in self._measured]
        self._measured.update(self._items(missing, None) if missing else {})
        # Asked for once: what was given need not be kept.
        return {run_id: self._measured.pop(run_id) for run_id in {run.run_id: None for run in runs}}

    def _items(self, runs: Sequence[RunHeader], by: str | None) -> dict[str, tuple[ItemMetrics, ...]]:
        columns, joins = self._store.columns([named(by)] if by is not None else [])
        column = columns[0] if columns else "CAST(NULL AS VARCHAR)"
        measured: dict[str, list[ItemMetrics]] = {run.run_id: [] for run in runs}
        for run, row in self._asked(runs, queries.ITEMS, by=column, joins=joins):
            measured[run.run_id].append(build.item(row))
        return {run_id: tuple(sorted(found, key=build.item_order)) for run_id, found in measured.items()}

    def failures(self, runs: Sequence[RunHeader]) -> Mapping[str, tuple[Failure, ...]]:
        """Give the failed calls of each run's items, grouped by item and look, sorted by key."""
        failed: dict[str, list[tuple[Any, ...]]] = {run.run_id: [] for run in runs}
        for run, row in self._asked(runs, queries.FAILURES, joins=""):
            failed[run.run_id].append(row)
        return {run_id: build.failures(found) for run_id, found in failed.items()}

    def totals(self, window: Window, job: Job) -> Totals | None:
        """Measure the population under the job's own filters; ``None`` where a filter cannot be applied.

        A generation judged twice counts twice at evaluation level, as it does among the items.
        """
        condition = self._condition(job)
        if condition is None:
            return None
        # Jobs that filter alike share their populations.
        key = (window, job.level, condition.sql, condition.properties, tuple(condition.values.items()))
        if key not in self._totals:
            joins, sql = self._store.spell(condition)
            question = queries.TOTALS[job.level].format(joins=joins, condition=sql)
            row = self._store.rows(question, {**condition.values, **build.bounds(window)})[0]
            self._totals[key] = build.totals(row)
        return self._totals[key]

    def calls(
        self, window: Window, job: Job | None = None, run: RunHeader | None = None, by: Sequence[str] = ()
    ) -> Iterator[Call]:
        """Stream the calls of a window in order of time and uuid.

        Args:
            window: Span of time.
            job: Only calls the job's filters let through; a filter that cannot be applied is passed
                over with a caveat. At evaluation level these are the generations its evaluations judged.
            run: Only calls of this run's items.
            by: Properties whose values each call carries.

        Yields:
            Generations, embeddings and spans; at generation and evaluation level generations alone.
        """
        level = run.level if run else job.level if job else "trace"
        condition = (self._condition(job) if job else None) or Condition(sql="true", properties=(), values={})
        asked = [named(name) for name in by]
        judged = level == "evaluation"
        kept = len(condition.properties)
        columns, joins = self._store.columns([*condition.properties, *([] if judged else asked)])
        shown, more = self._store.columns(asked) if judged else (columns[kept:], "")
        passed = condition.sql.format(**{f"p{i}": column for i, column in enumerate(columns[:kept])})
        listed = f"[{', '.join(shown)}]" if by else "[]"
        question = queries.CALLS[level].format(joins=joins, condition=passed, by=listed, more=more)
        keys = None
        if run is not None:
            keys = [key if level == "trace" else event_id for key, event_id in self._keys(run)]
        values = {**condition.values, **build.bounds(window), "keys": keys, "page": _PAGE}
        after = (build.naive(window.start), "")
        users: dict[str, int] = {}
        while True:
            found = self._store.rows(question, {**values, "after_ts": after[0], "after_uuid": after[1]})
            for row in found:
                yield build.call(row[:-1], users, tuple(row[-1]))
            if len(found) < _PAGE:
                return
            after = (found[-1][2], found[-1][0])

    def traces(
        self, window: Window, filters: Mapping[str, str], limit: int, ids: Sequence[str] | None = None
    ) -> tuple[TraceSummary, ...]:
        """List traces that begin in the window and have an event matching every filter, newest first."""
        condition = equality(filters)
        joins, sql = self._store.spell(condition)
        question = queries.TRACES.format(joins=joins, condition=sql)
        values = {**condition.values, **build.bounds(window), "limit": max(0, limit), "ids": ids}
        return tuple(build.summary(row) for row in self._store.rows(question, values))

    def trace(self, trace_id: str, window: Window | None = None) -> Trace | None:
        """Read one trace (what of it lies in the window), or ``None`` if it has no event."""
        values = {"trace_id": trace_id, **build.bounds(window or _ALWAYS)}
        summaries = self._store.rows(queries.TRACE_SUMMARY, values)
        if not summaries:
            return None
        found = self._store.rows(queries.TRACE_ROWS, values)
        properties = self._store.properties([row[0] for row in found])
        events = tuple(build.trace_event(row, properties.get(row[0])) for row in found)
        return Trace(summary=build.summary(summaries[0]), events=events)

    def summaries(self, run: RunHeader, keys: Sequence[str]) -> Mapping[str, Summary]:
        """Give what PostHog's summariser wrote of items of a run, by key; the newest of each."""
        if run.level not in SUMMARY_EVENTS:
            return {}
        spelled = {key if run.level == "trace" else build.canonical(key) or key: key for key in keys}
        start, end = build.written_in(run)
        rows = self._store.written(run.level, sorted(spelled), build.naive(start), build.naive(end))
        found = build.written(rows)
        return {spelled[key]: replace(one, key=spelled[key]) for key, one in found.items() if key in spelled}

    def query(self, sql: str, values: Mapping[str, Any], limit: int) -> Table:
        """Run the user's own SELECT over ``events``.

        The view has ``uuid, event, distinct_id, timestamp, properties, person_properties``, one row a
        uuid; properties are JSON, one of them is written ``properties.$ai_model``.

        Raises:
            UsageError: The statement is no single SELECT, or the engine refuses it.
        """
        return ask(self._store, sql, values, limit)

    def describe(self) -> Provenance:
        """Say how much was read and from when; the same for every format of the same events."""
        if self._described is None:
            self._described = self._provenance()
        return self._described

    def _provenance(self) -> Provenance:
        total, first, last = self._store.rows(queries.EXTENT)[0]
        location = "no AI events"
        if total:
            days = span(iso(build.aware(first)), iso(build.aware(last) + build.SPAN_END))
            location = f"{count(total)} AI {'event' if total == 1 else 'events'}, {days} (UTC)"
        return Provenance(kind="export", location=location, project_id=self._project_id or self._team())

    def _team(self) -> str | None:
        """Give the team number of the newest run id that has one."""
        found = self._store.rows(
            queries.RUN_HEADERS,
            {"since": build.naive(_ALWAYS.start), "until": build.naive(_ALWAYS.end)},
        )
        return next((team for row in found if (team := parse_run_id(row[4] or "").team)), None)

    def _run_event(self, run_id: str) -> EventRow | None:
        found = self._store.rows(queries.RUN_EVENT, {"run_id": run_id.strip()})
        if not found:
            return None
        uuid, event, ts, properties = found[0]
        return EventRow(uuid, event, build.aware(ts), properties or "")

    def _membership(self, run_id: str) -> Membership | None:
        found = self._members_of(run_id)
        if isinstance(found, Membership):
            return found
        if found is None:
            self._caveats.tell("run_not_found", run_id, f"The export holds no run {clean(run_id)}.")
        else:
            self._caveats.unreadable(found)
        return None

    def _members_of(self, run_id: str) -> Membership | RunUnreadable | None:
        """Read a membership, or why there is none; tells nobody."""
        if run_id not in self._memberships and (row := self._run_event(run_id)) is not None:
            try:
                self._memberships[run_id] = decode_membership(row)
            except RunUnreadable as error:
                return error
        return self._memberships.get(run_id)

    def _keys(self, run: RunHeader) -> list[tuple[str, str | None]]:
        """Give a run's item keys, each with the event id it names (``None`` where it names none)."""
        membership = self._membership(run.run_id)
        clusters = membership.clusters if membership else ()
        keys = sorted({key for cluster in clusters for key in cluster.keys})
        return [(key, build.canonical(key)) for key in keys]

    def _asked(
        self, runs: Sequence[RunHeader], questions: Mapping[Level, str], **splice: str
    ) -> Iterator[tuple[RunHeader, tuple[Any, ...]]]:
        """Put one question a level about the items of all runs of it; gives (run, row without its number)."""
        for level, question in questions.items():
            asked = list({run.run_id: run for run in runs if run.level == level}.values())
            if not asked:
                continue
            self._store.want([(self._keys(run), run.window) for run in asked])
            for row in self._store.rows(question.format(**splice)):
                yield asked[row[0]], row[1:]

    def _condition(self, job: Job) -> Condition | None:
        """Spell a job's filters; ``None``, with a caveat, where one cannot be applied."""
        condition = condition_of(job.event_filters)
        # An export need not hold what is known of persons: a filter on it would then say "no traffic".
        persons = [each for each in condition.properties if each.scope == "person"] if condition else []
        if condition is not None and self._store.accepts(condition) and self._store.knows(persons):
            return condition
        name = clean(job.name, 80) or "this job"
        message = (
            f"A filter of {name} cannot be applied to an export; figures of its whole traffic are left out."
        )
        self._caveats.tell("filters_not_applied", job.id or "", message, job_id=job.id)
        return None
