"""Commands that list what a source holds: jobs, runs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from reporter import units
from reporter.cli.command import DELIVERY, command, settings_options
from reporter.cli.session import Session
from reporter.cli.table import Column, table

if TYPE_CHECKING:
    from reporter.pipeline import JobRow, RunRow

_NO_JOB = "(no job)"
_JOB_COLUMNS = (
    Column("JOB", cut=True),
    Column("LEVEL"),
    Column("STATUS"),
    Column("WINDOW END (UTC)"),
    Column("ITEMS", right=True),
    Column("ID"),
)
_RUN_COLUMNS = (
    Column("EMITTED (UTC)"),
    Column("JOB", cut=True),
    Column("LEVEL"),
    Column("LABEL", cut=True),
    Column("ITEMS", right=True),
    Column("RUN"),
)
_DETAIL = (Column("FIELD"), Column("VALUE"))


@command(
    "reporter jobs --source export/ --jobs jobs.json",
    "reporter jobs 'Default - traces' --source export/",
)
@click.argument("job", required=False, metavar="[ID|NAME]")
@settings_options(without=DELIVERY)
@click.pass_context
def jobs(ctx: click.Context, /, job: str | None, **flags: Any) -> None:
    """List jobs with their latest and prior run.

    With the id or name of a job, shows everything known about that one.
    """
    session = ctx.ensure_object(Session)
    settings = session.settle(flags).settings
    if job is not None:
        settings = replace(settings, jobs=(job,))
    with session.at_work(settings) as progress:
        from reporter import pipeline

        rows = pipeline.list_jobs(settings, progress=progress, warn=session.caution)
    if settings.as_json:
        session.console.value({"jobs": [asdict(row) for row in rows]})
    elif job is not None:
        for index, row in enumerate(rows):
            _print(session, [*([""] if index else []), *table(_DETAIL, _job_detail(row), width=None)[1:]])
    elif rows:
        _print(session, table(_JOB_COLUMNS, [_job_cells(row) for row in rows], width=_width()))
    else:
        session.console.warning("No job was found.")


@command(
    "reporter runs --source export/ --level trace",
    "reporter runs --source export/ --since 30d --json",
)
@settings_options(without=DELIVERY)
@click.pass_context
def runs(ctx: click.Context, /, **flags: Any) -> None:
    """List runs, newest first."""
    session = ctx.ensure_object(Session)
    settings = session.settle(flags).settings
    with session.at_work(settings) as progress:
        from reporter import pipeline

        rows = pipeline.list_runs(settings, progress=progress, warn=session.caution)
    if settings.as_json:
        session.console.value({"runs": [asdict(row) for row in rows]})
    elif rows:
        _print(session, table(_RUN_COLUMNS, [_run_cells(row) for row in rows], width=_width()))
    else:
        session.console.warning("No run was found; --since looks further back.")


def _print(session: Session, lines: Sequence[str]) -> None:
    session.console.document("".join(f"{line}\n" for line in lines))


def _width() -> int | None:
    """Give the columns of the terminal; a pipe or file gets every text whole."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _job_cells(row: JobRow) -> tuple[str, ...]:
    return (
        row.name or _NO_JOB,
        row.level,
        row.status,
        _minute(row.latest_window_end),
        units.count(row.items),
        row.id or "none",
    )


def _job_detail(row: JobRow) -> list[tuple[str, str]]:
    from reporter.render import reasons

    configured = (
        "deleted" if row.deleted else {True: "enabled", False: "disabled", None: "not known"}[row.enabled]
    )
    return [
        ("job", row.name or _NO_JOB),
        ("id", row.id or "none"),
        ("level", row.level),
        ("configured", configured),
        ("looks at", reasons.conditions(row.event_filters) or "everything"),
        ("status", f"{row.status}, stale" if row.stale and row.status != "stale" else row.status),
        ("reason", row.reason or units.UNKNOWN),
        ("latest run", row.latest_run_id or units.UNKNOWN),
        ("window end", f"{_minute(row.latest_window_end)} UTC" if row.latest_window_end else units.UNKNOWN),
        ("items", units.count(row.items)),
        ("prior run", row.prior_run_id or units.UNKNOWN),
    ]


def _run_cells(row: RunRow) -> tuple[str, ...]:
    return (
        _minute(row.emitted_at),
        row.job_name or row.job_id or _NO_JOB,
        row.level,
        row.label or "",
        units.count(row.items),
        row.run_id,
    )


def _minute(time: str | None) -> str:
    return units.UNKNOWN if time is None else f"{units.parse_time(time):%Y-%m-%d %H:%M}"
