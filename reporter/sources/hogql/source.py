"""A `Source` over whoever answers HogQL: what was announced is asked in few requests, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import urlsplit

from reporter.errors import QuestionRefused, RunNotFound, RunUnreadable, SourceError, UsageError
from reporter.model import (
    Call,
    Failure,
    ItemMetrics,
    Job,
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
from reporter.sources.base import Wanted
from reporter.sources.caveats import Caveats
from reporter.sources.decode import EventRow, decode_run
from reporter.sources.hogql.ask import Asker
from reporter.sources.hogql.asked import Asked, population_key
from reporter.sources.hogql.drill import Drill
from reporter.sources.hogql.pairs import in_pairs
from reporter.sources.hogql.reading import Listed, Outcome, Reader
from reporter.sources.queries import SUMMARY_EVENTS
from reporter.sources.queries.hogql import runs as run_questions
from reporter.sources.rows import canonical, written_in
from reporter.sources.run_id import parse_run_id
from reporter.sources.times import parse_instant
from reporter.units import clean

if TYPE_CHECKING:
    from types import TracebackType

FIRST_RUNS = datetime(2025, 10, 1, tzinfo=UTC)
"""PostHog had no clusters before this."""
_DAY = timedelta(days=1)


class Configured(Protocol):
    """The jobs as somebody configured them."""

    def fetch(self) -> None:
        """Read them, where that is not done yet; never raises."""

    def jobs(self) -> tuple[Job, ...] | None:
        """Give the list; ``None`` where it is not known."""

    def job(self, job_id: str) -> Job | None:
        """Give one job, or ``None``."""


class HogqlSource:
    """Everything a `Source` answers, asked as HogQL."""

    def __init__(
        self, client: Asker, configured: Configured, caveats: Caveats, *, kind: str, now: datetime
    ) -> None:
        """Take who is asked; nothing is asked yet.

        Args:
            client: Whom to ask, about which project.
            configured: Who knows the jobs.
            caveats: Where caveats go, each fact once.
            kind: What kind of place it is, as `Provenance` names it.
            now: The real time, aware: nothing is looked for after it.
        """
        self._client = client
        self._kind = kind
        self._caveats = caveats
        self._now = now
        self._reader = Reader(client, cached=self._from_cache)
        self._configured = configured
        self._drill = Drill(self._reader, now)
        self._asked = Asked(self._reader)

    def __enter__(self) -> Self:
        """Give the source itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the source."""
        self.close()

    def close(self) -> None:
        """Close all connections; may be called twice."""
        self._client.close()

    def ahead(self, wanted: Wanted) -> None:
        """Ask for everything announced that is not known yet, two requests at a time."""
        if wanted.listed is not None and wanted.listed not in self._asked.listed:
            in_pairs([partial(self._asked.list_runs, wanted.listed), self._configured.fetch])
        self._asked.ahead(wanted)
        if wanted.traces:
            self._drill.fetch(wanted.traces)

    # -- verbs ----------------------------------------------------------------------------------------

    def jobs(self) -> tuple[Job, ...] | None:
        """List clustering jobs as configured; ``None``, with a caveat, where the key may not read them."""
        return self._configured.jobs()

    def job(self, job_id: str) -> Job | None:
        """Give one configured job, or ``None``."""
        return self._configured.job(job_id)

    def runs(self, since: datetime, until: datetime) -> tuple[RunHeader, ...]:
        """List run headers emitted in [since, until], newest first; see `reporter.sources.base.Source`."""
        listed = self._listing(since, until)
        for error in listed.broken:
            self._caveats.unreadable(error)
        return listed.headers

    def broken(self, since: datetime, until: datetime) -> tuple[RunUnreadable, ...]:
        """List the runs whose header cannot be decoded; see `reporter.sources.base.Source`."""
        return self._listing(since, until).broken

    def _listing(self, since: datetime, until: datetime) -> Listed:
        if (since, until) not in self._asked.listed:
            self._asked.list_runs((since, until))
        outcome = self._asked.listed[since, until]
        if isinstance(outcome, SourceError):
            raise outcome
        return outcome

    def run(self, run_id: str) -> Run:
        """Read one whole run, whatever its age; one that was not listed is looked for by its id.

        Raises:
            RunNotFound: No event carries this id.
            RunUnreadable: The event breaks the contract; all faults are listed.
        """
        header = self._asked.headers.get(run_id)
        if header is not None and run_id not in self._asked.whole:
            self._asked.read_whole([header])
        outcome = self._asked.whole.get(run_id) or self._found(run_id)
        if outcome is None:
            raise RunNotFound(
                f"{self._client.system} holds no run with this id",
                subject=clean(run_id),
                hint="`reporter runs` lists the runs there are; check --project-id.",
            )
        run = decode_run(_value(outcome))
        self._asked.remember([run.header])
        return run

    def _found(self, run_id: str) -> EventRow | None:
        """Look for a run by its id: about the time the id names, then at any time."""
        moment = parse_run_id(run_id).moment
        spans = [(FIRST_RUNS, self._now + _DAY)]
        if moment is not None:
            spans.insert(0, (moment - _DAY, moment + 3 * _DAY))
        for span in spans:
            for row in self._reader.rows(run_questions.run_by_id(run_id.strip(), *span)):
                event = EventRow(
                    str(row["id"]), str(row["kind"]), parse_instant(row["emitted"]) or self._now, row["whole"]
                )
                self._asked.whole[run_id] = event
                return event
        return None

    def memberships(self, run_ids: Sequence[str]) -> Mapping[str, Membership]:
        """Give item membership per run id; unreadable or unknown runs are left out with a caveat."""
        asked = list(dict.fromkeys(run_ids))
        for run_id in asked:
            if run_id not in self._asked.headers and run_id not in self._asked.members:
                self._look_up(run_id)
        unread = [run_id for run_id in asked if run_id not in self._asked.members]
        missing = [self._asked.headers[run_id] for run_id in unread if run_id in self._asked.headers]
        if missing:
            self._asked.read_members(missing)
        found: dict[str, Membership] = {}
        for run_id in asked:
            outcome = self._asked.members.get(run_id)
            if isinstance(outcome, Membership):
                found[run_id] = outcome
            elif isinstance(outcome, RunUnreadable):
                self._caveats.unreadable(outcome)
            elif outcome is None:
                self._caveats.tell(
                    "run_not_found", run_id, f"{self._client.system} holds no run {clean(run_id)}."
                )
            else:
                message = (
                    f"Run {clean(run_id)} could not be read and was left out: {clean(outcome.message, 300)}"
                )
                self._caveats.tell("run_unreadable", run_id, message)
        return found

    def _look_up(self, run_id: str) -> None:
        """Learn the header of a run that was not listed."""
        try:
            self.run(run_id)
        except RunNotFound:
            return
        except RunUnreadable as error:
            self._asked.members[run_id] = error

    def items(
        self, runs: Sequence[RunHeader], by: str | None = None
    ) -> Mapping[str, tuple[ItemMetrics, ...]]:
        """Measure the items of each run inside that run's window; see `reporter.sources.base.Source`."""
        if by is not None:
            found = self._asked.measure_by(runs, by)
            return {run.run_id: _value(found[run.run_id]) for run in runs}
        missing = [run for run in runs if run.run_id not in self._asked.items]
        if missing:
            self._asked.measure(missing)
        return {run.run_id: _value(self._asked.items[run.run_id]) for run in runs}

    def failures(self, runs: Sequence[RunHeader]) -> Mapping[str, tuple[Failure, ...]]:
        """Give the failed calls of each run's items, grouped by item and look, sorted by key."""
        missing = [run for run in runs if run.run_id not in self._asked.failures]
        if missing:
            self._asked.fail(missing)
        return {run.run_id: _value(self._asked.failures[run.run_id]) for run in runs}

    def totals(self, window: Window, job: Job) -> Totals | None:
        """Measure the population under the job's own filters; ``None``, with a caveat, where that fails."""
        key = population_key(window, job)
        if key not in self._asked.totals:
            self._asked.populate([(window, job)])
        outcome = self._asked.totals[key]
        if isinstance(outcome, Totals):
            return outcome
        name = clean(job.name, 80) or "this job"
        if isinstance(outcome, QuestionRefused):
            message = (
                f"A filter of {name} cannot be applied; figures of its whole traffic are left out "
                f"({clean(outcome.message, 200)})."
            )
            self._caveats.tell("filters_not_applied", job.id or "", message, job_id=job.id)
        else:
            message = f"The whole traffic of {name} could not be measured: {clean(outcome.message, 300)}"
            self._caveats.tell("population_unknown", job.id or "", message, job_id=job.id)
        return None

    def calls(
        self, window: Window, job: Job | None = None, run: RunHeader | None = None, by: Sequence[str] = ()
    ) -> Iterator[Call]:
        """Stream the calls of a window in order of time and uuid, a slice of it at a time."""
        level = run.level if run else job.level if job else "trace"
        keys = None
        if run is not None:
            self._asked.remember([run])
            membership = self.memberships([run.run_id]).get(run.run_id)
            listed = {key for c in (membership.clusters if membership else ()) for key in c.keys}
            if level != "trace":  # PostHog spells ids of events its own way
                listed = {event_id for key in listed if (event_id := canonical(key))}
            keys = sorted(listed)
        filters = job.event_filters if job else ()
        try:
            yield from self._drill.calls(window, level, filters, keys, by)
        except QuestionRefused as error:
            if not filters:
                raise
            name = clean(job.name, 80) if job else ""
            message = (
                f"A filter of {name or 'this job'} cannot be applied and was passed over ({error.message})."
            )
            self._caveats.tell("filters_not_applied", (job.id if job else "") or "", message)
            yield from self._drill.calls(window, level, (), keys, by)

    def traces(
        self, window: Window, filters: Mapping[str, str], limit: int, ids: Sequence[str] | None = None
    ) -> tuple[TraceSummary, ...]:
        """List traces that begin in the window and have an event matching every filter, newest first."""
        return self._drill.traces(window, filters, limit, ids)

    def trace(self, trace_id: str, window: Window | None = None) -> Trace | None:
        """Read one trace (what of it lies in the window), or ``None`` if it has no event."""
        return self._drill.trace(trace_id, window)

    def summaries(self, run: RunHeader, keys: Sequence[str]) -> Mapping[str, Summary]:
        """Give what PostHog's summariser wrote of items of a run, by key; the newest of each."""
        if run.level not in SUMMARY_EVENTS:
            return {}
        spelled = {key if run.level == "trace" else canonical(key) or key: key for key in keys}
        found = self._drill.written(run.level, sorted(spelled), *written_in(run))
        return {spelled[key]: replace(one, key=spelled[key]) for key, one in found.items() if key in spelled}

    def query(self, sql: str, values: Mapping[str, Any], limit: int) -> Table:
        """Run the user's own HogQL; ``{name}`` stands for a value.

        Raises:
            UsageError: PostHog refuses the statement.
        """
        try:
            return self._drill.query(sql, values, limit)
        except QuestionRefused as error:
            hint = "Ask with one HogQL SELECT over events; give it a LIMIT and bound its timestamp."
            raise UsageError(f"the query was refused: {error.message}", hint=hint) from error

    def describe(self) -> Provenance:
        """Name the host and the project."""
        parts = urlsplit(self._client.host)
        return Provenance(
            kind=self._kind, location=f"{parts.netloc}{parts.path}", project_id=self._client.project_id
        )

    # -- caveats --------------------------------------------------------------------------------------

    def _from_cache(self) -> None:
        message = "PostHog answered from its cache although it was asked not to; figures may be hours old."
        self._caveats.tell("cached_answer", "", message)


def _value(outcome: Outcome[Any]) -> Any:
    if isinstance(outcome, SourceError):
        raise outcome
    return outcome
