"""What an incident did: which clusters broke, when, and for how many. Part of ``report.json``."""

from __future__ import annotations

from typing import Literal, TypeAlias

from reporter.report.values import Value

IncidentVerdict: TypeAlias = Literal["affected", "control", "unclear"]


class Bucket(Value, frozen=True, kw_only=True):
    """One time bucket of an incident."""

    start: str
    calls: int
    failed: int
    cost_usd: float | None


class Phase(Value, frozen=True, kw_only=True):
    """Traffic before, during or after an incident."""

    calls: int
    failed: int
    failed_share: float | None
    """``None`` where there was no call."""
    low: float | None
    high: float | None
    """Wilson's 95 % interval of it."""
    cost_usd: float | None


class Excess(Value, frozen=True, kw_only=True):
    """A quantity beyond what was to be expected, with its 95 % interval."""

    value: float
    low: float
    high: float


class EvidenceTrace(Value, frozen=True, kw_only=True):
    """A trace that shows what happened."""

    trace_id: str
    reason: str
    """``first``, ``most_failures`` or ``last``: of the failed calls during the incident."""
    at: str
    """Its first failed call."""
    failed: int
    url: str | None


class Effect(Value, frozen=True, kw_only=True):
    """What an incident did to some calls: all of them, or those of one cluster."""

    before: Phase
    """The baseline, over all of its windows."""
    during: Phase
    after: Phase
    excess_failed: Excess | None
    """Failed calls during it beyond those to be expected; ``None`` without a baseline."""
    excess_cost_usd: Excess | None
    """Spend beyond that to be expected of as many calls; ``None`` where no cost is known."""
    users: int
    """Users with a failed call during it."""
    onset_at: str | None
    """Begin of the bucket in which the failed share rose; ``None`` where it did not."""
    recovered_at: str | None
    """Begin of the first bucket in which it was over; ``None`` where it did not rise or no end is shown."""
    elevated: bool
    """Whether it rose and the data do not show that it fell back."""
    p_value: float | None
    """Of more failed calls in the window than usual, one-sided; of clusters adjusted over all of them
    (Benjamini-Hochberg); ``None`` if not tested."""


class IncidentCluster(Effect, frozen=True, kw_only=True):
    """What an incident did to one cluster."""

    job_id: str | None
    cluster_id: int
    title: str
    verdict: IncidentVerdict
    timeline: list[tuple[int, int]]
    """Calls and failed calls in each bucket."""
    traces: list[EvidenceTrace]
    url: str | None


class IncidentBy(Value, frozen=True, kw_only=True):
    """Inside against outside of an incident for one value of one dimension."""

    dimension: str
    value: str
    inside: Phase
    outside: Phase


class IncidentCause(Value, frozen=True, kw_only=True):
    """One error cause inside an incident."""

    cause: str
    onset_at: str
    """First of its failed calls during the incident."""
    last_at: str
    count: int
    """Failed calls during the incident."""
    before: int
    """Failed calls in the baseline."""
    users: int
    cost_usd: float | None
    """Spent on them."""
    example_trace_id: str | None


class IncidentRun(Value, frozen=True, kw_only=True):
    """A run whose clusters an incident report uses."""

    job_id: str | None
    run_id: str
    job_name: str
    items: int
    covers: float
    """Share of the incident its window holds."""


class Unassigned(Value, frozen=True, kw_only=True):
    """Calls of an incident that sit in no cluster."""

    calls: int
    failed: int


class Span(Value, frozen=True, kw_only=True):
    """A span of time, end exclusive."""

    start: str
    end: str


class Annotation(Value, frozen=True, kw_only=True):
    """Something that happened, marked on the timeline."""

    at: str
    text: str


class Incident(Value, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Which clusters broke, when and for how many."""

    from_: str
    to: str
    bucket_s: float
    status: Literal["ok", "partial", "no_run"]
    """``partial``: the runs cover only a part of the incident; ``no_run``: none of it."""
    baseline: str
    """What "usual" means here, in words."""
    baselines: list[Span]
    after: Span | None
    """``None`` where nothing is known of the time after it."""
    overall: Effect
    onset_at: str | None
    """When the first affected cluster began to fail; without one, when all calls did."""
    recovered_at: str | None
    """When the last affected cluster was over; ``None`` where that of one is not shown."""
    runs: list[IncidentRun]
    unassigned: Unassigned
    buckets: list[Bucket]
    """All calls, from some time before the incident to some time after it."""
    clusters: list[IncidentCluster]
    """Affected ones first, by excess; then unclear ones, then those that did not move."""
    by: list[IncidentBy]
    causes: list[IncidentCause]
    annotations: list[Annotation]
