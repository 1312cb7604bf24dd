"""Everything that is measured of one pair of sides, each with its interval and its test.

A row is one question about a cluster (did its cost change?) that one or more estimates answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np

from reporter.analysis import contrast, metrics, quantiles, significance
from reporter.analysis.borders import Moves
from reporter.analysis.contrast import Contrast, Overlap, Pairing
from reporter.model import ItemMetrics
from reporter.report import ESTIMATES, Estimates

MIN_SHARE_ITEMS = 10
MIN_ITEMS = 20
MIN_ERROR_ITEMS = 5
SHARE_RATIO, SHARE_POINTS = 1.25, 0.01
METRIC_RATIO_UP, METRIC_RATIO_DOWN = 1.20, 0.83
ERROR_POINTS = 0.03
Row: TypeAlias = Literal["share", "cost", "latency", "tokens", "errors"]
ROWS: Mapping[Row, tuple[str, ...]] = MappingProxyType(
    {
        "share": ("share",),
        "cost": ("mean_cost_usd", "median_cost_usd"),
        "latency": ("mean_latency_s", "p95_latency_s", "median_latency_s"),
        "tokens": ("mean_tokens",),
        "errors": ("error_rate",),
    }
)
"""Question about a cluster → the estimates that answer it, the most telling first."""
ROW_OF: Mapping[str, Row] = MappingProxyType({name: row for row, names in ROWS.items() for name in names})
Sides: TypeAlias = tuple[Mapping[str, float], Mapping[str, float]]
"""Values of prior and latest, by what they were observed of, in its order."""
_FEW = 3
"""The dearest items that may carry a mean by themselves."""


@dataclass(frozen=True, slots=True)
class Side:
    """One cluster, or a whole run, on one side of a comparison."""

    keys: frozenset[str]
    rows: Mapping[str, ItemMetrics]
    """Rows of these keys, by key."""
    run_keys: frozenset[str]
    """Item keys of the whole run, noise included."""

    @property
    def ordered(self) -> list[ItemMetrics]:
        """Rows in order of their keys."""
        return [self.rows[key] for key in sorted(self.rows)]


@dataclass(frozen=True, slots=True)
class Trial:
    """A contrast with what is needed to judge it."""

    metric: str
    prior: float | None
    latest: float | None
    contrast: Contrast
    """Its p-value is that of a change by no more than border moves explain."""
    enough: bool
    large: bool
    """Whether what borders do not explain is worth a person's time."""
    raw: float | None = None
    driven_by: tuple[str, ...] = ()
    """The few items, by what they tell of, without which the change would go the other way."""

    @property
    def tested(self) -> bool:
        """Whether there was enough data to test it."""
        return self.enough and self.contrast.p_value is not None

    @property
    def candidate(self) -> bool:
        """Whether it would be called if its p-value allowed."""
        return self.tested and self.large and _clear(self.contrast)


def trials(a: Side, b: Side, moved: Moves, seed: int, tau: float, *, whole: bool) -> list[Trial]:
    """Measure everything that can be compared of two sides.

    Args:
        a: The prior side.
        b: The latest side.
        moved: What border moves explain.
        seed: Fixes all draws.
        tau: Spread by which re-clustering alone moves a share, log scale.
        whole: Whether the sides are whole runs, which have no share.

    Returns:
        One trial an estimate, in the order of `ESTIMATES`.
    """
    before = metrics.estimates(len(a.keys), len(a.run_keys), a.ordered)
    now = metrics.estimates(len(b.keys), len(b.run_keys), b.ordered)
    rows = metrics.distinct(a.ordered), metrics.distinct(b.ordered)
    cost = _of_both(rows, lambda row: row.cost_usd or 0.0)
    tokens = _of_both(rows, lambda row: row.tokens or 0.0)
    latency = _of_both(rows, lambda row: row.latency_s)
    made = [] if whole else [_share(a, b, before, now, moved.share, tau)]
    for metric, sides, quantity in (
        ("mean_cost_usd", cost, "cost"),
        ("mean_latency_s", latency, "latency"),
        ("mean_tokens", tokens, "tokens"),
    ):
        made.append(_mean(metric, sides, before, now, partial(moved.of_mean, quantity), seed))
    for wanted, sides, quantity in (
        ({"median_cost_usd": 0.5}, cost, "cost"),
        ({"median_latency_s": 0.5, "p95_latency_s": 0.95}, latency, "latency"),
    ):
        made += _quantiles(wanted, sides, before, now, partial(moved.of_typical, quantity), seed)
    made.append(_errors(rows, before, now, moved))
    return sorted(made, key=lambda trial: ESTIMATES.index(trial.metric))


def _of_both(
    rows: tuple[Mapping[str, ItemMetrics], Mapping[str, ItemMetrics]],
    read: Callable[[ItemMetrics], float | None],
) -> Sides:
    """Read one quantity of both sides, by what its row tells of; unknown values are left out."""
    prior, latest = (
        {key: value for key, row in side.items() if (value := read(row)) is not None} for side in rows
    )
    return prior, latest


def _about(c: Contrast, prior: float, latest: float) -> Contrast:
    """Move a contrast of distinct observations to the figures that are shown, which count every item."""
    if c.difference is None:
        return c
    shift = latest - prior - c.difference
    factor = latest / prior / c.ratio if c.ratio and prior > 0 and latest > 0 else 1.0
    return replace(
        c,
        difference=latest - prior,
        low=None if c.low is None else c.low + shift,
        high=None if c.high is None else c.high + shift,
        ratio=None if c.ratio is None else c.ratio * factor,
        ratio_low=None if c.ratio_low is None else c.ratio_low * factor,
        ratio_high=None if c.ratio_high is None else c.ratio_high * factor,
    )


def _clear(c: Contrast) -> bool:
    """Say whether neither interval holds "no change": what is called must also be seen in what is printed."""
    if c.low is None or c.high is None or c.low <= 0 <= c.high:
        return False
    return c.ratio_low is None or c.ratio_high is None or not c.ratio_low <= 1 <= c.ratio_high


def _share(a: Side, b: Side, before: Estimates, now: Estimates, moved: float | None, tau: float) -> Trial:
    overlap = Overlap(
        shared=len(a.run_keys & b.run_keys),
        in_prior=len(a.keys & b.run_keys),
        in_latest=len(b.keys & a.run_keys),
        in_both=len(a.keys & b.keys),
    )
    prior, latest = before.share.value, now.share.value
    raw = None if prior is None or latest is None else latest - prior
    if not a.keys or not b.keys:
        plain = Contrast(raw, None, None, None, None, None, None, "none")
        return Trial("share", prior, latest, plain, enough=False, large=False, raw=raw)
    sizes = (len(a.keys), len(a.run_keys), len(b.keys), len(b.run_keys))
    c = contrast.share_growth(*sizes, overlap, tau, moved)
    large = _beyond(math.log(c.ratio or 1.0), SHARE_RATIO, 1 / SHARE_RATIO)
    return Trial(
        "share",
        prior,
        latest,
        c,
        enough=max(len(a.keys), len(b.keys)) >= MIN_SHARE_ITEMS,
        large=large and abs(c.difference or 0.0) >= SHARE_POINTS,
        raw=raw,
    )


def _mean(
    metric: str,
    sides: Sides,
    before: Estimates,
    now: Estimates,
    explained: Callable[[float], float],
    seed: int,
) -> Trial:
    prior, latest = getattr(before, metric).value, getattr(now, metric).value
    if prior is None or latest is None:
        return _untested(metric, prior, latest)
    pair = _paired(*sides)
    growth = math.log(latest / prior) if prior > 0 and latest > 0 else 0.0
    null = explained(growth)
    c = _about(contrast.mean_change(pair, null), prior, latest)
    trial = _judged(metric, prior, latest, c, growth - null, min(len(side) for side in sides) >= MIN_ITEMS)
    if trial.candidate:
        # Random draws only where they can decide something: they cost a thousand times as much.
        p_value = significance.permutation_p(pair, null, seed)
        c = c if p_value is None else replace(c, p_value=p_value)
        trial = replace(trial, contrast=c, driven_by=_drivers(*sides))
    return trial


def _drivers(a: Mapping[str, float], b: Mapping[str, float]) -> tuple[str, ...]:
    """Give the fewest of the three greatest items of the higher side without which it would not be higher."""
    if min(len(a), len(b)) <= _FEW:
        return ()
    mean_a, mean_b = (sum(side.values()) / len(side) for side in (a, b))
    higher, level = (b, mean_a) if mean_b > mean_a else (a, mean_b)
    if mean_a == mean_b:
        return ()
    lower = a if higher is b else b
    alone = [key for key in higher if key not in lower]
    dearest = sorted(alone, key=lambda key: (-higher[key], key))[:_FEW]
    left = sum(higher.values())
    for count, key in enumerate(dearest, start=1):
        left -= higher[key]
        if left / (len(higher) - count) <= level:
            return tuple(dearest[:count])
    return ()


def _quantiles(
    wanted: Mapping[str, float],
    sides: Sides,
    before: Estimates,
    now: Estimates,
    explained: Callable[[float], float],
    seed: int,
) -> list[Trial]:
    pair = _paired(*({key: value for key, value in side.items() if value > 0} for side in sides))
    made, smaller = [], min(len(pair.a), len(pair.b))
    salt = (seed, len(pair.a) + len(pair.b))
    found = quantiles.quantile_change(pair, tuple(wanted.values()), salt) if smaller >= MIN_ITEMS else None
    for index, (metric, q) in enumerate(wanted.items()):
        prior, latest = getattr(before, metric).value, getattr(now, metric).value
        least = MIN_ITEMS if q == 0.5 else metrics.P95_MIN_N
        if prior is None or latest is None or found is None or smaller < least:
            made.append(_untested(metric, prior, latest))
            continue
        growth = math.log(latest / prior)
        null = explained(growth)
        p_value = significance.typical_p(pair, null) if q == 0.5 else significance.exceedance_p(pair, q, null)
        c = replace(_about(found[index], prior, latest), p_value=p_value)
        made.append(_judged(metric, prior, latest, c, growth - null, enough=True))
    return made


def _errors(
    rows: tuple[Mapping[str, ItemMetrics], Mapping[str, ItemMetrics]],
    before: Estimates,
    now: Estimates,
    moved: Moves,
) -> Trial:
    prior, latest = before.error_rate.value, now.error_rate.value
    if prior is None or latest is None:
        return _untested("error_rate", prior, latest)
    a, b = rows
    null = moved.of_errors(latest - prior)
    k_a, k_b = (sum(row.error_events > 0 for row in side.values()) for side in rows)
    c = contrast.rate_change(k_a, len(a), k_b, len(b), len(a.keys() & b.keys()), null)
    enough = min(len(a), len(b)) >= MIN_ITEMS and max(k_a, k_b) >= MIN_ERROR_ITEMS
    large = abs(latest - prior - null) >= ERROR_POINTS
    return Trial("error_rate", prior, latest, _about(c, prior, latest), enough, large)


def _judged(metric: str, prior: float, latest: float, c: Contrast, left: float, enough: bool) -> Trial:  # noqa: FBT001
    large = _beyond(left, METRIC_RATIO_UP, METRIC_RATIO_DOWN)
    return Trial(metric, prior, latest, c, enough, large)


def _untested(metric: str, prior: float | None, latest: float | None) -> Trial:
    difference = None if prior is None or latest is None else latest - prior
    ratio = latest / prior if prior and latest and prior > 0 and latest > 0 else None
    plain = Contrast(difference, None, None, ratio, None, None, None, "none")
    return Trial(metric, prior, latest, plain, enough=False, large=False)


def _beyond(growth: float, up: float, down: float) -> bool:
    return growth >= math.log(up) or growth <= math.log(down)


def _paired(a: Mapping[str, float], b: Mapping[str, float]) -> Pairing:
    """Line up two sides by item key, in key order."""
    places_b = {key: index for index, key in enumerate(b)}
    both = [(index, places_b[key]) for index, key in enumerate(a) if key in places_b]
    shared = np.array(both, dtype=np.int64).reshape(-1, 2)
    return Pairing(
        np.fromiter(a.values(), float, len(a)),
        np.fromiter(b.values(), float, len(b)),
        shared[:, 0],
        shared[:, 1],
    )
