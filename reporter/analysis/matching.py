"""Which cluster of the latest run is which of the prior run, and what became of the rest.

Identity is never taken from cluster ids (they are numbered anew in every run), nor from cost or latency
(that would hide the changes that are tested afterwards). Noise is matched to noise by its id alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special
from scipy.sparse import csgraph

from reporter.analysis import flows, text, titles
from reporter.analysis.flows import KAPPA, Flows
from reporter.analysis.text import Matrix
from reporter.model import MemberCluster, Membership, Run
from reporter.report import Evidence, MatchKind

Pair: TypeAlias = tuple[int, int]
_KEEP_ITEMS, _KEEP_TEXT = 0.30, 0.35
_INSIDE, _SECOND = 0.35, 0.03
"""Part of a cluster that must lie in another, and of that one in it, to be asked whether it was split off."""
_LIKELIER = 0.4
"""From here on a split or merge is worth naming; below `probably` it is called possible."""
_EVEN = 0.69
_FURTHER = (-14.25, 14.17, 5.14, 6.27)
"""Logistic of that part, of being unmatched otherwise, and of the wording, fitted to simulated splits, merges
and border moves."""
_GAP, _GAIN = 0.2, 0.1
"""Log ratio of shares from which a size asks for a split or merge, and by which that must mend it."""
_LEFTOVER = 0.8
_ITEM_EVIDENCE = 0.5
_ALIKE = 0.5
_ALONE = (0.28, -8.2, 1.7, 1.6)
"""Logistic of the part of a cluster that is missing or noise on the other side, of its flows, and of its best
likeness, fitted to simulated runs."""
_FEW = 2 * KAPPA
"""Items missing that may well be chance."""
LOOK_ALIKE = 0.03
"""Text probability from which an unmatched cluster counts as a look-alike."""
_LOOK_ALIKE_ITEMS = 0.25
"""Part of either cluster's items that lies in the other, from which it does where items decide."""


@dataclass(frozen=True, slots=True)
class Matched:
    """One prior cluster that a latest cluster came from."""

    prior_id: int
    latest_id: int
    confidence: float
    """0-1, calibrated on simulated runs."""
    evidence: Evidence
    item_evidence: float
    """E, 0-1: how far shared items rather than words decide (0 = words only)."""
    purity: float
    """min(C, D): both where the items went and where they came from."""
    shared_items: int
    text_similarity: float
    text_probability: float
    backbone: bool
    """Whether the link is part of the best one-to-one pairing, which carries identity on."""


@dataclass(frozen=True, slots=True)
class Group:
    """A set of clusters of both runs that belong together."""

    kind: MatchKind
    prior: tuple[int, ...]
    latest: tuple[int, ...]
    confidence: float
    evidence: Evidence | None
    shared_items: int
    noise_share: float | None = None
    """For a cluster without counterpart: part of its known items that is noise in the other run, 0-1."""


@dataclass(frozen=True, slots=True)
class Matching:
    """What became of every regular cluster of two runs."""

    links: tuple[Matched, ...]
    """By latest id, the surest first."""
    groups: tuple[Group, ...]
    look_alikes: frozenset[Pair]
    """(prior id, latest id) of pairs that may belong together but are not linked, one being unmatched."""

    def parents(self, latest_id: int) -> tuple[Matched, ...]:
        """Give the links of a latest cluster."""
        return tuple(link for link in self.links if link.latest_id == latest_id)

    def children(self, prior_id: int) -> tuple[Matched, ...]:
        """Give the links of a prior cluster."""
        return tuple(link for link in self.links if link.prior_id == prior_id)


def membership(run: Run) -> Membership:
    """Reduce a run to what identity needs."""
    return Membership(
        run_id=run.header.run_id,
        clusters=tuple(
            MemberCluster(c.cluster_id, c.title, c.description, tuple(sorted({item.key for item in c.items})))
            for c in run.clusters
        ),
    )


def match(prior: Membership, latest: Membership, between: Sequence[Membership] = ()) -> Matching:
    """Match the clusters of two runs.

    Method: the optimal assignment on sqrt(C D) with C and D the forward and backward flows of `flows`; a pair
    is kept from 0.30 on item evidence, 0.35 on words, and clusters left over whose words match beyond doubt
    among themselves are paired last. Further children and parents are linked by directed containment (after
    MONIC, Spiliopoulou et al. 2006) that tells a split from a move of the border, and on words alone where
    sizes ask for it.

    Args:
        prior: The run compared with.
        latest: The run reported on.
        between: Runs between the two, used where they share too few items.
    """
    old, new = flows.regular(prior), flows.regular(latest)
    found = flows.between(prior, latest, between)
    evidence = np.minimum(
        (found.prior_seen / (found.prior_seen + KAPPA))[:, None],
        (found.latest_seen / (found.latest_seen + KAPPA))[None, :],
    )
    backbone = _backbone(found, evidence)
    backbone |= _leftovers(old, new, backbone, found)
    backbone |= _crossed(found, backbone)
    further = _further(found, backbone)
    pairs = backbone | _where(further >= _LIKELIER)
    pairs |= _balanced(prior, latest, pairs, found)
    links = tuple(
        sorted(
            (_link(found, evidence, further, old, new, pair, pair in backbone) for pair in pairs),
            key=lambda link: (link.latest_id, -link.confidence, link.prior_id),
        )
    )
    return Matching(links, _groups(found, old, new, links), _look_alikes(found, old, new, pairs, evidence))


def assign(score: Matrix) -> list[Pair]:
    """Give the one-to-one pairs of greatest total score; equal totals are decided by the order of ids.

    Args:
        score: How well each row and column match, in [0, 1].
    """
    rows, columns = score.shape
    if 0 in score.shape:
        return []
    # A nudge far below any real difference: among equals it is not the solver that chooses. It grows with
    # the square of the distance: two pairs that cross are farther apart in sum than the same two uncrossed.
    nudge = 1e-9 * np.square((np.arange(rows)[:, None] - np.arange(columns)[None, :]) / max(rows, columns))
    # scipy.optimize solves it too, but takes 0.13 s and 17 MB to load, on top of scipy.sparse, which is there
    # already. No weight may be 0, for that is no edge.
    weights = 2.0 - score + nudge
    chosen = csgraph.min_weight_full_bipartite_matching(sparse.csr_array(weights))
    return [(int(a), int(b)) for a, b in zip(*chosen, strict=True)]


def _backbone(found: Flows, evidence: Matrix) -> set[Pair]:
    score = np.sqrt(found.forward * found.backward)
    floor = _KEEP_ITEMS * evidence + _KEEP_TEXT * (1 - evidence)
    return {(a, b) for a, b in assign(score) if score[a, b] >= floor[a, b]}


def _crossed(found: Flows, backbone: set[Pair]) -> set[Pair]:
    """Pair an unmatched cluster that looks split off with one that looks merged in, both beside one pair.

    A split and a merge of the same cluster at once is one border that moved, where the two have like words.
    """
    partner = dict(backbone)
    free_new = set(range(found.forward.shape[1])) - set(partner.values())
    further = _where(_further(found, backbone) >= _LIKELIER)
    made: set[Pair] = set()
    for a, b in sorted(further):
        merged = [old for old, new in sorted(further) if new == partner.get(a) and old not in partner]
        for old in merged:
            alike = b in free_new and found.likeness.probability[old, b] >= _ALIKE
            if alike and all(old != pair[0] and b != pair[1] for pair in made):
                made.add((old, b))
    return made


def _further(found: Flows, backbone: set[Pair]) -> Matrix:
    """Give the probability that a pair beside the backbone is a child split off or a parent merged, by items.

    Whether most of one cluster lies in the other tells a split from a move of the border, and so does whether
    it has a match of its own: what lost items to a neighbour is still there, what was split off is not. Few
    items are drawn towards `_EVEN`, where either is as likely.
    """
    rows, columns = {a for a, _ in backbone}, {b for _, b in backbone}
    constant, inside, alone, words = _FURTHER
    p = found.likeness.probability
    free_old = np.array([a not in rows for a in range(p.shape[0])], dtype=np.float64)[:, None]
    free_new = np.array([b not in columns for b in range(p.shape[1])], dtype=np.float64)[None, :]
    prior = (found.prior_seen + found.prior_missing)[:, None]
    latest = (found.latest_seen + found.latest_missing)[None, :]
    made = np.zeros_like(p)
    for part, known, free in (
        (found.backward_items, latest, free_new),
        (found.forward_items, prior, free_old),
    ):
        drawn = (part * known + KAPPA * _EVEN) / (known + KAPPA)
        logit = constant + inside * drawn + alone * free + words * p
        made = np.where(part >= _INSIDE, np.maximum(made, special.expit(logit)), made)
    both = np.minimum(found.forward_items, found.backward_items) >= _SECOND
    made = np.where(both, made, 0.0)
    made[[a for a, _ in backbone], [b for _, b in backbone]] = 0.0
    return np.asarray(made, dtype=np.float64)


def _balanced(prior: Membership, latest: Membership, pairs: set[Pair], found: Flows) -> set[Pair]:
    """Find splits and merges by words where the sizes ask for them.

    A cluster that shrank much while an unmatched one of like words appeared, and that with it would have kept
    its size, was split; and the other way round merged.
    """
    size = [
        np.array([len(c.keys) for c in flows.regular(run)]) / max(1, flows.size(run))
        for run in (prior, latest)
    ]
    p = found.likeness.probability
    made: set[Pair] = set()
    for turned in (False, True):
        of = {(b, a) if turned else (a, b) for a, b in pairs}
        whole, part = size[::-1] if turned else size
        like = p.T if turned else p
        silent = _silent(found)[0 if turned else 1]
        free = [b for b in range(len(part)) if all(b != pair[1] for pair in of)]
        for b in free:
            a = int(np.argmax(like[:, b])) if len(whole) else -1
            mine = [other for first, other in of if first == a]
            if a < 0 or len(mine) != 1 or like[a, b] < LOOK_ALIKE or not silent[b]:
                continue
            gap = math.log(part[mine[0]] / whole[a])
            left = math.log((part[mine[0]] + part[b]) / whole[a])
            if gap < -_GAP and abs(left) <= abs(gap) - _GAIN:
                made.add((b, a) if turned else (a, b))
    return made


def _leftovers(
    old: Sequence[MemberCluster], new: Sequence[MemberCluster], taken: set[Pair], found: Flows
) -> set[Pair]:
    """Pair clusters nobody claimed, where words alone decide and, among themselves, leave no doubt.

    A cluster whose items should have been seen on the other side and were not is new or gone, whatever it is
    called, and takes no part.
    """
    silent_old, silent_new = _silent(found)
    rows = [a for a in range(len(old)) if silent_old[a] and all(a != pair[0] for pair in taken)]
    columns = [b for b in range(len(new)) if silent_new[b] and all(b != pair[1] for pair in taken)]
    if not rows or not columns:
        return set()
    p = text.likeness(
        [titles.document(old[a].title, old[a].description) for a in rows],
        [titles.document(new[b].title, new[b].description) for b in columns],
    ).probability
    return {(rows[a], columns[b]) for a, b in assign(p) if p[a, b] >= _LEFTOVER}


def _silent(found: Flows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say of which clusters (prior, latest) so few items are known that words decide."""
    return (
        found.prior_seen + found.prior_missing <= KAPPA,
        found.latest_seen + found.latest_missing <= KAPPA,
    )


def _where(mask: NDArray[np.bool_]) -> set[Pair]:
    return {(int(a), int(b)) for a, b in np.argwhere(mask)}


def _link(
    found: Flows,
    evidence: Matrix,
    further: Matrix,
    old: Sequence[MemberCluster],
    new: Sequence[MemberCluster],
    pair: Pair,
    backbone: bool,  # noqa: FBT001 (a fact about the pair, not a switch)
) -> Matched:
    c, d, e = float(found.forward[pair]), float(found.backward[pair]), float(evidence[pair])
    by_items = e >= _ITEM_EVIDENCE
    alike = float(found.likeness.probability[pair]) >= _ALIKE
    if further[pair] >= _LIKELIER:
        confidence = float(further[pair])
    else:
        confidence = float(special.expit(-2.20 + 4.29 * max(c, d) + 2.02 * min(c, d) + 2.87 * e))
    return Matched(
        prior_id=old[pair[0]].cluster_id,
        latest_id=new[pair[1]].cluster_id,
        confidence=confidence,
        evidence="both" if by_items and alike else "items" if by_items else "text",
        item_evidence=e,
        purity=min(c, d),
        shared_items=int(found.shared[pair]),
        text_similarity=float(found.likeness.similarity[pair]),
        text_probability=float(found.likeness.probability[pair]),
        backbone=backbone,
    )


def _groups(
    found: Flows, old: Sequence[MemberCluster], new: Sequence[MemberCluster], links: Sequence[Matched]
) -> tuple[Group, ...]:
    names = {("prior", c.cluster_id): titles.normalised(c.title) for c in old}
    names |= {("latest", c.cluster_id): titles.normalised(c.title) for c in new}
    parents = {c.cluster_id: [link for link in links if link.latest_id == c.cluster_id] for c in new}
    children = {c.cluster_id: [link for link in links if link.prior_id == c.cluster_id] for c in old}
    made = [_set("split", mine) for mine in children.values() if len(mine) > 1]
    made += [_set("merged", mine) for mine in parents.values() if len(mine) > 1]
    for link in links:
        if len(parents[link.latest_id]) == len(children[link.prior_id]) == 1:
            same = names["prior", link.prior_id] == names["latest", link.latest_id]
            made.append(_set("continued" if same else "renamed", [link]))
    p = found.likeness.probability
    for index, cluster in enumerate(new):
        if not parents[cluster.cluster_id]:
            known = found.latest_seen[index], found.latest_missing[index], found.latest_noise[index]
            sure = _alone(found.backward[:, index], p[:, index], *(float(n) for n in known))
            made.append(Group("new", (), (cluster.cluster_id,), sure, None, 0, _part(*known)))
    for index, cluster in enumerate(old):
        if not children[cluster.cluster_id]:
            known = found.prior_seen[index], found.prior_missing[index], found.prior_noise[index]
            sure = _alone(found.forward[index], p[index], *(float(n) for n in known))
            made.append(Group("gone", (cluster.cluster_id,), (), sure, None, 0, _part(*known)))
    return tuple(sorted(made, key=lambda g: (g.latest or (1 << 30,), g.prior, g.kind)))


def _part(seen: float, missing: float, noise: float) -> float | None:
    """Give which part of the items known of went to noise; ``None`` where none is known."""
    known = float(seen + missing + noise)
    return float(noise) / known if known >= 1 else None


def _set(kind: MatchKind, links: Sequence[Matched]) -> Group:
    kinds = {link.evidence for link in links}
    return Group(
        kind=kind,
        prior=tuple(sorted({link.prior_id for link in links})),
        latest=tuple(sorted({link.latest_id for link in links})),
        confidence=min(link.confidence for link in links),
        evidence=kinds.pop() if len(kinds) == 1 else "both",
        shared_items=sum(link.shared_items for link in links),
    )


def _alone(flow: Matrix, words: Matrix, seen: float, missing: float, noise: float) -> float:
    """Give the confidence that a cluster has no counterpart.

    Items that should have reappeared and did not, or did so among the noise, speak for it; what flowed to
    clusters of the other run, or has their words, speaks against it.
    """
    without = (missing + noise) / (seen + missing + noise + _FEW)
    constant, weight, flows_, likeness = _ALONE
    logit = constant + weight * without + flows_ * float(flow.sum())
    return float(special.expit(-logit - likeness * float(words.max(initial=0.0))))


def _look_alikes(
    found: Flows,
    old: Sequence[MemberCluster],
    new: Sequence[MemberCluster],
    pairs: set[Pair],
    evidence: Matrix,
) -> frozenset[Pair]:
    rows, columns = {a for a, _ in pairs}, {b for _, b in pairs}
    by_items = np.maximum(found.forward_items, found.backward_items) >= _LOOK_ALIKE_ITEMS
    by_words = found.likeness.probability >= LOOK_ALIKE
    return frozenset(
        (old[a].cluster_id, new[b].cluster_id)
        for a, b in _where(np.where(evidence >= _ITEM_EVIDENCE, by_items, by_words))
        if (a, b) not in pairs and (a not in rows or b not in columns)
    )
