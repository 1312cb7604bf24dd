"""What a cluster or a whole run is like: PostHog's metrics, estimates with intervals, quantiles.

Levels only; nothing here looks at a second run.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from reporter.analysis import inference
from reporter.model import ItemMetrics, Level
from reporter.report import Distribution, Distributions, Estimate, Estimates, Metrics

MEDIAN_MIN_N = 6
"""Fewest values for which a distribution-free 95 % interval of a median exists (1 - 2 * 0.5**6 = 0.97)."""
P95_MIN_N = 60
"""Fewest values for an interval of a 95th percentile (Wilks: 1 - 0.95**59 is the first above 0.95)."""
_UNKNOWN = Estimate(value=None, low=None, high=None, n=0, method="none")


def metrics(
    level: Level, size: int, rows: Sequence[ItemMetrics], sentiment: Mapping[str, Any] | None = None
) -> Metrics:
    """Measure a cluster by PostHog's rules.

    Averages and quantiles are over positive values of items with data; a total without any positive
    value is unknown, not zero. An item with errors counts once.

    Args:
        level: Level of the run.
        size: Item keys in the cluster.
        rows: What is known of those items, at most one row an item.
        sentiment: PostHog's baked sentiment, passed through.

    Returns:
        Metrics; evaluation-only figures are ``None`` on other levels.
    """
    data = [row for row in rows if row.has_data]
    costs, latencies = _positive(r.cost_usd for r in data), _positive(r.latency_s for r in data)
    errors = sum(row.error_events > 0 for row in data)
    evaluation = level == "evaluation"
    verdicts = Counter(row.verdict for row in rows if row.verdict is not None) if evaluation else Counter()
    return Metrics(
        item_count=size if evaluation else len(data),
        avg_cost=_mean(costs),
        total_cost=math.fsum(costs) if costs else None,
        avg_latency=_mean(latencies),
        avg_tokens=_mean(_positive(r.tokens for r in data)),
        error_rate=errors / len(data) if data else None,
        error_count=errors,
        p50_cost=inference.quantile(costs, 0.50),
        p90_cost=inference.quantile(costs, 0.90),
        p95_cost=inference.quantile(costs, 0.95),
        p50_latency=inference.quantile(latencies, 0.50),
        p90_latency=inference.quantile(latencies, 0.90),
        p95_latency=inference.quantile(latencies, 0.95),
        pass_rate=verdicts["pass"] / verdicts.total() if verdicts else None,
        na_rate=verdicts["na"] / verdicts.total() if verdicts else None,
        dominant_evaluation_name=_commonest(r.evaluation_name for r in rows) if evaluation else None,
        dominant_runtime=_commonest(r.evaluation_runtime for r in rows) if evaluation else None,
        avg_judge_cost=_mean(_positive(r.judge_cost_usd for r in rows)) if evaluation else None,
        sentiment=dict(sentiment) if sentiment else None,
    )


def estimates(size: int, run_size: int, rows: Sequence[ItemMetrics]) -> Estimates:
    """Estimate what a cluster is like, each figure with its 95 % interval.

    Means of cost and tokens are over items with data with unknown counted as zero (so that they add up to
    the bill), and unknown where no item has a value; latency is over items that have one; quantiles are
    over positive values. Values count every item; intervals count what was observed once (see `distinct`).

    Args:
        size: Item keys in the cluster.
        run_size: Item keys in the run, noise included.
        rows: What is known of the cluster's items, at most one row an item.
    """
    data, once = [row for row in rows if row.has_data], distinct(rows).values()

    def both(read: Callable[[ItemMetrics], float | None]) -> tuple[list[float | None], list[float | None]]:
        return [read(row) for row in data], [read(row) for row in once]

    cost, latency = both(lambda row: row.cost_usd), both(lambda row: row.latency_s)
    known = [[seconds for seconds in side if seconds is not None] for side in latency]
    failed = [sum(row.error_events > 0 for row in some) for some in (data, once)]
    return Estimates(
        share=_proportion(size, run_size, size, run_size),
        mean_cost_usd=_mean_of(*cost),
        median_cost_usd=_quantile(*cost, 0.5, MEDIAN_MIN_N),
        mean_latency_s=_mean_of(*known),
        median_latency_s=_quantile(*latency, 0.5, MEDIAN_MIN_N),
        p95_latency_s=_quantile(*latency, 0.95, P95_MIN_N),
        mean_tokens=_mean_of(*both(lambda row: row.tokens)),
        error_rate=_proportion(failed[0], len(data), failed[1], len(once)),
    )


def distinct(rows: Iterable[ItemMetrics]) -> dict[str, ItemMetrics]:
    """Give rows with data by what they were observed of, in its order.

    Several evaluations may judge one generation, whose figures all of them show: it is one observation.
    """
    return dict(sorted({row.target_id or row.key: row for row in rows if row.has_data}.items()))


def distributions(rows: Sequence[ItemMetrics]) -> Distributions:
    """Give the distributions of cost and latency of items with data."""
    data = [row for row in rows if row.has_data]
    return Distributions(
        cost_usd=distribution(row.cost_usd for row in data),
        latency_s=distribution(row.latency_s for row in data),
    )


def distribution(values: Iterable[float | None]) -> Distribution | None:
    """Give type-7 quantiles of the positive values; ``None`` where there is none."""
    kept = _positive(values)
    if not kept:
        return None
    p5, p25, p50, p75, p90, p95 = (
        inference.sorted_quantile(kept, q) for q in (0.05, 0.25, 0.5, 0.75, 0.9, 0.95)
    )
    return Distribution(n=len(kept), p5=p5, p25=p25, p50=p50, p75=p75, p90=p90, p95=p95)


def _positive(values: Iterable[float | None]) -> list[float]:
    """Keep positive finite values, in ascending order."""
    return sorted(value for value in values if value is not None and 0 < value < math.inf)


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _commonest(names: Iterable[str | None]) -> str | None:
    counts = Counter(name for name in names if name)
    return min(counts, key=lambda name: (-counts[name], name), default=None)


def _proportion(part: int, whole: int, once: int, of: int) -> Estimate:
    """Estimate a proportion; its interval rests on `once` distinct ones out of `of`."""
    if whole <= 0:
        return _UNKNOWN
    value, (low, high) = part / whole, inference.wilson(once, of)
    return Estimate(value=value, low=min(low, value), high=max(high, value), n=whole, method="wilson")


def _mean_of(values: Sequence[float | None], once: Sequence[float | None]) -> Estimate:
    """Estimate a mean, unknown as 0; its interval rests on distinct observations alone."""
    if all(value is None for value in values):
        return Estimate(value=None, low=None, high=None, n=len(values), method="none")
    mean = math.fsum(value or 0.0 for value in values) / len(values)
    distinct = [value or 0.0 for value in once]
    limits = inference.log_t(distinct)
    if limits is None:
        return Estimate(value=mean, low=None, high=None, n=len(values), method="none")
    moved = mean / (math.fsum(distinct) / len(distinct))
    return Estimate(value=mean, low=limits[0] * moved, high=limits[1] * moved, n=len(values), method="log-t")


def _quantile(values: Sequence[float | None], once: Sequence[float | None], q: float, min_n: int) -> Estimate:
    """Estimate a quantile of positive values; its interval rests on distinct observations alone."""
    ordered, distinct = _positive(values), _positive(once)
    value = inference.quantile(ordered, q)
    limits = inference.order_statistic(distinct, q) if len(distinct) >= min_n else None
    if value is None or limits is None:
        return Estimate(value=value, low=None, high=None, n=len(ordered), method="none")
    low, high = min(limits[0], value), max(limits[1], value)
    return Estimate(value=value, low=low, high=high, n=len(ordered), method="order-statistic")
