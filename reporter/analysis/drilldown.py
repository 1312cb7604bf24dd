"""Items and traces for the eye: ordered, put into a tree, cut to what may be shown."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from reporter import units
from reporter.analysis import causes, links
from reporter.analysis.scrub import scrub
from reporter.model import Cluster, Item, ItemMetrics, Level, Summary, Trace, TraceEvent, TraceSummary
from reporter.report import ItemRow, Redaction, TraceNode, TraceRow

SPOKEN = ("quotes", "full")
"""Redaction levels at which texts of traces are shown."""
_CONTENT: Mapping[Redaction, int] = {"quotes": 400, "full": 20_000}
"""Characters of an input or output, by redaction level."""
_NAME = 200
_FIGURES: Mapping[str, Callable[[ItemMetrics], float | None]] = {
    "cost": lambda row: row.cost_usd,
    "latency": lambda row: row.latency_s,
    "tokens": lambda row: row.tokens,
    "errors": lambda row: float(row.error_events),
    "newest": lambda row: row.first_at.timestamp() if row.first_at else None,
}
SORTS = ("rank", *_FIGURES)
"""Orders of items: nearest the centre first, or the largest of a figure."""


def ordered(cluster: Cluster, rows: Mapping[str, ItemMetrics], sort: str) -> list[Item]:
    """Order the items of a cluster; what is not known comes last, then the key decides."""

    def by_rank(item: Item) -> tuple[float, str]:
        return math.inf if item.rank is None else float(item.rank), item.key

    def by_figure(item: Item) -> tuple[float, str]:
        row = rows.get(item.key)
        value = _FIGURES[sort](row) if row else None
        return math.inf if value is None else -value, item.key

    return sorted(cluster.items, key=by_rank if sort == "rank" else by_figure)


def item_row(
    item: Item, row: ItemMetrics | None, level: Level, host: str, project_id: str | None, at: Redaction,
    summary: Summary | None,
) -> ItemRow:  # fmt: skip
    """Tell one item."""
    shown = summary if at in SPOKEN else None
    return ItemRow(
        item_key=item.key,
        trace_id=links.trace_of(level, item, row),
        rank=item.rank,
        at=_iso(row.first_at if row else item.timestamp),
        cost_usd=row.cost_usd if row else None,
        latency_s=row.latency_s if row else None,
        tokens=row.tokens if row else None,
        calls=row.calls if row else None,
        error_events=row.error_events if row else None,
        verdict=row.verdict if row else None,
        url=links.item_url(host, project_id, level, item, row),
        title=_shown(shown.title, at) if shown else None,
        bullets=[text for point in shown.bullets if (text := _shown(point, at))] if shown else [],
    )


def trace_row(summary: TraceSummary, host: str, project_id: str | None, at: Redaction) -> TraceRow:
    """Tell one trace in a line."""
    return TraceRow(
        trace_id=summary.trace_id,
        name=_named(summary.name, at),
        started_at=units.iso(summary.started_at),
        latency_s=summary.latency_s,
        cost_usd=summary.cost_usd,
        tokens_in=summary.tokens_in,
        tokens_out=summary.tokens_out,
        error_events=summary.error_events,
        events=summary.events,
        url=links.trace_url(host, project_id, summary.trace_id, summary.started_at),
    )


def nodes(trace: Trace, at: Redaction) -> list[TraceNode]:
    """Put the events of a trace into a tree, parents before children, siblings by time.

    An event's parent is the event whose span it names. An event that names no other event of the trace (the
    trace itself, a lost one, or one of its own children) stands at the top.
    """
    parents = _parents(trace)
    children: defaultdict[str | None, list[TraceEvent]] = defaultdict(list)
    for event in trace.events:
        children[parents.get(event.uuid)].append(event)
    starts = {event.uuid: _start(event) for event in trace.events}
    first = min(starts.values(), default=trace.summary.started_at)
    made: list[TraceNode] = []
    waiting = [(event, 0) for event in _by_time(children[None], starts)][::-1]
    while waiting:
        event, depth = waiting.pop()
        made.append(_node(event, depth, parents.get(event.uuid), (starts[event.uuid] - first), at))
        waiting += [(child, depth + 1) for child in _by_time(children[event.uuid], starts)][::-1]
    return made


def _parents(trace: Trace) -> dict[str, str]:
    """Find each event's parent by uuid; what would close a circle is left at the top."""
    spans: dict[str, str] = {}
    for event in trace.events:
        if event.span_id:
            spans.setdefault(event.span_id, event.uuid)
        if event.event == "$ai_trace":
            spans.setdefault(trace.summary.trace_id, event.uuid)
    found: dict[str, str] = {}
    for event in trace.events:
        parent = spans.get(event.parent_id or "")
        above = parent
        while above is not None and above != event.uuid:
            above = found.get(above)
        if parent is not None and above is None:
            found[event.uuid] = parent
    return found


def _start(event: TraceEvent) -> datetime:
    """Say when an event began: PostHog's SDKs send it when it is over, traces and spans too."""
    length = event.latency_s if event.latency_s is not None and 0 <= event.latency_s < 86_400 else 0.0
    return event.at - timedelta(seconds=length)


def _by_time(events: Sequence[TraceEvent], starts: Mapping[str, datetime]) -> list[TraceEvent]:
    return sorted(events, key=lambda event: (starts[event.uuid], event.at, event.uuid))


def _node(event: TraceEvent, depth: int, parent: str | None, offset: timedelta, at: Redaction) -> TraceNode:
    limit = _CONTENT.get(at)
    error = event.error
    if error is not None and at != "full":
        error = None if at == "numbers" else causes.masked(error)
    return TraceNode(
        uuid=event.uuid,
        parent=parent,
        depth=depth,
        kind=event.event.removeprefix("$ai_"),
        name=_named(event.name, at),
        at=units.iso(event.at),
        offset_s=offset.total_seconds(),
        latency_s=event.latency_s,
        model=event.model,
        provider=event.provider,
        cost_usd=event.cost_usd,
        tokens_in=event.tokens_in,
        tokens_out=event.tokens_out,
        is_error=event.is_error,
        error=error,
        input=_said(event.input, limit, at),
        output=_said(event.output, limit, at),
    )


def _named(name: str | None, at: Redaction) -> str | None:
    """Show the name a program gave a trace or span, unless only figures may be shown."""
    return None if name is None or at == "numbers" else units.clean(_shown(name, at), _NAME) or None


def _said(text: str | None, limit: int | None, at: Redaction) -> str | None:
    if text is None or limit is None:
        return None
    return text[:limit] if at == "full" else units.clean(scrub(text), limit)


def _shown(text: str, at: Redaction) -> str:
    return units.clean(text, _NAME * 3) if at == "full" else scrub(text)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else units.iso(moment)
