"""What carries a change of a mean: parts that add up, small values kept together."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import drivers

COSTS = st.floats(0, 100, allow_nan=False) | st.none()
PARTS = st.lists(
    st.tuples(st.integers(0, 30).map(str), st.sampled_from(["a", "b", "c", "d", None]), COSTS), max_size=60
)


def test_the_model_that_carries_a_rise_is_named_first() -> None:
    prior = [(str(i), "small", 1.0) for i in range(10)]
    latest = [*prior[:5], *((str(i), "large", 5.0) for i in range(5, 10))]
    told = drivers.drivers(latest, prior, (10, 10), "$ai_model", "mean_cost_usd")
    assert [(d.value, d.difference, d.contribution) for d in told] == [
        ("large", 2.5, 1.25),
        ("small", -0.5, -0.25),
    ]
    assert (told[0].latest_items, told[0].prior_items) == (5, 0)


def test_values_of_few_items_are_not_named() -> None:
    prior = [(str(i), "team", 1.0) for i in range(20)]
    latest = [*prior, ("20", "ann@example.org", 40.0), ("21", "bob@example.org", 2.0)]
    told = drivers.drivers(latest, prior, (22, 20), "user", "mean_cost_usd")
    assert [d.value for d in told] == ["team", "(2 smaller values)"]
    assert (told[-1].latest_items, told[-1].prior_items) == (2, 0)


def test_one_small_value_is_one() -> None:
    prior = [(str(i), "team", 1.0) for i in range(20)]
    told = drivers.drivers([*prior, ("20", "ann", 40.0)], prior, (21, 20), "user", "mean_cost_usd")
    assert [d.value for d in told] == ["team", "(1 smaller value)"]


@given(PARTS, PARTS, st.integers(1, 40), st.integers(1, 40))
def test_parts_add_up_to_the_whole_change(latest: list, prior: list, n: int, m: int) -> None:
    told = drivers.drivers(latest, prior, (n, m), "x", "mean_cost_usd")
    whole = math.fsum(c or 0 for *_, c in latest) / n - math.fsum(c or 0 for *_, c in prior) / m
    if told:
        assert math.fsum(d.difference for d in told) == pytest.approx(whole, abs=1e-9)
    if told and abs(whole) > 1e-6:
        assert math.fsum(d.contribution for d in told) == pytest.approx(1.0, rel=1e-6)
    assert all(
        d.latest_items + d.prior_items >= drivers.LEAST_ITEMS for d in told if not d.value.startswith("(")
    )


@pytest.mark.parametrize("sizes", [(0, 5), (5, 0)])
def test_nothing_is_told_without_items(sizes: tuple[int, int]) -> None:
    assert drivers.drivers([("a", "x", 1.0)], [], sizes, "x", "mean_cost_usd") == []
