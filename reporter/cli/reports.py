"""Commands that read a source and write documents: report, compare, demo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from reporter.cli.command import SENDING, command, sending_options, settings_options
from reporter.cli.outcome import tell
from reporter.cli.session import Session

_BUNDLED = ("source", "jobs_file", "host", "project_id", "api_key_file", *SENDING)


@command(
    "reporter report --source export/ --jobs jobs.json",
    "reporter report --source 'events/*.parquet' --job 'Default - traces' --baseline previous",
    "reporter report --format html,md --out public --tz Europe/Berlin",
    "reporter report --email --mail-to ann@example.org --dry-run",
)
@sending_options
@settings_options()
@click.pass_context
def report(ctx: click.Context, /, again: bool, dry_run: bool, **flags: Any) -> None:  # noqa: FBT001 (flags)
    """Report on the latest run of every job.

    Each job's latest run is compared with a prior one. Writes report.html, report.pdf and report.json,
    and prints each file and the verdict. With --email and --notify it tells the readers, each once.
    """
    session = ctx.ensure_object(Session)
    settings = session.settle(flags).settings
    with session.at_work(settings) as progress:
        from reporter import pipeline

        outcome = pipeline.run_report(settings, pipeline.How(again=again, dry_run=dry_run), progress=progress)
    ctx.exit(tell(outcome, settings, session.console))


@command(
    "reporter compare 5120_trace_20261116_000112 5120_trace_20261123_000112 --source export/",
    "reporter runs --level trace    # shows run ids",
)
@click.argument("prior")
@click.argument("latest")
@settings_options(without=SENDING)
@click.pass_context
def compare(ctx: click.Context, /, prior: str, latest: str, **flags: Any) -> None:
    """Report on any two runs of one level.

    PRIOR and LATEST are run ids, of any age and in either direction.
    """
    session = ctx.ensure_object(Session)
    settings = session.settle(flags).settings
    with session.at_work(settings) as progress:
        from reporter import pipeline

        outcome = pipeline.run_compare(settings, prior, latest, progress=progress)
    ctx.exit(tell(outcome, settings, session.console))


@command(
    "reporter demo",
    "reporter demo --out look --format html --now 2026-11-23",
)
@settings_options(without=_BUNDLED)
@click.pass_context
def demo(ctx: click.Context, /, **flags: Any) -> None:
    """Report on bundled events: no key, no network.

    The events are moved so that they end now. Without --out the documents go to ./demo-report, and
    ./reporter.toml is not read.
    """
    session = ctx.ensure_object(Session)
    resolved = session.settle(flags, look_for_file=False)
    settings = resolved.settings
    if not resolved.chosen("out"):
        settings = replace(settings, out=Path("demo-report"))
    with session.at_work(settings) as progress:
        from reporter import pipeline

        outcome = pipeline.run_demo(settings, progress=progress)
    ctx.exit(tell(outcome, settings, session.console))
