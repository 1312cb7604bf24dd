"""Findings somebody knows about already: left out until a date, for a reason that is printed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from reporter import units
from reporter.report import Caveat, Finding, JobSection, Muted

LINEAGE = "lineage:"


class Rule(Protocol):
    """What is muted; a part that is ``None`` leaves every value through."""

    @property
    def kind(self) -> str | None:
        """Kind of finding."""

    @property
    def cluster(self) -> str | None:
        """A title, ``/pattern/`` found anywhere in one, or ``lineage:ID``; letters' case does not count."""

    @property
    def job(self) -> str | None:
        """Id or name of a job."""

    @property
    def reason(self) -> str:
        """Why, for people."""

    @property
    def until(self) -> datetime:
        """When the muting ends, exclusive."""


def muted(
    findings: Sequence[Finding], sections: Sequence[JobSection], rules: Sequence[Rule], now: datetime
) -> tuple[list[Finding], list[Muted], list[Caveat]]:
    """Take out what is muted.

    Args:
        findings: All findings, by rank.
        sections: The sections they point into.
        rules: What to mute.
        now: The report's clock.

    Returns:
        The findings left, ranked anew; those taken out, each with its first rule; and what a reader must know
        of rules that have ended while what they muted goes on.
    """
    left: list[Finding] = []
    out: list[Muted] = []
    caveats: list[Caveat] = []
    for finding in findings:
        section = sections[finding.job_index]
        mine = [rule for rule in rules if _holds(rule, finding, section)]
        active = next((rule for rule in mine if now < rule.until), None)
        if active is not None:
            out.append(
                Muted(finding=finding, reason=units.clean(active.reason, 300), until=units.iso(active.until))
            )
            continue
        left.append(msgspec.structs.replace(finding, rank=len(left) + 1))
        caveats += [_ended(rule, section) for rule in mine]
    return left, out, list(dict.fromkeys(caveats))


def _ended(rule: Rule, section: JobSection) -> Caveat:
    what = rule.kind or "everything"
    return Caveat(
        code="mute_ended",
        message=(
            f"What was muted is told again: {what}, until {units.day(units.iso(rule.until))}, because "
            f"“{units.clean(rule.reason, 200)}”. Take it out of reporter.toml, or give it more time."
        ),
        job_id=section.job.id,
    )


def _holds(rule: Rule, finding: Finding, section: JobSection) -> bool:
    job = section.job
    return (
        (rule.kind is None or rule.kind == finding.kind)
        and (rule.job is None or rule.job.lower() in (job.name.lower(), (job.id or "").lower()))
        and (rule.cluster is None or _called(rule.cluster, finding, section))
    )


def _called(wanted: str, finding: Finding, section: JobSection) -> bool:
    """Tell whether a finding is about a cluster called so."""
    everyone = [*section.clusters, *([section.noise] if section.noise else [])]
    names = [(c.lineage_id, c.title) for c in everyone if c.cluster_id == finding.cluster_id]
    names += [
        (g.lineage_id or "", g.title) for g in section.gone if g.prior_cluster_id == finding.prior_cluster_id
    ]
    if wanted.startswith(LINEAGE):
        return any(lineage_id == wanted.removeprefix(LINEAGE) for lineage_id, _ in names)
    if len(wanted) > 2 and wanted.startswith("/") and wanted.endswith("/"):
        return any(re.search(wanted[1:-1], title, re.IGNORECASE) for _, title in names)
    return any(title.strip().lower() == wanted.strip().lower() for _, title in names)
