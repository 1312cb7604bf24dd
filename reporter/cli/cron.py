"""The command that prints schedules: cron."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from reporter.cli.command import command, settings_options
from reporter.cli.session import Session

KINDS = ("crontab", "systemd", "kubernetes", "github", "gitlab")
_TIME = re.compile(
    r"(?P<day>mon|tue|wed|thu|fri|sat|sun)\w*\s+(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})", re.IGNORECASE
)


class Weekly(click.ParamType[Any]):
    """A day and a time: ``Mon 07:30``."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a day and a time of day."""
        match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None or int(match["hour"]) > 23 or int(match["minute"]) > 59:
            self.fail("give a day and a time, such as 'Mon 07:30'", param, ctx)
        days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        return days.index(match["day"].lower()), int(match["hour"]), int(match["minute"])


@command(
    "reporter cron crontab --at 'Mon 07:30' --tz Europe/Berlin",
    "reporter cron systemd --config /etc/reporter/reporter.toml",
    "reporter cron kubernetes > cronjob.yaml",
)
@click.argument("kind", type=click.Choice(KINDS))
@click.option(
    "--at",
    type=Weekly(),
    default="Mon 07:30",
    show_default=True,
    help="When: a day and a time, in the zone of --tz.",
)
@settings_options(only=("tz", "quiet", "verbose", "log_format", "color"))
@click.pass_context
def cron(ctx: click.Context, /, kind: str, at: tuple[int, int, int], **flags: Any) -> None:
    """Print what makes a machine send the report every week.

    A snippet for crontab, systemd timers, Kubernetes, GitHub or GitLab, ready to be put in place. A call that
    comes twice does nothing the second time: who has the report is in the state folder.
    """
    session = ctx.ensure_object(Session)
    # The settings file is of the machine that will send: it need not be here.
    config = flags.pop("config", None)
    settings = session.settle(flags, look_for_file=False).settings
    from reporter.cli.schedules import SNIPPETS, Schedule

    program = Path(sys.argv[0])
    made = Schedule(
        *at,
        tz=settings.tz,
        program=str(program.resolve()) if program.name == "reporter" and program.is_file() else "reporter",
        config=str(Path(config or "reporter.toml").absolute()),
        now=datetime.now(UTC),
    )
    session.console.document(SNIPPETS[kind](made))
