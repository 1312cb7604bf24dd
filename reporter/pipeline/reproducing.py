"""The command line that makes a report again."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reporter import units
from reporter.config import KEYS, SECTIONS
from reporter.config.settings import Gating, Settings

if TYPE_CHECKING:
    from reporter.report import Report

_SHAPING = SECTIONS[:3]
"""Sections of the settings that say what a report holds."""
_ELSEWHERE = ("api_key_file", "now", "out", "formats")
"""Their settings that are told otherwise, or are the reader's own affair."""


def command(
    settings: Settings,
    report: Report,
    given: Collection[str],
    config: str | None = None,
    deployed_at: datetime | None = None,
) -> str:
    """Write the command line: what was asked for, under the report's own clock; secrets are no part of it.

    Args:
        settings: What was asked for.
        report: What was made of it.
        given: The fields of `settings` that somebody set, anywhere.
        config: The settings file that was named; it alone holds tables.
        deployed_at: The deploy that split the runs.
    """
    words = ["reporter", report.kind if report.kind != "weekly" else "report"]
    words += ["--config", config] if config is not None else []
    for key in KEYS:
        if key.flags and key.section in _SHAPING and key.field in given and key.field not in _ELSEWHERE:
            value = getattr(settings, key.field)
            for one in value if key.repeats else (value,):
                words += [key.flag, _typed(one)]
    words += ["--deployed-at", units.iso(deployed_at)] if deployed_at is not None else []
    return shlex.join([*words, "--now", report.generated_at])


def _typed(value: object) -> str:
    """Write a value as a person types it."""
    match value:
        case Gating():
            return value.rule.text
        case datetime():
            return units.iso(value)
        case timedelta():
            return f"{value // timedelta(hours=1)}h"
        case tuple():
            return "=".join(value)
        case _:
            return str(value)
