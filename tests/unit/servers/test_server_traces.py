"""``TracesQuery`` and ``TraceQuery``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.contract import cases
from tests.servers.handle import PostHog, Project

_BEGAN = datetime(2026, 3, 5, 12, tzinfo=UTC)


def put(project: Project, **query: Any) -> httpx.Response:
    return httpx.post(
        f"{project.url}/api/projects/{project.id}/query/",
        json={"query": query}, headers={"Authorization": f"Bearer {project.key}"}, timeout=30, trust_env=False,
    )  # fmt: skip


def listed(project: Project, **query: Any) -> dict[str, Any]:
    response = put(
        project,
        **{"kind": "TracesQuery", "dateRange": {"date_from": "2026-03-05", "date_to": "2026-03-06"}, **query},
    )
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def shown(project: Project, trace_id: str, **query: Any) -> list[dict[str, Any]]:
    dates = {"date_from": "2026-03-01", "date_to": "2026-04-01"}
    response = put(project, **{"kind": "TraceQuery", "traceId": trace_id, "dateRange": dates, **query})
    assert response.status_code == 200, response.text
    answer: list[dict[str, Any]] = response.json()["results"]
    return answer


def made(number: int, event: str, minutes: float, **said: Any) -> dict[str, Any]:
    at = (_BEGAN + timedelta(minutes=minutes)).isoformat()
    return {
        "uuid": cases.uid(number), "event": event, "distinct_id": f"user{number}", "person_properties": {},
        "properties": {f"$ai_{name}": value for name, value in said.items()},
        "timestamp": at, "created_at": at, "_inserted_at": at,
    }  # fmt: skip


@pytest.fixture(scope="module")
def traced(posthog: PostHog) -> Project:
    """Give a project with one deep trace and some plain ones."""
    deep = {"trace_id": "deep", "session_id": "s"}
    events = [
        made(1, "$ai_trace", 3, **deep, span_name="the trace", latency=4, input_state={"a": 1}, output_state="done"),
        made(2, "$ai_span", 0, **deep, span_id="x", parent_id="deep", latency=2, span_name="first"),
        made(3, "$ai_generation", 1, **deep, span_id="y", parent_id="x", latency=1.5, input_tokens=10, output_tokens=4,
             input_cost_usd=0.25, total_cost_usd=0.5, is_error=True, input=[{"role": "user", "content": "hi"}]),
        made(4, "$ai_generation", 2, **deep, parent_id="deep", latency=0.25, total_cost_usd=0.125, tools_called="b,a"),
        made(5, "$ai_feedback", 2.5, **deep),
        made(6, "$ai_evaluation", 2.6, **deep, latency=50, total_cost_usd=9),
        *(made(20 + n, "$ai_generation", 60 + n, trace_id=f"plain{n}", latency=1, total_cost_usd=0) for n in range(5)),
        made(40, "$ai_generation", -12 * 60 - 5, trace_id="before"),
        made(41, "$ai_generation", -12 * 60 + 1, trace_id="before"),
    ]  # fmt: skip
    return posthog.project([*events, events[2]])


def test_a_trace_is_summed_as_posthog_sums_it(traced: Project) -> None:
    found = {one["id"]: one for one in listed(traced)["results"]}
    deep = found["deep"]
    assert deep["createdAt"] == "2026-03-05T12:00:00+00:00"
    assert (deep["traceName"], deep["aiSessionId"], deep["distinctId"]) == ("the trace", "s", "user1")
    assert deep["totalLatency"] == 6.25  # the trace's own event has no parent: it counts like a child
    assert (deep["inputTokens"], deep["outputTokens"]) == (20, 8)  # each stored copy counts
    assert (deep["inputCost"], deep["outputCost"], deep["totalCost"]) == (0.5, None, 1.125)
    assert (deep["inputState"], deep["outputState"], deep["tools"]) == ({"a": 1}, "done", ["a", "b"])
    assert [one["event"] for one in deep["events"]] == ["$ai_span", "$ai_generation", "$ai_feedback"]
    assert found["plain0"]["totalCost"] is None
    assert found["plain0"]["totalLatency"] == 1


def test_traces_are_listed_by_their_first_event_newest_first(traced: Project) -> None:
    ids = [one["id"] for one in listed(traced)["results"]]
    assert ids == [
        "plain4",
        "plain3",
        "plain2",
        "plain1",
        "plain0",
        "deep",
    ]  # "before" began before the range
    wide = listed(traced, dateRange={"date_from": "2026-03-04", "date_to": "2026-03-06"})
    assert wide["results"][-1]["id"] == "before"


def test_traces_come_in_pages(traced: Project) -> None:
    first = listed(traced, limit=4)
    assert (len(first["results"]), first["hasMore"], first["limit"], first["offset"]) == (4, True, 4, 0)
    rest = listed(traced, limit=4, offset=4)
    assert ([one["id"] for one in rest["results"]], rest["hasMore"]) == (["plain0", "deep"], False)


def test_a_trace_is_listed_when_one_of_its_events_passes(traced: Project) -> None:
    only = [{"key": "$ai_parent_id", "value": "x", "operator": "exact", "type": "event"}]
    found = listed(traced, properties=only)["results"]
    assert [one["id"] for one in found] == ["deep"]
    assert found[0]["totalCost"] == 1.125


def test_one_trace_has_all_its_events_with_what_was_said(traced: Project) -> None:
    [deep] = shown(traced, "deep")
    events = [one["event"] for one in deep["events"]]
    assert events == ["$ai_span", "$ai_generation", "$ai_generation", "$ai_feedback"]
    assert deep["events"][1]["id"] == cases.uid(3)
    assert deep["events"][1]["properties"]["$ai_input"] == [{"role": "user", "content": "hi"}]
    assert shown(traced, "nowhere") == []
    assert shown(traced, "deep", dateRange={"date_from": "2026-03-07", "date_to": "2026-03-08"}) == []
    [one] = shown(traced, "deep", properties=[{"key": "$ai_parent_id", "value": "x", "type": "event"}])
    assert len(one["events"]) == 1


def test_hard_ids_are_found(project: Project) -> None:
    [found] = shown(project, cases.STRANGE)
    assert found["id"] == cases.STRANGE
    assert found["events"][0]["properties"]["$ai_output_choices"] == "sorry"


def test_without_the_table_of_what_was_said_events_answer(posthog: PostHog) -> None:
    old = posthog.project(cases.EVENTS, ai_events=False)
    [found] = shown(old, "plain")
    assert [one["event"] for one in found["events"]] == ["$ai_generation", "$ai_span", "$ai_embedding"]


def test_what_the_queries_do_not_know_is_refused(traced: Project) -> None:
    for query in (
        {"kind": "TracesQuery", "traceId": "deep"},
        {"kind": "TraceQuery"},
        {"kind": "TraceQuery", "traceId": "deep", "limit": 1},
        {"kind": "TracesQuery", "dateRange": {"from": "2026-03-01"}},
        {"kind": "TracesQuery", "limit": "many"},
    ):
        assert put(traced, **query).status_code == 400
