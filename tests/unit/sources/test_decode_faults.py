"""Whatever breaks the contract is named once, with its path, in words that are safe to print."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from reporter.errors import RunUnreadable
from reporter.sources.decode import decode_header, decode_membership, decode_run
from reporter.sources.decode_clusters import MAX_ITEMS, MAX_KEY
from reporter.sources.decode_values import MAX_FAULTS, MAX_JSON_CHARS
from tests.payloads import JOB, UUID, cluster, event, faults, props


def test_all_faults_are_listed_at_once_each_with_its_path() -> None:
    made = props(
        cluster(0, "a", size="many", title=["x"], centroid_x="left"),
        cluster(None, "b"),
        "not a cluster",
        cluster(3, traces={"abc": {"rank": {}, "x": "east", "timestamp": [], "trace_id": {}}, 'q"': 5}),
        cluster(-1, "n"),
        cluster(-1, "m"),
        cluster(3, "z"),
        cluster(True, "t", traces=7),
        cluster(-2, "u", traces=None),
        clustering_run_id="",
        clustering_level="session",
        clustering_job_id={},
        clustering_job_name=[],
        clustering_params="[1]",
        window_start=None,
        window_end="soon",
        total_items_analyzed=-1,
    )
    assert set(faults(made)) == {
        "$.run_id: missing; the event has no $ai_clustering_run_id",
        '$.level: "session" is none of trace, generation, evaluation',
        "$.job_id: not text but an object",
        "$.job_name: not text but a list",
        "$.params: not an object but a list",
        "$.window_start: missing; the event has no $ai_window_start",
        '$.window_end: not a time but "soon"',
        "$.total_items: not a whole number of at least 0 but -1",
        '$.clusters[0].size: not a number but "many"',
        "$.clusters[0].title: not text but a list",
        '$.clusters[0].centroid_x: not a number but "left"',
        "$.clusters[1].cluster_id: missing",
        '$.clusters[2]: not an object but "not a cluster"',
        '$.clusters[3].traces["abc"].rank: not a number but an object',
        '$.clusters[3].traces["abc"].x: not a number but "east"',
        '$.clusters[3].traces["abc"].timestamp: not a time but a list',
        '$.clusters[3].traces["abc"].trace_id: not text but an object',
        '$.clusters[3].traces["q\\""]: not an object but 5',
        "$.clusters[5].cluster_id: a second noise cluster",
        "$.clusters[6].cluster_id: a second cluster 3",
        "$.clusters[7].cluster_id: not a number but true",
        "$.clusters[7].traces: not an object but 7",
        "$.clusters[8].cluster_id: not a whole number of at least -1 but -2",
        "$.clusters[8].traces: missing",
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"clusters": None}, "$.clusters: missing; the event has no $ai_clusters"),
        ({"clusters": " "}, "$.clusters: missing; the event has no $ai_clusters"),
        ({"clusters": "null"}, "$.clusters: missing; the event has no $ai_clusters"),
        ({"clusters": "[{"}, '$.clusters: not JSON: "[{"'),
        ({"clusters": {"a": 1}}, "$.clusters: not a list but an object"),
        ({"clusters": '"\\"\\\\\\"[]\\\\\\"\\""'}, '$.clusters: still text after 3 layers of JSON: "[]"'),
        ({"clusters": "[" * 10**6}, "$.clusters: nested too deeply"),
        ({"clusters": [{}] * 10_001}, "$.clusters: 10,001 clusters, more than the 10,000 that are read"),
        ({"clustering_run_id": "x" * 301}, "$.run_id: 301 characters; an id has at most 300"),
        ({"clustering_run_id": "2_trace\x1b[31m"}, '$.run_id: holds control characters: "2_trace[31m"'),
        ({"clustering_run_id": {}}, "$.run_id: not text but an object"),
        ({"window_start": ""}, "$.window_start: missing; the event has no $ai_window_start"),
        ({"window_end": 7}, "$.window_end: not a time but 7"),
        (
            {"window_start": "2026-01-15T00:00:43Z", "window_end": "2026-01-15T02:00:43+02:00"},
            "$.window_end: 2026-01-15T00:00:43Z is not after window_start, 2026-01-15T00:00:43Z",
        ),
        (
            {"window_end": "2026-01-14T00:00:43Z"},
            "$.window_end: 2026-01-14T00:00:43Z is not after window_start, 2026-01-15T00:00:43.120000Z",
        ),
        ({"total_items_analyzed": 1.5}, "$.total_items: not a whole number of at least 0 but 1.5"),
        ({"total_items_analyzed": True}, "$.total_items: not a number but true"),
        ({"total_items_analyzed": 10**400}, "$.total_items: not a number but a number too large"),
        (
            {"total_items_analyzed": 2**53 + 1},
            "$.total_items: not a whole number of at least 0 but a number too large",
        ),
        ({"clustering_params": "{"}, '$.params: not JSON: "{"'),
    ],
)
def test_one_fault_is_named_alone(changes: dict[str, Any], expected: str) -> None:
    assert faults(props(**changes)) == (expected,)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "$: the event's properties are not an object but nothing"),
        ("[]", "$: the event's properties are not an object but a list"),
        (None, "$: the event's properties are not an object but nothing"),
        ("{", '$: not JSON: "{"'),
    ],
)
def test_properties_that_are_no_object_are_the_only_fault(value: Any, expected: str) -> None:
    assert faults(value) == faults(value, decode_header) == faults(value, decode_membership) == (expected,)


def test_a_broken_run_is_named_by_its_id_or_else_by_the_event() -> None:
    with pytest.raises(RunUnreadable) as caught:
        decode_run(event(props(clusters=None)))
    assert caught.value.run_id == f"2_trace_20260122_000043_{JOB}"
    with pytest.raises(RunUnreadable) as caught:
        decode_run(event(props(clustering_run_id=None)))
    assert caught.value.run_id == UUID


@pytest.mark.parametrize("traces", ["{", "[" * 10**5])
def test_members_that_cannot_be_parsed_are_one_fault(traces: str) -> None:
    (line,) = faults(props(cluster(0, traces=traces)))
    assert line.startswith("$.clusters[0].traces: ")


def test_a_time_of_emission_outside_the_calendar_is_a_fault() -> None:
    beyond = datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))
    with pytest.raises(RunUnreadable, match=r"\$\.timestamp: not a time"):
        decode_header(event(props(), at=beyond))


def test_a_missing_run_id_does_not_hide_missing_clusters() -> None:
    assert len(faults(props(clustering_run_id="", clusters=None))) == 2


def test_items_of_two_clusters_are_one_fault_with_a_count() -> None:
    keys = [f"k{number:03}" for number in range(500)]
    assert faults(props(cluster(0, *keys, "a"), cluster(1, *keys))) == (
        '$.clusters: 500 items lie in more than one cluster, such as "k000" in 0 and 1',
    )
    assert faults(props(cluster(4, "a"), cluster(2, "a")), decode_membership) == (
        '$.clusters: 1 item lies in more than one cluster, such as "a" in 4 and 2',
    )


def test_a_flood_of_faults_is_counted() -> None:
    traces = {str(number): {"rank": "first"} for number in range(MAX_FAULTS + 5)}
    listed = faults(props(cluster(0, traces=traces)))
    assert len(listed) == MAX_FAULTS + 1
    assert listed[-1] == "$: and 5 more faults"


def test_faults_are_harmless_to_print() -> None:
    traces = {"\x1b[2J\u202ekey": {"rank": "\x1b[31m\ud800" + "x" * 10**6}}
    (line,) = faults(props(cluster(0, traces=traces)))
    assert line.isprintable()
    assert len(line) < 250
    line.encode()


@pytest.mark.parametrize("length", [MAX_KEY, MAX_KEY + 1])
def test_item_keys_may_be_long_but_not_endless(length: int) -> None:
    made = props(cluster(0, "k" * length))
    if length <= MAX_KEY:
        assert decode_run(event(made)).clusters[0].items[0].key == "k" * length
    else:
        assert "2,001 characters" in faults(made)[0]
        assert "2,001 characters" in faults(props(cluster(0, traces={"k": {"trace_id": "t" * length}})))[0]


def test_more_items_than_any_run_has_are_refused() -> None:
    keys = list(map(str, range(MAX_ITEMS + 1)))
    made = props({"cluster_id": 0, "trace_ids": keys})
    assert faults(made, decode_membership) == (
        "$.clusters: 100,001 items, more than the 100,000 that are read",
    )


def test_text_beyond_any_payload_is_not_parsed() -> None:
    (line,) = faults(" " * MAX_JSON_CHARS + "{}")
    assert line == "$: 67,108,866 characters of JSON, more than the 67,108,864 that are read"


@pytest.mark.parametrize("listed", [[None], [{}], [True], [["a"]], [{"trace_id": None}]])
def test_listed_members_without_a_key_are_faults(listed: list[Any]) -> None:
    assert faults(props({"cluster_id": 0, "trace_ids": listed}))[0].startswith(
        "$.clusters[0].trace_ids[0]: no item key"
    )


def test_deep_natives_are_refused_where_they_are_kept_and_ignored_elsewhere() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert faults(props(clustering_params={"a": deep})) == ("$.params: nested too deeply",)
    assert faults(props(clustering_params={"a": [0] * 30_000})) == ("$.params: holds too many values",)
    assert decode_run(event(props(cluster(0, "a", centroid=deep), unknown=deep))).clusters[0].size == 1
