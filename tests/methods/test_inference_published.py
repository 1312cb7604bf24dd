"""Statistics against published figures."""

from __future__ import annotations

import numpy as np
import pytest

from reporter.analysis import contrast, inference, significance


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    # Newcombe 1998, Stat Med 17:857, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_agrees_with_newcombe_1998(k: int, n: int, low: float, high: float) -> None:
    assert inference.wilson(k, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("k_b", "n_b", "k_a", "n_a", "low", "high"),
    # Newcombe 1998, Stat Med 17:873, table II, method 10 (p1 - p2 with p1 the latest side).
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 20, 0.6791, 1.0000),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_difference_of_proportions_agrees_with_newcombe_1998(
    k_b: int, n_b: int, k_a: int, n_a: int, low: float, high: float
) -> None:
    made = contrast.rate_change(k_a, n_a, k_b, n_b)
    assert (made.low, made.high) == pytest.approx((low, high), abs=5e-5)


def test_benjamini_hochberg_rejects_the_four_hypotheses_of_the_1995_paper() -> None:
    # Benjamini & Hochberg 1995, section 4.1: thrombolysis trial, 15 comparisons, q = 0.05: the four smallest.
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    q = inference.benjamini_hochberg(p)
    assert [value <= 0.05 for value in q] == [True] * 4 + [False] * 11
    assert q[3] == pytest.approx(0.0095 * 15 / 4)
    # The same paper: Bonferroni-type control (Holm included) rejects three.
    assert sum(value <= 0.05 for value in inference.holm(p)) == 3


def test_adjusted_p_values_agree_with_the_definitions_worked_by_hand() -> None:
    # 5 * .01, 4 * .02, 3 * .03, then the running maximum.
    assert inference.holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    # From the greatest down: .05 * 3/3, .03 * 3/2, .01 * 3/1, running minimum.
    assert inference.benjamini_hochberg([0.05, 0.01, 0.03]) == pytest.approx([0.05, 0.03, 0.045])


def test_type_7_quantile_interpolates_between_order_statistics() -> None:
    # Hyndman & Fan 1996: position (n - 1) q, so 0.2, 1, 2, 3.6 and 3.8 steps up from the least value.
    values = [16.0, 1.0, 8.0, 2.0, 4.0]
    found = [inference.quantile(values, q) for q in (0.05, 0.25, 0.5, 0.9, 0.95)]
    assert found == pytest.approx([1.2, 2.0, 4.0, 12.8, 14.4])


def test_students_t_quantiles_agree_with_tables() -> None:
    assert [inference.t_quantile(df) for df in (1, 10, 30, 1e9)] == pytest.approx(
        [12.7062, 2.2281, 2.0423, 1.95996], abs=5e-5
    )
    assert inference.two_sided_t(2.2281388, 10) == pytest.approx(0.05, abs=1e-7)
    assert inference.two_sided_z(inference.Z95) == pytest.approx(0.05, abs=1e-12)


@pytest.mark.parametrize(
    ("n", "low", "high"), [(6, 1, 6), (10, 2, 9), (20, 6, 15), (50, 18, 33), (100, 40, 61)]
)
def test_order_statistic_ranks_of_a_median_agree_with_tables(n: int, low: int, high: int) -> None:
    # Conover, Practical Nonparametric Statistics: two-sided 95 % limits of a median by the sign test.
    values = [float(i) for i in range(1, n + 1)]
    assert inference.order_statistic(values, 0.5) == (low, high)


def test_ninety_fifth_percentile_needs_fifty_nine_values() -> None:
    # Wilks 1941: 1 - 0.95 ** 59 = 0.9515 is the first one-sided coverage above 0.95.
    assert inference.order_statistic([float(i) for i in range(58)], 0.95) is None
    found = inference.order_statistic([float(i) for i in range(60)], 0.95)
    assert found is not None
    assert found[1] == 59.0


def test_welch_on_logs_agrees_with_scipy() -> None:
    # scipy 1.17: stats.ttest_ind(np.log([3, 5, 4, 8, 9]), np.log([1, 2, 2, 3, 2, 4]), equal_var=False).pvalue
    none = np.array([], dtype=np.int64)
    pair = contrast.Pairing(np.array([1.0, 2, 2, 3, 2, 4]), np.array([3.0, 5, 4, 8, 9]), none, none)
    assert significance.typical_p(pair) == pytest.approx(0.010617202812722822, rel=1e-9)
