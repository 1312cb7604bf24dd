"""Invented incidents: calls of known truth around a window, and the report made of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from reporter.analysis import incident_plan, incident_wording
from reporter.analysis.incident import Counter, Known, Unit, times
from reporter.model import Call, Window
from reporter.report import (
    SCHEMA_VERSION,
    Annotation,
    Incident,
    IncidentRun,
    Report,
    SourceInfo,
    Span,
    sealed,
)
from reporter.units import iso
from tests.reports import HOSTILE

MINUTE = timedelta(minutes=1)
BROKE = datetime(2026, 11, 20, 23, 42, tzinfo=UTC)
MENDED = datetime(2026, 11, 21, 1, 6, tzinfo=UTC)
"""The incident runs across midnight."""
WINDOW = Window(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), datetime(2026, 11, 21, 1, 30, tzinfo=UTC))
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
CLUSTERS = ("Broken answers", "Fails always", "Surges in traffic", "Calm", "Breaks a little", "Hardly used")
RATES = (0.01, 0.3, 0.01, 0.005, 0.02, 0.0)
"""Usual share of failed calls of each cluster."""
HIT = {0: 0.7, 4: 0.3}
"""Share while it is broken."""
PACE = (0.6, 0.5, 0.3, 1.2, 0.8, 0.01)
"""Calls a minute."""


def calls(seed: int = 1, *, broken: bool = True) -> Iterator[tuple[Call, int | None, bool]]:
    """Give calls of a day around the window: call, cluster, and whether the incident made it fail."""
    rng = random.Random(seed)
    moment, end = WINDOW.start - timedelta(hours=13), NOW
    number = 0
    while moment < end:
        for cluster, pace in (*enumerate(PACE), (None, 0.2)):
            surge = 6 if cluster == 2 and WINDOW.start <= moment < WINDOW.end else 1
            for _ in range(surge):
                if rng.random() >= pace:
                    continue
                number += 1
                at = moment + timedelta(seconds=rng.random() * 60)
                usual = rng.random() < (0.01 if cluster is None else RATES[cluster])
                hit = broken and cluster in HIT and BROKE <= at < MENDED and rng.random() < HIT[cluster]
                yield _call(number, at, cluster, rng, failed=usual or hit), cluster, hit and not usual
        moment += MINUTE


def _call(number: int, at: datetime, cluster: int | None, rng: random.Random, *, failed: bool) -> Call:
    return Call(
        uuid=f"0000ab00-0000-4000-8000-{number:012x}",
        event="$ai_generation",
        at=at,
        trace_id=f"trace-{number}",
        model="large-1" if cluster in HIT else "small-1",
        provider="one",
        cost_usd=None if failed else round(rng.uniform(0.01, 0.03), 4),
        latency_s=1.0,
        tokens_in=10.0,
        tokens_out=5.0,
        is_error=failed,
        http_status=503 if failed else None,
        error=f"upstream {number} timed out" if failed else None,
        user=number % 97,
    )


def counted(
    seed: int = 1, *, broken: bool = True, window: Window = WINDOW, titles: tuple[str, ...] = CLUSTERS
) -> tuple[Counter, incident_plan.Plan, int]:
    """Count an invented day; gives the counter, its plan, and how many calls the incident made fail."""
    plan = incident_plan.plan(window, NOW, *incident_plan.previous_hours(window))
    known: dict[Unit, Known] = {(0, i): Known("job", i, title, "run") for i, title in enumerate(titles)}
    counter, hits = Counter(plan, known), 0
    for call, cluster, hit in calls(seed, broken=broken):
        counter.add(call, [] if cluster is None else [(0, cluster)])
        hits += hit and window.start <= call.at < window.end
    return counter, plan, hits


def incident(seed: int = 1, *, broken: bool = True, titles: tuple[str, ...] = CLUSTERS) -> Incident:
    """Make an incident as the pipeline does."""
    counter, plan, _ = counted(seed, broken=broken, titles=titles)
    overall, found = counter.overall(), counter.clusters("https://eu.posthog.com", "7")
    onset_at, recovered_at = times(overall, found)
    return Incident(
        from_=iso(plan.window.start),
        to=iso(plan.window.end),
        bucket_s=plan.bucket.total_seconds(),
        status="ok",
        baseline=plan.label,
        baselines=[Span(start=iso(w.start), end=iso(w.end)) for w in plan.baselines],
        after=Span(start=iso(plan.after.start), end=iso(plan.after.end)) if plan.after else None,
        overall=overall,
        onset_at=onset_at,
        recovered_at=recovered_at,
        runs=[
            IncidentRun(job_id="job", run_id="7_trace_20261121_030000", job_name="All", items=900, covers=1.0)
        ],
        unassigned=counter.unassigned(),
        buckets=counter.buckets(),
        clusters=found,
        by=counter.by(),
        causes=counter.causes(),
        annotations=[Annotation(at="2026-11-20T23:40:00Z", text="Deploy 8f3c")],
    )


def incident_report(*, broken: bool = True, hostile: bool = False) -> Report:
    """Make a whole report of it."""
    told = incident(broken=broken, titles=HOSTILE[: len(CLUSTERS)] if hostile else CLUSTERS)
    verdict, headline = incident_wording.verdict_and_headline(told, "UTC")
    return sealed(
        Report(
            schema_version=SCHEMA_VERSION,
            kind="incident",
            title="Incident",
            generated_at=iso(NOW),
            reporter_version="0",
            redaction="titles",
            content_sha256="",
            timezone="UTC",
            verdict=verdict,
            headline=headline,
            source=SourceInfo(kind="export", location="invented calls", project_id="7"),
            warnings=[],
            files=[],
            findings=[],
            gates=[],
            jobs=[],
            incident=told,
        )
    )
