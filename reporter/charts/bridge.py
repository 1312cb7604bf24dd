"""The cost bridge: from the prior window's bill to the latest, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reporter import units
from reporter.artifact import ChartTable
from reporter.charts import words
from reporter.charts.board import Board
from reporter.charts.rows import Frame, Row
from reporter.charts.scale import linear_ticks
from reporter.charts.sheet import Form, Sheet
from reporter.charts.words import Tone, Topic
from reporter.report import Bridge, BridgeLine, MetricChange

_NAMED = 2
"""Clusters named apart for mix and for unit cost: with traffic and coverage seven steps at most."""
_NAMED_LEAST = 0.1
"""Part of all movement a cluster must make up to be named."""
_CENTS_FROM = 1.0
"""US dollars a window must have cost for its steps to be shown in cents rather than finer."""
_FLAT = 0.005
"""Smallest change of the bill, as a part of it, that is called one."""
_HALF_BAR = 7.0
_TICK_HALF = 9.0
_AXIS_PAD = 0.04


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the way from prior to latest."""

    name: str
    subject: str
    """As in "… adds $2": in the middle of a sentence."""
    amount: float
    """US dollars, signed, exact."""
    shown: float
    """The same, rounded so that what is shown adds up."""
    interval: tuple[float, float] | None
    tone: Tone
    rest: bool
    """Whether it sums up what is not named."""


def sheet(topic: Topic) -> Sheet | None:
    """Describe the bridge; ``None`` where the bill of a window is not known."""
    made = topic.section.bridge
    if made is None:
        return None
    steps = _steps(topic, made)
    title = _finding(topic, made, steps)
    subtitle = (
        f"Cost of all {topic.many} of a window, US dollars, {topic.prior_window} to {topic.window}."
        " Steps add up, so one may differ from the same change by itself; mix and unit cost are estimated"
        " from the sample. The axis need not start at 0."
    )
    told = [f"{step.name} {_amount(made, step.shown)}" for step in steps]
    table = _table(topic, made, steps)
    return Sheet(
        "bridge",
        title,
        subtitle,
        words.alternative(title, told),
        table,
        lambda form: _paint(topic, made, steps, form),
        news=any(step.tone != "calm" for step in steps),
    )


def _steps(topic: Topic, made: Bridge) -> list[Step]:
    """List at most seven steps: traffic, coverage, then mix and unit cost with their largest clusters."""
    found: list[Step] = []

    def add(
        name: str,
        subject: str,
        amount: float,
        interval: tuple[float, float] | None,
        tone: Tone = "calm",
        *,
        rest: bool = False,
    ) -> None:
        found.append(Step(name, subject, amount, amount, interval, tone, rest))

    add("Traffic", "traffic", made.volume, made.intervals.get("volume"))
    add("Coverage of the sample", "the sample\u2019s coverage", made.coverage, made.intervals.get("coverage"))
    moved = sum(abs(part) for part in (made.volume, made.coverage, made.mix, made.unit_cost))
    kinds = (("mix", "Mix", "share"), ("unit_cost", f"Cost per {topic.one}", "mean_cost_usd"))
    whole = {
        "mix": ("Mix of clusters", "the mix of clusters"),
        "unit_cost": (kinds[1][1], f"the cost per {topic.one}"),
    }
    subjects = {"mix": "the share", "unit_cost": f"the cost per {topic.one}"}
    for key, noun, metric in kinds:
        total: float = getattr(made, key)
        named = _named(topic, made.lines, key, metric, moved)
        for line, change in named:
            title = units.clean(line.title, 200) or "untitled cluster"
            news = f", {line.status}" if line.status in ("new", "gone") else ""
            add(
                f"{noun}: {title}{news}",
                f"{subjects[key]} of \u201c{units.clean(title, 60)}\u201d",
                getattr(line, key),
                getattr(line, f"{key}_interval"),
                words.tone(change, judged=key == "unit_cost") if change else "plain",
            )
        left = total - sum(getattr(line, key) for line, _ in named)
        others = len(made.lines) - len(named)
        if named and others:
            add(f"{noun}: {units.plural(others, 'other').lower()}", "", left, None, rest=True)
        elif not named:
            add(*whole[key], total, made.intervals.get(key))
    places = _places(made)
    moved = round(made.latest, places) - round(made.prior, places)
    shown = units.apportioned([step.amount for step in found], moved, 10**-places)
    return [
        Step(s.name, s.subject, s.amount, rounded, s.interval, s.tone, s.rest)
        for s, rounded in zip(found, shown, strict=True)
    ]


def _named(
    topic: Topic, lines: Sequence[BridgeLine], key: str, metric: str, moved: float
) -> list[tuple[BridgeLine, MetricChange | None]]:
    """Choose the clusters worth a step of their own: large, and surely not zero."""
    by_id = {cluster.cluster_id: cluster for cluster in topic.section.clusters}
    found: list[tuple[BridgeLine, MetricChange | None]] = []
    for line in sorted(lines, key=lambda line: -abs(getattr(line, key))):
        bounds = getattr(line, f"{key}_interval")
        sure = bounds is not None and (bounds[0] > 0 or bounds[1] < 0)
        if line.status == "noise" or abs(getattr(line, key)) < _NAMED_LEAST * moved:
            continue
        cluster = by_id.get(line.latest[0]) if len(line.latest) == 1 else None
        change = words.change_of(cluster, metric) if cluster else None
        came = key == "mix" and line.status in ("new", "gone")
        if came or (sure and words.sure(change)):
            found.append((line, None if came else change))
    return found[:_NAMED]


def _paint(topic: Topic, made: Bridge, steps: Sequence[Step], form: Form) -> Board:
    ends = (words.short(topic.prior_window or ""), words.short(topic.window))
    rows = [Row(ends[0], _cells(_end(made, made.prior), "", form), "plain")]
    rows += [
        Row(
            step.name,
            _cells(_amount(made, step.shown), _interval(made, step.interval), form),
            step.tone,
            words.BOTH_WAYS[step.amount > 0] if step.tone != "calm" else "",
        )
        for step in steps
    ]
    rows.append(Row(ends[1], _cells(_end(made, made.latest), "", form), "plain"))
    heads = ("amount",) if form.narrow else ("amount", "95% interval")
    frame = Frame(rows, heads, form, row_px=27, narrow_px=40)
    at = [made.prior]
    for step in steps:
        at.append(at[-1] + step.amount)
    low, high = min(at), max(at)
    pad = max((high - low) * _AXIS_PAD, abs(high) * 0.002, 1e-9)
    scale = frame.scale(low - pad, high + pad)
    ticks = linear_ticks(scale.low, scale.high, 4 if form.narrow else 6)
    frame.rules(scale, ticks, [units.money(t) for t in ticks])
    frame.write()
    board = frame.board
    half = _HALF_BAR if not form.dense else _HALF_BAR - 1.5
    for i, step in enumerate(steps):
        y = frame.y(i + 1)
        left, right = sorted((scale(at[i]), scale(at[i + 1])))
        token = {"calm": "mark", "plain": "soft"}.get(step.tone, step.tone)
        box = (left, y - half, max(right, left + 1), y + half)
        board.boxes([box], "band" if step.rest else token, order=2)
        if step.rest:
            board.outline(box, "mark", 1.0, order=2.1)
    if not form.narrow:  # there names and amounts stand between the bars, and would be struck through
        joins = [
            (scale(at[i]), frame.y(i) + (half if i else _TICK_HALF), scale(at[i]), frame.y(i + 1) - half)
            for i in range(len(steps) + 1)
        ]
        joins[-1] = (*joins[-1][:3], frame.y(len(steps) + 1) - _TICK_HALF)
        board.lines(joins, "mark", 0.9, order=1.5)
    for i, value in ((0, made.prior), (len(steps) + 1, made.latest)):
        y = frame.y(i)
        board.lines([(scale(value), y - _TICK_HALF, scale(value), y + _TICK_HALF)], "ink", 3.0, order=3)
    return board


def _cells(amount: str, interval: str, form: Form) -> tuple[str, ...]:
    return (amount,) if form.narrow else (amount, interval)


def _places(made: Bridge) -> int:
    return 2 if max(made.prior, made.latest) >= _CENTS_FROM else 4


def _end(made: Bridge, usd: float) -> str:
    return units.exact_money(usd, decimals=_places(made))


def _amount(made: Bridge, usd: float) -> str:
    return units.exact_money(usd, decimals=_places(made), signed=True)


def _interval(made: Bridge, bounds: tuple[float, float] | None) -> str:
    return units.UNKNOWN if bounds is None else f"{_amount(made, bounds[0])} to {_amount(made, bounds[1])}"


def _finding(topic: Topic, made: Bridge, steps: Sequence[Step]) -> str:
    before, after = units.money(made.prior), units.money(made.latest)
    if made.prior and abs(made.latest / made.prior - 1) < _FLAT:
        return f"The {topic.many} of the window cost {after}, as much as before"
    way = "up" if made.latest > made.prior else "down"
    whole = f"The {topic.many} of the window cost {after}, {way} from {before}"
    named = [step for step in steps if not step.rest]
    largest = max(named, key=lambda step: abs(step.amount))
    if (largest.amount > 0) != (made.latest > made.prior):
        return whole
    verb = "adds" if largest.amount > 0 else "saves"
    return f"{whole}; {largest.subject} alone {verb} {units.money(abs(largest.amount))}"


def _table(topic: Topic, made: Bridge, steps: Sequence[Step]) -> ChartTable:
    rows = [(f"Prior window, {topic.prior_window}", _end(made, made.prior), units.UNKNOWN)]
    rows += [(s.name, _amount(made, s.shown), _interval(made, s.interval)) for s in steps]
    rows.append((f"Latest window, {topic.window}", _end(made, made.latest), units.UNKNOWN))
    return ChartTable(("Step", "Amount", "95% interval"), tuple(rows))
