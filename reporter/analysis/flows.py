"""Where the items of a prior run's clusters went: flows between two runs, directly or over runs between.

Only items present in both samples count. Wording enters as a weak prior, so that with many shared items it
does not matter and with none it decides alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from reporter.analysis import text
from reporter.analysis.text import Likeness, Matrix
from reporter.model import NOISE, MemberCluster, Membership

Side: TypeAlias = Literal["prior", "latest"]
KAPPA = 2.0
"""Weight of the wording, in items."""
DEFICIT = 0.7
"""Part of the shared fraction that must reappear before a cluster without earlier items counts as new."""
_ENOUGH_SHARED = 0.1
"""Share of the smaller run that must be shared for direct item evidence; below, runs between are used."""


@dataclass(frozen=True, slots=True)
class Flows:
    """What links the regular clusters of two runs; every matrix has the shape (prior, latest)."""

    forward: Matrix
    """C: part of a prior cluster that went to a latest one."""
    backward: Matrix
    """D: part of a latest cluster that came from a prior one."""
    shared: Matrix
    """Items in both clusters (0 where the runs share none)."""
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
    direct, shared = _direct(prior, latest)
    smaller = min(size(prior), size(latest))
    if not runs or shared >= _ENOUGH_SHARED * smaller:
        return direct
    hops = []
    for middle in sorted(runs, key=lambda run: run.run_id):
        first, shared_first = _direct(prior, middle)
        second, shared_second = _direct(middle, latest)
        if min(shared_first, shared_second) > 0:
            hops.append((first, second))
    if not hops:
        return direct
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
        shared=direct.shared,
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
    the two runs share in all. The weight of a run for a cluster is therefore the number of its items the run
    would know, less what is lost where the second hop rests on few.

    Args:
        flows: Per run, the flow out of each cluster (cluster, middle) and on from there (middle, other side).
        near: Per run, items of each cluster that the run has seen and that it misses, each (cluster,).
        far: Per run, the same for the clusters of the middle, as the second hop knows them, each (middle,).

    Returns:
        The flow (cluster, other side), the items each cluster's rests on, and those of them not missing.
    """
    total, weights, met = 0.0, [], []
    for (first, second), (seen, missing), (on_seen, on_missing) in zip(flows, near, far, strict=True):
        known = seen + missing
        through = np.minimum(1.0, first.sum(axis=1))
        beyond = (first @ (on_seen + on_missing)) / np.maximum(through, 1e-12)
        weight = known * (1 - through + through * beyond / np.maximum(known + beyond, 1e-12))
        weights.append(weight)
        found = np.minimum(1.0, (first @ second).sum(axis=1))
        met.append(weight * found)
        total = total + weight[:, None] * (first @ second)
    weight = np.sum(weights, axis=0)
    rests = np.sum(np.square(weights), axis=0) / np.maximum(weight, 1e-12)
    flow = total / np.maximum(weight, 1e-12)[:, None]
    return flow, rests, rests * np.sum(met, axis=0) / np.maximum(weight, 1e-12)


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


def _direct(prior: Membership, latest: Membership) -> tuple[Flows, int]:
    """Measure flows on shared items; also gives how many items the runs share, noise included."""
    old, new = regular(prior), regular(latest)
    likeness = text.likeness(
        [text.document(c.title, c.description) for c in old],
        [text.document(c.title, c.description) for c in new],
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
    flows = Flows(
        forward=(counts + KAPPA * t_prior) / (from_prior + KAPPA + prior_missing)[:, None],
        backward=(counts + KAPPA * t_latest) / (into_latest + KAPPA + latest_missing)[None, :],
        shared=counts,
        prior_seen=from_prior,
        latest_seen=into_latest,
        prior_missing=prior_missing,
        latest_missing=latest_missing,
        prior_noise=np.array([float(sum(key in latest_lost for key in c.keys)) for c in old]),
        latest_noise=latest_known - into_latest,
        likeness=likeness,
    )
    return flows, shared
