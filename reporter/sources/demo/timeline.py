"""When things happen in the demo's story: the calendar, the planted changes, the jobs and their runs.

All days count from day 0, the Monday of the latest runs, 00:00 UTC.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reporter.model import Level

SEED = 20260359
TEAM = 4182
DAY_ZERO = datetime(2026, 3, 16, tzinfo=UTC)
FIRST_DAY = -42.5
LAST_DAY = 1.35
"""Traffic goes on for a day after the latest runs, so that moved data can end at any time of day."""

PROMPT_CHANGED = -6.62
"""The VAT prompt grew: the whole tax guide is attached from here on."""
PROMPT_FACTOR = 2.35
"""Input tokens of a VAT answer after the change, relative to before."""
QUOTA_CUT = -5.7
"""The provider of the bank statement model lowered its rate limit."""
OUTAGE_START = -2.47
OUTAGE_END = -2.34
"""For these three hours nearly every statement call was refused (a Friday afternoon)."""
EVALUATED_SINCE = -17.0
"""Evaluations were switched on."""
SUMMARIES_SINCE = -8.0
"""Item summaries are kept from here on."""


@dataclass(frozen=True, slots=True)
class DemoJob:
    """A clustering job of the demo, and the days on which it ran."""

    id: str
    name: str
    level: Level
    filters: tuple[dict[str, Any], ...]
    enabled: bool
    created: float
    """Day it was set up."""
    changed: float
    """Day it was last edited."""
    max_samples: int
    hourly: int
    """Newest items of an hour that can be drawn at all."""
    days: tuple[int, ...]
    """Days it ran on, the latest last."""


def _only(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "type": "event", "value": [value], "operator": "exact"}


JOBS = (
    DemoJob(
        id="019c1a52-6e01-7d3b-9c42-5b1f0a7e4101",
        name="Default - traces",
        level="trace",
        filters=(),
        enabled=True,
        created=-43.3,
        changed=-43.3,
        max_samples=800,
        hourly=15,
        days=(-35, -32, -28, -25, -21, -18, -14, -11, -7, -5, -4, -3, -1, 0),
    ),
    DemoJob(
        id="019c1a52-6e02-7a90-8f17-c3d92e6b4102",
        name="Default - generations",
        level="generation",
        filters=(),
        enabled=True,
        created=-43.3,
        changed=-43.3,
        max_samples=600,
        hourly=20,
        days=(-21, -14, -7, -5, -3, 0),
    ),
    DemoJob(
        id="019c1a52-6e03-7c5e-a1b8-0f64d7294103",
        name="Default - evaluations",
        level="evaluation",
        filters=(),
        enabled=True,
        created=-43.3,
        changed=EVALUATED_SINCE,
        max_samples=400,
        hourly=250,
        days=(-14, -7, -5, -2, -1, 0),
    ),
    DemoJob(
        id="019c41d8-03b7-7e2c-b5a6-91c80d3f4104",
        name="Anthropic answers",
        level="generation",
        filters=(_only("$ai_provider", "anthropic"),),
        enabled=False,
        created=-35.6,
        changed=-24.4,
        max_samples=300,
        hourly=20,
        days=(-25,),
    ),
    DemoJob(
        id="019cb9e4-5a10-7b83-8e0d-47af62c14105",
        name="Support bot (production)",
        level="trace",
        filters=(_only("feature", "support-bot"), _only("environment", "production")),
        enabled=True,
        created=-7.5,
        changed=-7.5,
        max_samples=400,
        hourly=15,
        days=(0,),
    ),
    DemoJob(
        id="019cc3f1-92dd-7f06-9b71-e85a30d64106",
        name="Enterprise customers",
        level="trace",
        filters=(_only("plan", "enterprise"),),
        enabled=True,
        created=-5.4,
        changed=-5.4,
        max_samples=800,
        hourly=15,
        days=(),
    ),
)


def dice(*purpose: object) -> random.Random:
    """Give random numbers of their own to one purpose, so that a change in one place moves no other.

    Args:
        purpose: Words and numbers that name the purpose.

    Returns:
        A generator seeded by `SEED` and the purpose; text seeds do not depend on the hash seed.
    """
    return random.Random(":".join(map(str, (SEED, *purpose))))  # noqa: S311 (made-up data, no secret)


def at(day: float) -> datetime:
    """Give the moment that lies so many days after day 0, in whole milliseconds."""
    return DAY_ZERO + timedelta(milliseconds=round(day * 86_400_000))


def day_of(moment: datetime) -> float:
    """Give the days (with fraction) between day 0 and a moment; negative before."""
    return (moment - DAY_ZERO) / timedelta(days=1)


def iso(moment: datetime) -> str:
    """Write a moment the way Python's `isoformat` does for an aware UTC time."""
    return moment.isoformat()


def uuid4(rng: random.Random) -> str:
    """Draw a random UUID (version 4) as text."""
    digits = f"{rng.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
