"""Addresses inside PostHog, with every id percent-encoded.

Pure text; whether an address is printed at all is the page's decision.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from reporter import units
from reporter.model import Item, ItemMetrics, Level

DEFAULT_HOST = "https://us.posthog.com"


def run_url(host: str, project_id: str | None, run_id: str) -> str | None:
    """Give the address of a run; ``None`` where the project is unknown."""
    root = _root(host, project_id)
    return f"{root}/clusters/{_encoded(run_id)}" if root else None


def cluster_url(host: str, project_id: str | None, run_id: str, cluster_id: int) -> str | None:
    """Give the address of a cluster (-1, the noise, has one too); ``None`` where the project is unknown."""
    run = run_url(host, project_id, run_id)
    return f"{run}/{cluster_id}" if run else None


def trace_url(
    host: str,
    project_id: str | None,
    trace_id: str | None,
    timestamp: datetime | None = None,
    event: str | None = None,
) -> str | None:
    """Give the address of a trace.

    Args:
        host: PostHog's address, a sub-path allowed.
        project_id: Project; without it there is no address.
        trace_id: Free text; without it there is no address.
        timestamp: When the trace began, which speeds the page up; left out if unknown.
        event: UUID of the generation to open inside the trace.
    """
    root = _root(host, project_id)
    if root is None or not trace_id:
        return None
    query = "tab=summary"
    if timestamp is not None:
        query += f"&timestamp={_encoded(units.iso(timestamp))}"
    if event:
        query += f"&event={_encoded(event)}"
    return f"{root}/traces/{_encoded(trace_id)}?{query}"


def item_url(
    host: str, project_id: str | None, level: Level, item: Item, row: ItemMetrics | None
) -> str | None:
    """Give the address of a clustered item.

    A generation opens inside its trace; an evaluation opens the generation it judged, and has no address
    where that is not known.
    """
    match level:
        case "trace":
            return trace_url(host, project_id, item.trace_id or item.key, item.timestamp)
        case "generation":
            return trace_url(host, project_id, trace_of(level, item, row), item.timestamp, item.key)
        case "evaluation":
            target = row.target_id if row is not None else None
            trace = trace_of(level, item, row)
            return trace_url(host, project_id, trace, item.timestamp, target) if target else None


def trace_of(level: Level, item: Item, row: ItemMetrics | None) -> str | None:
    """Give the trace an item belongs to: as the run names it, else as its events do."""
    if level == "trace":
        return item.trace_id or item.key
    return item.trace_id or (row.trace_id if row is not None else None)


def _root(host: str, project_id: str | None) -> str | None:
    if not project_id:
        return None
    return f"{(host or DEFAULT_HOST).rstrip('/')}/project/{_encoded(project_id)}/ai-observability"


def _encoded(text: str) -> str:
    return quote(text, safe="", errors="replace")
