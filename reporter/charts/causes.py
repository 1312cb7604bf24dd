"""Error causes over the window: which failures came when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reporter import units
from reporter.artifact import ChartTable
from reporter.charts import words
from reporter.charts.board import Board
from reporter.charts.rows import Frame, Row
from reporter.charts.scale import Scale
from reporter.charts.sheet import Form, Sheet
from reporter.charts.style import SMALL_PX
from reporter.charts.text import fit, width
from reporter.charts.words import Topic
from reporter.report import Annotation

_MOST = 8
_LEAST_SLICES = 2
_DAY = timedelta(days=1)
_BAR_PART = 0.72
_ROW_PX = 34.0
_NARROW_ROW_PX = 52.0


@dataclass(frozen=True, slots=True)
class Cause:
    """One look of failure over all clusters of a job."""

    name: str
    counts: tuple[int, ...]
    """Failed calls in equal slices of the window."""
    items: int
    new: bool

    @property
    def calls(self) -> int:
        """Failed calls in all."""
        return sum(self.counts)


def sheet(topic: Topic) -> Sheet | None:
    """Describe the strips; ``None`` where no call failed or it is not known when."""
    found = causes(topic)
    slices = max((len(cause.counts) for cause in found), default=0)
    if slices < _LEAST_SLICES:
        return None
    labels = _labels(topic, slices)
    marked = _marked(topic)
    every = "day" if _step(topic, slices) >= _DAY else "hour"
    noted = " Dotted: " + "; ".join(f"{units.clean(a.text, 60)}" for a in marked) + "." if marked else ""
    subtitle = (
        f"Failed calls by cause and {every} of the window, {topic.window}, on one scale; a {topic.one}\u2019s"
        f" failed calls count when its first one failed.{noted}"
        + (f" {_MOST} most frequent of {len(found)} causes." if len(found) > _MOST else "")
    )
    title = _finding(found, labels)
    told = [f"{cause.name}: {units.plural(cause.calls, 'call')}" for cause in found]
    table = ChartTable(
        ("Cause", *labels, "Calls", topic.many.capitalize()),
        tuple(
            (c.name, *(units.count(n) for n in c.counts), units.count(c.calls), units.count(c.items))
            for c in found
        ),
    )
    return Sheet(
        "causes",
        title,
        subtitle,
        words.alternative(title, told),
        table,
        lambda form: _paint(topic, found[:_MOST], labels, form),
        news=any(cause.new for cause in found[:1]),
    )


def causes(topic: Topic) -> list[Cause]:
    """Add up the causes of all clusters, the most frequent first."""
    clusters = [*topic.section.clusters, *([topic.section.noise] if topic.section.noise else [])]
    counts: defaultdict[str, list[int]] = defaultdict(list)
    items: defaultdict[str, int] = defaultdict(int)
    fresh: defaultdict[str, bool] = defaultdict(lambda: True)
    for cluster in clusters:
        for error in cluster.errors:
            if not error.timeline:
                continue
            name = units.clean(error.cause, 200) or "(no error message)"
            known = counts[name] or [0] * len(error.timeline)
            counts[name] = [a + b for a, b in zip(known, error.timeline, strict=True)]
            items[name] += error.items
            fresh[name] = fresh[name] and error.new is True
    made = [Cause(name, tuple(mine), items[name], fresh[name]) for name, mine in counts.items()]
    return sorted(made, key=lambda cause: (-cause.calls, cause.name))


def _paint(topic: Topic, found: Sequence[Cause], labels: Sequence[str], form: Form) -> Board:
    rows = [Row(c.name, (units.count(c.calls), "new" if c.new else ""), "calm") for c in found]
    frame = Frame(rows, ("calls", ""), form, row_px=_ROW_PX, narrow_px=_NARROW_ROW_PX)
    frame.write()
    board = frame.board
    slices = len(labels)
    across = (frame.right - frame.left) / slices
    most = max(count for cause in found for count in cause.counts)
    reach = frame.step * (0.46 if form.narrow else 0.74)
    feet = []
    for i, cause in enumerate(found):
        foot = frame.top + (i + 1) * frame.step - 3
        feet.append((frame.left, foot, frame.right, foot))
        bars = [
            (
                frame.left + (k + (1 - _BAR_PART) / 2) * across,
                foot - max(1.5, reach * count / most),
                frame.left + (k + (1 + _BAR_PART) / 2) * across,
                foot,
            )
            for k, count in enumerate(cause.counts)
            if count
        ]
        board.boxes(bars, "soft", order=2)
    board.lines(feet, "rule", 1.0, order=1)
    _axis(board, frame, labels, across)
    scale = frame.scale(0.0, 1.0)
    _marks(board, topic, frame, scale)
    return board


def _axis(board: Board, frame: Frame, labels: Sequence[str], across: float) -> None:
    """Write the slices below, as many as there is room for."""
    taken = -1e9
    for k, label in enumerate(labels):
        half = width(label, SMALL_PX) / 2
        x = frame.left + (k + 0.5) * across
        if x - half < taken + 6 or x + half > frame.form.width:
            continue
        taken = x + half
        board.text(x, frame.bottom + 17, label, "mute", size=SMALL_PX, align="center")


def _marks(board: Board, topic: Topic, frame: Frame, scale: Scale) -> None:
    """Draw what happened in the window as dotted verticals with their words above, if these have room."""
    start, end = _ends(topic)
    free = frame.left
    for mark in _marked(topic):
        x = scale((units.parse_time(mark.at) - start) / (end - start))
        board.lines([(x, frame.top - 6, x, frame.bottom)], "ink", 1.1, dash=(1.5, 2.5), order=3)
        label = fit(units.clean(mark.text, 60), frame.right - x - 4, SMALL_PX)
        if x + 3 >= free and label:
            board.text(x + 3, 11, label, "ink", size=SMALL_PX)
            free = x + 3 + width(label, SMALL_PX) + 8


def _marked(topic: Topic) -> list[Annotation]:
    start, end = _ends(topic)
    return [mark for mark in topic.annotations if start <= units.parse_time(mark.at) < end]


def _ends(topic: Topic) -> tuple[datetime, datetime]:
    return units.parse_time(topic.latest.window_start), units.parse_time(topic.latest.window_end)


def _step(topic: Topic, slices: int) -> timedelta:
    start, end = _ends(topic)
    return (end - start) / slices


def _labels(topic: Topic, slices: int) -> list[str]:
    """Name the slices by when they begin."""
    start, _ = _ends(topic)
    step = _step(topic, slices)
    zone = units.zone(topic.tz)
    moments = [(start + k * step).astimezone(zone) for k in range(slices)]
    if step >= _DAY * 0.9:
        # A day that begins shortly before midnight is named after the one it covers.
        middles = [moment + step / 2 for moment in moments]
        return [f"{m.day}\u00a0{m:%b}" for m in middles]
    return [f"{m:%H:%M}" for m in moments]


def _finding(found: Sequence[Cause], labels: Sequence[str]) -> str:
    total = sum(cause.calls for cause in found)
    top = found[0]
    name = f"\u201c{units.clean(top.name, 60)}\u201d"
    calls = "failed call" if total == 1 else "failed calls"
    if total == top.calls:
        first = f"{name} is behind {'the one' if total == 1 else f'all {total:,}'} {calls}"
    else:
        first = f"{name} is behind {units.of(top.calls, total)} {calls}"
    peak = max(range(len(top.counts)), key=lambda k: (top.counts[k], -k))
    if top.calls > 1 and top.counts[peak] * 2 > top.calls:
        return f"{first}, {units.of(top.counts[peak], top.calls)} of them on {labels[peak]}"
    return first
