"""Levels of one cluster: PostHog's metrics, estimates, distributions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import inference, metrics
from reporter.report import ESTIMATES
from tests.worlds import row

money = st.one_of(st.none(), st.just(0.0), st.floats(1e-6, 1e6))


def some(*costs: float | None) -> list:
    return [row(f"k{i}", cost_usd=cost) for i, cost in enumerate(costs)]


def test_averages_are_over_positive_values_only() -> None:
    made = metrics.metrics("trace", 4, some(1.0, 3.0, 0.0, None))
    assert (made.avg_cost, made.total_cost, made.p50_cost, made.item_count) == (2.0, 4.0, 2.0, 4)


def test_a_cluster_without_positive_cost_has_no_total() -> None:
    made = metrics.metrics("trace", 2, some(0.0, None))
    assert (made.total_cost, made.avg_cost, made.p95_cost) == (None, None, None)


def test_no_data_is_unknown_and_not_zero() -> None:
    made = metrics.metrics("trace", 3, [])
    assert (made.item_count, made.error_rate, made.error_count, made.avg_latency) == (0, None, 0, None)
    estimates = metrics.estimates(3, 10, [])
    assert [getattr(estimates, name).value for name in ESTIMATES] == [0.3, *[None] * 7]


def test_an_item_with_many_errors_counts_once() -> None:
    made = metrics.metrics(
        "trace", 4, [row("a", error_events=5), row("b"), row("c"), row("d", has_data=False, error_events=1)]
    )
    assert (made.error_count, made.error_rate, made.item_count) == (1, 1 / 3, 3)


def test_evaluation_figures_count_verdicts_and_members() -> None:
    rows = [
        row("a", verdict="pass", evaluation_name="B", evaluation_runtime="hog", judge_cost_usd=0.2),
        row("b", verdict="fail", evaluation_name="A", judge_cost_usd=0.0),
        row("c", verdict="na", evaluation_name="B", has_data=False),
        row("d", verdict=None, evaluation_name="A"),
    ]
    made = metrics.metrics("evaluation", 9, rows, {"label": "ok"})
    assert (made.item_count, made.pass_rate, made.na_rate) == (9, 1 / 3, 1 / 3)
    assert (made.dominant_evaluation_name, made.dominant_runtime, made.avg_judge_cost) == ("A", "hog", 0.2)
    assert made.sentiment == {"label": "ok"}
    assert metrics.metrics("evaluation", 0, []).pass_rate is None
    other = metrics.metrics("generation", 9, rows)
    assert (other.pass_rate, other.dominant_evaluation_name, other.avg_judge_cost) == (None, None, None)


def test_mean_cost_counts_unknown_as_nothing_unless_all_are_unknown() -> None:
    made = metrics.estimates(3, 3, some(3.0, None, 0.0))
    assert (made.mean_cost_usd.value, made.mean_cost_usd.n) == (1.0, 3)
    unknown = metrics.estimates(2, 2, some(None, None))
    assert (unknown.mean_cost_usd.value, unknown.mean_cost_usd.n, unknown.mean_cost_usd.method) == (
        None,
        2,
        "none",
    )


def test_latency_is_over_items_that_have_one() -> None:
    made = metrics.estimates(
        3, 3, [row("a", latency_s=2.0), row("b", latency_s=None), row("c", latency_s=0.0)]
    )
    assert (made.mean_latency_s.value, made.mean_latency_s.n) == (1.0, 2)
    assert (made.median_latency_s.value, made.median_latency_s.n) == (2.0, 1)


@pytest.mark.parametrize(
    ("n", "median", "p95"), [(5, False, False), (6, True, False), (59, True, False), (60, True, True)]
)
def test_intervals_of_quantiles_need_enough_values(n: int, median: bool, p95: bool) -> None:
    made = metrics.estimates(n, n, [row(f"k{i}", latency_s=1.0 + i) for i in range(n)])
    assert (made.median_latency_s.low is not None) is median
    assert (made.p95_latency_s.low is not None) is p95
    assert made.p95_latency_s.value is not None


@given(st.lists(money, max_size=80), st.integers(0, 50))
def test_every_interval_holds_its_point(costs: list[float | None], more: int) -> None:
    made = metrics.estimates(len(costs), len(costs) + more, some(*costs))
    for name in ESTIMATES:
        estimate = getattr(made, name)
        if estimate.low is not None:
            assert estimate.low <= estimate.value <= estimate.high
            assert math.isfinite(estimate.high)


@given(st.lists(money, min_size=1, max_size=40), st.randoms())
def test_order_of_rows_changes_nothing(costs: list[float | None], rng: object) -> None:
    rows = some(*costs)
    shuffled = list(rows)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert metrics.estimates(len(rows), 99, rows) == metrics.estimates(len(rows), 99, shuffled)
    assert metrics.metrics("trace", len(rows), rows) == metrics.metrics("trace", len(rows), shuffled)


@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=40), st.floats(1e-3, 1e3))
def test_an_interval_of_a_mean_scales_with_its_unit(values: list[float], factor: float) -> None:
    one, other = inference.log_t(values), inference.log_t([value * factor for value in values])
    assert one is not None
    assert other is not None
    assert other == pytest.approx([limit * factor for limit in one], rel=1e-9)


@given(st.integers(1, 500), st.data())
def test_wilson_is_symmetric_and_holds_its_point(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    low, high = inference.wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1
    assert inference.wilson(n - k, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(st.lists(st.floats(0, 1), max_size=40))
def test_adjusted_p_values_keep_order_and_bounds(p_values: list[float]) -> None:
    for adjust in (inference.benjamini_hochberg, inference.holm):
        adjusted = adjust(p_values)
        assert all(p <= q <= 1 or q == pytest.approx(p) for p, q in zip(p_values, adjusted, strict=True))
        ranked = sorted(zip(p_values, adjusted, strict=True))
        assert [q for _, q in ranked] == sorted(q for _, q in ranked)


def test_means_without_interval_are_said_to_have_none() -> None:
    assert inference.log_t([1.0]) is None
    assert inference.log_t([0.0, 0.0]) is None
    assert inference.log_t([2.0, 2.0]) == (2.0, 2.0)
    assert inference.order_statistic([], 0.5) is None


def test_distribution_is_of_positive_values() -> None:
    made = metrics.distribution([None, 0.0, 1.0, 2.0, 3.0])
    assert made is not None
    assert (made.n, made.p50, made.p5, made.p95) == (3, 2.0, 1.1, 2.9)
    assert metrics.distribution([0.0, None]) is None
    both = metrics.distributions([row("a"), row("b", has_data=False)])
    assert both.cost_usd is not None
    assert both.cost_usd.n == 1
