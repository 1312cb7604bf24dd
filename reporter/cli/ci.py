"""The command for builds: ci."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reporter import units
from reporter.cli.command import SENDING, command, settings_options
from reporter.cli.drill import Moment
from reporter.cli.outcome import GATE_FAILED, tell
from reporter.cli.session import Session
from reporter.cli.table import Column, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reporter.report import Report

_FORMATS = ("html", "json", "md", "junit")
_GATES = (
    Column("RULE"),
    Column("OUTCOME"),
    Column("JOB", cut=True),
    Column("CLUSTER", cut=True),
    Column("VALUE", right=True),
    Column("95% INTERVAL", right=True),
    Column("LIMIT", right=True),
    Column("N", right=True),
)


@command(
    "reporter ci --source export/ --fail-on 'error_rate <= 5%' --fail-on 'total mean_cost_usd +20% surely'",
    "reporter ci --fail-on 'title:/refund/i p95_latency_s <= 12s' --explain",
    "reporter ci --deployed-at 2026-11-20T14:00Z --fail-on 'error_rate +2pp surely'",
)
@click.option(
    "--deployed-at",
    type=Moment(),
    metavar="TIME",
    help="Compare the latest run's items from then on with those before: a deploy judged by its own traffic.",
)
@click.option(
    "--save-baseline",
    metavar="NAME|FILE",
    help="Keep the latest runs as a baseline, by a name for --baseline, or in a file that ends in .json.",
)
@click.option("--explain", is_flag=True, help="Print every rule with cluster, value, interval and limit.")
@settings_options(without=SENDING)
@click.pass_context
def ci(
    ctx: click.Context,
    /,
    deployed_at: Any,
    save_baseline: str | None,
    explain: bool,  # noqa: FBT001 (a flag)
    **flags: Any,
) -> None:
    """Report for a build, and fail it where a rule is broken.

    Writes report.html, report.json, summary.md (a comment), junit.xml, and on GitLab a code-quality file; on
    GitHub it annotates the run and adds to its summary. Prints the command that makes the report again. Ends
    with 1 where a rule is broken.
    """
    session = ctx.ensure_object(Session)
    resolved = session.settle(flags)
    settings = resolved.settings
    if not resolved.chosen("formats"):
        settings = replace(
            settings, formats=(*_FORMATS, *(("codequality",) if os.environ.get("GITLAB_CI") else ()))
        )
    with session.at_work(settings) as progress:
        from reporter import pipeline

        outcome = pipeline.run_ci(
            settings,
            deployed_at,
            save_baseline,
            given=[field for field in resolved.origins if resolved.chosen(field)],
            config=flags.get("config"),
            progress=progress,
        )
    code = tell(outcome, settings, session.console)
    if not settings.as_json:
        if explain:
            session.console.document("".join(f"{line}\n" for line in ["", *_explained(outcome.report)]))
        session.console.document(f"\nMake it again: {outcome.command}\n")
    _github(outcome.report, os.environ, session, code)
    ctx.exit(code)


def _explained(report: Report) -> list[str]:
    from reporter.analysis.gates import shown

    if not report.gates:
        return ["No rule was given: see --fail-on."]
    ranked = sorted(report.gates, key=lambda gate: (not gate.fails, gate.outcome == "passed"))
    return table(_GATES, [shown(gate, report) for gate in ranked], width=None)


def _github(report: Report, environ: Mapping[str, str], session: Session, code: int) -> None:
    """Tell GitHub what a build found: annotations, summary, outputs."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return
    from reporter.render import ci

    for line in ci.workflow_commands(report):
        session.console.document(f"{line}\n")
    _append(environ.get("GITHUB_STEP_SUMMARY"), ci.comment(report).data.decode("utf-8"), session)
    failed = sum(gate.fails for gate in report.gates)
    outputs = {
        "verdict": report.verdict,
        "failed": str(failed),
        "outcome": "failed" if code == GATE_FAILED else "passed",
    }
    outputs["headline"] = units.clean(report.headline, 300)
    _append(
        environ.get("GITHUB_OUTPUT"), "".join(f"{name}={value}\n" for name, value in outputs.items()), session
    )


def _append(path: str | None, text: str, session: Session) -> None:
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        session.console.warning(f"{path} could not be written: {error.strerror}.")
