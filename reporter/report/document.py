"""The report as a whole: the value that *is* ``report.json``."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from reporter.report.incident import Annotation, Incident
from reporter.report.section import JobSection
from reporter.report.values import Caveat, FileHash, Finding, Gate, Muted, Resolved, Value

Kind: TypeAlias = Literal["weekly", "ci", "incident", "compare"]
Redaction: TypeAlias = Literal["numbers", "titles", "quotes", "full"]
"""In rising order of what is shown; later stages may lower it, never raise it."""
VerdictWord: TypeAlias = Literal[
    "changed", "probably_changed", "no_clear_change", "not_enough_data", "not_comparable"
]
SCHEMA_VERSION = "1"


class SourceInfo(Value, frozen=True, kw_only=True):
    """Where the data came from."""

    kind: str
    location: str
    project_id: str | None


class Report(Value, frozen=True, kw_only=True):
    """What was concluded; every document is made from this and from nothing else."""

    schema_version: str
    kind: Kind
    title: str
    generated_at: str
    """ISO 8601 UTC with ``Z``: the clock the report was made under."""
    reporter_version: str
    redaction: Redaction
    content_sha256: str
    """SHA-256 over everything but this key and ``files``; see `codec.content_hash`."""
    timezone: str
    """IANA name of the zone in which pages show times."""
    verdict: VerdictWord
    headline: str
    source: SourceInfo
    warnings: list[Caveat]
    files: list[FileHash]
    findings: list[Finding]
    gates: list[Gate]
    jobs: list[JobSection]
    """By level (trace, generation, evaluation), then name, then id."""
    annotations: list[Annotation] = msgspec.field(default_factory=list)
    """What happened when, as told by a file: marked on trends. Oldest first."""
    muted: list[Muted] = msgspec.field(default_factory=list)
    """What was found and is not told, because the settings say so."""
    resolved: list[Resolved] = msgspec.field(default_factory=list)
    """What earlier reports told and is over."""
    incident: Incident | msgspec.UnsetType = msgspec.UNSET

    def is_quiet(self, job_index: int) -> bool:
        """Say whether nothing in a job is news: it was compared in vain, or its run is an old one."""
        section = self.jobs[job_index]
        if any(finding.job_index == job_index for finding in self.findings):
            return False
        checked = section.comparability
        return section.stale or (section.status == "ok" and checked is not None and checked.comparable)
