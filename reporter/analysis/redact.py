"""Take content out of a report: what the reader may see falls, it never rises.

``numbers`` leaves figures only (no titles, descriptions, error texts or quotes), ``titles`` the words PostHog
shows on its overview, ``quotes`` and ``full`` also texts of traces. Ids, addresses, job names and settings
are configuration, not content, and stay at every level.
"""

from __future__ import annotations

import msgspec

from reporter.analysis import findings, wording
from reporter.analysis.wording import title_of
from reporter.report import (
    Bridge,
    Change,
    Cluster,
    Incident,
    JobSection,
    Overall,
    Redaction,
    Report,
)

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
    if target == "numbers":
        headline = findings.verdict_and_headline(told, sections, report.kind)[1]
    incident = report.incident
    if target == "numbers" and isinstance(incident, Incident):
        incident = _incident(incident)
    return msgspec.structs.replace(
        report,
        redaction=target,
        jobs=sections,
        findings=told,
        headline=headline,
        incident=incident,
        content_sha256="",
    )


def section(job: JobSection, level: Redaction) -> JobSection:
    """Lower one section to a redaction level."""
    made = msgspec.structs.replace(
        job,
        clusters=[_cluster(c, level) for c in job.clusters],
        noise=_cluster(job.noise, level) if job.noise is not None else None,
    )
    if level != "numbers":
        return made
    replace = msgspec.structs.replace
    # The value of a filter is free text, often a customer's address; which property it is about may stay.
    filters = [{**f, "value": None} if "value" in f else f for f in job.job.event_filters]
    return replace(
        made,
        job=replace(job.job, event_filters=filters),
        gone=[
            replace(gone, title=title_of(gone.prior_cluster_id, gone.title, level, prior=True))
            for gone in job.gone
        ],
        prior_clusters=[
            replace(p, title=title_of(p.prior_cluster_id, p.title, level, prior=True))
            for p in job.prior_clusters
        ],
        overall=_overall(job.overall) if job.overall is not None else None,
        bridge=_bridge(job.bridge) if job.bridge is not None else None,
    )


def _cluster(cluster: Cluster, level: Redaction) -> Cluster:
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
        errors=[replace(error, cause=f"Cause {i}") for i, error in enumerate(cluster.errors, start=1)],
        drivers=[replace(driver, value=f"Value {i}") for i, driver in enumerate(cluster.drivers, start=1)],
        exemplars=exemplars,
        posthog_metrics=figures if cluster.posthog_metrics is not None else None,
    )


def _change(change: Change) -> Change:
    prior = change.prior_cluster_ids[0] if change.prior_cluster_ids else None
    if change.prior_title is None or prior is None:
        return msgspec.structs.replace(change, prior_title=None)
    return msgspec.structs.replace(
        change, prior_title=title_of(prior, change.prior_title, "numbers", prior=True)
    )


def _overall(overall: Overall) -> Overall:
    if overall.change is None:
        return overall
    return msgspec.structs.replace(overall, change=_change(overall.change))


def _bridge(bridge: Bridge) -> Bridge:
    lines = [msgspec.structs.replace(line, title=f"Line {i}") for i, line in enumerate(bridge.lines, start=1)]
    return msgspec.structs.replace(bridge, lines=lines)


def _incident(incident: Incident) -> Incident:
    replace = msgspec.structs.replace
    return replace(
        incident,
        clusters=[replace(c, title=title_of(c.cluster_id, c.title, "numbers")) for c in incident.clusters],
        by=[replace(part, value=f"Value {i}") for i, part in enumerate(incident.by, start=1)],
        causes=[replace(cause, cause=f"Cause {i}") for i, cause in enumerate(incident.causes, start=1)],
        annotations=[
            replace(note, text=f"Annotation {i}") for i, note in enumerate(incident.annotations, start=1)
        ],
    )
