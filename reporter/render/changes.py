"""What changed in one job: the few rows on top, what came and went, what stayed, and a card for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reporter import units
from reporter.render import reasons, rows, words
from reporter.render.rows import ErrorRow, Named, Said
from reporter.units import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reporter.report import Cluster, Driver, Finding, JobSection

_SOME = 0.005
"""Part of a change from which a driver is worth a line."""
_SHOWN = 5
_MAIN = ("share", "mean_cost_usd", "median_latency_s", "error_rate")


@dataclass(frozen=True, slots=True)
class Target:
    """A link to a place worth opening; its words say where it goes."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One line of "what changed"."""

    cluster: Named
    swatch: str | None
    what: str
    prior: str
    latest: str
    moved: str
    interval: str
    dollars: str
    impact_usd: float | None
    """The same in US dollars, to sort by."""
    sure: str
    tone: str
    seen: str
    why: str
    """What it mostly consists of; empty where nothing measured makes up half of it."""
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Movement:
    """A cluster that came, went, split or merged."""

    kind: str
    clusters: tuple[Named, ...]
    verb: str
    """Words between the two lists, e.g. ``became``; empty where there is no second list."""
    others: tuple[Named, ...]
    note: str


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric of one cluster, prior against latest."""

    label: str
    prior: str
    latest: str
    around: str
    """95 % interval of the latest value."""
    moved: str
    interval: str
    call: str
    tone: str
    main: bool
    """One of the four that are always told, or one that changed."""


@dataclass(frozen=True, slots=True)
class ExemplarRow:
    """One item worth opening."""

    key: str
    reason: str
    url: str | None
    quote: str


@dataclass(frozen=True, slots=True)
class Card:
    """What there is to know about one cluster."""

    cluster: Named
    card_id: str
    swatch: str | None
    facts: str
    said: tuple[Said, ...]
    formerly: tuple[str, ...]
    description: words.Description
    metrics: tuple[MetricRow, ...]
    compared: bool
    errors: tuple[ErrorRow, ...]
    drivers: tuple[str, ...]
    exemplars: tuple[ExemplarRow, ...]
    url: str | None


def of_job(findings: Sequence[Finding], job_index: int) -> list[Finding]:
    """Give one job's findings by rank."""
    return sorted((f for f in findings if f.job_index == job_index), key=lambda f: f.rank)


def table(
    findings: Sequence[Finding], section: JobSection, job_index: int, swatches: dict[int, str | None]
) -> tuple[tuple[ChangeRow, ...], int]:
    """Prepare the rows of "what changed".

    Returns:
        At most five rows in order of rank, and how many more findings there are.
    """
    names, clusters = rows.named(section, job_index), _by_id(section)
    changed = [f for f in findings if f.kind in words.METRIC_KINDS]
    made = tuple(_row(f, names, clusters, section, swatches) for f in changed[:_SHOWN])
    return made, len(changed) - len(made)


def movements(section: JobSection, job_index: int) -> tuple[Movement, ...]:
    """Say what came, went, split and merged; a new name alone is no news (`renamed` counts those)."""
    latest, prior, clusters = rows.named(section, job_index), rows.named_prior(section), _by_id(section)
    gone = {g.prior_cluster_id: g for g in section.gone}
    one, many = words.LEVELS[section.job.level]
    found: list[Movement] = []
    for kind in ("new", "gone", "split", "merged"):
        for entry in sorted(
            (t for t in section.transitions if t.kind == kind), key=lambda t: (t.latest, t.prior)
        ):
            new = tuple(latest.get(i, Named(words.title("", i), None)) for i in entry.latest)
            old = tuple(prior.get(i, Named(words.title("", i), None)) for i in entry.prior)
            sure = "" if entry.confidence >= words.SURE else words.confidence(entry.confidence)
            match kind:
                case "new":
                    sizes = [clusters[i] for i in entry.latest if i in clusters]
                    note = "; ".join(
                        f"{units.plural(c.size, one, many)}, {units.percent(c.share)}" for c in sizes
                    )
                    found.append(Movement("New", new, "", (), _joined(note, sure)))
                case "gone":
                    lost = [gone[i] for i in entry.prior if i in gone]
                    note = "; ".join(
                        f"had {units.plural(g.size, one, many)}, {units.percent(g.share)}" for g in lost
                    )
                    where = words.dissolved(entry)
                    found.append(Movement("Gone", old, "", (), _joined(note, where, sure)))
                case "split":
                    found.append(Movement("Split", old, "became", new, sure))
                case _:
                    found.append(Movement("Merged", old, "became", new, sure))
    return tuple(found)


def renamed(section: JobSection) -> int:
    """Count clusters that continued under a new name."""
    return sum(entry.kind == "renamed" for entry in section.transitions)


def unchanged(section: JobSection, job_index: int) -> tuple[tuple[str, tuple[Named, ...]], ...]:
    """Name the clusters about which nothing can be said, and why: tested in vain, or too few items."""
    groups: dict[str, list[Named]] = {"no_clear_change": [], "not_enough_data": []}
    names = rows.named(section, job_index)
    for c in section.clusters:
        if c.change is None or c.change.transition not in ("continued", "renamed"):
            continue
        calls = {m.call for m in c.change.metrics.values()}
        if not calls & {"changed", "probably_changed"}:
            groups["no_clear_change" if "no_clear_change" in calls else "not_enough_data"].append(
                names[c.cluster_id]
            )
    return tuple((words.CALLS[call], tuple(found)) for call, found in groups.items() if found)


def cards(section: JobSection, job_index: int, tz: str, swatches: dict[int, str | None]) -> tuple[Card, ...]:
    """Make a card for every cluster that changed, surest first, then for those that came, split or merged."""
    likely = rows.likelihood(section)

    def weight(c: Cluster) -> int:
        if c.change is None:
            return 0
        calls = {m.call for m in c.change.metrics.values()}
        if "changed" in calls:
            return 3
        if "probably_changed" in calls:
            return 2
        came = c.change.transition in ("new", "split", "merged")
        return int(came and likely.get(c.cluster_id, 1.0) >= words.PROBABLE)

    chosen = sorted(
        (c for c in section.clusters if weight(c)), key=lambda c: (-weight(c), -c.size, c.cluster_id)
    )
    return tuple(card(c, section, job_index, tz, swatches) for c in chosen)


def card(c: Cluster, section: JobSection, job_index: int, tz: str, swatches: dict[int, str | None]) -> Card:
    """Prepare everything known about one cluster."""
    name = rows.named(section, job_index)[c.cluster_id]
    one, many = words.LEVELS[section.job.level]
    since = f"known since {units.day(c.lineage.first_seen, tz)}, in {units.plural(c.lineage.runs, 'run')}"
    judged = f"; judged by {rows.evaluator(c)}" if section.job.level == "evaluation" else ""
    facts = f"{units.plural(c.size, one, many)}, {units.percent(c.share)} of the sample; {since}{judged}"
    return Card(
        cluster=name,
        card_id=f"job-{job_index + 1}-card-{c.cluster_id}",
        swatch=swatches.get(c.cluster_id),
        facts=facts,
        said=rows.said(c, rows.likelihood(section).get(c.cluster_id, 1.0)),
        formerly=tuple(
            dict.fromkeys(t for n in c.lineage.names if (t := units.clean(n, 200)) and t != name.title)
        )[-5:],
        description=words.description(c.description),
        metrics=_metrics(c),
        compared=bool(c.change and c.change.metrics),
        errors=tuple(
            rows.error(units.clean(e.cause, 240) or "(no error message)", [(name, e)]) for e in c.errors[:5]
        ),
        drivers=tuple(_driver(d) for d in c.drivers[:5] if abs(d.contribution) >= _SOME),
        exemplars=tuple(
            ExemplarRow(
                key=units.clean(e.trace_id or e.item_key, 80),
                reason=words.REASONS.get(e.reason, units.clean(e.reason.replace("_", " "), 60)),
                url=words.link(e.url),
                quote=units.clean(e.quote or "", 600),
            )
            for e in c.exemplars[:6]
        ),
        url=words.link(c.url),
    )


def _metrics(c: Cluster) -> tuple[MetricRow, ...]:
    found: list[MetricRow] = []
    changes = c.change.metrics if c.change else {}
    for name, wording in words.METRICS.items():
        level, change = getattr(c.estimates, name), changes.get(name)
        if level.value is None and (change is None or change.prior is None):
            continue
        way = words.direction(change) if change else "none"
        found.append(
            MetricRow(
                label=words.label(name, change),
                prior=wording.write(change.prior) if change else UNKNOWN,
                latest=wording.write(level.value),
                around=words.around(wording, level.low, level.high),
                moved=words.called(name, change) if change else UNKNOWN,
                interval=words.interval(name, change) if change else UNKNOWN,
                call=words.CALLS[change.call] if change else UNKNOWN,
                tone=words.tone(change.call, way, change.good) if change else "calm",
                main=name in _MAIN or (change is not None and change.call in ("changed", "probably_changed")),
            )
        )
    return tuple(found)


def _row(
    f: Finding,
    names: dict[int, Named],
    clusters: dict[int, Cluster],
    section: JobSection,
    swatches: dict[int, str | None],
) -> ChangeRow:
    wording = words.metric(f.metric)
    cluster = None if f.cluster_id is None else clusters.get(f.cluster_id)
    name = Named("The whole run", None) if f.cluster_id is None else names.get(f.cluster_id)
    change = cluster.change.metrics.get(f.metric or "") if cluster and cluster.change else None
    if change is None and f.cluster_id is None and section.overall and section.overall.change:
        change = section.overall.change.metrics.get(f.metric or "")
    if change is not None:
        moved, interval = words.moved(f.metric or "", change), words.interval(f.metric or "", change)
    else:
        moved, interval = units.change(f.prior, f.latest), words.span(wording, f.low, f.high)
    seen = {"repeated": "reported before", "confirmed": "confirmed by a second run"}.get(f.seen, "")
    return ChangeRow(
        cluster=name or Named(words.title("", f.cluster_id or 0), None),
        swatch=None if f.cluster_id is None else swatches.get(f.cluster_id),
        what=words.label(f.metric or "", change),
        prior=wording.write(f.prior),
        latest=wording.write(f.latest),
        moved=moved,
        interval=interval,
        dollars=units.money(f.impact_usd, signed=True),
        impact_usd=f.impact_usd,
        sure=words.CALLS[f.call],
        tone=words.tone(f.call, f.direction, f.good),
        seen=seen,
        why=reasons.why(f, cluster, change, section),
        targets=_targets(cluster, f.kind),
    )


def _targets(cluster: Cluster | None, kind: str) -> tuple[Target, ...]:
    """Link the cluster and two of its items, the one that shows this kind of change first."""
    if cluster is None:
        return ()
    found = [Target("cluster", url)] if (url := words.link(cluster.url)) else []
    labels = {
        "most_expensive": "dearest",
        "slowest": "slowest",
        "failing": "failing",
        "farthest": "farthest",
    }
    telling = {
        "errors": "failing",
        "latency": "slowest",
        "cost": "most_expensive",
        "tokens": "most_expensive",
    }
    for e in sorted(cluster.exemplars, key=lambda e: e.reason != telling.get(kind)):
        if (url := words.link(e.url)) and e.reason in labels and len(found) < 3:
            found.append(Target(f"{labels[e.reason]} trace", url))
    return tuple(found)


def _driver(d: Driver) -> str:
    share = f"{units.percent(d.contribution, signed=True)} of the change" if abs(d.contribution) <= 10 else ""
    counts = f"{units.count(d.prior_items)} → {units.count(d.latest_items)} items"
    return _joined(f"{words.dimension(d.dimension)} {units.clean(d.value, 120)}: {counts}", share)


def _by_id(section: JobSection) -> dict[int, Cluster]:
    found = {c.cluster_id: c for c in section.clusters}
    return found | ({section.noise.cluster_id: section.noise} if section.noise else {})


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
