"""How far cluster borders alone moved a figure between two runs.

Every run clusters anew. A cluster that takes a dear neighbour's items in costs more, though no trace does.
Items that two runs hold show where the borders were in either, whatever the traffic did in between.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reporter.analysis.contrast import TAU, TAU_FLOOR
from reporter.model import ItemMetrics, Membership

_BRIDGED, _BRIDGED_POINTS = 0.08, 0.005
"""Error of border moves that runs between tell: of a mean, log scale, and of an error rate, 0-1."""
_PAIRS, _RUNS = 5, 3
_NOISE = 0.8
_LEAST = 10
"""Items each cluster must have on a common scale before anything is read from it."""


@dataclass(frozen=True, slots=True)
class Moves:
    """What border moves explain of a change, latest against prior."""

    share: float | None = None
    """Log ratio, where runs between the two tell it; shared items tell it to `contrast.share_growth`."""
    mean: Mapping[str, float] = field(default_factory=dict)
    """Quantity → log ratio of means; missing where it cannot be told."""
    typical: Mapping[str, float] = field(default_factory=dict)
    """Quantity → log ratio of geometric means of positive values."""
    errors: float = 0.0
    """Difference of the error rates, 0-1."""
    slack: float = 0.20
    """What borders may have done beyond that to a mean, either way, log scale."""
    slack_points: float = 0.01
    """The same for an error rate, 0-1."""

    def of_mean(self, quantity: str, growth: float) -> float:
        """Give what borders explain of a growth (log ratio of means)."""
        return _explained(growth, self.mean.get(quantity, 0.0), self.slack)

    def of_typical(self, quantity: str, growth: float) -> float:
        """Give what borders explain of a growth (log ratio of quantiles)."""
        return _explained(growth, self.typical.get(quantity, 0.0), self.slack)

    def of_errors(self, difference: float) -> float:
        """Give what borders explain of a difference of error rates."""
        return _explained(difference, self.errors, self.slack_points)


QUANTITIES = ("cost", "latency", "tokens")
UNKNOWN = Moves()
STILL = Moves(slack=0.0, slack_points=0.0)
"""A whole run has no borders."""


def _explained(change: float, moved: float, slack: float) -> float:
    """Give the part of a change that borders explain: never against it, never more than it.

    Borders that moved the other way would make a change look larger than anything that was measured.
    """
    most = moved + math.copysign(slack, change)
    return min(max(most, min(change, 0.0)), max(change, 0.0))


class Borders:
    """Both runs' items, where the runs between them put each, and what each is like."""

    def __init__(
        self,
        prior: frozenset[str],
        latest: frozenset[str],
        rows: Mapping[str, ItemMetrics],
        between: Sequence[Membership] = (),
    ) -> None:
        """Take two runs.

        Args:
            prior: Item keys of the prior run, noise included.
            latest: Item keys of the latest run, noise included.
            rows: What is known of the items of either.
            between: Runs in between, any order; needed where the two share too few items.
        """
        keys = sorted(prior | latest)
        self._at = {key: index for index, key in enumerate(keys)}
        self._in_prior = np.array([key in prior for key in keys], dtype=bool)
        self._in_latest = np.array([key in latest for key in keys], dtype=bool)
        known = [(index, rows[key]) for key, index in self._at.items() if key in rows and rows[key].has_data]
        self._values = {name: np.full(len(keys), np.nan) for name in (*QUANTITIES, "errors")}
        for index, row in known:
            self._values["cost"][index] = row.cost_usd or 0.0
            self._values["tokens"][index] = row.tokens or 0.0
            self._values["errors"][index] = float(row.error_events > 0)
            if row.latency_s is not None:
                self._values["latency"][index] = row.latency_s
        self._middles = [self._middle(run) for run in sorted(between, key=lambda run: run.run_id)]

    def _middle(self, run: Membership) -> NDArray[np.int64]:
        """Say in which cluster of a run each item is, -1 where in none."""
        where = np.full(len(self._at), -1, dtype=np.int64)
        for number, cluster in enumerate(sorted(run.clusters, key=lambda c: c.cluster_id)):
            where[[self._at[key] for key in cluster.keys if key in self._at]] = number
        return where

    def moves(self, prior: frozenset[str], latest: frozenset[str]) -> Moves:
        """Tell what moves of the borders explain of the change from a prior cluster to a latest one.

        With enough items in both runs: the latest cluster's items of them against the prior cluster's; an
        item that stays cancels. Else over every run between: both clusters are cut by its clusters, and each
        part counts with the mean of all items there, of either run, so that what differs is composition
        alone; the runs are weighted by the items this rests on.

        Args:
            prior: Item keys of the prior cluster.
            latest: Item keys of the latest cluster.
        """
        a, b = self._mask(prior), self._mask(latest)
        shared_a, shared_b = a & self._in_latest, b & self._in_prior
        if min(shared_a.sum(), shared_b.sum()) >= _LEAST:
            return self._direct(shared_a, shared_b)
        found = [self._over(where, a, b) for where in self._middles]
        weighted = [one for one in found if one is not None]
        if not weighted:
            return UNKNOWN
        weights = np.array([weight for weight, _ in weighted])

        def average(values: Sequence[float]) -> float:
            return float(weights @ np.array(values) / weights.sum())

        return Moves(
            share=average([m.share or 0.0 for _, m in weighted]),
            mean={q: average([m.mean[q] for _, m in weighted]) for q in QUANTITIES},
            typical={q: average([m.typical[q] for _, m in weighted]) for q in QUANTITIES},
            errors=average([m.errors for _, m in weighted]),
            slack=_BRIDGED,
            slack_points=_BRIDGED_POINTS,
        )

    def _mask(self, keys: frozenset[str]) -> NDArray[np.bool_]:
        mask = np.zeros(len(self._at), dtype=bool)
        mask[[self._at[key] for key in keys]] = True
        return mask

    def _direct(self, a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Moves:
        means = [{q: _mean(values[mask]) for q, values in self._values.items()} for mask in (a, b)]
        logs = [{q: _mean(_log(self._values[q][mask])) for q in QUANTITIES} for mask in (a, b)]
        return Moves(
            mean={q: _log_ratio(means[0][q], means[1][q]) for q in QUANTITIES},
            typical={q: _finite(logs[1][q] - logs[0][q]) for q in QUANTITIES},
            errors=_finite(means[1]["errors"] - means[0]["errors"]),
            slack=0.0,
            slack_points=0.0,
        )

    def _over(
        self, where: NDArray[np.int64], a: NDArray[np.bool_], b: NDArray[np.bool_]
    ) -> tuple[float, Moves] | None:
        """Compare both clusters on the scale of one run between; also gives the items it rests on."""
        seen = where >= 0
        n_a, n_b = int((a & seen).sum()), int((b & seen).sum())
        if min(n_a, n_b) < _LEAST / 2:
            return None
        size = int(where.max()) + 1
        parts = [np.bincount(where[mask & seen], minlength=size).astype(float) for mask in (a, b)]
        runs = [
            np.bincount(where[mask & seen], minlength=size).astype(float)
            for mask in (self._in_prior, self._in_latest)
        ]
        expected = {q: _expected(where, seen, v, size, parts) for q, v in self._values.items()}
        logs = {q: _expected(where, seen, _log(self._values[q]), size, parts) for q in QUANTITIES}
        return n_a * n_b / (n_a + n_b), Moves(
            share=(_taken(*parts, *runs) - _taken(*parts[::-1], *runs[::-1])) / 2,
            mean={q: _log_ratio(*expected[q]) for q in QUANTITIES},
            typical={q: _finite(logs[q][1] - logs[q][0]) for q in QUANTITIES},
            errors=_finite(expected["errors"][1] - expected["errors"][0]),
        )


def spread(moves: Sequence[float]) -> float:
    """Give the spread of re-clustering, log scale, that the pairs of clusters of two runs show.

    Method: 1.4826 times the median absolute value, which is the standard deviation of a normal distribution
    (Hampel 1974, JASA 69:383); `contrast.TAU` where fewer than five pairs tell, and never less than
    `contrast.TAU_FLOOR`.

    Args:
        moves: Log ratios of the shared items of matched clusters, latest / prior.
    """
    if len(moves) < _PAIRS:
        return TAU
    return max(TAU_FLOOR, 1.4826 * float(np.median(np.abs(moves))))


def noise_spread(shares: Sequence[float]) -> float:
    """Give the spread, log scale, of the noise's share between runs of a job.

    What is noise depends on the clustering far more than on the traffic.

    Args:
        shares: Share of the noise in runs other than the two compared, 0-1.
    """
    told = np.log([share for share in shares if share > 0])
    return max(_NOISE, float(np.std(told, ddof=1)) * math.sqrt(2)) if len(told) >= _RUNS else _NOISE


def _expected(
    where: NDArray[np.int64],
    seen: NDArray[np.bool_],
    values: NDArray[np.float64],
    size: int,
    parts: Sequence[NDArray[np.float64]],
) -> tuple[float, float]:
    """Give the mean each composition would have with the mean of everyone in each part."""
    told = seen & np.isfinite(values)
    count = np.bincount(where[told], minlength=size)
    means = np.bincount(where[told], weights=values[told], minlength=size) / np.maximum(count, 1)
    known = [np.where(count > 0, part, 0.0) for part in parts]
    first, second = (float(part @ means / part.sum()) if part.sum() > 0 else float("nan") for part in known)
    return first, second


def _taken(
    a: NDArray[np.float64], b: NDArray[np.float64], run_a: NDArray[np.float64], run_b: NDArray[np.float64]
) -> float:
    """Give the log ratio of what a cluster takes of its run to what another's borders would take of it.

    Args:
        a: Items of the cluster whose borders are held against, in each part of the scale.
        b: Items of the cluster.
        run_a: Items of the first one's run in each part.
        run_b: Items of the second one's run.
    """
    known = run_a > 0
    taken, would = float(b[known].sum()), float((a / np.maximum(run_a, 1.0)) @ run_b)
    return _log_ratio(would, taken)


def _mean(values: NDArray[np.float64]) -> float:
    told = values[np.isfinite(values)]
    return float(told.mean()) if len(told) else float("nan")


def _log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(np.where(values > 0, values, np.nan))


def _log_ratio(a: float, b: float) -> float:
    return float(np.log(b / a)) if a > 0 and b > 0 else 0.0


def _finite(value: float) -> float:
    return value if np.isfinite(value) else 0.0
