from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.sources.base import MAX_FIGURE
from reporter.sources.rows import canonical, message_of, totals, trace_event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (None, None),
        ("", None),
        ("plain words", "plain words"),
        ('{"message": "m", "error": "e"}', "m"),
        ('{"error": "e"}', "e"),
        ('{"error": {"message": "deep"}}', "deep"),
        ('{"code": 7, "a": [1]}', '{"a":[1],"code":7}'),
        ('{"message": ""}', '{"message":""}'),
        ('{"message": 5}', '{"message":5}'),
        ("[1, 2]", "[1,2]"),
        ("[not json", "[not json"),
        ("{" * 5000, "{" * 499 + "…"),
        ("x" * 500, "x" * 500),
    ],
)
def test_the_words_of_an_error_are_found(error: str | None, message: str | None) -> None:
    assert message_of(error) == message


@given(JSON)
def test_any_json_is_an_error_text_that_can_be_stored(value: object) -> None:
    message = message_of(json.dumps(value))
    assert message is None or len(message.encode()) <= 2_000


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("0000AB00-0000-4000-8000-000000000001", "0000ab00-0000-4000-8000-000000000001"),
        ("not-a-uuid", None),
        ("", None),
        ("' OR 1=1", None),
        ("\ud800", None),
    ],
)
def test_a_key_is_a_uuid_or_matches_nothing(key: str, expected: str | None) -> None:
    assert canonical(key) == expected


@given(st.one_of(st.none(), st.text(), JSON.map(json.dumps), st.dictionaries(
    st.sampled_from(["$ai_input", "$ai_output", "$ai_span_id", "$ai_span_name", "$ai_parent_id"]), JSON
).map(json.dumps)))  # fmt: skip
def test_any_properties_make_an_event(properties: str | None) -> None:
    row = ("u", "$ai_span", datetime(2026, 1, 1), None, None, None, None, None, None, False, None)  # noqa: DTZ001
    event = trace_event(row, properties)
    for text in (event.span_id, event.name, event.parent_id, event.input, event.output):
        assert text is None or text.encode()


@given(st.floats() | st.integers(-(10**18), 10**18))
def test_a_figure_nobody_can_believe_is_unknown(figure: float) -> None:
    cost = totals((1, 1, figure, None, None, 0)).cost_usd
    assert cost == (figure if abs(figure) <= MAX_FIGURE else None)
