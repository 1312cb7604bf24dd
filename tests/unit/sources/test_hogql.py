"""HogQL as PostHog's own parser reads it and ClickHouse executes it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.model import Window
from reporter.sources.api import ApiSource
from reporter.sources.api.client import Client
from reporter.sources.hogql.ask import rows_of
from reporter.sources.queries.hogql.spelling import Ask, text_literal
from tests.contract.cases import END, START
from tests.contract.cases import job as job_with
from tests.servers.fixtures import posthog  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.servers.handle import PostHog, Project

MID = START + timedelta(days=3)
DONE = END + timedelta(hours=1)


def client_of(project: Project) -> Client:
    return Client(project.url, project.id, lambda: project.key, timeout_s=300)


@pytest.fixture(scope="module")
def client(posthog: PostHog) -> Iterator[Client]:  # noqa: F811 (the fixture)
    with closing(client_of(posthog.project([]))) as made:
        yield made


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
def test_any_text_written_as_a_literal_is_read_as_that_text(client: Client, text: str) -> None:
    ask = Ask("literal", f"SELECT {text_literal(text)} AS said LIMIT 2", ("said",), 2, {})
    assert rows_of(client, ask) == [[text]]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
def test_any_text_bound_as_a_value_is_read_as_that_text(client: Client, text: str) -> None:
    ask = Ask("value", "SELECT {given} AS said LIMIT 2", ("said",), 2, {"given": text})
    assert rows_of(client, ask) == [[text]]


def run_of(items: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Make the events of one trace run: item key → properties of its calls."""
    events = []

    def add(number: int, event: str, at: Any, said: dict[str, Any]) -> None:
        events.append(
            {
                "uuid": f"0000ab00-0000-4000-8000-{number:012x}", "event": event, "distinct_id": "ann",
                "properties": said, "person_properties": {}, "timestamp": at.isoformat(),
                "created_at": at.isoformat(), "_inserted_at": at.isoformat(),
            }
        )  # fmt: skip

    for key, calls in items.items():
        for said in calls:
            add(len(events), "$ai_generation", MID, {"$ai_trace_id": key, **said})
    cluster = {"cluster_id": 0, "size": len(items), "title": "All", "description": "", "centroid": [],
               "traces": {key: {"rank": rank, "distance_to_centroid": 0.5} for rank, key in enumerate(items)}}  # fmt: skip
    add(len(events), "$ai_trace_clusters", DONE,
        {"$ai_clustering_run_id": "7_trace_20260309_003000", "$ai_clustering_level": "trace",
         "$ai_window_start": START.isoformat(), "$ai_window_end": END.isoformat(),
         "$ai_total_items_analyzed": len(items), "$ai_clusters": [cluster]})  # fmt: skip
    return events


def test_money_is_added_to_the_nearest_number_whatever_its_size(posthog: PostHog) -> None:  # noqa: F811
    rng = random.Random(3)
    scales = (1e-9, 1e-4, 1e-2, 1.0, 1e3, 1e6, 1e13)
    costs = {
        f"trace {number}": [rng.random() * rng.choice(scales) for _ in range(rng.randrange(1, 9))]
        for number in range(300)
    }
    costs["refunded"] = [0.1, 0.2, -0.25, 0.3]
    events = run_of({key: [{"$ai_total_cost_usd": cost} for cost in some] for key, some in costs.items()})
    with ApiSource(client_of(posthog.project(events)), warn=pytest.fail, now=DONE) as source:
        (run,) = source.runs(END, END + timedelta(days=1))
        measured = {item.key: item.cost_usd for item in source.items([run])[run.run_id]}
        everything = source.totals(Window(START, END), job_with("trace"))
    small = {key for key, some in costs.items() if max(map(abs, some)) < 1e9}
    assert {key: measured[key] for key in small} == {key: math.fsum(costs[key]) for key in small}
    for key in costs.keys() - small:
        assert measured[key] == pytest.approx(math.fsum(costs[key]), rel=1e-12)
    assert everything is not None
    assert everything.cost_usd == pytest.approx(
        math.fsum(cost for some in costs.values() for cost in some), rel=1e-12
    )


HARD = ["it's", 'say "hi"', "back\\slash", "a\\nb", "tab\there", "line\nbreak", "ü 東 🙂", "{v0}", "{filters}", "%", "::", " ",
        "2026-03-05T12:00:00Z", "123", "true", '{"a": 1}']  # fmt: skip


def test_trace_ids_hard_to_quote_are_measured(posthog: PostHog) -> None:  # noqa: F811
    events = run_of({key: [{"$ai_total_cost_usd": 1 + number}] for number, key in enumerate(HARD)})
    types = {"$ai_trace_id": "DateTime"}
    served = posthog.project(events, property_types=types)
    with ApiSource(client_of(served), warn=pytest.fail, now=DONE) as source:
        (run,) = source.runs(END, END + timedelta(days=1))
        measured = {item.key: item.cost_usd for item in source.items([run])[run.run_id]}
        traces = {key: source.trace(key, Window(START, END)) for key in HARD}
    assert measured == {key: 1.0 + number for number, key in enumerate(HARD)}
    assert {key: trace and trace.summary.trace_id for key, trace in traces.items()} == {
        key: key for key in HARD
    }
