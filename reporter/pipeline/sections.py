"""One job's section: what it needs is fetched, and where that fails, the section says why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from reporter import units
from reporter.analysis.selection import JobRuns, PriorChoice
from reporter.errors import SourceError
from reporter.model import Run
from reporter.pipeline import following

if TYPE_CHECKING:
    from reporter.analysis.matching import Matching
    from reporter.analysis.section import SectionInput
    from reporter.config import Settings
    from reporter.pipeline.remembering import Past
    from reporter.report import JobSection
    from reporter.sources.base import Source


@dataclass(frozen=True, slots=True)
class Pair:
    """What one section is made from: the runs that could be read, and why others could not."""

    group: JobRuns
    latest: Run | None
    prior: Run | None
    choice: PriorChoice | None
    failed: SourceError | None = None
    """Why no run of the job could be read."""


def section(
    source: Source,
    settings: Settings,
    now: datetime,
    pair: Pair,
    seed: int,
    past: Past,
    matched: Matching | None = None,
) -> tuple[JobSection, SourceError | None]:
    """Compare a job's latest run with its prior one."""
    from reporter.analysis.section import build

    inputs = replace(
        _inputs(source, settings, now, pair, seed),
        prior=pair.prior,
        choice=pair.choice,
        matched=matched,
        memory=past.of(following.key(pair.group)),
        kept=past.kept,
    )
    if pair.latest is None:
        return build(inputs), pair.failed
    latest = pair.latest.header
    headers = [latest, *([pair.prior.header] if pair.prior else [])]
    prior_id = pair.prior.header.run_id if pair.prior else None
    between = following.between(pair.group, *headers) if pair.prior else ()
    job = pair.group.job
    try:
        rows, failures = source.items(headers), source.failures(headers)
        inputs = replace(
            inputs,
            latest_rows=rows.get(latest.run_id, ()),
            latest_failures=failures.get(latest.run_id, ()),
            prior_rows=rows.get(prior_id, ()) if prior_id else (),
            prior_failures=failures.get(prior_id, ()) if prior_id else (),
            latest_totals=source.totals(latest.window, job),
            prior_totals=source.totals(pair.prior.header.window, job) if pair.prior else None,
            between=tuple(source.memberships([header.run_id for header in between]).values()),
        )
    except SourceError as error:
        return build(_lost(inputs, error)), error
    return build(inputs), None


def deployed(
    source: Source, settings: Settings, now: datetime, pair: Pair, seed: int, at: datetime
) -> tuple[JobSection, SourceError | None]:
    """Compare the items of a job's latest run from a moment on with those before it."""
    from reporter.analysis.deployed import split
    from reporter.analysis.section import build

    inputs = _inputs(source, settings, now, pair, seed)
    if pair.latest is None:
        return build(inputs), pair.failed
    header, job = pair.latest.header, pair.group.job
    try:
        rows, failures = source.items([header]), source.failures([header])
        inputs = replace(
            inputs,
            latest_rows=rows.get(header.run_id, ()),
            latest_failures=failures.get(header.run_id, ()),
            latest_totals=source.totals(header.window, job),
        )
        parts = split(pair.latest, inputs.latest_rows, inputs.latest_failures, at, settings.tz)
        if parts is None:
            window = units.span(units.iso(header.window.start), units.iso(header.window.end), settings.tz)
            why = f"the deploy lies outside the run ({window}), or on one side of all its items"
            return build(replace(inputs, choice=PriorChoice(None, f"Nothing to compare: {why}."))), None
        inputs = replace(
            inputs,
            latest=parts.after.run,
            prior=parts.before.run,
            latest_rows=parts.after.rows,
            prior_rows=parts.before.rows,
            latest_failures=parts.after.failures,
            prior_failures=parts.before.failures,
            latest_totals=source.totals(parts.after.run.header.window, job),
            prior_totals=source.totals(parts.before.run.header.window, job),
            matched=parts.matched,
            comparability=parts.comparability,
        )
    except SourceError as error:
        return build(_lost(inputs, error)), error
    made = build(inputs)
    if made.prior is None or made.latest is None:
        return made, None
    # Both sides are one run: a reader who looks it up must find it.
    prior = msgspec.structs.replace(made.prior, run_id=made.latest.run_id, url=made.latest.url)
    return msgspec.structs.replace(made, prior=prior), None


def _inputs(source: Source, settings: Settings, now: datetime, pair: Pair, seed: int) -> SectionInput:
    """Give what every section of a job begins with: its latest run, without figures."""
    from reporter.analysis.compare import GOOD
    from reporter.analysis.section import SectionInput

    return SectionInput(
        group=pair.group,
        latest=pair.latest,
        prior=None,
        choice=None,
        now=now,
        host=settings.host,
        project_id=settings.project_id or source.describe().project_id,
        redaction=settings.redact,
        least=settings.min_text_items,
        failed_reason=str(pair.failed) if pair.failed else None,
        seed=seed,
        good={**GOOD, **dict(settings.good)},
    )


def _lost(inputs: SectionInput, error: SourceError) -> SectionInput:
    return replace(inputs, latest=None, prior=None, choice=None, failed_reason=str(error))
