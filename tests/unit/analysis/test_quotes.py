"""Quotes: the user's own words, short, and only of traces that findings name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import quotes
from reporter.model import Trace, TraceEvent, TraceSummary
from tests.reports import report, section

AT = datetime(2026, 11, 20, tzinfo=UTC)


def event(content: str | None, name: str = "$ai_generation") -> TraceEvent:
    return TraceEvent(
        uuid="u", event=name, at=AT, span_id=None, parent_id=None, name=None, model=None, provider=None,
        latency_s=None, cost_usd=None, tokens_in=None, tokens_out=None, is_error=False, error=None,
        input=content, output=None,
    )  # fmt: skip


def trace(*events: TraceEvent) -> Trace:
    summary = TraceSummary("t", None, AT, None, None, None, None, 0, len(events))
    return Trace(summary=summary, events=events)


def said(content: Any) -> str | None:
    text = content if isinstance(content, str) or content is None else json.dumps(content)
    return quotes.quote(trace(event(text)), 60)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([{"role": "system", "content": "Be brief"}, {"role": "user", "content": "where is\nmy refund"}], "where is my refund"),
        ([{"role": "user", "content": "first"}, {"role": "assistant", "content": "no"}, {"role": "user", "content": "last"}], "last"),
        ([{"role": "user", "content": [{"type": "text", "text": "read this"}, {"type": "image", "url": "x"}]}], "read this"),
        ({"role": "user", "content": "alone"}, "alone"),
        ("plain words", "plain words"),
        ('"a JSON text"', "a JSON text"),
        ([{"role": "system", "content": "secret rules"}], None),
        ('[{"role": "user", "content": "cut of', None),
        ([{"role": "user", "content": None}], None),
        ([1, None, "x"], None),
        ("", None),
        (None, None),
    ],
)  # fmt: skip
def test_only_the_users_words_are_quoted(content: Any, words: str | None) -> None:
    assert said(content) == words


def test_a_generation_goes_before_other_events_and_empty_ones_are_passed_over() -> None:
    events = (event("of the span", "$ai_span"), event(None), event("of the call"))
    assert quotes.quote(trace(*events), 60) == "of the call"
    assert quotes.quote(trace(events[0], events[1]), 60) == "of the span"


@given(st.text(), st.integers(5, 50))
def test_a_quote_is_one_short_line_whatever_is_stored(content: str, limit: int) -> None:
    found = quotes.quote(trace(event(content)), limit)
    assert found is None or (0 < len(found) <= limit and "\n" not in found and "\x1b" not in found)


def test_quotes_are_filled_in_by_trace_and_change_nothing_else() -> None:
    job = section()
    (filled,) = quotes.quoted([job], {"trace-0/a": "hello"})
    changed = [c.cluster_id for c, was in zip(filled.clusters, job.clusters, strict=True) if c != was]
    assert changed == [0]
    assert {e.quote for e in filled.clusters[0].exemplars} == {"hello"}


def test_traces_are_read_once_each_in_order_of_rank() -> None:
    findings = report().findings
    assert quotes.traces_named([*findings, *findings]) == tuple(
        dict.fromkeys(t for f in findings for t in f.trace_ids)
    )
