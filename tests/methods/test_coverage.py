"""Intervals hold what they promise: coverage and false alarms by simulation with known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reporter.analysis import contrast, inference, quantiles, significance

NONE = np.array([], dtype=np.int64)


def pair(a: np.ndarray, b: np.ndarray, shared: int = 0) -> contrast.Pairing:
    """Pair two samples whose first `shared` values belong to the same items."""
    places = np.arange(shared, dtype=np.int64)
    return contrast.Pairing(a, b, places, places)


def lognormal(rng: np.random.Generator, n: int, sd: float) -> np.ndarray:
    """Draw values with mean 1."""
    return rng.lognormal(-sd * sd / 2, sd, n)


@pytest.mark.parametrize(("n", "sd", "at_least"), [(20, 0.8, 0.92), (50, 0.8, 0.925), (150, 1.2, 0.91)])
def test_log_t_interval_covers_the_mean(n: int, sd: float, at_least: float) -> None:
    rng = np.random.default_rng(n)
    hits = 0
    for _ in range(600):
        limits = inference.log_t(list(lognormal(rng, n, sd)))
        assert limits is not None
        hits += limits[0] <= 1 <= limits[1]
    assert at_least - 0.02 <= hits / 600 <= 0.985


@pytest.mark.parametrize(("n", "q"), [(6, 0.5), (25, 0.5), (60, 0.95), (200, 0.95)])
def test_order_statistic_interval_covers_the_quantile(n: int, q: float) -> None:
    rng = np.random.default_rng(7)
    hits = 0
    for draw in np.sort(rng.random((2000, n)), axis=1):
        limits = inference.order_statistic(list(draw), q)
        assert limits is not None
        hits += limits[0] <= q <= limits[1]
    assert hits / 2000 >= 0.94


@pytest.mark.parametrize(
    ("n", "sd", "overlap", "ratio"),
    [(30, 0.8, 0.0, 1.0), (60, 1.2, 0.0, 2.0), (60, 0.8, 0.6, 1.0), (150, 1.2, 0.85, 1.0)],
)
def test_ratio_and_difference_of_means_cover_the_truth(
    n: int, sd: float, overlap: float, ratio: float
) -> None:
    rng = np.random.default_rng(n)
    shared = int(n * overlap)
    ratio_hits = difference_hits = 0
    for _ in range(600):
        both = lognormal(rng, shared, sd)
        a = np.concatenate([both, lognormal(rng, n - shared, sd)])
        b = np.concatenate([both, ratio * lognormal(rng, n - shared, sd)])
        made = contrast.mean_change(pair(a, b, shared))
        assert made.ratio_low is not None
        assert made.ratio_high is not None
        assert made.low is not None
        assert made.high is not None
        ratio_hits += made.ratio_low <= ratio <= made.ratio_high
        difference_hits += made.low <= ratio - 1 <= made.high
    assert 0.925 <= ratio_hits / 600 <= 0.99
    assert 0.92 <= difference_hits / 600 <= 0.99


def test_ignoring_common_items_would_widen_the_interval_many_times() -> None:
    rng = np.random.default_rng(3)
    a = lognormal(rng, 200, 1.0)
    b = np.concatenate([a[:170], lognormal(rng, 30, 1.0)])
    aware, naive = contrast.mean_change(pair(a, b, 170)), contrast.mean_change(pair(a, b))
    assert aware.ratio_high is not None
    assert naive.ratio_high is not None
    assert aware.ratio is not None
    assert math.log(naive.ratio_high / aware.ratio) > 2 * math.log(aware.ratio_high / aware.ratio)


@pytest.mark.parametrize(
    ("n", "p", "overlap"), [(25, 0.1, 0.0), (150, 0.04, 0.0), (80, 0.1, 0.6), (150, 0.05, 0.85)]
)
def test_difference_of_error_rates_covers_the_truth(n: int, p: float, overlap: float) -> None:
    rng = np.random.default_rng(n)
    shared = int(n * overlap)
    hits = 0
    for _ in range(2000):
        both = rng.binomial(shared, p)
        made = contrast.rate_change(
            both + rng.binomial(n - shared, p), n, both + rng.binomial(n - shared, p), n, shared
        )
        assert made.low is not None
        assert made.high is not None
        hits += made.low <= 0 <= made.high
    assert hits / 2000 >= 0.94


@pytest.mark.parametrize("shared", [0, 60])
def test_bootstrap_of_a_median_covers_the_truth(shared: int) -> None:
    rng = np.random.default_rng(11)
    hits = 0
    for index in range(250):
        both = rng.lognormal(0, 0.8, shared)
        a = np.concatenate([both, rng.lognormal(0, 0.8, 100 - shared)])
        b = np.concatenate([both, rng.lognormal(0, 0.8, 100 - shared)])
        (made,) = quantiles.quantile_change(pair(a, b, shared), (0.5,), (index,))
        assert made.low is not None
        assert made.high is not None
        hits += made.low <= 0 <= made.high
    assert 0.91 <= hits / 250 <= 0.995


def test_both_bootstraps_draw_from_the_same_distribution() -> None:
    rng = np.random.default_rng(5)
    values = np.sort(rng.lognormal(0, 1, 80))
    drawn = quantiles._drawn(values, 0.95, np.random.default_rng(1))
    plain = np.quantile(rng.choice(values, (999, 80)), 0.95, axis=1)
    assert np.quantile(drawn, (0.1, 0.5, 0.9)) == pytest.approx(np.quantile(plain, (0.1, 0.5, 0.9)), rel=0.12)


def test_approximated_draws_agree_with_resampling() -> None:
    rng = np.random.default_rng(6)
    both = rng.lognormal(0, 1, 500)
    made = pair(
        np.concatenate([both, rng.lognormal(0, 1, 300)]),
        np.concatenate([both, rng.lognormal(0, 1, 400)]),
        500,
    )
    for q in (0.5, 0.95):
        ((a, b),) = quantiles._resampled(made, (q,), np.random.default_rng(1))
        c, d = quantiles._approximated(made, q, np.random.default_rng(2))
        assert (d - c).std() == pytest.approx((b - a).std(), rel=0.2)
        assert np.corrcoef(c, d)[0, 1] == pytest.approx(np.corrcoef(a, b)[0, 1], abs=0.1)


@pytest.mark.parametrize("overlap", [0.0, 0.5])
def test_share_growth_raises_few_false_alarms(overlap: float) -> None:
    """Null: same shares; where runs overlap, a tenth of the shared items changes its cluster at random."""
    rng = np.random.default_rng(17)
    n, p = 1000, 0.06
    shared = int(n * overlap)
    alarms = 0
    for _ in range(1500):
        in_prior = int(rng.binomial(shared, p))
        stay = int(rng.binomial(in_prior, 0.9))
        in_latest = stay + int(rng.binomial(shared - in_prior, p * 0.1 / (1 - p)))
        x_a = in_prior + int(rng.binomial(n - shared, p))
        x_b = in_latest + int(rng.binomial(n - shared, p))
        made = contrast.share_growth(
            x_a, n, x_b, n, contrast.Overlap(shared, in_prior, in_latest, stay), tau=0.0
        )
        assert made.p_value is not None
        alarms += made.p_value < 0.05
    assert 0.025 <= alarms / 1500 <= 0.075


@pytest.mark.parametrize("test", ["typical", "exceedance", "mean"])
@pytest.mark.parametrize("shared", [0, 50])
def test_tests_of_values_keep_their_level(test: str, shared: int) -> None:
    rng = np.random.default_rng(23)
    alarms = 0
    for _ in range(800):
        both = rng.lognormal(0, 0.8, shared)
        made = pair(
            np.concatenate([both, rng.lognormal(0, 0.8, 100 - shared)]),
            np.concatenate([both, rng.lognormal(0, 0.8, 100 - shared)]),
            shared,
        )
        p = {
            "typical": significance.typical_p,
            "exceedance": lambda x: significance.exceedance_p(x, 0.95),
            "mean": lambda x: contrast.mean_change(x).p_value,
        }[test](made)
        assert p is not None
        alarms += p < 0.05
    assert alarms / 800 <= 0.07
