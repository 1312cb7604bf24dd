"""Why calls failed: error texts reduced to what they have in common, counted.

Error texts hold users' words, ids and keys; what varies is masked, so that alike errors count together
and nothing private is repeated.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from reporter import units
from reporter.analysis.scrub import scrub
from reporter.model import Failure, Window
from reporter.report import CausePart, ErrorCause

MOST = 12
"""Causes listed for a cluster."""
Kind: TypeAlias = tuple[str, str | None, str | None]
"""Cause, model, provider."""
_LIMIT = 160
_MOST_PARTS = 10
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


def kind_of(failure: Failure) -> Kind:
    """Say what a call failed of, and where."""
    name = named(failure.message, failure.http_status)
    return name, _shown(failure.model), _shown(failure.provider)


def _shown(name: str | None) -> str | None:
    return units.clean(name, 120) if name else None


def named(message: str, http_status: int | None) -> str:
    """Name what a call failed of."""
    text = masked(message) or "no error text"
    return text if http_status is None else f"{http_status}: {text}"


def causes(
    failures: Sequence[Failure],
    earlier: Collection[Kind] | None,
    traces: Mapping[str, str | None],
    window: Window | None = None,
) -> list[ErrorCause]:
    """Count the failures of a cluster by cause, and those of a cause by model and provider.

    Args:
        failures: Failures of the cluster's items.
        earlier: Kinds of failure known from the prior run; ``None`` where there is none to compare with.
        traces: Item key → trace to open.
        window: The run's window, to say when calls failed.

    Returns:
        At most `MOST` causes, the most frequent first.
    """
    kinds: defaultdict[Kind, list[Failure]] = defaultdict(list)
    for failure in failures:
        kinds[kind_of(failure)].append(failure)
    alike: defaultdict[str, list[CausePart]] = defaultdict(list)
    for kind, mine in kinds.items():
        new = None if earlier is None else kind not in earlier
        alike[kind[0]].append(CausePart(model=kind[1], provider=kind[2], new=new, **_figures(mine, traces)))
    ranked = sorted(alike, key=lambda name: (-sum(part.count for part in alike[name]), name))[:MOST]
    known = None if earlier is None else {name for name, _, _ in earlier}
    whole = {name: [f for kind, mine in kinds.items() if kind[0] == name for f in mine] for name in ranked}
    return [
        ErrorCause(
            cause=name,
            new=None if known is None else name not in known,
            timeline=_timeline(whole[name], window),
            parts=sorted(alike[name], key=_order)[:_MOST_PARTS],
            **_figures(whole[name], traces),
        )
        for name in ranked
    ]


def _order(part: CausePart) -> tuple[int, str, str]:
    return -part.count, part.model or "", part.provider or ""


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


def _figures(failures: Sequence[Failure], traces: Mapping[str, str | None]) -> dict[str, Any]:
    """Measure some failures: the fields that causes and their parts share."""
    costs = sorted(f.cost_usd for f in failures if f.cost_usd is not None)
    example = min(failures, key=lambda f: (-f.count, f.first_at, f.key))
    return {
        "count": sum(f.count for f in failures),
        "items": len({f.key for f in failures}),
        "cost_usd": math.fsum(costs) if costs else None,
        "first_seen": units.iso(min(f.first_at for f in failures)),
        "last_seen": units.iso(max(f.last_at for f in failures)),
        "example_trace_id": traces.get(example.key),
    }
