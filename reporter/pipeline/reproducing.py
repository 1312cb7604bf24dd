"""The command line that makes a report again."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING

from reporter import units
from reporter.config import POSTHOG
from reporter.config.settings import Settings

if TYPE_CHECKING:
    from reporter.report import Report


def command(settings: Settings, report: Report, deployed_at: datetime | None = None) -> str:
    """Write the command line: what was asked for, under the report's own clock; secrets are no part of it."""
    plain = Settings()
    words = ["reporter", report.kind if report.kind != "weekly" else "report"]
    flags: list[tuple[str, object]] = [
        ("--source", settings.source if settings.source != POSTHOG else None),
        ("--host", settings.host if settings.source == POSTHOG and settings.host != plain.host else None),
        ("--project-id", settings.project_id if settings.source == POSTHOG else None),
        ("--jobs", settings.jobs_file),
        ("--annotate", settings.annotate),
        *(("--job", job) for job in settings.jobs),
        ("--level", settings.level),
        ("--baseline", settings.baseline if settings.baseline != plain.baseline else None),
        ("--deployed-at", units.iso(deployed_at) if deployed_at is not None else None),
        ("--now", report.generated_at),
        ("--redact", settings.redact if settings.redact != plain.redact else None),
        *(("--fail-on", gating.rule.text) for gating in settings.fail_on),
        *(("--policy", f"{what}={outcome}") for what, outcome in settings.policy),
    ]
    for flag, value in flags:
        if value is not None:
            words += [flag, str(value)]
    return shlex.join(words)
