"""Tests of whether two samples that may share items differ by more than the moves of cluster borders explain.

Borders between clusters move from run to run without any change in what people do. What they explain of a
change (`borders`) is the null hypothesis here: a ratio of 1.3 of which borders explain 1.2 is tested as 1.08.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from reporter.analysis.contrast import Pairing, Values
from reporter.analysis.inference import two_sided_t

DRAWS = (999, 9_999)
"""Permutations tried first, and where those leave less than `_CLOSE` in doubt."""
_CLOSE = 0.01
_LARGE = 2_000
"""Unshared values from which the central limit theorem is trusted rather than permutations."""
_AT_ONCE = 250_000


def typical_p(pair: Pairing, null: float = 0.0) -> float | None:
    """Test whether the typical (geometric mean) positive value changed by more than a factor exp(null).

    Method: Welch's t test on logs (Welch 1947), shared items handled by their influence.

    Returns:
        The two-sided p-value, 1 where nothing differs; ``None`` for fewer than two values on a side, a value
        that is not positive, or a difference without any spread.
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
        return 1.0 if a.mean() == b.mean() else None
    df = (v_a + v_b) ** 2 / (v_a**2 / (len(a) - 1) + v_b**2 / (len(b) - 1))
    return two_sided_t((float(b.mean() - a.mean()) - null) / math.sqrt(variance), df)


def exceedance_p(pair: Pairing, q: float, null: float = 0.0) -> float | None:
    """Test whether a quantile changed by more than a factor exp(null).

    Method: two-sample quantile test (Mood's median test taken to another quantile; Johnson et al. 1987): the
    items only one side has, above the pooled quantile or not, by Fisher's exact test (1935), two-sided by the
    smaller tail doubled. Items on both sides are the same values and carry no change.

    Returns:
        The p-value; 1 where neither side has an item of its own, ``None`` where only one has.
    """
    a, b = _alone(pair)
    if not len(a) and not len(b):
        return 1.0
    if not len(a) or not len(b):
        return None
    b = b * math.exp(-null)
    cut = float(np.quantile(np.concatenate([pair.a, pair.b * math.exp(-null)]), q))
    above_a, above_b = int((a > cut).sum()), int((b > cut).sum())
    return fisher_p(above_a, len(a), above_b, len(b))


def fisher_p(k_a: int, n_a: int, k_b: int, n_b: int) -> float:
    """Compare two independent proportions exactly.

    Method: Fisher's exact test (1935), the smaller tail of the hypergeometric distribution doubled.
    """
    k, low, high = k_a + k_b, max(0, k_a + k_b - n_a), min(k_a + k_b, n_b)
    counts = np.arange(low, high + 1, dtype=np.float64)
    all_ways = _log_choose(n_a + n_b, np.array([k], dtype=np.float64))
    chance = np.exp(_log_choose(n_b, counts) + _log_choose(n_a, k - counts) - all_ways)
    lower, upper = float(chance[counts <= k_b].sum()), float(chance[counts >= k_b].sum())
    return min(1.0, 2 * min(lower, upper))


def _log_choose(n: int, k: Values) -> Values:
    return np.asarray(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))


def permutation_p(pair: Pairing, null: float, seed: int) -> float | None:
    """Test whether a mean of non-negative values changed by more than a factor exp(null).

    Method: studentised permutation test of the log ratio of means (Janssen 1997, Stat Probab Lett 36:9;
    Chung & Romano 2013, Ann Stat 41:484). Only items that one side alone has are exchanged; the statistic of
    every draw is centred at the mean of all draws, which is where the items on both sides hold it. The same
    samples in either order give the same p-value.

    Args:
        pair: At least two values on each side, none negative, both means positive.
        null: Log ratio that borders explain.
        seed: Fixes the draws, 999 of them and 9,999 where those come out below 0.01.

    Returns:
        ``(1 + draws at least as extreme) / (1 + draws)``; ``None`` where a side has no item of its own, or
        so many that the t test of `contrast.mean_change` serves.
    """
    a, b = _alone(pair)
    if not len(a) or not len(b) or len(a) + len(b) > _LARGE:
        return None
    if pair.is_second:
        return permutation_p(pair.turned, -null, seed)
    pool = np.sort(np.concatenate([a, b]))
    common = _Common(pair)
    centred, se = common.statistic(np.array([a.sum()]), np.array([a @ a]), pool)
    observed = abs(float(centred[0]) - null) / max(float(se[0]), 1e-300)
    p_value = 1.0
    for draws in DRAWS:
        rng = np.random.default_rng((seed, len(a), len(b)))
        sums, squares = _drawn_sums(pool, len(a), draws, rng)
        ratios, errors = common.statistic(sums, squares, pool)
        told = np.abs(ratios - ratios.mean()) / np.maximum(errors, 1e-300)
        p_value = (1 + int((told >= observed * (1 - 1e-12)).sum())) / (1 + draws)
        if p_value >= _CLOSE:
            break
    return p_value


def _alone(pair: Pairing) -> tuple[Values, Values]:
    return np.delete(pair.a, pair.shared_a), np.delete(pair.b, pair.shared_b)


class _Common:
    """What the items on both sides add to each side's sums."""

    def __init__(self, pair: Pairing) -> None:
        a, b = pair.a[pair.shared_a], pair.b[pair.shared_b]
        self._n = (len(pair.a), len(pair.b))
        self._shared = len(a)
        self._sum, self._square, self._product = (a.sum(), b.sum()), (a @ a, b @ b), float(a @ b)

    def statistic(self, sums: Values, squares: Values, pool: Values) -> tuple[Values, Values]:
        """Give log ratio and standard error where the first side drew `sums` and `squares` of the pool."""
        sums_a, sums_b = self._sum[0] + sums, self._sum[1] + pool.sum() - sums
        squares_a, squares_b = self._square[0] + squares, self._square[1] + pool @ pool - squares
        n_a, n_b = self._n
        mean_a, mean_b = np.maximum(sums_a / n_a, 1e-300), np.maximum(sums_b / n_b, 1e-300)
        v_a = (squares_a / mean_a**2 / n_a - 1) / n_a
        v_b = (squares_b / mean_b**2 / n_b - 1) / n_b
        cov = self._product / mean_a / mean_b - self._sum[0] / mean_a - self._sum[1] / mean_b + self._shared
        variance = np.maximum(v_a + v_b - 2 * cov / n_a / n_b, 0.0)
        return np.log(mean_b / mean_a), np.sqrt(variance)


def _drawn_sums(pool: Values, size: int, draws: int, rng: np.random.Generator) -> tuple[Values, Values]:
    """Draw subsets of a pool; gives the sums of their values and of their squares, (draws,) each."""
    values, drawn = np.stack([pool, np.square(pool)], axis=1), np.empty((draws, 2))
    step = max(1, _AT_ONCE // len(pool))
    for start in range(0, draws, step):
        rows = slice(start, min(start + step, draws))
        keys = rng.random((rows.stop - rows.start, len(pool)), dtype=np.float32)
        chosen = keys <= np.partition(keys, size - 1, axis=1)[:, size - 1 : size]
        for row in np.flatnonzero(np.count_nonzero(chosen, axis=1) != size):  # keys that are equal
            chosen[row] = False
            chosen[row, np.argpartition(keys[row], size - 1)[:size]] = True
        drawn[rows] = chosen.astype(np.float64) @ values
    return drawn[:, 0], drawn[:, 1]
