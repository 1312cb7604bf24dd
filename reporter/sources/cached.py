"""A `Source` around a distant one, which keeps on this machine what it need not be asked twice.

A run, once emitted, never changes: it and its membership are kept for good, under the emission's own id. What
is measured over a window may still change while events arrive late: it is kept as `_is_settled` says. Lists,
single traces and the user's own queries are always asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from reporter import __version__
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
from reporter.sources.base import Source, Wanted
from reporter.state.entries import Entries, Entry, Kind

T = TypeVar("T")

SETTLED = timedelta(hours=24)
"""So long after a window's end events no longer arrive."""
CALM = timedelta(hours=1)
"""So long after a window's end nearly all have arrived: good enough until all have."""

# Another release may decode the same event otherwise. Between releases the number says so.
_VERSION = f"{__version__}+1"
_RUN = Kind("run", _VERSION, Run)
_MEMBERSHIP = Kind("membership", _VERSION, Membership)
_ITEMS = Kind("items", f"{__version__}+2", tuple[ItemMetrics, ...])
_FAILURES = Kind("failures", _VERSION, tuple[Failure, ...])
_TOTALS = Kind("totals", _VERSION, Totals)


class CachedSource:
    """Answers what the source inside answers, and asks it only for what is not kept.

    Errors and caveats of the source inside go where they always go; nothing is kept of what failed.
    """

    def __init__(
        self,
        inner: Source,
        entries: Entries,
        *,
        clock: Callable[[], datetime],
        anew: Callable[[], None] | None = None,
    ) -> None:
        """Wrap a source.

        Args:
            inner: The source to ask. It is closed with this one.
            entries: What is kept of this source, and of no other.
            clock: Gives the present moment, aware UTC.
            anew: Called once, when `ahead` meets something of a run that is not kept, before it is asked for.
        """
        self._inner = inner
        self._entries = entries
        self._clock = clock
        self._anew = anew
        # The source inside may answer from what it fetched ahead; no answer is older than this.
        self._opened = clock()
        self._newest: dict[str, RunHeader] = {}
        self._at_hand: dict[tuple[str, str], Entry[Any]] = {}

    def ahead(self, wanted: Wanted) -> None:
        """Pass on what is not kept, in one call; none where everything is."""
        self._note((*wanted.whole, *wanted.members, *wanted.measured))
        left = Wanted(
            listed=wanted.listed,
            whole=tuple(run for run in wanted.whole if self._emitted(_RUN, run.run_id) is None),
            members=tuple(run for run in wanted.members if self._emitted(_MEMBERSHIP, run.run_id) is None),
            measured=tuple(
                run
                for run in wanted.measured
                if self._measured(_ITEMS, run) is None or self._measured(_FAILURES, run) is None
            ),
            populations=tuple(
                (window, job)
                for window, job in wanted.populations
                if self._figure(_TOTALS, _population(window, job), window) is None
            ),
            traces=wanted.traces,
        )
        if self._anew is not None and (left.whole or left.members or left.measured):
            self._anew()
            self._anew = None
        if left != Wanted():
            self._inner.ahead(left)

    def jobs(self) -> tuple[Job, ...] | None:
        """Ask for the jobs as configured."""
        return self._inner.jobs()

    def job(self, job_id: str) -> Job | None:
        """Ask for one configured job."""
        return self._inner.job(job_id)

    def runs(self, since: datetime, until: datetime) -> tuple[RunHeader, ...]:
        """Ask for run headers; only they tell which emission of a run is its newest."""
        headers = self._inner.runs(since, until)
        self._note(headers)
        return headers

    def broken(self, since: datetime, until: datetime) -> tuple[RunUnreadable, ...]:
        """Ask for the runs whose header cannot be decoded."""
        return self._inner.broken(since, until)

    def run(self, run_id: str) -> Run:
        """Give one whole run; a kept one only where its header is known.

        Raises:
            RunNotFound: No event carries this id.
            RunUnreadable: The event breaks the contract; all faults are listed.
        """
        kept = self._emitted(_RUN, run_id)
        if kept is not None:
            return kept.value
        run = self._inner.run(run_id)
        self._note((run.header,))
        self._keep(_RUN, _emission(run.header), run)
        return run

    def memberships(self, run_ids: Sequence[str]) -> Mapping[str, Membership]:
        """Give memberships, asking at once for those not kept; see `reporter.sources.base.Source`."""
        asked = dict.fromkeys(run_ids)
        kept = {run_id: self._emitted(_MEMBERSHIP, run_id) for run_id in asked}
        missing = [run_id for run_id, entry in kept.items() if entry is None]
        found = {run_id: entry.value for run_id, entry in kept.items() if entry is not None}
        if missing:
            found.update(self._inner.memberships(missing))
            for run_id in missing:
                header = self._newest.get(run_id)
                if header is not None and run_id in found:
                    self._keep(_MEMBERSHIP, _emission(header), found[run_id])
        return {run_id: found[run_id] for run_id in asked if run_id in found}

    def items(
        self, runs: Sequence[RunHeader], by: str | None = None
    ) -> Mapping[str, tuple[ItemMetrics, ...]]:
        """Give the items of runs, asking at once for those not kept; always asked for where grouped."""
        if by is not None:
            return self._inner.items(runs, by)
        return self._figures(_ITEMS, runs, self._inner.items)

    def failures(self, runs: Sequence[RunHeader]) -> Mapping[str, tuple[Failure, ...]]:
        """Give the failed calls of runs, asking at once for those not kept."""
        return self._figures(_FAILURES, runs, self._inner.failures)

    def totals(self, window: Window, job: Job) -> Totals | None:
        """Give the population; one that cannot be measured is asked for again each time."""
        key = _population(window, job)
        kept = self._figure(_TOTALS, key, window)
        if kept is not None:
            return kept.value
        totals = self._inner.totals(window, job)
        if totals is not None:
            self._keep(_TOTALS, key, totals, window)
        return totals

    def calls(
        self, window: Window, job: Job | None = None, run: RunHeader | None = None, by: Sequence[str] = ()
    ) -> Iterator[Call]:
        """Ask for the calls of a window."""
        return self._inner.calls(window, job, run, by)

    def traces(
        self, window: Window, filters: Mapping[str, str], limit: int, ids: Sequence[str] | None = None
    ) -> tuple[TraceSummary, ...]:
        """Ask for the traces of a window."""
        return self._inner.traces(window, filters, limit, ids)

    def trace(self, trace_id: str, window: Window | None = None) -> Trace | None:
        """Ask for one trace."""
        return self._inner.trace(trace_id, window)

    def summaries(self, run: RunHeader, keys: Sequence[str]) -> Mapping[str, Summary]:
        """Ask what was written of items."""
        return self._inner.summaries(run, keys)

    def query(self, sql: str, values: Mapping[str, Any], limit: int) -> Table:
        """Put the user's own query."""
        return self._inner.query(sql, values, limit)

    def describe(self) -> Provenance:
        """Say where the data came from: what is kept came from there too."""
        return self._inner.describe()

    def close(self) -> None:
        """Close the source inside."""
        self._inner.close()

    def _note(self, headers: Iterable[RunHeader]) -> None:
        """Remember each run's newest emission."""
        for header in headers:
            known = self._newest.get(header.run_id)
            if known is None or header.emitted_at >= known.emitted_at:
                self._newest[header.run_id] = header

    def _emitted(self, kind: Kind[T], run_id: str) -> Entry[T] | None:
        """Find what is kept of a run's newest emission; ``None`` also where that is not known."""
        header = self._newest.get(run_id)
        return None if header is None else self._find(kind, _emission(header))

    def _measured(self, kind: Kind[T], run: RunHeader) -> Entry[T] | None:
        return self._figure(kind, _measure(run), run.window)

    def _figure(self, kind: Kind[T], key: str | None, window: Window) -> Entry[T] | None:
        """Find what is kept of a figure over a window, as long as it may be used."""
        entry = self._find(kind, key)
        usable = entry is not None and _is_settled(entry.read_at, window.end, self._clock())
        return entry if usable else None

    def _figures(
        self,
        kind: Kind[tuple[T, ...]],
        runs: Sequence[RunHeader],
        ask: Callable[[Sequence[RunHeader]], Mapping[str, tuple[T, ...]]],
    ) -> Mapping[str, tuple[T, ...]]:
        asked = {run.run_id: run for run in runs}
        kept = {run_id: self._measured(kind, run) for run_id, run in asked.items()}
        missing = [asked[run_id] for run_id, entry in kept.items() if entry is None]
        found = {run_id: entry.value for run_id, entry in kept.items() if entry is not None}
        if missing:
            found.update(ask(missing))
            for run in missing:
                if run.run_id in found:
                    self._keep(kind, _measure(run), found[run.run_id], run.window)
        return {run_id: found[run_id] for run_id in asked if run_id in found}

    def _find(self, kind: Kind[T], key: str | None) -> Entry[T] | None:
        """Find an entry; once read it stays at hand, for `ahead` and the verb after it both look."""
        if key is None:
            return None
        entry = cast("Entry[T] | None", self._at_hand.get((kind.name, key)))
        if entry is None:
            entry = self._entries.read(kind, key)
            if entry is not None:
                self._at_hand[kind.name, key] = entry
        return entry

    def _keep(self, kind: Kind[T], key: str | None, value: T, window: Window | None = None) -> None:
        """Keep an answer, unless it is a figure read too early to be used ever again."""
        # The clock may have been put right since this was opened; an answer has told.
        read_at = min(self._opened, self._clock())
        if key is None or (window is not None and read_at - window.end < CALM):
            return
        self._at_hand[kind.name, key] = Entry(value, read_at)
        self._entries.write(kind, key, value, read_at)


def _is_settled(read_at: datetime, end: datetime, now: datetime) -> bool:
    """Tell whether figures over a window may be used again.

    They may for good once all events had arrived when they were read, and until then if nearly all had.
    Figures read later than now are not trusted: a clock was put back.

    Args:
        read_at: When they were read.
        end: The window's end.
        now: The present moment.
    """
    # Differences, for nothing can be added to the last moments a time can hold.
    age = read_at - end
    return read_at <= now and (age >= SETTLED or (age >= CALM and now - end < SETTLED))


def _emission(header: RunHeader) -> str:
    return json.dumps([header.run_id, header.event_uuid])


def _measure(run: RunHeader) -> str:
    return json.dumps([run.run_id, run.event_uuid, *_bounds(run.window)])


def _population(window: Window, job: Job) -> str | None:
    """Name a population; ``None`` where the filters are nothing JSON can hold, as no server sends them."""
    try:
        return json.dumps(
            [*_bounds(window), job.level, job.id, job.event_filters], sort_keys=True, allow_nan=False
        )
    except (TypeError, ValueError, RecursionError):
        return None


def _bounds(window: Window) -> tuple[str, str]:
    return window.start.isoformat(), window.end.isoformat()
