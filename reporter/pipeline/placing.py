"""Where the documents of a report go: a folder of its own, `latest` beside it, old ones deleted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from reporter import units

if TYPE_CHECKING:
    from reporter.report import Report

_PLAIN = re.compile(r"[^A-Za-z0-9_-]+")


def fields(report: Report) -> dict[str, str]:
    """Give what a folder pattern may name, as parts of a path: no slash, no dot."""
    at = units.parse_time(report.generated_at).astimezone(ZoneInfo(report.timezone))
    year, week, _ = at.isocalendar()
    return {
        "date": f"{at:%Y-%m-%d}",
        "time": f"{at:%H%M%S}",
        "week": f"{year}-W{week:02d}",
        "kind": report.kind,
        "project": _PLAIN.sub("-", report.source.project_id or "").strip("-") or "project",
    }


def filled(pattern: str, report: Report) -> str:
    """Fill a pattern in."""
    return pattern.format_map(fields(report))
