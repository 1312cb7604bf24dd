"""Opening a source and finding its jobs: the steps every command begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from reporter import units
from reporter.config import KEY_VARIABLE, POSTHOG
from reporter.errors import UsageError
from reporter.pipeline import loading
from reporter.sources.base import Wanted

if TYPE_CHECKING:
    from reporter.analysis.selection import JobRuns
    from reporter.config import Settings
    from reporter.model import Job
    from reporter.press import Press
    from reporter.sources.api.client import Client
    from reporter.sources.base import Source, Warn

_TO_RENDER_S, _TO_RENDER_SHARE = 30.0, 0.2
"""Time kept back from reading, in seconds and as a share of all, so that what was read is still written."""


class Progress(Protocol):
    """Where the pipeline says what it is doing."""

    def step(self, text: str) -> None:
        """Tell that a step begins, in a few words."""


@contextmanager
def opened(
    settings: Settings, warn: Warn, progress: Progress, press: Press | None = None
) -> Iterator[Source]:
    """Open the source the settings name and close it afterwards.

    Args:
        settings: What was asked for.
        warn: Takes what a reader should know.
        progress: Told what goes on.
        press: What will be needed once all is read. It is started, and more is loaded, when it is sure that
            there is something to read: at once, or, where answers are kept, when the first one is missing.

    Raises:
        UsageError: The source is of a kind that cannot be read, or a setting it needs is missing.
        SourceUnreadable: Its files cannot be read.
    """
    client = None

    def anew() -> None:
        if press:
            loading.begin(press)

    def skewed(skew: timedelta) -> None:
        from reporter.report import Caveat

        if settings.now is None:
            warn(Caveat(code="clock_off", message=_judged_by(skew)))

    if settings.source == POSTHOG:
        client = client_of(settings, progress, skewed)
        source = _posthog(client, settings, warn, progress, anew)
    elif settings.source.startswith(("clickhouse://", "chdb://")):
        anew()
        source = _clickhouse(settings, warn, progress)
    elif "://" in settings.source:
        raise UsageError(
            "this kind of source cannot be read",
            subject=f"--source {settings.source}",
            hint="Give `posthog`, clickhouse://HOST/DATABASE, or a batch export: a file, folder or glob.",
        )
    else:
        if press:
            # What measures comes after the events: DuckDB may take all the memory there should be for them.
            press.start()
        source = _export(settings, warn, progress)
    try:
        yield source
    finally:
        source.close()
        if client is not None:
            progress.step(client.spent())


def client_of(
    settings: Settings, progress: Progress, skewed: Callable[[timedelta], None] = lambda _: None
) -> Client:
    """Make the client that asks PostHog what the settings name.

    Args:
        settings: What was asked for.
        progress: Told why it waits.
        skewed: Told how far this machine's clock is ahead of PostHog's, if they do not agree.

    Raises:
        UsageError: The project or the key is missing.
    """
    from reporter.sources.api.client import Client

    if settings.project_id is None:
        raise UsageError(
            "the PostHog project is not named",
            subject="--project-id",
            hint="Give the number in your project's address, or set POSTHOG_PROJECT_ID.",
        )
    if settings.api_key is None:
        raise UsageError(
            "there is no personal API key",
            subject=KEY_VARIABLE,
            hint=(
                "Set POSTHOG_PERSONAL_API_KEY, or give a file with --api-key-file. PostHog makes keys under "
                "Settings, Personal API keys; scopes query:read and llm_analytics:read."
            ),
        )
    return Client(
        settings.host,
        settings.project_id,
        settings.api_key.reveal,
        timeout_s=settings.timeout_s - _to_render_s(settings),
        say=progress.step,
        skewed=skewed,
    )


def apart(skew: timedelta) -> str:
    """Write how far a clock is from another: ``2 h ahead of``."""
    return f"{units.seconds(abs(skew).total_seconds())} {'ahead of' if skew > timedelta() else 'behind'}"


def _judged_by(skew: timedelta) -> str:
    """Say what a clock that is off does to a report."""
    does = (
        "a run may be called stale too early"
        if skew > timedelta()
        else "what was stored in between is not in it, and a stale run may pass for a fresh one"
    )
    return (
        f"This machine's clock is {apart(skew)} PostHog's, and this report goes by it: {does}. "
        "Set the clock, or give the time with --now."
    )


def _posthog(
    client: Client, settings: Settings, warn: Warn, progress: Progress, anew: Callable[[], None]
) -> Source:
    """Open PostHog's API, behind what is kept between runs."""
    from reporter.sources.api import ApiSource

    progress.step(f"reading {client.host}")
    real = datetime.now(UTC)
    source = ApiSource(client, warn=warn, now=max(real, settings.now or real))
    if settings.no_cache:
        anew()
        return source
    from reporter.sources.cached import CachedSource
    from reporter.state import default_folder
    from reporter.state.entries import Entries

    def told(text: str) -> None:
        # About this machine, not about the data: it does not belong into the report.
        progress.step(text)

    entries = Entries(
        settings.state or default_folder(), host=client.host, project=client.project_id, warn=told
    )
    # A clock set ahead of the real one is for trying things out; what is read under it counts as read then.
    return CachedSource(
        source, entries, clock=lambda: max(filter(None, (client.moment(), settings.now))), anew=anew
    )


def _clickhouse(settings: Settings, warn: Warn, progress: Progress) -> Source:
    """Open a table of events in ClickHouse."""
    from reporter.config import secret_in
    from reporter.sources.clickhouse import ClickHouseSource, opened

    def password() -> str:
        if settings.clickhouse_password is None and settings.clickhouse_password_file is not None:
            return secret_in(settings.clickhouse_password_file).reveal()
        return settings.clickhouse_password.reveal() if settings.clickhouse_password else ""

    left_s = settings.timeout_s - _to_render_s(settings)
    client = opened(settings.source, password, project_id=settings.project_id, timeout_s=left_s)
    progress.step(f"reading {client.host}")
    jobs_file = str(settings.jobs_file) if settings.jobs_file else None
    real = datetime.now(UTC)
    return ClickHouseSource(client, jobs_file, warn=warn, now=max(real, settings.now or real))


def _to_render_s(settings: Settings) -> float:
    return min(_TO_RENDER_S, settings.timeout_s * _TO_RENDER_SHARE)


def _export(settings: Settings, warn: Warn, progress: Progress) -> Source:
    from reporter.sources.export import ExportSource

    progress.step("reading events")
    jobs_file = str(settings.jobs_file) if settings.jobs_file else None
    return ExportSource((settings.source,), jobs_file, warn=warn, project_id=settings.project_id)


def before(now: datetime, when: datetime | timedelta) -> datetime:
    """Give the moment that is meant by itself, or by a length of time before now."""
    return when if isinstance(when, datetime) else now - when


def moment_of(settings: Settings) -> datetime:
    """Give the report's clock: the one asked for, else now, in whole seconds."""
    return settings.now or datetime.now(UTC).replace(microsecond=0)


def groups_of(source: Source, settings: Settings, now: datetime) -> tuple[JobRuns, ...]:
    """Group runs by job and level, and keep what --job and --level ask for."""
    from reporter.analysis import selection

    since = settings.since_at(now)
    source.ahead(Wanted(listed=(since, now)))
    headers = source.runs(since, now)
    groups = selection.group(source.jobs(), headers, source.broken(since, now))
    if settings.level:
        groups = tuple(group for group in groups if group.job.level == settings.level)
    for wanted in settings.jobs:
        if not any(_is_called(group.job, wanted) for group in groups):
            known = ", ".join(sorted({group.job.name or "(no job)" for group in groups})) or "none"
            hint = f"Jobs known here: {known}. See `reporter jobs`."
            raise UsageError("no such job", subject=f"--job {wanted}", hint=hint)
    if settings.jobs:
        groups = tuple(g for g in groups if any(_is_called(g.job, wanted) for wanted in settings.jobs))
    return groups


def _is_called(job: Job, wanted: str) -> bool:
    return wanted.lower() == (job.id or "none") or wanted == job.name
