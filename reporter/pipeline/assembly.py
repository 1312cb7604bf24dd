"""Read, measure, compare and conclude: from an open source to a sealed `Report`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from reporter import __version__, units
from reporter.analysis import selection
from reporter.analysis.selection import JobRuns, PriorChoice
from reporter.errors import NothingToReport, RunUnreadable, UsageError
from reporter.pipeline.opening import groups_of, with_baseline
from reporter.report import SCHEMA_VERSION, Caveat, JobSection, Report, SourceInfo, sealed

if TYPE_CHECKING:
    from reporter.config import Settings
    from reporter.model import Run, RunHeader
    from reporter.pipeline.opening import Progress
    from reporter.report import Finding, Kind
    from reporter.sources.base import Source


@dataclass(frozen=True, slots=True)
class _Pair:
    """What one section is made from: the runs that could be read, and why others could not."""

    group: JobRuns
    latest: Run | None
    prior: Run | None
    choice: PriorChoice | None
    failed: RunUnreadable | None = None
    """The first fault, where no run of the job could be read."""


def assemble(
    source: Source, settings: Settings, now: datetime, caveats: list[Caveat], progress: Progress
) -> tuple[Report, tuple[RunUnreadable, ...]]:
    """Report on the latest run of every job.

    Args:
        source: Where the data comes from.
        settings: What was asked for.
        now: The report's clock, aware.
        caveats: What the source and this function want a reader to know; appended to.
        progress: Told about each step.

    Returns:
        The sealed report, and one fault for each job of which no run could be read.

    Raises:
        NothingToReport: No job has a run in the time looked at.
    """
    progress.step("finding the latest run of every job")
    groups = with_baseline(source, groups_of(source, settings, now), settings.baseline)
    if not any(group.runs or group.broken for group in groups):
        raise _nothing(settings, groups, now)
    pairs = []
    for group in groups:
        progress.step(f"reading {units.clean(group.job.name, 60) or 'runs without a job'}")
        pairs.append(_pair(source, group, settings.baseline, caveats))
    progress.step("measuring and comparing")
    sections = [_section(source, settings, now, pair, index) for index, pair in enumerate(pairs)]
    report = _report(source, settings, "weekly", now, caveats, sections)
    return report, tuple(pair.failed for pair in pairs if pair.failed)


def assemble_pair(
    source: Source, settings: Settings, now: datetime, caveats: list[Caveat], prior_id: str, latest_id: str
) -> Report:
    """Report on two runs named by hand.

    Raises:
        UsageError: The runs are the same one, or of different levels.
        RunNotFound: One of the runs is not stored.
        RunUnreadable: One of the runs breaks the contract.
    """
    prior, latest = source.run(prior_id), source.run(latest_id)
    if prior.header.run_id == latest.header.run_id:
        raise UsageError(
            "a run cannot be compared with itself",
            subject=latest_id,
            hint="Give two runs; `reporter runs` lists them.",
        )
    if prior.header.level != latest.header.level:
        raise UsageError(
            f"runs of different levels cannot be compared ({prior.header.level} and {latest.header.level})",
            subject=f"{prior_id} {latest_id}",
            hint="Give two runs of one level; `reporter runs` lists them.",
        )
    known = selection.group(source.jobs(), (latest.header,))
    group = next(group for group in known if group.runs)
    choice = selection.choose_prior(latest.header, (prior.header,), prior_id)
    section = _section(source, settings, now, _Pair(group, latest, prior, choice), 0)
    return _report(source, settings, "compare", now, caveats, [section])


def _pair(source: Source, group: JobRuns, baseline: str, caveats: list[Caveat]) -> _Pair:
    """Read a job's latest run and its prior; a broken run is named and the next choice taken."""
    broken: list[RunUnreadable] = []

    def read(pick: Callable[[Sequence[RunHeader]], RunHeader | None]) -> Run | None:
        while (header := pick([run for run in group.runs if run.run_id not in gone()])) is not None:
            try:
                return source.run(header.run_id)
            except RunUnreadable as error:
                broken.append(error)
                message = units.clean(f"Skipped: {error}", 600)
                caveats.append(Caveat(code="run_unreadable", message=message, job_id=group.job.id))
        return None

    def gone() -> set[str]:
        return {error.run_id for error in broken}

    latest = read(selection.latest)
    if latest is None:
        return _Pair(group, None, None, None, next(iter((*broken, *group.broken)), None))
    prior = read(lambda runs: selection.choose_prior(latest.header, runs, baseline).prior)
    left = [run for run in group.runs if run.run_id not in gone()]
    return _Pair(group, latest, prior, selection.choose_prior(latest.header, left, baseline))


def _section(source: Source, settings: Settings, now: datetime, pair: _Pair, seed: int) -> JobSection:
    """Fetch what one job's section needs and build it."""
    from reporter.analysis.section import SectionInput, build

    job = pair.group.job
    inputs = SectionInput(
        group=pair.group,
        latest=pair.latest,
        prior=pair.prior,
        choice=pair.choice,
        now=now,
        host=settings.host,
        project_id=settings.project_id or source.describe().project_id,
        redaction=settings.redact,
        failed_reason=str(pair.failed) if pair.failed else None,
        seed=seed,
    )
    if pair.latest is None:
        return build(inputs)
    latest = pair.latest.header
    headers = [latest, *([pair.prior.header] if pair.prior else [])]
    rows, failures = source.items(headers), source.failures(headers)
    prior_id = pair.prior.header.run_id if pair.prior else None
    return build(
        replace(
            inputs,
            latest_rows=rows.get(latest.run_id, ()),
            latest_failures=failures.get(latest.run_id, ()),
            prior_rows=rows.get(prior_id, ()) if prior_id else (),
            prior_failures=failures.get(prior_id, ()) if prior_id else (),
            latest_totals=source.totals(latest.window, job),
            prior_totals=source.totals(pair.prior.header.window, job) if pair.prior else None,
            between=tuple(source.memberships(_between(pair)).values()),
        )
    )


def _between(pair: _Pair) -> list[str]:
    """Name the runs that lie between prior and latest: they carry identity where no items are shared."""
    if pair.latest is None or pair.prior is None:
        return []
    ends = sorted((pair.latest.header.window.end, pair.prior.header.window.end))
    return [run.run_id for run in pair.group.runs if run.label is None and ends[0] < run.window.end < ends[1]]


def _report(
    source: Source,
    settings: Settings,
    kind: Kind,
    now: datetime,
    caveats: list[Caveat],
    sections: list[JobSection],
) -> Report:
    from reporter.analysis import findings as conclusions

    found = conclusions.findings(sections)
    verdict, headline = conclusions.verdict_and_headline(found, sections)
    sections = _with_quotes(source, settings, sections, found)
    provenance = source.describe()
    if settings.fail_on:
        # A build that believes it is gated must read, on the page too, that it is not.
        message = "The rules of --fail-on were not judged: this version has no gates."
        caveats.append(Caveat(code="gates_not_judged", message=message))
    return sealed(
        Report(
            schema_version=SCHEMA_VERSION,
            kind=kind,
            title=units.clean(settings.title, 200),
            generated_at=units.iso(now),
            reporter_version=__version__,
            redaction=settings.redact,
            content_sha256="",
            timezone=settings.tz,
            verdict=verdict,
            headline=headline,
            source=SourceInfo(
                kind=provenance.kind,
                location=provenance.location,
                project_id=settings.project_id or provenance.project_id,
            ),
            warnings=sorted(set(caveats), key=lambda c: (c.code, c.job_id or "", c.message)),
            files=[],
            findings=found,
            gates=[],
            jobs=sections,
        )
    )


def _with_quotes(
    source: Source, settings: Settings, sections: list[JobSection], found: Sequence[Finding]
) -> list[JobSection]:
    """Read the traces that findings name, and only where their words may be shown."""
    from reporter.analysis import quotes

    limit = quotes.LIMITS.get(settings.redact)
    if limit is None:
        return sections
    said = {}
    for trace_id in quotes.traces_named(found):
        trace = source.trace(trace_id)
        words = quotes.quote(trace, limit) if trace else None
        if words is not None:
            said[trace_id] = words
    return quotes.quoted(sections, said)


def _nothing(settings: Settings, groups: Sequence[JobRuns], now: datetime) -> NothingToReport:
    """Say which jobs and which time were looked at, and why there can be nothing."""
    looked = f"{units.day(units.iso(settings.since_at(now)))} to {units.day(units.iso(now))}"
    names = ", ".join(units.clean(group.job.name, 60) or "(no job)" for group in groups)
    return NothingToReport(
        f"no clustering run was emitted from {looked}" + (f" for the jobs {names}" if names else ""),
        subject=settings.source,
        hint=(
            "PostHog makes a run only where a job is enabled and found enough items (1,000 traces or "
            "generations a week, 100 evaluations in three days). Look further back with --since, and at "
            "`reporter jobs` and `reporter runs`."
        ),
    )
