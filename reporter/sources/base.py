"""The questions a data source answers.

One protocol for all adapters; `analysis` and `pipeline` know no other way to data. User ids never
leave a source: only counts and ordinals do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from reporter.errors import RunUnreadable
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
from reporter.report import Caveat

Warn: TypeAlias = Callable[[Caveat], None]
"""Where a source leaves what a reader must know; called once a fact."""

RUN_EVENTS: Mapping[str, str] = {
    "$ai_trace_clusters": "trace",
    "$ai_generation_clusters": "generation",
    "$ai_evaluation_clusters": "evaluation",
}
"""Cluster events and the level each stands for where the level property is missing."""

CALL_EVENTS = ("$ai_generation", "$ai_embedding", "$ai_span")
"""Events whose cost, latency, tokens and errors count. ``$ai_trace`` is never added."""

PERSON = "person."
"""Begins the name of a property of the event's user (``person.plan``); other names are the event's own."""

TEXT_LIMIT = 500
"""Characters kept of an error text."""

MAX_FIGURE = 1e15
"""The largest cost, latency, number of tokens or coordinate that is believed; one beyond it is unknown.

Nobody's items, nor all of a window, come near it; one such figure would be the whole report, and sums of
squares of much larger ones leave the range of numbers.
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What will be asked next, told at once so that a distant source answers it in few round trips."""

    listed: tuple[datetime, datetime] | None = None
    """Span of `Source.jobs`, `Source.runs` and `Source.broken`."""
    whole: tuple[RunHeader, ...] = ()
    """Runs for `Source.run`."""
    members: tuple[RunHeader, ...] = ()
    """Runs for `Source.memberships`."""
    measured: tuple[RunHeader, ...] = ()
    """Runs for `Source.items` (without a grouping property) and `Source.failures`."""
    populations: tuple[tuple[Window, Job], ...] = ()
    """Arguments of `Source.totals`."""
    traces: tuple[tuple[str, Window], ...] = ()
    """Arguments of `Source.trace`."""


class Source(Protocol):
    """A place PostHog's events can be read from.

    Every verb raises `reporter.errors.SourceError` (or a child) when the source fails as a whole.
    Adapters answer equally for equal events, whatever their order, and return rows sorted by key.
    """

    def ahead(self, wanted: Wanted) -> None:
        """Fetch what will be asked next; a source that is near does nothing.

        Never raises for a part that fails: the verb that asks for that part raises instead. Verbs answer the
        same whether or not they were announced.
        """

    def jobs(self) -> tuple[Job, ...] | None:
        """List clustering jobs as configured; ``None`` where the source knows no configuration."""

    def job(self, job_id: str) -> Job | None:
        """Give one configured job, or ``None``."""

    def runs(self, since: datetime, until: datetime) -> tuple[RunHeader, ...]:
        """List run headers emitted in [since, until], newest first.

        One header a run id (the newest emission). A header that cannot be decoded is skipped with a
        caveat (code ``run_unreadable``) that names it.
        """

    def broken(self, since: datetime, until: datetime) -> tuple[RunUnreadable, ...]:
        """List the runs emitted in [since, until] whose header cannot be decoded, newest first.

        Each holds all faults of its event and, as far as they can be read, its job and level, so that a
        job does not vanish with its only run.
        """

    def run(self, run_id: str) -> Run:
        """Read one whole run, whatever its age.

        Raises:
            RunNotFound: No event carries this id.
            RunUnreadable: The event breaks the contract; all faults are listed.
        """

    def memberships(self, run_ids: Sequence[str]) -> Mapping[str, Membership]:
        """Give item membership per run id; unreadable or unknown runs are left out with a caveat."""

    def items(
        self, runs: Sequence[RunHeader], by: str | None = None
    ) -> Mapping[str, tuple[ItemMetrics, ...]]:
        """Measure the items of each run inside that run's window.

        Args:
            runs: Runs to measure, as `runs` lists them: to one source, a run id has one window.
            by: Name of a property (`PERSON`); rows are then one per item and value of it.

        Returns:
            Run id → rows sorted by key (then by value); an item without any AI event has no row.
        """

    def failures(self, runs: Sequence[RunHeader]) -> Mapping[str, tuple[Failure, ...]]:
        """Give the failed calls of each run's items, grouped by item and look, sorted by key."""

    def totals(self, window: Window, job: Job) -> Totals | None:
        """Measure the population under the job's own filters; ``None`` where a filter cannot be applied."""

    def calls(
        self, window: Window, job: Job | None = None, run: RunHeader | None = None, by: Sequence[str] = ()
    ) -> Iterator[Call]:
        """Stream AI events of a window in time order, optionally only those of a run's items.

        Each carries its values of the properties named by `by` (`PERSON`).
        """

    def traces(
        self, window: Window, filters: Mapping[str, str], limit: int, ids: Sequence[str] | None = None
    ) -> tuple[TraceSummary, ...]:
        """List traces that begin in the window and have an event matching every property filter.

        With `ids` only those among them.
        """

    def trace(self, trace_id: str, window: Window | None = None) -> Trace | None:
        """Read one trace, or ``None`` if it has no event."""

    def summaries(self, run: RunHeader, keys: Sequence[str]) -> Mapping[str, Summary]:
        """Give what PostHog's summariser wrote of some items of a run, by key; the newest of each.

        It writes about traces and generations only, and an item may have none.
        """

    def query(self, sql: str, values: Mapping[str, Any], limit: int) -> Table:
        """Run the user's own query, bounded to `limit` rows."""

    def describe(self) -> Provenance:
        """Say what was read and from where."""

    def close(self) -> None:
        """Release files and connections."""
