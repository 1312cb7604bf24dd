"""One running server for the tests of the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.contract import cases
from tests.servers.fixtures import posthog
from tests.servers.handle import PostHog, Project

__all__ = ["posthog"]

Ask = Callable[..., httpx.Response]


def send(project: Project, query: dict[str, Any] | None = None, **body: Any) -> httpx.Response:
    """Put one query with the project's key."""
    return httpx.post(
        f"{project.url}/api/projects/{project.id}/query/",
        json={"query": query, **body},
        headers={"Authorization": f"Bearer {project.key}"},
        timeout=30,
        trust_env=False,
    )


@pytest.fixture(scope="module")
def project(posthog: PostHog) -> Project:
    """Give a project with the events of the contract."""
    return posthog.project(cases.EVENTS, cases.JOBS)


@pytest.fixture(scope="module")
def typed(posthog: PostHog) -> Project:
    """Give the same in another zone, with types PostHog has found out."""
    types = {
        "$ai_latency": "Numeric",
        "$ai_is_error": "Boolean",
        "$ai_window_end": "DateTime",
        "$ai_trace_id": "DateTime",
    }
    return posthog.project(
        cases.EVENTS, timezone="America/St_Johns", property_types=types, cohorts={5: ["bob"]}
    )


@pytest.fixture
def ask() -> Ask:
    """Give what asks HogQL of a project."""

    def asked(project: Project, sql: str, **more: Any) -> httpx.Response:
        return send(project, {"kind": "HogQLQuery", "query": sql, **more}, name="a test")

    return asked


@pytest.fixture
def rows(ask: Ask) -> Callable[..., list[list[Any]]]:
    """Give what asks HogQL and returns rows."""

    def found(project: Project, sql: str, **more: Any) -> list[list[Any]]:
        response = ask(project, sql, **more)
        assert response.status_code == 200, response.text
        answer: list[list[Any]] = response.json()["results"]
        return answer

    return found
