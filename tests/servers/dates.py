"""Dates as PostHog's date ranges spell them: ISO, relative, or bare days."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.servers.refusal import invalid

_RELATIVE = re.compile(r"^-?(\d+)?([hdwmqyHDWMQY])(Start|End)?$")
_BARE = re.compile(r"^\d{4}-\d{2}-\d{2}$")


def moment(text: str, zone: str, now: datetime | None = None) -> datetime:
    """Read a date; one without an offset is in the project's zone.

    Raises:
        Refused: It is no date.
    """
    local = ZoneInfo(zone)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return _relative(text, (now or datetime.now(UTC)).astimezone(local))
    return found if found.tzinfo else found.replace(tzinfo=local)


def is_bare(text: str) -> bool:
    """Whether it is a day without a time."""
    return bool(_BARE.match(text))


def _relative(text: str, now: datetime) -> datetime:
    match = _RELATIVE.match(text)
    if match is None:
        raise invalid(f"Invalid date: {text}", "invalid_input")
    number, unit, edge = int(match.group(1) or 0), match.group(2), match.group(3)
    if unit in "hH":
        return now - timedelta(hours=number)
    if unit == "M":
        return now - timedelta(minutes=number)
    if unit in "dDwW":
        found = now - timedelta(days=number * (7 if unit in "wW" else 1))
    else:
        months = number * {"m": 1, "q": 3, "y": 12}[unit.lower()]
        year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
        day = min(now.day, calendar.monthrange(year, month + 1)[1])
        found = now.replace(year=year, month=month + 1, day=day)
        if edge == "Start":
            found = found.replace(day=1, month=1 if unit in "yY" else found.month)
    return found.replace(hour=0, minute=0, second=0, microsecond=0)


def span(date_range: object, zone: str, *, now: datetime | None = None) -> tuple[datetime, datetime]:
    """Give the first and last moment of a query's ``dateRange``; without one, the last seven days.

    Raises:
        Refused: It is no range of dates.
    """
    given = date_range if isinstance(date_range, dict) else {}
    unknown = set(given) - {"date_from", "date_to", "explicitDate"}
    if unknown:
        raise invalid(f"Extra inputs are not permitted: {min(unknown)}", "invalid_input", "query__dateRange")
    now = now or datetime.now(UTC)
    start = moment(given.get("date_from") or "-7d", zone, now)
    end = given.get("date_to")
    if not end:
        return start, now
    last = moment(end, zone, now)
    if is_bare(end) and not given.get("explicitDate"):
        last += timedelta(days=1) - timedelta(microseconds=1)
    return start, last
