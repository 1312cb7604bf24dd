"""Why calls failed: error texts reduced to what they have in common, counted.

Error texts hold users' words, ids and keys; what varies is masked, so that alike errors count together
and nothing private is repeated.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from reporter import units
from reporter.analysis.scrub import scrub
from reporter.model import Failure, Window
from reporter.report import ErrorCause

MOST = 12
"""Causes listed for a cluster."""
_LIMIT = 160
_MOST_NAMES = 3
_DAYS = 2
"""A shorter window is cut into hours."""
_PLACES = (
    (re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://\S+", re.IGNORECASE), "<url>"),
    (
        re.compile(r'"[^"\n]{1,400}"|`[^`\n]{1,400}`|“[^”\n]{1,400}”|(?<!\w)\'[^\'\n]{1,400}\'(?!\w)'),
        "<value>",
    ),
)
_MASKS = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b"), "<address>"),
    # Long tokens that mix letters with digits: request ids, keys, hashes.
    (re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[a-z])[\w-]{8,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "<n>"),
)


def masked(message: str) -> str:
    """Reduce an error text to its form: numbers, ids, addresses and quoted values are masked."""
    text = units.clean(message, 500)
    for pattern, mask in _PLACES:
        text = pattern.sub(mask, text)
    text = scrub(text)
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return units.clean(text, _LIMIT)


def cause_of(failure: Failure) -> str:
    """Name a failure: its HTTP status, if it has one, and its masked text."""
    return named(failure.message, failure.http_status)


def named(message: str, http_status: int | None) -> str:
    """Name what a call failed of."""
    text = masked(message) or "no error text"
    return text if http_status is None else f"{http_status}: {text}"


def causes(
    failures: Sequence[Failure],
    earlier: Collection[str] | None,
    traces: Mapping[str, str | None],
    window: Window | None = None,
) -> list[ErrorCause]:
    """Count the failures of a cluster by cause.

    Args:
        failures: Failures of the cluster's items.
        earlier: Causes known from the prior run; ``None`` where there is none to compare with.
        traces: Item key → trace to open.
        window: The run's window, to say when calls failed.

    Returns:
        At most `MOST` causes, the most frequent first.
    """
    alike: defaultdict[str, list[Failure]] = defaultdict(list)
    for failure in failures:
        alike[cause_of(failure)].append(failure)
    ranked = sorted(alike.items(), key=lambda pair: (-sum(f.count for f in pair[1]), pair[0]))
    return [_cause(name, mine, earlier, traces, window) for name, mine in ranked[:MOST]]


def slices(window: Window) -> int:
    """Say into how many equal parts a window is cut: days, up to a month of them; hours if it is short."""
    length = (window.end - window.start).total_seconds()
    days, hours = round(length / 86_400), round(length / 3_600)
    return min(days, 31) if days >= _DAYS else max(1, min(hours, 24))


def _timeline(failures: Sequence[Failure], window: Window | None) -> list[int]:
    if window is None or window.end <= window.start:
        return []
    number = slices(window)
    counts = [0] * number
    for failure in failures:
        place = math.floor((failure.first_at - window.start) / (window.end - window.start) * number)
        counts[min(max(place, 0), number - 1)] += failure.count
    return counts


def _cause(
    name: str,
    failures: Sequence[Failure],
    earlier: Collection[str] | None,
    traces: Mapping[str, str | None],
    window: Window | None,
) -> ErrorCause:
    costs = sorted(f.cost_usd for f in failures if f.cost_usd is not None)
    example = min(failures, key=lambda f: (-f.count, f.first_at, f.key))
    return ErrorCause(
        cause=name,
        count=sum(f.count for f in failures),
        items=len({f.key for f in failures}),
        cost_usd=math.fsum(costs) if costs else None,
        first_seen=units.iso(min(f.first_at for f in failures)),
        last_seen=units.iso(max(f.last_at for f in failures)),
        new=None if earlier is None else name not in earlier,
        example_trace_id=traces.get(example.key),
        timeline=_timeline(failures, window),
        models=_most((f.model, f.count) for f in failures),
        providers=_most((f.provider, f.count) for f in failures),
    )


def _most(some: Iterable[tuple[str | None, int]]) -> list[str]:
    """Give the names with most failed calls."""
    counts: defaultdict[str, int] = defaultdict(int)
    for name, count in some:
        if name is not None:
            counts[units.clean(name, 120)] += count
    return sorted(counts, key=lambda name: (-counts[name], name))[:_MOST_NAMES]
