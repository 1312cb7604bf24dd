"""What PostHog makes of captured events before they can be queried.

Ids are made text, heavy properties leave the events table, and of rows with one id the newest version stays;
copies that do not differ are kept, because PostHog merges them only some day.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

AI_EVENTS = (
    "$ai_generation",
    "$ai_embedding",
    "$ai_span",
    "$ai_trace",
    "$ai_metric",
    "$ai_feedback",
    "$ai_evaluation",
)
HEAVY = ("$ai_input", "$ai_output", "$ai_output_choices", "$ai_input_state", "$ai_output_state", "$ai_tools")
_IDS = ("$ai_trace_id", "$ai_span_id", "$ai_parent_id", "$ai_session_id", "$ai_generation_id")
_NAMES = uuid.UUID("5b3f3a0c-65c0-4d5c-9f43-5d1b1d7c9e10")

Event = dict[str, Any]


def rows(events: Iterable[Event], *, strip: bool) -> Iterator[Event]:
    """Give what is stored of events: rows for ClickHouse, times as text in UTC.

    Args:
        events: As a batch export holds them.
        strip: Whether heavy properties leave the events table.
    """
    for event in _newest(events):
        stamp = _moment(event.get("timestamp"))
        if stamp is None:
            continue
        properties = _object(event.get("properties"))
        is_ai = event["event"] in AI_EVENTS
        if is_ai:
            properties = _with_text_ids(properties)
        lean = {key: value for key, value in properties.items() if key not in HEAVY} if is_ai else properties
        distinct_id = str(event.get("distinct_id") or "")
        yield {
            "uuid": _uuid(event.get("uuid")),
            "event": str(event["event"]),
            "properties": text(lean if strip else properties),
            "whole": text(properties) if is_ai else "",
            "lean": text(lean) if is_ai else "",
            "timestamp": _clickhouse(stamp),
            "created_at": _clickhouse(_moment(event.get("created_at")) or stamp),
            "distinct_id": distinct_id,
            "elements_chain": str(event.get("elements_chain") or ""),
            "person_id": _uuid(event.get("person_id") or str(uuid.uuid5(_NAMES, distinct_id))),
            "person_properties": text(_object(event.get("person_properties"))),
        }


def text(value: Any) -> str:
    """Write JSON as PostHog stores it: no escapes beyond JSON's own, no NaN, no NUL."""
    written = json.dumps(value, ensure_ascii=False)
    if "NaN" in written or "Infinity" in written:
        written = json.dumps(_finite(value), ensure_ascii=False)
    return written.replace("\\u0000", "�").encode("utf-8", "replace").decode()


def _newest(events: Iterable[Event]) -> Iterator[Event]:
    """Drop older versions of an event; keep copies of the newest."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(str(event.get("uuid")), []).append(event)
    for group in groups.values():
        if len(group) > 1 and any(_content(one) != _content(group[0]) for one in group):
            last = max(_stored(one) for one in group)
            newest = [one for one in group if _stored(one) == last]
            yield from (one for one in newest if _content(one) == _content(newest[-1]))
        else:
            yield from group


def _content(event: Event) -> Event:
    return {key: value for key, value in event.items() if key != "_inserted_at"}


def _stored(event: Event) -> datetime:
    return _moment(event.get("_inserted_at")) or datetime.min.replace(tzinfo=UTC)


def _with_text_ids(properties: Event) -> Event:
    shaped = dict(properties)
    for name in _IDS:
        value = shaped.get(name)
        if isinstance(value, dict | list):
            del shaped[name]
        elif isinstance(value, bool):
            shaped[name] = "true" if value else "false"
        elif isinstance(value, int | float):
            shaped[name] = str(int(value)) if float(value).is_integer() and abs(value) < 1e21 else repr(value)
    return shaped


def _object(value: Any) -> Event:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list) else value


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _clickhouse(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _uuid(value: Any) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        return str(uuid.uuid5(_NAMES, str(value)))
