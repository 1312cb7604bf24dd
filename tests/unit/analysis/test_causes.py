"""Error texts reduced to their form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import causes
from tests.worlds import failure


@pytest.mark.parametrize(
    ("message", "form"),
    [
        ("Rate limit reached for request 8812", "Rate limit reached for request <n>"),
        ("Timeout after 30.5 s", "Timeout after <n> s"),
        ("see https://x.io/a?b=c now", "see <url> now"),
        ("mail ann.b+c@example.org", "mail <email>"),
        ("key 'secret words' is bad", "key <value> is bad"),
        ('no "field x"', "no <value>"),
        ("can't and won't", "can't and won't"),
        ("id 019db7a4-1f60-7c1e-9a55-0d3c7be21001", "id <id>"),
        ("req_01ABCdef99xyz failed", "<id> failed"),
        ("host 10.0.0.1:8080", "host <address>"),
        ("a\n\u202eb\x00", "a b"),
    ],
)
def test_what_varies_is_masked(message: str, form: str) -> None:
    assert causes.masked(message) == form


@given(st.text())
def test_masking_gives_one_short_line_without_digits(message: str) -> None:
    masked = causes.masked(message)
    assert len(masked) <= 160
    assert "\n" not in masked
    assert not any("0" <= ch <= "9" for ch in masked)


def test_alike_errors_count_together_most_frequent_first() -> None:
    made = causes.causes(
        [
            failure("a", "limit 1", count=2, cost_usd=0.5),
            failure("b", "limit 2", count=3),
            failure("b", "gone", http_status=500),
        ],
        {("429: limit <n>", "m", "p")},
        {"a": "ta", "b": "tb"},
    )
    assert [(c.cause, c.count, c.items, c.cost_usd, c.new, c.example_trace_id) for c in made] == [
        ("429: limit <n>", 5, 2, 0.5, False, "tb"),
        ("500: gone", 1, 1, None, True, "tb"),
    ]


def test_an_error_without_text_is_still_named() -> None:
    assert causes.kind_of(failure("a", "", http_status=None))[0] == "no error text"
    assert causes.causes([], None, {}) == []


def test_a_cause_is_counted_by_model_and_provider() -> None:
    found = [
        failure("a", "limit 1", count=2, model="small", provider="p", cost_usd=0.5),
        failure("b", "limit 2", count=3, model="large", provider="p"),
        failure("b", "limit 3", count=1, model="small", provider="q"),
        failure("a", "limit 4", count=1, model=None, provider=None),
    ]
    (made,) = causes.causes(found, {("429: limit <n>", "small", "p")}, {"a": "ta", "b": "tb"})
    assert (made.count, made.items, made.new) == (7, 2, False)
    assert [
        (p.model, p.provider, p.count, p.items, p.cost_usd, p.new, p.example_trace_id) for p in made.parts
    ] == [
        ("large", "p", 3, 1, None, True, "tb"),
        ("small", "p", 2, 1, 0.5, False, "ta"),
        (None, None, 1, 1, None, True, "ta"),
        ("small", "q", 1, 1, None, True, "tb"),
    ]
    assert sum(part.count for part in made.parts) == made.count


def test_no_more_than_the_most_frequent_causes_are_listed() -> None:
    many = [failure("a", f"error {chr(97 + i)}") for i in range(20)]
    assert len(causes.causes(many, None, {})) == causes.MOST
