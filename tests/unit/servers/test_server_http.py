"""The server as a server: keys, addresses, jobs, the log."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from tests.contract import cases
from tests.servers.handle import SCOPES, PostHog, Project


def get(
    project: Project, path: str, key: str | None = None, method: str = "GET", **more: Any
) -> httpx.Response:
    headers = {} if key == "" else {"Authorization": f"Bearer {key or project.key}"}
    return httpx.request(method, f"{project.url}{path}", headers=headers, timeout=30, trust_env=False, **more)


def home(project: Project, scope: str = "projects") -> str:
    return f"/api/{scope}/{project.id}/"


def test_without_a_key_or_with_another_nothing_is_told(posthog: PostHog, project: Project) -> None:
    project.clear()
    for key, code in (("", "not_authenticated"), ("phx_wrong", "authentication_failed")):
        response = get(project, home(project), key)
        assert (response.status_code, response.json()["code"]) == (401, code)
    for where in ({"params": {"personal_api_key": project.key}}, {"json": {"personal_api_key": project.key}}):
        assert get(project, f"{home(project)}query/", "", "POST", **where).status_code == 401
    assert [one.keyed for one in project.log()] == [False, True, False, False]
    assert not any("authorization" in one.headers for one in project.log())
    other = posthog.project([])
    response = get(project, home(project), other.key)
    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
    assert f"requested project '{project.id}'" in response.json()["detail"]
    response = get(project, "/api/projects/999999/")
    assert (response.status_code, response.json()["type"], response.json()["code"]) == (
        404,
        "invalid_request",
        "not_found",
    )


@pytest.mark.parametrize(
    ("scope", "path", "method"),
    [
        ("query:read", "query/", "POST"),
        ("llm_analytics:read", "llm_analytics/clustering_jobs/", "GET"),
        ("project:read", "", "GET"),
        ("user:read", "/api/users/@me/", "GET"),
    ],
)
def test_each_address_needs_its_scope(posthog: PostHog, scope: str, path: str, method: str) -> None:
    lacking = posthog.project([], scopes=[one for one in SCOPES if one != scope])
    having = posthog.project([], scopes=[scope])
    body = {"json": {"query": {"kind": "HogQLQuery", "query": "SELECT 1"}}} if method == "POST" else {}
    for project, status in ((lacking, 403), (having, 200)):
        address = path if path.startswith("/") else home(project) + path
        response = get(project, address, None, method, **body)
        assert response.status_code == status
    assert get(lacking, path if path.startswith("/") else home(lacking) + path, None, method, **body).json()[
        "detail"
    ] == (f"API key missing required scope '{scope}'")


def test_nothing_can_be_changed(project: Project) -> None:
    project.clear()
    for method, path in (
        ("POST", ""),
        ("DELETE", ""),
        ("PATCH", "llm_analytics/clustering_jobs/x/"),
        ("PUT", "query/"),
    ):
        assert get(project, home(project) + path, None, method).status_code in (400, 405)
    assert (
        get(project, f"{home(project)}llm_analytics/clustering_jobs/", None, "POST", json={}).status_code
        == 405
    )
    assert {one.status for one in project.log()} <= {400, 405}


def test_jobs_come_in_pages_with_whole_addresses(posthog: PostHog) -> None:
    jobs = [
        {**cases.JOBS["results"][0], "id": f"j{n}", "created_at": f"2026-01-0{n + 1}T00:00:00Z"}
        for n in range(5)
    ]
    project = posthog.project([], jobs[::-1], jobs_page=2)
    path: str | None = f"{home(project)}llm_analytics/clustering_jobs/?limit=100&offset=0"
    seen, pages = [], 0
    while path:
        page = get(project, path).json()
        assert page["count"] == 5
        seen += [job["id"] for job in page["results"]]
        assert page["next"] is None or page["next"].startswith(project.url)
        path, pages = page["next"] and page["next"].removeprefix(project.url), pages + 1
    assert (seen, pages) == ([f"j{n}" for n in range(5)], 3)
    assert get(project, f"{home(project)}llm_analytics/clustering_jobs/j3/").json() == jobs[3]
    assert get(project, f"{home(project)}llm_analytics/clustering_jobs/j9/").status_code == 404


def test_older_servers(posthog: PostHog) -> None:
    bare = posthog.project([], cases.JOBS, bare_jobs=True)
    assert get(bare, f"{home(bare)}llm_analytics/clustering_jobs/").json() == cases.JOBS["results"]
    missing = posthog.project([], jobs_missing=True)
    assert get(missing, f"{home(missing)}llm_analytics/clustering_jobs/").status_code == 404
    old = posthog.project([], prefix="environments", sub_path="/posthog")
    body = {"query": {"kind": "HogQLQuery", "query": "SELECT 1"}}
    assert get(old, f"{home(old)}query/", None, "POST", json=body).status_code == 404
    assert get(old, f"{home(old, 'environments')}query/", None, "POST", json=body).status_code == 200
    assert old.url.endswith("/posthog")
    assert httpx.get(f"{posthog.url}{home(old, 'environments')}", trust_env=False).status_code in (401, 404)


def test_the_project_and_its_owner_are_shown(posthog: PostHog) -> None:
    project = posthog.project([], timezone="Asia/Tokyo", team_name="Ünïted")
    shown = get(project, home(project)).json()
    assert (shown["id"], shown["name"], shown["timezone"]) == (int(project.id), "Ünïted", "Asia/Tokyo")
    assert get(project, "/api/users/@me/").json()["team"]["id"] == int(project.id)


def test_the_log_says_what_was_asked(ask: Any, project: Project) -> None:
    project.clear()
    ask(project, "SELECT {a} AS a", values={"a": 1})
    get(project, f"{home(project)}?x=1")
    first, second = project.log()
    assert (first.method, first.kind, first.sql, first.values, first.name) == (
        "POST", "HogQLQuery", "SELECT {a} AS a", {"a": 1}, "a test",
    )  # fmt: skip
    assert (first.status, first.rows, first.concurrent, first.keyed, first.bounded) == (200, 1, 1, True, True)
    assert first.ended is not None
    assert 0 < first.ended - first.started < 30
    assert second.path == f"{home(project)}?x=1"
    assert (second.kind, second.bounded, second.status) == ("", None, 200)


def test_queries_run_beside_each_other_while_they_wait(ask: Any, posthog: PostHog) -> None:
    project = posthog.project([], latency_s=0.4)
    threads = [threading.Thread(target=ask, args=(project, f"SELECT {n}")) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = project.log()
    assert sorted(one.concurrent for one in log) == [1, 2, 3]
    assert max(one.ended or 0 for one in log) - min(one.started for one in log) < 1.1


def test_large_answers_are_packed(ask: Any, project: Project) -> None:
    project.clear()
    response = ask(project, "SELECT number, 'abcdefgh' FROM numbers(5000) LIMIT 5000")
    assert response.headers["content-encoding"] == "gzip"
    assert len(response.json()["results"]) == 5000
    assert project.log()[0].bytes_sent < len(response.content) / 2


def test_bytes_read_are_told_and_taken_from_the_budget(ask: Any, posthog: PostHog) -> None:
    project = posthog.project(cases.EVENTS)
    project.budget(1)
    response = ask(project, "SELECT count() FROM events WHERE properties LIKE '%x%'")
    assert int(response.headers["X-PostHog-Query-Bytes-Read"]) > 1000
    assert int(response.headers["X-PostHog-Query-Budget-Remaining-Bytes"]) < 0
    refused = ask(project, "SELECT 1")
    assert (refused.status_code, refused.json()["code"]) == (429, "api_queries_budget_exceeded")
    assert int(refused.headers["Retry-After"]) > 0
    project.budget(None)
    assert ask(project, "SELECT 1").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {}, {"query": "SELECT 1"}, {"query": {"kind": "EventsQuery"}}, {"query": {"kind": "HogQLQuery"}},
        {"query": {"kind": "HogQLQuery", "query": "SELECT 1", "sql": 1}},
        {"query": {"kind": "HogQLQuery", "query": "SELECT 1", "values": []}},
        {"query": {"kind": "HogQLQuery", "query": "SELECT 1"}, "quest": 1},
    ],
)  # fmt: skip
def test_a_body_of_another_shape_is_refused(project: Project, body: dict[str, Any]) -> None:
    response = get(project, f"{home(project)}query/", None, "POST", json=body)
    assert (response.status_code, response.json()["type"]) == (400, "validation_error")


def test_the_server_ends_when_its_handle_does() -> None:
    with PostHog() as server:
        assert httpx.get(f"{server.url}/_health", trust_env=False).text == "ok"
        process = server._process
        assert process is not None
    assert process.poll() is not None
