"""Timestamps in every form PostHog, its exports and its query API write them, read as UTC.

One function, for untrusted values: it never raises, and never guesses at what is ambiguous.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

_LONGEST = 64
_ISO = re.compile(
    r"""
    (?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})
    (?:
      [Tt\x20](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})
      (?: :(?P<second>[0-9]{2}) (?:[.,](?P<fraction>[0-9]{1,9}))? )?
      (?: \x20?(?P<utc>[Zz]|UTC|GMT)
        | \x20?(?P<sign>[+-])(?P<off_hour>[0-9]{2}) (?: :?(?P<off_minute>[0-9]{2}) )?
      )?
    )?
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"[0-9]{10,19}(?:\.[0-9]{1,9})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_BANDS = (
    (10**9, 10**10, 1_000_000, 1),  # seconds: September 2001 to November 2286
    (10**12, 10**13, 1_000, 1),  # milliseconds
    (10**15, 10**16, 1, 1),  # microseconds
    (10**18, 10**19, 1, 1_000),  # nanoseconds
)
"""(from, below, times, divided by): how a number of that size becomes microseconds."""


def parse_instant(value: object) -> datetime | None:
    """Read one timestamp.

    Taken are ``datetime`` and ``date`` objects and text in ISO 8601 with ``T`` or a space, with or
    without seconds, 1 to 9 digits of fraction (cut, not rounded, to microseconds), and ``Z``, ``UTC``,
    ``±hh``, ``±hhmm`` or ``±hh:mm``. What carries no offset is UTC; a bare day is its first moment.

    A number, or text of digits, is an epoch time only where its size leaves no doubt about the unit:
    10 digits before the point are seconds, 13 milliseconds, 16 microseconds, 19 nanoseconds (2001 to
    2286 in each case). Any other number says nothing: ``20260122`` is not in 1970.

    Args:
        value: Anything.

    Returns:
        An aware UTC time; ``None`` for ``""``, for what is not a time, and for times outside the
        years 1 to 9999.
    """
    if isinstance(value, str):
        return _from_text(value) if len(value) <= _LONGEST else None
    if isinstance(value, datetime):
        return _to_utc(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_epoch(value)
    return None


def _from_text(text: str) -> datetime | None:
    text = text.strip()
    found = _ISO.fullmatch(text)
    if found:
        return _from_iso(found)
    if _NUMBER.fullmatch(text):
        return _from_epoch(float(text) if "." in text else int(text))
    return None


def _from_iso(found: re.Match[str]) -> datetime | None:
    zone: timezone = UTC
    try:
        if found["sign"] and (found["off_hour"] != "00" or (found["off_minute"] or "00") != "00"):
            offset = timedelta(hours=int(found["off_hour"]), minutes=int(found["off_minute"] or 0))
            zone = timezone(-offset if found["sign"] == "-" else offset)
        local = datetime(
            int(found["year"]),
            int(found["month"]),
            int(found["day"]),
            int(found["hour"] or 0),
            int(found["minute"] or 0),
            int(found["second"] or 0),
            int((found["fraction"] or "0")[:6].ljust(6, "0")),
            tzinfo=zone,
        )
    except ValueError:
        return None
    return local if zone is UTC else _to_utc(local)


def _to_utc(time: datetime) -> datetime | None:
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except (OverflowError, ValueError):  # within hours of the years 1 and 9999
        return None


def _from_epoch(number: float) -> datetime | None:
    # NaN, infinity and integers too large for a float lie in no band.
    for low, high, times, divided in _EPOCH_BANDS:
        if low <= number < high:
            # Whole numbers stay whole: a double cannot hold nanoseconds since 1970.
            scaled = number * times // divided if isinstance(number, int) else round(number * times / divided)
            return _EPOCH + timedelta(microseconds=scaled)
    return None
