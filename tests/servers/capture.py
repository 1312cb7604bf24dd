"""PostHog's ingestion address, so that a real SDK can fill a project."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.servers.faults import Reply
from tests.servers.journal import Project
from tests.servers.store import Store

_ENDS = ("/batch/", "/batch", "/capture/", "/i/v0/e/", "/i/v0/ai/batch/", "/e/")


def token_of(project_id: str) -> str:
    """Give the token that captures into a project."""
    return f"phc_project_{project_id}"


def is_capture(path: str) -> bool:
    return path.endswith(_ENDS) and "/api/" not in path


def taken(store: Store, projects: Mapping[str, Project], content: bytes, headers: Any) -> Reply:
    """Take captured events into the project whose token they carry."""
    packed = headers.get("Content-Encoding") == "gzip" or content[:2] == b"\x1f\x8b"
    body = json.loads(gzip.decompress(content) if packed else content)
    token = str(body.get("api_key") or body.get("token") or "")
    project = projects.get(token.removeprefix("phc_project_"))
    if project is None:
        return Reply.of(
            401,
            {"type": "authentication_error", "code": "invalid_api_key", "detail": "Project API key invalid."},
        )
    settings = project.settings
    events = [_event(one) for one in body.get("batch") or [body]]
    store.insert(settings.id, events, ai_events=settings.ai_events, strip=settings.ai_columns_stripped)
    return Reply.of(200, {"status": "Ok"})


def _event(one: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    properties = {key: value for key, value in (one.get("properties") or {}).items() if key != "$ai_usage"}
    for name, value in (properties.get("$ai_model_parameters") or {}).items():
        if name in ("temperature", "stream", "max_tokens"):
            properties.setdefault(f"$ai_{name}", value)
    return {
        "uuid": one.get("uuid") or str(uuid.uuid4()),
        "event": one["event"],
        "distinct_id": one.get("distinct_id") or properties.get("distinct_id"),
        "properties": properties,
        "person_properties": properties.get("$set") or {},
        "timestamp": one.get("timestamp") or now,
        "created_at": now,
        "_inserted_at": now,
    }
