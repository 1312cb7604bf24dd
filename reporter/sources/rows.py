"""Rows of the engine become values of the model.

Times gain their zone, texts are cut, users lose their names; nothing here asks the engine.
"""

from __future__ import annotations

import json
import math
import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reporter.model import (
    Call,
    Failure,
    ItemMetrics,
    ModelUse,
    RunHeader,
    Summary,
    Totals,
    TraceEvent,
    TraceSummary,
    Window,
)
from reporter.sources.base import MAX_FIGURE, TEXT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

CONTENT_LIMIT = 20_000
"""Characters kept of an event's input and of its output."""
SPAN_END = timedelta(hours=2)
"""Added to a last moment so that `reporter.units.span`, made for exclusive ends, names its day."""

_HTTP_STATUS = range(1000)
_MOST_POINTS = 20
_AROUND = timedelta(days=1)
_INPUTS = ("$ai_input", "$ai_input_state")
_OUTPUTS = ("$ai_output_choices", "$ai_output", "$ai_output_state")


def naive(time: datetime) -> datetime:
    """Give a time as the engine holds it: UTC without saying so."""
    return (time if time.tzinfo is None else time.astimezone(UTC)).replace(tzinfo=None)


def aware(time: datetime) -> datetime:
    """Give a time of the engine as the model holds it."""
    return time.replace(tzinfo=UTC)


def bounds(window: Window) -> dict[str, datetime]:
    """Give a window as bound values: start inclusive, end exclusive."""
    return {"starts": naive(window.start), "ends": naive(window.end)}


def canonical(key: str) -> str | None:
    """Give a UUID in lower case with hyphens; ``None`` for any other text."""
    try:
        parsed = str(uuid.UUID(key))
    except ValueError:
        return None
    return parsed


def item(row: Sequence[Any]) -> ItemMetrics:
    """Build one item from a row of `for_duckdb.ITEMS` without its run."""
    (key, by, cost, latency, tokens_in, tokens_out, cached, errors, calls, first, last, has_data,
     verdict, name, runtime, judge_cost, target, trace_id, used) = row  # fmt: skip
    return ItemMetrics(
        key=key,
        cost_usd=_figure(cost),
        latency_s=_figure(latency),
        tokens_in=_figure(tokens_in),
        tokens_out=_figure(tokens_out),
        tokens_cached=_figure(cached),
        error_events=int(errors),
        calls=int(calls),
        first_at=aware(first),
        last_at=aware(last),
        has_data=bool(has_data),
        by=by,
        verdict=verdict,
        evaluation_name=name,
        evaluation_runtime=runtime,
        judge_cost_usd=_figure(judge_cost),
        target_id=target,
        trace_id=trace_id,
        models=_uses(used),
    )


def _uses(used: Iterable[Sequence[Any]]) -> tuple[ModelUse, ...]:
    """Add up (model, calls, tokens in, tokens out, cost) by model, whatever the order."""
    groups: dict[str | None, list[Sequence[Any]]] = defaultdict(list)
    for use in used:
        groups[use[0]].append(use[1:])
    found = []
    for model, group in groups.items():
        calls, tokens_in, tokens_out, cost = zip(*group, strict=True)
        known = [figure for figure in (_sum(tokens_in), _sum(tokens_out)) if figure is not None]
        found.append(ModelUse(model, int(sum(calls)), sum(known) if known else None, _sum(cost)))
    told = [use for use in found if use.calls or use.tokens is not None or use.cost_usd is not None]
    return tuple(sorted(told, key=lambda use: (use.model is not None, use.model or "")))


def _sum(figures: Iterable[float | None]) -> float | None:
    """Add up what is known, to the nearest number; ``None`` where nothing is."""
    known = [figure for figure in figures if figure is not None]
    try:
        return _figure(math.fsum(known)) if known else None
    except OverflowError:
        return None


def item_order(metrics: ItemMetrics) -> tuple[str, bool, str]:
    """Order items by key, then by grouping value, those without one first."""
    return (metrics.key, metrics.by is not None, metrics.by or "")


def failures(rows: Sequence[Sequence[Any]]) -> tuple[Failure, ...]:
    """Group rows of `for_duckdb.FAILURES` by item and look."""
    groups: dict[tuple[str, str, int | None, str | None, str | None], list[Sequence[Any]]] = defaultdict(list)
    for row in rows:
        key, error, status, model, provider = row[:5]
        groups[(key, message_of(error) or "", _status(status), model, provider)].append(row)
    built = []
    for (key, message, status, model, provider), group in groups.items():
        times = sorted(row[5] for row in group)
        built.append(
            Failure(
                key=key,
                message=message,
                http_status=status,
                model=model,
                provider=provider,
                count=len(group),
                first_at=aware(times[0]),
                last_at=aware(times[-1]),
                cost_usd=_sum(row[6] for row in group),
                users=len({row[7] for row in group if row[7]}),
            )
        )
    return tuple(sorted(built, key=_failure_order))


def totals(row: Sequence[Any]) -> Totals:
    """Build totals from the row of `for_duckdb.TOTALS`."""
    items, calls, cost, tokens_in, tokens_out, errors = row
    known = [figure for figure in (_figure(tokens_in), _figure(tokens_out)) if figure is not None]
    return Totals(
        items=int(items),
        calls=int(calls or 0),  # nothing to count over is no number to some engines
        cost_usd=_figure(cost),
        tokens=sum(known) if known else None,
        error_events=int(errors or 0),
    )


def call(row: Sequence[Any], users: dict[str, int], by: tuple[str | None, ...] = ()) -> Call:
    """Build one call from a row of `for_duckdb.CALLS`.

    Args:
        row: The row; its last value is the user's id.
        users: Ordinals given so far, in order of appearance from 1; 0 stands for "no user".
        by: Values of the properties asked for.

    Returns:
        The call.
    """
    (uid, event, ts, trace_id, model, provider, cost, latency, tokens_in, tokens_out, is_error, status, error,
     user) = row  # fmt: skip
    return Call(
        uuid=uid,
        event=event,
        at=aware(ts),
        trace_id=trace_id,
        model=model,
        provider=provider,
        cost_usd=_figure(cost),
        latency_s=_figure(latency),
        tokens_in=_figure(tokens_in),
        tokens_out=_figure(tokens_out),
        is_error=bool(is_error),
        http_status=_status(status),
        error=message_of(error),
        user=users.setdefault(user, len(users) + 1) if user else 0,
        by=by,
    )


def summary(row: Sequence[Any]) -> TraceSummary:
    """Build a trace's summary from a row of `for_duckdb.TRACES` or `queries.TRACE_SUMMARY`."""
    trace_id, name, started, latency, cost, tokens_in, tokens_out, errors, events = row
    return TraceSummary(
        trace_id=trace_id,
        name=_cut(name, TEXT_LIMIT),
        started_at=aware(started),
        latency_s=_figure(latency),
        cost_usd=_figure(cost),
        tokens_in=_figure(tokens_in),
        tokens_out=_figure(tokens_out),
        error_events=int(errors),
        events=int(events),
    )


def trace_event(row: Sequence[Any], properties: str | None) -> TraceEvent:
    """Build one event of a trace.

    Args:
        row: A row of `for_duckdb.TRACE_ROWS`.
        properties: Its properties as JSON text, for what the row does not hold; ``None`` if unknown.

    Returns:
        The event.
    """
    uid, event, ts, model, provider, latency, cost, tokens_in, tokens_out, is_error, error = row
    said = _object(properties)
    return TraceEvent(
        uuid=uid,
        event=event,
        at=aware(ts),
        span_id=_word(said, "$ai_span_id") or _word(said, "$ai_generation_id"),
        parent_id=_word(said, "$ai_parent_id"),
        name=_word(said, "$ai_span_name") or _word(said, "$ai_trace_name"),
        model=model,
        provider=provider,
        latency_s=_figure(latency),
        cost_usd=_figure(cost),
        tokens_in=_figure(tokens_in),
        tokens_out=_figure(tokens_out),
        is_error=bool(is_error),
        error=message_of(error),
        input=_content(said, _INPUTS),
        output=_content(said, _OUTPUTS),
    )


def written_in(run: RunHeader) -> tuple[datetime, datetime]:
    """Say when what was written of a run's items was stored: hourly, some time after the items."""
    return run.window.start - _AROUND, max(run.emitted_at, run.window.end) + _AROUND


def written(rows: Iterable[tuple[str, str | None, str | None]]) -> dict[str, Summary]:
    """Build summaries from rows of key, title and bullets as JSON; of one key the first row counts."""
    found: dict[str, Summary] = {}
    for key, title, bullets in rows:
        if key not in found:
            held = _array(bullets)[:_MOST_POINTS]
            points = (point.get("text") if isinstance(point, dict) else point for point in held)
            kept = (_cut(point, TEXT_LIMIT) for point in points if isinstance(point, str))
            found[key] = Summary(key, _cut(title, TEXT_LIMIT) or "", tuple(point for point in kept if point))
    return found


def _array(text: str | None) -> list[Any]:
    """Read a JSON array, which may itself be written as JSON text."""
    held: Any = text
    for _ in range(2):
        try:
            held = json.loads(held) if isinstance(held, str) else held
        except (ValueError, RecursionError):
            return []
    return held if isinstance(held, list) else []


def message_of(error: str | None) -> str | None:
    """Find the words in an error, which is text, or an object (or JSON text of one) around text.

    Returns:
        The object's message, at most one object deep, else the object as compact JSON, else the text;
        cut to `TEXT_LIMIT` characters. ``None`` where there is none.
    """
    if not error:
        return None
    text = error
    if error.lstrip()[:1] in ("{", "["):
        try:
            parsed = json.loads(error)
        except (ValueError, RecursionError):
            parsed = None
        if parsed is not None:
            text = _message(parsed) or _compact(parsed)
    return _cut(text, TEXT_LIMIT)


def _message(parsed: Any) -> str | None:
    if not isinstance(parsed, dict):
        return None
    message = parsed.get("message")
    if isinstance(message, str) and message.strip():
        return message
    inner = parsed.get("error")
    if isinstance(inner, str) and inner.strip():
        return inner
    message = inner.get("message") if isinstance(inner, dict) else None
    return message if isinstance(message, str) and message.strip() else None


def _compact(value: Any) -> str:
    """Write JSON the same way whatever order its keys were stored in."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()


def _content(said: Mapping[str, Any], names: Sequence[str]) -> str | None:
    for name in names:
        value = said.get(name)
        if value is None or value in ("", [], {}):
            continue
        return _cut(value if isinstance(value, str) else _compact(value), CONTENT_LIMIT)
    return None


def _object(text: str | None) -> Mapping[str, Any]:
    try:
        said = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _word(said: Mapping[str, Any], name: str) -> str | None:
    value = said.get(name)
    if isinstance(value, str):
        return _cut(value, TEXT_LIMIT) or None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return str(value)


def _cut(text: str | None, limit: int) -> str | None:
    if text is None:
        return None
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _figure(value: float | None) -> float | None:
    """Give a number that can be believed; minus zero becomes zero, so that equal answers print equally."""
    if value is None or not abs(value) <= MAX_FIGURE:  # not a number is not below it either
        return None
    return value + 0.0


def _status(value: float | None) -> int | None:
    if value is None or value not in _HTTP_STATUS:  # 429.0 is, 429.5 and infinity are not
        return None
    return int(value)


def _failure_order(failure: Failure) -> tuple[str, str, int, str, str]:
    status = -1 if failure.http_status is None else failure.http_status
    return (failure.key, failure.message, status, failure.model or "", failure.provider or "")
