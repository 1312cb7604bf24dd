"""One job's part of the report: everything measured, matched, compared and named, in one value.

Takes decoded data, gives a `JobSection`; never asks a source for more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reporter import units
from reporter.analysis import (
    bridge,
    causes,
    drivers,
    exemplars,
    lineage,
    links,
    matching,
    metrics,
    model_costs,
    redact,
    selection,
    succession,
)
from reporter.analysis.bridge import Population
from reporter.analysis.compare import GOOD, Wanted
from reporter.analysis.matching import Matching
from reporter.analysis.measured import Measured, measured
from reporter.analysis.memory import Memory, Step, history, slots, with_figures
from reporter.analysis.memory import lineage as life
from reporter.analysis.selection import JobRuns, PriorChoice
from reporter.analysis.succession import Compared
from reporter.model import NOISE, Cluster, Failure, ItemMetrics, Membership, Run, Totals
from reporter.report import (
    Bridge,
    Change,
    Comparability,
    Coverage,
    Driver,
    HistoryPoint,
    JobInfo,
    JobSection,
    MetricChange,
    Overall,
    Redaction,
    RunInfo,
)
from reporter.report import Cluster as Told


@dataclass(frozen=True, slots=True)
class SectionInput:
    """All that is known about one job."""

    group: JobRuns
    """The job and its runs."""
    latest: Run | None
    """The run to report on."""
    prior: Run | None
    """The run to compare with."""
    choice: PriorChoice | None
    """How the prior was chosen."""
    now: datetime
    host: str
    """PostHog's address, for links."""
    project_id: str | None
    redaction: Redaction
    least: int = 0
    """Items a cluster needs for its words to be shown."""
    latest_rows: Sequence[ItemMetrics] = ()
    prior_rows: Sequence[ItemMetrics] = ()
    latest_failures: Sequence[Failure] = ()
    prior_failures: Sequence[Failure] = ()
    latest_totals: Totals | None = None
    """The population behind the latest run."""
    prior_totals: Totals | None = None
    """The population behind the prior run."""
    between: tuple[Membership, ...] = ()
    """Runs between prior and latest, any order: they carry identity over windows that share no items."""
    failed_reason: str | None = None
    """Why the job could not be read."""
    seed: int = 0
    good: Mapping[str, Wanted] = field(default_factory=lambda: GOOD)
    """Estimate → which way is the better one; what is not named is neutral."""
    matched: Matching | None = None
    """How the two runs match, where that is known already."""
    comparability: Comparability | None = None
    """Whether they may be compared, where that is known already."""
    memory: Memory = field(default_factory=Memory)
    """What is known of the job's past; best with both runs followed already."""
    kept: bool = False
    """Whether ids come from, or go to, a place that outlives the report."""


def build(inputs: SectionInput) -> JobSection:
    """Assemble one job's section, redacted to the level asked for."""
    latest_header = inputs.latest.header if inputs.latest else None
    prior_header = inputs.prior.header if inputs.prior else None
    status, reason = selection.status(
        inputs.group,
        latest_header,
        prior_header,
        inputs.now,
        failed=inputs.failed_reason,
        no_prior=inputs.choice.sentence if inputs.choice else "",
        compared=inputs.comparability,
    )
    job = inputs.group.job
    info = JobInfo(
        id=job.id,
        name=job.name,
        level=job.level,
        enabled=job.enabled,
        deleted=job.deleted,
        event_filters=[dict(f) for f in job.event_filters],
    )
    if inputs.latest is None or latest_header is None:
        return JobSection(
            job=info,
            status=status,
            status_reason=reason,
            stale=False,
            latest=None,
            prior=None,
            comparability=None,
            coverage=None,
            overall=None,
            clusters=[],
            noise=None,
            gone=[],
            prior_clusters=[],
            transitions=[],
            bridge=None,
        )
    latest = measured(inputs.latest, inputs.latest_rows, inputs.latest_failures)
    prior = measured(inputs.prior, inputs.prior_rows, inputs.prior_failures) if inputs.prior else None
    comparability = inputs.comparability or _comparability(latest, prior, inputs.choice)
    matched = inputs.matched
    if prior is not None and matched is None:
        old, new = matching.membership(prior.run), matching.membership(latest.run)
        matched = matching.match(old, new, inputs.between)
    compared = None
    if prior is not None and matched is not None and comparability is not None and comparability.comparable:
        compared = succession.compared(latest, prior, matched, inputs.between, inputs.seed, inputs.good)
    past = _past(latest, prior, matched, inputs)
    told = _told(latest, compared, past, inputs)
    names = past.names(prior) if prior else {}
    overall = _overall(latest, prior, compared, past)
    clusters = sorted(
        (c for c in told if c.cluster_id != NOISE), key=lambda cluster: (-cluster.size, cluster.cluster_id)
    )
    noise = next((c for c in told if c.cluster_id == NOISE), None)
    section = JobSection(
        job=info,
        status=status,
        status_reason=reason,
        stale=selection.is_stale(latest_header, inputs.now),
        latest=_run_info(latest, inputs),
        prior=_run_info(prior, inputs) if prior else None,
        comparability=comparability,
        coverage=Coverage(
            sampled_items=latest.size,
            population_items=inputs.latest_totals.items if inputs.latest_totals else None,
            sampled_cost=overall.metrics.total_cost,
            population_cost=inputs.latest_totals.cost_usd if inputs.latest_totals else None,
            noise_share=(noise.size if noise else 0) / latest.size if latest.size else None,
        ),
        overall=overall,
        clusters=clusters,
        noise=noise,
        gone=succession.gone(compared, names) if compared else [],
        prior_clusters=succession.prior_clusters(compared, names) if compared else [],
        transitions=succession.transitions(compared) if compared else [],
        bridge=_bridge(latest, compared, inputs) if compared else None,
    )
    return redact.section(section, inputs.redaction, inputs.least)


def _bridge(latest: Measured, compared: Compared, inputs: SectionInput) -> Bridge | None:
    now, before = inputs.latest_totals, inputs.prior_totals
    if now is None or before is None or now.cost_usd is None or before.cost_usd is None:
        return None
    return bridge.bridge(
        succession.cells(latest, compared),
        Population(before.items, before.cost_usd),
        Population(now.items, now.cost_usd),
        inputs.seed,
    )


def _comparability(
    latest: Measured, prior: Measured | None, choice: PriorChoice | None
) -> Comparability | None:
    if prior is None:
        return None
    return selection.comparability(
        latest.run.header,
        prior.run.header,
        len(latest.keys & prior.keys),
        prior_choice=choice.sentence if choice else "",
    )


def _run_info(measured: Measured, inputs: SectionInput) -> RunInfo:
    header = measured.run.header
    noise = measured.cluster(NOISE)
    return RunInfo(
        run_id=header.run_id,
        label=header.label,
        window_start=units.iso(header.window.start),
        window_end=units.iso(header.window.end),
        emitted_at=units.iso(header.emitted_at),
        items=header.items,
        clusters=sum(not c.is_noise for c in measured.run.clusters),
        noise_items=noise.size if noise else 0,
        params=dict(header.params) if header.params is not None else None,
        url=links.run_url(inputs.host, inputs.project_id, header.run_id),
    )


@dataclass(frozen=True, slots=True)
class _Past:
    """A job's past with this report's runs in it, and the runs its histories show."""

    memory: Memory
    kept: bool
    shown: tuple[Step, ...] = ()

    def names(self, run: Measured) -> dict[int, str]:
        """Map a run's cluster ids to lineage ids."""
        step = self.memory.step(run.run.header.run_id)
        places = step.places if step else []
        return {place.cluster_id: place.lineage_id for place in places if place.cluster_id is not None}


def _past(latest: Measured, prior: Measured | None, matched: Matching | None, inputs: SectionInput) -> _Past:
    """Follow the clusters of both runs and remember what they are like now."""
    ends = [run for run in (prior, latest) if run]
    held = [(run.run.header, matching.membership(run.run)) for run in ends]
    memory, kept = inputs.memory, inputs.kept
    if any(memory.step(header.run_id) is None for header, _ in held):
        compared = lineage.heirs(held[0][0], held[-1][0], matched) if matched else None
        memory = lineage.followed(memory, held, compared)
        if memory.step(latest.run.header.run_id) is None:  # what is remembered is younger than this run
            memory, kept = lineage.followed(Memory(), held, compared), False
    past = _Past(memory, kept)
    for run in ends:
        names = past.names(run)
        figures: dict[str | None, HistoryPoint] = {
            names[cluster.cluster_id]: _point(run, cluster)
            for cluster in run.run.clusters
            if cluster.cluster_id in names
        }
        figures[None] = _point(run, None)
        memory = with_figures(memory, run.run.header.run_id, figures)
    before = prior.run.header.run_id if prior else None
    return _Past(memory, kept, tuple(slots(memory, latest.run.header.run_id, before)))


def _overall(latest: Measured, prior: Measured | None, compared: Compared | None, past: _Past) -> Overall:
    rows = latest.everything
    change = None
    if compared is not None:
        change = Change(
            transition="continued",
            prior_cluster_ids=[],
            links=[],
            prior_title=None,
            metrics=compared.changes[None],
        )
    return Overall(
        metrics=metrics.metrics(latest.level, latest.size, rows),
        estimates=metrics.estimates(latest.size, latest.size, rows),
        change=change,
        distributions=metrics.distributions(rows),
        prior_metrics=metrics.metrics(prior.level, prior.size, prior.everything) if prior else None,
        history=history(past.shown, None),
        models=model_costs.models(rows, prior.everything if compared and prior else None),
    )


def _told(latest: Measured, compared: Compared | None, past: _Past, inputs: SectionInput) -> list[Told]:
    places = exemplars.points(latest.run)
    return [
        _cluster(cluster, latest, compared, past, places[cluster.cluster_id], inputs)
        for cluster in latest.run.clusters
    ]


def _cluster(
    cluster: Cluster,
    latest: Measured,
    compared: Compared | None,
    past: _Past,
    places: list[tuple[float, float]],
    inputs: SectionInput,
) -> Told:
    rows, header = latest.of(cluster), latest.run.header
    origin = compared.one_to_one(cluster) if compared else None
    prior_rows = compared.prior.of(origin) if compared and origin else []
    estimates = metrics.estimates(cluster.size, latest.size, rows)
    mine = {item.key: links.trace_of(latest.level, item, latest.rows.get(item.key)) for item in cluster.items}
    name = past.names(latest)[cluster.cluster_id]
    baked = cluster.baked
    sentiment = baked.get("sentiment") if baked else None
    return Told(
        cluster_id=cluster.cluster_id,
        lineage_id=name,
        lineage=life(past.memory, name, provisional=not past.kept),
        title=cluster.title,
        description=cluster.description,
        size=cluster.size,
        share=cluster.size / latest.size if latest.size else 0.0,
        url=links.cluster_url(inputs.host, inputs.project_id, header.run_id, cluster.cluster_id),
        metrics=metrics.metrics(
            latest.level, cluster.size, rows, sentiment if isinstance(sentiment, Mapping) else None
        ),
        estimates=estimates,
        change=succession.change(cluster, origin, compared) if compared else None,
        history=history(past.shown, name),
        errors=causes.causes(
            [f for f in latest.failures if f.key in mine],
            compared.causes if compared else None,
            mine,
            header.window,
        ),
        drivers=_drivers(rows, prior_rows, compared.changes[cluster.cluster_id].get("mean_cost_usd"))
        if compared and origin
        else [],
        exemplars=exemplars.exemplars(cluster, latest.rows, latest.level, inputs.host, inputs.project_id),
        distributions=metrics.distributions(rows),
        prior_distributions=metrics.distributions(prior_rows) if origin else None,
        prior_metrics=metrics.metrics(latest.level, origin.size, prior_rows) if origin else None,
        points=places,
        posthog_metrics=dict(baked) if baked is not None else None,
        models=model_costs.models(rows, prior_rows if origin else None),
    )


def _drivers(
    rows: Sequence[ItemMetrics], prior_rows: Sequence[ItemMetrics], cost: MetricChange | None
) -> list[Driver]:
    """Take a change of the mean cost apart by model, where it changed."""
    if cost is None or cost.call not in ("changed", "probably_changed"):
        return []
    sides = [drivers.parts_by_model(some) for some in (rows, prior_rows)]
    sizes = [sum(row.has_data for row in some) for some in (rows, prior_rows)]
    return drivers.drivers(sides[0], sides[1], (sizes[0], sizes[1]), drivers.MODEL, "mean_cost_usd")


def _point(measured: Measured, cluster: Cluster | None) -> HistoryPoint:
    """Measure a cluster, or the whole run, as a point of its history."""
    rows = measured.everything if cluster is None else measured.of(cluster)
    estimates = metrics.estimates(cluster.size if cluster else measured.size, measured.size, rows)
    return HistoryPoint(
        run_id=measured.run.header.run_id,
        window_end=units.iso(measured.run.header.window.end),
        share=estimates.share.value,
        mean_cost_usd=estimates.mean_cost_usd.value,
        error_rate=estimates.error_rate.value,
        p95_latency_s=estimates.p95_latency_s.value,
        items=cluster.size if cluster else measured.size,
        median_latency_s=estimates.median_latency_s.value,
    )
