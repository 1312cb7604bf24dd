"""What is known of a job's past: which cluster was which, what it was like, and what was reported.

The one thing that outlives a report. It is a value: whoever keeps it (a state folder, an earlier report)
hands it in and takes the new one out. Ids once given are never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import msgspec

from reporter import units
from reporter.analysis import news, titles
from reporter.model import NOISE
from reporter.report import (
    Cluster,
    Finding,
    HistoryPoint,
    JobSection,
    Lineage,
    Report,
    Resolved,
)

WEEKS = 13
"""Points of a history, one a week."""
_KEPT = timedelta(weeks=26)
_NEAR = timedelta(days=3.5)
_NAMES = 20


class Place(msgspec.Struct, frozen=True):
    """A cluster in one run."""

    lineage_id: str
    title: str
    share: float | None
    """Items of the cluster / items of the run, noise included, 0-1."""
    cluster_id: int | None = None
    """``None`` where only an earlier report tells of it."""
    mean_cost_usd: float | None = None
    error_rate: float | None = None
    p95_latency_s: float | None = None
    items: int | None = None
    median_latency_s: float | None = None


class Step(msgspec.Struct, frozen=True):
    """One run."""

    run_id: str
    event_uuid: str
    """Of the event that stored it; a run stored again is another one. ``""`` where that is not known."""
    window_end: str
    places: list[Place]
    whole: Place | None = None
    """The whole run, where it was measured."""


class Life(msgspec.Struct, frozen=True):
    """What a cluster went through over all runs ever looked at."""

    first_seen: str
    runs: int
    names: list[str]


class Memory(msgspec.Struct, frozen=True):
    """A job's past at one level, oldest first."""

    steps: list[Step] = []
    lives: dict[str, Life] = {}
    told: list[news.Told] = []

    def step(self, run_id: str) -> Step | None:
        """Find a run."""
        return next((step for step in self.steps if step.run_id == run_id), None)


def lineage(memory: Memory, lineage_id: str, *, provisional: bool) -> Lineage:
    """Describe a cluster's life, as far as it is known."""
    life = memory.lives[lineage_id]
    return Lineage(
        first_seen=life.first_seen, runs=life.runs, names=list(life.names), provisional=provisional
    )


def slots(memory: Memory, latest: str, prior: str | None) -> list[Step]:
    """Choose the runs a history shows: the nearest to each of 13 weeks, latest and prior always among them.

    Args:
        memory: A job's past, the latest run included.
        latest: Run id.
        prior: Run id; ``None`` where there is none.
    """
    newest = memory.step(latest)
    if newest is None:
        return []
    end = units.parse_time(newest.window_end)
    chosen = {step.run_id: step for run_id in (prior, latest) if run_id and (step := memory.step(run_id))}
    taken = {units.parse_time(step.window_end) for step in chosen.values()}
    for week in range(1, WEEKS):
        at = end - week * timedelta(days=7)
        if any(abs(moment - at) <= _NEAR for moment in taken):
            continue
        near = [
            (abs(units.parse_time(step.window_end) - at), step.run_id, step)
            for step in memory.steps
            if abs(units.parse_time(step.window_end) - at) <= _NEAR
        ]
        if near:
            step = min(near, key=lambda found: found[:2])[2]
            chosen[step.run_id] = step
            taken.add(units.parse_time(step.window_end))
    return sorted(chosen.values(), key=lambda step: (step.window_end, step.run_id))


def history(steps: Sequence[Step], lineage_id: str | None) -> list[HistoryPoint]:
    """Follow a cluster, or with ``None`` the whole run, over runs; where it is missing there is no point."""
    points = []
    for step in steps:
        places = [place for place in step.places if place.lineage_id == lineage_id]
        place = step.whole if lineage_id is None else next(iter(places), None)
        if place is not None:
            points.append(
                HistoryPoint(
                    run_id=step.run_id,
                    window_end=step.window_end,
                    share=place.share,
                    mean_cost_usd=place.mean_cost_usd,
                    error_rate=place.error_rate,
                    p95_latency_s=place.p95_latency_s,
                    items=place.items,
                    median_latency_s=place.median_latency_s,
                )
            )
    return points


def added(memory: Memory, step: Step) -> Memory:
    """Remember one more run, newer than all others."""
    lives = dict(memory.lives)
    for place in step.places:
        known = lives.get(place.lineage_id)
        if known is None:
            lives[place.lineage_id] = Life(step.window_end, 1, [place.title])
        else:
            # A run that nobody titled names its clusters by their numbers: that is no name.
            told = place.title in known.names or not titles.document(place.title, "")
            names = known.names if told else [*known.names, place.title][-_NAMES:]
            lives[place.lineage_id] = Life(min(known.first_seen, step.window_end), known.runs + 1, names)
    return Memory([*memory.steps, step], lives, memory.told)


def with_figures(memory: Memory, run_id: str, figures: Mapping[str | None, HistoryPoint]) -> Memory:
    """Remember what the clusters of a run are like.

    Args:
        memory: A job's past.
        run_id: The run; if it is not known, nothing is remembered.
        figures: Lineage id → what was measured; ``None`` stands for the whole run.
    """

    def measured(place: Place, point: HistoryPoint | None) -> Place:
        if point is None:
            return place
        return msgspec.structs.replace(
            place,
            share=point.share,
            mean_cost_usd=point.mean_cost_usd,
            error_rate=point.error_rate,
            p95_latency_s=point.p95_latency_s,
            items=point.items,
            median_latency_s=point.median_latency_s,
        )

    def told(step: Step) -> Step:
        if step.run_id != run_id:
            return step
        places = [measured(place, figures.get(place.lineage_id)) for place in step.places]
        whole = measured(step.whole or Place("", "", 1.0), figures.get(None))
        return msgspec.structs.replace(step, places=places, whole=whole)

    return msgspec.structs.replace(memory, steps=[told(step) for step in memory.steps])


def remembered(
    memory: Memory, section: JobSection, findings: Sequence[Finding], over: Iterable[Resolved] = ()
) -> Memory:
    """Take a finished report into memory: what it measured and what it said; forget what is too old."""
    if section.latest is None or memory.step(section.latest.run_id) is None:
        return memory
    told = news.Told(
        section.latest.run_id,
        section.latest.window_start,
        section.latest.window_end,
        sorted({news.named(section, finding) for finding in findings}),
        news.levels(section, findings),
        news.over(section, over),
    )
    for run_id, figures in _figures(section).items():
        memory = with_figures(memory, run_id, figures)
    others = [one for one in memory.told if one.run_id != told.run_id]
    end = units.parse_time(section.latest.window_end)
    steps = [step for step in memory.steps if end - units.parse_time(step.window_end) <= _KEPT]
    alive = {place.lineage_id for step in steps for place in step.places}
    return Memory(
        steps=steps,
        lives={key: life for key, life in sorted(memory.lives.items()) if key in alive},
        told=sorted(
            news.recent([*others, told], told.window_end), key=lambda one: (one.window_end, one.run_id)
        ),
    )


def _figures(section: JobSection) -> dict[str, dict[str | None, HistoryPoint]]:
    """Collect what a section measured: run id → lineage id → point."""
    found: dict[str, dict[str | None, HistoryPoint]] = {}
    everyone: list[tuple[str | None, list[HistoryPoint]]] = [
        (cluster.lineage_id, cluster.history)
        for cluster in (*section.clusters, *([section.noise] if section.noise else []))
    ]
    everyone.append((None, section.overall.history if section.overall else []))
    for lineage_id, points in everyone:
        for point in points:
            if point.mean_cost_usd is not None or point.error_rate is not None:
                found.setdefault(point.run_id, {})[lineage_id] = point
    return found


def of_report(report: Report, job_index: int) -> Memory:
    """Read a job's past off an earlier report: as much of it as one report tells."""
    section = report.jobs[job_index]
    if section.latest is None:
        return Memory()
    found: dict[str, tuple[str, list[Place]]] = {}
    wholes = {point.run_id: point for point in (section.overall.history if section.overall else [])}
    lives = {}
    everyone = [*section.clusters, *([section.noise] if section.noise else [])]
    for cluster in everyone:
        lives[cluster.lineage_id] = Life(
            cluster.lineage.first_seen, cluster.lineage.runs, list(cluster.lineage.names)
        )
        for point in cluster.history:
            _, places = found.setdefault(point.run_id, (point.window_end, []))
            places.append(_place(cluster, point, section.latest.run_id))
    if section.prior is not None:
        end, known = found.get(section.prior.run_id, (section.prior.window_end, []))
        before = {place.lineage_id: place for place in known}
        for old in section.prior_clusters:
            if old.lineage_id:
                lives.setdefault(old.lineage_id, Life(end, 1, [old.title]))
                place = before.get(old.lineage_id, Place(old.lineage_id, old.title, old.share))
                before[old.lineage_id] = msgspec.structs.replace(
                    place, title=old.title, cluster_id=old.prior_cluster_id
                )
        found[section.prior.run_id] = (end, list(before.values()))
    steps = [
        Step(run_id, "", end, places, _whole(wholes.get(run_id)))
        for run_id, (end, places) in sorted(found.items(), key=lambda one: (one[1][0], one[0]))
    ]
    findings = [finding for finding in report.findings if finding.job_index == job_index]
    said = news.Told(
        section.latest.run_id,
        section.latest.window_start,
        section.latest.window_end,
        sorted({news.named(section, finding) for finding in findings}),
        news.levels(section, findings),
        news.over(section, [one for one in report.resolved if one.job_index == job_index]),
    )
    return Memory(steps, lives, [said])


def _place(cluster: Cluster, point: HistoryPoint, latest: str) -> Place:
    return Place(
        cluster.lineage_id,
        cluster.title,
        point.share,
        cluster.cluster_id if point.run_id == latest or cluster.cluster_id == NOISE else None,
        point.mean_cost_usd,
        point.error_rate,
        point.p95_latency_s,
        point.items,
        point.median_latency_s,
    )


def _whole(point: HistoryPoint | None) -> Place | None:
    if point is None:
        return None
    return Place(
        "",
        "",
        point.share,
        None,
        point.mean_cost_usd,
        point.error_rate,
        point.p95_latency_s,
        point.items,
        point.median_latency_s,
    )
