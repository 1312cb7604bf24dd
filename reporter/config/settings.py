"""`Settings`: everything a person may choose, settled once, frozen, and passed down as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from reporter.analysis.gate_rules import Rule
    from reporter.config.secret import Secret
    from reporter.model import Level
    from reporter.report import Redaction

Paper: TypeAlias = Literal["a4", "letter"]
Way: TypeAlias = Literal["up", "down", "neutral"]
Security: TypeAlias = Literal["starttls", "tls", "plain"]
Severity: TypeAlias = Literal["fail", "warn"]
LogFormat: TypeAlias = Literal["text", "json"]
POSTHOG = "posthog"
"""The value of `Settings.source` that means PostHog's API."""


@dataclass(frozen=True, slots=True)
class Mute:
    """Findings not to be told; a part that is ``None`` leaves every value through."""

    reason: str
    """Why, for people."""
    until: datetime
    """When the muting ends, exclusive."""
    kind: str | None = None
    """Kind of finding."""
    cluster: str | None = None
    """A title, ``/pattern/`` found anywhere in one, or ``lineage:ID``."""
    job: str | None = None
    """Id or name of a job."""


@dataclass(frozen=True, slots=True)
class Gating:
    """A rule a report must hold."""

    rule: Rule
    severity: Severity = "fail"
    """Whether a broken rule fails a build, or only warns."""
    min_n: int | None = None
    """Items a figure must rest on; ``None`` for the usual number."""
    until: datetime | None = None
    """When a waiver ends, exclusive; ``None`` where there is none."""
    reason: str = ""
    """Why it is waived."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command works with. Relative paths are relative to the working folder."""

    source: str = POSTHOG
    """``posthog``, a file, folder or glob of a batch export, or a database address (``scheme://…``)."""
    jobs_file: Path | None = None
    """The answer of PostHog's clustering-jobs endpoint as JSON, for sources that do not hold it."""
    jobs: tuple[str, ...] = ()
    """Ids or names of the jobs wanted; empty for all."""
    level: Level | None = None
    """The only level wanted; ``None`` for all."""
    since: datetime | timedelta = timedelta(days=98)
    """How far back runs are looked for: a moment (UTC), or a length of time before now."""
    now: datetime | None = None
    """The clock of the report, UTC; ``None`` for the real one."""
    baseline: str = "week"
    """How the prior run is chosen: ``week``, ``previous``, a run id or a date."""
    previous: Path | None = None
    """An earlier report.json, or its folder, whose cluster ids and findings are carried on."""
    annotate: Path | None = None
    """File of what happened when, to mark on trends."""
    out: Path = Path("report")
    """Folder the documents are written to."""
    formats: tuple[str, ...] = ()
    """Formats wanted; empty for the default set."""
    title: str = "What people use our AI for"
    """Title of the report."""
    redact: Redaction = "titles"
    """How much text of users is shown; see `reporter.report.Redaction`."""
    min_text_items: int = 0
    """Items a cluster needs for its title and other words to be shown."""
    tz: str = "UTC"
    """IANA name of the zone pages show times in."""
    paper: Paper = "a4"
    """Paper size of the PDF."""
    templates: Path | None = None
    """Folder of the user's own templates."""
    fail_on: tuple[Gating, ...] = ()
    """Rules a report must hold, plain."""
    gates: tuple[Gating, ...] = ()
    """Rules a report must hold, with what else is said of them."""
    policy: tuple[tuple[str, str], ...] = ()
    """What becomes of what cannot be judged: ``not_enough_data``, ``not_comparable`` → ``pass``, ``fail``."""
    mute: tuple[Mute, ...] = ()
    """Findings not to be told."""
    good: tuple[tuple[str, Way], ...] = ()
    """Which way of a figure is the better one, where it is not the usual one."""
    email: bool = False
    """Send the report by e-mail."""
    mail_to: tuple[str, ...] = ()
    """Readers: addresses, with or without names."""
    mail_from: str | None = None
    """Sender: an address, with or without a name."""
    mail_reply_to: str | None = None
    """Where answers go."""
    clickhouse_password_file: Path | None = None
    """File that holds ClickHouse's password."""
    clickhouse_password: Secret | None = field(default=None)
    """The password, where the environment gives it."""
    mail_host: str | None = None
    """The mail server, with or without a port."""
    mail_security: Security = "starttls"
    """How the way to the mail server is kept private."""
    mail_user: str | None = None
    """Name to log in with."""
    mail_password_file: Path | None = None
    """File that holds the password."""
    mail_password: Secret | None = field(default=None)
    """The password, where the environment gives it."""
    mail_attachment_mb: int = 8
    """Largest PDF to attach, in megabytes (10^6 bytes)."""
    mail_link: str | None = None
    """Pattern of the address of the whole report."""
    mail_unsubscribe: str | None = None
    """Where a reader can leave."""
    mail_skip: tuple[str, ...] = ()
    """Situations that are no reason for a mail."""
    notify: bool = False
    """Post a summary to chats."""
    notify_file: Path | None = None
    """File of the chats' addresses."""
    notify_urls: Secret | None = field(default=None)
    """The chats' addresses, one a line, where the environment gives them."""
    upload: tuple[str, ...] = ()
    """Addresses of folders or object stores to copy the documents to."""
    out_pattern: str | None = None
    """Folder below `out`, with fields."""
    keep: int = 0
    """Reports kept in folders of `out_pattern`; 0 for all."""
    state: Path | None = None
    """Folder of what is kept between runs; ``None`` for the user's own."""
    no_cache: bool = False
    """Keep nothing between runs."""
    timeout_s: float = 300.0
    """Longest time the whole run may take, in seconds."""
    strict: bool = False
    """Treat every warning about the data as an incomplete source."""
    quiet: bool = False
    """Say nothing on standard error but errors."""
    verbose: bool = False
    """Say every step on standard error."""
    log_format: LogFormat = "text"
    """What lines on standard error look like."""
    as_json: bool = False
    """Answer with one JSON object on standard output."""
    color: bool | None = None
    """Colour always, never, or (``None``) on terminals."""
    host: str = "https://us.posthog.com"
    """Where PostHog is; no slash at the end."""
    project_id: str | None = None
    """The PostHog project."""
    api_key_file: Path | None = None
    """File that holds the personal API key."""
    api_key: Secret | None = field(default=None)
    """The personal API key."""

    def since_at(self, now: datetime) -> datetime:
        """Give the moment from which runs are looked for.

        Args:
            now: The clock of the report, timezone-aware.

        Returns:
            A timezone-aware UTC time, inclusive.
        """
        start = now - self.since if isinstance(self.since, timedelta) else self.since
        return start.astimezone(UTC)
