"""Quantiles of two samples that may share items, compared by drawing the items again and again."""

from __future__ import annotations

import math

import numpy as np

from reporter.analysis.contrast import Contrast, Pairing, Values

RESAMPLES = 999
_MANY = 1_000
"""Values on both sides together from which draws with common items are approximated."""


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
    if pair.is_second:
        return [_mirrored(made) for made in quantile_change(pair.turned, qs, seed)]
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


def _mirrored(made: Contrast) -> Contrast:
    """Turn latest against prior into prior against latest."""

    def negative(x: float | None) -> float | None:
        return None if x is None else -x

    def inverse(x: float | None) -> float | None:
        return None if not x else 1 / x

    return Contrast(
        difference=negative(made.difference),
        low=negative(made.high),
        high=negative(made.low),
        ratio=inverse(made.ratio),
        ratio_low=inverse(made.ratio_high),
        ratio_high=inverse(made.ratio_low),
        p_value=made.p_value,
        method=made.method,
    )


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
