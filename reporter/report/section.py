"""One job's section of a report: its runs, its clusters and what became of them."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from reporter.report.values import (
    Change,
    Distributions,
    Driver,
    ErrorCause,
    Estimates,
    Evidence,
    Exemplar,
    HistoryPoint,
    Lineage,
    MatchKind,
    Metrics,
    ModelCost,
    PriorTransition,
    Value,
)

Level: TypeAlias = Literal["trace", "generation", "evaluation"]
Status: TypeAlias = Literal["ok", "stale", "not_comparable", "no_prior", "no_run", "failed"]
"""In rising order of precedence; a stale run is still compared."""


class JobInfo(Value, frozen=True, kw_only=True):
    """The clustering job."""

    id: str | None
    """``None`` for runs made without a job."""
    name: str
    level: Level
    enabled: bool | None
    deleted: bool
    event_filters: list[dict[str, Any]]


class RunInfo(Value, frozen=True, kw_only=True):
    """One clustering run."""

    run_id: str
    label: str | None
    window_start: str
    window_end: str
    emitted_at: str
    items: int
    """Items analysed, as the event says."""
    clusters: int
    """Regular clusters, noise not counted."""
    noise_items: int
    params: dict[str, Any] | None
    url: str | None


class Comparability(Value, frozen=True, kw_only=True):
    """Whether latest and prior may be subtracted from each other."""

    comparable: bool
    reasons: list[str]
    """Why not; empty when comparable."""
    shared_items: int
    window_overlap: float
    """Share (0-1) of the latest window that the prior window covers."""
    prior_choice: str
    """One sentence: which prior was taken, by which rule, with gap and overlap."""


class Coverage(Value, frozen=True, kw_only=True):
    """How much of the traffic the sample saw."""

    sampled_items: int
    population_items: int | None
    sampled_cost: float | None
    population_cost: float | None
    noise_share: float | None


class Overall(Value, frozen=True, kw_only=True):
    """The whole run."""

    metrics: Metrics
    estimates: Estimates
    change: Change | None
    distributions: Distributions
    prior_metrics: Metrics | None
    history: list[HistoryPoint] = msgspec.field(default_factory=list)
    """Oldest first, the latest run included; its share is 1."""
    models: list[ModelCost] = msgspec.field(default_factory=list)
    """Dearest first."""


class Cluster(Value, frozen=True, kw_only=True):
    """One cluster of the latest run (or its noise)."""

    cluster_id: int
    lineage_id: str
    lineage: Lineage
    title: str
    description: str
    size: int
    """Item keys."""
    share: float
    """0-1, noise included in the base."""
    url: str | None
    metrics: Metrics
    estimates: Estimates
    change: Change | None
    history: list[HistoryPoint]
    errors: list[ErrorCause]
    drivers: list[Driver]
    exemplars: list[Exemplar]
    distributions: Distributions
    prior_distributions: Distributions | None
    prior_metrics: Metrics | None
    """Same rules, on the matched prior cluster."""
    points: list[tuple[float, float]]
    """Plot positions inside the latest run, scaled to 0-1 over the run, at most 400 a cluster,
    chosen evenly by rank; empty where the run has no coordinates."""
    posthog_metrics: dict[str, Any] | None
    """The metrics PostHog baked into the event, shown as a cross-check only."""
    models: list[ModelCost] = msgspec.field(default_factory=list)
    """Dearest first."""


class GoneCluster(Value, frozen=True, kw_only=True):
    """A prior cluster with no successor."""

    lineage_id: str = ""

    prior_cluster_id: int
    title: str
    size: int
    share: float
    metrics: Metrics


class PriorCluster(Value, frozen=True, kw_only=True):
    """What became of a cluster of the prior run."""

    lineage_id: str = ""

    prior_cluster_id: int
    title: str
    size: int
    share: float
    transition: PriorTransition


class TransitionEntry(Value, frozen=True, kw_only=True):
    """A set of clusters of both runs that belong together."""

    kind: MatchKind
    latest: list[int]
    prior: list[int]
    confidence: float
    evidence: Evidence | None
    """``None`` for new and gone, which rest on the absence of links."""
    shared_items: int
    noise_share: float | None = None
    """New and gone: part of the cluster's items known in the other run that is noise there, 0-1."""


class UnitCostParts(Value, frozen=True, kw_only=True):
    """What a change of unit cost is made of, USD per window; the five add up to it."""

    calls_per_item: float
    model_mix: float
    """Calls went to other models."""
    tokens_per_call: float
    price_per_token: float
    other: float
    """What calls do not explain: spans with a cost of their own, and cells without calls on a side."""


class BridgeLine(Value, frozen=True, kw_only=True):
    """One cell of the cost bridge, USD per window."""

    title: str
    status: str
    mix: float
    unit_cost: float
    mix_interval: tuple[float, float] | None = None
    """95 %; ``None`` where the cell holds too few items."""
    unit_cost_interval: tuple[float, float] | None = None
    unit_cost_parts: UnitCostParts | None = None
    """``None`` where no call of either run is known."""
    latest: list[int] = msgspec.field(default_factory=list)
    """Clusters of the latest run in the cell."""
    prior: list[int] = msgspec.field(default_factory=list)
    """Clusters of the prior run in the cell."""


class Bridge(Value, frozen=True, kw_only=True):
    """Change in cost from prior to latest window, USD; the four parts add up exactly."""

    prior: float
    latest: float
    volume: float
    coverage: float
    mix: float
    unit_cost: float
    intervals: dict[str, tuple[float, float]]
    """95 %, by the name of a step or of a part of unit cost."""
    lines: list[BridgeLine]
    """One a cell: what belongs together of both runs, what came, what went, the noise."""
    unit_cost_parts: UnitCostParts | None = None
    """Sums over the lines."""


class JobSection(Value, frozen=True, kw_only=True):
    """Everything a report says about one job at one level."""

    job: JobInfo
    status: Status
    status_reason: str
    """One sentence for people; ``""`` when ok."""
    stale: bool
    latest: RunInfo | None
    prior: RunInfo | None
    comparability: Comparability | None
    coverage: Coverage | None
    overall: Overall | None
    clusters: list[Cluster]
    """Largest first, then by id; noise not among them."""
    noise: Cluster | None
    gone: list[GoneCluster]
    prior_clusters: list[PriorCluster]
    transitions: list[TransitionEntry]
    bridge: Bridge | None
