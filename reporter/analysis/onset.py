"""When a share rose and fell back, and how much more failed than was to be expected.

Counts of calls and failed calls in equal buckets of time, against a usual share from a baseline.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reporter.analysis.inference import Z95
from reporter.report import Excess

Counts = NDArray[np.int64]
_EXACT = 200_000
"""Calls up to which the distribution of expected failures is summed exactly."""


@dataclass(frozen=True, slots=True)
class Rise:
    """A span of buckets in which a share was above the usual one."""

    start: int
    """First bucket."""
    stop: int
    """Bucket after the last."""
    p_value: float
    """Over all spans there are, Bonferroni; 1 at most."""


def usual(failed: float, calls: float) -> float:
    """Give the usual share: the posterior mean under Jeffreys' prior, so that it is never 0."""
    return (failed + 0.5) / (calls + 1.0)


def dispersion(calls: Sequence[int], failed: Sequence[int]) -> float:
    """Say how much more failures vary between buckets than chance alone makes them, at least 1.

    Method: Pearson's chi-squared over its degrees of freedom (McCullagh & Nelder 1989, §4.5), over buckets
    with calls; failures come in bursts, because one trace tries again.
    """
    n = np.asarray(calls, dtype=float)
    f = np.asarray(failed, dtype=float)
    f, n = f[n > 0], n[n > 0]
    if len(n) < 2 or not n.sum():
        return 1.0
    p = usual(f.sum(), n.sum())
    return max(1.0, float((np.square(f - n * p) / (n * p * (1 - p))).sum() / (len(n) - 1)))


def rise(calls: Counts, failed: Counts, share: float, spread: float = 1.0) -> Rise | None:
    """Find the span of buckets in which a share was most surely above the usual one.

    Method: maximum of the binomial likelihood ratio over all spans (a scan statistic; Kulldorff 1997, Commun
    Stat 26:1481, in one dimension), divided by the dispersion; the p-value is the chi-squared tail times the
    number of spans.

    Args:
        calls: Calls in each bucket.
        failed: Failed calls in each bucket.
        share: The usual share, above 0 and below 1.
        spread: Dispersion, at least 1.

    Returns:
        The span; ``None`` where no span has a higher share.
    """
    n = np.concatenate(([0.0], np.cumsum(calls, dtype=float)))
    f = np.concatenate(([0.0], np.cumsum(failed, dtype=float)))
    count = len(n) - 1
    starts, stops = np.triu_indices(count + 1, 1)
    some, bad = n[stops] - n[starts], f[stops] - f[starts]
    with np.errstate(divide="ignore", invalid="ignore"):
        there = np.where(some > 0, bad / some, 0.0)
        ratio = special.xlogy(bad, there / share) + special.xlogy(some - bad, (1 - there) / (1 - share))
    ratio = np.where((some > 0) & (there > share), ratio, -1.0)
    if not len(ratio) or ratio.max() <= 0:
        return None
    # Of equal spans the shortest: buckets without a call at its ends say nothing.
    best = np.flatnonzero(ratio >= ratio.max() - 1e-9)
    at = best[np.argmin(stops[best] - starts[best])]
    tail = float(special.chdtrc(1.0, 2.0 * ratio[at] / spread))
    return Rise(int(starts[at]), int(stops[at]), min(1.0, tail * len(ratio)))


def excess_failed(during: tuple[int, int], before: tuple[int, int], spread: float = 1.0) -> Excess | None:
    """Say how many calls failed beyond those that usually would have.

    Method: posterior predictive of a binomial under Jeffreys' prior (beta-binomial; Gelman et al. 2013,
    §2.4), its quantiles moved from its mean by the root of the dispersion.

    Args:
        during: Calls and failed calls of the incident.
        before: The same of the baseline.
        spread: Dispersion of failures, at least 1.

    Returns:
        Failed calls minus expected ones with their 95 % interval; ``None`` without a baseline.
    """
    calls, failed = during
    if not before[0]:
        return None
    a, b = before[1] + 0.5, before[0] - before[1] + 0.5
    mean = calls * a / (a + b)
    low, high = _predicted(calls, a, b)
    factor = math.sqrt(spread)
    most, least = mean + (high - mean) * factor, max(0.0, mean - (mean - low) * factor)
    return Excess(value=failed - mean, low=failed - most, high=failed - least)


def more_failed(during: tuple[int, int], before: tuple[int, int], spread: float = 1.0) -> float:
    """Test whether more calls failed than usually would have; one-sided.

    Method: tail of the beta-binomial predictive distribution (see `excess_failed`), with calls and failed
    calls of the incident divided by the dispersion, as its effective numbers.

    Returns:
        The p-value; 1 without a baseline or a failed call.
    """
    calls, failed = (max(1, round(count / spread)) if count else 0 for count in during)
    failed = min(failed, calls)
    if not failed or not before[0]:
        return 1.0
    a, b = before[1] + 0.5, before[0] - before[1] + 0.5
    if calls > _EXACT:
        p = a / (a + b)
        deviation = math.sqrt(calls * p * (1 - p) * (a + b + calls) / (a + b + 1))
        return float(special.ndtr(-(failed - 0.5 - calls * p) / deviation))
    return min(1.0, float(np.exp(_log_weights(calls, a, b)[failed:]).sum()))


def _log_weights(n: int, a: float, b: float) -> NDArray[np.float64]:
    """Give the logarithms of a beta-binomial distribution's probabilities of 0 to n."""
    k = np.arange(n + 1, dtype=float)
    ways = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    weights: NDArray[np.float64] = ways + special.betaln(k + a, n - k + b) - special.betaln(a, b)
    return weights


def _predicted(n: int, a: float, b: float) -> tuple[float, float]:
    """Give the 2.5 % and 97.5 % quantiles of a beta-binomial distribution."""
    if n > _EXACT:
        p = a / (a + b)
        deviation = math.sqrt(n * p * (1 - p) * (a + b + n) / (a + b + 1))
        return n * p - Z95 * deviation, n * p + Z95 * deviation
    below = np.cumsum(np.exp(_log_weights(n, a, b)))
    low, high = (min(n, int(np.searchsorted(below, q))) for q in (0.025, 0.975))
    return float(low), float(high)


def excess_cost(during: tuple[int, float], costs: Sequence[float]) -> Excess | None:
    """Say how much was spent beyond what as many calls usually cost.

    Method: prediction interval of a sum from the mean and variance of the baseline's calls (normal).

    Args:
        during: Calls of the incident and what they cost, USD.
        costs: Sum, sum of squares and number of the baseline's costs a call.

    Returns:
        USD; ``None`` with fewer than two calls in the baseline.
    """
    total, squares, number = costs
    if number < 2:
        return None
    mean = total / number
    variance = max(0.0, (squares - total * mean) / (number - 1))
    calls, spent = during
    half = Z95 * math.sqrt(calls * variance + calls * calls * variance / number)
    return Excess(
        value=spent - calls * mean, low=spent - calls * mean - half, high=spent - calls * mean + half
    )
