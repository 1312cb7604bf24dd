"""The small values a report is made of: estimates, changes, PostHog's metrics, findings.

Every class is a frozen `msgspec.Struct`, so that the JSON, its schema and its checks come from one
definition. ``None`` is "unknown" and is written as ``null``; it is never zero.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

Call: TypeAlias = Literal["changed", "probably_changed", "no_clear_change", "not_enough_data"]
"""What a test concluded; see docs/methods.md."""
Transition: TypeAlias = Literal["continued", "renamed", "split", "merged", "new"]
PriorTransition: TypeAlias = Literal["continued", "renamed", "split", "merged", "gone"]
MatchKind: TypeAlias = Literal["continued", "renamed", "split", "merged", "new", "gone"]
Evidence: TypeAlias = Literal["items", "text", "both"]

ESTIMATES = (
    "share",
    "mean_cost_usd",
    "median_cost_usd",
    "mean_latency_s",
    "median_latency_s",
    "p95_latency_s",
    "mean_tokens",
    "error_rate",
)
"""Names of `Estimates`, in the order they are shown."""


class Value(msgspec.Struct, frozen=True):
    """Base of every report value: immutable, slotted, made by keyword."""


class Caveat(Value, frozen=True, kw_only=True):
    """Something a reader must know before trusting a number."""

    code: str
    """Stable machine word, e.g. ``run_unreadable``, ``jobs_unknown``, ``filters_not_applied``."""
    message: str
    """One sentence for people."""
    job_id: str | None = None
    """The job concerned; ``None`` for the whole report or a jobless section."""


class Estimate(Value, frozen=True, kw_only=True):
    """A quantity with its 95 % interval."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    """Items the estimate rests on."""
    method: str
    """Name of the interval, e.g. ``wilson``, ``log-t``, ``order-statistic``, ``none``."""


class Estimates(Value, frozen=True, kw_only=True):
    """What a cluster, the noise or a whole run is like."""

    share: Estimate
    """Item keys of the cluster / item keys of the run (noise included), 0-1."""
    mean_cost_usd: Estimate
    """Sum over items with data, null counted as 0, / items with data."""
    median_cost_usd: Estimate
    """Over positive values, linear interpolation (type 7)."""
    mean_latency_s: Estimate
    """Over items that have a latency."""
    median_latency_s: Estimate
    p95_latency_s: Estimate
    mean_tokens: Estimate
    """Sum over items with data, null counted as 0, / items with data."""
    error_rate: Estimate
    """Items with an error / items with data, 0-1."""


class Metrics(Value, frozen=True, kw_only=True):
    """PostHog's names and rules: averages over positive values, nulls where there is no data."""

    item_count: int
    """Items for which any AI event was found; evaluation level: all members."""
    avg_cost: float | None
    total_cost: float | None
    avg_latency: float | None
    avg_tokens: float | None
    error_rate: float | None
    """Items with an error / items with data, 0-1."""
    error_count: int
    """Items with an error."""
    p50_cost: float | None
    p90_cost: float | None
    p95_cost: float | None
    p50_latency: float | None
    p90_latency: float | None
    p95_latency: float | None
    pass_rate: float | None = None
    na_rate: float | None = None
    dominant_evaluation_name: str | None = None
    dominant_runtime: str | None = None
    avg_judge_cost: float | None = None
    sentiment: dict[str, Any] | None = None
    """PostHog's baked sentiment, where the event has it."""


class Distribution(Value, frozen=True, kw_only=True):
    """Quantiles (type 7) of the positive values of one quantity, for the quantile strips."""

    n: int
    p5: float
    p25: float
    p50: float
    p75: float
    p90: float
    p95: float


class Distributions(Value, frozen=True, kw_only=True):
    """Distributions of cost (USD) and latency (s); ``None`` where no item has a positive value."""

    cost_usd: Distribution | None
    latency_s: Distribution | None


class Ratio(Value, frozen=True, kw_only=True):
    """Latest / prior with its 95 % interval; unitless."""

    value: float
    low: float | None
    high: float | None


class MetricChange(Value, frozen=True, kw_only=True):
    """One estimate, prior against latest."""

    prior: float | None
    latest: float | None
    difference: float | None
    """latest − prior; for share net of re-clustering where that can be measured."""
    low: float | None
    high: float | None
    """95 % interval of `difference`."""
    ratio: Ratio | None
    p_value: float | None
    """Two-sided; ``None`` where nothing was tested."""
    q_value: float | None
    """Benjamini-Hochberg over the job's tests."""
    call: Call
    good: bool | None = None
    """Whether it went the better way; ``None`` where neither way is better or nothing moved."""
    raw_difference: float | None = None
    """Share only: plain latest − prior."""
    method: str | None = None
    """Name of interval and test."""
    driven_by: list[str] = msgspec.field(default_factory=list)
    """Means only: traces of the few items (at most three) without which it would have gone the other way."""


class Link(Value, frozen=True, kw_only=True):
    """One prior cluster this cluster came from."""

    prior_cluster_id: int
    confidence: float
    """0-1; pages say same ≥ 0.9, probably ≥ 0.6, possible below."""
    evidence: Evidence
    shared_items: int
    text_similarity: float
    """0-1."""


class Change(Value, frozen=True, kw_only=True):
    """How a cluster relates to the prior run."""

    transition: Transition
    prior_cluster_ids: list[int]
    links: list[Link]
    prior_title: str | None
    metrics: dict[str, MetricChange]
    """Estimate name → change; empty for new, split and merged clusters."""


class HistoryPoint(Value, frozen=True, kw_only=True):
    """One run in a cluster's life; oldest first, the latest run included."""

    run_id: str
    window_end: str
    share: float | None
    mean_cost_usd: float | None
    error_rate: float | None
    p95_latency_s: float | None
    items: int | None = None
    median_latency_s: float | None = None


class Lineage(Value, frozen=True, kw_only=True):
    """Identity across runs."""

    first_seen: str
    """Window end (ISO 8601 UTC) of the first run known to hold it."""
    runs: int
    """Runs known to hold it, the latest included."""
    names: list[str]
    """Names it bore, oldest first."""
    provisional: bool
    """True where no earlier report or state vouches for the id."""


class CausePart(Value, frozen=True, kw_only=True):
    """Failed calls of one cause to one model of one provider."""

    model: str | None
    provider: str | None
    count: int
    items: int
    cost_usd: float | None
    first_seen: str
    last_seen: str
    new: bool | None
    """This model of this provider did not fail of it in the prior run; ``None`` where that is not known."""
    example_trace_id: str | None


class ErrorCause(Value, frozen=True, kw_only=True):
    """Errors of a cluster that look alike."""

    cause: str
    """HTTP status, if there was one, and the error text with what varies masked."""
    count: int
    items: int
    cost_usd: float | None
    first_seen: str
    last_seen: str
    new: bool | None
    """Not seen in the prior run; ``None`` where that is not known."""
    example_trace_id: str | None
    timeline: list[int] = msgspec.field(default_factory=list)
    """Failed calls in equal slices of the window, an item's all in the slice of its first; they add up to
    `count`. Empty where the window is not known."""
    parts: list[CausePart] = msgspec.field(default_factory=list)
    """The calls by model and provider, most failed calls first; at most ten parts."""


class ModelCost(Value, frozen=True, kw_only=True):
    """What a cluster, or the whole run, used of one model."""

    model: str | None
    """``$ai_model``; ``None`` for events that name none."""
    calls: int
    tokens: float | None
    cost_usd: float | None
    """Of the items sampled; over the models they add up to ``metrics.total_cost``."""
    prior_cost_usd: float | None
    """The same in the prior run; ``None`` where no one cluster of it is this one."""


class Driver(Value, frozen=True, kw_only=True):
    """One value of a dimension that explains part of a change."""

    dimension: str
    value: str
    contribution: float
    """Part of the change of `metric`; the drivers of one dimension and metric add up to 1."""
    latest_items: int
    prior_items: int
    metric: str = "mean_cost_usd"
    difference: float | None = None
    """What the value adds to the change, in the metric's unit per item with data."""


class Exemplar(Value, frozen=True, kw_only=True):
    """One item worth opening, and why it was chosen."""

    item_key: str
    trace_id: str | None
    reason: str
    """``nearest``, ``typical``, ``most_expensive``, ``slowest``, ``failing``, ``farthest``."""
    url: str | None
    quote: str | None


class Finding(Value, frozen=True, kw_only=True):
    """One thing that may have changed, ranked by how much it matters."""

    rank: int
    kind: Literal[
        "new", "gone", "split", "merged", "share", "cost", "latency", "tokens", "errors", "noise", "coverage"
    ]
    job_id: str | None
    cluster_id: int | None
    metric: str | None
    direction: Literal["up", "down", "none"]
    good: bool | None
    prior: float | None
    latest: float | None
    low: float | None
    high: float | None
    p_value: float | None
    q_value: float | None
    call: Call
    impact_usd: float | None
    """Signed, per window, latest − prior."""
    sentence: str
    seen: Literal["new", "repeated", "confirmed"]
    trace_ids: list[str]
    job_index: int
    """Index into ``jobs``: one job id may stand for several levels, and jobless runs have none."""
    prior_cluster_id: int | None = None
    """The cluster of the prior run that is gone; ``None`` for every other kind."""


class Muted(Value, frozen=True, kw_only=True):
    """A finding that reporter.toml asks not to be told."""

    finding: Finding
    reason: str
    """Why, as the settings say."""
    until: str
    """When it will be told again (ISO 8601 UTC)."""


class Resolved(Value, frozen=True, kw_only=True):
    """A certain change of an earlier report that is over: sure to be off its level, nearer the old one."""

    job_index: int
    """Index into ``jobs``."""
    kind: Literal["cost", "latency", "tokens", "errors"]
    metric: str
    direction: Literal["up", "down"]
    """Of the change that was told."""
    cluster_id: int | None
    """Of the latest run; ``None`` for the whole run."""
    before: float
    """Level before the change."""
    then: float
    """Level the newest report that told of it gave."""
    now: float
    low: float
    high: float
    """95 % interval of `now`; does not hold `then`."""
    told_at: str
    """Window end of the run of the first report that told of it (ISO 8601 UTC)."""
    sentence: str


class Gate(Value, frozen=True, kw_only=True):
    """Outcome of one rule for one cluster, or for a whole run."""

    rule: str
    job_id: str | None
    cluster_id: int | None
    """``None`` for the whole run, and where a rule found no cluster to judge."""
    limit: float
    """In the metric's unit, shares 0-1; of a rule with a sign the change allowed, negative for a fall."""
    value: float | None
    """The figure, or its change where the rule has a sign."""
    low: float | None
    high: float | None
    """95 % interval of `value`."""
    outcome: Literal["passed", "failed", "warned", "waived", "not_enough_data", "not_comparable"]
    fails: bool = False
    """Whether it fails a build: it failed, or the policy says that what cannot be judged does."""
    job_index: int | None = None
    """Index into ``jobs``; ``None`` where a rule found nothing to judge in any job."""
    metric: str = ""
    relative: bool = False
    """Whether `limit`, `value`, `low` and `high` are parts of the prior figure."""
    change: bool = False
    """Whether they are about the change since the prior run."""
    n: int | None = None
    """Items the figure rests on."""
    reason: str = ""
    """Of a waiver: why."""
    until: str | None = None
    """Of a waiver: when it ends (ISO 8601 UTC)."""
    sentence: str = ""
    """What was found, for people."""


class FileHash(Value, frozen=True, kw_only=True):
    """A file written beside report.json."""

    name: str
    sha256: str
