# ruff: noqa: S608 -- statements of constants
"""Times: zones, bounds, and how they are written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import cases
from tests.servers.handle import Project

_NEUTRAL = {"convertToProjectTimezone": False}


def test_times_are_written_in_the_projects_zone_unless_told_otherwise(
    ask: Any, project: Project, typed: Project
) -> None:
    sql = "SELECT timestamp FROM events WHERE uuid = {uuid}"
    values = {"uuid": cases.uid(13)}
    assert ask(project, sql, values=values).json()["results"] == [["2026-03-05T12:00:00.000001Z"]]
    answer = ask(typed, sql, values=values).json()
    assert answer["results"] == [["2026-03-05T08:30:00.000001-03:30"]]
    assert answer["timezone"] == "America/St_Johns"
    assert answer["types"] == [["timestamp", "DateTime64(6, 'America/St_Johns')"]]
    assert ask(typed, sql, values=values, modifiers=_NEUTRAL).json()["results"] == [
        ["2026-03-05T12:00:00.000001Z"]
    ]


def test_whole_seconds_have_no_fraction(rows: Any, project: Project) -> None:
    assert rows(project, "SELECT timestamp FROM events WHERE uuid = {u}", values={"u": cases.ANSWER}) == [
        ["2026-03-02T00:30:00Z"]
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("toDateTime('2026-01-05 00:00:00')", "2026-01-05T00:00:00-03:30"),
        ("toDateTime('2026-01-05 00:00:00', 'UTC')", "2026-01-05T00:00:00Z"),
        ("toDateTime('2026-01-05 00:00:00.5', 'UTC')", "2026-01-05T00:00:00.500000Z"),
        ("toDateTime('2026-01-05T00:00:00Z')", "2026-01-04T20:30:00-03:30"),
        ("toDateTime(concat('no', 'sense'))", None),
        ("toDate('2026-01-05')", "2026-01-05"),
        ("toStartOfDay(toDateTime('2026-01-05T01:00:00Z'))", "2026-01-04T00:00:00-03:30"),
    ],
)
def test_times_written_in_a_statement(
    rows: Any, typed: Project, expression: str, expected: str | None
) -> None:
    assert rows(typed, f"SELECT {expression} AS a") == [[expected]]


def test_bare_days_are_the_projects_own(rows: Any, typed: Project) -> None:
    sql = "SELECT count() FROM events WHERE uuid = {uuid} AND timestamp {op} '2026-03-01'"
    for op, found in ((">=", 1), ("<", 0)):
        assert rows(typed, sql.replace("{op}", op), values={"uuid": cases.ANSWER}) == [[found]]
    sql = "SELECT count() FROM events WHERE uuid = {uuid} AND timestamp >= '2026-03-01 21:00:01'"
    assert rows(typed, sql, values={"uuid": cases.ANSWER}) == [[0]]  # 00:30 UTC is 21:00 there


def test_day_buckets_follow_the_zone(rows: Any, project: Project, typed: Project) -> None:
    sql = "SELECT toString(toStartOfDay(timestamp)) AS day, toDate(timestamp) AS date FROM events WHERE uuid = {uuid}"
    values = {"uuid": cases.ANSWER}
    assert rows(project, sql, values=values) == [["2026-03-02 00:00:00", "2026-03-02"]]
    assert rows(typed, sql, values=values) == [["2026-03-01 00:00:00", "2026-03-01"]]
    assert rows(typed, sql, values=values, modifiers=_NEUTRAL) == [["2026-03-02 00:00:00", "2026-03-02"]]


@pytest.mark.parametrize(
    ("where", "bounded"),
    [
        ("event = 'a' AND timestamp >= '2026-01-01' AND timestamp < '2026-02-01'", True),
        ("event IN ('a', 'b') AND timestamp BETWEEN '2026-01-01' AND '2026-02-01'", True),
        ("event = 'a' AND '2026-01-01' < timestamp AND '2026-02-01' > timestamp", True),
        ("event = 'a' AND timestamp >= '2026-01-01'", False),
        ("timestamp >= '2026-01-01' AND timestamp < '2026-02-01'", False),
        ("event != 'a' AND timestamp >= '2026-01-01' AND timestamp < '2026-02-01'", False),
        ("event = 'a' OR (timestamp >= '2026-01-01' AND timestamp < '2026-02-01')", False),
    ],
)
def test_the_log_tells_whether_a_reading_is_bounded(
    ask: Any, project: Project, where: str, bounded: bool
) -> None:
    project.clear()
    assert ask(project, f"SELECT 1 FROM (SELECT event FROM events WHERE {where})").status_code == 200
    assert (
        ask(
            project, f"SELECT count() FROM numbers(1) WHERE 1 IN (SELECT 1 FROM events AS e WHERE {where})"
        ).status_code
        == 200
    )
    assert [one.bounded for one in project.log()] == [bounded, bounded]
