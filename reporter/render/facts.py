"""The sentences and numbers at the head of a job: four figures, its verdict, coverage, the bridge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reporter import units
from reporter.render import marks, words
from reporter.units import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reporter.report import Annotation, Finding, JobSection, MetricChange, Muted, Report, RunInfo


_SPARK_PX = (132.0, 26.0)
_SPARK_WEEKS = 13


@dataclass(frozen=True, slots=True)
class Fact:
    """One of the four numbers."""

    label: str
    value: str
    note: str
    """What the number rests on: its interval, "27 of 195"."""
    change: str
    """Prior against latest, in words; empty where there is no prior."""
    tone: str
    spark: marks.Spark | None = None
    """The same figure over the runs known."""
    spark_words: str = ""
    trend: str = ""
    """Field of `HistoryPoint` its past is in."""


def heading(section: JobSection) -> str:
    """Name a job."""
    if section.job.id is None:
        return words.NO_JOB
    return units.clean(section.job.name, 120) or f"Job {units.clean(section.job.id, 40)}"


def chips(section: JobSection) -> tuple[str, ...]:
    """Give the states of a job that a reader must not miss."""
    job = section.job
    # Several levels may have runs without a job: the level tells them apart.
    found = [words.noun(job.level)] if job.id is None else []
    if status := words.STATUSES[section.status]:
        first = section.status != "no_prior" or section.status_reason.startswith(status)
        found.append(status if first else "Not compared")
    if section.stale and section.status != "stale":
        found.append("Stale")
    if job.deleted:
        found.append("Deleted job")
    elif job.enabled is False:
        found.append("Disabled job")
    return tuple(found)


def sentence(section: JobSection, findings: Sequence[Finding]) -> str:
    """Say in one sentence what became of a job."""
    if section.status in ("failed", "no_run", "no_prior", "not_comparable"):
        return units.clean(section.status_reason, 400) or f"{words.STATUSES[section.status]}."
    # Noise is no cluster, and what came, went, split or merged is counted apart.
    calls = [(f.call, f.cluster_id) for f in findings if f.kind in words.METRIC_KINDS]
    changed = {i for call, i in calls if call == "changed" and i is not None and i >= 0}
    probably = {i for call, i in calls if call == "probably_changed" and i is not None and i >= 0} - changed
    compared = [c.change for c in section.clusters if c.change is not None]
    judged = any(m.call != "not_enough_data" for change in compared for m in change.metrics.values())
    # "No cluster changed" would claim what nobody could test.
    none = "Too little data to tell a change in any cluster" if compared and not judged else None
    parts = [none or f"{units.plural(len(changed), 'cluster')} changed"]
    whole = {call for call, i in calls if i is None}
    if not changed and whole:
        parts.append(f"the run as a whole {'did' if 'changed' in whole else 'probably did'}")
    if probably:
        parts.append(
            f"{len(probably)} probably changed"
            if changed
            else f"{units.plural(len(probably), 'cluster')} probably did"
        )
    # What is only possible is listed with that word, but is nothing to count.
    likely = [t.kind for t in section.transitions if t.confidence >= words.PROBABLE]
    kinds = {kind: likely.count(kind) for kind in ("new", "gone", "split", "merged")}
    parts += [f"{number} {kind}" for kind, number in kinds.items() if number]
    date = f"{units.clean(section.status_reason, 400)} " if section.status == "stale" else ""
    return f"{date}{', '.join(parts)}."


def four(section: JobSection, annotations: Sequence[Annotation] = ()) -> tuple[Fact, ...]:
    """Give the four numbers: how much was looked at, what it costs, how often it fails, how long it takes."""
    return tuple(_with_spark(fact, section, annotations) for fact in _four(section))


def marked(section: JobSection, annotations: Sequence[Annotation], tz: str) -> tuple[str, ...]:
    """List what happened in the time a job's trends show, oldest first."""
    ends = [units.parse_time(end) for end in _ends(section)]
    first = min(ends, default=None)
    return tuple(
        f"{units.day(a.at, tz)}: {units.clean(a.text, 120)}"
        for a in annotations
        if first is not None and first <= units.parse_time(a.at) <= max(ends)
    )


def _ends(section: JobSection) -> list[str]:
    history = section.overall.history if section.overall else []
    return [point.window_end for point in history[-_SPARK_WEEKS:]]


def _with_spark(fact: Fact, section: JobSection, annotations: Sequence[Annotation]) -> Fact:
    """Draw a fact's past, with what happened as marks on it."""
    if not fact.trend or section.overall is None:
        return fact
    history = section.overall.history[-_SPARK_WEEKS:]
    values = [getattr(point, fact.trend) for point in history]
    ends = [units.parse_time(point.window_end) for point in history]
    at = [
        i + (when - ends[i]) / (ends[i + 1] - ends[i])
        for a in annotations
        for i in range(len(ends) - 1)
        if ends[i] <= (when := units.parse_time(a.at)) < ends[i + 1]
    ]
    across, high = _SPARK_PX
    line = marks.spark(values, width=across, height=high, marked=at)
    if line is None:
        return fact
    write = words.METRICS[fact.trend].write if fact.trend in words.METRICS else units.count
    known = [write(value) for value in values if value is not None]
    return replace(fact, spark=line, spark_words=f"{fact.label} over {len(known)} runs: {', '.join(known)}")


def _four(section: JobSection) -> tuple[Fact, ...]:
    overall, coverage = section.overall, section.coverage
    if overall is None or coverage is None:
        return ()
    one, many = words.LEVELS[section.job.level]
    population = coverage.population_items
    share = coverage.sampled_items / population if population else None
    metrics, estimates = overall.metrics, overall.estimates
    found = [
        Fact(
            label=f"{many.capitalize()} sampled",
            value=units.count(coverage.sampled_items),
            note=f"of {units.count(population)}" + (f", {units.percent(share)}" if share is not None else "")
            if population is not None
            else f"of an unknown number of {many}",
            change=_was(section, None if section.prior is None else units.count(section.prior.items)),
            tone="calm",
            trend="items",
        ),
        _fact(section, "mean_cost_usd", f"Mean cost per {one}", ""),
        _fact(
            section,
            "error_rate",
            f"{many.capitalize()} with an error",
            units.of(metrics.error_count, metrics.item_count) if metrics.item_count else "no data",
        ),
    ]
    if section.job.level == "evaluation":
        before = overall.prior_metrics.pass_rate if overall.prior_metrics else None
        found.insert(
            1,
            Fact(
                label="Pass rate",
                value=units.percent(metrics.pass_rate),
                note=f"not applicable: {units.percent(metrics.na_rate)}",
                change=_was(section, None if before is None else units.percent(before)),
                tone="calm",
            ),
        )
    elif estimates.median_latency_s.n or estimates.median_latency_s.value is not None:
        found.append(_fact(section, "median_latency_s", "Median latency", ""))
    else:
        found.append(Fact("Median latency", UNKNOWN, "no data", "", "calm"))
    return tuple(found)


def coverage(section: JobSection, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Say how much of the traffic the sample saw, what that hides, and what was compared with what."""
    found: list[str] = []
    if (c := section.coverage) is not None:
        one, many = words.LEVELS[section.job.level]
        single = c.sampled_items == 1
        text = f"{units.count(c.sampled_items)} {one if single else many} sampled"
        if c.population_items:
            share = units.percent(c.sampled_items / c.population_items)
            text += f" of {units.count(c.population_items)} ({share})"
        if c.sampled_cost is not None:
            text += f"; {'it' if single else 'they'} cost {units.money(c.sampled_cost)}"
            if c.population_cost:
                share = units.percent(c.sampled_cost / c.population_cost)
                text += f" of {units.money(c.population_cost)} ({share})"
        found.append(f"{text}.")
        if c.noise_share is not None:
            found.append(f"{units.percent(c.noise_share)} of the sample are outliers that sit in no cluster.")
    found += [units.clean(f.sentence, 400) for f in findings if f.kind == "coverage"]
    if (comparability := section.comparability) is not None:
        found.append(units.clean(comparability.prior_choice, 400))
        if comparability.shared_items:
            found.append(f"Items in both runs: {units.count(comparability.shared_items)}.")
    return tuple(text for text in found if text)


def muted(some: Sequence[Muted], tz: str) -> tuple[str, ...]:
    """Say what is not told, until when and why."""
    return tuple(
        f"{units.clean(one.finding.sentence, 300)} Muted until {units.day(one.until, tz)}"
        + (f": {units.clean(one.reason, 200)}" if one.reason else ".")
        for one in some
    )


def methods(report: Report) -> tuple[str, ...]:
    """Name the interval methods this report really used."""
    names: set[str] = set()
    for section in report.jobs:
        levels = [c.estimates for c in section.clusters] + (
            [section.overall.estimates] if section.overall else []
        )
        names |= {getattr(level, name).method for level in levels for name in words.METRICS}
        names |= {
            m.method for c in section.clusters if c.change for m in c.change.metrics.values() if m.method
        }
    return tuple(words.METHODS.get(name, units.clean(name, 120)) for name in sorted(names - {"none"}))


def window(run: RunInfo | None, tz: str) -> str:
    """Write a run's window by its days and length."""
    if run is None:
        return ""
    length = units.duration(run.window_start, run.window_end)
    return f"{units.span(run.window_start, run.window_end, tz)} ({length})"


def _fact(section: JobSection, name: str, label: str, note: str) -> Fact:
    overall = section.overall
    assert overall is not None  # noqa: S101 (the only caller has checked)
    wording, level = words.METRICS[name], getattr(overall.estimates, name)
    change = overall.change.metrics.get(name) if overall.change else None
    around = words.around(wording, level.low, level.high)
    interval = "" if around == UNKNOWN else f"95% {around}"
    text, tone = _compared(name, change)
    if change is None and section.status == "not_comparable" and overall.prior_metrics is not None:
        before = {
            "mean_cost_usd": overall.prior_metrics.avg_cost,
            "error_rate": overall.prior_metrics.error_rate,
            "median_latency_s": overall.prior_metrics.p50_latency,
        }[name]
        text = _was(section, wording.write(before))
    basis = "; ".join(part for part in (note, interval) if part)
    return Fact(label, wording.write(level.value), basis, text, tone, trend=name)


def _compared(name: str, change: MetricChange | None) -> tuple[str, str]:
    if change is None or change.prior is None:
        return "", "calm"
    wording = words.METRICS[name]
    before = wording.write(change.prior)
    way = words.direction(change)
    if change.call in ("changed", "probably_changed"):
        tone = words.tone(change.call, way, change.good)
        return f"{words.moved(name, change)} from {before}, {words.CALLS[change.call].lower()}", tone
    return f"{words.CALLS[change.call].lower()} from {before}".replace(
        "not enough data from", "not enough data, was"
    ), "calm"


def _was(section: JobSection, before: str | None) -> str:
    if before is None or before == UNKNOWN:
        return ""
    return f"prior run: {before}" if section.status == "not_comparable" else f"was {before}"
