"""Two samples that may share items, compared: shares, means, error rates.

Two runs a day apart hold many of the same items; treating them as independent would make every interval
far too wide. Each function takes the overlap and lets it cancel. "a" is the prior side, "b" the latest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from reporter.analysis.inference import Z95 as _Z
from reporter.analysis.inference import Limits, t_quantile, two_sided_t, two_sided_z, wilson

Values: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]

TAU = 0.15
"""Spread (log scale) by which re-clustering alone moves a share between runs without common items."""
TAU_FLOOR, TAU_BRIDGED = 0.08, 0.12
"""The least that is believed of it, and what is left where runs between measured it."""
_TAKEN_OFF = 0.75
NET_MIN_SHARED = 10
"""Shared items both clusters need before re-clustering is measured rather than assumed."""
_INFLATION_CAP = 1.3


@dataclass(frozen=True, slots=True)
class Contrast:
    """Latest against prior; limits are 95 % and ``None`` where no interval can be given."""

    difference: float | None
    low: float | None
    high: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    p_value: float | None
    method: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """Counts of items that both runs sampled."""

    shared: int
    """In both runs, anywhere."""
    in_prior: int
    """Of those, in the prior cluster."""
    in_latest: int
    """Of those, in the latest cluster."""
    in_both: int
    """Of those, in both clusters."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Values of one quantity on both sides, and which of them belong to the same items."""

    a: Values
    b: Values
    shared_a: Places
    """Positions in `a` of items present on both sides."""
    shared_b: Places
    """Positions in `b` of the same items, in the same order."""

    @property
    def turned(self) -> Pairing:
        """The same the other way round."""
        return Pairing(self.b, self.a, self.shared_b, self.shared_a)

    @property
    def is_second(self) -> bool:
        """Whether, of both ways round, it is the other one that draws are made for.

        Random draws are shared by both, so that one gives the mirror of the other.
        """
        return (len(self.a), *np.sort(self.a)) > (len(self.b), *np.sort(self.b))


NO_OVERLAP = Overlap(0, 0, 0, 0)


def share_growth(
    x_a: int,
    n_a: int,
    x_b: int,
    n_b: int,
    overlap: Overlap = NO_OVERLAP,
    tau: float = TAU,
    moved: float | None = None,
) -> Contrast:
    """Compare the shares x/n of a matched pair of clusters, net of re-clustering where it can be measured.

    Method: log ratio of shares with a delta-method variance from item influence. Items in both samples
    carry no change of traffic, so what they do measures how the borders moved: with at least 10 of them in
    each cluster, the growth is ``log(p_b/p_a) - log(m_b/m_a)`` (m = shared items in the cluster) and an
    item that stays cancels. Re-clustering that cannot be measured adds ``(tau u)**2`` to the variance, u
    the part of the items not shared. With fewer, what runs between the two say of the borders is taken off,
    three quarters of it (the slope of growth on it among unchanged clusters, for it has an error of its own),
    and leaves a spread of 0.12; without such runs nothing is taken off and tau counts in full. The difference
    is the growth times the logarithmic mean of the two shares, which without a net figure is ``p_b - p_a``;
    its interval is scaled alike, so difference and ratio always agree about zero, and both runs in the other
    order give its negative.

    Args:
        x_a: Items of the prior cluster, at least 1.
        n_a: Items of the prior run.
        x_b: Items of the latest cluster, at least 1.
        n_b: Items of the latest run.
        overlap: Items in both runs.
        tau: Spread of re-clustering on the log scale.
        moved: Growth that border moves explain, as runs between the two show it; ``None`` if unknown.
    """
    net = min(overlap.in_prior, overlap.in_latest) >= NET_MIN_SHARED
    border_a, border_b = (1 / overlap.in_prior, 1 / overlap.in_latest) if net else (0.0, 0.0)
    growth = math.log(x_b / n_b) - math.log(x_a / n_a)
    method, spread = "share-growth", tau
    if net:
        growth -= math.log(overlap.in_latest / overlap.in_prior)
        method, spread = "share-growth-net", tau * (1 - 2 * overlap.shared / (n_a + n_b))
    elif moved is not None:
        growth -= _TAKEN_OFF * moved
        method, spread = "share-growth-bridged", min(tau, TAU_BRIDGED)
    out_a, out_b = 1 / n_a, 1 / n_b
    in_a, in_b = 1 / x_a - out_a - border_a, 1 / x_b - out_b - border_b
    only_a, only_b = x_a - overlap.in_prior, x_b - overlap.in_latest
    variance = math.fsum(
        (
            only_a * (1 / x_a - out_a) ** 2,
            (n_a - overlap.shared - only_a) * out_a**2,
            only_b * (1 / x_b - out_b) ** 2,
            (n_b - overlap.shared - only_b) * out_b**2,
            overlap.in_both * (in_b - in_a) ** 2,
            (overlap.in_latest - overlap.in_both) * (in_b + out_a) ** 2,
            (overlap.in_prior - overlap.in_both) * (-out_b - in_a) ** 2,
            (overlap.shared - overlap.in_prior - overlap.in_latest + overlap.in_both) * (out_a - out_b) ** 2,
        )
    )
    se = math.sqrt(max(0.0, variance) + spread**2)
    ratio = math.exp(growth)
    scale = logarithmic_mean(x_a / n_a, x_b / n_b)
    low, high = growth - _Z * se, growth + _Z * se
    return Contrast(
        difference=scale * growth,
        low=scale * low,
        high=scale * high,
        ratio=ratio,
        ratio_low=math.exp(low),
        ratio_high=math.exp(high),
        p_value=two_sided_z(growth / se) if se > 0 else 1.0,
        method=method,
    )


def logarithmic_mean(a: float, b: float) -> float:
    """Give ``(b - a) / log(b / a)``, the mean that turns a log ratio of a and b into their difference."""
    growth = math.log(b / a)
    return (b - a) / growth if abs(growth) > 1e-9 else (a + b) / 2


def mean_change(pair: Pairing, null: float = 0.0) -> Contrast:
    """Compare two means of non-negative values, as a ratio and as a difference.

    Method: ratio of means by the delta method on the log scale with item influence (shared items cancel),
    Student's t with Welch's degrees of freedom, and the standard error inflated by at most 1.3 towards Cox's
    variance for log-normal data (Zhou & Gao 1997, Stat Med 16:783), not at all where a value is 0. The
    interval of the difference is MOVER (Zou & Donner 2008, Stat Med 27:1693) from the two log-t intervals;
    with shared items, whose influence cancels, the delta method on the difference itself (MOVER's skewed
    limits would not cancel). Fewer than two values on a side or a mean of 0 give no interval. The p-value is
    that of a log ratio of `null`.
    """
    a, b = pair.a, pair.b
    if not len(a) or not len(b):
        return Contrast(None, None, None, None, None, None, None, "none")
    mean_a, mean_b = math.fsum(a) / len(a), math.fsum(b) / len(b)
    difference = mean_b - mean_a
    ratio = mean_b / mean_a if mean_a > 0 and mean_b > 0 else None
    if ratio is None or min(len(a), len(b)) < 2:
        return Contrast(difference, None, None, ratio, None, None, None, "none")
    psi_a, psi_b = (a / mean_a - 1) / len(a), (b / mean_b - 1) / len(b)
    v_a, v_b = float(psi_a @ psi_a), float(psi_b @ psi_b)
    cov = float(psi_a[pair.shared_a] @ psi_b[pair.shared_b])
    inflation = _inflation(a, b, v_a, v_b)
    correction = min(len(a), len(b)) / (min(len(a), len(b)) - 1)
    se = inflation * math.sqrt(max(0.0, v_a + v_b - 2 * cov) * correction)
    df = (v_a + v_b) ** 2 / (v_a**2 / (len(a) - 1) + v_b**2 / (len(b) - 1)) if v_a + v_b > 0 else 1.0
    log_ratio, width = math.log(ratio), min(t_quantile(df) * se, 700.0)
    if len(pair.shared_a):
        spread = math.sqrt(
            max(0.0, mean_a**2 * v_a + mean_b**2 * v_b - 2 * mean_a * mean_b * cov) * correction
        )
        half = min(t_quantile(df), 1e6) * inflation * spread
        low, high = difference - half, difference + half
    else:
        limits_a = _log_limits(mean_a, v_a, len(a), inflation)
        limits_b = _log_limits(mean_b, v_b, len(b), inflation)
        low, high = mover(mean_a, limits_a, mean_b, limits_b, 0.0)
    p_value = two_sided_t((log_ratio - null) / se, df) if se > 0 else 1.0 if log_ratio == null else None
    return Contrast(
        difference,
        low,
        high,
        ratio,
        math.exp(log_ratio - width),
        math.exp(log_ratio + width),
        p_value,
        "log-ratio",
    )


def rate_change(k_a: int, n_a: int, k_b: int, n_b: int, shared: int = 0, null: float = 0.0) -> Contrast:
    """Compare two proportions k/n, of which `shared` items are the same on both sides.

    Method: Newcombe's hybrid score interval (1998, Stat Med 17:873, method 10), with the correlation
    ``shared / sqrt(n_a n_b)`` that common items bring (an item's error is the same in both runs);
    two-sided z test of a difference of `null` with the pooled proportion. A ratio is given only where both
    proportions are positive, without limits.
    """
    p_a, p_b = k_a / n_a, k_b / n_b
    rho = min(1.0, shared / math.sqrt(n_a * n_b))
    low, high = mover(p_a, wilson(k_a, n_a), p_b, wilson(k_b, n_b), rho)
    pooled = (k_a + k_b) / (n_a + n_b)
    variance = pooled * (1 - pooled) * (1 / n_a + 1 / n_b - 2 * shared / (n_a * n_b))
    if variance > 1e-15:
        p_value: float | None = two_sided_z((p_b - p_a - null) / math.sqrt(variance))
    else:
        p_value = 1.0 if k_a * n_b == k_b * n_a else None
    ratio = p_b / p_a if p_a > 0 and p_b > 0 else None
    return Contrast(p_b - p_a, low, high, ratio, None, None, p_value, "newcombe")


def mover(a: float, limits_a: Limits, b: float, limits_b: Limits, rho: float) -> Limits:
    """Give the interval of b - a from the intervals of both and their correlation.

    Method: MOVER (method of variance estimates recovery; Zou & Donner 2008), which for Wilson limits
    and rho = 0 is Newcombe's method 10.
    """
    below_b, above_b, below_a, above_a = b - limits_b[0], limits_b[1] - b, a - limits_a[0], limits_a[1] - a
    low = below_b**2 - 2 * rho * below_b * above_a + above_a**2
    high = above_b**2 - 2 * rho * above_b * below_a + below_a**2
    return b - a - math.sqrt(max(0.0, low)), b - a + math.sqrt(max(0.0, high))


def _inflation(a: Values, b: Values, v_a: float, v_b: float) -> float:
    """Give how far the standard error is widened towards what log-normal data would need, 1 to 1.3."""
    if min(a.min(), b.min()) <= 0 or v_a + v_b <= 0:
        return 1.0
    wanted = 0.0
    for values, v in ((a, v_a), (b, v_b)):
        s2 = float(np.log(values).var(ddof=1))
        wanted += max(v, s2 / len(values) + s2 * s2 / (2 * (len(values) - 1)))
    return min(_INFLATION_CAP, max(1.0, math.sqrt(wanted / (v_a + v_b))))


def _log_limits(mean: float, v: float, n: int, inflation: float) -> Limits:
    width = min(t_quantile(n - 1) * inflation * math.sqrt(v * n / (n - 1)), 700.0)
    return mean * math.exp(-width), mean * math.exp(width)
