"""``{filters}``: PostHog's property filters and date ranges inside HogQL."""

from __future__ import annotations

from typing import Any

import pytest

from tests.servers.handle import PostHog, Project

_COUNT = "SELECT arraySort(groupArray(distinct_id)) FROM events WHERE {filters}"


@pytest.fixture(scope="module")
def people(posthog: PostHog) -> Project:
    """Give a project whose events are named after their user."""
    said: dict[str, dict[str, Any]] = {
        "a": {"feature": "desk", "size": 2, "beta": True},
        "b": {"feature": "Desk search", "size": 10, "beta": False},
        "c": {"feature": "", "size": "3"},
        "d": {"size": None},
    }
    events = [
        {
            "uuid": f"00000000-0000-4000-8000-00000000000{number}", "event": "x", "distinct_id": name, "properties": said[name],
            "person_properties": {"plan": "free" if name == "a" else "team"},
            "timestamp": f"2026-03-0{number + 1}T00:00:00Z", "created_at": "2026-03-09T00:00:00Z",
            "_inserted_at": "2026-03-09T00:00:00Z",
        }
        for number, name in enumerate(said)
    ]  # fmt: skip
    return posthog.project(
        events,
        property_types={"size": "Numeric", "beta": "Boolean"},
        cohorts={5: ["b", "c"]},
        test_account_filters=[{"key": "plan", "value": "free", "operator": "is_not", "type": "person"}],
    )


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"key": "feature", "value": "desk"}, "a"),
        ({"key": "feature", "value": ["desk"], "operator": "exact", "type": "event"}, "a"),
        ({"key": "feature", "value": ["desk", "Desk search"], "operator": "exact"}, "ab"),
        ({"key": "feature", "value": "desk", "operator": "is_not"}, "bcd"),
        ({"key": "feature", "value": ["desk", "Desk search"], "operator": "is_not"}, "cd"),
        ({"key": "feature", "value": [], "operator": "exact"}, "abcd"),
        ({"key": "feature", "value": "DESK", "operator": "icontains"}, "ab"),
        ({"key": "feature", "value": "DESK", "operator": "not_icontains"}, "cd"),
        ({"key": "feature", "value": ["DESK", "sea"], "operator": "icontains"}, "ab"),
        ({"key": "feature", "value": "^d.*k$", "operator": "regex"}, "a"),
        ({"key": "feature", "value": "^d.*k$", "operator": "not_regex"}, "bcd"),
        ({"key": "feature", "operator": "is_set", "value": "is_set"}, "abc"),
        ({"key": "feature", "operator": "is_not_set", "value": "is_not_set"}, "d"),
        ({"key": "size", "value": 3, "operator": "gte"}, "bc"),
        ({"key": "size", "value": 3, "operator": "lt"}, "a"),
        ({"key": "beta", "value": ["true"], "operator": "exact"}, "a"),
        ({"key": "beta", "value": False, "operator": "exact"}, "b"),
        ({"key": "beta", "value": "true", "operator": "is_not"}, "bcd"),
        ({"key": "plan", "value": "team", "type": "person"}, "bcd"),
        ({"key": "id", "value": 5, "type": "cohort"}, "bc"),
        ({"key": "id", "value": 5, "type": "cohort", "negation": True}, "ad"),
        ({"type": "OR", "values": [{"key": "feature", "value": "desk"}, {"key": "size", "value": 10}]}, "ab"),
    ],
)
def test_a_filter_lets_pass_what_posthog_lets_pass(
    rows: Any, people: Project, filters: dict[str, Any], expected: str
) -> None:
    assert rows(people, _COUNT, filters={"properties": [filters]}) == [[list(expected)]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"dateRange": {"date_from": "2026-03-02"}}, "bcd"),
        ({"dateRange": {"date_from": "2026-03-02", "date_to": "2026-03-04T00:00:00Z"}}, "bc"),
        ({"dateRange": {"date_from": "all"}}, "abcd"),
        ({"filterTestAccounts": True}, "bcd"),
        ({}, "abcd"),
    ],
)
def test_dates_and_test_accounts(rows: Any, people: Project, given: dict[str, Any], expected: str) -> None:
    assert rows(people, _COUNT, filters=given) == [[list(expected)]]


def test_without_filters_everything_passes(rows: Any, people: Project) -> None:
    assert rows(people, _COUNT) == [[list("abcd")]]
    assert rows(
        people, "SELECT count() FROM events", filters={"properties": [{"key": "no", "value": "1"}]}
    ) == [[4]]


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"properties": [{"key": "id", "value": 9, "type": "cohort"}]}, "Cohort id=9 does not exist"),
        ({"properties": [{"key": "a", "value": 1, "operator": "like"}]}, "not implemented"),
        ({"properties": [{"key": "a", "value": 1, "type": "planet"}]}, "planet"),
        ({"properties": [{"key": "feature", "value": "(", "operator": "regex"}]}, "cannot compile"),
        ({"properties": [{"key": "feature", "value": 3, "operator": "gt"}]}, "supertype"),
        ({"planets": []}, "Extra inputs"),
        ({"dateRange": {"date_from": "yesterdayish"}}, "Invalid date"),
    ],
)
def test_what_is_no_filter_is_refused(ask: Any, people: Project, filters: dict[str, Any], said: str) -> None:
    response = ask(people, _COUNT, filters=filters)
    assert response.status_code == 400
    assert said in response.json()["detail"]


def test_filters_belong_where_events_are_read(ask: Any, rows: Any, people: Project) -> None:
    only = {"properties": [{"key": "feature", "value": "desk"}]}
    inner = "SELECT count() FROM (SELECT uuid FROM events WHERE {filters})"
    assert rows(people, inner, filters=only) == [[1]]
    for sql in (
        "SELECT count() FROM (SELECT uuid FROM events) WHERE {filters}",
        "SELECT count() FROM events WHERE {filters.properties}",
    ):
        assert ask(people, sql, filters=only).status_code == 400
    assert ask(people, _COUNT, filters=only, values={"filters": 1}).status_code == 400
