"""Cluster events: what a finished run writes into PostHog, wording and all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from reporter.model import NOISE
from reporter.sources.demo import timeline
from reporter.sources.demo.calls import Event
from reporter.sources.demo.clustering import Draft, Group, Thing, home
from reporter.sources.demo.layout import Map, centroid
from reporter.sources.demo.themes import MERGED, NOISE_WORDS, Theme, themes
from reporter.sources.demo.traffic import User

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reporter.sources.demo.measures import Ledger

EVENT_NAME = {
    "trace": "$ai_trace_clusters",
    "generation": "$ai_generation_clusters",
    "evaluation": "$ai_evaluation_clusters",
}


def cluster_event(draft: Draft, ledger: Ledger) -> Event:
    """Write a run down.

    Args:
        draft: The run.
        ledger: What its items cost, took and broke.

    Returns:
        The run's event.
    """
    job = draft.job
    rng = timeline.dice("event", draft.run_id)
    plain = job.level == "evaluation"
    write = _seconds if plain else timeline.iso
    said: dict[str, Any] = {
        "$ai_clustering_run_id": draft.run_id,
        "$ai_clustering_level": job.level,
        "$ai_clustering_job_id": job.id,
        "$ai_clustering_job_name": job.name,
        "$ai_window_start": write(draft.window.start),
        "$ai_window_end": write(draft.window.end),
        "$ai_total_items_analyzed": draft.items,
        "$ai_clusters": [_cluster(draft, group, ledger) for group in draft.groups],
    }
    if not plain:
        said["$ai_clustering_params"] = {
            "clustering_method": "hdbscan",
            "clustering_method_params": {},
            "embedding_normalization": "l2",
            "dimensionality_reduction_method": "umap",
            "dimensionality_reduction_ndims": 100,
            "visualization_method": "umap",
            "max_samples": job.max_samples,
        }
    name = f"clustering_{job.level}_{timeline.TEAM}"
    nobody = User(name, timeline.uuid4(timeline.dice("person", name)), "", "")
    return Event(timeline.uuid4(rng), EVENT_NAME[job.level], nobody, draft.emitted_at, said)


def _seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _cluster(draft: Draft, group: Group, ledger: Ledger) -> dict[str, Any]:
    layout = Map(draft.run_id)
    judged = draft.job.level == "evaluation"
    known = themes(draft.job.level)
    noise = group.theme is None
    away = {thing.key: _distance(draft.run_id, thing, noise=noise) for thing in group.members}
    sign = -1 if noise else 1
    members = sorted(group.members, key=lambda thing: (sign * away[thing.key], thing.key))
    traces: dict[str, Any] = {}
    for rank, thing in enumerate(members):
        own = home(thing, known)
        theme = own if group.theme is None or group.theme.key == MERGED.key else group.theme
        spot = layout.spot(theme, thing.key, thing.depth, thing.angle, stray=noise)
        traces[thing.key] = {
            "distance_to_centroid": away[thing.key],
            "rank": rank,
            "x": spot.x,
            "y": spot.y,
            "timestamp": _seconds(draft.window.end) if judged else timeline.iso(thing.begun),
            "trace_id": thing.trace_id,
            "generation_id": None if draft.job.level == "trace" else thing.key,
        }
    title, description = _words(draft, group)
    return {
        "cluster_id": group.cluster_id,
        "size": len(members),
        "title": title,
        "description": description,
        "traces": traces,
        "centroid": [] if group.theme is None else centroid(draft.run_id, group.theme.key + title),
        "centroid_x": _mean(traces, "x"),
        "centroid_y": _mean(traces, "y"),
        "metrics": ledger.metrics(draft.job.level, draft.window, members),
    }


def _distance(run: str, thing: Thing, *, noise: bool) -> float:
    """Draw the distance to the own centre, or for noise to the nearest of all centres."""
    own = timeline.dice("distance", thing.key)
    here = timeline.dice("distance", thing.key, run)
    heart: float = 0.15 + 0.9 * thing.depth**1.4 + abs(own.gauss(0, 0.05))
    if noise:
        heart = 1.6 + 2.5 * own.random() ** 2
    return round(heart * math.exp(here.gauss(0, 0.06)), 4)


def _mean(traces: Mapping[str, Mapping[str, Any]], axis: str) -> float:
    positions = [float(item[axis]) for item in traces.values()]
    return round(math.fsum(positions) / len(positions), 4)


def _words(draft: Draft, group: Group) -> tuple[str, str]:
    """Choose this run's wording: one of the titles, some of the facts, each in one of two phrasings."""
    rng = timeline.dice("words", draft.run_id, group.cluster_id)
    if group.cluster_id == NOISE or group.theme is None:
        return rng.choice(NOISE_WORDS)
    theme: Theme = group.theme
    count = min(len(theme.lines), rng.choice((3, 3, 4)))
    chosen = sorted(rng.sample(range(len(theme.lines)), count))
    lines = [f"- {rng.choice(theme.lines[index])}" for index in chosen]
    return group.title or rng.choice(theme.titles), "\n".join(lines)
