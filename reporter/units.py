"""Numbers for people: money, seconds, tokens, shares, changes, dates.

Two or three significant digits, a unit always, and never a number where nothing is known. Pure text;
escaping is the page's work.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUS = "\u2212"
DASH = "\u2013"
UNKNOWN = DASH
"""What stands where nothing is known."""
_NBSP = "\u00a0"
_SPACES = re.compile(r"[^\S\xa0]{2,}|[^\S\xa0 ]")
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069"
    r"\ud800-\udfff\ufeff\ufffe\uffff\U000e0000-\U000e007f]+"
)
"""Controls, zero-width characters (but the joiner), bidirectional overrides, surrogates, tags."""


_AMOUNT = re.compile(
    r"(?P<sign>[−+])?<?\$?(?P<size>\d[\d,]*(?:\.\d+)?) ?(?P<unit>k|M|ms|s|min|h)?\b"
    r"(?: (?P<rest>\d+) (?P<part>s|min)\b)?"
)
_SCALES = {"k": 1e3, "M": 1e6, "ms": 1e-3, "min": 60.0, "h": 3_600.0}


def money(usd: float | None, *, signed: bool = False) -> str:
    """Write US dollars: ``$0.094``, ``$2.71``, ``$2,710``, ``$27.1k``, ``$1.20M``."""
    if usd is None or not math.isfinite(usd):
        return UNKNOWN
    size = abs(usd)
    if size == 0:
        text = "$0"
    elif size < 0.0001:
        return _sign(usd, signed) + "<$0.0001" if not signed else _sign(usd, signed) + "$0.0001"
    elif size < 0.995:
        text = f"${_significant(size, 2)}"
    elif size < 99.95:
        text = f"${size:.2f}"
    elif size < 9_999.5:
        text = f"${size:,.0f}"
    elif size < 999_500:
        text = f"${size / 1e3:.3g}k"
    else:
        text = f"${size / 1e6:,.2f}M"
    return _sign(usd, signed) + text


def apportioned(parts: Sequence[float], total: float, unit: float = 0.01) -> list[float]:
    """Round parts so that what is shown adds up to what is shown of their sum.

    Method: largest remainder (Hamilton): every part is rounded down to the unit, and what is then missing is
    given to those that lost most, the first among equals.

    Args:
        parts: Amounts that add up to `total` but for the last bits.
        total: Their sum, already rounded to the unit.
        unit: What is rounded to, such as 0.01 for cents.

    Returns:
        The parts in their order, each off by less than one unit.
    """
    counts = [math.floor(part / unit) for part in parts]
    missing = round(total / unit) - sum(counts)
    lost = sorted(range(len(parts)), key=lambda i: (counts[i] - parts[i] / unit, i))
    for i in lost[: max(0, missing)]:
        counts[i] += 1
    return [count * unit for count in counts]


def exact_money(usd: float, *, decimals: int = 2, signed: bool = False) -> str:
    """Write US dollars to the cent or finer, for amounts that are added up: ``$27,104.30``, ``−$0.04``."""
    return _sign(round(usd, decimals), signed) + f"${abs(usd):,.{decimals}f}"


def seconds(value: float | None, *, signed: bool = False) -> str:
    """Write a latency: ``340 ms``, ``3.4 s``, ``2 min 5 s``, ``1 h 12 min``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    if size == 0:
        text = f"0{_NBSP}s"
    elif size < 0.9995:
        text = f"{max(1, round(size * 1000))}{_NBSP}ms"
    elif size < 9.95:
        text = f"{size:.1f}{_NBSP}s"
    elif size < 119.5:
        text = f"{size:.0f}{_NBSP}s"
    elif size < 3_599.5:
        minutes, rest = divmod(round(size), 60)
        text = f"{minutes}{_NBSP}min" + (f"{_NBSP}{rest}{_NBSP}s" if rest else "")
    else:
        hours, rest = divmod(round(size / 60), 60)
        text = f"{hours:,}{_NBSP}h" + (f"{_NBSP}{rest}{_NBSP}min" if rest else "")
    return _sign(value, signed) + text


def tokens(value: float | None, *, signed: bool = False) -> str:
    """Write a number of tokens: ``999``, ``1.2k``, ``2.5M``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return _sign(value, signed) + _short(abs(value))


def count(value: float | None, *, signed: bool = False) -> str:
    """Write a count in full: ``1,244``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return _sign(value, signed) + f"{abs(value):,.0f}"


def percent(share: float | None, *, signed: bool = False) -> str:
    """Write a share (0-1) as percent: ``0%``, ``<0.1%``, ``0.4%``, ``4.4%``, ``38%``."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    size = abs(share) * 100
    if size == 0:
        text = "0%"
    elif size < 0.1:
        return "<0.1%" if not signed else _sign(share, signed) + "0.1%"
    elif size < 9.95:
        text = f"{size:.1f}%"
    elif 99.5 <= size < 100:
        text = f"{min(size, 99.9):.1f}%"
    else:
        text = f"{size:,.0f}%"
    return _sign(share, signed) + text


def points(difference: float | None) -> str:
    """Write a difference of shares (0-1) in percentage points: ``+0.4 points``, ``flat``."""
    if difference is None or not math.isfinite(difference):
        return UNKNOWN
    size = abs(difference) * 100
    if size < 0.05:
        return "flat"
    text = f"{size:.1f}" if size < 9.95 else f"{size:.0f}"
    return f"{_sign(difference, signed=True)}{text}{_NBSP}{'point' if text == '1.0' else 'points'}"


def change(prior: float | None, latest: float | None) -> str:
    """Write a relative change in words: ``▲ 38%``, ``▼ 12%``, ``×4.2``, ``flat``, ``new``, ``–``."""
    if latest is None or prior is None or not math.isfinite(prior) or not math.isfinite(latest):
        return UNKNOWN
    if prior == 0:
        return "flat" if latest == 0 else "new"
    relative = latest / prior - 1
    if abs(relative) < 0.005:
        return "flat"
    if relative >= 1.995:
        return f"▲{_NBSP}×{_significant(latest / prior, 2)}"
    return f"{'▲' if relative > 0 else '▼'}{_NBSP}{abs(relative) * 100:.0f}%"


def of(part: int, whole: int) -> str:
    """Write a small rate as counts: ``27 of 195``."""
    return f"{part:,} of {whole:,}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun: ``No cluster``, ``1 cluster``, ``3 clusters``."""
    if number == 1:
        return f"1 {one}"
    return f"{'No' if number == 0 else f'{number:,}'} {one if number == 0 else many or one + 's'}"


def zone(name: str) -> ZoneInfo:
    """Give a time zone by IANA name.

    Raises:
        KeyError: No such zone (`zoneinfo.ZoneInfoNotFoundError`).
        ValueError: The name is not a valid key.
    """
    return ZoneInfo(name)


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time of a report; a naive one is UTC."""
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def iso(time: datetime) -> str:
    """Write a time the way report.json holds it: ISO 8601, UTC, ``Z``, microseconds if any."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def day(time: str, tz: str = "UTC") -> str:
    """Write a date: ``9 Nov 2026``."""
    local = parse_time(time).astimezone(ZoneInfo(tz))
    return f"{local.day}{_NBSP}{local:%b}{_NBSP}{local.year}"


def moment(time: str, tz: str = "UTC") -> str:
    """Write a date with its time and zone: ``9 Nov 2026, 14:05 UTC``."""
    local = parse_time(time).astimezone(ZoneInfo(tz))
    return f"{day(time, tz)}, {local:%H:%M}{_NBSP}{local.tzname() or tz}"


def period(start: str, end: str, tz: str = "UTC") -> str:
    """Write two moments: ``9 Nov 2026, 14:05 to 16:10 UTC``, day and zone once where both share them."""
    zone = ZoneInfo(tz)
    first, last = (parse_time(time).astimezone(zone) for time in (start, end))
    if first.date() == last.date() and first.tzname() == last.tzname():
        return f"{day(start, tz)}, {first:%H:%M} to {last:%H:%M}{_NBSP}{last.tzname() or tz}"
    return f"{moment(start, tz)} to {moment(end, tz)}"


def span(start: str, end: str, tz: str = "UTC") -> str:
    """Write a window by its days: ``9–15 Nov 2026``, ``30 Oct – 5 Nov 2026``.

    The end is exclusive: a window that ends within the first two hours of a day (runs start shortly
    after midnight) is written as ending the day before.
    """
    first = parse_time(start).astimezone(ZoneInfo(tz))
    last = parse_time(end).astimezone(ZoneInfo(tz)) - timedelta(hours=2)
    last = max(first, last)
    if (first.year, first.month, first.day) == (last.year, last.month, last.day):
        return f"{last.day}{_NBSP}{last:%b}{_NBSP}{last.year}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}{DASH}{last.day}{_NBSP}{last:%b}{_NBSP}{last.year}"
    head = f"{first.day}{_NBSP}{first:%b}" + (f"{_NBSP}{first.year}" if first.year != last.year else "")
    return f"{head} {DASH} {last.day}{_NBSP}{last:%b}{_NBSP}{last.year}"


def days(first: str, last: str, tz: str = "UTC") -> str:
    """Write the days from one moment to another, both inclusive: ``9 Nov 2026``, ``9–15 Nov 2026``."""
    # An end two hours on is the end `span` writes the day of.
    return span(first, iso(parse_time(last) + timedelta(hours=2)), tz)


def duration(start: str, end: str) -> str:
    """Write how long a window is: ``7 days``, ``36 hours``, ``40 minutes``."""
    length = (parse_time(end) - parse_time(start)).total_seconds()
    if length >= 2 * 86_400:
        return plural(round(length / 86_400), "day")
    if length >= 2 * 3_600:
        return plural(round(length / 3_600), "hour")
    return plural(round(length / 60), "minute")


def amount(text: str) -> float | None:
    """Read back what an amount printed here begins with, to sort by; ``None`` where it begins with none.

    Gives dollars, seconds, counts or percent; of ``2 of 25`` the 2, of ``$1.20 – $1.80`` the 1.2.
    """
    found = _AMOUNT.match(text.replace(_NBSP, " "))
    if found is None:
        return None
    size = float(found["size"].replace(",", "")) * _SCALES.get(found["unit"] or "", 1.0)
    size += float(found["rest"] or 0) * _SCALES.get(found["part"] or "", 1.0)
    return -size if found["sign"] == MINUS else size


def clean(text: str, limit: int = 300) -> str:
    """Make untrusted text fit for one line of a page, chart or terminal.

    Control characters, bidirectional overrides, zero-width characters and lone surrogates go, white
    space is folded (a no-break space stays one), and what is longer than `limit` characters ends in an
    ellipsis.
    """
    folded = _SPACES.sub(" ", _UNSEEN.sub("", text[: limit * 8])).strip()
    return folded if len(folded) <= limit else folded[: limit - 1].rstrip(" .,;:\u2026") + "\u2026"


def _sign(value: float, signed: bool) -> str:  # noqa: FBT001 (a private helper of one line)
    return MINUS if value < 0 else "+" if signed and value > 0 else ""


def _significant(value: float, digits: int) -> str:
    """Fixed notation with so many significant digits, trailing zeros kept: 0.094, 0.50."""
    decimals = max(0, digits - 1 - math.floor(math.log10(float(f"{value:.{digits - 1}e}"))))
    return f"{value:.{decimals}f}"


def _short(value: float) -> str:
    if value < 999.5:
        return f"{value:.0f}"
    if value < 99_950:
        return f"{value / 1e3:.1f}k"
    if value < 999_500:
        return f"{value / 1e3:.0f}k"
    return f"{value / 1e6:.1f}M"
