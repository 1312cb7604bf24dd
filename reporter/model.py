"""What PostHog said: jobs, runs, clusters, items and the figures measured per item.

Values only, as decoded; nothing here concludes anything. All times are timezone-aware UTC, money is
US dollars, latency is seconds. ``None`` always means "not known", never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

Level: TypeAlias = Literal["trace", "generation", "evaluation"]
Verdict: TypeAlias = Literal["pass", "fail", "na"]

LEVELS: tuple[Level, ...] = ("trace", "generation", "evaluation")
NOISE = -1
"""Cluster id of the noise cluster."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open span of time: start inclusive, end exclusive."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long the window is; never negative for a decoded run."""
        return self.end - self.start

    def overlap(self, other: Window) -> float:
        """Give the share (0-1) of this window that `other` covers; 0 for an empty window."""
        if self.length <= timedelta(0):
            return 0.0
        shared = min(self.end, other.end) - max(self.start, other.start)
        return max(0.0, shared / self.length)


@dataclass(frozen=True, slots=True)
class Job:
    """A clustering job, as configured or, failing that, as its runs name it."""

    id: str | None
    """UUID text in lower case; ``None`` for runs made without a job."""
    name: str
    """The newest name known; ``""`` when nobody named it."""
    level: Level
    event_filters: tuple[Mapping[str, Any], ...] = ()
    """PostHog property filters (``{key, value, operator?, type}``), as configured."""
    enabled: bool | None = None
    """``None`` where the configuration is not known."""
    deleted: bool = False
    """True where a job list is known and this job is no longer in it."""


@dataclass(frozen=True, slots=True)
class RunHeader:
    """A clustering run without its clusters."""

    run_id: str
    level: Level
    job_id: str | None
    """UUID text in lower case, from the event or else from the run id; ``None`` = no job."""
    job_name: str
    """The job's name when the run happened; ``""`` if unknown."""
    label: str | None
    """Label of a run started by hand; ``None`` for scheduled runs."""
    window: Window
    items: int
    """Items analysed (``$ai_total_items_analyzed``, or its older name, or the sum of cluster sizes)."""
    emitted_at: datetime
    """Timestamp of the newest event that carries this run id."""
    params: Mapping[str, Any] | None
    """``$ai_clustering_params``; ``None`` where the event has none (evaluations, early runs)."""
    event_uuid: str
    """UUID of that newest event."""


@dataclass(frozen=True, slots=True)
class Item:
    """One clustered item."""

    key: str
    """Trace id (trace level), generation event UUID, or evaluation event UUID."""
    trace_id: str | None
    """Trace to open: the key itself, the parent trace, or the judged trace; ``None`` if unresolved."""
    rank: int | None
    """0 = closest to the centre; for noise 0 = farthest from every centre."""
    distance: float | None
    x: float | None
    y: float | None
    """Plot position, meaningful inside this run only."""
    timestamp: datetime | None
    """First event of the parent trace."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster of one run, or its noise."""

    cluster_id: int
    """Numbered anew in every run; `NOISE` (-1) for noise."""
    title: str
    """As stored; may be empty, hostile or very long."""
    description: str
    items: tuple[Item, ...]
    """In rank order, then by key."""
    centroid_x: float | None
    centroid_y: float | None
    baked: Mapping[str, Any] | None
    """PostHog's own ``metrics`` object, kept for cross-checks only."""

    @property
    def size(self) -> int:
        """Number of item keys in the cluster."""
        return len(self.items)

    @property
    def is_noise(self) -> bool:
        """Whether this is the noise cluster."""
        return self.cluster_id == NOISE


@dataclass(frozen=True, slots=True)
class Run:
    """A whole clustering run."""

    header: RunHeader
    clusters: tuple[Cluster, ...]
    """Regular clusters by ascending id, noise last."""


@dataclass(frozen=True, slots=True)
class MemberCluster:
    """The part of a cluster that identity needs: which items, which words."""

    cluster_id: int
    title: str
    description: str
    keys: tuple[str, ...]
    """Item keys, sorted."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Which item sat in which cluster of one run."""

    run_id: str
    clusters: tuple[MemberCluster, ...]


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What one item used of one model, over the events that name it."""

    model: str | None
    """``$ai_model``; ``None`` for the events that name none."""
    calls: int
    """Generation and embedding events."""
    tokens: float | None
    """Input plus output; ``None`` when neither is known."""
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class ItemMetrics:
    """What one item cost, took and broke, summed over its AI events inside the run's window.

    A row exists only for an item for which at least one AI event was found (evaluation level: for
    which the evaluation or its judged generation was found).
    """

    key: str
    cost_usd: float | None
    """Sum of ``$ai_total_cost_usd`` over generation, embedding and span events; ``None`` if none has one."""
    latency_s: float | None
    """Maximum of ``$ai_latency`` over the same events."""
    tokens_in: float | None
    tokens_out: float | None
    tokens_cached: float | None
    """Sums of ``$ai_input_tokens``, ``$ai_output_tokens``, ``$ai_cache_read_input_tokens``."""
    error_events: int
    """Events whose ``$ai_is_error`` is true."""
    calls: int
    """Generation and embedding events."""
    first_at: datetime | None
    last_at: datetime | None
    has_data: bool
    """Whether the item counts in rates: an AI event was found (evaluation level: the judged generation)."""
    by: str | None = None
    """Value of the grouping property, where `Source.items` was asked for one."""
    verdict: Verdict | None = None
    """Evaluation level: what the evaluation concluded; ``None`` elsewhere or when unknown."""
    evaluation_name: str | None = None
    evaluation_runtime: str | None = None
    judge_cost_usd: float | None = None
    """Evaluation level: cost of the evaluation event itself."""
    target_id: str | None = None
    """Evaluation level: canonical UUID of the judged generation; ``None`` where it is not one."""
    trace_id: str | None = None
    """Trace the item belongs to, as its events name it."""
    models: tuple[ModelUse, ...] = ()
    """The same events by model, sorted, those that name none first; what says nothing is left out. Costs add
    up to `cost_usd` but for the last bits."""

    @property
    def tokens(self) -> float | None:
        """Input plus output tokens; ``None`` when neither is known."""
        if self.tokens_in is None and self.tokens_out is None:
            return None
        return (self.tokens_in or 0.0) + (self.tokens_out or 0.0)


@dataclass(frozen=True, slots=True)
class Failure:
    """Failed calls of one item that look alike."""

    key: str
    message: str
    """Error text, cut to 500 characters; untrusted."""
    http_status: int | None
    model: str | None
    provider: str | None
    count: int
    first_at: datetime
    last_at: datetime
    cost_usd: float | None
    users: int
    """Distinct users (the ids themselves never leave the source)."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The population behind a sample: everything the job could have drawn from in a window."""

    items: int
    """Traces, generations or evaluations."""
    calls: int
    cost_usd: float | None
    tokens: float | None
    error_events: int


@dataclass(frozen=True, slots=True)
class Call:
    """One AI event, for drill-down and incidents."""

    uuid: str
    event: str
    at: datetime
    trace_id: str | None
    model: str | None
    provider: str | None
    cost_usd: float | None
    latency_s: float | None
    tokens_in: float | None
    tokens_out: float | None
    is_error: bool
    http_status: int | None
    error: str | None
    """Cut to 500 characters; untrusted."""
    user: int
    """Ordinal of the user within the answer, never an id."""
    by: tuple[str | None, ...] = ()
    """Values of the properties asked for, in their order."""


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One row of a trace list."""

    trace_id: str
    name: str | None
    started_at: datetime
    latency_s: float | None
    cost_usd: float | None
    tokens_in: float | None
    tokens_out: float | None
    error_events: int
    events: int


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One event of one trace."""

    uuid: str
    event: str
    at: datetime
    span_id: str | None
    parent_id: str | None
    name: str | None
    model: str | None
    provider: str | None
    latency_s: float | None
    cost_usd: float | None
    tokens_in: float | None
    tokens_out: float | None
    is_error: bool
    error: str | None
    input: str | None
    output: str | None
    """Content, cut to length; ``None`` where the source keeps none. Untrusted."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace with its events, oldest first."""

    summary: TraceSummary
    events: tuple[TraceEvent, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What PostHog's summariser wrote of one item."""

    key: str
    """Key of the item."""
    title: str
    bullets: tuple[str, ...]
    """Its points, in order. All of it was written by a model about users' texts: untrusted."""


@dataclass(frozen=True, slots=True)
class Table:
    """The answer to a user's own query."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool
    """True where the limit was reached, so that more rows may exist."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the data came from."""

    kind: str
    """``"export"``, ``"posthog"`` or ``"clickhouse"``."""
    location: str
    """What was read, in words that do not depend on a machine's folders."""
    project_id: str | None
