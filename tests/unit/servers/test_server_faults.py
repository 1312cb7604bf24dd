"""Everything that can go wrong on the way, on purpose."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.servers.handle import PostHog, Project


@pytest.fixture
def faulty(posthog: PostHog) -> Project:
    """Give a project nothing else uses."""
    return posthog.project([])


@pytest.mark.parametrize(
    ("method", "status", "code", "waits"),
    [
        ("rate_limited", 429, "throttled", True),
        ("concurrency", 429, "throttled", False),
        ("budget_exhausted", 429, "api_queries_budget_exceeded", True),
        ("payment_required", 402, "payment_required", False),
        ("too_slow_504", 504, "error", False),
        ("memory_504", 504, "error", False),
        ("at_capacity_503", 503, "error", False),
        ("estimated_512", 512, "error", False),
        ("server_error_500", 500, "error", False),
    ],
)
def test_posthogs_own_errors(
    ask: Any, faulty: Project, method: str, status: int, code: str, waits: bool
) -> None:
    getattr(faulty, method)(times=2)
    for _ in range(2):
        response = ask(faulty, "SELECT 1")
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert ("retry-after" in response.headers) is waits
    assert ask(faulty, "SELECT 1").status_code == 200
    assert [one.status for one in faulty.log()] == [status, status, 200]


def test_a_rule_hits_what_it_matches(ask: Any, faulty: Project) -> None:
    faulty.fault(status=418, name="^other", times=-1)
    faulty.fault(status=500, body={"a": 1}, after=1, kind="HogQLQuery")
    assert [ask(faulty, "SELECT 1").status_code for _ in range(3)] == [200, 500, 200]
    faulty.fault(html=502, match={"path": "/clustering_jobs/"})
    assert ask(faulty, "SELECT 1").status_code == 200
    faulty.heal()
    with pytest.raises(RuntimeError, match="no such fault"):
        faulty.fault(stat=1)


def test_a_proxy_answers_html(ask: Any, faulty: Project) -> None:
    for status in (502, 504, 503, 200):
        faulty.fault(html=status)
        response = ask(faulty, "SELECT 1")
        assert response.status_code == status
        assert response.headers["content-type"].startswith("text/html")
        assert "<html>" in response.text


def test_connections_break(ask: Any, faulty: Project) -> None:
    for rule in ({"reset": True}, {"reset_midway": True}):
        faulty.fault(**rule)
        with pytest.raises(httpx.TransportError):
            ask(faulty, "SELECT 1")
    assert ask(faulty, "SELECT 1").status_code == 200


def test_answers_come_late(ask: Any, faulty: Project) -> None:
    for rule in ({"hang_s": 0.3}, {"slow_first_byte_s": 0.3}, {"drip": True, "bytes_per_s": 3000}):
        faulty.fault(**rule)
        began = time.monotonic()
        assert ask(faulty, "SELECT 1").json()["results"] == [[1]]
        assert time.monotonic() - began > 0.2


def test_answers_are_spoiled(ask: Any, faulty: Project) -> None:
    faulty.fault(truncate_json=True)
    with pytest.raises(ValueError, match="line 1"):
        ask(faulty, "SELECT 1").json()
    faulty.fault(nan=True)
    assert "NaN" in ask(faulty, "SELECT 1").text
    faulty.fault(cached=True)
    assert ask(faulty, "SELECT 1").json()["is_cached"] is True
    faulty.fault(rows_limit=2)
    assert len(ask(faulty, "SELECT number FROM numbers(9)").json()["results"]) == 2
    faulty.fault(extra_fields=True)
    assert "newField" in ask(faulty, "SELECT 1").json()


def test_bodies_are_too_large(faulty: Project) -> None:
    def first(limit: int) -> int:
        size = 0
        body = {"query": {"kind": "HogQLQuery", "query": "SELECT 1"}}
        with httpx.stream(
            "POST", f"{faulty.url}/api/projects/{faulty.id}/query/", json=body, trust_env=False,
            headers={"Authorization": f"Bearer {faulty.key}", "Accept-Encoding": "gzip"},
        ) as response:  # fmt: skip
            for chunk in response.iter_bytes():
                size += len(chunk)
                if size > limit:
                    break
        return size

    faulty.fault(gzip_bomb_mb=30)
    assert first(1 << 40) > 30 << 20
    faulty.fault(garbage_mb=2)
    assert first(1 << 40) == 2 << 20
    faulty.fault(endless=True)
    assert first(5 << 20) > 5 << 20
    faulty.fault(endless="slow")
    assert first(2) == 3


def test_redirects_and_repeated_keys(ask: Any, faulty: Project) -> None:
    faulty.fault(redirect="https://elsewhere.example/api/", status=307)
    response = ask(faulty, "SELECT 1")
    assert (response.status_code, response.headers["location"]) == (307, "https://elsewhere.example/api/")
    faulty.fault(echo_key=True)
    response = ask(faulty, "SELECT 1")
    assert faulty.key in response.text
    assert faulty.key in response.headers["x-echo"]


def test_an_answer_may_be_promised_and_fetched_later(ask: Any, faulty: Project) -> None:
    def poll(query_id: str) -> httpx.Response:
        address = f"{faulty.url}/api/projects/{faulty.id}/query/{query_id}/"
        return httpx.get(address, headers={"Authorization": f"Bearer {faulty.key}"}, trust_env=False)

    faulty.fault(action="async", polls=2)
    promised = ask(faulty, "SELECT 1 AS a")
    assert promised.status_code == 202
    status = promised.json()["query_status"]
    assert (status["complete"], status["results"]) == (False, None)
    polled = [poll(status["id"]) for _ in range(3)]
    assert [one.status_code for one in polled] == [202, 202, 200]
    assert polled[-1].json()["query_status"]["results"]["results"] == [[1]]
    faulty.fault(action="async", poll_status=400, polls=0)
    failed = poll(ask(faulty, "SELECT nothing").json()["query_status"]["id"])
    assert failed.status_code == 400
    assert failed.json()["query_status"]["error_message"] == "Unable to resolve field: nothing"
    faulty.fault(action="async", poll_status=404)
    assert poll(ask(faulty, "SELECT 1").json()["query_status"]["id"]).status_code == 404
