"""What was asked of PostHog in one run of the program: each outcome kept, value or error, and asked once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from reporter.errors import SourceError
from reporter.model import Failure, ItemMetrics, Job, Membership, RunHeader, Totals, Window
from reporter.sources.base import Wanted
from reporter.sources.decode import EventRow
from reporter.sources.hogql.pairs import in_pairs
from reporter.sources.hogql.reading import (
    Listed,
    Outcome,
    Reader,
    keyed,
    member_batches,
    part_of,
    whole_batches,
)
from reporter.sources.queries.hogql.items import Part


class Asked:
    """Outcomes by run id; an attribute is filled by the method that names it."""

    def __init__(self, reader: Reader) -> None:
        """Begin without any."""
        self._reader = reader
        self._odd: set[str] = set()
        self.listed: dict[tuple[datetime, datetime], Outcome[Listed]] = {}
        self.headers: dict[str, RunHeader] = {}
        self.whole: dict[str, Outcome[EventRow]] = {}
        self.members: dict[str, Outcome[Membership]] = {}
        self.items: dict[str, Outcome[tuple[ItemMetrics, ...]]] = {}
        self.failures: dict[str, Outcome[tuple[Failure, ...]]] = {}
        self.totals: dict[tuple[Window, str], Outcome[Totals]] = {}

    def ahead(self, wanted: Wanted) -> None:
        """Ask for everything about runs that was announced and is not known yet, two requests at a time."""
        self.remember((*wanted.whole, *wanted.members, *wanted.measured))
        measured = [header for header in wanted.measured if header.run_id not in self.items]
        populations = [asked for asked in wanted.populations if population_key(*asked) not in self.totals]
        whole = [header for header in wanted.whole if header.run_id not in self.whole]
        members = [header for header in wanted.members if header.run_id not in self.members]
        self.know_keys(measured)
        # The slow ones first, beside one another.
        tasks: list[Callable[[], None]] = []
        if measured:
            parts = self._parts(measured)
            tasks += [partial(self._measure, parts), partial(self._fail, parts)]
        tasks += [partial(self.populate, group) for group in _alike(populations)]
        tasks += [partial(self.read_whole, batch) for batch in whole_batches(whole)]
        tasks += [partial(self.read_members, batch) for batch in member_batches(members)]
        in_pairs(tasks)

    def list_runs(self, span: tuple[datetime, datetime]) -> None:
        """List the runs emitted in a span, both ends included."""
        outcome: Outcome[Listed]
        try:
            outcome = self._reader.listed(*span)
        except SourceError as error:
            outcome = error
        else:
            self._odd.update(outcome.odd)
            self.remember(outcome.headers)
        self.listed[span] = outcome

    def remember(self, headers: Sequence[RunHeader]) -> None:
        """Note headers: with them runs are found where they lie."""
        self.headers.update({header.run_id: header for header in headers})

    def read_whole(self, headers: Sequence[RunHeader]) -> None:
        """Read whole runs."""
        self.whole.update(_outcomes(headers, lambda: self._reader.whole(headers)))

    def read_members(self, headers: Sequence[RunHeader]) -> None:
        """Read memberships."""
        self.members.update(_outcomes(headers, lambda: self._reader.memberships(headers)))

    def know_keys(self, runs: Sequence[RunHeader]) -> None:
        """Read the keys of runs from whose events PostHog cannot take them, to spell them out."""
        missing = [run for run in runs if run.run_id in self._odd and run.run_id not in self.members]
        if missing:
            self.read_members(missing)

    def measure(self, runs: Sequence[RunHeader]) -> None:
        """Measure the items of runs."""
        self.know_keys(runs)
        self._measure(self._parts(runs))

    def measure_by(self, runs: Sequence[RunHeader], by: str) -> Mapping[str, Outcome[Any]]:
        """Measure the items of runs by a property; the outcome is not kept."""
        self.know_keys(runs)
        return self._reader.items(self._parts(runs), by)

    def fail(self, runs: Sequence[RunHeader]) -> None:
        """Read the failed calls of runs."""
        self.know_keys(runs)
        self._fail(self._parts(runs))

    def populate(self, asked: Sequence[tuple[Window, Job]]) -> None:
        """Measure populations."""
        found: Sequence[Outcome[Totals]]
        try:
            found = self._reader.totals(asked)
        except SourceError as error:
            found = [error] * len(asked)
        self.totals.update({population_key(*one): made for one, made in zip(asked, found, strict=True)})

    def _measure(self, parts: Sequence[Part]) -> None:
        headers = [part.run for part in parts]
        self.items.update(_outcomes(headers, lambda: self._reader.items(parts)))

    def _fail(self, parts: Sequence[Part]) -> None:
        headers = [part.run for part in parts]
        self.failures.update(_outcomes(headers, lambda: self._reader.failures(parts)))

    def _parts(self, headers: Sequence[RunHeader]) -> list[Part]:
        """Make parts of runs; those whose keys PostHog cannot read spell them out."""
        parts: list[Part] = []
        for header in headers:
            membership = self.members.get(header.run_id) if header.run_id in self._odd else None
            parts += keyed(header, membership) if isinstance(membership, Membership) else [part_of(header)]
        return parts


def population_key(window: Window, job: Job) -> tuple[Window, str]:
    """Give what tells a population from another: its window, its level and the filters it is seen through."""
    return window, f"{job.level} {sorted(map(repr, job.event_filters))}"


def _outcomes(
    headers: Sequence[RunHeader], ask: Callable[[], Mapping[str, Outcome[Any]]]
) -> Mapping[str, Any]:
    """Give the answers by run id, or the one error for all of them."""
    try:
        return ask()
    except SourceError as error:
        return {header.run_id: error for header in headers}


def _alike(populations: Sequence[tuple[Window, Job]]) -> list[list[tuple[Window, Job]]]:
    """Group populations by the filters they are asked under: each group is one question."""
    groups: dict[str, list[tuple[Window, Job]]] = {}
    for asked in populations:
        groups.setdefault(repr(sorted(map(repr, asked[1].event_filters))), []).append(asked)
    return list(groups.values())
