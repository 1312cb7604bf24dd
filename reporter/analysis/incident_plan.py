"""Which calls an incident report looks at: buckets of time, the hours around, and what counts as usual."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reporter import units
from reporter.model import Window

BUCKETS = tuple(timedelta(minutes=m) for m in (1, 2, 5, 10, 15))
"""Lengths a bucket may have; the shortest that cuts the incident into at most `_MOST_BUCKETS`."""
_MOST_BUCKETS = 60
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which calls an incident report looks at."""

    window: Window
    baselines: tuple[Window, ...]
    label: str
    """What the baseline is, in words."""
    after: Window | None
    bucket: timedelta
    grid: Window
    """The timeline: from some time before the incident to some time after it, whole buckets."""

    @property
    def spans(self) -> tuple[Window, ...]:
        """Everything to be read, in order of time, no two touching."""
        merged: list[Window] = []
        for span in sorted((self.grid, *self.baselines)):
            if merged and span.start <= merged[-1].end:
                merged[-1] = Window(merged[-1].start, max(merged[-1].end, span.end))
            else:
                merged.append(span)
        return tuple(merged)

    @property
    def buckets(self) -> int:
        """How many buckets the timeline has."""
        return math.ceil(self.grid.length / self.bucket)


def plan(window: Window, now: datetime, baselines: Sequence[Window], label: str) -> Plan:
    """Choose buckets and the time around an incident.

    Args:
        window: The incident, not empty.
        now: After which nothing is known.
        baselines: What counts as usual.
        label: What that is called.
    """
    bucket = next((b for b in BUCKETS if window.length / b <= _MOST_BUCKETS), BUCKETS[-1])
    lead = min(max(window.length, _HOUR), 6 * _HOUR)
    tail = min(max(window.length, _HOUR), _DAY)
    after = Window(window.end, min(now, window.end + tail)) if now > window.end else None
    start = window.start - math.ceil(lead / bucket) * bucket
    end = after.end if after else window.end
    return Plan(window, tuple(baselines), label, after, bucket, Window(start, end))


def previous_hours(window: Window) -> tuple[tuple[Window, ...], str]:
    """Take the hours before an incident as usual: six times its length, 6 to 24 hours."""
    length = min(max(6 * window.length, 6 * _HOUR), _DAY)
    hours = round(length / _HOUR)
    return (Window(window.start - length, window.start),), f"the {hours} hours before"


def same_hours(window: Window, tz: str) -> tuple[tuple[Window, ...], str]:
    """Take the same hours of the four weeks before as usual, by the clock on the wall."""
    zone = units.zone(tz)

    def back(moment: datetime, weeks: int) -> datetime:
        local = moment.astimezone(zone)
        # Wall time moves by whole weeks; the zone then says which moment that was.
        return (
            (local.replace(tzinfo=None) - timedelta(weeks=weeks))
            .replace(tzinfo=zone)
            .astimezone(moment.tzinfo)
        )

    found = [Window(back(window.start, w), back(window.end, w)) for w in range(4, 0, -1)]
    kept = tuple(w for w in found if w.start < w.end and w.end <= window.start)
    return kept, "the same hours of the four weeks before"
