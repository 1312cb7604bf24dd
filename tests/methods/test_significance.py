"""Tests of a difference: against published values, at their level on null data, and the same both ways round."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reporter.analysis import quantiles, significance
from reporter.analysis.contrast import Pairing


def pair(a: np.ndarray, b: np.ndarray, shared: int = 0) -> Pairing:
    places = np.arange(shared)
    return Pairing(np.asarray(a, float), np.asarray(b, float), places, places)


@pytest.mark.parametrize(
    ("table", "p_value"),
    # scipy 1.17: 2 * min(hypergeom.cdf(k_b, n, k, n_b), hypergeom.sf(k_b - 1, n, k, n_b))
    [
        ((3, 4, 1, 4), 0.4857142857142857),  # Fisher's tea (1935): one-sided 17/70 twice
        ((2, 50, 9, 50), 0.05112093374568651),
        ((0, 20, 0, 20), 1.0),
        ((10, 10, 0, 10), 1.0825088224469029e-05),
    ],
)
def test_fisher_agrees_with_the_hypergeometric_distribution(
    table: tuple[int, int, int, int], p_value: float
) -> None:
    assert significance.fisher_p(*table) == pytest.approx(p_value, rel=1e-9)


def test_permutations_agree_with_all_of_them() -> None:
    # Every one of the 252 ways to draw 5 of 10, the statistic worked out by hand.
    a, b = np.array([1.0, 2, 3, 4, 10]), np.array([5.0, 6, 7, 9, 20])
    pool = np.concatenate([a, b])
    told = []
    for mask in range(1 << 10):
        chosen = np.array([bool(mask >> i & 1) for i in range(10)])
        if chosen.sum() == 5:
            told.append(_statistic(pool[chosen], pool[~chosen]))
    spread = np.array(told)
    observed = abs(_statistic(a, b)[0]) / _statistic(a, b)[1]
    exact = float((np.abs(spread[:, 0] - spread[:, 0].mean()) / spread[:, 1] >= observed - 1e-12).mean())
    made = significance.permutation_p(pair(a, b), 0.0, seed=1)
    assert made == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 999))


def _statistic(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    variance = sum(((x / x.mean() - 1) ** 2).sum() / len(x) ** 2 for x in (a, b))
    return math.log(b.mean() / a.mean()), math.sqrt(variance)


@pytest.mark.parametrize("shared", [0, 40])
@pytest.mark.parametrize("sd", [0.8, 1.4])
def test_permutations_keep_their_level_on_skewed_data(sd: float, shared: int) -> None:
    rng = np.random.default_rng(5)
    alarms = 0
    for seed in range(400):
        both = rng.lognormal(0, sd, shared)
        a, b = (np.concatenate([both, rng.lognormal(0, sd, n)]) for n in (25, 45))
        p = significance.permutation_p(pair(a, b, shared), 0.0, seed)
        assert p is not None
        alarms += p <= 0.05
    assert 0.025 <= alarms / 400 <= 0.085  # 0.05 with 3.2 standard errors either way


def test_what_borders_explain_is_not_called_significant() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.lognormal(0, 0.5, 60), 1.5 * rng.lognormal(0, 0.5, 60)
    made, growth = pair(a, b), math.log(b.mean() / a.mean())
    plain = significance.permutation_p(made, 0.0, 1)
    explained = significance.permutation_p(made, growth, 1)
    assert plain is not None
    assert plain < 0.01
    assert explained == 1.0
    assert significance.typical_p(made, float(np.log(b).mean() - np.log(a).mean())) == pytest.approx(1.0)


values = st.lists(st.floats(0.01, 100.0), min_size=22, max_size=40).map(np.array)


@given(a=values, b=values, shared=st.integers(0, 10))
def test_the_order_of_the_runs_makes_no_difference(a: np.ndarray, b: np.ndarray, shared: int) -> None:
    b[:shared] = a[:shared]
    assume(sorted(a) != sorted(b))  # then neither comes first, and the draws are one order's own
    made = pair(a, b, shared)
    assert significance.permutation_p(made, 0.1, 3) == significance.permutation_p(made.turned, -0.1, 3)
    assert significance.typical_p(made, 0.1) == pytest.approx(significance.typical_p(made.turned, -0.1))
    there, back = (quantiles.quantile_change(x, (0.5, 0.95), (1, 2)) for x in (made, made.turned))
    for one, other in zip(there, back, strict=True):
        assert one.difference == pytest.approx(-(other.difference or 0.0))
        assert (one.low, one.high) == pytest.approx((-(other.high or 0.0), -(other.low or 0.0)))


def test_the_same_items_on_both_sides_have_not_changed() -> None:
    a = np.array([1.0, 2.0, 3.0, 4.0])
    made = pair(a, a, 4)
    assert significance.exceedance_p(made, 0.95) == 1.0
    assert significance.typical_p(made) == 1.0
    assert significance.permutation_p(made, 0.0, 1) is None
