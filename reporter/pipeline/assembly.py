"""Read, measure, compare and conclude: from a source to a `Report`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from reporter import __version__, units
from reporter.errors import NothingToReport, ReporterError, RunUnreadable
from reporter.pipeline.opening import Progress, groups_of
from reporter.report import SCHEMA_VERSION, Caveat, JobSection, Report, SourceInfo, sealed

if TYPE_CHECKING:
    from reporter.analysis.selection import JobRuns, PriorChoice
    from reporter.config import Settings
    from reporter.model import Run, RunHeader
    from reporter.sources.base import Source


def _assemble(
    source: Source, settings: Settings, kind: str, now: datetime, caveats: list[Caveat], progress: Progress
) -> tuple[Report, tuple[ReporterError, ...]]:
    """Read, measure, compare and conclude."""
    from reporter.analysis import selection

    progress.step("finding the latest run of every job")
    groups = _groups(source, settings, now)
    if not any(group.runs for group in groups):
        raise _nothing(settings, groups, now)
    problems: list[ReporterError] = []
    sections: list[JobSection] = []
    for group in groups:
        progress.step(f"measuring {units.clean(group.job.name, 60) or 'runs without a job'}")
        latest, group_left, failed = _readable(source, group, group.runs, selection.latest, caveats)
        problems += [failed] if failed and latest is None else []
        if latest is None:
            choice, prior = None, None
        else:
            choice, prior = _prior(source, group_left, latest, settings.baseline, caveats)
        sections.append(
            _section(source, settings, now, caveats, group, latest, prior, choice, failed if latest is None else None)
        )
    return _report(source, settings, kind, now, caveats, sections), tuple(problems)


def _readable(
    source: Source,
    group: JobRuns,
    runs: Sequence[RunHeader],
    pick: Callable[[Sequence[RunHeader]], RunHeader | None],
    caveats: list[Caveat],
) -> tuple[Run | None, tuple[RunHeader, ...], RunUnreadable | None]:
    """Read the run that `pick` chooses; a broken one is named and skipped for the next choice.

    Returns:
        The run (``None`` if none is left), the runs that were not found broken, and the first fault.
    """
    left, first = tuple(runs), None
    while (header := pick(left)) is not None:
        try:
            return source.run(header.run_id), left, first
        except RunUnreadable as error:
            first = first or error
            caveats.append(Caveat(code="run_unreadable", message=f"Skipped: {error}", job_id=group.job.id))
            left = tuple(run for run in left if run.run_id != header.run_id)
    return None, left, first


def _prior(
    source: Source, runs: Sequence[RunHeader], latest: Run, baseline: str, caveats: list[Caveat]
) -> tuple[PriorChoice, Run | None]:
    from reporter.analysis import selection

    left = tuple(runs)
    while True:
        choice = selection.choose_prior(latest.header, left, baseline)
        if choice.prior is None:
            return choice, None
        try:
            return choice, source.run(choice.prior.run_id)
        except RunUnreadable as error:
            caveats.append(
                Caveat(code="run_unreadable", message=f"Skipped: {error}", job_id=latest.header.job_id)
            )
            left = tuple(run for run in left if run.run_id != error.run_id)
