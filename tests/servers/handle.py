"""Starts the PostHog stand-in and speaks to it: projects go in, what was asked of them comes out."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

_ROOT = Path(__file__).parents[2]
SCOPES = ("query:read", "llm_analytics:read", "project:read", "user:read")


@dataclass(frozen=True)
class Request:
    """One request, as the server saw it."""

    method: str
    path: str
    """With what follows the question mark."""
    headers: Mapping[str, str]
    """By lower-case name, without ``authorization``."""
    keyed: bool
    """Whether it carried a key in its header."""
    name: str
    kind: str
    """Kind of the query; empty for none."""
    sql: str
    values: Mapping[str, Any]
    refresh: Any
    client_query_id: str
    query: Mapping[str, Any]
    """The whole query of the body."""
    status: int | None
    """``None`` while it is not answered, and where it never was."""
    started: float
    """Seconds of a clock that only grows."""
    ended: float | None
    concurrent: int
    """Queries of the project under way when it came, with itself."""
    rows: int
    bytes_sent: int
    bounded: bool | None
    """Whether each reading of events has both bounds of time and names its events; ``None`` where unknown."""
    detail: str
    """Why it was refused, with the engine's own words."""


class Project:
    """One project of the server."""

    def __init__(self, server: PostHog, project_id: str, key: str, url: str) -> None:
        self.id, self.key, self.url = project_id, key, url
        self._server = server

    def log(self) -> list[Request]:
        """Give the requests so far, in order of arrival."""
        known = {one.name for one in fields(Request)}
        found = self._server.control("log", {"id": self.id})
        return [Request(**{name: value for name, value in one.items() if name in known}) for one in found]

    def queries(self) -> list[Request]:
        """Give the queries so far."""
        return [one for one in self.log() if one.method == "POST"]

    def clear(self) -> None:
        """Forget the requests so far."""
        self._server.control("clear", {"id": self.id})

    def fault(self, **rule: Any) -> None:
        """Let requests go wrong; see `tests.servers.faults` for the rules."""
        self._server.control("fault", {"id": self.id, "rule": rule})

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self._server.control("heal", {"id": self.id})

    def budget(self, remaining_bytes: int | None) -> None:
        """Set the bytes queries may still read; ``None`` for no limit."""
        self._server.control("budget", {"id": self.id, "bytes": remaining_bytes})

    # -- the errors of PostHog's own making -----------------------------------------------------------

    def _error(self, status: int, kind: str, code: str, detail: str, **rule: Any) -> None:
        body = {"type": kind, "code": code, "detail": detail, "attr": None}
        self.fault(**{"path": "/query/", "status": status, "body": body, **rule})

    def rate_limited(self, retry_after: float | str | None = 1, **rule: Any) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        detail = f"Request was throttled. Expected available in {retry_after or 1} seconds."
        self._error(429, "throttled_error", "throttled", detail, headers=headers, **rule)

    def concurrency(self, **rule: Any) -> None:
        detail = "Exceeded maximum concurrency limit: 3 for key: app:query:per-team and task: 1"
        self._error(429, "throttled_error", "throttled", detail, **rule)

    def budget_exhausted(self, retry_after: int = 1800, **rule: Any) -> None:
        detail = f"API query read budget exceeded. Expected available in {retry_after} seconds."
        headers = {"Retry-After": str(retry_after)}
        self._error(429, "throttled_error", "api_queries_budget_exceeded", detail, headers=headers, **rule)

    def payment_required(self, **rule: Any) -> None:
        detail = "You have exceeded your quota of API query reads."
        self._error(402, "quota_limit_exceeded", "payment_required", detail, **rule)

    def too_slow_504(self, **rule: Any) -> None:
        self._error(504, "server_error", "error", "Query has hit the max execution time before completing. See our docs "
                    "for how to improve your query performance. You may need to materialize.", **rule)  # fmt: skip

    def memory_504(self, **rule: Any) -> None:
        detail = "Query has reached the max memory limit before completing. Try reducing its scope."
        self._error(504, "server_error", "error", detail, **rule)

    def at_capacity_503(self, **rule: Any) -> None:
        detail = "Queries are a little too busy right now. We're working to free up resources. Please try again later."
        self._error(503, "server_error", "error", detail, **rule)

    def estimated_512(self, **rule: Any) -> None:
        detail = (
            "Estimated query execution time is too long. Try reducing its scope by changing the time range."
        )
        self._error(512, "server_error", "error", detail, **rule)

    def server_error_500(self, **rule: Any) -> None:
        self._error(500, "server_error", "error", "A server error occurred.", **rule)


class PostHog:
    """A server in a process of its own, which ends with this one."""

    def __init__(self) -> None:
        self.url = ""
        self._numbers: Iterator[int] = itertools.count(1001)
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            RuntimeError: It did not start.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="posthog")
        environment = {**os.environ, "PYTHONPATH": str(_ROOT), "TZ": "UTC", "PYTHONUTF8": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.posthog", self._folder.name],
            cwd=_ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        port = self._process.stdout.readline().strip() if self._process.stdout else b""
        if not port.isdigit():
            self.close()
            raise RuntimeError("the stand-in for PostHog did not start")
        self.url = f"http://127.0.0.1:{port.decode()}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.close()

    def close(self) -> None:
        """Stop the process and remove what it stored; may be called twice."""
        process, self._process = self._process, None
        if process:
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def project(
        self,
        events: Sequence[dict[str, Any]],
        jobs: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        timezone: str = "UTC",
        property_types: Mapping[str, str] | None = None,
        person_property_types: Mapping[str, str] | None = None,
        scopes: Sequence[str] = SCOPES,
        ai_events: bool = True,
        ai_columns_stripped: bool = True,
        latency_s: float = 0.0,
        team_name: str = "Acme",
        bare_jobs: bool = False,
        jobs_page: int = 100,
        jobs_missing: bool = False,
        prefix: str = "projects",
        sub_path: str = "",
        key: str | None = None,
        project_id: int | None = None,
        cohorts: Mapping[int, Any] | None = None,
        test_account_filters: Sequence[Mapping[str, Any]] = (),
        most_sql_bytes: int = 1 << 20,
    ) -> Project:
        """Create a project.

        Args:
            events: Rows as a batch export holds them.
            jobs: Clustering jobs, or an answer of the API that lists them.
            timezone: The project's zone.
            property_types: Event property → ``Numeric``, ``Boolean``, ``DateTime`` or ``String``.
            person_property_types: The same of persons.
            scopes: What the key may do.
            ai_events: Whether the table that holds what was said is filled.
            ai_columns_stripped: Whether what was said is missing from the events table.
            latency_s: Time each query takes longer, in seconds.
            team_name: Name of the project.
            bare_jobs: Whether jobs are listed as an array alone.
            jobs_page: Jobs of a page.
            jobs_missing: Whether the address of the jobs does not exist.
            prefix: ``environments`` for an old server, where queries below ``/api/projects/`` answer 404.
            sub_path: Path the API lies below.
            key: The project's key; ``None`` for a new one.
            project_id: Its number; ``None`` for a new one. A project that had it is replaced.
            cohorts: Cohort id → distinct ids of its members.
            test_account_filters: What ``filterTestAccounts`` adds.
            most_sql_bytes: Longest statement that is answered, in bytes of ClickHouse's SQL.
        """
        number = str(project_id or next(self._numbers))
        listed = jobs.get("results", []) if isinstance(jobs, Mapping) else list(jobs or [])
        settings = {
            "id": number, "key": key or f"phx_test{number}", "timezone": timezone, "team_name": team_name,
            "property_types": dict(property_types or {}), "person_property_types": dict(person_property_types or {}),
            "scopes": list(scopes), "ai_events": ai_events, "ai_columns_stripped": ai_columns_stripped,
            "latency_s": latency_s, "jobs": listed, "bare_jobs": bare_jobs, "jobs_page": jobs_page,
            "jobs_missing": jobs_missing, "most_sql_bytes": most_sql_bytes, "prefix": prefix, "sub_path": sub_path,
            "cohorts": {str(name): list(members) for name, members in (cohorts or {}).items()},
            "test_account_filters": [dict(one) for one in test_account_filters],
        }  # fmt: skip
        path = Path(self._folder.name if self._folder else ".") / f"events-{number}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(event) + "\n" for event in events)
        self.control("create", {"settings": settings, "events": str(path)})
        path.unlink()
        return Project(self, number, str(settings["key"]), f"{self.url}{sub_path}")

    @staticmethod
    def capture_key(project: Project) -> str:
        """Give the token a PostHog SDK captures into a project with; its host is `url`."""
        return f"phc_project_{project.id}"

    def control(self, what: str, given: Mapping[str, Any]) -> Any:
        """Ask something of the server itself.

        Raises:
            RuntimeError: It could not be done.
        """
        place = urlsplit(self.url)
        connection = HTTPConnection(place.hostname or "", place.port, timeout=120)
        try:
            connection.request(
                "POST", f"/_control/{what}", json.dumps(given), {"Content-Type": "application/json"}
            )
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(answer["error"])
        return answer
