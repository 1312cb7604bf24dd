"""What changed inside matched clusters and in the whole run, and how sure that is.

All tests of a job are judged together: `probably_changed` is past a false discovery rate of 10 %,
`changed` also past Holm at 5 % with guards against clusters that are not quite the same. Both need an
effect worth a person's time. Nothing is tested that has too little data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reporter.analysis import contrast, inference, metrics
from reporter.analysis.contrast import Contrast, Overlap, Pairing
from reporter.analysis.matching import Matched
from reporter.model import ItemMetrics
from reporter.report import ESTIMATES, Call, Estimates, MetricChange, Ratio

FDR = 0.10
FAMILYWISE = 0.05
MIN_SHARE_ITEMS = 10
MIN_ITEMS = 20
MIN_ERROR_ITEMS = 5
SHARE_RATIO, SHARE_POINTS = 1.25, 0.01
METRIC_RATIO_UP, METRIC_RATIO_DOWN = 1.20, 0.83
ERROR_POINTS = 0.03
SAME = 0.9
"""Confidence of a link from which both clusters count as the same."""
_ITEM_EVIDENCE, _PURITY, _TEXT_PURITY, _TEXT_SHARE_RATIO = 0.5, 0.6, 0.9, 1.25


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
class Subject:
    """A pair of sides to compare."""

    name: int | None
    """Latest cluster id; ``None`` for the whole run."""
    prior: Side
    latest: Side
    guarded: bool
    """Whether a change may be called certain: both sides surely are the same thing."""


@dataclass(frozen=True, slots=True)
class _Tested:
    """A contrast with what is needed to judge it."""

    metric: str
    prior: float | None
    latest: float | None
    contrast: Contrast
    enough: bool
    large: bool
    raw: float | None


def certain(link: Matched, share_ratio: float, *, look_alikes: bool) -> bool:
    """Say whether a link is good enough for a change to be called certain.

    On item evidence: confidence at least 0.9 and at least 0.6 of the items on both sides agree. On words
    alone an undetected split or merge would look like a change of cost, so the words must fit each other
    alone (0.9), no unmatched cluster may look alike, and the share must have stayed within a quarter.

    Args:
        link: The match.
        share_ratio: Latest share / prior share.
        look_alikes: Whether an unmatched cluster resembles one of the two.
    """
    if link.confidence < SAME or not link.backbone:
        return False
    if link.item_evidence >= _ITEM_EVIDENCE:
        return link.purity >= _PURITY
    steady = 1 / _TEXT_SHARE_RATIO <= share_ratio <= _TEXT_SHARE_RATIO
    return link.purity >= _TEXT_PURITY and not look_alikes and steady


def compare(subjects: Sequence[Subject], seed: int) -> dict[int | None, dict[str, MetricChange]]:
    """Compare all subjects of one job and judge their tests together.

    Args:
        subjects: Clusters matched one to one, the noise, and the whole run.
        seed: Fixes the bootstrap draws.

    Returns:
        Subject name → estimate name → change. The whole run has no share.
    """
    tested = [(subject, result) for subject in subjects for result in _tests(subject, seed)]
    family = [
        i for i, (_, result) in enumerate(tested) if result.enough and result.contrast.p_value is not None
    ]
    p_values = [float(tested[i][1].contrast.p_value or 0.0) for i in family]
    q_values = dict(zip(family, inference.benjamini_hochberg(p_values), strict=True))
    adjusted = dict(zip(family, inference.holm(p_values), strict=True))
    made: dict[int | None, dict[str, MetricChange]] = {subject.name: {} for subject in subjects}
    for index, (subject, result) in enumerate(tested):
        call: Call = "not_enough_data"
        if index in q_values:
            call = "no_clear_change"
            if q_values[index] <= FDR and result.large and _clear(result.contrast):
                sure = subject.guarded and adjusted[index] <= FAMILYWISE
                call = "changed" if sure else "probably_changed"
        made[subject.name][result.metric] = _change(result, q_values.get(index), call)
    return made


def _change(result: _Tested, q_value: float | None, call: Call) -> MetricChange:
    c = result.contrast
    ratio = None if c.ratio is None else Ratio(value=c.ratio, low=c.ratio_low, high=c.ratio_high)
    return MetricChange(
        prior=result.prior,
        latest=result.latest,
        difference=c.difference,
        low=c.low,
        high=c.high,
        ratio=ratio,
        p_value=None if q_value is None else c.p_value,
        q_value=q_value,
        call=call,
        raw_difference=result.raw,
        method=None if c.low is None else c.method,
    )


def _clear(c: Contrast) -> bool:
    """Say whether neither interval holds "no change": what is called must also be seen in what is printed."""
    if c.low is None or c.high is None or c.low <= 0 <= c.high:
        return False
    return c.ratio_low is None or c.ratio_high is None or not c.ratio_low <= 1 <= c.ratio_high


def _tests(subject: Subject, seed: int) -> list[_Tested]:
    a, b = subject.prior, subject.latest
    before = metrics.estimates(len(a.keys), len(a.run_keys), a.ordered)
    now = metrics.estimates(len(b.keys), len(b.run_keys), b.ordered)
    data = [{key: row for key, row in sorted(side.rows.items()) if row.has_data} for side in (a, b)]
    cost = [{key: row.cost_usd or 0.0 for key, row in side.items()} for side in data]
    tokens = [{key: row.tokens or 0.0 for key, row in side.items()} for side in data]
    latency = [{k: row.latency_s for k, row in side.items() if row.latency_s is not None} for side in data]
    made = [] if subject.name is None else [_share(a, b, before, now)]
    salt = (seed, (subject.name if subject.name is not None else -2) + 2)
    made.append(_mean("mean_cost_usd", _paired(*cost), before, now))
    made += _quantiles({"median_cost_usd": 0.5}, _positive(*cost), before, now, (*salt, 0))
    made.append(_mean("mean_latency_s", _paired(*latency), before, now))
    made += _quantiles(
        {"median_latency_s": 0.5, "p95_latency_s": 0.95}, _positive(*latency), before, now, (*salt, 1)
    )
    made.append(_mean("mean_tokens", _paired(*tokens), before, now))
    made.append(_errors(data[0], data[1], before, now))
    return sorted(made, key=lambda result: ESTIMATES.index(result.metric))


def _share(a: Side, b: Side, before: Estimates, now: Estimates) -> _Tested:
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
        return _Tested("share", prior, latest, plain, enough=False, large=False, raw=raw)
    c = contrast.share_growth(len(a.keys), len(a.run_keys), len(b.keys), len(b.run_keys), overlap)
    return _Tested(
        "share",
        prior,
        latest,
        c,
        enough=max(len(a.keys), len(b.keys)) >= MIN_SHARE_ITEMS,
        large=_beyond(c.ratio, SHARE_RATIO, 1 / SHARE_RATIO) and abs(c.difference or 0.0) >= SHARE_POINTS,
        raw=raw,
    )


def _mean(metric: str, pair: Pairing, before: Estimates, now: Estimates) -> _Tested:
    prior, latest = getattr(before, metric).value, getattr(now, metric).value
    if prior is None or latest is None:
        return _untested(metric, prior, latest)
    c = replace(contrast.mean_change(pair), difference=latest - prior)
    return _judged(metric, prior, latest, c, pair, MIN_ITEMS)


def _quantiles(
    wanted: Mapping[str, float], pair: Pairing, before: Estimates, now: Estimates, seed: tuple[int, ...]
) -> list[_Tested]:
    made = []
    smaller = min(len(pair.a), len(pair.b))
    found = contrast.quantile_change(pair, tuple(wanted.values()), seed) if smaller >= MIN_ITEMS else None
    for index, (metric, q) in enumerate(wanted.items()):
        prior, latest = getattr(before, metric).value, getattr(now, metric).value
        least = MIN_ITEMS if q == 0.5 else metrics.P95_MIN_N
        if prior is None or latest is None or found is None or smaller < least:
            made.append(_untested(metric, prior, latest))
            continue
        p_value = contrast.typical_p(pair) if q == 0.5 else contrast.exceedance_p(pair, q)
        c = replace(found[index], difference=latest - prior, p_value=p_value)
        made.append(_judged(metric, prior, latest, c, pair, least))
    return made


def _errors(
    a: Mapping[str, ItemMetrics], b: Mapping[str, ItemMetrics], before: Estimates, now: Estimates
) -> _Tested:
    prior, latest = before.error_rate.value, now.error_rate.value
    if prior is None or latest is None:
        return _untested("error_rate", prior, latest)
    k_a, k_b = (sum(row.error_events > 0 for row in side.values()) for side in (a, b))
    c = contrast.rate_change(k_a, len(a), k_b, len(b), len(a.keys() & b.keys()))
    enough = min(len(a), len(b)) >= MIN_ITEMS and max(k_a, k_b) >= MIN_ERROR_ITEMS
    large = abs(latest - prior) >= ERROR_POINTS
    return _Tested(
        "error_rate", prior, latest, replace(c, difference=latest - prior), enough, large, raw=None
    )


def _judged(metric: str, prior: float, latest: float, c: Contrast, pair: Pairing, least: int) -> _Tested:
    enough = min(len(pair.a), len(pair.b)) >= least
    large = _beyond(c.ratio, METRIC_RATIO_UP, METRIC_RATIO_DOWN)
    return _Tested(metric, prior, latest, c, enough, large, raw=None)


def _untested(metric: str, prior: float | None, latest: float | None) -> _Tested:
    difference = None if prior is None or latest is None else latest - prior
    ratio = latest / prior if prior and latest and prior > 0 and latest > 0 else None
    plain = Contrast(difference, None, None, ratio, None, None, None, "none")
    return _Tested(metric, prior, latest, plain, enough=False, large=False, raw=None)


def _beyond(ratio: float | None, up: float, down: float) -> bool:
    return ratio is not None and (ratio >= up or ratio <= down)


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


def _positive(a: Mapping[str, float], b: Mapping[str, float]) -> Pairing:
    return _paired({k: v for k, v in a.items() if v > 0}, {k: v for k, v in b.items() if v > 0})
