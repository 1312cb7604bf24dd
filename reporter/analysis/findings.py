"""What a reader should look at first: findings in order, the verdict, the headline.

Ranked by what is surely at stake (the interval end nearest to no change), never by the point estimate, which
rewards noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from reporter import units
from reporter.analysis import wording
from reporter.analysis.trials import ROWS
from reporter.report import (
    Call,
    Change,
    Cluster,
    Finding,
    JobSection,
    Kind,
    MetricChange,
    TransitionEntry,
    VerdictWord,
)

FindingKind: TypeAlias = Literal[
    "new", "gone", "split", "merged", "share", "cost", "latency", "tokens", "errors", "noise", "coverage"
]
Direction: TypeAlias = Literal["up", "down", "none"]
COVERAGE_MOVED = 0.10
"""Part of the prior cost by which the coverage factor must surely have moved the bill."""
NEWS_SHARE, NEWS_ITEMS = 0.01, 10
"""A cluster that came or went is news from 1 % of its run and 10 items on."""
_SURE, _LIKELY = 0.9, 0.6
_HEADLINE = 160
_CALLED: tuple[Call, ...] = ("changed", "probably_changed")
_MATERIAL = 0.01
"""Part of the population's cost from which dollars decide the order."""
_STRUCTURAL = ("new", "gone", "split", "merged")
_ORDER = ("errors", "cost", "share", "latency", "tokens", "noise", "coverage", *_STRUCTURAL)


def findings(sections: Sequence[JobSection]) -> list[Finding]:
    """Collect what changed over all jobs, the surest and weightiest first.

    Certain changes come before probable ones. Among them come first those worth at least 1 % of what the
    population cost, by the end of their interval nearest zero; then errors, cost, shares, latency and tokens
    by the same bound; last the clusters that came, went, split or merged, by size. A cluster's cost gives one
    finding, not one for mean and one for median; so does its latency.
    """
    ranked = []
    for index, section in enumerate(sections):
        told = (
            *_metric_findings(index, section),
            *_coverage(index, section),
            *_structural(index, section),
        )
        for weight, finding in told:
            tier = _CALLED.index(finding.call)
            spent = section.coverage.population_cost if section.coverage else None
            material = finding.impact_usd is not None and spent is not None and weight >= _MATERIAL * spent
            order = 0 if material else _ORDER.index(finding.kind)
            key = (tier, finding.kind in _STRUCTURAL, not material, order)
            tie = (
                _ORDER.index(finding.kind),
                index,
                -2 if finding.cluster_id is None else finding.cluster_id,
            )
            ranked.append(((key, -weight, tie, finding.metric or ""), finding, section))
    ranked.sort(key=lambda entry: entry[0])
    return [
        msgspec.structs.replace(finding, rank=rank, sentence=wording.sentence(finding, section))
        for rank, (_, finding, section) in enumerate(ranked, start=1)
    ]


def verdict_and_headline(
    findings: Sequence[Finding], sections: Sequence[JobSection], kind: Kind = "weekly"
) -> tuple[VerdictWord, str]:
    """Give the report's verdict and its one sentence.

    Only certain changes reach the sentence; probable ones are counted in it.
    """
    certain = [finding for finding in findings if finding.call == "changed"]
    if certain:
        return "changed", _headline(certain, sections)
    compared = [section for section in sections if section.status in ("ok", "stale")]
    if findings:
        changes = units.plural(len(findings), "probable change")
        return "probably_changed", f"Nothing is certain: {changes} in {_clusters(compared)}."
    if compared:
        tested = any(c.call == "no_clear_change" for section in compared for c in _all_changes(section))
        if not tested:
            return "not_enough_data", f"Too little data to tell a change: {_clusters(compared)}."
        calm = "Nothing needs you this week" if kind == "weekly" else "No clear change"
        return "no_clear_change", f"{calm}: {_calm(compared)}."
    return _nothing_compared(sections)


def _nothing_compared(sections: Sequence[JobSection]) -> tuple[VerdictWord, str]:
    """Say why there is nothing to compare."""
    states = {section.status for section in sections}
    if "not_comparable" in states:
        first = next(section for section in sections if section.status == "not_comparable")
        reason = first.comparability.reasons[0] if first.comparability and first.comparability.reasons else ""
        return "not_comparable", units.clean(f"The latest run cannot be compared. {reason}", _HEADLINE)
    if "no_prior" in states:
        first = next(section for section in sections if section.status == "no_prior")
        return "not_enough_data", units.clean(first.status_reason, _HEADLINE)
    if "failed" in states:
        return "not_enough_data", "No run of any job could be read."
    return "not_enough_data", "No job has a run to report on."


def _headline(certain: Sequence[Finding], sections: Sequence[JobSection]) -> str:
    section = sections[certain[0].job_index]
    first = wording.sentence(certain[0], section, short=True)
    if sum(other.latest is not None for other in sections) > 1:
        # A reader of several jobs must know which one the number is of.
        first = f"{units.clean(section.job.name, 40) or 'No job'}: {first}"
    more = len(certain) - 1
    tail = f" {units.plural(more, 'more change')}." if more else ""
    return units.clean(first, _HEADLINE - len(tail)) + tail


def _clusters(sections: Sequence[JobSection]) -> str:
    return units.plural(sum(len(section.clusters) for section in sections), "cluster")


def _calm(sections: Sequence[JobSection]) -> str:
    """Say what was looked at in vain; what was too small to be tested is not called normal."""
    clusters = [cluster for section in sections for cluster in section.clusters]
    judged = sum(
        any(m.call != "not_enough_data" for m in cluster.change.metrics.values())
        for cluster in clusters
        if cluster.change is not None
    )
    small = len(clusters) - judged
    if not judged:
        apart = f"; {units.plural(small, 'cluster')} too small to judge" if small else ""
        return f"the run as a whole is within its normal range{apart}"
    if small:
        others = "the other one" if small == 1 else f"the {small} others"
        return f"{judged} of {len(clusters)} clusters within their normal range, {others} too small to judge"
    return (
        "1 cluster, within its normal range"
        if judged == 1
        else f"{judged} clusters, all within their normal range"
    )


def _all_changes(section: JobSection) -> Iterator[MetricChange]:
    for _, change in _subjects(section):
        yield from change.metrics.values()


def _subjects(section: JobSection) -> Iterator[tuple[Cluster | None, Change]]:
    """Give every cluster that was compared, then the noise, then the whole run as ``None``."""
    for cluster in (*section.clusters, *([section.noise] if section.noise else [])):
        if cluster.change is not None:
            yield cluster, cluster.change
    if section.overall is not None and section.overall.change is not None:
        yield None, section.overall.change


def _metric_findings(index: int, section: JobSection) -> Iterator[tuple[float, Finding]]:
    for cluster, change in _subjects(section):
        for kind, names in ROWS.items():
            name = _loudest(names, change.metrics)
            if name is not None:
                yield _metric_finding(index, section, cluster, kind, name, change.metrics)


def _loudest(names: Sequence[str], metrics: Mapping[str, MetricChange]) -> str | None:
    """Choose the one metric that speaks for a family: the surest call, then the family's order."""
    for call in _CALLED:
        for name in names:
            if name in metrics and metrics[name].call == call:
                return name
    return None


def _metric_finding(
    index: int,
    section: JobSection,
    cluster: Cluster | None,
    kind: FindingKind,
    name: str,
    changes: Mapping[str, MetricChange],
) -> tuple[float, Finding]:
    change = changes[name]
    difference = change.difference or 0.0
    bound = min(abs(change.low or 0.0), abs(change.high or 0.0))
    impact = _impact(section, cluster, kind, changes)
    weight = bound * (cluster.share if cluster and kind != "share" else 1.0)
    if impact is not None and difference:
        weight = abs(impact) * bound / abs(difference)
    noise = cluster is not None and cluster.cluster_id < 0
    direction: Direction = "up" if difference > 0 else "down" if difference < 0 else "none"
    return weight, Finding(
        rank=0,
        kind="noise" if noise and kind == "share" else kind,
        job_id=section.job.id,
        cluster_id=cluster.cluster_id if cluster else None,
        metric=name,
        direction=direction,
        good=change.good,
        prior=change.prior,
        latest=change.latest,
        low=change.low,
        high=change.high,
        p_value=change.p_value,
        q_value=change.q_value,
        call=change.call,
        impact_usd=impact,
        sentence="",
        seen="new",
        trace_ids=list(dict.fromkeys([*change.driven_by, *_evidence(cluster, kind)]))[:3],
        job_index=index,
    )


def _coverage(index: int, section: JobSection) -> Iterator[tuple[float, Finding]]:
    """Say when what is spent outside the sample's reach moved the bill.

    The sample misses very large traces and busy hours. Dollars an item of the population per dollar an item
    of the sample is the coverage factor; its effect is told where it surely is a tenth of the prior cost.
    """
    bridge = section.bridge
    if bridge is None or "coverage" not in bridge.intervals or bridge.prior <= 0:
        return
    low, high = bridge.intervals["coverage"]
    bound = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    if bound < COVERAGE_MOVED * bridge.prior:
        return
    yield (
        bound,
        Finding(
            rank=0,
            kind="coverage",
            job_id=section.job.id,
            cluster_id=None,
            metric=None,
            direction="up" if bridge.coverage > 0 else "down",
            good=None,
            prior=None,
            latest=None,
            low=low,
            high=high,
            p_value=None,
            q_value=None,
            call="probably_changed",
            impact_usd=bridge.coverage,
            sentence="",
            seen="new",
            trace_ids=[],
            job_index=index,
        ),
    )


def _impact(
    section: JobSection, cluster: Cluster | None, kind: FindingKind, changes: Mapping[str, MetricChange]
) -> float | None:
    """Give what a change of unit cost or share is worth in dollars a window.

    Both at the mean of the two runs' other factor, so that unit cost and share together add up; the
    population is the latest window's. ``None`` where the population or a cost is not known.
    """
    population = section.coverage.population_items if section.coverage else None
    cost = changes.get("mean_cost_usd")
    if not population or cost is None or cost.prior is None or cost.latest is None:
        return None
    if kind == "cost":
        share = 1.0
        if cluster is not None:
            before = changes["share"].prior if "share" in changes else None
            share = (cluster.share + (cluster.share if before is None else before)) / 2
        return (cost.latest - cost.prior) * share * population
    if kind == "share" and changes["share"].difference is not None:
        return changes["share"].difference * population * (cost.prior + cost.latest) / 2
    return None


def _evidence(cluster: Cluster | None, kind: FindingKind) -> list[str]:
    """Name up to three traces worth opening for a kind of change, the most telling first."""
    if cluster is None:
        return []
    first = {
        "cost": "most_expensive",
        "tokens": "most_expensive",
        "latency": "slowest",
        "errors": "failing",
    }.get(kind)
    ordered = sorted(cluster.exemplars, key=lambda e: e.reason != first)
    return list(dict.fromkeys(e.trace_id for e in ordered if e.trace_id is not None))[:3]


def _structural(index: int, section: JobSection) -> Iterator[tuple[float, Finding]]:
    clusters = {c.cluster_id: c for c in section.clusters}
    before = {p.prior_cluster_id: p for p in section.prior_clusters}
    for entry in section.transitions:
        if entry.kind in ("continued", "renamed") or entry.confidence < _LIKELY:
            continue
        prior = math.fsum(before[i].share for i in entry.prior if i in before)
        latest = math.fsum(clusters[i].share for i in entry.latest if i in clusters)
        sizes = [clusters[i].size for i in entry.latest if i in clusters]
        sizes += [before[i].size for i in entry.prior if i in before]
        # Of a split or a merge every part but the largest must be worth telling by itself.
        told = sorted(sizes, reverse=True)[2 if entry.kind in ("split", "merged") else 0 :]
        if max(prior, latest) < NEWS_SHARE or max(told, default=0) < NEWS_ITEMS:
            continue
        yield max(prior, latest), _structural_finding(index, section, entry, prior, latest, clusters)


def _structural_finding(
    index: int,
    section: JobSection,
    entry: TransitionEntry,
    prior: float,
    latest: float,
    clusters: Mapping[int, Cluster],
) -> Finding:
    largest = min(entry.latest, key=lambda i: (-clusters[i].size if i in clusters else 0, i), default=None)
    kinds: dict[str, FindingKind] = {"new": "new", "gone": "gone", "split": "split", "merged": "merged"}
    directions: dict[str, Direction] = {"new": "up", "gone": "down"}
    return Finding(
        rank=0,
        kind=kinds[entry.kind],
        job_id=section.job.id,
        cluster_id=largest,
        metric=None,
        direction=directions.get(entry.kind, "none"),
        good=None,
        prior=prior if entry.prior else None,
        latest=latest if entry.latest else None,
        low=None,
        high=None,
        p_value=None,
        q_value=None,
        call="changed" if entry.confidence >= _SURE else "probably_changed",
        impact_usd=None,
        sentence="",
        seen="new",
        trace_ids=_evidence(clusters.get(largest) if largest is not None else None, kinds[entry.kind]),
        job_index=index,
        prior_cluster_id=entry.prior[0] if entry.kind == "gone" and entry.prior else None,
    )
