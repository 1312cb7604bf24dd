"""Hand-made cluster events: the smallest payload that is legal, with single things changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from reporter.errors import RunUnreadable
from reporter.sources.decode import EventRow, decode_run
from tests.strategies import properties

if TYPE_CHECKING:
    from collections.abc import Callable

    from reporter.model import Run

JOB = "019cb7f3-a123-7bde-b699-6fa50502196c"
UUID = "0198a0c0-0000-4000-8000-000000000001"
EMITTED = datetime(2026, 1, 22, 0, 14, tzinfo=UTC)
BAKED: dict[str, Any] = {
    "avg_cost": 0.5, "avg_latency": None, "error_count": 1, "item_count": 1,
    "sentiment": {"label": "positive", "score": 0.9, "counts": {"positive": 1}, "total": 1},
}  # fmt: skip
"""A cluster's ``metrics`` as one era stored them."""


def event(props: Any, name: str = "$ai_trace_clusters", at: datetime = EMITTED) -> EventRow:
    """Wrap properties into the row of an event."""
    return EventRow(uuid=UUID, event=name, timestamp=at, properties=props)


def event_of(run: Run, props: Any = None) -> EventRow:
    """Give the event PostHog would have stored for a run, perhaps with its properties spelled otherwise."""
    return EventRow(
        uuid=run.header.event_uuid,
        event="$ai_generation_clusters" if run.header.level == "generation" else "$ai_trace_clusters",
        timestamp=run.header.emitted_at,
        properties=properties(run) if props is None else props,
    )


def cluster(number: Any = 0, *keys: str, **changes: Any) -> dict[str, Any]:
    """Give a cluster payload with ranked members and single keys changed."""
    traces = {key: {"rank": rank, "distance_to_centroid": 0.5} for rank, key in enumerate(keys)}
    return {"cluster_id": number, "size": len(keys), "title": "Refunds", "traces": traces, **changes}


def props(*clusters: Any, **changes: Any) -> dict[str, Any]:
    """Give a run's properties (two items in one cluster, if none is given), ``$ai_`` keys changed."""
    made: dict[str, Any] = {
        "$ai_clustering_run_id": f"2_trace_20260122_000043_{JOB}",
        "$ai_window_start": "2026-01-15T00:00:43.120000+00:00",
        "$ai_window_end": "2026-01-22T00:00:43.120000+00:00",
        "$ai_clusters": list(clusters or [cluster(0, "a", "b")]),
    }
    return made | {f"$ai_{name}": value for name, value in changes.items()}


def faults(properties_: Any, decode: Callable[[EventRow], object] = decode_run) -> tuple[str, ...]:
    """Decode what must not decode and give the faults it names."""
    with pytest.raises(RunUnreadable) as caught:
        decode(event(properties_))
    return caught.value.faults
