"""Runs as PostHog makes them: a window, an hourly cap, a redrawn sample, clusters and noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reporter.model import NOISE, Window
from reporter.sources.demo import timeline
from reporter.sources.demo.themes import MERGED, MERGED_FROM, ODD, Theme, themes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reporter.sources.demo.timeline import DemoJob

_SPLITS = {("Default - traces", -25): "receipts", ("Default - traces", -4): "receipts"}
"""Runs that see one theme as two."""
_MERGES = {("Default - traces", -18), ("Default - generations", -14)}
"""Runs that see two themes as one."""
_SPLIT_AT = 0.52
_ADOPTED = 0.1
"""Share of one-off items that a neighbouring cluster takes in."""
_BORDER, _BORDER_MOVES = 0.9, 0.1
"""Depth from which items sit at the border, and the share of those a neighbour takes."""
_LOOSER = 0.035
"""How much sooner an evaluation counts as noise: short reasons are harder to group."""
_SMALLEST = 0.015
"""Smallest cluster, as a share of the sample."""


@dataclass(frozen=True, slots=True)
class Thing:
    """An item that can be clustered."""

    key: str
    trace_id: str
    moment: datetime
    """What decides on its window and hour."""
    begun: datetime
    """First event of its trace."""
    theme: str
    """Topic key or evaluation outcome; starts with ``odd`` for a one-off."""
    depth: float
    angle: float
    facets: Mapping[str, str]
    """Properties a job may filter by."""


@dataclass(frozen=True, slots=True)
class Group:
    """One cluster of a run before it is written down."""

    cluster_id: int
    theme: Theme | None
    """``None`` for noise."""
    title: str
    """A given title, or ``""`` where the labeller chooses."""
    members: tuple[Thing, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A run before it is written down."""

    job: DemoJob
    run_id: str
    window: Window
    emitted_at: datetime
    items: int
    groups: tuple[Group, ...]


def draft(job: DemoJob, day: int, things: Sequence[Thing]) -> Draft:
    """Run a job on a day.

    Args:
        job: The job.
        day: Day of the run.
        things: Every item of the job's level.

    Returns:
        The run: who was drawn, and which cluster each went to.
    """
    rng = timeline.dice("run", job.id, day)
    if job.level == "evaluation":
        end = timeline.at(day) + timedelta(hours=6, seconds=rng.randrange(130, 1500))
        window = Window(end - timedelta(days=3), end)
    else:
        end = timeline.at(day) + timedelta(microseconds=rng.randrange(190_000_000, 7_800_000_000))
        window = Window(end - timedelta(days=7), end)
    pool = pooled(job, things, window)
    drawn = rng.sample(pool, min(job.max_samples, len(pool)))
    return Draft(
        job=job,
        run_id=f"{timeline.TEAM}_{job.level}_{end:%Y%m%d_%H%M%S}_{job.id}",
        window=window,
        emitted_at=end + timedelta(microseconds=rng.randrange(540_000_000, 1_260_000_000)),
        items=len(drawn),
        groups=_grouped(job, day, drawn),
    )


def pooled(job: DemoJob, things: Iterable[Thing], window: Window) -> list[Thing]:
    """Give the items a run can draw from: in the window, under the filters, the newest of each hour.

    Args:
        job: The job, with its filters and hourly cap.
        things: Every item of the job's level.
        window: The run's window.

    Returns:
        Items by time, then key.
    """
    since = max(window.start, timeline.at(job.created))
    hours: dict[tuple[object, int], list[Thing]] = {}
    for thing in things:
        if since <= thing.moment < window.end and all(
            thing.facets.get(want["key"]) in want["value"] for want in job.filters
        ):
            hours.setdefault((thing.moment.date(), thing.moment.hour), []).append(thing)
    kept = [sorted(hour, key=_order)[-job.hourly :] for hour in hours.values()]
    return sorted((thing for hour in kept for thing in hour), key=_order)


def _order(thing: Thing) -> tuple[datetime, str]:
    return thing.moment, thing.key


def _grouped(job: DemoJob, day: int, drawn: Sequence[Thing]) -> tuple[Group, ...]:
    rng = timeline.dice("groups", job.id, day)
    known = themes(job.level)
    edge = rng.uniform(0.945, 0.972) - (_LOOSER if job.level == "evaluation" else 0.0)
    split = _SPLITS.get((job.name, day))
    merge = (job.name, day) in _MERGES
    found: dict[tuple[str, int], list[Thing]] = {}
    noise: list[Thing] = []
    for thing in sorted(drawn, key=lambda each: each.key):
        theme = thing.theme
        if theme not in known:
            if rng.random() >= _ADOPTED:
                noise.append(thing)
                continue
            feature = thing.facets["feature"]
            kin = {each.theme for each in drawn if each.theme in known and each.facets["feature"] == feature}
            theme = rng.choice(sorted(kin))
        elif thing.depth + rng.gauss(0, 0.012) > edge:
            noise.append(thing)
            continue
        elif thing.depth > _BORDER and rng.random() < _BORDER_MOVES:
            theme = _neighbour(known, theme, {each.theme for each in drawn})
        half = int(thing.angle > _SPLIT_AT) if theme == split else 0
        theme = MERGED.key if merge and theme in MERGED_FROM else theme
        found.setdefault((theme, half), []).append(thing)
    smallest = max(5, math.ceil(_SMALLEST * len(drawn)))
    named = sorted(name for name, members in found.items() if len(members) >= smallest)
    noise += [thing for name, members in found.items() if name not in named for thing in members]
    rng.shuffle(named)
    groups = []
    for cluster_id, (key, half) in enumerate(named):
        theme_of = MERGED if key == MERGED.key else known[key]
        title = theme_of.halves[half] if key == split else ""
        groups.append(Group(cluster_id, theme_of, title, tuple(found[key, half])))
    if noise:
        groups.append(Group(NOISE, None, "", tuple(noise)))
    return tuple(groups)


def _neighbour(known: Mapping[str, Theme], key: str, present: set[str]) -> str:
    """Name the theme whose island lies nearest to another's, among those present."""
    home = known[key].place
    others = [theme for theme in known.values() if theme.key != key and theme.key in present]
    return min(others, key=lambda theme: math.dist(theme.place, home)).key if others else key


def home(thing: Thing, known: Mapping[str, Theme]) -> Theme | None:
    """Give the theme an item belongs to by nature; ``None`` for a one-off."""
    return None if thing.theme.startswith(ODD) else known.get(thing.theme)
