"""Values of PostHog's answers: money exactly, texts as they were sent, junk as what is not known."""

from __future__ import annotations

import json
import math
from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.sources import rows as build
from reporter.sources.hogql import values
from reporter.sources.queries.hogql.items import FAILURE_COLUMNS, ITEM_COLUMNS
from reporter.sources.queries.hogql.spelling import MONEY_SCALE

COSTS = st.floats(0, 1e6, allow_subnormal=False) | st.floats(0, 1e-4)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.integers(10**300, 10**320)
    | st.sampled_from(["null", '""', '"null"', '"', "\\", "\\u12", '"\\ud800"', "1e999", "nan", "-inf", "9" * 5000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


# -- money ----------------------------------------------------------------------------------------------


def spelled(costs: list[float]) -> tuple[int, float, float]:
    """Sum a group the way the statement does."""
    wholes = [math.floor(cost * MONEY_SCALE) for cost in costs]
    rests = [cost * MONEY_SCALE - whole for cost, whole in zip(costs, wholes, strict=True)]
    return sum(wholes), sum(rests), sum(costs)


@given(
    st.lists(COSTS, min_size=1, max_size=8).map(lambda costs: [spelled([cost]) for cost in costs]),
    st.randoms(),
)
def test_money_is_the_nearest_number_whatever_the_order(parts, random):
    exact = sum((Fraction(whole) + Fraction(rest) for whole, rest, _ in parts), Fraction(0)) / MONEY_SCALE
    found = values.money(parts)
    assert found == float(exact)
    shuffled = list(parts)
    random.shuffle(shuffled)
    assert values.money(shuffled) == found


@given(st.lists(COSTS, min_size=1, max_size=40))
def test_money_is_that_of_the_amounts_to_the_last_digits(costs):
    exact = float(sum((Fraction(cost) for cost in costs), Fraction(0)))
    assert values.money([spelled(costs)]) == pytest.approx(exact, rel=1e-12, abs=1e-15)
    assert values.money([spelled([cost]) for cost in costs]) == exact


@given(st.lists(st.floats(1e13, 1e200), min_size=1, max_size=9), st.randoms())
def test_money_beyond_whole_parts_is_the_plain_sum_whatever_the_order(costs, random):
    parts = [(2**63 - 1, 0.0, cost) for cost in costs]
    found = values.money(parts)
    assert found == math.fsum(costs)
    random.shuffle(parts)
    assert values.money(parts) == found


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], None),
        ([(None, None, None)], None),
        ([(0, 0.0, None), (5, 0.5, None)], None),
        ([(0, 0.0, 0.0)], 0.0),
        ([(MONEY_SCALE, 0.0, 1.0), (None, None, None)], 1.0),
        ([(None, None, 0.25)], 0.25),
        ([(None, None, 0.25), (MONEY_SCALE, 0.0, 1.0)], 1.25),
        ([("1048576", 0.0, 1.0)], 1.0),
        ([(MONEY_SCALE, None, 1.0)], 1.0),
        ([(MONEY_SCALE, "0.0", "1.0")], 1.0),
        ([(1, 0.5, math.nan)], None),
        ([(1, 0.5, math.inf)], None),
        ([(-MONEY_SCALE, 0.0, -1.0)], -1.0),
        ([(10**400, 0.0, 1.0)], None),
        ([(0, 0.0, 1e308)] * 3, None),
    ],
)
def test_money_that_is_not_known_is_none_and_adds_nothing(parts, expected):
    assert values.money(parts) == expected


@given(st.lists(st.tuples(JUNK, JUNK, JUNK), max_size=4))
def test_money_of_junk_is_finite_or_not_known(parts):
    found = values.money(parts)
    assert found is None or math.isfinite(found)


# -- texts ----------------------------------------------------------------------------------------------

TEXTS = st.text(alphabet=st.characters() | st.sampled_from('"\\/\n\t\0\ud800\udfff\u2028é𐍈'))


@given(TEXTS, st.booleans())
def test_a_word_reads_back_what_was_sent(text, ascii_only):
    kept = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
    expected = None if kept in ("", "null") else json.loads(json.dumps(text))
    assert values.word(kept) == expected


@given(TEXTS, st.booleans())
def test_a_property_as_json_reads_back_what_was_sent(text, ascii_only):
    expected = None if text in ("", "null") else json.loads(json.dumps(text))
    assert values.said(json.dumps(text, ensure_ascii=ascii_only)) == expected


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("null", None), ("", None), ('""', None), ('"null"', None), ("12", "12"), ("1.50", "1.50"),
        ("true", "true"), ('{"a":1}', '{"a":1}'), ("[1]", "[1]"), ('"open', '"open'), (12, None), (None, None),
    ],
)  # fmt: skip
def test_properties_that_are_no_text_stay_as_they_are_written(read, expected):
    assert values.said(read) == expected


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("it\\'s", "it\\'s"), ("a\\", "a\\"), ('say \\"hi\\"', 'say "hi"'), ("line\\nline", "line\nline"),
        ("raw\nline\\n", "raw\nline\\n"), ("\\ud83d\\ude00", "😀"), ("null", None), (7, None), (["x"], None),
    ],
)  # fmt: skip
def test_words_with_escapes_that_are_none_stay_as_they_are(read, expected):
    assert values.word(read) == expected


# -- junk -----------------------------------------------------------------------------------------------


@given(JUNK)
def test_nothing_an_answer_holds_makes_a_reader_raise(value):
    assert isinstance(values.moment(value), datetime)
    assert values.moment(value).tzinfo is None
    found = values.figure(value)
    assert found is None or math.isfinite(found)
    assert isinstance(values.whole(value), int)
    assert isinstance(values.flag(value), bool)
    for read in (values.word(value), values.said(value)):
        assert read is None or (isinstance(read, str) and read)


def test_figures_counts_and_flags_are_read_from_numbers_and_texts():
    assert [values.figure(one) for one in (1, 1.5, "2.5", " 3 ", True, None, "x", [1])] == [
        1, 1.5, 2.5, 3, None, None, None, None,
    ]  # fmt: skip
    assert [values.whole(one) for one in (3, "4", 5.9, None, "x", True)] == [3, 4, 5, 0, 0, 0]
    assert [one for one in (True, 1, "1", "true") if not values.flag(one)] == []
    assert [one for one in (False, 0, "0", "false", None, [], "yes", 2) if values.flag(one)] == []
    assert values.moment("2026-11-02 03:04:05.5").isoformat() == "2026-11-02T03:04:05.500000"
    assert values.moment("2026-11-02T03:04:05+02:00").isoformat() == "2026-11-02T01:04:05"
    assert values.moment("junk").isoformat() == "1970-01-01T00:00:00"


ROW = {
    "part": 0, "item": "t1", "grouped": "", "cost_whole": MONEY_SCALE, "cost_rest": 0.5, "cost_plain": 1.0,
    "latency": 2.0, "tokens_in": 10, "tokens_out": None, "tokens_cached": None, "errors": 1, "calls": 2,
    "first": "2026-11-02 01:00:00", "last": "2026-11-02 02:00:00", "found": 1, "verdict": "", "name": "",
    "runtime": "", "judge_cost": None, "target": "", "trace": "t1", "models": [],
}  # fmt: skip


def test_slices_of_one_item_are_joined_and_items_are_in_order():
    later = {**ROW, "latency": 3.5, "errors": 0, "calls": 5, "tokens_in": None, "tokens_out": 7, "found": 0,
             "first": "2026-11-03 01:00:00", "last": "2026-11-04 02:00:00", "trace": ""}  # fmt: skip
    other = {**ROW, "item": "a0", "grouped": '"x"', "cost_plain": None}
    found = values.items([later, ROW, other, {**ROW, "grouped": '"x"'}])
    assert [(one.key, one.by) for one in found] == [("a0", "x"), ("t1", None), ("t1", "x")]
    assert found[0].cost_usd is None
    joined = found[1]
    assert joined.cost_usd == 2 + 1 / MONEY_SCALE
    assert (joined.latency_s, joined.tokens_in, joined.tokens_out, joined.tokens_cached) == (3.5, 10, 7, None)
    assert (joined.error_events, joined.calls, joined.has_data, joined.trace_id) == (1, 7, True, "t1")
    assert joined.first_at.isoformat() == "2026-11-02T01:00:00+00:00"
    assert joined.last_at.isoformat() == "2026-11-04T02:00:00+00:00"
    assert joined.verdict is None
    assert values.items([ROW, later]) == values.items([later, ROW])


def test_an_evaluation_keeps_what_it_judged():
    row = {**ROW, "item": "e1", "verdict": "na", "name": 'it\\"s', "runtime": "llm_judge", "judge_cost": "0.5",
           "target": "019DB7A4-1F60-7C1E-9A55-0D3C7BE21001"}  # fmt: skip
    (one,) = values.items([row])
    assert (one.verdict, one.evaluation_name, one.evaluation_runtime) == ("na", 'it"s', "llm_judge")
    assert (one.judge_cost_usd, one.target_id) == (0.5, "019db7a4-1f60-7c1e-9a55-0d3c7be21001")
    (one,) = values.items([{**row, "verdict": ["fail"], "target": "no uuid"}])
    assert (one.verdict, one.target_id) == (None, None)


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(ITEM_COLUMNS, JUNK)), max_size=3))
def test_items_of_junk_are_items(rows: list[dict[str, Any]]):
    for one in values.items(rows):
        assert one.calls is not None
        assert one.cost_usd is None or math.isfinite(one.cost_usd)


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(FAILURE_COLUMNS, JUNK)), max_size=3))
def test_failures_of_junk_are_failures(rows: list[dict[str, Any]]):
    assert sum(one.count for one in build.failures([values.failure(row) for row in rows])) == len(rows)


@given(st.fixed_dictionaries(dict.fromkeys(
    ("items", "calls", "cost_whole", "cost_rest", "cost_plain", "tokens_in", "tokens_out", "errors"), JUNK
)))  # fmt: skip
def test_totals_of_junk_are_totals(row):
    assert isinstance(values.totals(row).items, int)
