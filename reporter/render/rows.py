"""Rows of the tables that list everything: the ledger of clusters, transitions, error causes, cross-check."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from reporter import units
from reporter.render import marks, words
from reporter.units import UNKNOWN

_MODELS = 3
"""Models named beside an error cause."""

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reporter.report import Cluster, ErrorCause, JobSection, Link, TransitionEntry


@dataclass(frozen=True, slots=True)
class Said:
    """A few words about a change, with the colour they may carry."""

    text: str
    tone: str
    """``calm``, ``plain``, ``better`` or ``worse``."""


@dataclass(frozen=True, slots=True)
class Named:
    """A cluster by name, with the place on the page where it is listed."""

    title: str
    anchor: str | None
    """Without the ``#``; ``None`` for clusters of the prior run."""


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """One line of the ledger."""

    anchor: str
    title: str
    lineage_id: str
    swatch: str | None
    noise: bool
    size: int
    share: float
    dot: marks.Dot | None
    cost_usd: float | None
    latency_s: float | None
    p95_latency_s: float | None
    tokens: float | None
    errors: str
    error_rate: float | None
    pass_rate: float | None
    na_rate: float | None
    evaluator: str
    said: tuple[Said, ...]
    """Changes in words, surest first; empty where nothing was compared."""
    weight: int
    """To sort by change: 3 changed, 2 probably or structural, 1 tested, 0 not."""
    spark: marks.Spark | None
    spark_words: str
    url: str | None


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """A set of clusters of both runs that belong together."""

    kind: str
    prior: tuple[Named, ...]
    latest: tuple[Named, ...]
    confidence: str
    sure: bool
    evidence: str
    quiet: bool
    """True for a plain continuation."""


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One error cause, in one cluster or over several."""

    cause: str
    clusters: tuple[tuple[Named, int], ...]
    """(cluster, failed calls), the most hit first."""
    count: int
    items: int
    cost_usd: float | None
    first_seen: str
    last_seen: str
    news: str
    where: str
    """Models the calls went to, with their providers; empty where none is known."""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """Our figure beside the one PostHog baked into the event, for one cluster."""

    cluster: Named
    cells: tuple[tuple[str, str], ...]
    """(ours, PostHog's) in the order of `CHECKED`."""


CHECKED: tuple[tuple[str, str, Callable[[float | None], str]], ...] = (
    ("item_count", "Items with data", units.count),
    ("avg_cost", "Average cost", units.money),
    ("total_cost", "Total cost", units.money),
    ("avg_latency", "Average latency", units.seconds),
    ("avg_tokens", "Average tokens", units.tokens),
    ("error_rate", "Error rate", units.percent),
)
_STRUCTURE = {"new": "New", "split": "Split off", "merged": "Merged", "renamed": "Renamed"}


def anchor(job_index: int, cluster_id: int) -> str:
    """Give the id under which a cluster is listed on the page: ``job-1-cluster-7``."""
    return f"job-{job_index + 1}-" + ("outliers" if cluster_id < 0 else f"cluster-{cluster_id}")


def named(section: JobSection, job_index: int) -> dict[int, Named]:
    """Name every cluster of the latest run, the noise included."""
    clusters = [*section.clusters, *([section.noise] if section.noise else [])]
    return {
        c.cluster_id: Named(words.title(c.title, c.cluster_id), anchor(job_index, c.cluster_id))
        for c in clusters
    }


def named_prior(section: JobSection) -> dict[int, Named]:
    """Name every cluster of the prior run that the report knows."""
    known = {g.prior_cluster_id: g.title for g in section.gone}
    known |= {p.prior_cluster_id: p.title for p in section.prior_clusters}
    return {key: Named(words.title(text, key), None) for key, text in sorted(known.items())}


def ledger(
    section: JobSection, job_index: int, swatch: Callable[[str], str | None]
) -> tuple[ClusterRow, ...]:
    """List all clusters, largest first, the noise last."""
    clusters = [*section.clusters, *([section.noise] if section.noise else [])]
    top = max((c.estimates.share.high or c.share for c in clusters), default=0.0)
    return tuple(_cluster(c, section, job_index, top, swatch) for c in clusters)


def likelihood(section: JobSection) -> dict[int, float]:
    """Give the confidence, 0–1, of each latest cluster's transition."""
    return {i: entry.confidence for entry in section.transitions for i in entry.latest}


def said(cluster: Cluster, confidence: float) -> tuple[Said, ...]:
    """Say what changed about a cluster: structure first, then metrics, the surest first."""
    change = cluster.change
    if change is None:
        return ()
    found: list[Said] = []
    if not cluster.cluster_id < 0 and change.transition in _STRUCTURE:
        calm = change.transition == "renamed"
        text = _STRUCTURE[change.transition]
        if not calm and confidence < words.SURE:
            text = f"{words.confidence(confidence).capitalize()} {text.lower()}"
        found.append(Said(text, "calm" if calm or confidence < words.PROBABLE else "plain"))
    for call, mark in (("changed", ""), ("probably_changed", ", probably")):
        for name in words.METRICS:
            metric = change.metrics.get(name)
            if metric is not None and metric.call == call:
                way = words.direction(metric)
                text = f"{words.moved(name, metric)} {words.METRICS[name].label.lower()}{mark}"
                found.append(Said(text, words.tone(call, way, metric.good)))
    if found:
        return tuple(found)
    tested = any(m.call == "no_clear_change" for m in change.metrics.values())
    return (Said(words.CALLS["no_clear_change" if tested else "not_enough_data"], "calm"),)


def transitions(section: JobSection, job_index: int) -> tuple[TransitionRow, ...]:
    """List every transition, what happened first and plain continuations last."""
    latest, prior = named(section, job_index), named_prior(section)
    order = ("split", "merged", "new", "gone", "renamed", "continued")
    entries = sorted(section.transitions, key=lambda t: (order.index(t.kind), t.latest or [-1], t.prior))
    links = {
        (link.prior_cluster_id, c.cluster_id): link
        for c in section.clusters
        if c.change is not None
        for link in c.change.links
    }
    return tuple(_transition(entry, latest, prior, links) for entry in entries)


def errors(section: JobSection, job_index: int) -> tuple[ErrorRow, ...]:
    """List error causes of all clusters, the most frequent first."""
    names = named(section, job_index)
    clusters = [*section.clusters, *([section.noise] if section.noise else [])]
    groups: dict[str, list[tuple[Named, ErrorCause]]] = {}
    for c in clusters:
        for cause in c.errors:
            text = units.clean(cause.cause, 240) or "(no error message)"
            groups.setdefault(text, []).append((names[c.cluster_id], cause))
    found = [error(text, hits) for text, hits in groups.items()]
    return tuple(sorted(found, key=lambda row: (-row.count, row.cause)))


def error(text: str, hits: Sequence[tuple[Named, ErrorCause]]) -> ErrorRow:
    """Prepare one error cause; clusters share no items, so their figures add up."""
    costs = [cause.cost_usd for _, cause in hits if cause.cost_usd is not None]
    news = {cause.new for _, cause in hits}
    return ErrorRow(
        cause=text,
        clusters=tuple(
            sorted(
                ((name, cause.count) for name, cause in hits),
                key=lambda pair: (-pair[1], pair[0].anchor or ""),
            )
        ),
        count=sum(cause.count for _, cause in hits),
        items=sum(cause.items for _, cause in hits),
        cost_usd=math.fsum(costs) if costs else None,
        first_seen=min((cause.first_seen for _, cause in hits), key=units.parse_time),
        last_seen=max((cause.last_seen for _, cause in hits), key=units.parse_time),
        # New only if no cluster had it before; unknown as soon as one does not know.
        news="Seen before" if False in news else UNKNOWN if None in news else "New",
        where=_where([cause for _, cause in hits]),
    )


def _where(some: Sequence[ErrorCause]) -> str:
    """Name the models that failed, most failed calls first, with their calls if there are several."""
    calls: Counter[str] = Counter()
    for part in (part for cause in some for part in cause.parts):
        named = [
            units.clean(name, 60) for name in (part.model, part.provider and f"({part.provider})") if name
        ]
        calls[" ".join(named)] += part.count
    ranked = sorted(((name, n) for name, n in calls.items() if name), key=lambda pair: (-pair[1], pair[0]))
    if len(calls) <= 1:
        return "".join(name for name, _ in ranked)
    told = [f"{name} {units.count(n)}" for name, n in ranked[:_MODELS]]
    return ", ".join([*told, *([f"{len(ranked) - _MODELS} more"] if len(ranked) > _MODELS else [])])


def cross_check(section: JobSection, job_index: int) -> tuple[CheckRow, ...]:
    """Set our figures beside PostHog's baked ones, where the event carries any."""
    names = named(section, job_index)
    clusters = [*section.clusters, *([section.noise] if section.noise else [])]
    return tuple(
        CheckRow(
            cluster=names[c.cluster_id],
            cells=tuple(
                (write(getattr(c.metrics, key)), write(_number(c.posthog_metrics.get(key))))
                for key, _, write in CHECKED
            ),
        )
        for c in clusters
        if c.posthog_metrics
    )


def _cluster(
    c: Cluster, section: JobSection, job_index: int, top: float, swatch: Callable[[str], str | None]
) -> ClusterRow:
    share, noise = c.estimates.share, c.cluster_id < 0
    shares = [point.share for point in c.history]
    line = None if noise else marks.spark(shares)
    known = [units.percent(value) for value in shares if value is not None]
    calls = {m.call for m in c.change.metrics.values()} if c.change else set()
    structural = c.change is not None and c.change.transition in _STRUCTURE and not noise
    confidence = likelihood(section).get(c.cluster_id, 1.0)
    return ClusterRow(
        anchor=anchor(job_index, c.cluster_id),
        title=words.title(c.title, c.cluster_id),
        lineage_id=c.lineage_id,
        swatch=None if noise else swatch(c.lineage_id),
        noise=noise,
        size=c.size,
        share=c.share,
        dot=marks.dot(c.share, share.low, share.high, top),
        cost_usd=c.estimates.mean_cost_usd.value,
        latency_s=c.estimates.median_latency_s.value,
        p95_latency_s=c.estimates.p95_latency_s.value,
        tokens=c.estimates.mean_tokens.value,
        errors=units.of(c.metrics.error_count, c.metrics.item_count) if c.metrics.item_count else UNKNOWN,
        error_rate=c.metrics.error_rate,
        pass_rate=c.metrics.pass_rate,
        na_rate=c.metrics.na_rate,
        evaluator=evaluator(c) if section.job.level == "evaluation" else "",
        said=said(c, confidence),
        weight=3
        if "changed" in calls
        else 2
        if "probably_changed" in calls or structural
        else min(1, len(calls)),
        spark=line,
        spark_words=f"Share over {len(known)} runs: {', '.join(known[-13:])}" if line else "",
        url=words.link(c.url),
    )


def evaluator(c: Cluster) -> str:
    """Name what judged a cluster of evaluations, and how."""
    name, runtime = c.metrics.dominant_evaluation_name, c.metrics.dominant_runtime
    shown = {"llm_judge": "LLM judge", "hog": "Hog code"}.get(runtime or "", units.clean(runtime or "", 40))
    return ", ".join(part for part in (units.clean(name or "", 80), shown) if part) or UNKNOWN


def _transition(
    entry: TransitionEntry,
    latest: dict[int, Named],
    prior: dict[int, Named],
    links: Mapping[tuple[int, int], Link],
) -> TransitionRow:
    mine = [links[pair] for pair in product(entry.prior, entry.latest) if pair in links]
    return TransitionRow(
        kind=entry.kind.capitalize(),
        prior=tuple(prior.get(i, Named(words.title("", i), None)) for i in entry.prior),
        latest=tuple(latest.get(i, Named(words.title("", i), None)) for i in entry.latest),
        confidence=words.confidence_of(entry.confidence),
        sure=entry.confidence >= words.SURE,
        evidence=words.evidence(mine) if mine else words.absence(entry),
        quiet=entry.kind == "continued",
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None
