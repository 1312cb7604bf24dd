"""PostHog's API below one project: queries, clustering jobs, the project itself."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from tests.servers import hogql, traces
from tests.servers.faults import Reply
from tests.servers.journal import Entry, Project
from tests.servers.refusal import Refused, forbidden, invalid, not_allowed, not_found
from tests.servers.store import Store

_QUERY_FIELDS = {"query", "refresh", "name", "client_query_id", "filters_override", "variables_override", "async",
                 "limit_context"}  # fmt: skip
_HOGQL_FIELDS = {"kind", "query", "values", "filters", "variables", "modifiers", "explain", "connectionId",
                 "sendRawQuery", "tags", "name", "version", "response"}  # fmt: skip
_KINDS = ("HogQLQuery", "TracesQuery", "TraceQuery")


class Api:
    """Answers requests about one project, faults apart."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, project: Project, entry: Entry, rest: str, search: str, body: Any, base: str) -> Reply:
        """Answer one request.

        Args:
            project: The project it is about.
            entry: Where it is noted.
            rest: The path below the project.
            search: What follows the question mark.
            body: The decoded body of a POST.
            base: Address of the project, for addresses in the answer.

        Raises:
            Refused: It is not answered.
        """
        method, parts = entry.method, [part for part in rest.split("/") if part]
        if parts[:1] == ["query"] and len(parts) == 1:
            if method != "POST":
                raise not_allowed(method)
            return self.query(project, entry, body)
        if method != "GET":
            raise not_allowed(method)
        if parts[:1] == ["query"] and len(parts) == 2:
            _needs(project, "query:read")
            return self._polled(project, parts[1])
        if not parts:
            _needs(project, "project:read")
            settings = project.settings
            shown = {"id": int(settings.id), "name": settings.team_name, "timezone": settings.timezone}
            return Reply.of(200, {**shown, "organization": str(uuid.UUID(int=1)), "api_token": "phc_shown"})
        if parts[:2] == ["llm_analytics", "clustering_jobs"]:
            return _jobs(project, parts[2:], parse_qs(search), f"{base}/llm_analytics/clustering_jobs/")
        raise not_found()

    def query(self, project: Project, entry: Entry, body: Any) -> Reply:
        """Answer a POST to ``query/``."""
        _needs(project, "query:read")
        query = _checked(body)
        if project.budget is not None and project.budget <= 0:
            raise Refused(
                429, "throttled_error", "api_queries_budget_exceeded",
                "API query read budget exceeded. Expected available in 1800 seconds.", headers={"Retry-After": "1800"},
            )  # fmt: skip
        if project.settings.latency_s:
            time.sleep(project.settings.latency_s)
        started = time.monotonic()
        found = self._found(project, entry, query)
        left = project.spend(found.bytes_read)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        answer = {
            **found.body,
            "is_cached": False,
            "cache_key": f"cache_{uuid.uuid4().hex}",
            "cache_target_age": None,
            "calculation_trigger": None,
            "last_refresh": stamp,
            "next_allowed_client_refresh": stamp,
            "query_metadata": None,
            "query_status": None,
            "timezone": project.settings.timezone,
            "timings": [{"k": "./total", "t": round(time.monotonic() - started, 4)}],
        }
        entry.rows = len(found.body["results"])
        cost = {
            "X-PostHog-Query-Bytes-Read": str(found.bytes_read),
            "X-PostHog-Query-Budget-Remaining-Bytes": str(left),
        }
        return Reply.of(200, answer, cost)

    def _found(self, project: Project, entry: Entry, query: Mapping[str, Any]) -> hogql.Answer:
        settings = project.settings
        if query["kind"] == "HogQLQuery":
            prepared = hogql.prepared(query, settings)
            entry.bounded = prepared.bounded
            return hogql.answer(self._store, settings, query, prepared)
        reader = traces.Traces(self._store, settings)
        return reader.list(query) if query["kind"] == "TracesQuery" else reader.one(query)

    @staticmethod
    def _polled(project: Project, query_id: str) -> Reply:
        status = project.statuses.get(query_id)
        if status is None:
            raise not_found(f"Query {query_id} not found for team {project.settings.id}")
        if status["polls"] > 0:
            status["polls"] -= 1
            return Reply.of(202, {"query_status": {**status["shown"], "complete": False, "results": None}})
        return Reply.of(status["code"], {"query_status": status["shown"]})

    @staticmethod
    def later(project: Project, done: Reply, fault: Mapping[str, Any], body: Any) -> Reply:
        """Answer a query with the promise of an answer: polls get it, or fail as the fault says."""
        import json

        query_id = str((body or {}).get("client_query_id") or uuid.uuid4().hex)
        results = json.loads(done.body)
        is_bad = done.status != 200 or fault.get("poll_status", 200) >= 400
        shown = {
            "id": query_id, "team_id": int(project.settings.id), "complete": True, "error": is_bad,
            "error_message": str(results.get("detail") or "Query failed") if is_bad else None,
            "results": None if is_bad else results, "query_async": True, "labels": None, "query_progress": None,
        }  # fmt: skip
        code = fault.get("poll_status", 400 if is_bad else 200)
        if code != 404:
            project.statuses[query_id] = {"shown": shown, "code": code, "polls": int(fault.get("polls", 1))}
        pending = {**shown, "complete": False, "error": False, "error_message": None, "results": None}
        return Reply.of(202, {"query_status": pending})


def _needs(project: Project, scope: str) -> None:
    if scope not in project.settings.scopes:
        raise forbidden(f"API key missing required scope '{scope}'")


def _checked(body: Any) -> dict[str, Any]:
    """Check the shape of a query's body.

    Raises:
        Refused: It is of another shape.
    """
    query = body.get("query") if isinstance(body, dict) else None
    if not isinstance(query, dict):
        raise invalid("This field is required.", "required", "query")
    _no_more(body, _QUERY_FIELDS, "")
    if query.get("kind") not in _KINDS:
        raise invalid(f"Unsupported query kind: {query.get('kind')}", "invalid_input", "query")
    if query["kind"] == "HogQLQuery":
        _no_more(query, _HOGQL_FIELDS, "query__HogQLQuery__")
        if not isinstance(query.get("query"), str):
            raise invalid("Input should be a valid string", "invalid_input", "query__HogQLQuery__query")
        for name in ("values", "modifiers"):
            if not isinstance(query.get(name, {}), dict | None):
                raise invalid(
                    "Input should be a valid dictionary", "invalid_input", f"query__HogQLQuery__{name}"
                )
    return query


def _no_more(given: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise invalid("Extra inputs are not permitted", "invalid_input", f"{where}{unknown[0]}")


def _jobs(project: Project, parts: list[str], search: Mapping[str, list[str]], address: str) -> Reply:
    _needs(project, "llm_analytics:read")
    settings = project.settings
    if settings.jobs_missing:
        raise not_found()
    jobs = sorted(
        settings.jobs, key=lambda job: str(job.get("created_at", "")) if isinstance(job, dict) else ""
    )
    if parts:
        for job in jobs:
            if job.get("id") == parts[0]:
                return Reply.of(200, job)
        raise not_found()
    if settings.bare_jobs:
        return Reply.of(200, jobs)
    limit = min(_whole(search, "limit", settings.jobs_page) or settings.jobs_page, settings.jobs_page)
    offset = _whole(search, "offset", 0)
    following = f"{address}?limit={limit}&offset={offset + limit}" if offset + limit < len(jobs) else None
    previous = f"{address}?limit={limit}&offset={max(0, offset - limit)}" if offset else None
    page = jobs[offset : offset + limit]
    return Reply.of(200, {"count": len(jobs), "next": following, "previous": previous, "results": page})


def _whole(search: Mapping[str, list[str]], name: str, default: int) -> int:
    given = (search.get(name) or [""])[0]
    return int(given) if given.isdigit() else default
