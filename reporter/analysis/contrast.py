"""Two samples that may share items, compared: shares, means, quantiles, error rates.

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
NET_MIN_SHARED = 10
"""Shared items both clusters need before re-clustering is measured rather than assumed."""
RESAMPLES = 999
_INFLATION_CAP = 1.3
_MANY = 1_000
"""Values on both sides together from which draws with common items are approximated."""


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


NO_OVERLAP = Overlap(0, 0, 0, 0)


def share_growth(
    x_a: int, n_a: int, x_b: int, n_b: int, overlap: Overlap = NO_OVERLAP, tau: float = TAU
) -> Contrast:
    """Compare the shares x/n of a matched pair of clusters, net of re-clustering where it can be measured.

    Method: log ratio of shares with a delta-method variance from item influence. Items in both samples
    carry no change of traffic, so what they do measures how the borders moved: with at least 10 of them in
    each cluster, the growth is ``log(p_b/p_a) - log(m_b/m_a)`` (m = shared items in the cluster) and an
    item that stays cancels. Re-clustering that cannot be measured adds ``(tau u)**2`` to the variance, u
    the part of the items not shared (all of it without a net figure). The difference is ``p_a (R - 1)``;
    its interval is that of log R scaled by the logarithmic mean of the two shares, so difference and ratio
    always agree about zero.

    Args:
        x_a: Items of the prior cluster, at least 1.
        n_a: Items of the prior run.
        x_b: Items of the latest cluster, at least 1.
        n_b: Items of the latest run.
        overlap: Items in both runs.
        tau: Spread of re-clustering on the log scale.
    """
    net = min(overlap.in_prior, overlap.in_latest) >= NET_MIN_SHARED
    border_a, border_b = (1 / overlap.in_prior, 1 / overlap.in_latest) if net else (0.0, 0.0)
    growth = math.log(x_b / n_b) - math.log(x_a / n_a)
    if net:
        growth -= math.log(overlap.in_latest / overlap.in_prior)
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
    unshared = 1 - 2 * overlap.shared / (n_a + n_b) if net else 1.0
    se = math.sqrt(max(0.0, variance) + (tau * unshared) ** 2)
    ratio = math.exp(growth)
    p_a = x_a / n_a
    difference = p_a * math.expm1(growth)
    scale = difference / growth if abs(growth) > 1e-12 else p_a
    low, high = growth - _Z * se, growth + _Z * se
    return Contrast(
        difference=difference,
        low=scale * low,
        high=scale * high,
        ratio=ratio,
        ratio_low=math.exp(low),
        ratio_high=math.exp(high),
        p_value=two_sided_z(growth / se) if se > 0 else 1.0,
        method="share-growth-net" if net else "share-growth",
    )


def mean_change(pair: Pairing) -> Contrast:
    """Compare two means of non-negative values, as a ratio and as a difference.

    Method: ratio of means by the delta method on the log scale with item influence (shared items cancel),
    Student's t with Welch's degrees of freedom, and the standard error inflated by at most 1.3 towards Cox's
    variance for log-normal data (Zhou & Gao 1997, Stat Med 16:783), not at all where a value is 0. The
    interval of the difference is MOVER (Zou & Donner 2008, Stat Med 27:1693) from the two log-t intervals;
    with shared items, whose influence cancels, the delta method on the difference itself (MOVER's skewed
    limits would not cancel). Fewer than two values on a side or a mean of 0 give no interval.
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
    p_value = two_sided_t(log_ratio / se, df) if se > 0 else 1.0 if log_ratio == 0 else None
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


def typical_p(pair: Pairing) -> float | None:
    """Test whether the typical (geometric mean) positive value changed.

    Method: Welch's t test on logs (Welch 1947), shared items handled by their influence.

    Returns:
        The two-sided p-value; ``None`` for fewer than two values on a side, a value that is not positive, or
        no spread at all.
    """
    if min(len(pair.a), len(pair.b)) < 2 or min(pair.a.min(), pair.b.min()) <= 0:
        return None
    a, b = np.log(pair.a), np.log(pair.b)
    psi_a, psi_b = (a - a.mean()) / len(a), (b - b.mean()) / len(b)
    v_a = float(psi_a @ psi_a) * len(a) / (len(a) - 1)
    v_b = float(psi_b @ psi_b) * len(b) / (len(b) - 1)
    smaller = min(len(a), len(b))
    variance = v_a + v_b - 2 * float(psi_a[pair.shared_a] @ psi_b[pair.shared_b]) * smaller / (smaller - 1)
    if variance <= 1e-18 * (v_a + v_b) or v_a + v_b <= 0:
        return None
    df = (v_a + v_b) ** 2 / (v_a**2 / (len(a) - 1) + v_b**2 / (len(b) - 1))
    return two_sided_t(float(b.mean() - a.mean()) / math.sqrt(variance), df)


def exceedance_p(pair: Pairing, q: float) -> float | None:
    """Test whether a quantile changed, by the share of values above the pooled quantile.

    Method: two-sample quantile test (Mood's median test taken to another quantile; Johnson et al. 1987)
    with the normal approximation, a continuity correction, and the variance reduced by shared items.
    """
    n_a, n_b = len(pair.a), len(pair.b)
    if not n_a or not n_b:
        return None
    cut = float(np.quantile(np.concatenate([pair.a, pair.b]), q))
    above_a, above_b = int((pair.a > cut).sum()), int((pair.b > cut).sum())
    pooled = (above_a + above_b) / (n_a + n_b)
    spread = 1 / n_a + 1 / n_b - 2 * len(pair.shared_a) / (n_a * n_b)
    if pooled <= 0 or spread <= 0:
        return 1.0 if above_a * n_b == above_b * n_a else None
    difference = abs(above_b / n_b - above_a / n_a) - (1 / n_a + 1 / n_b) / 2
    return two_sided_z(max(0.0, difference) / math.sqrt(pooled * (1 - pooled) * spread))


def quantile_change(pair: Pairing, qs: tuple[float, ...], seed: tuple[int, ...]) -> list[Contrast]:
    """Compare type-7 quantiles of positive values, without a test.

    Method: percentile bootstrap over items (Efron & Tibshirani 1993, ch. 13), 999 seeded resamples; items on
    both sides are drawn once for both. With common items among more than 1,000 values the draws come from
    Bahadur's representation (1966, Ann Math Stat 37:577), which is exact for large samples.

    Args:
        pair: At least one value on each side.
        qs: Quantiles, each between 0 and 1.
        seed: Non-negative numbers that fix the draws.

    Returns:
        One contrast a quantile, `p_value` left open.
    """
    rng = np.random.default_rng(seed)
    points = [(float(np.quantile(pair.a, q)), float(np.quantile(pair.b, q))) for q in qs]
    if len(pair.shared_a) and len(pair.a) + len(pair.b) > _MANY:
        drawn = [_approximated(pair, q, rng) for q in qs]
    elif len(pair.shared_a):
        drawn = _resampled(pair, qs, rng)
    else:
        drawn = [(_drawn(np.sort(pair.a), q, rng), _drawn(np.sort(pair.b), q, rng)) for q in qs]
    made = []
    for (a, b), (draws_a, draws_b) in zip(points, drawn, strict=True):
        low, high = np.quantile(draws_b - draws_a, (0.025, 0.975))
        ratio_low, ratio_high = np.quantile(draws_b / draws_a, (0.025, 0.975))
        made.append(
            Contrast(
                difference=b - a,
                low=min(float(low), b - a),
                high=max(float(high), b - a),
                ratio=b / a,
                ratio_low=min(float(ratio_low), b / a),
                ratio_high=max(float(ratio_high), b / a),
                p_value=None,
                method="bootstrap",
            )
        )
    return made


def rate_change(k_a: int, n_a: int, k_b: int, n_b: int, shared: int = 0) -> Contrast:
    """Compare two proportions k/n, of which `shared` items are the same on both sides.

    Method: Newcombe's hybrid score interval (1998, Stat Med 17:873, method 10), with the correlation
    ``shared / sqrt(n_a n_b)`` that common items bring (an item's error is the same in both runs);
    two-sided z test with the pooled proportion. A ratio is given only where both proportions are positive,
    without limits.
    """
    p_a, p_b = k_a / n_a, k_b / n_b
    rho = min(1.0, shared / math.sqrt(n_a * n_b))
    low, high = mover(p_a, wilson(k_a, n_a), p_b, wilson(k_b, n_b), rho)
    pooled = (k_a + k_b) / (n_a + n_b)
    variance = pooled * (1 - pooled) * (1 / n_a + 1 / n_b - 2 * shared / (n_a * n_b))
    if variance > 1e-15:
        p_value: float | None = two_sided_z((p_b - p_a) / math.sqrt(variance))
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


def _drawn(ordered: Values, q: float, rng: np.random.Generator) -> Values:
    """Draw bootstrap quantiles of one sample without resampling it.

    The r-th order statistic of n draws with replacement is the sample's value at floor(n U), U the r-th of n
    uniform numbers, Beta(r, n - r + 1); the next one up follows from the n - r that are left.
    """
    n = len(ordered)
    at = (n - 1) * q
    rank = math.floor(at) + 1
    first = rng.beta(rank, n - rank + 1, RESAMPLES)
    values = ordered[np.minimum((first * n).astype(np.int64), n - 1)]
    if at == rank - 1 or rank == n:
        return values
    second = 1 - (1 - first) * rng.random(RESAMPLES) ** (1 / (n - rank))
    above = ordered[np.minimum((second * n).astype(np.int64), n - 1)]
    return np.asarray(values + (above - values) * (at - rank + 1), dtype=np.float64)


def _resampled(pair: Pairing, qs: tuple[float, ...], rng: np.random.Generator) -> list[tuple[Values, Values]]:
    """Draw bootstrap quantiles of both sides; items present on both are drawn once."""
    alone_a = np.delete(pair.a, pair.shared_a)
    alone_b = np.delete(pair.b, pair.shared_b)
    both_a, both_b = pair.a[pair.shared_a], pair.b[pair.shared_b]
    a_at, b_at = np.empty((len(qs), RESAMPLES)), np.empty((len(qs), RESAMPLES))
    step = max(1, 2_000_000 // (len(pair.a) + len(pair.b)))
    for start in range(0, RESAMPLES, step):
        rows = min(step, RESAMPLES - start)
        both = rng.integers(0, len(both_a), (rows, len(both_a)))
        for at, alone, shared in ((a_at, alone_a, both_a), (b_at, alone_b, both_b)):
            drawn = [shared[both]]
            if len(alone):
                drawn.append(alone[rng.integers(0, len(alone), (rows, len(alone)))])
            at[:, start : start + rows] = np.quantile(np.concatenate(drawn, axis=1), qs, axis=1)
    return [(a_at[i], b_at[i]) for i in range(len(qs))]


def _approximated(pair: Pairing, q: float, rng: np.random.Generator) -> tuple[Values, Values]:
    """Draw bootstrap quantiles of two large samples with common items, without resampling them.

    A resampled quantile lies where the resampled share of values below the sample's quantile falls short
    of q; those shares follow from counts of items below on one side, on both, on none.
    """
    below_a, below_b = (side <= np.quantile(side, q) for side in (pair.a, pair.b))
    both_a, both_b = below_a[pair.shared_a], below_b[pair.shared_b]
    n = len(both_a)
    kinds = np.bincount(2 * both_a.astype(np.int64) + both_b, minlength=4)
    common = rng.multinomial(n, kinds / n, RESAMPLES)
    drawn = []
    for values, below, shared in (
        (pair.a, below_a, common[:, 2] + common[:, 3]),
        (pair.b, below_b, common[:, 1] + common[:, 3]),
    ):
        alone = len(values) - n
        held = int(below.sum()) - int(kinds[3]) - int(kinds[2] if values is pair.a else kinds[1])
        counted = shared + (rng.binomial(alone, held / alone, RESAMPLES) if alone else 0)
        at = np.clip(q + (below.mean() - counted / len(values)), 0.0, 1.0)
        drawn.append(np.asarray(np.interp(at * (len(values) - 1), np.arange(len(values)), np.sort(values))))
    return drawn[0], drawn[1]
