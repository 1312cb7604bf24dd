"""Slopes from the prior run to the latest: share, and unit cost on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reporter import units
from reporter.artifact import ChartTable
from reporter.charts import words
from reporter.charts.board import Board
from reporter.charts.rows import BASE
from reporter.charts.scale import Scale, log_ends
from reporter.charts.sheet import Form, Sheet
from reporter.charts.style import REGULAR, SMALL_PX, STRONG, TEXT_PX
from reporter.charts.text import dodge, fit, width
from reporter.charts.words import Tone, Topic
from reporter.report import Cluster, MetricChange

_LINE_PX = 16.5
_DENSE_LINE_PX = 14.0
_HEAD_PX = 54.0
_FOOT_PX = 14.0
_LEAST_PX = 190.0
_LONE_PX = 620.0
_BETWEEN_PX = 40.0
_ARROW_PX = 14.0
_LEADER_PX = 12.0
_TRACK_SHARE = 0.28
_TRACK_MOST = 0.42
_GUTTER_PX = 9.0
_SPAN_LEAST = 0.5
"""Height of a linear panel at least, as a part of its largest value."""
_MOST = 16
"""Clusters drawn at most: more labels would stand too far from their lines."""


@dataclass(frozen=True, slots=True)
class Slope:
    """One cluster in one panel."""

    name: str
    prior: float
    latest: float
    tone: Tone
    arrow: str

    @property
    def token(self) -> str:
        """Colour of line, marks and text."""
        return {"calm": "mark", "plain": "ink", "worse": "worse", "better": "better"}[self.tone]

    @property
    def strong(self) -> bool:
        """Whether it is one of the sure changes."""
        return self.tone != "calm"


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity, prior against latest."""

    heading: str
    slopes: tuple[Slope, ...]
    write: Callable[[float | None], str]
    log: bool

    def height(self, line_px: float) -> float:
        """Give the room every label needs to stand on a line of its own."""
        return (
            _HEAD_PX + max(min(_LEAST_PX, 50 + 40 * len(self.slopes)), line_px * len(self.slopes)) + _FOOT_PX
        )


def sheet(topic: Topic) -> Sheet | None:
    """Describe the slopes; ``None`` where there is no comparable prior run or nothing matches."""
    window = topic.prior_window
    found = panels(topic)
    if window is None or not found:
        return None
    what = " and ".join(panel.heading[0].lower() + panel.heading[1:] for panel in found)
    subtitle = (
        f"{what[0].upper()}{what[1:]}: clusters found in both runs, {window} to {topic.window}."
        f" Bold: changed or probably changed; grey: no clear change.{topic.cut(_drawn(topic))}"
    )
    told = [
        f"{s.name}: {p.heading.lower()} {p.write(s.prior)} to {p.write(s.latest)}"
        for p in found
        for s in sorted(p.slopes, key=lambda s: not s.strong)[:3]
    ]
    title = _finding(topic)
    ends = words.short(window), words.short(topic.window)
    return Sheet(
        "slope",
        title,
        subtitle,
        words.alternative(title, told),
        _table(topic),
        lambda form: _paint(found, ends, form),
        news=any(slope.strong for panel in found for slope in panel.slopes),
    )


def panels(topic: Topic) -> tuple[Panel, ...]:
    """Give the panels that have something to show: share first, then unit cost."""
    made = (
        Panel(f"Share of {topic.many}", _slopes(topic, "share", judged=False), units.percent, log=False),
        Panel(f"Mean cost a {topic.one}, log scale", _slopes(topic, "mean_cost_usd"), units.money, log=True),
    )
    return tuple(panel for panel in made if panel.slopes)


def _drawn(topic: Topic) -> list[Cluster]:
    return topic.shown("share", "mean_cost_usd", most=_MOST)


def _slopes(topic: Topic, metric: str, *, judged: bool = True) -> tuple[Slope, ...]:
    made: list[Slope] = []
    for cluster in _drawn(topic):
        change = words.change_of(cluster, metric)
        if change is None or change.prior is None or change.latest is None:
            continue
        if judged and min(change.prior, change.latest) <= 0:
            # Zero has no place on a logarithmic axis; the table holds the row.
            continue
        made.append(
            Slope(
                words.name(cluster),
                change.prior,
                change.latest,
                words.tone(change, judged=judged),
                words.arrow(change),
            )
        )
    return tuple(made)


def _paint(panels_: Sequence[Panel], ends: tuple[str, str], form: Form) -> Board:
    if form.narrow:
        heights = [panel.height(_LINE_PX) for panel in panels_]
        board = Board(form.width, sum(heights) + 16 * (len(heights) - 1))
        top = 0.0
        for panel, height in zip(panels_, heights, strict=True):
            _paint_panel(board, panel, ends, (0.0, top, float(form.width), top + height), _LINE_PX)
            top += height + 16
        return board
    line = _DENSE_LINE_PX if form.dense else _LINE_PX
    height = max(panel.height(line) for panel in panels_)
    lone = len(panels_) == 1
    across = min(_LONE_PX, form.width) if lone else (form.width - _BETWEEN_PX) / 2
    board = Board(form.width, height)
    for i, panel in enumerate(panels_):
        left = i * (across + _BETWEEN_PX)
        _paint_panel(board, panel, ends, (left, 0.0, left + across, height), line)
    return board


def _paint_panel(
    board: Board,
    panel: Panel,
    ends: tuple[str, str],
    box: tuple[float, float, float, float],
    line_px: float,
) -> None:
    left, top, right, bottom = box
    numbers = max(width(panel.write(v), TEXT_PX, STRONG) for s in panel.slopes for v in (s.prior, s.latest))
    start = left + numbers + _LEADER_PX
    names = max(width(s.name, TEXT_PX, STRONG if s.strong else REGULAR) for s in panel.slopes)
    gutter = _ARROW_PX + 5 if any(s.arrow for s in panel.slopes) else _GUTTER_PX
    spare = right - start - _LEADER_PX - numbers - gutter - names - 2
    end = start + min(max((right - left) * _TRACK_SHARE, spare), (right - left) * _TRACK_MOST)
    column = end + _LEADER_PX
    board.text(left, top + 12, panel.heading, "ink", weight=STRONG)
    for x, label in ((start, ends[0]), (end, ends[1])):
        half = width(label, SMALL_PX) / 2
        board.text(max(x, left + half), top + 34, label, "mute", size=SMALL_PX, align="center")
    board.lines([(x, top + _HEAD_PX - 12, x, bottom - 2) for x in (start, end)], "rule", 1.0, order=0.5)
    scale = _scale(panel, top + _HEAD_PX, bottom - _FOOT_PX)
    bounds = top + _HEAD_PX - 4, bottom - _FOOT_PX + 4
    befores = dodge([scale(s.prior) for s in panel.slopes], line_px - 1, *bounds)
    afters = dodge([scale(s.latest) for s in panel.slopes], line_px - 1, *bounds)
    for slope, before, after in zip(panel.slopes, befores, afters, strict=True):
        weight = STRONG if slope.strong else REGULAR
        token = slope.token
        words_token = token if slope.strong else "soft"
        ya, yb = scale(slope.prior), scale(slope.latest)
        board.lines(
            [(start, ya, end, yb)], token, 2.4 if slope.strong else 1.1, order=3.2 if slope.strong else 2
        )
        board.dot(start, ya, token, 3.8 if slope.strong else 2.8, hollow=True, order=4)
        board.dot(end, yb, token, 4.0 if slope.strong else 2.8, order=4)
        leaders = []
        if abs(before - ya) > 2:
            leaders.append((start - 4.5, ya, start - _LEADER_PX + 2.5, before))
        if abs(after - yb) > 2:
            leaders.append((end + 4.5, yb, column - 2.5, after))
        board.lines(leaders, "mark", 0.7)
        board.text(
            start - _LEADER_PX,
            before + BASE,
            panel.write(slope.prior),
            words_token if slope.strong else "mute",
            weight=weight,
            align="right",
        )
        board.text(
            column + numbers,
            after + BASE,
            panel.write(slope.latest),
            words_token,
            weight=weight,
            align="right",
        )
        at = column + numbers + 5
        if slope.arrow:
            board.text(at, after + BASE, slope.arrow, words_token, size=SMALL_PX)
        at = column + numbers + gutter
        board.text(at, after + BASE, fit(slope.name, right - at, TEXT_PX, weight), words_token, weight=weight)


def _scale(panel: Panel, top: float, bottom: float) -> Scale:
    values = [v for s in panel.slopes for v in (s.prior, s.latest)]
    if panel.log:
        return Scale(*log_ends(values), bottom, top, log=True)
    low, high = min(values), max(values)
    # A small move of a single cluster must not look like a fall from a cliff.
    pad = max((high - low) * 0.04, (_SPAN_LEAST * max(high, 0.01) - (high - low)) / 2)
    return Scale(max(0.0, low - pad), high + pad, bottom, top)


def _finding(topic: Topic) -> str:
    told: list[str] = []
    quiet: list[str] = []
    for metric, noun in (("mean_cost_usd", "unit cost"), ("share", "share")):
        changes = [(c, words.change_of(c, metric)) for c in topic.section.clusters]
        total = words.tested(m for _, m in changes)
        moved = [(c, m) for c, m in changes if m is not None and words.sure(m)]
        if not moved:
            quiet += [noun] if total else []
        elif len(moved) == 1:
            cluster, change = moved[0]
            write = units.money if metric == "mean_cost_usd" else units.percent
            perhaps = " probably" if change.call == "probably_changed" else ""
            ends = f"{write(change.prior)} to {write(change.latest)}"
            told.append(f"{words.quoted(cluster)}{perhaps} changed in {noun}, {ends}")
        else:
            told.append(f"{len(moved)} of {total} clusters changed in {noun}")
    if not told:
        return f"No cluster\u2019s {' or '.join(reversed(quiet)) or 'share'} changed clearly"
    return "; ".join([*told, *(f"no {noun} changed clearly" for noun in quiet)])


def _table(topic: Topic) -> ChartTable:
    rows = []
    for c in topic.section.clusters:
        share, cost = words.change_of(c, "share"), words.change_of(c, "mean_cost_usd")
        if share is None and cost is None:
            continue
        rows.append((words.name(c), *_cells(share, units.percent), *_cells(cost, units.money)))
    return ChartTable(
        ("Cluster", "Prior share", "Share", "Call", "Prior mean cost", "Mean cost", "Call"), tuple(rows)
    )


def _cells(change: MetricChange | None, write: Callable[[float | None], str]) -> tuple[str, str, str]:
    if change is None:
        return units.UNKNOWN, units.UNKNOWN, units.UNKNOWN
    return write(change.prior), write(change.latest), words.called(change)
