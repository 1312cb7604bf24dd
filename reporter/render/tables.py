"""The clusters as CSV, one line each, safe to open in a spreadsheet."""

from __future__ import annotations

import csv as stdlib_csv
import io

from reporter import units
from reporter.artifact import Artifact
from reporter.render import facts, words
from reporter.report import ESTIMATES, Incident, Report

_PHASES = ("before", "during", "after")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv(report: Report) -> Artifact:
    """Write every cluster of every job with its estimates, intervals and calls.

    Text that a spreadsheet would run as a formula gets a leading apostrophe; numbers stay numbers;
    what is not known is an empty cell. Of an incident it writes the clusters looked at, with their phases.
    """
    if isinstance(report.incident, Incident):
        return _incident(report.incident)
    out = io.StringIO(newline="")
    writer = stdlib_csv.writer(out, lineterminator="\n")
    head = ["job", "job_id", "level", "run_id", "cluster_id", "lineage_id", "title", "size", "transition"]
    for name in ESTIMATES:
        head += [name, f"{name}_low", f"{name}_high", f"{name}_prior", f"{name}_call"]
    writer.writerow([*head, "error_count", "item_count", "pass_rate", "na_rate", "url"])
    for section in report.jobs:
        for c in [*section.clusters, *([section.noise] if section.noise else [])]:
            line: list[object] = [
                safe(facts.heading(section)),
                safe(section.job.id or ""),
                section.job.level,
                safe(section.latest.run_id if section.latest else ""),
                c.cluster_id,
                safe(c.lineage_id),
                safe(words.title(c.title, c.cluster_id)),
                c.size,
                c.change.transition if c.change else "",
            ]
            for name in ESTIMATES:
                level = getattr(c.estimates, name)
                change = c.change.metrics.get(name) if c.change else None
                line += [
                    level.value,
                    level.low,
                    level.high,
                    change.prior if change else None,
                    change.call if change else "",
                ]
            m = c.metrics
            writer.writerow(
                [*line, m.error_count, m.item_count, m.pass_rate, m.na_rate, words.link(c.url) or ""]
            )
    return Artifact(
        name="clusters.csv", media_type="text/csv", data=out.getvalue().encode("utf-8", "replace")
    )


def _incident(told: Incident) -> Artifact:
    """Write every cluster of an incident."""
    out = io.StringIO(newline="")
    writer = stdlib_csv.writer(out, lineterminator="\n")
    phases = [f"{phase}_{name}" for phase in _PHASES for name in ("calls", "failed", "cost_usd")]
    spread = [
        f"{name}{end}" for name in ("excess_failed", "excess_cost_usd") for end in ("", "_low", "_high")
    ]
    head = ["job_id", "cluster_id", "title", "verdict", "onset_at", "recovered_at", "p_value", "users"]
    writer.writerow([*head, *phases, *spread, "url"])
    for c in told.clusters:
        line: list[object] = [safe(c.job_id or ""), c.cluster_id, safe(words.title(c.title, c.cluster_id))]
        line += [c.verdict, c.onset_at, c.recovered_at, c.p_value, c.users]
        for phase in (getattr(c, name) for name in _PHASES):
            line += [phase.calls, phase.failed, phase.cost_usd]
        for excess in (c.excess_failed, c.excess_cost_usd):
            line += [excess.value, excess.low, excess.high] if excess else [None, None, None]
        writer.writerow([*line, words.link(c.url) or ""])
    return Artifact("clusters.csv", "text/csv", out.getvalue().encode("utf-8", "replace"))


def safe(text: str, limit: int = 1_000) -> str:
    """Make a text fit for a cell: one line, and no formula that a spreadsheet would run."""
    cleaned = units.clean(text, limit)
    return f"'{cleaned}" if cleaned.startswith(_FORMULA) else cleaned
