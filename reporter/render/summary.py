"""The report in one screen of Markdown, for a chat, a wiki or an issue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reporter import units
from reporter.artifact import Artifact
from reporter.render import views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reporter.render.changes import ChangeRow
    from reporter.render.incident import FactRow, IncidentView
    from reporter.render.rows import Named
    from reporter.report import Report

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&:@-])")


def markdown(report: Report) -> Artifact:
    """Write the verdict, the four numbers and what changed for every job.

    Every text that is not ours is escaped: it neither links, mentions, formats nor becomes markup.
    """
    doc = views.document(report, (), limits=views.SCREEN, swatch=lambda _: None)
    lines = [f"# {escape(doc.headline)}", ""]
    about = [escape(doc.title), *([f"project {escape(doc.project)}"] if doc.project else []), doc.window]
    lines += [" · ".join(part for part in about if part), ""]
    for job, message in doc.warnings:
        lines.append(f"> **Warning.** {escape(job) + ': ' if job else ''}{escape(message)}")
    if doc.warnings:
        lines.append("")
    for part in doc.jobs:
        lines += _job(part)
    if doc.incident:
        lines += _incident(doc.incident)
    lines += [f"Made by reporter {doc.version} on {doc.generated}.", ""]
    return Artifact(
        name="summary.md", media_type="text/markdown", data="\n".join(lines).encode("utf-8", "replace")
    )


def escape(text: str, limit: int = 300) -> str:
    """Make untrusted text plain Markdown text of one line."""
    return (
        _SPECIAL.sub(r"\\\1", units.clean(text, limit))
        .replace("\\&", "&amp;")
        .replace("\\<", "&lt;")
        .replace("\\@", "&#64;")
    )


def table_row(cells: Sequence[str]) -> str:
    """Write one row of a table, each cell plain text."""
    return f"| {' | '.join(escape(cell) for cell in cells)} |"


def _job(job: views.JobView) -> list[str]:
    chips = "".join(f" ({chip.lower()})" for chip in job.chips)
    lines = [f"## {escape(job.heading)}{chips}", "", escape(job.sentence), ""]
    if job.window:
        beside = f", compared with {job.prior_window}" if job.compared and job.prior_window else ""
        lines += [f"{job.window}{beside}", ""]
    for fact in job.facts:
        extra = "; ".join(part for part in (fact.note, fact.change) if part)
        lines.append(f"- {fact.label}: **{fact.value}**{f' ({extra})' if extra else ''}")
    if job.facts:
        lines.append("")
    if job.changed:
        lines += [
            "| Cluster | What | From → to | Change | 95% interval | Dollars | Sure? |",
            "| --- | --- | ---: | ---: | ---: | ---: | --- |",
        ]
        lines += [_row(row) for row in job.changed]
        lines.append("")
    lines += [f"- Over: {escape(told)}" for told in job.over]
    lines += [f"- Muted: {escape(told)}" for told in job.muted]
    for move in job.movements[:20]:
        others = f" {move.verb} {_names(move.others)}" if move.verb else ""
        lines.append(
            f"- {move.kind}: {_names(move.clusters)}{others}{f' ({move.note})' if move.note else ''}"
        )
    if job.movements or job.over or job.muted:
        lines.append("")
    if job.coverage:
        lines += [" ".join(escape(text) for text in job.coverage), ""]
    return lines


def _incident(told: IncidentView) -> list[str]:
    lines = [f"- {fact.name}: **{escape(fact.value)}**{_aside(_note(fact))}" for fact in told.facts]
    if told.affected:
        lines += ["", "| Cluster | Began | Over | Before | In it | Excess | 95% |", f"|{' --- |' * 7}"]
        for row in told.affected:
            cells = (row.title, row.onset, row.recovered, row.before, row.during, row.excess, row.spread)
            lines.append(f"| {' | '.join(escape(cell) for cell in cells)} |")
    if told.control:
        lines += ["", f"Did not move: {', '.join(escape(row.title) for row in told.control)}."]
    if told.causes:
        lines += ["", *(f"- {escape(c.cause)}: {c.told}" for c in told.causes)]
    return [*lines, ""]


def _note(fact: FactRow) -> str:
    return ", ".join(part for part in (fact.note, f"95% {fact.spread}" if fact.spread else "") if part)


def _aside(text: str) -> str:
    return f" ({escape(text)})" if text else ""


def _row(row: ChangeRow) -> str:
    cells = (
        escape(row.cluster.title),
        row.what,
        f"{row.prior} → {row.latest}",
        row.moved,
        row.interval,
        row.dollars,
        row.sure,
    )
    return f"| {' | '.join(cells)} |"


def _names(clusters: tuple[Named, ...]) -> str:
    return ", ".join(escape(cluster.title) for cluster in clusters)
