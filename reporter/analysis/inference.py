"""Intervals of single quantities, and what to do about many tests.

Every function names its method and source. Two-sample comparisons live in `contrast`. Values are plain
floats; 95 % is two-sided throughout, quantile functions come from `scipy.special`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import special

Limits = tuple[float, float]
Z95 = 1.959963984540054
"""97.5th percentile of the standard normal distribution."""


def wilson(successes: int, n: int) -> Limits:
    """Give the 95 % score interval of a proportion.

    Method: Wilson's score interval without continuity correction (Wilson 1927; Newcombe 1998,
    Stat Med 17:857, method 3). At 0 of n the lower limit is exactly 0, at n of n the upper exactly 1.

    Args:
        successes: 0 to `n`.
        n: At least 1.
    """
    p, z2 = successes / n, Z95 * Z95
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return min(low, p), max(high, p)


def t_quantile(df: float) -> float:
    """Give the 97.5th percentile of Student's t with `df` degrees of freedom (any positive number)."""
    return float(special.stdtrit(df, 0.975))


def two_sided_t(t: float, df: float) -> float:
    """Give the two-sided p-value of a t statistic."""
    return min(1.0, 2.0 * float(special.stdtr(df, -abs(t))))


def two_sided_z(z: float) -> float:
    """Give the two-sided p-value of a standard normal statistic."""
    return min(1.0, 2.0 * float(special.ndtr(-abs(z))))


def log_t(values: Sequence[float]) -> Limits | None:
    """Give the 95 % interval of a mean of non-negative values, made on the log scale.

    Method: delta method with Student's t: ``exp(log m ± t(n-1) * s / (m sqrt n))`` with the sample
    standard deviation s (n - 1). The limits stay positive, as a cost must.

    Returns:
        The limits; ``None`` for fewer than two values or a mean that is not positive.
    """
    n = len(values)
    if n < 2:
        return None
    mean = math.fsum(values) / n
    if mean <= 0 or not math.isfinite(mean):
        return None
    # Relative deviations: no overflow for huge values, no underflow for tiny ones.
    relative = math.sqrt(math.fsum((value / mean - 1) ** 2 for value in values) / (n - 1) / n)
    width = min(t_quantile(n - 1) * relative, 700.0)
    return mean * math.exp(-width), mean * math.exp(width)


def quantile(values: Sequence[float], q: float) -> float | None:
    """Give a sample quantile by linear interpolation (Hyndman & Fan 1996, type 7); ``None`` if empty."""
    return sorted_quantile(sorted(values), q) if values else None


def sorted_quantile(ordered: Sequence[float], q: float) -> float:
    """Give the type-7 quantile of values already in ascending order; at least one is needed."""
    at = (len(ordered) - 1) * q
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def order_statistic(ordered: Sequence[float], q: float) -> Limits | None:
    """Give a distribution-free interval of a quantile that covers at least 95 %.

    Method: binomial interval between order statistics (Conover, Practical Nonparametric Statistics, §3.2).
    With B ~ Binomial(n, q) the upper limit is the u-th value, u the smallest with P(B <= u-1) >= 0.975, the
    lower one the l-th, l the greatest with P(B <= l-1) <= 0.025. Where no such u exists (a 95th percentile
    with 60 to 71 values) the largest value is taken and the lower tail gets what is left of 5 %.

    Args:
        ordered: Values in ascending order.
        q: Between 0 and 1.

    Returns:
        The limits; ``None`` where so few values cannot give 95 %.
    """
    n = len(ordered)
    if n == 0:
        return None
    below = special.bdtr(range(n), n, q)  # P(B <= k), k = 0 .. n-1
    upper = next((k + 1 for k in range(n) if below[k] >= 0.975), n)
    tail = min(0.025, float(below[upper - 1]) - 0.95)
    lower = next((k + 1 for k in range(n - 1, -1, -1) if below[k] <= tail), None)
    if lower is None:
        return None
    return ordered[lower - 1], ordered[upper - 1]


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Give q-values: the smallest false discovery rate at which each test is rejected.

    Method: step-up procedure of Benjamini & Hochberg (1995, JRSS B 57:289) as adjusted p-values.

    Returns:
        One q-value a p-value, in the same order, each at most 1.
    """
    n = len(p_values)
    order = sorted(range(n), key=lambda i: p_values[i], reverse=True)
    adjusted, smallest = [0.0] * n, 1.0
    for position, index in enumerate(order):
        smallest = min(smallest, p_values[index] * n / (n - position))
        adjusted[index] = smallest
    return adjusted


def holm(p_values: Sequence[float]) -> list[float]:
    """Give adjusted p-values that control the chance of any false rejection.

    Method: step-down procedure of Holm (1979, Scand J Stat 6:65).

    Returns:
        One adjusted p-value a p-value, in the same order, each at most 1.
    """
    n = len(p_values)
    order = sorted(range(n), key=lambda i: p_values[i])
    adjusted, largest = [0.0] * n, 0.0
    for position, index in enumerate(order):
        largest = max(largest, min(1.0, p_values[index] * (n - position)))
        adjusted[index] = largest
    return adjusted
