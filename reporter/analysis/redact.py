"""Take content out of a report: what the reader may see falls, it never rises.

``numbers`` leaves figures only (no titles, descriptions, error texts or quotes), ``titles`` the words PostHog
shows on its overview, ``quotes`` and ``full`` also texts of traces. At ``titles`` and ``quotes`` every text
is scrubbed of what identifies a person or opens a door (`scrub`). Ids, addresses, job names and settings are
configuration, not content, and stay at every level.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from reporter.analysis import gates, wording
from reporter.analysis.scrub import scrub
from reporter.analysis.wording import title_of
from reporter.report import (
    Annotation,
    Bridge,
    CausePart,
    Change,
    Cluster,
    Driver,
    Incident,
    JobSection,
    ModelCost,
    Muted,
    Overall,
    Redaction,
    Report,
)

_USERS = frozenset({"distinct_id", "person_id", "person", "persons", "person_properties"})
_EVIDENT = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)
"""Ids of events and times, as whole cells."""

LEVELS: tuple[Redaction, ...] = ("numbers", "titles", "quotes", "full")


def lower(current: Redaction, wanted: Redaction) -> Redaction:
    """Give the lower of two levels."""
    return min(current, wanted, key=LEVELS.index)


def redact(report: Report, level: Redaction) -> Report:
    """Lower a report to a redaction level; a higher one than it has changes nothing.

    Returns:
        The report, unsealed: its hash must be made anew.
    """
    target = lower(report.redaction, level)
    if target == report.redaction:
        return report
    sections = [section(job, target) for job in report.jobs]
    told = [
        msgspec.structs.replace(finding, sentence=wording.sentence(finding, sections[finding.job_index]))
        for finding in report.findings
    ]
    headline = report.headline
    if report.kind != "incident" and (target == "numbers" or report.redaction == "full"):
        from reporter.analysis import findings  # with scipy behind it, which few redactions need

        headline = findings.verdict_and_headline(told, sections, report.kind)[1]
    told_incident = report.incident
    if isinstance(told_incident, Incident):
        told_incident = incident(told_incident, target)
    return msgspec.structs.replace(
        report,
        redaction=target,
        jobs=sections,
        findings=told,
        muted=muted(report.muted, sections, target),
        resolved=[
            msgspec.structs.replace(one, sentence=wording.over(one, sections[one.job_index], report.timezone))
            for one in report.resolved
        ],
        headline=headline,
        gates=[
            gate
            if gate.job_index is None
            else msgspec.structs.replace(gate, sentence=gates.sentence(gate, sections[gate.job_index]))
            for gate in report.gates
        ],
        incident=told_incident,
        annotations=noted(report.annotations, target),
        content_sha256="",
    )


def muted(some: Sequence[Muted], sections: Sequence[JobSection], level: Redaction) -> list[Muted]:
    """Lower what is muted: its sentence names clusters, and its reason is free text."""
    replace = msgspec.structs.replace
    return [
        replace(
            one,
            finding=replace(
                one.finding, sentence=wording.sentence(one.finding, sections[one.finding.job_index])
            ),
            reason="" if level == "numbers" else one.reason,
        )
        for one in some
    ]


def noted(notes: Sequence[Annotation], level: Redaction) -> list[Annotation]:
    """Lower annotations to a redaction level: their texts are free, their times are figures."""
    if level != "numbers":
        return list(notes)
    return [msgspec.structs.replace(note, text=f"Annotation {i}") for i, note in enumerate(notes, start=1)]


def title(cluster_id: int, text: str, size: int, level: Redaction, least: int = 0) -> str:
    """Give the name a cluster of so many items goes by; see `section` for `least`."""
    shown: Redaction = level if size >= least else "numbers"
    named = title_of(cluster_id, text, shown)
    return named if shown in ("numbers", "full") else scrub(named)


def drivers(some: Sequence[Driver], level: Redaction) -> list[Driver]:
    """Lower drivers to a redaction level: a value may be a customer's name."""
    replace = msgspec.structs.replace
    if level == "full":
        return list(some)
    if level == "numbers":
        names = {key: i for i, key in enumerate(dict.fromkeys((d.dimension, d.value) for d in some), start=1)}
        return [replace(d, value=f"Value {names[d.dimension, d.value]}") for d in some]
    return [replace(d, value=scrub(d.value)) for d in some]


def filters(some: Sequence[Mapping[str, Any]], level: Redaction) -> tuple[dict[str, Any], ...]:
    """Lower a job's filters: a value is free text, often a customer's address; its property may stay."""
    if level == "full":
        return tuple(dict(one) for one in some)
    if level == "numbers":
        return tuple({**one, "value": None} if "value" in one else dict(one) for one in some)
    return tuple(_deep(one) for one in some)


def section(job: JobSection, level: Redaction, least: int = 0) -> JobSection:
    """Lower one section to a redaction level.

    Args:
        job: The section.
        level: The level.
        least: Items a cluster needs for its words to be shown; a smaller one is lowered to ``numbers``.
    """
    replace = msgspec.structs.replace
    models = _models_of(job)

    def lowered(cluster: Cluster) -> Cluster:
        return _cluster(cluster, level if cluster.size >= least else "numbers", models)

    made = replace(
        job,
        clusters=[lowered(c) for c in job.clusters],
        noise=lowered(job.noise) if job.noise is not None else None,
        gone=[
            replace(g, title=title_of(g.prior_cluster_id, g.title, "numbers", prior=True))
            if g.size < least
            else g
            for g in job.gone
        ],
        prior_clusters=[
            replace(p, title=title_of(p.prior_cluster_id, p.title, "numbers", prior=True))
            if p.size < least
            else p
            for p in job.prior_clusters
        ],
    )
    if least and made.bridge is not None:
        made = replace(made, bridge=_small_lines(made, made.bridge, least))
    if level == "full":
        return made
    if level != "numbers":
        return _scrubbed(made)
    return replace(
        made,
        job=replace(job.job, event_filters=list(filters(job.job.event_filters, level))),
        gone=[
            replace(gone, title=title_of(gone.prior_cluster_id, gone.title, level, prior=True))
            for gone in job.gone
        ],
        prior_clusters=[
            replace(p, title=title_of(p.prior_cluster_id, p.title, level, prior=True))
            for p in job.prior_clusters
        ],
        overall=_overall(job.overall, models) if job.overall is not None else None,
        bridge=_bridge(job.bridge) if job.bridge is not None else None,
    )


def _cluster(cluster: Cluster, level: Redaction, models: Mapping[str, str]) -> Cluster:
    replace = msgspec.structs.replace
    exemplars = cluster.exemplars
    if level in ("numbers", "titles"):
        exemplars = [replace(exemplar, quote=None) for exemplar in exemplars]
    if level != "numbers":
        return replace(cluster, exemplars=exemplars)
    title = title_of(cluster.cluster_id, cluster.title, level)
    figures = {
        key: value
        for key, value in (cluster.posthog_metrics or {}).items()
        if value is None or isinstance(value, (bool, int, float))
    }
    return replace(
        cluster,
        title=title,
        description="",
        lineage=replace(cluster.lineage, names=[title]),
        change=_change(cluster.change) if cluster.change is not None else None,
        errors=[
            replace(error, cause=f"Cause {i}", parts=[_part(part, models) for part in error.parts])
            for i, error in enumerate(cluster.errors, start=1)
        ],
        drivers=drivers(cluster.drivers, level),
        exemplars=exemplars,
        posthog_metrics=figures if cluster.posthog_metrics is not None else None,
        models=_models(cluster.models, models),
    )


def _small_lines(job: JobSection, bridge: Bridge, least: int) -> Bridge:
    """Name no cluster that is too small to be named in the lines of a bridge."""
    small = {c.cluster_id for c in job.clusters if c.size < least}
    before = {p.prior_cluster_id for p in job.prior_clusters if p.size < least}
    lines = [
        msgspec.structs.replace(line, title="A small cluster")
        if small.intersection(line.latest) or before.intersection(line.prior)
        else line
        for line in bridge.lines
    ]
    return msgspec.structs.replace(bridge, lines=lines)


def _scrubbed(job: JobSection) -> JobSection:
    """Mask secrets in every text of a section that came from traces or from a model."""
    replace = msgspec.structs.replace

    def cluster(c: Cluster) -> Cluster:
        change = c.change
        if change is not None and change.prior_title is not None:
            change = replace(change, prior_title=scrub(change.prior_title))
        name = c.metrics.dominant_evaluation_name
        return replace(
            c,
            title=scrub(c.title),
            description=_lines(c.description),
            lineage=replace(c.lineage, names=[scrub(name) for name in c.lineage.names]),
            change=change,
            errors=[replace(error, cause=scrub(error.cause)) for error in c.errors],
            drivers=drivers(c.drivers, "titles"),
            exemplars=[replace(e, quote=scrub(e.quote) if e.quote else None) for e in c.exemplars],
            metrics=replace(c.metrics, dominant_evaluation_name=scrub(name) if name else name),
            posthog_metrics=_deep(c.posthog_metrics),
        )

    bridge = job.bridge
    if bridge is not None:
        lines = [replace(line, title=scrub(line.title)) for line in bridge.lines]
        bridge = replace(bridge, lines=lines)
    return replace(
        job,
        job=replace(job.job, event_filters=list(filters(job.job.event_filters, "titles"))),
        clusters=[cluster(c) for c in job.clusters],
        noise=cluster(job.noise) if job.noise is not None else None,
        gone=[replace(gone, title=scrub(gone.title)) for gone in job.gone],
        prior_clusters=[replace(p, title=scrub(p.title)) for p in job.prior_clusters],
        bridge=bridge,
    )


def _lines(text: str) -> str:
    """Scrub line by line, so that a list stays one."""
    return "\n".join(scrub(line) for line in text.splitlines())


def _deep(value: Any) -> Any:
    """Scrub every text inside a value of JSON."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Mapping):
        return {key: _deep(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_deep(held) for held in value]
    return value


def cells(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], level: Redaction
) -> tuple[list[list[Any]], int]:
    """Lower the answer to a query of the user's own to a level.

    Figures, times and ids that are whole cells stay; ids of users go, by the names of their columns.

    Returns:
        The rows, and in how many cells something was masked.
    """
    if level == "full":
        return [list(row) for row in rows], 0
    masked = 0
    made: list[list[Any]] = []
    for row in rows:
        made.append([_cell(name, value, level) for name, value in zip(columns, row, strict=True)])
        masked += sum(new != old for new, old in zip(made[-1], row, strict=True))
    return made, masked


def _cell(column: str, value: Any, level: Redaction) -> Any:
    if value is None or isinstance(value, (bool, int, float, datetime)):
        return value
    if column.lower().rpartition(".")[2] in _USERS:
        return "<user>"
    if isinstance(value, str) and _EVIDENT.fullmatch(value):
        return value
    return _deep(value) if level != "numbers" else "<text>"


def _change(change: Change) -> Change:
    prior = change.prior_cluster_ids[0] if change.prior_cluster_ids else None
    if change.prior_title is None or prior is None:
        return msgspec.structs.replace(change, prior_title=None)
    return msgspec.structs.replace(
        change, prior_title=title_of(prior, change.prior_title, "numbers", prior=True)
    )


def _overall(overall: Overall, models: Mapping[str, str]) -> Overall:
    change = None if overall.change is None else _change(overall.change)
    return msgspec.structs.replace(overall, change=change, models=_models(overall.models, models))


def _models_of(job: JobSection) -> dict[str, str]:
    """Number the models of a job: a name may be a customer's own."""
    uses = [*(job.overall.models if job.overall else []), *(job.noise.models if job.noise else [])]
    uses += [use for cluster in job.clusters for use in cluster.models]
    names = dict.fromkeys(use.model for use in uses if use.model is not None)
    return {name: f"Model {i}" for i, name in enumerate(names, start=1)}


def _part(part: CausePart, models: Mapping[str, str]) -> CausePart:
    model = models.get(part.model) if part.model is not None else None
    return msgspec.structs.replace(part, model=model, provider=None)


def _models(uses: Sequence[ModelCost], names: Mapping[str, str]) -> list[ModelCost]:
    return [
        use if use.model is None else msgspec.structs.replace(use, model=names[use.model]) for use in uses
    ]


def _bridge(bridge: Bridge) -> Bridge:
    lines = [msgspec.structs.replace(line, title=f"Line {i}") for i, line in enumerate(bridge.lines, start=1)]
    return msgspec.structs.replace(bridge, lines=lines)


def incident(told: Incident, level: Redaction) -> Incident:
    """Lower an incident to a redaction level."""
    replace = msgspec.structs.replace
    if level == "full":
        return told
    if level != "numbers":
        return replace(
            told,
            clusters=[replace(c, title=scrub(c.title)) for c in told.clusters],
            causes=[replace(cause, cause=scrub(cause.cause)) for cause in told.causes],
            by=[
                part if part.dimension in ("model", "provider") else replace(part, value=scrub(part.value))
                for part in told.by
            ],
        )
    return replace(
        told,
        clusters=[replace(c, title=title_of(c.cluster_id, c.title, "numbers")) for c in told.clusters],
        by=[replace(part, value=f"Value {i}") for i, part in enumerate(told.by, start=1)],
        causes=[replace(cause, cause=f"Cause {i}") for i, cause in enumerate(told.causes, start=1)],
        annotations=noted(told.annotations, "numbers"),
    )
