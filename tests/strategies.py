"""Hypothesis strategies for what PostHog may send: runs, clusters, hostile words, money, missing values.

`runs` draws model values that keep every promise of `reporter.model`; `properties` writes such a run
the way PostHog stores it, so that decoding can be tested as the way back.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from reporter.model import LEVELS, NOISE, Cluster, Item, Level, Run, RunHeader, Window
from reporter.sources.base import MAX_FIGURE

HOSTILE = (
    "<script>alert(1)</script>",
    "</style></title><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% include 'x' %}${7*7}#{7*7}",
    "'; DROP TABLE events; --",
    'o\'brien "quoted" \\ / ?#&=%2F',
    "conv::8841::final",
    "2026-01-22T00:00:43Z",
    '=HYPERLINK("http://example.invalid")',
    "\x1b[31mred\x1b[0m\x00\x07\r\n\t",
    "\u202egnirts desrever\u202c",
    "zero\u200bwidth\ufeff",
    "Grüße 🧨 ﷽ Ω≈ç e\u0301 \U0001d518",
    " ",
    "null",
    "NaN",
    "-1",
)
"""Words that broke somebody's page, query, sheet or terminal; all of them can be encoded."""

ENCODABLE = st.characters(codec="utf-8")


def missing() -> st.SearchStrategy[Any]:
    """Draw a value that says nothing."""
    return st.sampled_from([None, "", "  ", math.nan, math.inf, -math.inf, "nan"])


def hostile_text(max_size: int = 60) -> st.SearchStrategy[str]:
    """Draw text that can be encoded and means harm, or any text at all."""
    return st.one_of(st.sampled_from(HOSTILE), st.text(ENCODABLE, max_size=max_size))


def broken_text(max_size: int = 60) -> st.SearchStrategy[str]:
    """Draw text that may hold lone surrogates."""
    return st.text(st.characters(), max_size=max_size)


def money() -> st.SearchStrategy[float | None]:
    """Draw a cost in US dollars: unknown, nothing, tiny, large."""
    return st.one_of(st.none(), st.just(0.0), st.floats(1e-9, 1e5), st.floats(1e-4, 1.0))


def finite() -> st.SearchStrategy[float]:
    """Draw any finite number."""
    return st.floats(-MAX_FIGURE, MAX_FIGURE)


def instants() -> st.SearchStrategy[datetime]:
    """Draw a time between 2024 and 2030, to the microsecond, in UTC."""
    # A test may not depend on the day it runs, so the bounds are fixed.
    naive = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001 (hypothesis wants naive)
    return naive.map(lambda time: time.replace(tzinfo=UTC))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Draw a window of one second to ninety days."""
    start = draw(instants())
    return Window(start=start, end=start + timedelta(seconds=draw(st.integers(1, 90 * 86_400))))


def levels() -> st.SearchStrategy[Level]:
    """Draw a level."""
    return st.sampled_from(LEVELS)


def uuids() -> st.SearchStrategy[str]:
    """Draw UUID text in lower case."""
    return st.uuids().map(str)


def item_keys(level: Level) -> st.SearchStrategy[str]:
    """Draw an item key: any customer's text for traces, an event's uuid on the other levels."""
    return st.one_of(uuids(), hostile_text().filter(bool)) if level == "trace" else uuids()


def labels() -> st.SearchStrategy[str]:
    """Draw the label of a run started by hand; it may hold underscores and end in a uuid."""
    words = st.text("abcXYZ019_-. é", min_size=1, max_size=20).filter(lambda text: text == text.strip())
    return st.one_of(words, uuids().map(lambda uuid: f"rerun_of_{uuid}"))


@st.composite
def items(draw: st.DrawFn, key: str, level: Level) -> Item:
    """Draw an item of a given key; everything PostHog may leave out may be ``None``."""
    maybe = st.none() | finite()
    # An evaluation that names itself is unresolved, so the model never holds that.
    others = uuids().filter(lambda text: text != key)
    trace_id = key if level == "trace" else draw(st.none() | others)
    return Item(
        key=key,
        trace_id=trace_id,
        rank=draw(st.none() | st.integers(0, 2_000)),
        distance=draw(maybe),
        x=draw(maybe),
        y=draw(maybe),
        timestamp=draw(st.none() | instants()),
    )


@st.composite
def clusters(draw: st.DrawFn, cluster_id: int, keys: tuple[str, ...], level: Level) -> Cluster:
    """Draw a cluster of given members."""
    members = [draw(items(key, level)) for key in keys]
    members.sort(key=lambda item: (item.rank is None, item.rank or 0, item.key))
    figures = st.dictionaries(st.sampled_from(["avg_cost", "error_rate", "item_count"]), finite())
    return Cluster(
        cluster_id=cluster_id,
        title=draw(hostile_text()),
        description=draw(hostile_text(200)),
        items=tuple(members),
        centroid_x=draw(st.none() | finite()),
        centroid_y=draw(st.none() | finite()),
        baked=draw(st.none() | figures),
    )


@st.composite
def runs(draw: st.DrawFn, level: Level | None = None, max_clusters: int = 4) -> Run:
    """Draw a whole run: perhaps without a job, a label, noise, or any cluster at all."""
    chosen: Level = draw(levels()) if level is None else level
    ids = draw(st.lists(st.integers(0, 60), max_size=max_clusters, unique=True).map(sorted))
    if draw(st.booleans()):
        ids.append(NOISE)
    drawn = draw(st.lists(item_keys(chosen), min_size=len(ids), max_size=len(ids) + 8, unique=True))
    # Deal the keys out so that every cluster has one; the first takes what is left over.
    hands = [drawn[index : index + 1] for index in range(len(ids))]
    if hands:
        hands[0] += drawn[len(ids) :]
    made = [draw(clusters(number, tuple(keys), chosen)) for number, keys in zip(ids, hands, strict=True)]
    window = draw(windows())
    job_id, label = draw(st.none() | uuids()), draw(st.none() | labels())
    stamp = window.end.strftime("%Y%m%d_%H%M%S")
    run_id = "_".join(part for part in ("2", chosen, stamp, job_id, label) if part)
    header = RunHeader(
        run_id=run_id,
        level=chosen,
        job_id=job_id,
        job_name=draw(hostile_text()) if job_id else "",
        label=label,
        window=window,
        items=sum(cluster.size for cluster in made) + draw(st.integers(0, 3)),
        emitted_at=window.end + timedelta(seconds=draw(st.integers(1, 7_200))),
        params=draw(st.none() | st.fixed_dictionaries({"max_samples": st.integers(20, 10_000)})),
        event_uuid=draw(uuids()),
    )
    return Run(header=header, clusters=tuple(made))


def properties(run: Run) -> dict[str, Any]:
    """Write a run as the properties of its event, the way PostHog does today."""
    header = run.header
    written: dict[str, Any] = {
        "$ai_clustering_run_id": header.run_id,
        "$ai_clustering_level": header.level,
        "$ai_clustering_job_id": header.job_id or "",
        "$ai_clustering_job_name": header.job_name,
        "$ai_window_start": header.window.start.isoformat(),
        "$ai_window_end": header.window.end.isoformat(),
        "$ai_total_items_analyzed": header.items,
        "$ai_clusters": [_written(cluster, header.level) for cluster in run.clusters],
    }
    if header.params is not None:
        written["$ai_clustering_params"] = dict(header.params)
    return written


def _written(cluster: Cluster, level: Level) -> dict[str, Any]:
    return {
        "cluster_id": cluster.cluster_id,
        "size": cluster.size,
        "title": cluster.title,
        "description": cluster.description,
        "traces": {item.key: _written_item(item, level) for item in cluster.items},
        "centroid": [] if cluster.is_noise else [0.5, -0.25],
        "centroid_x": cluster.centroid_x,
        "centroid_y": cluster.centroid_y,
        "metrics": cluster.baked,
    }


def _written_item(item: Item, level: Level) -> dict[str, Any]:
    unresolved = item.key if level == "evaluation" else None
    return {
        "distance_to_centroid": item.distance,
        "rank": item.rank,
        "x": item.x,
        "y": item.y,
        "timestamp": item.timestamp.isoformat() if item.timestamp else "",
        "trace_id": item.trace_id or unresolved,
        "generation_id": None if level == "trace" else item.key,
    }


def relabelled(run: Run, header: RunHeader | None = None, **changes: Any) -> Run:
    """Give the run another header, changed in the named fields."""
    return replace(run, header=replace(header or run.header, **changes))


def json_values(max_leaves: int = 12) -> st.SearchStrategy[Any]:
    """Draw anything JSON can hold, and what Python's writer makes of NaN, huge numbers and surrogates."""
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([2**53 + 1, 10**400, -(10**400), 1e308]),
        st.floats(),
        broken_text(),
        st.sampled_from(HOSTILE),
        st.sampled_from(["[]", "{}", "[[[", '"\\"[]\\""', "1500.0", "1e999", "true"]),
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(broken_text(12), inner, max_size=4),
        max_leaves=max_leaves,
    )
