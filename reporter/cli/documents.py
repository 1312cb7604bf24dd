"""Commands that work on a report.json alone: render, verify, schema."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from reporter.cli.command import command, sending_options, settings_options
from reporter.cli.outcome import tell
from reporter.cli.session import Session

_RENDERED = (
    "out",
    "formats",
    "redact",
    "paper",
    "templates",
    "state",
    "timeout_s",
    "strict",
    "quiet",
    "verbose",
    "log_format",
    "as_json",
    "color",
)
_SENT = (
    "now",
    "out",
    "mail_to",
    "notify",
    "templates",
    "state",
    "no_cache",
    "timeout_s",
    "quiet",
    "verbose",
    "log_format",
    "as_json",
    "color",
)
_PRINTED = ("state", "quiet", "verbose", "log_format", "as_json", "color")
_DIFFERS = 1


@command(
    "reporter render report/report.json --format pdf --paper letter",
    "reporter render report/report.json --redact numbers --out public",
)
@click.argument("path", type=click.Path(path_type=Path), metavar="REPORT")
@settings_options(only=_RENDERED)
@click.pass_context
def render(ctx: click.Context, /, path: Path, **flags: Any) -> None:
    """Make documents again from a report.json, offline.

    REPORT is a report.json or the folder it lies in. --redact can hide more than the report does,
    never show more.
    """
    session = ctx.ensure_object(Session)
    resolved = session.settle(flags)
    settings = resolved.settings
    if not resolved.chosen("redact"):
        # The level can only fall, so the highest keeps the report as it is.
        settings = replace(settings, redact="full")
    with session.at_work(settings) as progress:
        from reporter import pipeline

        outcome = pipeline.run_render(settings, _report_in(path), progress=progress)
    ctx.exit(tell(outcome, settings, session.console))


@command(
    "reporter send",
    "reporter send report/ --mail-to ann@example.org --dry-run",
    "reporter send shop/report.json desk/report.json    # both in one mail",
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[REPORT]...")
@sending_options
@settings_options(only=_SENT)
@click.pass_context
def send(
    ctx: click.Context,
    /,
    paths: tuple[Path, ...],
    again: bool,  # noqa: FBT001 (a flag)
    dry_run: bool,  # noqa: FBT001 (a flag)
    **flags: Any,
) -> None:
    """E-mail a report that was built.

    REPORT is a report.json or the folder it lies in; without one, the folder of --out. Several share one
    mail. Nobody gets the same twice: who has it is in the state folder.
    """
    session = ctx.ensure_object(Session)
    settings = replace(session.settle(flags).settings, email=True)
    with session.at_work(settings) as progress:
        from reporter import pipeline

        outcome = pipeline.run_send(
            settings,
            [_report_in(path) for path in paths or (settings.out,)],
            pipeline.How(again=again, dry_run=dry_run),
            progress=progress,
        )
    ctx.exit(tell(outcome, settings, session.console))


@command(
    "reporter verify report/report.json",
    "reporter verify report --json",
)
@click.argument("path", type=click.Path(path_type=Path), metavar="REPORT")
@settings_options(only=_PRINTED)
@click.pass_context
def verify(ctx: click.Context, /, path: Path, **flags: Any) -> None:
    """Recompute the sums and hashes of a report.json.

    REPORT is a report.json or the folder it lies in; the files beside it are checked too. Prints what
    differs and ends with exit code 1, or says that everything holds.
    """
    session = ctx.ensure_object(Session)
    settings = session.settle(flags).settings
    from reporter import pipeline

    found = pipeline.run_verify(_report_in(path))
    if settings.as_json:
        session.console.value({"ok": not found, "problems": list(found)})
    else:
        for problem in found:
            session.console.result(problem)
        if not found:
            session.console.result("Everything holds: sums, bounds and hashes.")
    ctx.exit(_DIFFERS if found else 0)


@command("reporter schema > report.schema.json")
def schema() -> None:
    """Print the JSON Schema of report.json."""
    from reporter.report import schema as made

    session = click.get_current_context().ensure_object(Session)
    session.console.document(json.dumps(made(), indent=2) + "\n")


def _report_in(path: Path) -> Path:
    return path / "report.json" if path.is_dir() else path
