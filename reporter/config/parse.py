"""From what a person typed to a value: one small function a kind of setting.

Each takes a raw value (text from a flag or the environment, or whatever TOML made of it) and raises
`ValueError` with a sentence saying what is allowed. None reads a file, a clock or the environment.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from reporter import units
from reporter.config.settings import Mute

Parser: TypeAlias = Callable[[object], object]

_DURATION = re.compile(r"(?P<number>[0-9]{1,5})\s?(?P<unit>[hdw])", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LONGEST = timedelta(days=3660)
_YEARS = range(1990, 9000)
"""Years a time may lie in: far enough from both ends that no arithmetic on it can overflow."""
_HOST = re.compile(
    r"(?P<scheme>https?)://(?P<name>[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?(/[a-z0-9._~/-]*)?",
    re.ASCII | re.IGNORECASE,
)
_LOOPBACK = re.compile(r"localhost|.*\.localhost|127(\.[0-9]{1,3}){3}|\[::1\]", re.ASCII | re.IGNORECASE)
_MOVED = {
    "app.posthog.com": "https://us.posthog.com or https://eu.posthog.com",
    "us.i.posthog.com": "https://us.posthog.com (that one only takes events in)",
    "eu.i.posthog.com": "https://eu.posthog.com (that one only takes events in)",
    "posthog.com": "https://us.posthog.com or https://eu.posthog.com",
}
"""Names of PostHog that do not answer queries, and what to use instead."""
KINDS = (
    "errors",
    "cost",
    "latency",
    "tokens",
    "share",
    "noise",
    "coverage",
    "new",
    "gone",
    "split",
    "merged",
)
"""Kinds of findings."""
WAYS = ("up", "down", "neutral")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def text(raw: object) -> str:
    """Read a text of one line; a whole number is taken as its digits."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    if not isinstance(raw, str) or not raw.strip() or any(ord(ch) < 0x20 for ch in raw.strip()):
        raise ValueError("give a text of one line")
    return raw.strip()


def path(raw: object) -> Path:
    """Read a path."""
    if isinstance(raw, Path):
        return raw
    if not isinstance(raw, str) or not raw.strip() or "\0" in raw:
        raise ValueError("give a path")
    return Path(raw)


def source(raw: object) -> str:
    """Read where the data comes from; what can be opened is the pipeline's question."""
    if isinstance(raw, Path):
        return str(raw)
    if not isinstance(raw, str) or not raw.strip() or "\0" in raw:
        raise ValueError("give `posthog`, or a file, folder or glob of a batch export")
    return raw.strip()


def switch(raw: object) -> bool:
    """Read yes or no."""
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in _TRUE + _FALSE:
        return raw.strip().lower() in _TRUE
    raise ValueError("give true or false")


def choice(*allowed: str) -> Callable[[object], str]:
    """Make a parser of one word out of a few."""

    def parse(raw: object) -> str:
        if isinstance(raw, str) and raw.strip().lower() in allowed:
            return raw.strip().lower()
        near = nearest(raw, allowed) if isinstance(raw, str) else None
        raise ValueError(f"give one of {', '.join(allowed)}" + (f"; did you mean {near}?" if near else ""))

    return parse


def words(*allowed: str) -> Callable[[object], tuple[str, ...]]:
    """Make a parser of a list of known words, each once: ``"html,pdf"`` or ``["html", "pdf"]``."""

    def parse(raw: object) -> tuple[str, ...]:
        found = [word.strip().lower() for part in _texts(raw) for word in part.split(",") if word.strip()]
        unknown = [word for word in found if word not in allowed]
        if unknown or not found:
            near = nearest(unknown[0], allowed) if unknown else None
            hint = f"; did you mean {near}?" if near else ""
            raise ValueError(f"give any of {', '.join(allowed)}{hint}")
        return tuple(dict.fromkeys(found))

    return parse


def lines(raw: object) -> tuple[str, ...]:
    """Read a list of texts, each once; plain text holds one a line."""
    found = [line.strip() for part in _texts(raw) for line in part.splitlines() if line.strip()]
    if not found:
        raise ValueError("give one text or a list of texts")
    return tuple(dict.fromkeys(found))


def ways(raw: object) -> tuple[tuple[str, str], ...]:
    """Read which way of a figure is the better one: ``mean_tokens=neutral``."""
    from reporter.report import ESTIMATES  # here, so that `--help` need not load what reports are made of

    found = {}
    for text_ in lines(raw):
        name, _, way = (part.strip() for part in text_.partition("="))
        if name not in ESTIMATES:
            guess = nearest(name, ESTIMATES)
            known = f"; did you mean {guess!r}" if guess else f", one of {', '.join(ESTIMATES)}"
            raise ValueError(f"give a figure that there is{known}")
        if way not in WAYS:
            raise ValueError(f"give {name}=up, {name}=down or {name}=neutral")
        found[name] = way
    return tuple(found.items())


def seconds(raw: object) -> float:
    """Read a positive number of seconds, at most a week."""
    try:
        value = float(raw) if isinstance(raw, (str, int, float)) and not isinstance(raw, bool) else math.nan
    except (ValueError, OverflowError):
        value = math.nan
    if not 0 < value <= 7 * 86_400:
        raise ValueError("give a number of seconds above 0, such as 300")
    return value


def whole(raw: object) -> int:
    """Read a number of things: a whole number, not negative."""
    try:
        number = int(str(raw).strip()) if not isinstance(raw, bool | float) else -1
    except ValueError:
        number = -1
    if number < 0:
        raise ValueError("give a whole number, 0 or more")
    return number


def moment(raw: object) -> datetime:
    """Read a date or time, UTC unless it names its offset."""
    found: datetime | None = None
    try:
        if isinstance(raw, datetime):
            found = raw
        elif isinstance(raw, date):
            found = datetime(raw.year, raw.month, raw.day, tzinfo=UTC)
        elif isinstance(raw, str):
            found = datetime.fromisoformat(raw.strip())
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS:
        raise ValueError("give a date or an ISO time, such as 2026-11-23 or 2026-11-23T08:00:00Z")
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def epoch(raw: object) -> datetime:
    """Read ``SOURCE_DATE_EPOCH``: whole seconds since 1970 UTC."""
    if isinstance(raw, str) and re.fullmatch(r"[0-9]{1,11}", raw.strip(), re.ASCII):
        found = datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(raw))
        if found.year in _YEARS:
            return found
    raise ValueError("give whole seconds since 1970, in 1990 or later")


def since(raw: object) -> datetime | timedelta:
    """Read how far back to look: a date, a time, or a length such as ``30d`` or ``8w``."""
    if isinstance(raw, timedelta):
        length = raw
    elif isinstance(raw, str) and (match := _DURATION.fullmatch(raw.strip().lower())):
        length = int(match["number"]) * _UNITS[match["unit"]]
    else:
        try:
            return moment(raw)
        except ValueError:
            length = timedelta(0)
    if not timedelta(0) < length <= _LONGEST:
        raise ValueError("give a date, an ISO time, or a length such as 36h, 30d or 8w (at most ten years)")
    return length


def zone(raw: object) -> str:
    """Read the IANA name of a time zone that exists here."""
    name = raw.strip() if isinstance(raw, str) else ""
    try:
        # A folder of the zone database, such as "Europe", is an OSError; a hostile name is a ValueError.
        return units.zone(name).key
    except (KeyError, ValueError, OSError):
        from zoneinfo import available_timezones

        near = nearest(name, sorted(available_timezones()))
        hint = f"; did you mean {near}?" if near else ""
        raise ValueError(f"give the name of a time zone, such as Europe/Berlin{hint}") from None


def host(raw: object) -> str:
    """Read where PostHog is: https, or http on this very machine."""
    value = raw.strip().rstrip("/") if isinstance(raw, str) else ""
    match = _HOST.fullmatch(value)
    if match is None:
        guess = f"; did you mean https://{value}?" if _HOST.fullmatch(f"https://{value}") else ""
        raise ValueError(f"give an address such as https://eu.posthog.com{guess}")
    if match["scheme"].lower() == "http" and not _LOOPBACK.fullmatch(match["name"]):
        raise ValueError("give an https address; http is for this machine (localhost) alone")
    name = match["name"].lower()
    if name in _MOVED:
        raise ValueError(f"give the address of your region, such as {_MOVED[name]}")
    return value


def project(raw: object) -> str:
    """Read a PostHog project id: digits, or the UUID of a project."""
    value = str(raw).strip() if isinstance(raw, (str, int)) and not isinstance(raw, bool) else ""
    if not re.fullmatch(r"[0-9A-Za-z-]{1,64}|@current", value, re.ASCII):
        raise ValueError("give the number in your project's address, such as 12345")
    return value


def key(raw: object) -> str:
    """Read an API key; what is wrong with it is told without showing it."""
    value = raw.strip() if isinstance(raw, str) else ""
    if not re.fullmatch(r"[!-~]{1,512}", value, re.ASCII):
        raise ValueError("give a key of printable characters without spaces")
    return value


def mutes(raw: object) -> tuple[Mute, ...]:
    """Read what is not to be told: tables, or as text a list of them in JSON."""
    import json

    try:
        tables = json.loads(raw) if isinstance(raw, str) else raw
    except (ValueError, RecursionError):
        tables = None
    if not isinstance(tables, list | tuple) or not all(isinstance(table, Mapping) for table in tables):
        raise ValueError("give tables [[mute]] with what, until and reason")
    return tuple(_mute(table) for table in tables)


def _mute(table: Mapping[str, object]) -> Mute:
    if unknown := sorted(table.keys() - {"kind", "cluster", "job", "until", "reason"}):
        raise ValueError(f"a [[mute]] has kind, cluster, job, until and reason, but no {unknown[0]!r}")
    if "until" not in table or "reason" not in table:
        raise ValueError("a [[mute]] needs until, a date, and reason, a sentence that is printed with it")
    which = {name: text(table[name]) for name in ("kind", "cluster", "job") if name in table}
    if not which:
        raise ValueError("a [[mute]] says with kind, cluster or job what it mutes")
    if "kind" in which:
        which["kind"] = choice(*KINDS)(which["kind"])
    pattern_ = which.get("cluster", "")
    if len(pattern_) > 2 and pattern_.startswith("/") and pattern_.endswith("/"):
        try:
            re.compile(pattern_[1:-1])
        except re.error as error:
            raise ValueError(f"give a pattern that is a regular expression: {error}") from None
    return Mute(reason=text(table["reason"]), until=moment(table["until"]), **which)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Give the known word that looks most like a wrong one, if any does."""
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.strip().lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def _texts(raw: object) -> Sequence[str]:
    parts = [raw] if isinstance(raw, str) else raw
    if isinstance(parts, (list, tuple)) and all(isinstance(part, str) for part in parts):
        return parts
    raise ValueError("give a text or a list of texts")
