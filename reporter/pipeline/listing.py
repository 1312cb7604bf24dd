"""Jobs and runs as lists: what `reporter jobs` and `reporter runs` print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reporter import units
from reporter.pipeline import baselines
from reporter.pipeline.opening import Progress, groups_of, moment_of, opened

if TYPE_CHECKING:
    from reporter.config import Settings
    from reporter.sources.base import Warn


@dataclass(frozen=True, slots=True)
class JobRow:
    """One line of ``reporter jobs``; times are ISO 8601 UTC."""

    id: str | None
    name: str
    level: str
    enabled: bool | None
    deleted: bool
    event_filters: tuple[Mapping[str, Any], ...]
    """As configured; texts in them are scrubbed unless everything may be shown."""
    status: str
    stale: bool
    """Whether the latest run is an old one."""
    latest_run_id: str | None
    latest_window_end: str | None
    prior_run_id: str | None
    items: int | None
    runs: int
    reason: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of ``reporter runs``; times are ISO 8601 UTC."""

    run_id: str
    job_id: str | None
    job_name: str
    level: str
    label: str | None
    window_start: str
    window_end: str
    emitted_at: str
    items: int


def list_jobs(settings: Settings, *, progress: Progress, warn: Warn) -> tuple[JobRow, ...]:
    """List every job with its latest and prior run.

    Raises:
        UsageError: An option names a job or run that does not exist.
        SourceError: The source cannot be read.
    """
    from reporter.analysis import redact, selection

    now = moment_of(settings)
    with opened(settings, warn, progress) as source:
        baseline = baselines.settled(settings, progress)
        groups = baselines.with_baseline(source, groups_of(source, settings, now), baseline)
    rows = []
    for group in groups:
        latest = selection.latest(group.runs)
        prior = selection.choose_prior(latest, group.runs, baseline.of(group)).prior if latest else None
        lost = str(group.broken[0]) if latest is None and group.broken else None
        status, reason = selection.status(group, latest, prior, now, failed=lost)
        rows.append(
            JobRow(
                id=group.job.id,
                name=group.job.name,
                level=group.job.level,
                enabled=group.job.enabled,
                deleted=group.job.deleted,
                event_filters=redact.filters(group.job.event_filters, settings.redact),
                status=status,
                stale=latest is not None and selection.is_stale(latest, now),
                latest_run_id=latest.run_id if latest else None,
                latest_window_end=units.iso(latest.window.end) if latest else None,
                prior_run_id=prior.run_id if prior else None,
                items=latest.items if latest else None,
                runs=len(group.runs),
                reason=reason,
            )
        )
    return tuple(rows)


def list_runs(settings: Settings, *, progress: Progress, warn: Warn) -> tuple[RunRow, ...]:
    """List runs, newest first, of the chosen jobs and level.

    Raises:
        UsageError: An option names a job that does not exist.
        SourceError: The source cannot be read.
    """
    with opened(settings, warn, progress) as source:
        groups = groups_of(source, settings, moment_of(settings))
    headers = sorted(
        (header for group in groups for header in group.runs),
        key=lambda header: (header.emitted_at, header.run_id),
        reverse=True,
    )
    return tuple(
        RunRow(
            run_id=header.run_id,
            job_id=header.job_id,
            job_name=header.job_name,
            level=header.level,
            label=header.label,
            window_start=units.iso(header.window.start),
            window_end=units.iso(header.window.end),
            emitted_at=units.iso(header.emitted_at),
            items=header.items,
        )
        for header in headers
    )
