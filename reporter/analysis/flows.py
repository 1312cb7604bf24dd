"""Where the items of a prior run's clusters went: flows between two runs, directly or over runs between.

Only items present in both samples count. Wording enters as a weak prior, so that with many shared items it
does not matter and with none it decides alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np

from reporter.analysis import text, titles
from reporter.analysis.text import Likeness, Matrix
from reporter.model import NOISE, MemberCluster, Membership

Side: TypeAlias = Literal["prior", "latest"]
KAPPA = 2.0
"""Weight of the wording, in items."""
_KAPPA_HOP = 1.0
"""The same on the way over runs between: what several of them say is weighed against words in the end."""
DEFICIT = 0.7
"""Part of the shared fraction that must reappear before a cluster without earlier items counts as new."""
_ENOUGH_SHARED = 0.1
"""Share of the smaller run that two runs must share to be linked by items at one go; below, runs between are
used."""


@dataclass(frozen=True, slots=True)
class Flows:
    """What links the regular clusters of two runs; every matrix has the shape (prior, latest)."""

    forward: Matrix
    """C: part of a prior cluster that went to a latest one."""
    backward: Matrix
    """D: part of a latest cluster that came from a prior one."""
    forward_items: Matrix
    """C without the direct wording: by items alone where the runs share them, over runs between with what
    words weigh on the way; 0 where nothing is known."""
    backward_items: Matrix
    """D, likewise."""
    shared: Matrix
    """Items in both clusters (0 where the runs share none)."""
    common: int
    """Items in both runs, noise included."""
    prior_seen: Matrix
    """Per prior cluster (n,): its items found in latest regular clusters, bridged ones included."""
    latest_seen: Matrix
    """Per latest cluster (n,): its items found in prior regular clusters, bridged ones included."""
    prior_missing: Matrix
    """Per prior cluster (n,): items that should have reappeared and did not."""
    latest_missing: Matrix
    """Per latest cluster (n,): items that should have existed before and did not."""
    prior_noise: Matrix
    """Per prior cluster (n,): its items found in the latest noise, bridged ones included."""
    latest_noise: Matrix
    """Per latest cluster (n,): its items found in the prior noise, bridged ones included."""
    likeness: Likeness
    """What the words say."""


def regular(run: Membership) -> list[MemberCluster]:
    """Give the clusters of a run without its noise, by id."""
    return sorted((c for c in run.clusters if c.cluster_id != NOISE), key=lambda c: c.cluster_id)


def between(prior: Membership, latest: Membership, runs: Sequence[Membership] = ()) -> Flows:
    """Measure the flows from one run to another.

    Where the two share too few items (windows a week apart share none), two-hop flows over each run between
    them are averaged, each cluster's by the items they rest on; two hops rather than many keep leakage from
    compounding, and averaging survives a cluster missing from one run. The direct wording is blended in with
    its usual weight.

    Args:
        prior: The earlier run.
        latest: The later run.
        runs: Runs in between, any order.
    """
    plain = direct(prior, latest)
    if not runs or plain.common >= _ENOUGH_SHARED * min(size(prior), size(latest)):
        return plain
    middles = sorted(runs, key=lambda run: run.run_id)
    hops = [
        (first, second)
        for middle in middles
        if (first := direct(prior, middle, _KAPPA_HOP)).common > 0
        and (second := direct(middle, latest, _KAPPA_HOP)).common > 0
    ]
    if not hops and (path := _path(prior, middles, latest)):
        first = direct(path[0], path[1], _KAPPA_HOP)
        for before, run in pairwise(path[1:-1]):
            first = _joined([(first, direct(before, run, _KAPPA_HOP))], direct(prior, run))
        hops = [(first, direct(path[-2], path[-1], _KAPPA_HOP))]
    return _joined(hops, plain) if hops else plain


def _path(
    prior: Membership, middles: Sequence[Membership], latest: Membership
) -> tuple[Membership, ...] | None:
    """Find the way from one run to another over runs that share enough items, with the fewest hops.

    Among ways of equal length the one whose poorest hop shares most; ``None`` where there is none.
    """
    runs = (prior, *middles, latest)
    keys = [{key for cluster in run.clusters for key in cluster.keys} for run in runs]
    end = len(runs) - 1
    best: dict[int, tuple[int, tuple[int, ...]]] = {0: (-len(keys[0]), (0,))}
    reached = [0]
    while reached and end not in best:
        found: dict[int, tuple[int, tuple[int, ...]]] = {}
        for at in reached:
            poorest, way = best[at]
            for to in range(1, len(runs)):
                common = len(keys[at] & keys[to])
                if to not in best and common >= _ENOUGH_SHARED * min(len(keys[at]), len(keys[to])):
                    step = (max(poorest, -common), (*way, to))
                    found[to] = min(found.get(to, step), step)
        best |= found
        reached = sorted(found)
    return tuple(runs[i] for i in best[end][1]) if end in best else None


def _joined(hops: Sequence[tuple[Flows, Flows]], direct: Flows) -> Flows:
    """Join the flows to runs between with those from there on, and blend in the direct wording."""
    forward, prior_known, prior_met = _composed(
        [(a.forward, b.forward) for a, b in hops],
        [(a.prior_seen, a.prior_missing) for a, _ in hops],
        [(b.prior_seen, b.prior_missing) for _, b in hops],
    )
    backward, latest_known, latest_met = _composed(
        [(b.backward.T, a.backward.T) for a, b in hops],
        [(b.latest_seen, b.latest_missing) for _, b in hops],
        [(a.latest_seen, a.latest_missing) for a, _ in hops],
    )
    keep_prior = (prior_known / (prior_known + KAPPA))[:, None]
    keep_latest = (latest_known / (latest_known + KAPPA))[None, :]
    return Flows(
        forward=keep_prior * forward + (1 - keep_prior) * direct.forward,
        backward=keep_latest * backward.T + (1 - keep_latest) * direct.backward,
        forward_items=forward,
        backward_items=backward.T,
        shared=direct.shared,
        common=direct.common,
        prior_seen=prior_met,
        latest_seen=latest_met,
        prior_missing=prior_known - prior_met,
        latest_missing=latest_known - latest_met,
        prior_noise=_dissolved(
            [(a.forward, _all(a, "prior"), a.prior_noise, _all(b, "prior"), b.prior_noise) for a, b in hops]
        ),
        latest_noise=_dissolved(
            [
                (b.backward.T, _all(b, "latest"), b.latest_noise, _all(a, "latest"), a.latest_noise)
                for a, b in hops
            ]
        ),
        likeness=direct.likeness,
    )


def _composed(
    flows: Sequence[tuple[Matrix, Matrix]],
    near: Sequence[tuple[Matrix, Matrix]],
    far: Sequence[tuple[Matrix, Matrix]],
) -> tuple[Matrix, Matrix, Matrix]:
    """Average two-hop flows over the runs between, each weighted by the items it rests on.

    A run far away from one side has seen few of a cluster's items and says little of it, however many items
    the two runs share in all. What a run says of a cluster therefore counts with the number of its items the
    run would know; the part that flows on through a cluster of the middle of which the other side knows few
    counts less (n m / (n + m) for n items there and m known beyond, as the variances ask).

    Args:
        flows: Per run, the flow out of each cluster (cluster, middle) and on from there (middle, other side).
        near: Per run, items of each cluster that the run has seen and that it misses, each (cluster,).
        far: Per run, the same for the clusters of the middle, as the second hop knows them, each (middle,).

    Returns:
        The flow (cluster, other side), the items each cluster's rests on, and those of them not missing. Over
        several runs these are between one run's, which would be right if all had seen the same items, and all
        runs' together, which would be right if none had: the root of the sum of squares.
    """
    total, weights, met = np.zeros((len(near[0][0]), flows[0][1].shape[1])), [], []
    for (first, second), (seen, missing), (on_seen, on_missing) in zip(flows, near, far, strict=True):
        known, beyond = (seen + missing)[:, None], (on_seen + on_missing)[None, :]
        through = known * first
        through = through * beyond / np.maximum(through + beyond, 1e-12)
        lost = known[:, 0] * (1 - np.minimum(1.0, first.sum(axis=1)))
        flow = through @ second
        weights.append(lost + through.sum(axis=1))
        met.append(np.minimum(flow.sum(axis=1), weights[-1]))
        total = total + flow
    weight = np.maximum(np.sum(weights, axis=0), 1e-12)
    rests = np.sqrt(np.sum(np.square(weights), axis=0))
    return total / weight[:, None], rests, rests * np.sum(met, axis=0) / weight


def _all(flows: Flows, side: Side) -> Matrix:
    """Give the items of each cluster of which anything is known."""
    if side == "prior":
        return flows.prior_seen + flows.prior_missing + flows.prior_noise
    return flows.latest_seen + flows.latest_missing + flows.latest_noise


def _dissolved(hops: Sequence[tuple[Matrix, Matrix, Matrix, Matrix, Matrix]]) -> Matrix:
    """Give how many items of each cluster went to noise on either hop, averaged over the runs between.

    Args:
        hops: Per run, the flow on the first hop (cluster, middle); the items known of each cluster there and
            how many of them are noise, (cluster,) each; the same of the middle's on the second hop.
    """
    lost = [
        noise + known * (flow @ (on_noise / np.maximum(on_known, 1e-12)))
        for flow, known, noise, on_known, on_noise in hops
    ]
    return np.asarray(np.mean(lost, axis=0))


def size(run: Membership) -> int:
    """Give the number of items of a run, noise included."""
    return sum(len(cluster.keys) for cluster in run.clusters)


def direct(prior: Membership, latest: Membership, kappa: float = KAPPA) -> Flows:
    """Measure flows on the items two runs share; wording weighs as much as `kappa` of them."""
    old, new = regular(prior), regular(latest)
    likeness = text.likeness(
        [titles.document(c.title, c.description) for c in old],
        [titles.document(c.title, c.description) for c in new],
    )
    where = {key: index for index, cluster in enumerate(old) for key in cluster.keys}
    everyone = where.keys() | {key for c in prior.clusters if c.cluster_id == NOISE for key in c.keys}
    counts = np.zeros((len(old), len(new)))
    latest_known = np.zeros(len(new))
    for column, cluster in enumerate(new):
        for key in cluster.keys:
            if key in everyone:
                latest_known[column] += 1
                if key in where:
                    counts[where[key], column] += 1
    latest_keys = {key for cluster in latest.clusters for key in cluster.keys}
    shared = len(latest_keys & everyone)
    prior_known = np.array([float(sum(key in latest_keys for key in c.keys)) for c in old])
    latest_lost = {key for c in latest.clusters if c.cluster_id == NOISE for key in c.keys}
    sizes_old = np.array([float(len(c.keys)) for c in old])
    sizes_new = np.array([float(len(c.keys)) for c in new])
    fraction_new = shared / len(latest_keys) if latest_keys else 0.0
    fraction_old = shared / len(everyone) if everyone else 0.0
    prior_missing = np.maximum(0.0, DEFICIT * fraction_old * sizes_old - prior_known)
    latest_missing = np.maximum(0.0, DEFICIT * fraction_new * sizes_new - latest_known)
    from_prior, into_latest = counts.sum(axis=1), counts.sum(axis=0)
    p = likeness.probability
    t_prior = p / np.maximum(1.0, p.sum(axis=1, keepdims=True))
    t_latest = p / np.maximum(1.0, p.sum(axis=0, keepdims=True))
    return Flows(
        forward=(counts + kappa * t_prior) / (from_prior + kappa + prior_missing)[:, None],
        backward=(counts + kappa * t_latest) / (into_latest + kappa + latest_missing)[None, :],
        forward_items=counts / np.maximum(from_prior + prior_missing, 1e-9)[:, None],
        backward_items=counts / np.maximum(into_latest + latest_missing, 1e-9)[None, :],
        shared=counts,
        common=shared,
        prior_seen=from_prior,
        latest_seen=into_latest,
        prior_missing=prior_missing,
        latest_missing=latest_missing,
        prior_noise=np.array([float(sum(key in latest_lost for key in c.keys)) for c in old]),
        latest_noise=latest_known - into_latest,
        likeness=likeness,
    )
