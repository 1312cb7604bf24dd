"""Which cluster of the latest run is which of the prior run, and what became of the rest.

Identity is never taken from cluster ids (they are numbered anew in every run), nor from cost or latency
(that would hide the changes that are tested afterwards). Noise is matched to noise by its id alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from reporter.analysis import flows, text
from reporter.analysis.flows import KAPPA, Flows
from reporter.analysis.text import Matrix
from reporter.model import MemberCluster, Membership, Run
from reporter.report import Evidence, MatchKind

Pair: TypeAlias = tuple[int, int]
_KEEP_ITEMS, _KEEP_TEXT = 0.30, 0.35
_MAIN = 0.60
_SECOND_ITEMS, _SECOND_TEXT = 0.05, 0.20
_LEFTOVER = 0.8
_ITEM_EVIDENCE = 0.5
_ALIKE = 0.5
_ALONE, _ALONE_ITEMS = -2.0, 1.5
"""Set by judgement, so that words alone stay below 0.9 and missing items can lift it above."""
LOOK_ALIKE = 0.03
"""Text probability from which an unmatched cluster counts as a look-alike."""


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


@dataclass(frozen=True, slots=True)
class Matching:
    """What became of every regular cluster of two runs."""

    links: tuple[Matched, ...]
    """By latest id, the surest first."""
    groups: tuple[Group, ...]
    look_alikes: frozenset[Pair]
    """(prior id, latest id) of pairs whose words are alike but that are not linked, one being unmatched."""

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

    Method: Hungarian assignment on sqrt(C D) with C and D the forward and backward flows of `flows`; a pair
    is kept from 0.30 on item evidence, 0.35 on words. Further children and parents are linked on item
    evidence only (directed containment, after MONIC, Spiliopoulou et al. 2006). Clusters left over whose
    words match beyond doubt among themselves are paired last.

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
    pairs = backbone | _further(found, evidence)
    links = tuple(
        sorted(
            (_link(found, evidence, old, new, pair, pair in backbone) for pair in pairs),
            key=lambda link: (link.latest_id, -link.confidence, link.prior_id),
        )
    )
    return Matching(links, _groups(found, old, new, links), _look_alikes(found, old, new, pairs))


def _assign(score: Matrix) -> list[Pair]:
    """Give the one-to-one pairs of greatest total score; equal totals are decided by the order of ids."""
    rows, columns = score.shape
    if 0 in score.shape:
        return []
    # A nudge far below any real difference makes the choice among equals independent of the solver.
    nudge = 1e-9 * (np.arange(rows)[:, None] * columns + np.arange(columns)[None, :]) / (rows * columns)
    chosen = optimize.linear_sum_assignment(-(score - nudge))
    return [(int(a), int(b)) for a, b in zip(*chosen, strict=True)]


def _backbone(found: Flows, evidence: Matrix) -> set[Pair]:
    score = np.sqrt(found.forward * found.backward)
    floor = _KEEP_ITEMS * evidence + _KEEP_TEXT * (1 - evidence)
    return {(a, b) for a, b in _assign(score) if score[a, b] >= floor[a, b]}


def _further(found: Flows, evidence: Matrix) -> set[Pair]:
    """Find children a cluster was split into and parents it was merged from, on item evidence."""
    second = _SECOND_ITEMS * evidence + _SECOND_TEXT * (1 - evidence)
    child = (found.backward >= _MAIN) & (found.forward >= second)
    parent = (found.forward >= _MAIN) & (found.backward >= second)
    return _where((child | parent) & (evidence >= _ITEM_EVIDENCE))


def _leftovers(
    old: Sequence[MemberCluster], new: Sequence[MemberCluster], taken: set[Pair], found: Flows
) -> set[Pair]:
    """Pair clusters nobody claimed, where words alone decide and, among themselves, leave no doubt.

    A cluster whose items should have been seen on the other side and were not is new or gone, whatever it is
    called, and takes no part.
    """
    silent_old = found.prior_seen + found.prior_missing <= KAPPA
    silent_new = found.latest_seen + found.latest_missing <= KAPPA
    rows = [a for a in range(len(old)) if silent_old[a] and all(a != pair[0] for pair in taken)]
    columns = [b for b in range(len(new)) if silent_new[b] and all(b != pair[1] for pair in taken)]
    if not rows or not columns:
        return set()
    p = text.likeness(
        [text.document(old[a].title, old[a].description) for a in rows],
        [text.document(new[b].title, new[b].description) for b in columns],
    ).probability
    return {(rows[a], columns[b]) for a, b in _assign(p) if p[a, b] >= _LEFTOVER}


def _where(mask: NDArray[np.bool_]) -> set[Pair]:
    return {(int(a), int(b)) for a, b in np.argwhere(mask)}


def _logistic(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def _link(
    found: Flows,
    evidence: Matrix,
    old: Sequence[MemberCluster],
    new: Sequence[MemberCluster],
    pair: Pair,
    backbone: bool,  # noqa: FBT001 (a fact about the pair, not a switch)
) -> Matched:
    c, d, e = float(found.forward[pair]), float(found.backward[pair]), float(evidence[pair])
    by_items = e >= _ITEM_EVIDENCE
    alike = float(found.likeness.probability[pair]) >= _ALIKE
    return Matched(
        prior_id=old[pair[0]].cluster_id,
        latest_id=new[pair[1]].cluster_id,
        confidence=_logistic(-2.20 + 4.29 * max(c, d) + 2.02 * min(c, d) + 2.87 * e),
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
    titles = {("prior", c.cluster_id): text.normalised(c.title) for c in old}
    titles |= {("latest", c.cluster_id): text.normalised(c.title) for c in new}
    parents = {c.cluster_id: [link for link in links if link.latest_id == c.cluster_id] for c in new}
    children = {c.cluster_id: [link for link in links if link.prior_id == c.cluster_id] for c in old}
    made = [_set("split", mine) for mine in children.values() if len(mine) > 1]
    made += [_set("merged", mine) for mine in parents.values() if len(mine) > 1]
    for link in links:
        if len(parents[link.latest_id]) == len(children[link.prior_id]) == 1:
            same = titles["prior", link.prior_id] == titles["latest", link.latest_id]
            made.append(_set("continued" if same else "renamed", [link]))
    for index, cluster in enumerate(new):
        if not parents[cluster.cluster_id]:
            sure = _alone(
                found.forward[:, index],
                found.backward[:, index],
                found.latest_seen[index],
                found.latest_missing[index],
            )
            made.append(Group("new", (), (cluster.cluster_id,), sure, None, 0))
    for index, cluster in enumerate(old):
        if not children[cluster.cluster_id]:
            sure = _alone(
                found.forward[index],
                found.backward[index],
                found.prior_seen[index],
                found.prior_missing[index],
            )
            made.append(Group("gone", (cluster.cluster_id,), (), sure, None, 0))
    return tuple(sorted(made, key=lambda g: (g.latest or (1 << 30,), g.prior, g.kind)))


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


def _alone(forward: Matrix, backward: Matrix, seen: float, missing: float) -> float:
    """Give the confidence that a cluster has no counterpart.

    One minus the chance of the best link it could have had; items that should have reappeared and did not
    count as evidence, so words alone never give certainty.
    """
    known = float(seen + missing)
    base = _ALONE - _ALONE_ITEMS * known / (known + KAPPA)
    best = max(
        (
            _logistic(base + 4.29 * max(c, d) + 2.02 * min(c, d))
            for c, d in zip(forward, backward, strict=True)
        ),
        default=_logistic(base),
    )
    return 1 - best


def _look_alikes(
    found: Flows, old: Sequence[MemberCluster], new: Sequence[MemberCluster], pairs: set[Pair]
) -> frozenset[Pair]:
    rows, columns = {a for a, _ in pairs}, {b for _, b in pairs}
    return frozenset(
        (old[a].cluster_id, new[b].cluster_id)
        for a, b in _where(found.likeness.probability >= LOOK_ALIKE)
        if (a, b) not in pairs and (a not in rows or b not in columns)
    )
