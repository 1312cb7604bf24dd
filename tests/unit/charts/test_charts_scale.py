"""Scales keep order and stay on the sheet; ticks are round, few and told apart."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.charts import scale

positive = st.floats(1e-6, 1e6)


@given(positive, st.floats(1.5, 1e4), st.floats(0, 1), st.booleans())
def test_scale_stays_between_its_ends(low: float, factor: float, part: float, log: bool) -> None:
    axis = scale.Scale(low, low * factor, 10, 110, log)
    assert axis(low) == pytest.approx(10)
    assert axis(low * factor) == pytest.approx(110)
    assert 10 <= axis(low + part * (low * factor - low)) <= 110 + 1e-9


def test_values_beyond_the_ends_are_placed_at_the_ends() -> None:
    axis = scale.Scale(0.01, 1, 0, 100, log=True)
    assert axis(0) == 0
    assert axis(5) == 100
    assert not axis.holds(5)
    assert axis.holds(1)


@given(st.floats(1e-4, 1), st.integers(2, 8))
def test_linear_ticks_are_even_and_few(high: float, most: int) -> None:
    ticks = scale.linear_ticks(0, high, most)
    assert ticks[0] == 0
    assert len(ticks) <= most
    assert ticks[-1] <= high * (1 + 1e-9)
    steps = {round(b - a, 10) for a, b in itertools.pairwise(ticks)}
    assert len(steps) <= 1


@given(positive, st.floats(2, 1e8), st.integers(3, 8))
def test_log_ticks_lie_on_the_axis_and_are_few_and_told_apart(low: float, factor: float, most: int) -> None:
    for ticks, label in ((scale.money_ticks, scale.money_label), (scale.seconds_ticks, scale.seconds_label)):
        chosen = ticks(low, low * factor, most)
        assert len(chosen) <= most
        assert all(low <= t <= low * factor for t in chosen)
        assert len({label(t) for t in chosen}) == len(chosen)


def test_a_decade_of_dollars_has_ticks_at_one_two_and_five() -> None:
    assert scale.money_ticks(0.015, 0.6, 6) == (0.02, 0.05, 0.1, 0.2, 0.5)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.02, "$0.02"), (0.1, "$0.10"), (0.005, "$0.005"), (2, "$2"), (2000, "$2k"), (5e6, "$5M")],
)
def test_money_ticks_are_written_short(value: float, written: str) -> None:
    assert scale.money_label(value) == written


@pytest.mark.parametrize(
    ("value", "written"), [(0.05, "50 ms"), (2, "2 s"), (120, "2 min"), (3600, "1 h"), (0.001, "1 ms")]
)
def test_time_ticks_are_written_in_their_unit(value: float, written: str) -> None:
    assert scale.seconds_label(value).replace("\u00a0", " ") == written


def test_percent_ticks_keep_a_half() -> None:
    assert [scale.percent_label(v) for v in (0, 0.025, 0.1)] == ["0%", "2.5%", "10%"]


@given(st.lists(positive, min_size=1))
def test_log_ends_hold_every_value_and_never_collapse(values: list[float]) -> None:
    low, high = scale.log_ends(values)
    assert 0 < low < min(values)
    assert high > max(values)
    assert high / low >= 2
