"""The matching that the product's is held against: one threshold for every overlap, one weight a run between.

Hungarian pairs on the geometric mean of both flows, kept from 0.30 (items) or 0.35 (words); further children
and parents from a containment of 0.40 with 0.05 (items) or 0.20 (words) the other way; left-overs whose words
match with 0.8; splits and merges that balance sizes, on words alone. Over runs between, two-hop flows are
averaged, weighted by the smaller number of items shared on the two hops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from reporter.analysis import flows, matching, text
from reporter.model import MemberCluster, Membership

Matrix: TypeAlias = NDArray[np.float64]
Pair: TypeAlias = tuple[int, int]
_KAPPA = 2.0


def links(prior: Membership, latest: Membership, between: Sequence[Membership]) -> set[Pair]:
    """Link clusters of two runs.

    Returns:
        (prior cluster id, latest cluster id) of every pair.
    """
    old, new = flows.regular(prior), flows.regular(latest)
    forward, backward, seen_old, seen_new = _flows(prior, latest, between)
    e = np.minimum((seen_old / (seen_old + _KAPPA))[:, None], (seen_new / (seen_new + _KAPPA))[None, :])
    score = np.sqrt(forward * backward)
    found = {
        (a, b) for a, b in matching.assign(score) if score[a, b] >= 0.30 * e[a, b] + 0.35 * (1 - e[a, b])
    }
    second = 0.05 * e + 0.20 * (1 - e)
    further = ((backward >= 0.40) & (forward >= second)) | ((forward >= 0.40) & (backward >= second))
    found |= {(int(a), int(b)) for a, b in np.argwhere(further)}
    found |= _left(old, new, found, e)
    found |= _balanced(prior, latest, found, e)
    return {(old[a].cluster_id, new[b].cluster_id) for a, b in found}


def _flows(
    prior: Membership, latest: Membership, between: Sequence[Membership]
) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    direct = flows.direct(prior, latest, _KAPPA)
    if direct.common >= 0.1 * min(flows.size(prior), flows.size(latest)) or not between:
        return direct.forward, direct.backward, direct.prior_seen, direct.latest_seen
    hops = [(flows.direct(prior, m, _KAPPA), flows.direct(m, latest, _KAPPA)) for m in between]
    weights = np.array([min(a.common, b.common) for a, b in hops], dtype=float)
    if not weights.sum():
        return direct.forward, direct.backward, direct.prior_seen, direct.latest_seen
    weights /= weights.sum()
    forward = sum(w * (a.forward @ b.forward) for w, (a, b) in zip(weights, hops, strict=True))
    backward = sum(w * (a.backward @ b.backward) for w, (a, b) in zip(weights, hops, strict=True))
    seen_old = sum(w * a.prior_seen for w, (a, _) in zip(weights, hops, strict=True))
    seen_new = sum(w * b.latest_seen for w, (_, b) in zip(weights, hops, strict=True))
    keep_old, keep_new = (seen_old / (seen_old + _KAPPA))[:, None], (seen_new / (seen_new + _KAPPA))[None, :]
    return (
        keep_old * forward + (1 - keep_old) * direct.forward,
        keep_new * backward + (1 - keep_new) * direct.backward,
        seen_old,
        seen_new,
    )


def _likeness(old: Sequence[MemberCluster], new: Sequence[MemberCluster]) -> Matrix:
    documents = [[text.document(c.title, c.description) for c in side] for side in (old, new)]
    return text.likeness(*documents).probability


def _left(
    old: Sequence[MemberCluster], new: Sequence[MemberCluster], found: set[Pair], e: Matrix
) -> set[Pair]:
    rows = [a for a in range(len(old)) if all(a != pair[0] for pair in found)]
    columns = [b for b in range(len(new)) if all(b != pair[1] for pair in found)]
    if not rows or not columns:
        return set()
    p = _likeness([old[a] for a in rows], [new[b] for b in columns])
    pairs = {(rows[a], columns[b]) for a, b in matching.assign(p) if p[a, b] >= 0.8}
    return {pair for pair in pairs if e[pair] < 0.5}


def _balanced(prior: Membership, latest: Membership, found: set[Pair], e: Matrix) -> set[Pair]:
    old, new = flows.regular(prior), flows.regular(latest)
    p = _likeness(old, new)
    sizes = [
        np.array([len(c.keys) for c in side]) / max(1, flows.size(run))
        for side, run in ((old, prior), (new, latest))
    ]
    made: set[Pair] = set()
    for turned in (False, True):
        pairs = {(b, a) if turned else (a, b) for a, b in found}
        whole, part = sizes[::-1] if turned else sizes
        like, items = (p.T, e.T) if turned else (p, e)
        for b in range(len(part)):
            a = int(np.argmax(like[:, b])) if len(whole) else -1
            mine = [other for first, other in pairs if first == a]
            if a < 0 or any(b == pair[1] for pair in pairs) or len(mine) != 1:
                continue
            gap = np.log(part[mine[0]] / whole[a])
            left = np.log((part[mine[0]] + part[b]) / whole[a])
            if like[a, b] >= 0.03 and items[a, b] < 0.5 and gap < -0.2 and abs(left) <= abs(gap) - 0.1:
                made.add((b, a) if turned else (a, b))
    return made
