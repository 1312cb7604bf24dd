"""What a rule looks at: one figure, or its change, with interval and number of items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from reporter.analysis.gate_rules import JOB_METRICS, Rule
from reporter.report import ESTIMATES, Cluster, Estimate, JobSection, MetricChange, Metrics, Overall

Outcome: TypeAlias = Literal["passed", "failed", "warned", "waived", "not_enough_data", "not_comparable"]
LEAST = 10
"""Items below which a figure is not judged, where a rule does not say."""
LEAST_P95 = 60
"""The same of a 95th percentile."""
_COUNTED = ("item_count", "error_count", "total_cost", "share")
"""Figures that are what they are, however few items they rest on."""
_COUNTERPARTS = {
    "avg_cost": "mean_cost_usd",
    "avg_latency": "mean_latency_s",
    "avg_tokens": "mean_tokens",
    "p50_cost": "median_cost_usd",
    "p50_latency": "median_latency_s",
    "p95_latency": "p95_latency_s",
}
"""PostHog's figure → the estimate of the same thing, which has an interval."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a rule looks at, in one place."""

    value: float | None
    low: float | None
    high: float | None
    n: int | None
    outcome: Outcome | None = None
    """Why it cannot be judged; ``None`` where it can."""


def figure(rule: Rule, min_n: int | None, section: JobSection, subject: Cluster | None) -> Figure | None:
    """Read the figure a rule is about; ``None`` where the rule does not concern the cluster."""
    if section.overall is None:
        return Figure(None, None, None, None, "not_enough_data")
    if rule.metric in JOB_METRICS:
        return _of_run(rule, section)
    held: Cluster | Overall = subject if subject is not None else section.overall
    estimate = _estimate(held, rule.metric)
    if not rule.compares:
        value = _value(held, rule.metric)
        n = estimate.n if estimate is not None else held.metrics.item_count
        if value is None or n < _least(min_n, rule.metric):
            return Figure(value, None, None, n, "not_enough_data")
        low, high = _scaled(estimate, value)
        return Figure(value, low, high, n)
    return _change(rule, min_n, section, held, estimate)


def is_compared(section: JobSection) -> bool:
    """Say whether a run has a prior one that it can be compared with."""
    return section.comparability is not None and section.comparability.comparable


def _change(
    rule: Rule, min_n: int | None, section: JobSection, held: Cluster | Overall, estimate: Estimate | None
) -> Figure | None:
    """Read how much a figure changed since the prior run."""
    if not is_compared(section):
        return Figure(None, None, None, None, "not_comparable")
    if held.change is None or (isinstance(held, Cluster) and not held.change.metrics):
        return None  # new, split and merged clusters have nothing of their own to be compared with
    tested = held.change.metrics.get(_COUNTERPARTS.get(rule.metric, rule.metric))
    n = estimate.n if estimate is not None else held.metrics.item_count
    latest, prior = _both(held, rule.metric, tested)
    few = n < _least(min_n, rule.metric)
    untested = min_n is None and tested is not None and tested.call == "not_enough_data"
    if latest is None or prior is None or few or untested:
        return Figure(None, None, None, n, "not_enough_data")
    return (
        _relative(rule, latest, prior, tested, n)
        if rule.relative
        else _absolute(rule, latest - prior, tested, n)
    )


def _absolute(rule: Rule, difference: float, tested: MetricChange | None, n: int) -> Figure:
    if rule.metric in ESTIMATES and tested is not None and tested.difference is not None:
        return Figure(tested.difference, tested.low, tested.high, n)
    return Figure(difference, None, None, n)


def _relative(rule: Rule, latest: float, prior: float, tested: MetricChange | None, n: int) -> Figure:
    if prior == 0:
        # There is no percentage of nothing. A rise that passed its test is one all the same.
        rose = latest > 0 and tested is not None and tested.call in ("changed", "probably_changed")
        return Figure(None, None, None, n, "failed" if rose and rule.way == "+" else "not_enough_data")
    value = latest / prior - 1
    ratio = tested.ratio if tested is not None else None
    if ratio is not None and ratio.low is not None and ratio.high is not None and ratio.value > 0:
        scale = (latest / prior) / ratio.value
        return Figure(value, ratio.low * scale - 1, ratio.high * scale - 1, n)
    if tested is not None and tested.low is not None and tested.high is not None and prior > 0:
        return Figure(value, tested.low / prior, tested.high / prior, n)
    return Figure(value, None, None, n)


def _both(
    held: Cluster | Overall, metric: str, tested: MetricChange | None
) -> tuple[float | None, float | None]:
    """Give a figure of both runs."""
    if metric in ESTIMATES and tested is not None:
        return tested.latest, tested.prior
    before = held.prior_metrics
    return _number(held.metrics, metric), None if before is None else _number(before, metric)


def _number(metrics: Metrics, name: str) -> float | None:
    value = getattr(metrics, name, None)
    return float(value) if isinstance(value, int | float) else None


def _value(held: Cluster | Overall, metric: str) -> float | None:
    if metric == "share" and isinstance(held, Cluster):
        return held.share
    if metric in ESTIMATES:
        level: Estimate = getattr(held.estimates, metric)
        return level.value
    return _number(held.metrics, metric)


def _estimate(held: Cluster | Overall, metric: str) -> Estimate | None:
    name = _COUNTERPARTS.get(metric, metric)
    return getattr(held.estimates, name) if name in ESTIMATES else None


def _scaled(estimate: Estimate | None, value: float) -> tuple[float | None, float | None]:
    """Give the interval of the estimate of the same thing, moved to the figure itself."""
    if estimate is None or estimate.low is None or estimate.high is None or estimate.value is None:
        return None, None
    if estimate.value == value or not estimate.value:
        return estimate.low, estimate.high
    return estimate.low * value / estimate.value, estimate.high * value / estimate.value


def _least(min_n: int | None, metric: str) -> int:
    if min_n is not None:
        return min_n
    if metric in _COUNTED:
        return 0
    return LEAST_P95 if metric.startswith("p95") else LEAST


def _of_run(rule: Rule, section: JobSection) -> Figure:
    """Give the share of a run's items in new, or of the prior one's in gone clusters."""
    if not is_compared(section):
        return Figure(None, None, None, None, "not_comparable")
    if rule.metric == "new_share":
        new = {
            c.cluster_id for c in section.clusters if c.change is not None and c.change.transition == "new"
        }
        return Figure(
            sum(c.share for c in section.clusters if c.cluster_id in new), None, None, _items(section, "new")
        )
    return Figure(sum(gone.share for gone in section.gone), None, None, _items(section, "gone"))


def _items(section: JobSection, kind: str) -> int:
    if kind == "gone":
        return sum(gone.size for gone in section.gone)
    return sum(c.size for c in section.clusters if c.change is not None and c.change.transition == "new")
