"""Clusters and items are read leniently where nothing is lost, in one order, and made harmless."""

import json
import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given

from reporter.model import NOISE, Item
from reporter.sources.decode import decode_membership, decode_run
from reporter.sources.decode_values import MAX_DESCRIPTION, MAX_TITLE
from tests.payloads import BAKED, cluster, event, props
from tests.strategies import missing


def only(item: Mapping[str, Any], level: str = "trace", key: str = "k") -> Item:
    run = decode_run(event(props(cluster(0, traces={key: item}), clustering_level=level)))
    return run.clusters[0].items[0]


ODD_KEYS = [
    'o\'brien "x"',
    "a/b?c#d&e=f",
    "conv::1::2",
    "2026-01-22T00:00:43Z",
    "nul\x00",
    " spaced ",
    "",
    "Ω🧨",
]


def test_item_keys_are_kept_to_the_letter() -> None:
    run = decode_run(event(props(cluster(0, *ODD_KEYS))))
    assert [item.key for item in run.clusters[0].items] == ODD_KEYS
    assert decode_membership(event(props(cluster(0, *ODD_KEYS)))).clusters[0].keys == tuple(sorted(ODD_KEYS))


@pytest.mark.parametrize(
    ("level", "value", "expected"),
    [
        ("trace", None, "k"), ("trace", "", "k"), ("trace", "k", "k"), ("trace", 41, "41"),
        ("generation", None, None), ("generation", "", None), ("generation", "parent", "parent"),
        ("evaluation", None, None), ("evaluation", "K", None), ("evaluation", "judged", "judged"),
    ],
)  # fmt: skip
def test_trace_of_an_item_depends_on_the_level(level: str, value: object, expected: str | None) -> None:
    assert only({"trace_id": value}, level).trace_id == expected


def test_numbers_written_as_text_are_numbers() -> None:
    item = only({"rank": "3", "distance_to_centroid": "0.25", "x": "-1e2", "y": " 7 "})
    assert (item.rank, item.distance, item.x, item.y) == (3, 0.25, -100.0, 7.0)


@given(missing())
def test_missing_item_values_are_none(value: object) -> None:
    item = only(dict.fromkeys(("rank", "distance_to_centroid", "x", "y", "timestamp"), value))
    assert (item.rank, item.distance, item.x, item.y, item.timestamp) == (None,) * 5


def test_items_are_in_rank_order_then_by_key_and_unranked_last() -> None:
    traces = {"d": None, "c": {"rank": 1}, "b": {"rank": 1}, "a": {}, "z": {"rank": 0}}
    made = decode_run(event(props(cluster(0, traces=traces)))).clusters[0]
    assert [item.key for item in made.items] == ["z", "b", "c", "a", "d"]


def test_keys_count_where_the_stated_size_differs() -> None:
    assert decode_run(event(props(cluster(0, "a", "b", size=99)))).clusters[0].size == 2


def test_clusters_are_in_order_of_id_with_noise_last() -> None:
    made = props(cluster(-1, "n"), cluster(10, "a"), cluster(2, "b"), cluster("1.0", "c"))
    assert [c.cluster_id for c in decode_run(event(made)).clusters] == [1, 2, 10, NOISE]
    assert [c.cluster_id for c in decode_membership(event(made)).clusters] == [1, 2, 10, NOISE]


def test_a_run_may_have_no_cluster_and_only_noise() -> None:
    assert decode_run(event(props(clusters=[]))).clusters == ()
    assert decode_run(event(props(clusters="[]"))).header.items == 0
    assert [c.is_noise for c in decode_run(event(props(cluster(-1, "n")))).clusters] == [True]


def test_a_cluster_without_members_is_kept_as_stored() -> None:
    made = props(cluster(0, "a"), cluster(1))
    assert [(c.cluster_id, c.size) for c in decode_run(event(made)).clusters] == [(0, 1), (1, 0)]
    assert [(c.cluster_id, c.keys) for c in decode_membership(event(made)).clusters] == [(0, ("a",)), (1, ())]


@pytest.mark.parametrize(
    ("value", "expected"), [(None, ""), ("", ""), (42, "42"), (1.5, "1.5"), (True, "true"), ("a\nb", "a\nb")]
)
def test_titles_are_text(value: object, expected: str) -> None:
    made = decode_run(event(props(cluster(0, "a", title=value, description=value)))).clusters[0]
    assert (made.title, made.description) == (expected, expected)


def test_long_words_are_cut_and_marked() -> None:
    made = decode_run(event(props(cluster(0, "a", title="x" * 10**7, description="y" * 10**7)))).clusters[0]
    assert made.title == "x" * (MAX_TITLE - 1) + "…"
    assert made.description == "y" * (MAX_DESCRIPTION - 1) + "…"


def test_lone_surrogates_are_replaced_and_pairs_joined() -> None:
    text = json.dumps(props(cluster(0, "k\udc80", title="a\ud800b", description="\ud83d\ude00")))
    for spelled in (
        text,
        json.loads(text),
        props(cluster(0, "k\udc80", title="a\ud800b", description="\ud83d\ude00")),
    ):
        made = decode_run(event(spelled)).clusters[0]
        assert (made.title, made.description, made.items[0].key) == ("a\ufffdb", "\U0001f600", "k\ufffd")


def test_keys_that_become_equal_once_encodable_are_one_item() -> None:
    assert decode_run(event(props(cluster(0, "k\ud800", "k\udc00")))).clusters[0].size == 1


def test_baked_metrics_keep_finite_numbers_and_sentiment() -> None:
    metrics = {
        **BAKED, "total_cost": math.inf, "avg_tokens": math.nan, "pass_rate": "0.5", "na_rate": True,
        "dominant_runtime": "llm_judge", "dominant_evaluation_name": None, "later": [1], "huge": 10**400,
    }  # fmt: skip
    assert decode_run(event(props(cluster(0, "a", metrics=metrics)))).clusters[0].baked == {
        "avg_cost": 0.5, "error_count": 1, "item_count": 1, "pass_rate": 0.5, "dominant_runtime": "llm_judge",
        "sentiment": BAKED["sentiment"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "metrics", [None, "", "not JSON", [], 7, "[]", dict.fromkeys(map(str, range(999)), 1)]
)
def test_baked_metrics_of_no_use_are_dropped_without_a_fault(metrics: object) -> None:
    assert decode_run(event(props(cluster(0, "a", metrics=metrics)))).clusters[0].baked is None


def test_sentiment_nested_too_deeply_is_dropped_without_a_fault() -> None:
    deep: Any = {}
    for _ in range(50):
        deep = {"inner": deep}
    metrics = {"sentiment": deep, "avg_cost": 1.0}
    assert decode_run(event(props(cluster(0, "a", metrics=metrics)))).clusters[0].baked == {"avg_cost": 1.0}
