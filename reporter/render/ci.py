"""What a build shows: the comment, annotations, and GitLab's code-quality file."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from reporter import units
from reporter.artifact import Artifact
from reporter.render import views
from reporter.render.summary import escape, table_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reporter.render.gates import GateRow
    from reporter.report import Report

MARKER = "<!-- reporter-ci -->"
"""By this a build finds its own comment again, to replace it."""
LIMIT = 60_000
"""Characters a comment may have, with room for what a bot adds."""
_ROWS = 60
_CHANGES = 40
_JOBS = 40


def comment(report: Report, command: str = "") -> Artifact:
    """Write what a reviewer must know, as Markdown of less than 60,000 characters, without pictures.

    Args:
        report: What was found.
        command: The command line that makes the report again; left out where it is not known.
    """
    doc = views.document(report, (), limits=views.SCREEN, swatch=lambda _: None)
    told = doc.gates
    head = told.verdict if told else report.headline
    mark = "\u274c" if told and told.failing else "\u2705" if told else "\u2139\ufe0f"
    lines = [MARKER, f"## {mark} {escape(head, 260)}", "", escape(doc.headline, 300), ""]
    lines += [
        f"> **Warning.** {escape(job) + ': ' if job else ''}{escape(message)}"
        for job, message in doc.warnings[:20]
    ]
    lines += [""] if doc.warnings else []
    if told:
        lines += [
            *_rows("Failed", told.failing),
            *_rows("Warnings and waivers", told.others),
        ]
        lines += _folded(f"Passed: {len(told.passed)}", told.passed)
    for job in doc.jobs[:_JOBS]:
        lines += _job(job)
    if len(doc.jobs) > _JOBS:
        lines += [f"{len(doc.jobs) - _JOBS} more jobs are in the report.", ""]
    if told:
        lines += _folded(f"Could not be judged: {len(told.unjudged)}", told.unjudged)
    tail = _provenance(doc, command)
    text = "\n".join(lines)
    room = LIMIT - len("\n".join(tail)) - 200
    if len(text) > room:
        text = text[:room].rpartition("\n")[0] + "\n\n(cut; the whole is in the report)\n"
    return Artifact("summary.md", "text/markdown", "\n".join((text, *tail)).encode("utf-8", "replace"))


def _rows(title: str, rows: Sequence[GateRow]) -> list[str]:
    if not rows:
        return []
    lines = [f"### {title}", "", "| Rule | Outcome | What was found |", "| --- | --- | --- |"]
    lines += [table_row((row.rule, row.outcome, _found(row))) for row in rows[:_ROWS]]
    lines += ["", f"{len(rows) - _ROWS} more in the report."] if len(rows) > _ROWS else []
    return [*lines, ""]


def _found(row: GateRow) -> str:
    return f"{row.job}: {row.sentence}" if row.job else row.sentence


def _folded(title: str, rows: Sequence[GateRow]) -> list[str]:
    if not rows:
        return []
    listed = [f"- {escape(row.rule)}: {escape(_found(row))}" for row in rows[:_ROWS]]
    more = [f"- {len(rows) - _ROWS} more"] if len(rows) > _ROWS else []
    return ["<details>", f"<summary>{title}</summary>", "", *listed, *more, "", "</details>", ""]


def _job(job: views.JobView) -> list[str]:
    chips = "".join(f" ({chip.lower()})" for chip in job.chips)
    lines = [f"### {escape(job.heading)}{chips}", "", escape(job.sentence), ""]
    if job.window:
        beside = f", compared with {job.prior_window}" if job.compared and job.prior_window else ""
        lines += [f"{job.window}{beside}", ""]
    if job.changed:
        lines += [
            "| Cluster | What | From \u2192 to | Change | 95% interval | Sure? |",
            "| --- | --- | ---: | ---: | ---: | --- |",
        ]
        lines += [
            table_row((r.cluster.title, r.what, f"{r.prior} \u2192 {r.latest}", r.moved, r.interval, r.sure))
            for r in job.changed[:_CHANGES]
        ]
        lines.append("")
    for move in job.movements[:10]:
        names = ", ".join(escape(c.title) for c in move.clusters[:6])
        lines.append(f"- {move.kind}: {names}{f' ({escape(move.note)})' if move.note else ''}")
    lines += [""] if job.movements else []
    few = next((names for word, names in job.unchanged if word == "Not enough data"), ())
    if few:
        named = ", ".join(escape(name.title) for name in few[:12])
        lines += [f"Not enough data: {named}{' and others' if len(few) > 12 else ''}.", ""]
    return lines


def _provenance(doc: views.Document, command: str) -> list[str]:
    runs = "; ".join(f"{job.heading}: {job.run_line}" for job in doc.jobs[:_JOBS] if job.run_line)
    lines = ["", "---", "", f"{escape(runs, 1_500)}"] if runs else ["", "---", ""]
    lines += ["", f"reporter {doc.version}, {doc.generated}, report {doc.content_hash[:12]}"]
    if command:
        fence = "~~~~"
        lines += ["", "Make it again with:", "", f"{fence}sh", units.clean(command, 2_000), fence]
    return [*lines, ""]


def workflow_commands(report: Report) -> Iterator[str]:
    """Write GitHub's workflow commands, one a line, for what fails a build or warns.

    Data is escaped as GitHub asks, so that no title begins a command of its own.
    """
    for gate in report.gates:
        if gate.fails or gate.outcome == "warned":
            level = "error" if gate.fails else "warning"
            yield f"::{level} title={_property(f'Rule {gate.rule}')}::{_data(gate.sentence)}"


def code_quality(report: Report) -> Artifact:
    """Write GitLab's code-quality report: what fails a build, and what warns."""
    found = []
    for gate in report.gates:
        if gate.fails or gate.outcome == "warned":
            ident = f"{gate.rule}\x1f{gate.job_id}\x1f{gate.cluster_id}"
            found.append(
                {
                    "description": units.clean(f"{gate.rule}: {gate.sentence}", 500),
                    "check_name": units.clean(gate.rule, 200),
                    "fingerprint": sha256(ident.encode("utf-8", "replace")).hexdigest(),
                    "severity": "critical" if gate.fails else "minor",
                    "location": {"path": "reporter.toml", "lines": {"begin": 1}},
                }
            )
    data = json.dumps(found, indent=2, ensure_ascii=True).encode("ascii") + b"\n"
    return Artifact("gl-code-quality-report.json", "application/json", data)


def _data(text: str) -> str:
    return units.clean(text, 500).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
