"""Laws of decoding: the way back from what PostHog wrote, and no other end than a run or its faults."""

import copy
import json
import math
import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reporter.errors import RunUnreadable
from reporter.model import LEVELS, NOISE, Cluster, Run
from reporter.sources.base import RUN_EVENTS
from reporter.sources.decode import EventRow, decode_header, decode_membership, decode_run
from tests.payloads import cluster, event, event_of, props
from tests.strategies import broken_text, json_values, properties, runs

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(runs())
def test_what_posthog_wrote_is_what_is_decoded(run: Run) -> None:
    assert decode_run(event_of(run)) == run
    assert decode_header(event_of(run)) == run.header
    membership = decode_membership(event_of(run))
    assert membership.run_id == run.header.run_id
    assert [(c.cluster_id, c.title, c.description, c.keys) for c in membership.clusters] == [
        (c.cluster_id, c.title, c.description, tuple(sorted(item.key for item in c.items)))
        for c in run.clusters
    ]


@SLOW
@given(runs(), st.booleans(), st.booleans())
def test_native_text_and_doubly_encoded_text_mean_the_same(run: Run, whole: bool, twice: bool) -> None:
    written: dict[str, Any] = properties(run)
    for name in ("$ai_clusters", "$ai_clustering_params"):
        if name in written:
            written[name] = json.dumps(json.dumps(written[name])) if twice else json.dumps(written[name])
    assert decode_run(event_of(run, json.dumps(written) if whole else written)) == run


@SLOW
@given(runs(), st.randoms(use_true_random=False))
def test_order_of_keys_clusters_and_items_does_not_matter(run: Run, chance: random.Random) -> None:
    assert decode_run(event_of(run, shuffled(properties(run), chance))) == run


@SLOW
@given(runs())
def test_nan_literals_anywhere_do_not_spoil_a_run(run: Run) -> None:
    written = properties(run)
    written["$ai_silhouette_score"] = math.nan
    for made in written["$ai_clusters"]:
        made["centroid"] = [math.inf]
    assert "NaN" in json.dumps(written)
    assert decode_run(event_of(run, json.dumps(written))) == run


@SLOW
@given(json_values(30), st.sampled_from([*RUN_EVENTS, "other"]))
def test_any_properties_give_a_run_or_its_faults(value: Any, name: str) -> None:
    assert_sound(value, name)


@SLOW
@given(runs(), st.data())
def test_any_damage_gives_a_run_or_its_faults(run: Run, data: st.DataObject) -> None:
    damaged = copy.deepcopy(properties(run))
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(walk(damaged))
        holder, key = data.draw(st.sampled_from(places))
        holder[key] = data.draw(json_values())
    assert_sound(damaged, event_of(run).event)


@given(broken_text(300))
def test_any_text_for_properties_gives_a_run_or_its_faults(text: str) -> None:
    assert_sound(text, "$ai_trace_clusters")


def shuffled(value: Any, chance: random.Random) -> Any:
    """Reorder what has no order: keys of objects, and the list of clusters."""
    if isinstance(value, dict):
        pairs = [(key, shuffled(item, chance)) for key, item in value.items()]
        chance.shuffle(pairs)
        return dict(pairs)
    if isinstance(value, list):
        made = [shuffled(item, chance) for item in value]
        if made and isinstance(made[0], dict):
            chance.shuffle(made)
        return made
    return value


def walk(value: Any) -> Iterator[tuple[Any, Any]]:
    """Give every place in a JSON value something can be written to, as holder and key."""
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(places):
        yield value, key
        yield from walk(item)


def outcome(decode: Callable[[EventRow], Any], row: EventRow) -> Any:
    """Give what was decoded, or the error; anything but `RunUnreadable` fails the test."""
    try:
        return decode(row)
    except RunUnreadable as error:
        return error


def assert_sound(value: Any, name: str) -> None:
    """Check that every reader keeps the model's promises or names faults, and that all agree."""
    row = event(value, name)
    header, run, membership = (
        outcome(decode, row) for decode in (decode_header, decode_run, decode_membership)
    )
    for result in (header, run, membership):
        if isinstance(result, RunUnreadable):
            assert result.faults
            assert all(line.startswith("$") and not CONTROLS.search(line) for line in result.faults)
            str(result).encode()
    if isinstance(run, Run):
        assert header == run.header
        assert [made.cluster_id for made in membership.clusters] == [made.cluster_id for made in run.clusters]
        assert_promises(run)


def assert_promises(run: Run) -> None:
    header = run.header
    assert header.run_id
    assert len(header.run_id) <= 300
    assert header.level in LEVELS
    assert header.job_id != ""
    assert header.window.start < header.window.end
    assert header.items >= 0
    json.dumps(header.params, allow_nan=False).encode()
    ids = [made.cluster_id for made in run.clusters]
    assert ids == sorted(set(ids), key=lambda number: (number == NOISE, number))
    keys = [item.key for made in run.clusters for item in made.items]
    assert len(keys) == len(set(keys))
    for made in run.clusters:
        assert_cluster_promises(made)


def assert_cluster_promises(made: Cluster) -> None:
    assert made.size >= 0
    assert made.cluster_id >= NOISE
    json.dumps(dict(made.baked or {}), allow_nan=False).encode()
    for text in (made.title, made.description, *(item.key for item in made.items)):
        text.encode()
    for item in made.items:
        assert item.trace_id != ""
        assert item.rank is None or item.rank >= 0
        numbers = (item.distance, item.x, item.y, made.centroid_x, made.centroid_y)
        assert all(number is None or math.isfinite(number) for number in numbers)
        assert item.timestamp is None or item.timestamp.tzinfo is UTC


def test_the_largest_run_posthog_can_make_is_read() -> None:
    made = [
        cluster(
            number,
            *(f"019cb7f3-a123-7bde-{number:04}-{rank:012}" for rank in range(200)),
            centroid=[0.125] * 100,
        )
        for number in range(50)
    ]
    for entry in made:
        for key, item in entry["traces"].items():
            item |= {"x": 1.5, "y": 2.5, "trace_id": key, "timestamp": "2026-01-16T10:00:00.123456+00:00"}
    row = event(json.dumps(props(*made)))
    run = decode_run(row)
    assert run.header.items == 10_000
    assert sum(cluster.size for cluster in run.clusters) == 10_000
