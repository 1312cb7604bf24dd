"""What a project of the server is like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Settings:
    """Everything about a project but its events."""

    id: str = "1"
    key: str = "phx_key"
    timezone: str = "UTC"
    team_name: str = "Acme"
    property_types: Mapping[str, str] = field(default_factory=dict)
    person_property_types: Mapping[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    ai_events: bool = True
    ai_columns_stripped: bool = True
    latency_s: float = 0.0
    most_sql_bytes: int = 1 << 20
    """Longest statement ClickHouse takes, as translated."""
    jobs: list[Any] = field(default_factory=list)
    bare_jobs: bool = False
    jobs_page: int = 100
    jobs_missing: bool = False
    prefix: str = "projects"
    sub_path: str = ""
    cohorts: Mapping[str, list[str]] = field(default_factory=dict)
    """Cohort id → distinct ids of its members."""
    test_account_filters: list[dict[str, Any]] = field(default_factory=list)
