"""What reports said: whether a finding is news, and which changes they told of are over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from reporter import units
from reporter.report import Estimate, Finding, JobSection, Resolved, RunInfo

_TOLD = timedelta(days=30)
_GOING_BACK: Mapping[str, Literal["cost", "latency", "tokens", "errors"]] = {
    "cost": "cost",
    "latency": "latency",
    "tokens": "tokens",
    "errors": "errors",
}
"""Kinds of change that can go back. A share is told net of re-clustering, and no plain level is that."""


class Told(msgspec.Struct, frozen=True):
    """What one report said."""

    run_id: str
    window_start: str
    window_end: str
    keys: list[str]
    levels: dict[str, tuple[float, float]] = {}
    """Of certain changes: name → level before, level told."""
    resolved: list[str] = []
    """Names of what it said is over."""


def seen(told: Sequence[Told], section: JobSection, finding: Finding) -> Finding:
    """Say whether a finding is news.

    A finding that an earlier report (of an older run, within a month) made as well is ``repeated``, and
    ``confirmed`` where that report's window holds none of the latest one's time: then it was seen twice.
    """
    if section.latest is None:
        return finding
    name = named(section, finding)
    windows = [one.window_end for one in _earlier(told, section.latest) if name in one.keys]
    if not windows:
        return finding
    apart = any(end <= section.latest.window_start for end in windows)
    return msgspec.structs.replace(finding, seen="confirmed" if apart else "repeated")


def resolved(
    told: Sequence[Told], section: JobSection, job_index: int, findings: Iterable[Finding]
) -> list[Resolved]:
    """Say which certain changes of earlier reports are over.

    A change is over when the 95 % interval of today's level is wholly on the old side of the level that was
    told, and today's level is nearer to the old one than to that; the same change told anew is not over.
    """
    if section.latest is None:
        return []
    again = {named(section, finding) for finding in findings}
    first: dict[str, tuple[str, float]] = {}
    then: dict[str, float] = {}
    for one in _earlier(told, section.latest):
        for name in one.resolved:
            first.pop(name, None)
        for name, (before, level) in one.levels.items():
            first.setdefault(name, (one.window_end, before))
            then[name] = level
    found = [
        _resolved(section, job_index, name, first[name], then[name])
        for name in sorted(first)
        if name not in again
    ]
    return [one for one in found if one is not None]


def _resolved(
    section: JobSection, job_index: int, name: str, first: tuple[str, float], then: float
) -> Resolved | None:
    kind, about, metric, direction = name.split("|")
    told_at, before = first
    everyone = [*section.clusters, *([section.noise] if section.noise else [])]
    cluster = next((c for c in everyone if about and c.lineage_id == about), None)
    estimates = (
        cluster.estimates if cluster else section.overall.estimates if section.overall and not about else None
    )
    level: Estimate | None = getattr(estimates, metric, None)
    if level is None or level.value is None or level.low is None or level.high is None:
        return None
    back = level.high < then if direction == "up" else level.low > then
    if not back or abs(level.value - before) >= abs(level.value - then):
        return None
    return Resolved(
        job_index=job_index,
        kind=_GOING_BACK[kind],
        metric=metric,
        direction="up" if direction == "up" else "down",
        cluster_id=cluster.cluster_id if cluster else None,
        before=before,
        then=then,
        now=level.value,
        low=level.low,
        high=level.high,
        told_at=told_at,
        sentence="",
    )


def levels(section: JobSection, findings: Iterable[Finding]) -> dict[str, tuple[float, float]]:
    """Keep the levels of certain changes that can go back."""
    return {
        named(section, finding): (finding.prior, finding.latest)
        for finding in findings
        if finding.call == "changed"
        and finding.kind in _GOING_BACK
        and finding.direction in ("up", "down")
        and finding.prior is not None
        and finding.latest is not None
    }


def over(section: JobSection, found: Iterable[Resolved]) -> list[str]:
    """Name what is over as findings are named."""
    everyone: dict[int | None, str] = {
        c.cluster_id: c.lineage_id for c in (*section.clusters, *([section.noise] if section.noise else []))
    }
    return sorted("|".join((o.kind, everyone.get(o.cluster_id, ""), o.metric, o.direction)) for o in found)


def named(section: JobSection, finding: Finding) -> str:
    """Name what a finding is about, the same in every report that finds it."""
    if finding.kind == "gone":
        gone = next((g for g in section.gone if g.prior_cluster_id == finding.prior_cluster_id), None)
        about = gone.lineage_id if gone else ""
    else:
        everyone = [*section.clusters, *([section.noise] if section.noise else [])]
        about = next((c.lineage_id for c in everyone if c.cluster_id == finding.cluster_id), "")
    return "|".join((finding.kind, about, finding.metric or "", finding.direction))


def _earlier(told: Sequence[Told], latest: RunInfo) -> list[Told]:
    """Give what was said of older runs within a month, oldest first."""
    return [
        one
        for one in recent(told, latest.window_end)
        if one.window_end < latest.window_end and one.run_id != latest.run_id
    ]


def recent(told: Iterable[Told], end: str) -> list[Told]:
    """Leave out what was said too long ago."""
    now: datetime = units.parse_time(end)
    return [one for one in told if now - units.parse_time(one.window_end) <= _TOLD]
