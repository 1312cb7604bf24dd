"""The report as a whole: the value that *is* ``report.json``."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from reporter.report.section import JobSection
from reporter.report.values import Caveat, FileHash, Finding, Gate, Value

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


class Bucket(Value, frozen=True, kw_only=True):
    """One time bucket of an incident."""

    start: str
    calls: int
    failed: int
    cost_usd: float | None


class Phase(Value, frozen=True, kw_only=True):
    """Traffic of one cluster before, during or after an incident."""

    calls: int
    failed: int
    failed_share: float | None
    cost_usd: float | None


class Excess(Value, frozen=True, kw_only=True):
    """A quantity beyond what was to be expected, with its 95 % interval."""

    value: float
    low: float
    high: float


class IncidentCluster(Value, frozen=True, kw_only=True):
    """What an incident did to one cluster."""

    job_id: str | None
    cluster_id: int
    title: str
    verdict: Literal["affected", "control", "unclear"]
    onset_at: str | None
    recovered_at: str | None
    before: Phase
    during: Phase
    after: Phase
    excess_failed: Excess
    excess_cost_usd: Excess
    users: int


class IncidentBy(Value, frozen=True, kw_only=True):
    """Inside against outside of an incident for one value of one dimension."""

    dimension: str
    value: str
    inside: Phase
    outside: Phase


class IncidentCause(Value, frozen=True, kw_only=True):
    """One error cause inside an incident."""

    cause: str
    onset_at: str
    count: int


class IncidentRun(Value, frozen=True, kw_only=True):
    """A run whose clusters an incident report uses."""

    job_id: str | None
    run_id: str


class Unassigned(Value, frozen=True, kw_only=True):
    """Calls of an incident that sit in no cluster."""

    calls: int
    failed: int


class Annotation(Value, frozen=True, kw_only=True):
    """Something that happened, marked on the timeline."""

    at: str
    text: str


class Incident(Value, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Which clusters broke, when and for how many."""

    from_: str
    to: str
    bucket_s: float
    status: str
    runs: list[IncidentRun]
    unassigned: Unassigned
    buckets: list[Bucket]
    clusters: list[IncidentCluster]
    by: list[IncidentBy]
    causes: list[IncidentCause]
    annotations: list[Annotation]


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
    incident: Incident | msgspec.UnsetType = msgspec.UNSET
