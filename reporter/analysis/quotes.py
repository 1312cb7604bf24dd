"""What a user asked in the traces a report names: one short quote a trace, and only where it may be shown.

Findings come first and name traces; only then are those traces read. The text is untrusted and travels in
report.json, so it is cut here and nothing but the user's own words is taken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from reporter import units
from reporter.model import Trace, TraceEvent
from reporter.report import Cluster, Exemplar, Finding, JobSection, Redaction

LIMITS: Mapping[Redaction, int] = {"quotes": 200, "full": 2_000}
"""Characters of a quote by redaction level; at any other level nothing is quoted."""


def traces_named(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Give the ids of the traces that findings name, in order of rank, each once."""
    return tuple(dict.fromkeys(trace_id for finding in findings for trace_id in finding.trace_ids))


def quote(trace: Trace, limit: int) -> str | None:
    """Give the last thing the user said in the first generation of a trace that holds it.

    Args:
        trace: The trace, events oldest first.
        limit: Characters at most.

    Returns:
        One line of text; ``None`` where the source keeps no content or no user's words are in it.
    """
    generations = [event for event in trace.events if event.event == "$ai_generation"]
    for event in (*generations, *(event for event in trace.events if event.event != "$ai_generation")):
        said = units.clean(_asked(event), limit)
        if said:
            return said
    return None


def quoted(sections: Sequence[JobSection], quotes: Mapping[str, str]) -> list[JobSection]:
    """Fill in the quotes of exemplars, by trace id; everything else stays as it is."""
    replace = msgspec.structs.replace

    def exemplar(one: Exemplar) -> Exemplar:
        said = quotes.get(one.trace_id or "")
        return one if said is None else replace(one, quote=said)

    def cluster(one: Cluster) -> Cluster:
        return replace(one, exemplars=[exemplar(e) for e in one.exemplars])

    return [
        replace(
            section,
            clusters=[cluster(c) for c in section.clusters],
            noise=cluster(section.noise) if section.noise else None,
        )
        for section in sections
    ]


def _asked(event: TraceEvent) -> str:
    """Find the user's words in an event's input: messages with roles, or plain text."""
    if not event.input:
        return ""
    try:
        held: Any = json.loads(event.input)
    except (ValueError, RecursionError):
        # Cut JSON is no text a user wrote; anything else is.
        return "" if event.input.lstrip()[:1] in "[{" else event.input
    if isinstance(held, str):
        return held
    messages = held if isinstance(held, list) else [held]
    users = [m for m in messages if isinstance(m, dict) and m.get("role") == "user"]
    return _text(users[-1].get("content")) if users else ""


def _text(content: Any) -> str:
    """Read a message's content: text, or a list of parts of which the texts count."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return " ".join(text for text in texts if isinstance(text, str))
