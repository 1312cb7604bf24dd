# ruff: noqa: S608 -- statements are built of constants; values are bound
"""Small questions that show whether PostHog can be read: each costs next to nothing and is bounded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reporter.sources.api.client import Client
from reporter.sources.hogql import values
from reporter.sources.hogql.ask import rows_of
from reporter.sources.jobs import decode_jobs
from reporter.sources.queries.hogql.spelling import CALLS, RUNS, Ask, Values
from reporter.units import clean


def timezone(client: Client) -> str:
    """Ask the smallest question there is; gives the project's time zone as the answer tells it.

    Raises:
        SourceError: The key, its scope, the project or the network.
    """
    answer = client.query({"kind": "HogQLQuery", "query": "SELECT 1 AS one LIMIT 2"}, "doctor")
    zone = answer.get("timezone")
    return zone if isinstance(zone, str) else ""


def project_name(client: Client) -> str:
    """Give the project's name and number.

    Raises:
        SourceError: As `timezone`; the scope ``project:read`` is needed.
    """
    answer: Any = client.get("", "the project")
    name = answer.get("name") if isinstance(answer, Mapping) else None
    return f"{clean(str(name or 'without a name'), 80)} ({client.project_id})"


def jobs(client: Client) -> int:
    """Count clustering jobs.

    Raises:
        SourceError: As `timezone`; the scope ``llm_analytics:read`` is needed.
    """
    answer = client.get("llm_analytics/clustering_jobs/?limit=100&offset=0", "clustering jobs")
    return len(decode_jobs(answer))


def runs(client: Client, since: datetime, until: datetime) -> int:
    """Count clustering runs emitted in [since, until)."""
    return _count(client, "events", f"event IN ({RUNS})", since, until)


def ai_events(client: Client, since: datetime, until: datetime) -> int:
    """Count AI calls of [since, until)."""
    return _count(client, "events", f"event IN ({CALLS})", since, until)


def ai_table(client: Client, since: datetime, until: datetime) -> int:
    """Count the rows of the table that holds what was said."""
    return _count(client, "posthog.ai_events", "event = '$ai_generation'", since, until)


def _count(client: Client, table: str, where: str, since: datetime, until: datetime) -> int:
    bound = Values()
    span = bound.within("timestamp", since, until)
    sql = f"SELECT count() AS found FROM {table} WHERE {where} AND {span} LIMIT 2"
    rows = rows_of(client, Ask("doctor", sql, ("found",), 2, bound.bound))
    return values.whole(rows[0][0]) if rows else 0
