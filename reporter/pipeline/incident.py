"""An incident: from a window of time to a sealed `Report` of which clusters broke, when and for how many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reporter import units
from reporter.errors import NothingToReport, SourceError, UsageError
from reporter.model import NOISE, Window
from reporter.pipeline import annotating
from reporter.pipeline.heading import headed
from reporter.pipeline.opening import Progress, before, groups_of, moment_of, opened
from reporter.pipeline.publishing import Outcome, press, publish
from reporter.report import Caveat, Incident, IncidentRun, Report, Span

if TYPE_CHECKING:
    from reporter.analysis.incident import Counter, Known, Unit
    from reporter.analysis.incident_plan import Plan
    from reporter.analysis.selection import JobRuns
    from reporter.config import Settings
    from reporter.model import Membership, Run, RunHeader
    from reporter.sources.base import Source

BASELINES = ("previous-hours", "same-hours-last-weeks")
"""What usual may mean; else the id of a run, whose window is meant."""
_KNOWN = ("model", "provider", "status")
"""Dimensions every incident is compared by."""
_FURTHER_RUNS = 6
"""Runs of a job, besides the best, whose items are used: each holds another sample of the same traffic."""
_SAME = 0.6
"""Confidence from which a cluster of another run is taken for one of the best."""


def run_incident(
    settings: Settings,
    start: datetime | timedelta,
    end: datetime | timedelta | None,
    baseline: str,
    *,
    by: Sequence[str] = (),
    progress: Progress,
) -> Outcome:
    """Report on a window in which something broke.

    Args:
        settings: What was asked for.
        start: First moment of the incident, or a length of time before now.
        end: First moment after it, in the same way; ``None`` for one that still goes on.
        baseline: One of `BASELINES`, or a run id.
        by: Event properties to compare inside and before by, besides model, provider and status.
        progress: Told about each step.

    Raises:
        UsageError: The window is empty or in the future, or there is no such baseline.
        NothingToReport: No call was made in the window.
        SourceError: The source cannot be read.
        DeliveryError: The documents cannot be written.
    """
    now = moment_of(settings)
    first, stop = before(now, start), now if end is None else before(now, end)
    window = _window(first, stop, now)
    caveats: list[Caveat] = []
    if stop > now:
        message = "The incident's end lies in the future; everything up to now was looked at."
        caveats.append(Caveat(code="incident_open", message=message))
    with press(settings) as printing:
        with opened(settings, caveats.append, progress, printing) as source:
            report = assemble_incident(source, settings, window, baseline, by, now, caveats, progress)
        return publish(report, settings, (), printing, progress)


def assemble_incident(
    source: Source,
    settings: Settings,
    window: Window,
    baseline: str,
    by: Sequence[str],
    now: datetime,
    caveats: list[Caveat],
    progress: Progress,
) -> Report:
    """Measure an incident; see `run_incident`."""
    from reporter.analysis import incident as measure
    from reporter.analysis import incident_wording, redact

    notes = annotating.read(settings.annotate, now)
    chosen = _plan(source, settings, window, baseline, now)
    progress.step("finding runs that cover the incident")
    groups = groups_of(source, settings, now)
    clusters, keys, runs = _assignment(source, groups, window, settings.min_text_items, caveats, progress)
    by = tuple(dict.fromkeys(name for name in by if name not in _KNOWN))
    counter = measure.Counter(chosen, clusters, by)
    for span in chosen.spans:
        progress.step(f"reading calls of {units.span(units.iso(span.start), units.iso(span.end))}")
        _count(source, span, counter, keys, by)
    if not counter.calls:
        raise _nothing(window)
    project = settings.project_id or source.describe().project_id
    covered = max((run.covers for run in runs), default=0.0)
    overall, found = counter.overall(), counter.clusters(settings.host, project)
    onset_at, recovered_at = measure.times(overall, found)
    told = Incident(
        from_=units.iso(window.start),
        to=units.iso(window.end),
        bucket_s=chosen.bucket.total_seconds(),
        status="no_run" if not covered else "ok" if covered > 1 - 1e-9 else "partial",
        baseline=chosen.label,
        baselines=[_span(one) for one in chosen.baselines],
        after=_span(chosen.after) if chosen.after else None,
        overall=overall,
        onset_at=onset_at,
        recovered_at=recovered_at,
        runs=runs,
        unassigned=counter.unassigned(),
        buckets=counter.buckets(),
        clusters=found,
        by=counter.by(),
        causes=counter.causes(),
        annotations=[
            note for note in notes if chosen.grid.start <= units.parse_time(note.at) < chosen.grid.end
        ],
    )
    told = redact.incident(told, settings.redact)
    verdict, headline = incident_wording.verdict_and_headline(told, settings.tz)
    return headed(
        source,
        settings,
        "incident",
        now,
        caveats,
        verdict=verdict,
        headline=headline,
        findings=[],
        gates=[],
        jobs=[],
        incident=told,
    )


def _window(start: datetime, end: datetime, now: datetime) -> Window:
    stop = min(end, now)
    if start >= now:
        raise UsageError(
            "the incident lies in the future", subject=f"--from {units.iso(start)}", hint="Times are UTC."
        )
    if start >= stop:
        raise UsageError(
            "the incident ends before it begins",
            subject=f"--from {units.iso(start)} --to {units.iso(stop)}",
            hint="Give --from before --to; times without an offset are UTC.",
        )
    return Window(start.astimezone(UTC), stop.astimezone(UTC))


def _plan(source: Source, settings: Settings, window: Window, baseline: str, now: datetime) -> Plan:
    """Choose what counts as usual."""
    from reporter.analysis import incident_plan as plans

    if baseline == "previous-hours":
        spans, label = plans.previous_hours(window)
    elif baseline == "same-hours-last-weeks":
        spans, label = plans.same_hours(window, settings.tz)
    else:
        header = source.run(baseline).header
        spans = (Window(header.window.start, min(header.window.end, window.start)),)
        label = f"the window of run {units.clean(header.run_id, 120)}, before the incident"
        if spans[0].start >= spans[0].end:
            raise UsageError(
                "the run given as baseline holds no time before the incident",
                subject=f"--baseline {units.clean(baseline, 120)}",
                hint=f"Give {', '.join(BASELINES)}, or a run whose window begins before it.",
            )
    return plans.plan(window, now, spans, label)


def _assignment(
    source: Source,
    groups: Iterable[JobRuns],
    window: Window,
    least: int,
    caveats: list[Caveat],
    progress: Progress,
) -> tuple[dict[Unit, Known], dict[str, list[Unit]], list[IncidentRun]]:
    """Say which items lie in which clusters, by the runs whose windows touch the incident.

    A cluster of fewer than `least` items is not named.
    """
    from reporter.analysis import redact
    from reporter.analysis.incident import Known

    clusters: dict[Unit, Known] = {}
    keys: dict[str, list[Unit]] = {}
    used: list[IncidentRun] = []
    for index, (group, covering) in enumerate(_usable(groups, window)):
        progress.step(f"reading {units.plural(len(covering), 'run')} of {units.clean(group.job.name, 60)}")
        best, others = _readable(source, covering, group.job.id, caveats)
        if best is None:
            continue
        run_id = best.header.run_id
        for cluster in (c for c in best.clusters if not c.is_noise):
            title = redact.title(cluster.cluster_id, cluster.title, cluster.size, "full", least)
            clusters[index, cluster.cluster_id] = Known(group.job.id, cluster.cluster_id, title, run_id)
        held, members = _members(source, best, others, caveats)
        for key, cluster_id in members.items():
            keys.setdefault(key, []).append((index, cluster_id))
        used += [
            IncidentRun(
                job_id=group.job.id,
                run_id=header.run_id,
                job_name=group.job.name,
                items=header.items,
                covers=window.overlap(header.window),
            )
            for header in covering
            if header.run_id in held
        ]
    return clusters, keys, used


def _readable(
    source: Source, covering: Sequence[RunHeader], job_id: str | None, caveats: list[Caveat]
) -> tuple[Run | None, Sequence[RunHeader]]:
    """Read the best run that can be read, and give those after it; a broken one is named and gives way."""
    for place, header in enumerate(covering, start=1):
        try:
            return source.run(header.run_id), covering[place:]
        except SourceError as error:
            message = units.clean(f"Skipped: {error}", 600)
            caveats.append(Caveat(code="run_unreadable", message=message, job_id=job_id))
    return None, ()


def _usable(groups: Iterable[JobRuns], window: Window) -> list[tuple[JobRuns, list[RunHeader]]]:
    """Give the jobs whose runs touch the incident: those of traces, or of generations where none does.

    The two levels show the same calls, and evaluations judge calls without making any.
    """
    found = [(group, _covering(group, window)) for group in groups]
    for level in ("trace", "generation"):
        usable = [pair for pair in found if pair[0].job.level == level and pair[1]]
        if usable:
            return usable
    return []


def _covering(group: JobRuns, window: Window) -> list[RunHeader]:
    """Give the runs whose windows touch the incident, the one that covers most and ends soonest first."""
    touching = [run for run in group.runs if run.label is None and window.overlap(run.window) > 0]
    touching.sort(key=lambda run: (-window.overlap(run.window), run.window.end, run.run_id))
    return touching[: 1 + _FURTHER_RUNS]


def _members(
    source: Source, best: Run, others: Sequence[RunHeader], caveats: list[Caveat]
) -> tuple[set[str], Mapping[str, int]]:
    """Give the cluster of every item: as the best run says, else as its counterpart in another run says.

    Returns:
        Ids of the runs used, and item key → cluster. Outliers are no cluster: what lies in them has none.
    """
    from reporter.analysis import matching

    mine = matching.membership(best)
    found = {key: c.cluster_id for c in mine.clusters for key in c.keys}
    held: Mapping[str, Membership] = {}
    try:
        held = source.memberships([run.run_id for run in others])
    except SourceError as error:
        message = units.clean(f"Further runs could not be read, so fewer calls have a cluster: {error}", 600)
        caveats.append(Caveat(code="run_unreadable", message=message, job_id=best.header.job_id))
    for run in others:
        other = held.get(run.run_id)
        if other is None:
            continue
        earlier = run.window.end <= best.header.window.end
        matched = matching.match(other, mine) if earlier else matching.match(mine, other)
        pairs = {
            (link.prior_id if earlier else link.latest_id): (link.latest_id if earlier else link.prior_id)
            for link in sorted(matched.links, key=lambda link: link.confidence)
            if link.backbone and link.confidence >= _SAME
        }
        for cluster in other.clusters:
            if cluster.cluster_id in pairs:
                for key in cluster.keys:
                    found.setdefault(key, pairs[cluster.cluster_id])
    known = {key: cluster_id for key, cluster_id in found.items() if cluster_id != NOISE}
    return {best.header.run_id, *held}, known


def _count(
    source: Source, span: Window, counter: Counter, keys: Mapping[str, list[Unit]], by: Sequence[str]
) -> None:
    """Count the calls of a span, each in the clusters its trace and itself lie in."""
    for call in source.calls(span, by=by):
        mine = [*keys.get(call.trace_id or "", ()), *keys.get(call.uuid, ())]
        # A call of a job's cluster is counted there once, whatever names it.
        counter.add(call, {unit[0]: unit for unit in mine}.values())


def _span(window: Window) -> Span:
    return Span(start=units.iso(window.start), end=units.iso(window.end))


def _nothing(window: Window) -> NothingToReport:
    return NothingToReport(
        "no AI call was made in this window",
        subject=f"{units.iso(window.start)} to {units.iso(window.end)}",
        hint=(
            "Times without an offset are UTC. PostHog keeps events as long as your plan says, and an export "
            "holds what was exported; `reporter traces --since ... --until ...` shows what there is."
        ),
    )
