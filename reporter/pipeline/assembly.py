"""Read, measure, compare and conclude: from an open source to a sealed `Report`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reporter import units
from reporter.analysis import selection
from reporter.analysis.selection import JobRuns
from reporter.errors import NothingToReport, RunUnreadable, SourceError, UsageError
from reporter.model import Window
from reporter.pipeline import annotating, baselines, following, remembering, sections
from reporter.pipeline.heading import headed
from reporter.pipeline.opening import groups_of
from reporter.pipeline.remembering import Past
from reporter.pipeline.sections import Pair
from reporter.report import Caveat, JobSection, Report
from reporter.sources.base import Wanted

if TYPE_CHECKING:
    from reporter.analysis.memory import Memory
    from reporter.config import Settings
    from reporter.model import Job, Run, RunHeader
    from reporter.pipeline.opening import Progress
    from reporter.pipeline.remembering import Key
    from reporter.report import Finding, Kind
    from reporter.sources.base import Source


_AROUND = timedelta(days=1)
"""How far outside the runs' windows a trace of theirs may begin or end, and a run between be stored."""
_FOR_A_PRIOR = timedelta(days=35)
"""How far before a run its prior is looked for."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """A report, and what is to be known of its jobs when the next one is made."""

    report: Report
    problems: tuple[SourceError, ...]
    """One for each job that could not be read or measured."""
    memories: Mapping[Key, Memory]


def assemble(
    source: Source,
    settings: Settings,
    now: datetime,
    caveats: list[Caveat],
    progress: Progress,
    *,
    kind: Kind = "weekly",
    deployed_at: datetime | None = None,
) -> Assembled:
    """Report on the latest run of every job.

    Args:
        source: Where the data comes from.
        settings: What was asked for.
        now: The report's clock, aware.
        caveats: What the source and this function want a reader to know; appended to.
        progress: Told about each step.
        kind: What kind of report it is to be.
        deployed_at: Where given, the latest run's items from then on are compared with those before.

    Returns:
        The sealed report with all that comes of it.

    Raises:
        UsageError: What is known of earlier reports was named and cannot be used.
        NothingToReport: No job has a run in the time looked at.
        SourceError: The source failed before any job could be reported on.
    """
    progress.step("finding the latest run of every job")
    baseline = baselines.settled(settings, progress)
    groups = baselines.with_baseline(source, groups_of(source, settings, now), baseline)
    if not any(group.runs or group.broken for group in groups):
        raise _nothing(settings, groups, now)
    project = settings.project_id or source.describe().project_id
    past = remembering.recalled(settings, project, [following.key(group) for group in groups], progress)
    progress.step(f"reading {units.plural(len(groups), 'job')}")
    source.ahead(_wanted(_chosen(group, baseline.of(group), past) for group in groups))
    pairs = [_pair(source, group, baseline.of(group), caveats) for group in groups]
    # Where a broken run gave way to another, more is to be read.
    source.ahead(_wanted(_headers(pair, past) for pair in pairs))
    progress.step("measuring and comparing")
    followed = [
        following.followed(source, pair.group, (pair.latest, pair.prior), past, caveats) for pair in pairs
    ]
    memories = {following.key(pair.group): memory for pair, (memory, _) in zip(pairs, followed, strict=True)}
    past = replace(past, memories=memories)
    built = [
        sections.section(source, settings, now, pair, index, past, matched)
        if deployed_at is None
        else sections.deployed(source, settings, now, pair, index, deployed_at)
        for index, (pair, (_, matched)) in enumerate(zip(pairs, followed, strict=True))
    ]
    problems = tuple(error for _, error in built if error is not None)
    outages = [error for error in problems if not isinstance(error, RunUnreadable)]
    if outages and not any(
        pair.latest and error is None for pair, (_, error) in zip(pairs, built, strict=True)
    ):
        raise outages[0]
    told = [section for section, _ in built]
    report = _report(source, settings, kind, now, caveats, told, past)
    return Assembled(report, problems, following.learnt(report, past))


def assemble_pair(
    source: Source, settings: Settings, now: datetime, caveats: list[Caveat], prior_id: str, latest_id: str
) -> Report:
    """Report on two runs named by hand.

    Raises:
        UsageError: The runs are of different levels, or --previous gives no report.json.
        RunNotFound: One of the runs is not stored.
        RunUnreadable: One of the runs breaks the contract.
    """
    prior, latest = source.run(prior_id), source.run(latest_id)
    if prior.header.level != latest.header.level:
        raise UsageError(
            f"runs of different levels cannot be compared ({prior.header.level} and {latest.header.level})",
            subject=f"{prior_id} {latest_id}",
            hint="Give two runs of one level; `reporter runs` lists them.",
        )
    ends = (prior.header, latest.header)
    span = (min(run.emitted_at for run in ends) - _AROUND, max(run.emitted_at for run in ends) + _AROUND)
    source.ahead(Wanted(listed=span))
    job = (latest.header.job_id, latest.header.level)
    between = [run for run in source.runs(*span) if (run.job_id, run.level) == job]
    listed = {run.run_id: run for run in (*between, latest.header)}
    known = selection.group(source.jobs(), tuple(listed.values()))
    group = next(group for group in known if group.runs and following.key(group) == job)
    choice = selection.choose_prior(latest.header, (prior.header,), prior_id)
    pair = Pair(group, latest, prior, choice)
    earlier = remembering.previous(settings)
    past = Past(remembering.of_report(earlier) if earlier else {}, kept=earlier is not None)
    source.ahead(_wanted([_headers(pair, None)]))
    section, error = sections.section(source, settings, now, pair, 0, past)
    if error is not None:
        raise error
    return _report(source, settings, "compare", now, caveats, [section], past)


def section_of(
    source: Source,
    settings: Settings,
    now: datetime,
    run: Run,
    caveats: list[Caveat],
    progress: Progress,
) -> JobSection:
    """Report on one run of a job, compared as the baseline asks.

    Raises:
        SourceError: What the section needs cannot be read.
    """
    header = run.header
    job = (header.job_id, header.level)
    start = min(settings.since_at(now), header.emitted_at - _FOR_A_PRIOR)
    source.ahead(Wanted(listed=(start, now)))
    listed = {one.run_id: one for one in source.runs(start, now) if (one.job_id, one.level) == job}
    runs = tuple({**listed, header.run_id: header}.values())
    group = next(g for g in selection.group(source.jobs(), runs) if g.runs and following.key(g) == job)
    baseline = baselines.settled(settings, progress)
    (group,) = baselines.with_baseline(source, (group,), baseline)
    choice = selection.choose_prior(header, group.runs, baseline.of(group))
    prior = source.run(choice.prior.run_id) if choice.prior else None
    pair = Pair(group, run, prior, choice)
    past = remembering.recalled(
        settings, settings.project_id or source.describe().project_id, [job], progress
    )
    source.ahead(_wanted([_headers(pair, past)]))
    memory, matched = following.followed(source, group, (run, prior), past, caveats)
    past = replace(past, memories={job: memory})
    section, error = sections.section(source, settings, now, pair, 0, past, matched)
    if error is not None:
        raise error
    return section


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The runs a section will be made from, before they are read."""

    job: Job
    ends: tuple[RunHeader, ...]
    """Latest and prior, as far as there are any."""
    members: tuple[RunHeader, ...]
    """Runs of which only the memberships are needed."""


def _chosen(group: JobRuns, baseline: str, past: Past) -> _Chosen:
    latest = selection.latest(group.runs)
    prior = selection.choose_prior(latest, group.runs, baseline).prior if latest else None
    ends = tuple(header for header in (latest, prior) if header)
    return _Chosen(group.job, ends, following.members(group, ends, past))


def _headers(pair: Pair, past: Past | None) -> _Chosen:
    ends = tuple(run.header for run in (pair.latest, pair.prior) if run)
    return _Chosen(pair.group.job, ends, following.members(pair.group, ends, past))


def _wanted(chosen: Iterable[_Chosen]) -> Wanted:
    """Say everything that sections need of a source."""
    chosen = tuple(chosen)
    ends = tuple(header for one in chosen for header in one.ends)
    return Wanted(
        whole=ends,
        members=tuple(header for one in chosen for header in one.members),
        measured=ends,
        populations=tuple((header.window, one.job) for one in chosen for header in one.ends),
    )


def _pair(source: Source, group: JobRuns, baseline: str, caveats: list[Caveat]) -> Pair:
    """Read a job's latest run and its prior; a broken run is named and the next choice taken."""
    broken: dict[str, RunUnreadable] = {}
    lost: list[SourceError] = []

    def read(pick: Callable[[Sequence[RunHeader]], RunHeader | None]) -> Run | None:
        while (header := pick([run for run in group.runs if run.run_id not in broken])) is not None:
            try:
                return source.run(header.run_id)
            except RunUnreadable as error:
                # By the id it was listed under: an event may be too broken to tell its own.
                broken[header.run_id] = error
                message = units.clean(f"Skipped: {error}", 600)
                caveats.append(Caveat(code="run_unreadable", message=message, job_id=group.job.id))
            except SourceError as error:
                lost.append(error)
                return None
        return None

    latest = read(selection.latest)
    if latest is None:
        return Pair(group, None, None, None, next(iter((*lost, *broken.values(), *group.broken)), None))
    prior = read(lambda runs: selection.choose_prior(latest.header, runs, baseline).prior)
    if lost:  # a change against another run than the right one would be a wrong number
        return Pair(group, None, None, None, lost[0])
    left = [run for run in group.runs if run.run_id not in broken]
    return Pair(group, latest, prior, selection.choose_prior(latest.header, left, baseline))


def _report(
    source: Source,
    settings: Settings,
    kind: Kind,
    now: datetime,
    caveats: list[Caveat],
    sections: list[JobSection],
    past: Past,
) -> Report:
    from reporter.analysis import findings as conclusions
    from reporter.analysis import gates, muting, redact

    found = [following.seen(finding, sections, past) for finding in conclusions.findings(sections)]
    over = following.resolved(found, sections, past, settings.tz)
    found, muted, ended = muting.muted(found, sections, settings.mute, now)
    caveats += ended
    verdict, headline = conclusions.verdict_and_headline(found, sections, kind)
    sections = _with_quotes(source, settings, sections, found)
    judged, ended = gates.judge([*settings.fail_on, *settings.gates], sections, dict(settings.policy), now)
    caveats += ended
    return headed(
        source,
        settings,
        kind,
        now,
        caveats,
        verdict=verdict,
        headline=headline,
        findings=found,
        muted=redact.muted(muted, sections, settings.redact),
        resolved=over,
        gates=judged,
        jobs=sections,
        annotations=redact.noted(annotating.read(settings.annotate, now), settings.redact),
    )


def _with_quotes(
    source: Source, settings: Settings, sections: list[JobSection], found: Sequence[Finding]
) -> list[JobSection]:
    """Read the traces that findings name, and only where their words may be shown."""
    from reporter.analysis import quotes
    from reporter.analysis.scrub import scrub

    limit = quotes.LIMITS.get(settings.redact)
    if limit is None:
        return sections
    named = quotes.traces_named(found)
    ends = [run for section in sections for run in (section.latest, section.prior) if run]
    if not named or not ends:
        return sections
    around = Window(
        min(units.parse_time(run.window_start) for run in ends) - _AROUND,
        max(units.parse_time(run.window_end) for run in ends) + _AROUND,
    )
    source.ahead(Wanted(traces=tuple((trace_id, around) for trace_id in named)))
    said = {}
    for trace_id in named:
        trace = source.trace(trace_id, around)
        words = quotes.quote(trace, limit) if trace else None
        if words is not None:
            said[trace_id] = words if settings.redact == "full" else scrub(words)
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
