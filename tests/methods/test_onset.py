"""Begin and end of a rise, and how much more failed, against simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import onset

RNG = 20_261_125


def test_a_planted_rise_is_found_within_a_bucket() -> None:
    rng, exact = np.random.default_rng(RNG), 0
    for _ in range(200):
        calls = rng.poisson(20, 80)
        share = np.full(80, 0.02)
        share[30:50] = 0.4
        found = onset.rise(calls, rng.binomial(calls, share), 0.02)
        assert found is not None
        assert found.p_value < 1e-6
        assert abs(found.start - 30) <= 1
        assert abs(found.stop - 50) <= 1
        exact += (found.start, found.stop) == (30, 50)
    assert exact > 180


@pytest.mark.parametrize("share", [0.005, 0.05, 0.3, 0.6])
@pytest.mark.parametrize(("past", "calls"), [(8, 20), (40, 200), (2_000, 400)])
def test_chance_alone_seldom_tests_positive(share: float, past: int, calls: int) -> None:
    rng, alarms, windows = np.random.default_rng(RNG), 0, 1_000
    for _ in range(windows):
        before, during = int(rng.binomial(past, share)), int(rng.binomial(calls, share))
        alarms += onset.more_failed((calls, during), (past, before)) < 0.05
    # 5 % and what 1,000 windows may stray from it.
    assert alarms / windows <= 0.064


def test_the_tail_agrees_with_simulation() -> None:
    rng = np.random.default_rng(RNG)
    draws = rng.binomial(60, rng.beta(3.5, 97.5, 400_000))
    for failed in (3, 6, 9):
        p = onset.more_failed((60, failed), (100, 3))
        assert p == pytest.approx(float((draws >= failed).mean()), rel=0.05)
    assert onset.more_failed((300_000, 9_000), (10_000, 300)) == pytest.approx(0.5, abs=0.02)
    assert onset.more_failed((60, 12), (100, 3), 3.0) > onset.more_failed((60, 12), (100, 3))


@pytest.mark.parametrize(
    ("share", "before", "calls"), [(0.02, 4_000, 800), (0.2, 600, 150), (0.005, 300, 60)]
)
def test_interval_of_the_excess_covers_what_was_planted(share: float, before: int, calls: int) -> None:
    rng, covered, days = np.random.default_rng(RNG), 0, 1_000
    for _ in range(days):
        usual = rng.binomial(calls, share)
        extra = rng.binomial(calls - usual, 0.5)
        found = onset.excess_failed((calls, usual + extra), (before, int(rng.binomial(before, share))))
        assert found is not None
        covered += found.low <= extra <= found.high
    assert covered / days >= 0.95


@pytest.mark.parametrize(("calls", "before"), [(400, 900), (60, 3_000)])
def test_interval_of_the_spend_covers_what_was_planted(calls: int, before: int) -> None:
    rng, covered, days = np.random.default_rng(RNG), 0, 1_000
    for _ in range(days):
        costs = rng.lognormal(-4, 0.7, before)
        spent = float(rng.lognormal(-4, 0.7, calls).sum())
        found = onset.excess_cost((calls, spent + 5.0), (costs.sum(), np.square(costs).sum(), before))
        assert found is not None
        covered += found.low <= 5.0 <= found.high
    assert covered / days >= 0.93


def test_failures_in_bursts_widen_the_interval() -> None:
    even = onset.dispersion([20] * 50, [1] * 50)
    bursts = onset.dispersion([20] * 50, [25 * (i % 25 == 0) % 21 for i in range(50)])
    assert even == 1.0
    assert bursts > 2
    narrow, wide = (onset.excess_failed((100, 40), (1_000, 50), spread) for spread in (1.0, bursts))
    assert narrow is not None
    assert wide is not None
    assert wide.high - wide.low > narrow.high - narrow.low


@given(
    st.lists(st.tuples(st.integers(0, 40), st.floats(0, 1)), min_size=1, max_size=40),
    st.floats(0.001, 0.999),
)
def test_a_rise_is_a_span_with_a_higher_share(buckets: list[tuple[int, float]], share: float) -> None:
    calls = np.array([n for n, _ in buckets])
    failed = np.array([round(n * part) for n, part in buckets])
    found = onset.rise(calls, failed, share)
    if found is None:
        assert all(f <= n * share for n, f in zip(calls, failed, strict=True))
    else:
        inside = slice(found.start, found.stop)
        assert failed[inside].sum() > calls[inside].sum() * share
        assert 0 <= found.p_value <= 1


def test_predictive_limits_agree_with_simulation() -> None:
    rng = np.random.default_rng(RNG)
    draws = rng.binomial(300, rng.beta(12.5, 488.5, 200_000))
    found = onset.excess_failed((300, 0), (500, 12))
    assert found is not None
    assert -found.high == pytest.approx(np.quantile(draws, 0.025), abs=1)
    assert -found.low == pytest.approx(np.quantile(draws, 0.975), abs=1)
    large = onset.excess_failed((300_000, 0), (500, 12))
    assert large is not None
    assert large.low < -12 / 500 * 300_000 < large.high


def test_without_calls_nothing_is_said() -> None:
    assert onset.more_failed((10, 0), (10, 1)) == onset.more_failed((10, 3), (0, 0)) == 1.0
    nothing = np.zeros(5, dtype=np.int64)
    assert onset.rise(nothing, nothing, 0.1) is None
    assert onset.excess_failed((10, 1), (0, 0)) is None
    assert onset.excess_cost((10, 1.0), (1.0, 1.0, 1)) is None
