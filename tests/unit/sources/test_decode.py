"""Cluster events of every era become runs with the right level, job, window and count."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from reporter.model import Item
from reporter.sources.decode import decode_header, decode_run
from tests.payloads import BAKED, EMITTED, JOB, cluster, event, faults, props

ITEM_E2 = {
    "distance_to_centroid": 0.25,
    "rank": 0,
    "x": 1.5,
    "y": -2.5,
    "timestamp": "2026-01-16T10:00:00+02:00",
}
ITEM_E3 = {**ITEM_E2, "trace_id": "a", "generation_id": None}
AT = datetime(2026, 1, 16, 8, tzinfo=UTC)
PLACED = {"centroid_x": 1.0, "centroid_y": -1}

ERAS: dict[str, tuple[dict[str, Any], Item]] = {
    "E0 double-encoded list of objects": (
        {
            "$ai_clustering_run_id": "team_2_2026-01-22T00:00:43.120000+00:00",
            "$ai_clustering_version": "v1",
            "$ai_sampled_traces_count": 1,
            "$ai_clusters": json.dumps([
                {"cluster_id": 0, "traces": [
                    {"trace_id": "a", "distance_to_centroid": 0.25, "distances_to_all_centroids": [0.25]}
                ]}
            ]),
        },
        Item("a", "a", None, 0.25, None, None, None),
    ),
    "E0 list of trace ids": (
        {"$ai_clusters": [{"cluster_id": 0, "trace_ids": ["a"], "centroid": [0.0] * 8}]},
        Item("a", "a", None, None, None, None, None),
    ),
    "E1 k-means": (
        {
            "$ai_clustering_run_id": "2_20260122_000043",
            "$ai_total_traces_analyzed": 1,
            "$ai_clusters": [
                {"cluster_id": 0, "size": 1, "title": "T", "description": "D", "centroid": [0.0] * 3072,
                 "traces": {"a": {"distance_to_centroid": 0.25, "rank": 0}}}
            ],
        },
        Item("a", "a", 0, 0.25, None, None, None),
    ),
    "E2 HDBSCAN": (
        {"$ai_total_traces_analyzed": 1, "$ai_clusters": [cluster(0, traces={"a": ITEM_E2}, **PLACED)]},
        Item("a", "a", 0, 0.25, 1.5, -2.5, AT),
    ),
    "E3 levels": (
        {"$ai_clustering_level": "trace", "$ai_total_items_analyzed": 1,
         "$ai_clusters": [cluster(0, traces={"a": ITEM_E3}, **PLACED)]},
        Item("a", "a", 0, 0.25, 1.5, -2.5, AT),
    ),
    "E4 jobs": (
        {"$ai_clustering_level": "trace", "$ai_clustering_job_id": JOB, "$ai_clustering_job_name": "Prod",
         "$ai_total_items_analyzed": 1, "$ai_clusters": [cluster(0, traces={"a": ITEM_E3}, **PLACED)]},
        Item("a", "a", 0, 0.25, 1.5, -2.5, AT),
    ),
    "E5 baked metrics": (
        {"$ai_clustering_level": "trace", "$ai_total_items_analyzed": 1,
         "$ai_clusters": [cluster(0, traces={"a": ITEM_E3}, metrics=BAKED, **PLACED)]},
        Item("a", "a", 0, 0.25, 1.5, -2.5, AT),
    ),
    "E6 evaluations": (
        {"$ai_clustering_level": "evaluation", "$ai_total_items_analyzed": 1,
         "$ai_window_start": "2026-01-19T00:00:43Z", "$ai_window_end": "2026-01-22T00:00:43Z",
         "$ai_clusters": [cluster(0, traces={"e": {**ITEM_E2, "trace_id": "a", "generation_id": "e"}})]},
        Item("e", "a", 0, 0.25, 1.5, -2.5, AT),
    ),
}  # fmt: skip


@pytest.mark.parametrize("era", ERAS)
def test_every_era_is_read(era: str) -> None:
    changes, expected = ERAS[era]
    run = decode_run(event({**props(), **changes}))
    assert [made.items for made in run.clusters] == [(expected,)]
    assert run.header.items == 1
    assert run.header.window.end.replace(microsecond=0) == datetime(2026, 1, 22, 0, 0, 43, tzinfo=UTC)


@pytest.mark.parametrize(
    ("level", "run_id", "name", "expected"),
    [
        ("evaluation", "2_trace_20260122_000043", "$ai_trace_clusters", "evaluation"),
        (" Evaluation ", "2_trace_20260122_000043", "$ai_trace_clusters", "evaluation"),
        (None, "2_evaluation_20260122_000043", "$ai_trace_clusters", "evaluation"),
        ("", "2_generation_20260122_000043", "$ai_trace_clusters", "generation"),
        (None, "2_20260122_000043", "$ai_generation_clusters", "generation"),
        (None, "anything", "$ai_evaluation_clusters", "evaluation"),
        (None, "2_20260122_000043", "$ai_trace_clusters", "trace"),
        (None, "2_20260122_000043", "a_copy_of_the_event", "trace"),
    ],
)
def test_level_is_property_then_run_id_then_event_then_trace(
    level: str | None, run_id: str, name: str, expected: str
) -> None:
    made = props(clustering_level=level, clustering_run_id=run_id)
    assert decode_header(event(made, name)).level == decode_run(event(made, name)).header.level == expected


@pytest.mark.parametrize(
    ("job", "run_id", "expected"),
    [
        (JOB.upper(), "2_trace_20260122_000043", JOB),
        ("", "2_trace_20260122_000043", None),
        (None, "2_trace_20260122_000043_pilot", None),
        ("", f"2_trace_20260122_000043_{JOB.upper()}", JOB),
        ("Job-7", f"2_trace_20260122_000043_{JOB}", "job-7"),
        (None, f"2_trace_20260122_000043_rerun_of_{JOB}", None),
    ],
)
def test_job_is_property_then_run_id_then_none(job: str | None, run_id: str, expected: str | None) -> None:
    made = props(clustering_job_id=job, clustering_run_id=run_id)
    assert decode_header(event(made)).job_id == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1500, 1500),
        ("1500", 1500),
        ("1500.0", 1500),
        (1500.0, 1500),
        (0, 0),
        (None, 2),
        ("", 2),
        (math.nan, 2),
    ],
)
def test_items_are_the_stated_number_or_else_counted(value: object, expected: int) -> None:
    made = props(total_items_analyzed=value)
    assert decode_header(event(made)).items == decode_run(event(made)).header.items == expected


def test_header_of_a_projection_needs_clusters_only_to_count() -> None:
    projection = props(total_traces_analyzed="12")
    del projection["$ai_clusters"]
    assert decode_header(event(projection)).items == 12
    del projection["$ai_total_traces_analyzed"]
    assert faults(projection, decode_header) == ("$.clusters: missing; the event has no $ai_clusters",)


def test_header_does_not_mind_broken_clusters_it_does_not_need() -> None:
    assert decode_header(event(props(7, total_items_analyzed=3))).items == 3


def test_emission_time_becomes_utc() -> None:
    for at in (EMITTED, EMITTED.replace(tzinfo=None), EMITTED.astimezone(timezone(timedelta(hours=9)))):
        emitted_at = decode_header(event(props(), at=at)).emitted_at
        assert emitted_at == EMITTED
        assert emitted_at.tzinfo is UTC


def test_params_are_read_from_text_and_do_not_depend_on_key_order() -> None:
    params = {
        "max_samples": 1500,
        "clustering_method_params": {"min_k": 2, "max_k": math.nan},
        "a": [1, "\ud800"],
    }
    expected = {
        "a": [1, "\ufffd"],
        "clustering_method_params": {"max_k": None, "min_k": 2},
        "max_samples": 1500,
    }
    for spelled in (params, json.dumps(params), json.dumps(json.dumps(params))):
        read = decode_header(event(props(clustering_params=spelled))).params
        assert json.dumps(read) == json.dumps(expected)


def test_missing_params_are_none() -> None:
    for value in (None, "", "null"):
        assert decode_header(event(props(clustering_params=value))).params is None
