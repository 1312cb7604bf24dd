"""Looking over a setting-up: one check after another, each with what was found and what to do next.

Nothing here raises for what it finds: a failed check is a line like any other.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from reporter import units
from reporter.config import KEY_VARIABLE, POSTHOG
from reporter.errors import ReporterError, SourceError
from reporter.pipeline.opening import apart, client_of, moment_of, opened

if TYPE_CHECKING:
    from reporter.config import Settings
    from reporter.pipeline.opening import Progress
    from reporter.sources.api.client import Client
    from reporter.state import StateFolder

Outcome: TypeAlias = Literal["pass", "warn", "fail"]

_LIBRARIES = ("click", "duckdb", "httpx", "jinja2", "matplotlib", "msgspec", "weasyprint")
_LOOKED_BACK = timedelta(days=98)
_LOW_BUDGET = 2**30
"""Bytes of query budget below which a report may not get through."""
_SCRIPTS = (
    ("Chinese, Japanese, Korean", "\u6f22", "fonts-noto-cjk"),
    ("Arabic", "\u0639", "fonts-noto-core"),
    ("Devanagari", "\u0939", "fonts-noto-core"),
    ("emoji", "\U0001f9fe", "fonts-noto-color-emoji"),
)
"""Scripts, a letter of each, and the Debian package that has it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's findings."""

    name: str
    outcome: Outcome
    found: str
    """What was found, in a sentence or less."""
    hint: str = ""
    """What to do next; empty where all is well."""


def examine(settings: Settings, state: StateFolder, *, progress: Progress) -> Iterator[Check]:
    """Check PostHog (where it is the source), then this machine.

    Args:
        settings: What a report would be made with.
        state: The folder of what is kept between runs.
        progress: Told about each step.

    Yields:
        Checks, as they are made.
    """
    if settings.source == POSTHOG:
        yield from _posthog(settings, progress)
    else:
        yield _source(settings, progress)
    if settings.mail_host is not None:
        progress.step(f"greeting {settings.mail_host}")
        yield _mail(settings)
    progress.step("looking at this machine")
    yield from _libraries()
    yield _pango()
    yield from _fonts()
    yield _state(settings, state)


def _mail(settings: Settings) -> Check:
    """Go as far as a mail would, up to the mail."""
    from reporter.pipeline import delivering, mailing

    try:
        with mailing.post(settings) as post:
            post.greet()
        delivering.check(replace(settings, email=True), delivering.How(again=True))
    except ReporterError as error:
        return Check("mail server", "fail", error.message, error.hint)
    way = "not private" if settings.mail_security == "plain" else f"private ({settings.mail_security})"
    who = f", logged in as {settings.mail_user}" if settings.mail_user else ""
    return Check("mail server", "pass", f"{settings.mail_host}, {way}{who}")


def _posthog(settings: Settings, progress: Progress) -> Iterator[Check]:
    yield Check("host", "pass", settings.host)
    if settings.api_key is None:
        yield Check(
            "key", "fail", "there is no personal API key", f"Set {KEY_VARIABLE}, or give --api-key-file."
        )
    else:
        yield Check("key", "pass", "set")
    try:
        client = client_of(settings, progress)
    except ReporterError as error:
        if settings.api_key is not None:
            yield Check("project", "fail", error.message, error.hint)
        return
    progress.step(f"asking {settings.host}")
    try:
        yield from _asked(client)
    finally:
        client.close()


def _asked(client: Client) -> Iterator[Check]:
    """Ask PostHog the cheapest questions that show whether a report can be made."""
    from reporter.sources.api import probes

    reached = _attempt("queries (scope query:read)", lambda: probes.timezone(client), _zone)
    yield reached
    if reached.outcome == "fail":
        return
    yield _attempt("project", lambda: probes.project_name(client), lambda name: name, worst="warn")
    yield _attempt("jobs (scope llm_analytics:read)", lambda: probes.jobs(client), _jobs_found, worst="warn")
    now = datetime.now(UTC)
    yield _attempt("clustering runs", lambda: probes.runs(client, now - _LOOKED_BACK, now), _runs_found)
    yield _attempt("AI events", lambda: probes.ai_events(client, now - timedelta(days=7), now), _events_found)
    yield _attempt(
        "what traces said (posthog.ai_events)",
        lambda: probes.ai_table(client, now - timedelta(days=1), now),
        _content_found,
        worst="warn",
    )
    yield _budget(client)
    yield _skew(client.skew)


def _attempt(
    name: str, ask: Callable[[], Any], found: Callable[[Any], Any], *, worst: Outcome = "fail"
) -> Check:
    """Ask one question; gives what `found` makes of the answer, or why there is none."""
    try:
        made = found(ask())
    except SourceError as error:
        return Check(name, worst, error.message, error.hint)
    return Check(name, *made) if isinstance(made, tuple) else Check(name, "pass", made)


def _zone(name: str) -> str:
    return f"answered; the project's time zone is {units.clean(name, 60) or 'not told'}"


def _jobs_found(count: int) -> tuple[Outcome, str, str] | str:
    if count:
        return units.plural(count, "job")
    return "warn", "no clustering job is set up", "Create one in PostHog: AI observability, Clusters."


def _runs_found(count: int) -> tuple[Outcome, str, str] | str:
    if count:
        return f"{units.plural(count, 'run')} in the last {_LOOKED_BACK.days} days"
    hint = (
        "PostHog makes a run only where a job is enabled and found enough items (1,000 traces or generations "
        "a week, 100 evaluations in three days); check --project-id, too."
    )
    return "fail", f"no run in the last {_LOOKED_BACK.days} days", hint


def _events_found(count: int) -> tuple[Outcome, str, str] | str:
    if count:
        return f"{units.plural(count, 'AI event')} in the last 7 days"
    return "warn", "no AI event in the last 7 days", "Costs, latency and errors are measured from AI events."


def _content_found(count: int) -> tuple[Outcome, str, str] | str:
    if count:
        return f"{units.plural(count, 'event')} in the last day"
    hint = "Quotes (--redact quotes) need it; PostHog keeps it for 30 days, self-hosted perhaps not at all."
    return "warn", "nothing in the last day", hint


def _budget(client: Client) -> Check:
    name = "query budget"
    if client.budget_left is None:
        return Check(name, "pass", "PostHog names no limit")
    left = f"{client.budget_left / 1e9:.1f} GB left this hour"
    if client.budget_left < _LOW_BUDGET:
        return Check(name, "warn", left, "A report may not get through; it fills again within the hour.")
    return Check(name, "pass", left)


def _skew(skew: timedelta | None) -> Check:
    from reporter.sources.api.client import MOST_SKEW

    name = "clock"
    if skew is None:
        return Check(name, "warn", "PostHog did not tell its time", "")
    if abs(skew) > MOST_SKEW:
        hint = "Set it, for instance with NTP: runs are looked for, and staleness is judged, by it."
        return Check(name, "warn", f"this machine's clock is {apart(skew)} PostHog's", hint)
    return Check(name, "pass", "agrees with PostHog's")


def _source(settings: Settings, progress: Progress) -> Check:
    now = moment_of(settings)
    try:
        with opened(settings, lambda _: None, progress) as source:
            runs = source.runs(now - _LOOKED_BACK, now)
            told = source.describe()
    except ReporterError as error:
        return Check("source", "fail", str(error.message), error.hint)
    kind = "an export of " if told.kind == "export" else ""
    found = f"{kind}{told.location}; {units.plural(len(runs), 'run')} in {_LOOKED_BACK.days} days"
    return Check("source", "pass", found)


def _libraries() -> Iterator[Check]:
    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        yield Check("libraries", "fail", f"missing: {', '.join(missing)}", "Install cluster-reporter again.")
    else:
        yield Check("libraries", "pass", ", ".join(found))


def _pango() -> Check:
    from reporter.render import pdf

    trouble = pdf.available()
    if trouble is None:
        return Check("PDF (Pango)", "pass", "works")
    message, _, hint = trouble.partition(". ")
    return Check("PDF (Pango)", "warn", message, hint)


def _fonts() -> Iterator[Check]:
    fonts = import_module("reporter.charts.fonts")
    missing = fonts.lacking("".join(letter for _, letter, _ in _SCRIPTS))
    lacking = [(name, package) for name, letter, package in _SCRIPTS if letter in missing]
    if not lacking:
        yield Check("fonts", "pass", f"Latin, {', '.join(name for name, *_ in _SCRIPTS)}")
        return
    packages = " ".join(sorted({package for _, package in lacking}))
    hint = f"Titles in these scripts lose letters in print. Debian and Ubuntu: apt-get install {packages}"
    yield Check("fonts", "warn", f"none for {', '.join(name for name, _ in lacking)}", hint)


def _state(settings: Settings, state: StateFolder) -> Check:
    name = "state folder"
    if settings.no_cache:
        return Check(name, "pass", "not used (--no-cache)")
    probe = f"doctor-{os.getpid()}"
    try:
        state.write(probe, b"").unlink(missing_ok=True)
    except (ReporterError, OSError) as error:
        return Check(
            name, "warn", str(getattr(error, "message", error)), "Give another folder with --state DIR."
        )
    return Check(name, "pass", "can be written to")
