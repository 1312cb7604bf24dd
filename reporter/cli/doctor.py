"""The command that says what is wrong before a report is asked for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from reporter.cli.command import command, settings_options
from reporter.cli.console import clean
from reporter.cli.session import Session
from reporter.errors import SourceError

_USED = (
    "source", "jobs_file", "host", "project_id", "api_key_file", "state", "no_cache", "timeout_s", "strict",
    "quiet", "verbose", "log_format", "as_json", "color",
)  # fmt: skip
_COLORS = {"pass": "green", "warn": "yellow", "fail": "red"}
_WIDTH = 5


@command(
    "reporter doctor",
    "reporter doctor --host https://eu.posthog.com --project-id 12345 --json",
    "reporter doctor --source export/",
)
@settings_options(only=_USED)
@click.pass_context
def doctor(ctx: click.Context, /, **flags: Any) -> None:
    """Check key, project, data, mail server, fonts and folders.

    Each line passes, warns or fails, and says what to do next. Nothing is changed. Ends with 3 when a check
    failed, and with --strict when one warned.
    """
    session = ctx.ensure_object(Session)
    settings = session.settle(flags).settings
    checks = []
    with session.at_work(settings) as progress:
        from reporter import pipeline

        for check in pipeline.examine(settings, session.state_folder(), progress=progress):
            checks.append(check)
            if not settings.as_json:
                mark = click.style(f"{check.outcome:<{_WIDTH}}", fg=_COLORS[check.outcome], bold=True)
                session.console.document(f"{mark}{clean(check.name)}: {clean(check.found)}\n")
                if check.hint:
                    session.console.document(f"{'':{_WIDTH}}→ {clean(check.hint)}\n")
    if settings.as_json:
        session.console.value({"checks": [asdict(check) for check in checks]})
    bad = {"fail", "warn"} if settings.strict else {"fail"}
    if any(check.outcome in bad for check in checks):
        ctx.exit(SourceError.exit_code)
