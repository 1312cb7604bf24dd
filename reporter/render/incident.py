"""An incident made ready for a template: facts, tables and words, nothing escaped yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reporter import units
from reporter.render import drawings, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reporter.artifact import Chart
    from reporter.render.drawings import ChartView
    from reporter.report import Effect, Incident, IncidentBy, IncidentCluster, Report

_LISTED = 40
"""Clusters listed; report.json holds all."""
_EVIDENCE = 6
"""Affected clusters whose traces are shown."""
_REASONS = {
    "first": "the first that failed",
    "most_failures": "the one with most failed calls",
    "last": "the last that failed",
}
_OF = ("Failed of all", "Part of all failed")
_DIMENSIONS = {"model": "Model", "provider": "Provider", "status": "HTTP status of failed calls"}


@dataclass(frozen=True, slots=True)
class FactRow:
    """One line of the facts."""

    name: str
    value: str
    note: str = ""
    spread: str = ""
    """An interval, which is not broken over lines."""


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One trace worth opening."""

    trace_id: str
    reason: str
    at: str
    failed: str
    url: str | None


@dataclass(frozen=True, slots=True)
class AffectedRow:
    """What happened to one cluster."""

    title: str
    tone: str
    onset: str
    recovered: str
    before: str
    during: str
    after: str
    excess: str
    spread: str
    users: str
    url: str | None
    traces: tuple[EvidenceRow, ...]


@dataclass(frozen=True, slots=True)
class ByRow:
    """One value of a dimension, inside against before."""

    value: str
    inside: str
    inside_share: str
    outside: str
    outside_share: str


@dataclass(frozen=True, slots=True)
class Dimension:
    """What calls have in common, value by value."""

    name: str
    caption: str
    rows: tuple[ByRow, ...]


@dataclass(frozen=True, slots=True)
class CauseRow:
    """One cause of failed calls."""

    cause: str
    calls: str
    before: str
    told: str
    """How many calls in and before the window, as a sentence's end."""
    seen: str
    users: str
    cost: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run whose clusters were used."""

    job: str
    run_id: str
    items: str
    covers: str


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident, ready to be rendered."""

    facts: tuple[FactRow, ...]
    charts: tuple[ChartView, ...]
    affected: tuple[AffectedRow, ...]
    unclear: tuple[AffectedRow, ...]
    control: tuple[AffectedRow, ...]
    left: int
    """Clusters not listed."""
    dimensions: tuple[Dimension, ...]
    causes: tuple[CauseRow, ...]
    runs: tuple[RunRow, ...]
    coverage: str
    baseline: str
    baselines: tuple[str, ...]
    bucket: str


def view(report: Report, incident: Incident, charts: Sequence[Chart]) -> IncidentView:
    """Prepare the incident of a report."""
    tz, index = report.timezone, len(report.jobs)
    listed = [(c.verdict, _cluster(c, tz)) for c in incident.clusters[:_LISTED]]
    return IncidentView(
        facts=tuple(_facts(incident, tz)),
        charts=drawings.views(charts, index),
        affected=tuple(row for verdict, row in listed if verdict == "affected"),
        unclear=tuple(row for verdict, row in listed if verdict == "unclear"),
        control=tuple(row for verdict, row in listed if verdict == "control"),
        left=max(0, len(incident.clusters) - _LISTED),
        dimensions=_dimensions(incident),
        causes=tuple(
            CauseRow(
                cause=units.clean(c.cause, 240),
                calls=units.count(c.count),
                before=units.count(c.before) if c.before else "new",
                told=f"{units.plural(c.count, 'call')}, {f'{c.before:,} before' if c.before else 'new'}",
                seen=units.period(c.onset_at, c.last_at, tz),
                users=units.count(c.users),
                cost=units.money(c.cost_usd),
                trace_id=units.clean(c.example_trace_id or "", 80),
            )
            for c in incident.causes
        ),
        runs=tuple(
            RunRow(
                job=units.clean(run.job_name, 80) or words.NO_JOB,
                run_id=units.clean(run.run_id, 200),
                items=units.count(run.items),
                covers=units.percent(run.covers),
            )
            for run in incident.runs
        ),
        coverage=_coverage(incident),
        baseline=units.clean(incident.baseline, 200),
        baselines=tuple(units.period(span.start, span.end, tz) for span in incident.baselines),
        bucket=units.plural(round(incident.bucket_s / 60), "minute"),
    )


def _facts(incident: Incident, tz: str) -> list[FactRow]:
    overall = incident.overall
    during, before, after = overall.during, overall.before, overall.after
    found = [
        FactRow("Window", units.period(incident.from_, incident.to, tz), _both(incident, tz)),
        FactRow("Began", *_began(incident, tz)),
        FactRow("Over", *_over(incident, tz)),
        FactRow(
            "Failed calls",
            f"{units.of(during.failed, during.calls)} ({units.percent(during.failed_share)})",
            f"before {units.percent(before.failed_share)} of {units.count(before.calls)} calls, after "
            f"{units.percent(after.failed_share)} of {units.count(after.calls)}",
        ),
    ]
    if overall.excess_failed:
        found.append(FactRow("Beyond the usual", f"{_excess(overall)} failed calls", spread=_spread(overall)))
    if overall.excess_cost_usd:
        cost = overall.excess_cost_usd
        found.append(
            FactRow(
                "Spend beyond the usual",
                units.money(cost.value, signed=True),
                f"of {units.money(during.cost_usd)}, against as many usual calls with a cost",
                f"{units.money(cost.low, signed=True)} to {units.money(cost.high, signed=True)}",
            )
        )
    affected = sum(c.verdict == "affected" for c in incident.clusters)
    known = f"{affected} of {len(incident.clusters)}" if incident.clusters else "none known"
    found.append(FactRow("Users with a failed call", units.count(overall.users), "counted, never named"))
    found.append(FactRow("Clusters affected", known, _coverage(incident)))
    return found


def _began(incident: Incident, tz: str) -> tuple[str, str]:
    if incident.onset_at is None:
        return "no rise found", "" if incident.overall.p_value is not None else "too few calls before it"
    affected = any(c.verdict == "affected" for c in incident.clusters)
    whose = "of the first affected cluster" if affected else "of all calls"
    return units.moment(incident.onset_at, tz), f"the bucket in which the failed share {whose} rose"


def _over(incident: Incident, tz: str) -> tuple[str, str]:
    if incident.onset_at is None:
        return units.UNKNOWN, ""
    if incident.recovered_at is None:
        return "not shown", "the data do not show everywhere that the failed share fell back"
    return units.moment(incident.recovered_at, tz), ""


def _coverage(incident: Incident) -> str:
    lost = incident.unassigned
    calls = units.of(lost.calls, incident.overall.during.calls)
    told = f"{calls} calls, {units.count(lost.failed)} of them failed"
    match incident.status:
        case "no_run":
            return f"No clustering run covers the window, so no call has a cluster ({told})."
        case "partial":
            return f"The runs cover only a part of the window; in no cluster: {told}."
        case _:
            return f"In no cluster: {told}."


def _cluster(c: IncidentCluster, tz: str) -> AffectedRow:
    return AffectedRow(
        title=words.title(c.title, c.cluster_id),
        tone="worse" if c.verdict == "affected" else "calm",
        onset=units.moment(c.onset_at, tz) if c.onset_at else units.UNKNOWN,
        recovered=units.moment(c.recovered_at, tz)
        if c.recovered_at
        else "not shown"
        if c.elevated
        else units.UNKNOWN,
        before=_share(c.before.failed, c.before.calls),
        during=_share(c.during.failed, c.during.calls),
        after=_share(c.after.failed, c.after.calls),
        excess=_excess(c),
        spread=_spread(c),
        users=units.count(c.users),
        url=words.link(c.url),
        traces=tuple(
            EvidenceRow(
                trace_id=units.clean(t.trace_id, 80),
                reason=_REASONS.get(t.reason, units.clean(t.reason, 40)),
                at=units.moment(t.at, tz),
                failed=units.plural(t.failed, "failed call"),
                url=words.link(t.url),
            )
            for t in c.traces
        ),
    )


def _dimensions(incident: Incident) -> tuple[Dimension, ...]:
    parts: dict[str, list[IncidentBy]] = {}
    for part in incident.by:
        parts.setdefault(part.dimension, []).append(part)
    return tuple(
        Dimension(
            name=_DIMENSIONS.get(key) or units.clean(key, 60),
            caption=f"{_OF[key == 'status']} calls in the window and before it",
            rows=tuple(_by(part, incident.overall) for part in found),
        )
        for key, found in parts.items()
    )


def _by(part: IncidentBy, overall: Effect) -> ByRow:
    inside, outside = part.inside, part.outside
    # Only a failed call has a status: it is a part of those that failed.
    whole = (overall.during.failed, overall.before.failed) if part.dimension == "status" else None
    calls = whole or (inside.calls, outside.calls)
    shares = [f / n if n else None for f, n in zip((inside.failed, outside.failed), calls, strict=True)]
    return ByRow(
        value=units.clean(part.value, 120),
        inside=_share(inside.failed, calls[0]),
        inside_share=units.percent(shares[0]),
        outside=_share(outside.failed, calls[1]),
        outside_share=units.percent(shares[1]),
    )


def _share(failed: int, calls: int) -> str:
    return units.of(failed, calls) if calls else units.UNKNOWN


def _excess(effect: Effect) -> str:
    return (
        units.count(round(effect.excess_failed.value), signed=True) if effect.excess_failed else units.UNKNOWN
    )


def _spread(effect: Effect) -> str:
    if effect.excess_failed is None:
        return ""
    low, high = round(effect.excess_failed.low), round(effect.excess_failed.high)
    return f"{units.count(low, signed=True)} to {units.count(high, signed=True)}"


def _both(incident: Incident, tz: str) -> str:
    """Add UTC where the report shows another zone."""
    return "" if tz == "UTC" else units.period(incident.from_, incident.to)
