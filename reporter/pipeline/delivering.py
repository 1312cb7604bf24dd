"""Telling readers about reports, each once: who is due, what is told, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from reporter import units
from reporter.errors import DeliveryError, ReporterError, UsageError
from reporter.pipeline.opening import Progress, moment_of
from reporter.report import Incident, Report

if TYPE_CHECKING:
    from reporter.config import Settings
    from reporter.deliver.ledger import Entry, Ledger

About: TypeAlias = Literal["report", "no_new_run"]
DeliveryState: TypeAlias = Literal["sent", "already", "skipped", "unknown", "would_send", "failed"]
_WEEK = timedelta(days=6)
"""From here on, the same runs again are news: a weekly call is never quite on time."""
_SITUATIONS = {
    "stale": "every run is old",
    "unchanged": "there is no clear change",
    "no_new_run": "there is no new run",
}
_WAIT_S = 120.0
NO_NEW_RUN = "There is no new run since the last mail."


@dataclass(frozen=True, slots=True)
class How:
    """What a call asks of delivery."""

    again: bool = False
    """Send also what was sent before."""
    dry_run: bool = False
    """Say what would be sent; send and write nothing."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one reader."""

    to: str
    """The reader, for people."""
    state: DeliveryState
    detail: str
    """Why, in a few words."""


class Reader(Protocol):
    """Somebody to tell."""

    @property
    def name(self) -> str:
        """Who it is, for people; without secrets."""

    @property
    def ident(self) -> str:
        """Who it is, for the book of what was sent."""

    def describe(self, about: About) -> str:
        """Say what would be sent."""

    def send(self, about: About, before_last_byte: Callable[[], None]) -> None:
        """Tell them.

        Raises:
            DeliveryError: They were not told, or (`deliver.smtp.Unanswered`) nobody knows.
        """


def check(settings: Settings, how: How) -> None:
    """Refuse before the work what could not be delivered after it.

    Raises:
        UsageError: A setting is missing.
    """
    if settings.email:
        missing = [
            name
            for name, value in (
                ("mail.to", settings.mail_to),
                ("mail.from", settings.mail_from),
                ("mail.host", settings.mail_host),
            )
            if not value
        ]
        if missing:
            raise UsageError(
                f"mails need {' and '.join(missing)}",
                subject="--email",
                hint="Set them in reporter.toml, in the table [mail]; `reporter init` writes one.",
            )
    if (settings.email or settings.notify) and settings.no_cache and not (how.again or how.dry_run):
        raise UsageError(
            "without a state folder nobody knows what was sent before",
            subject="--no-cache",
            hint="Leave it out, or send with --again whatever was sent before.",
        )


def tell(
    readers: Sequence[Reader], reports: Sequence[Report], settings: Settings, how: How, progress: Progress
) -> tuple[tuple[Delivery, ...], tuple[ReporterError, ...]]:
    """Tell every reader who is due, one after the other; one who refuses does not stop the others.

    Args:
        readers: Everybody.
        reports: What there is to tell: one report, or several in one mail.
        settings: What the configuration says.
        how: What this call asks.
        progress: Told what goes on.

    Returns:
        What became of each reader, and what went wrong.
    """
    situation = _situation(reports)
    if situation in settings.mail_skip:
        why = f"{_SITUATIONS[situation]}, and mail.skip says that this is no reason for a mail"
        return tuple(Delivery(reader.name, "skipped", why) for reader in readers), ()
    from reporter.deliver import ledger
    from reporter.state import StateFolder, default_folder

    if settings.no_cache or how.dry_run:
        book = None
        if not settings.no_cache:
            book = ledger.Ledger(
                StateFolder(settings.state or default_folder(), warn=progress.step), key(reports)
            )
        return _round(readers, reports, settings, how, book, progress)
    folder = StateFolder(settings.state or default_folder(), warn=progress.step)
    with ledger.locked(folder, min(_WAIT_S, settings.timeout_s)):
        return _round(readers, reports, settings, how, ledger.Ledger(folder, key(reports)), progress)


def key(reports: Sequence[Report]) -> str:
    """Give what makes reports others to their readers: kind, project, runs."""
    return json.dumps(sorted(_key(report) for report in reports))


def _key(report: Report) -> str:
    told = report.incident
    parts: Mapping[str, object] = {
        "kind": report.kind,
        "project": report.source.project_id,
        "window": [told.from_, told.to] if isinstance(told, Incident) else None,
        "runs": sorted(
            [
                section.job.id or "",
                section.job.level,
                section.latest.run_id,
                section.prior.run_id if report.kind == "compare" and section.prior else "",
            ]
            for section in report.jobs
            if section.latest is not None
        ),
    }
    return json.dumps(parts, sort_keys=True)


def _situation(reports: Sequence[Report]) -> str:
    """Say why a mail may not be worth sending; empty where it is."""
    weekly = all(report.kind == "weekly" for report in reports)
    runs = [section for report in reports for section in report.jobs if section.latest is not None]
    if weekly and runs and all(section.stale for section in runs):
        return "stale"
    failed = any(section.status == "failed" for report in reports for section in report.jobs)
    quiet = all(report.verdict == "no_clear_change" and not report.findings for report in reports)
    return "unchanged" if weekly and quiet and not failed else ""


def _round(
    readers: Sequence[Reader],
    reports: Sequence[Report],
    settings: Settings,
    how: How,
    book: Ledger | None,
    progress: Progress,
) -> tuple[tuple[Delivery, ...], tuple[ReporterError, ...]]:
    found: list[Delivery] = []
    problems: list[ReporterError] = []
    made_at = max(report.generated_at for report in reports)
    for reader in readers:
        before = None if book is None or how.again else book.entry(reader.ident)
        about, why = _due(before, made_at, reports[0].timezone)
        if about is None:
            state: DeliveryState = "already" if before is None or before.state == "sent" else "unknown"
            found.append(Delivery(reader.name, state, why))
            if state == "unknown":
                hint = "Ask whether it arrived; --again sends it to every reader."
                problems.append(DeliveryError(why, subject=reader.name, hint=hint))
        elif about == "no_new_run" and about in settings.mail_skip:
            why = f"{_SITUATIONS[about]}, and mail.skip says that this is no reason for a mail"
            found.append(Delivery(reader.name, "skipped", why))
        elif how.dry_run:
            found.append(Delivery(reader.name, "would_send", reader.describe(about)))
        else:
            progress.step(f"telling {reader.name}")
            try:
                _tell(reader, about, made_at, settings, book)
                found.append(Delivery(reader.name, "sent", reader.describe(about)))
            except DeliveryError as error:
                found.append(Delivery(reader.name, "failed", error.message))
                problems.append(error)
    return tuple(found), tuple(problems)


def _due(before: Entry | None, made_at: str, tz: str) -> tuple[About | None, str]:
    """Say what a reader is to be told, or why nothing."""
    if before is None:
        return "report", ""
    age = units.parse_time(made_at) - units.parse_time(before.report_at)
    if before.state == "handing_over":
        if age >= _WEEK:
            return "report", ""
        at = units.moment(before.at, tz)
        return (
            None,
            f"what was sent on {at} broke off while it was handed over; it may have arrived, so not again",
        )
    if age >= _WEEK:
        return "no_new_run", ""
    return None, f"sent on {units.moment(before.at, tz)}"


def _tell(reader: Reader, about: About, made_at: str, settings: Settings, book: Ledger | None) -> None:
    from reporter.deliver.ledger import Entry
    from reporter.deliver.smtp import Unanswered

    if book is None:
        reader.send(about, lambda: None)
        return
    known = book.entry(reader.ident)
    now = units.iso(moment_of(settings))
    written = False

    def before_last_byte() -> None:
        nonlocal written
        book.write(reader.ident, Entry("handing_over", about, made_at, now))
        written = True

    try:
        reader.send(about, before_last_byte)
    except Unanswered:
        raise
    except DeliveryError:
        if written:
            book.erase(reader.ident, known)
        raise
    book.write(reader.ident, Entry("sent", about, made_at, now))
