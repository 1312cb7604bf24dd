"""What the commands that look closer show: one cluster, a list of traces, one trace, a table.

Values like those of a report, redacted before they exist. ``None`` is "unknown"; times are ISO 8601 UTC.
"""

from __future__ import annotations

from typing import Any

import msgspec

from reporter.report.document import Redaction
from reporter.report.section import Cluster, JobInfo
from reporter.report.values import Caveat, Value


class ItemRow(Value, frozen=True, kw_only=True):
    """One item of a cluster."""

    item_key: str
    trace_id: str | None
    """Trace to open; ``None`` where it is not known."""
    rank: int | None
    """0 is closest to the centre; among outliers 0 is the farthest from every centre."""
    at: str | None
    """First AI event of the item."""
    cost_usd: float | None
    latency_s: float | None
    tokens: float | None
    calls: int | None
    error_events: int | None
    verdict: str | None
    """Evaluation level: pass, fail or na."""
    url: str | None
    title: str | None = None
    """What PostHog's summariser called it; only at the redaction levels ``quotes`` and ``full``."""
    bullets: list[str] = msgspec.field(default_factory=list)


class ClusterView(Value, frozen=True, kw_only=True):
    """One cluster of one run, with its items."""

    redaction: Redaction
    job: JobInfo
    run_id: str
    window_start: str
    window_end: str
    run_items: int
    prior_run_id: str | None
    """The run that changes and drivers are told against."""
    compared: str
    """How the prior run was chosen, or why nothing is compared."""
    cluster: Cluster
    sort: str
    items: list[ItemRow]
    items_total: int
    warnings: list[Caveat]


class TraceRow(Value, frozen=True, kw_only=True):
    """One line of a list of traces."""

    trace_id: str
    name: str | None
    """``None`` also where the redaction level hides it."""
    started_at: str
    latency_s: float | None
    cost_usd: float | None
    tokens_in: float | None
    tokens_out: float | None
    error_events: int
    events: int
    url: str | None


class TracesView(Value, frozen=True, kw_only=True):
    """Traces that begin in a window."""

    redaction: Redaction
    since: str
    until: str
    filters: dict[str, str]
    """Properties an event of each trace has."""
    traces: list[TraceRow]
    """Newest first."""
    truncated: bool
    """Whether there may be more."""
    warnings: list[Caveat]


class TraceNode(Value, frozen=True, kw_only=True):
    """One event of a trace, where it stands in its tree."""

    uuid: str
    parent: str | None
    """`uuid` of the event it is part of; ``None`` at the top."""
    depth: int
    """0 at the top."""
    kind: str
    """``trace``, ``span``, ``generation`` or ``embedding``."""
    name: str | None
    at: str
    offset_s: float
    """Seconds since the first event of the trace began."""
    latency_s: float | None
    model: str | None
    provider: str | None
    cost_usd: float | None
    tokens_in: float | None
    tokens_out: float | None
    is_error: bool
    error: str | None
    input: str | None
    output: str | None
    """What was said, cut to the redaction level: nothing below ``quotes``."""


class TraceView(Value, frozen=True, kw_only=True):
    """One trace with all its events, parents before children, siblings by time."""

    redaction: Redaction
    trace: TraceRow
    events: list[TraceNode]
    warnings: list[Caveat]


class QueryView(Value, frozen=True, kw_only=True):
    """The answer to a query of the user's own."""

    columns: list[str]
    rows: list[list[Any]]
    masked: int
    """Cells in which something was masked by the level of redaction."""
    truncated: bool
    """Whether the bound was reached, so that there may be more rows."""
    limit: int
