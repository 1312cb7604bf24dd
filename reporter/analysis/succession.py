"""What became of a prior run: its clusters' successors, how they changed, what is new and what is gone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from reporter.analysis import borders, causes, compare, contrast, links, metrics
from reporter.analysis.borders import Borders
from reporter.analysis.cells import Cell, Spent
from reporter.analysis.compare import GOOD, Subject, Trust, Wanted
from reporter.analysis.matching import Matched, Matching
from reporter.analysis.measured import Measured
from reporter.model import NOISE, Cluster, Membership
from reporter.report import (
    Change,
    GoneCluster,
    Link,
    MetricChange,
    PriorCluster,
    PriorTransition,
    Transition,
    TransitionEntry,
)

_SIDES = ("prior", "latest")


@dataclass(frozen=True, slots=True)
class Compared:
    """Latest against a comparable prior."""

    prior: Measured
    matching: Matching
    changes: Mapping[int | None, dict[str, MetricChange]]
    causes: frozenset[causes.Kind]
    """How calls of the prior run failed."""

    def one_to_one(self, cluster: Cluster) -> Cluster | None:
        """Give the prior cluster a cluster continues; ``None`` for new, split and merged ones."""
        if cluster.is_noise:
            return self.prior.cluster(NOISE)
        return (
            self.prior.cluster(self.kinds[cluster.cluster_id][1])
            if cluster.cluster_id in self.kinds
            else None
        )

    @property
    def kinds(self) -> dict[int, tuple[Transition, int]]:
        """Map latest id to (continued or renamed, prior id) for clusters matched one to one."""
        return {
            g.latest[0]: ("renamed" if g.kind == "renamed" else "continued", g.prior[0])
            for g in self.matching.groups
            if g.kind in ("continued", "renamed")
        }


def compared(
    latest: Measured,
    prior: Measured,
    matched: Matching,
    between: Sequence[Membership],
    seed: int,
    good: Mapping[str, Wanted] = GOOD,
) -> Compared:
    """Test what changed between two comparable runs that were matched."""
    bare = Compared(prior, matched, {}, frozenset(causes.kind_of(f) for f in prior.failures))
    moved = Borders(prior.keys, latest.keys, {**prior.rows, **latest.rows}, between)
    subjects = [Subject(None, prior.side(None), latest.side(None), "certain", borders.STILL)]
    tau = borders.spread(_border_moves(bare, latest))
    for cluster in sorted(latest.run.clusters, key=lambda c: c.cluster_id):
        origin = bare.one_to_one(cluster)
        if origin is None:
            continue
        before, now = prior.side(origin), latest.side(cluster)
        if cluster.is_noise:
            spread = borders.noise_spread([_noise_share(run) for run in between])
            subjects.append(Subject(cluster.cluster_id, before, now, "likely", tau=spread))
            continue
        trust = _trust(cluster, origin, latest, prior, matched)
        explained = moved.moves(before.keys, now.keys)
        subjects.append(Subject(cluster.cluster_id, before, now, trust, explained, tau))
    changes = compare.compare(subjects, seed, good)
    traces = _traces(prior) | _traces(latest)
    named = {
        subject: {metric: _with_traces(told, traces) for metric, told in mine.items()}
        for subject, mine in changes.items()
    }
    return Compared(prior, matched, named, bare.causes)


def _traces(run: Measured) -> dict[str, str]:
    """Map what a row tells of (the generation an evaluation judged, else the item) to its trace."""
    found = {}
    for cluster in run.run.clusters:
        for item in cluster.items:
            row = run.rows.get(item.key)
            trace = links.trace_of(run.level, item, row)
            if trace is not None:
                found[(row.target_id if row else None) or item.key] = trace
    return found


def _with_traces(change: MetricChange, traces: Mapping[str, str]) -> MetricChange:
    if not change.driven_by:
        return change
    told = dict.fromkeys(traces[key] for key in change.driven_by if key in traces)
    return msgspec.structs.replace(change, driven_by=list(told))


def _border_moves(compared: Compared, latest: Measured) -> list[float]:
    """Give the log ratios of shared items of clusters matched one to one, where there are enough."""
    moves = []
    for latest_id, (_, prior_id) in sorted(compared.kinds.items()):
        old, new = compared.prior.cluster(prior_id), latest.cluster(latest_id)
        if old is None or new is None:
            continue
        kept = sum(item.key in latest.keys for item in old.items)
        known = sum(item.key in compared.prior.keys for item in new.items)
        if min(kept, known) >= contrast.NET_MIN_SHARED:
            moves.append(math.log(known / kept))
    return moves


def _noise_share(run: Membership) -> float:
    size = sum(len(c.keys) for c in run.clusters)
    noise = sum(len(c.keys) for c in run.clusters if c.cluster_id == NOISE)
    return noise / size if size else 0.0


def _trust(cluster: Cluster, origin: Cluster, latest: Measured, prior: Measured, matched: Matching) -> Trust:
    (link,) = matched.parents(cluster.cluster_id)
    if not origin.size or not cluster.size:
        return "none"
    ratio = (cluster.size / latest.size) / (origin.size / prior.size)
    alike = any(a == origin.cluster_id or b == cluster.cluster_id for a, b in matched.look_alikes)
    return compare.trust(link, ratio, look_alikes=alike)


def change(cluster: Cluster, origin: Cluster | None, compared: Compared) -> Change:
    """Tell how a cluster relates to the prior run."""
    if cluster.is_noise:
        return Change(
            transition="continued" if origin else "new",
            prior_cluster_ids=[NOISE] if origin else [],
            links=[],
            prior_title=origin.title if origin else None,
            metrics=compared.changes.get(NOISE, {}),
        )
    parents = sorted(
        compared.matching.parents(cluster.cluster_id), key=lambda link: (-link.confidence, link.prior_id)
    )
    first = compared.prior.cluster(parents[0].prior_id) if parents else None
    return Change(
        transition=_transition(cluster.cluster_id, parents, compared),
        prior_cluster_ids=[link.prior_id for link in parents],
        links=[
            Link(
                prior_cluster_id=link.prior_id,
                confidence=link.confidence,
                evidence=link.evidence,
                shared_items=link.shared_items,
                text_similarity=link.text_similarity,
            )
            for link in parents
        ],
        prior_title=first.title if first else None,
        metrics=compared.changes.get(cluster.cluster_id, {}),
    )


def _transition(cluster_id: int, parents: Sequence[Matched], compared: Compared) -> Transition:
    if not parents:
        return "new"
    if len(parents) > 1:
        return "merged"
    return compared.kinds[cluster_id][0] if cluster_id in compared.kinds else "split"


def gone(compared: Compared, names: Mapping[int, str]) -> list[GoneCluster]:
    """List prior clusters without a successor, largest first.

    Args:
        compared: The comparison.
        names: Prior cluster id → lineage id.
    """
    prior = compared.prior
    lost = {g.prior[0] for g in compared.matching.groups if g.kind == "gone"}
    found = [c for c in prior.run.clusters if c.cluster_id in lost]
    return [
        GoneCluster(
            lineage_id=names.get(c.cluster_id, ""),
            prior_cluster_id=c.cluster_id,
            title=c.title,
            size=c.size,
            share=c.size / prior.size if prior.size else 0.0,
            metrics=metrics.metrics(prior.level, c.size, prior.of(c)),
        )
        for c in sorted(found, key=lambda c: (-c.size, c.cluster_id))
    ]


def prior_clusters(compared: Compared, names: Mapping[int, str]) -> list[PriorCluster]:
    """Tell what became of every regular cluster of the prior run, largest first.

    Args:
        compared: The comparison.
        names: Prior cluster id → lineage id.
    """
    prior = compared.prior
    became: dict[int, PriorTransition] = {}
    # Later kinds win: a cluster that was both merged and split is told as split.
    for kind in ("gone", "continued", "renamed", "merged", "split"):
        for group in compared.matching.groups:
            if group.kind == kind:
                became |= dict.fromkeys(group.prior, kind)
    regular = [c for c in prior.run.clusters if not c.is_noise]
    return [
        PriorCluster(
            lineage_id=names.get(c.cluster_id, ""),
            prior_cluster_id=c.cluster_id,
            title=c.title,
            size=c.size,
            share=c.size / prior.size if prior.size else 0.0,
            transition=became[c.cluster_id],
        )
        for c in sorted(regular, key=lambda c: (-c.size, c.cluster_id))
    ]


def transitions(compared: Compared) -> list[TransitionEntry]:
    """List every set of clusters that belong together, each cluster of both runs at least once."""
    return [
        TransitionEntry(
            kind=group.kind,
            latest=list(group.latest),
            prior=list(group.prior),
            confidence=group.confidence,
            evidence=group.evidence,
            shared_items=group.shared_items,
            noise_share=group.noise_share,
        )
        for group in compared.matching.groups
    ]


def cells(latest: Measured, compared: Compared) -> list[Cell]:
    """Cut both runs into cells for the cost bridge: linked clusters, what came or went, the noise."""
    prior, groups = compared.prior, compared.matching.groups
    place: dict[tuple[str, int], int] = {}
    for index, group in enumerate(groups):
        sides = [*(("prior", i) for i in group.prior), *(("latest", i) for i in group.latest)]
        joined = {place[side] for side in sides if side in place}
        place |= dict.fromkeys(sides, index)
        # Groups that meet in a cluster are one cell.
        place |= {side: index for side, old in place.items() if old in joined}
    made = []
    for index in sorted(set(place.values())):
        old, new = ({i for (s, i), at in place.items() if s == side and at == index} for side in _SIDES)
        made.append(_cell(prior, old, latest, new, groups[index].kind))
    made.append(_cell(prior, {NOISE}, latest, {NOISE}, "noise"))
    return [cell for cell in made if cell.prior_share or cell.latest_share]


def _cell(prior: Measured, prior_ids: set[int], latest: Measured, latest_ids: set[int], status: str) -> Cell:
    old = [c for c in prior.run.clusters if c.cluster_id in prior_ids]
    new = [c for c in latest.run.clusters if c.cluster_id in latest_ids]
    named = min(new or old, key=lambda c: (-c.size, c.cluster_id), default=None)
    before, after = _item_costs(old, prior), _item_costs(new, latest)
    return Cell(
        title=named.title if named else "",
        status=status,
        prior_share=sum(c.size for c in old) / prior.size if prior.size else 0.0,
        latest_share=sum(c.size for c in new) / latest.size if latest.size else 0.0,
        prior_cost_usd=_mean_cost(before),
        latest_cost_usd=_mean_cost(after),
        prior_items=before,
        latest_items=after,
        prior_ids=tuple(sorted(c.cluster_id for c in old)),
        latest_ids=tuple(sorted(c.cluster_id for c in new)),
    )


def _item_costs(clusters: Sequence[Cluster], measured: Measured) -> dict[str, Spent | None]:
    """Give what each item cost, USD, unknown as 0, and used of each model; ``None`` without data."""
    costs: dict[str, Spent | None] = {item.key: None for c in clusters for item in c.items}
    return costs | {
        row.key: Spent(row.cost_usd or 0.0, row.models)
        for c in clusters
        for row in measured.of(c)
        if row.has_data
    }


def _mean_cost(items: Mapping[str, Spent | None]) -> float | None:
    """Give the mean cost of items with data, USD; ``None`` where no item has any."""
    costs = [spent.cost_usd for spent in items.values() if spent is not None]
    return math.fsum(costs) / len(costs) if costs else None
