"""The command that reports on an incident."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from reporter.cli.command import SENDING, command, settings_options
from reporter.cli.drill import Moment
from reporter.cli.outcome import tell
from reporter.cli.session import Session

_TITLE = "Incident"


@command(
    "reporter incident --from 2026-11-20T12:30Z --to 2026-11-20T16:00Z --title 'Statement provider down'",
    "reporter incident --from 3h --source export/ --annotate deploys.csv --tz Europe/Berlin",
    "reporter incident --from 2026-11-20T23:40 --to 2026-11-21T02:10 --baseline same-hours-last-weeks",
)
@click.option("--from", "start", type=Moment(), required=True, help="Begin of the incident.")
@click.option("--to", "end", type=Moment(), help="End of the incident, exclusive. [default: now]")
@click.option(
    "--baseline",
    default="previous-hours",
    show_default=True,
    metavar="HOW",
    help="What counts as usual: previous-hours, same-hours-last-weeks, or the id of a run.",
)
@click.option(
    "--by",
    multiple=True,
    metavar="PROPERTY",
    help="Compare by this property of the events, too (person.NAME: of their users). Repeatable.",
)
@settings_options(without=("baseline", "previous", "good", "fail_on", *SENDING))
@click.pass_context
def incident(
    ctx: click.Context, /, start: Any, end: Any, baseline: str, by: tuple[str, ...], **flags: Any
) -> None:
    """Report on an incident: which clusters broke.

    When each began to fail more than usual and when that was over, how many calls and users it took, what
    else the failed calls have in common, and what did not move.
    """
    session = ctx.ensure_object(Session)
    resolved = session.settle(flags)
    settings = resolved.settings
    if not resolved.chosen("title"):
        settings = replace(settings, title=_TITLE)
    with session.at_work(settings) as progress:
        from reporter.pipeline.incident import run_incident

        outcome = run_incident(settings, start, end, baseline, by=by, progress=progress)
    ctx.exit(tell(outcome, settings, session.console))
