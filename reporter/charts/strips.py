"""Quantile strips: how cost and latency spread inside each cluster, latest run below the prior one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reporter import units
from reporter.artifact import ChartTable
from reporter.charts import words
from reporter.charts.board import Board
from reporter.charts.rows import Frame, Row
from reporter.charts.scale import (
    Scale,
    Ticks,
    log_ends,
    money_label,
    money_ticks,
    seconds_label,
    seconds_ticks,
)
from reporter.charts.sheet import Form, Sheet
from reporter.charts.words import Topic, Verbs
from reporter.report import Cluster, Distribution, MetricChange

_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a strip shows, and the estimates whose tests colour it."""

    name: str
    label: str
    field: str
    metrics: tuple[str, ...]
    write: Callable[[float | None], str]
    tick: Callable[[float], str]
    ticks: Ticks
    verbs: Verbs
    told: dict[str, str]
    """Estimate → what it is called in a sentence."""
    level: str
    """The finding where nothing can be compared; ``{many}`` is the items' noun."""


COST = Quantity(
    "cost",
    "Cost",
    "cost_usd",
    ("mean_cost_usd", "median_cost_usd"),
    units.money,
    money_label,
    money_ticks,
    Verbs("cost", "costs more", "costs less", "Cost rose", "Cost fell"),
    {"mean_cost_usd": "mean", "median_cost_usd": "median"},
    "costs most: half of its {many} cost more than",
)
LATENCY = Quantity(
    "latency",
    "Latency",
    "latency_s",
    ("median_latency_s", "mean_latency_s", "p95_latency_s"),
    units.seconds,
    seconds_label,
    seconds_ticks,
    Verbs("latency", "got slower", "got faster", "Latency rose", "Latency fell"),
    {"median_latency_s": "median", "mean_latency_s": "mean", "p95_latency_s": "p95"},
    "is slowest: half of its {many} take longer than",
)


def sheet(topic: Topic, quantity: Quantity) -> Sheet | None:
    """Describe the strips of a quantity; ``None`` where no cluster has a distribution."""
    clusters = _drawn(topic, quantity)
    if all(_spread(c, quantity) is None for c in clusters):
        return None
    title = _finding(topic, quantity)
    earlier = any(_earlier(topic, c, quantity) is not None for c in clusters)
    hollow = f" Thin above: {topic.prior_window}." if earlier and topic.prior_window else ""
    subtitle = (
        f"{quantity.label} of one {topic.one}, {topic.window}, logarithmic scale. Line p5 to p95,"
        f" bar the middle half, heavy tick the median,"
        f" small ticks p90 and p95.{hollow}{topic.cut(topic.shown(*quantity.metrics))}"
    )
    told = [
        f"{words.name(c)} median {quantity.write(d.p50)}, p95 {quantity.write(d.p95)}"
        for c in clusters
        if (d := _spread(c, quantity)) is not None
    ]
    return Sheet(
        quantity.name,
        title,
        subtitle,
        words.alternative(title, told),
        _table(topic, quantity),
        lambda form: _paint(topic, quantity, form),
        news=any(words.sure(words.change_of(c, *quantity.metrics)) for c in clusters),
    )


def _paint(topic: Topic, quantity: Quantity, form: Form) -> Board:
    clusters = _drawn(topic, quantity)
    rows = []
    for c in clusters:
        spread = _spread(c, quantity)
        change = words.change_of(c, *quantity.metrics)
        cells = (quantity.write(spread.p50), quantity.write(spread.p95)) if spread else ()
        loud = spread is not None
        rows.append(
            Row(
                words.name(c),
                cells,
                words.tone(change) if loud else "calm",
                words.arrow(change) if loud else "",
            )
        )
    frame = Frame(rows, ("median", "p95"), form, row_px=29, narrow_px=56)
    pairs = [(_spread(c, quantity), _earlier(topic, c, quantity)) for c in clusters]
    ends = log_ends(
        [v for pair in pairs for d in pair if d is not None for v in (max(d.p5, _LEAST), max(d.p95, _LEAST))]
    )
    scale = frame.scale(*ends, log=True)
    ticks = quantity.ticks(scale.low, scale.high, 5 if form.narrow else 7)
    frame.rules(scale, ticks, [quantity.tick(t) for t in ticks])
    frame.write()
    for i, ((now, before), row) in enumerate(zip(pairs, rows, strict=True)):
        if before is not None and now is not None:
            _thin(frame.board, scale, frame.y(i) - 7, before)
        if now is not None:
            _strip(frame.board, scale, frame.y(i) + (4 if before is not None else 0), now, row)
    return frame.board


def _strip(board: Board, scale: Scale, y: float, d: Distribution, row: Row) -> None:
    """Draw the latest run: line, bar, median and the two upper ticks."""
    board.lines([(scale(d.p5), y, scale(d.p95), y)], row.mark, 1.3, order=2.4)
    board.boxes(
        [(scale(d.p25), y - 4, scale(d.p75), y + 4)], row.mark, alpha=0.85 if row.strong else 0.55, order=2.2
    )
    board.lines([(x, y - 3, x, y + 3) for x in (scale(d.p90), scale(d.p95))], row.mark, 1.5, order=2.5)
    board.lines([(scale(d.p50), y - 6, scale(d.p50), y + 6)], "ink", 2.2, order=3)


def _thin(board: Board, scale: Scale, y: float, d: Distribution) -> None:
    """Draw the prior run: the same, thin and grey."""
    board.lines([(scale(d.p5), y, scale(d.p95), y)], "mark", 1.0, order=2)
    board.boxes([(scale(d.p25), y - 1.6, scale(d.p75), y + 1.6)], "mark", order=2)
    board.lines([(scale(d.p50), y - 4, scale(d.p50), y + 4)], "mark", 1.6, order=2.1)


def _spread(cluster: Cluster, quantity: Quantity) -> Distribution | None:
    found: Distribution | None = getattr(cluster.distributions, quantity.field)
    return found


def _earlier(topic: Topic, cluster: Cluster, quantity: Quantity) -> Distribution | None:
    if not topic.compared or cluster.prior_distributions is None:
        return None
    found: Distribution | None = getattr(cluster.prior_distributions, quantity.field)
    return found


def _order(quantity: Quantity) -> Callable[[Cluster], tuple[bool, float, int]]:
    def key(cluster: Cluster) -> tuple[bool, float, int]:
        spread = _spread(cluster, quantity)
        return spread is None, -spread.p50 if spread else 0.0, cluster.cluster_id

    return key


def _drawn(topic: Topic, quantity: Quantity) -> list[Cluster]:
    """Give the clusters by falling median, those without data last."""
    return sorted(topic.shown(*quantity.metrics), key=_order(quantity))


def _finding(topic: Topic, quantity: Quantity) -> str:
    known = [c for c in topic.section.clusters if _spread(c, quantity) is not None]
    pairs = [(c, words.change_of(c, *quantity.metrics)) for c in known]
    numbers = {c.cluster_id: _moved(c, m, quantity, topic.one) for c, m in pairs}
    told = words.movement(pairs, quantity.verbs, numbers)
    if told is not None:
        return told
    top = min(known, key=_order(quantity))
    spread = _spread(top, quantity)
    half = quantity.write(spread.p50 if spread else None)
    return f"{words.quoted(top)} {quantity.level.format(many=topic.many)} {half}"


def _moved(cluster: Cluster, change: MetricChange | None, quantity: Quantity, one: str) -> str:
    if change is None or cluster.change is None:
        return ""
    metric = next(m for m in quantity.metrics if cluster.change.metrics.get(m) is change)
    return (
        f"{quantity.told[metric]} {quantity.write(change.latest)} a {one}, was {quantity.write(change.prior)}"
    )


def _table(topic: Topic, quantity: Quantity) -> ChartTable:
    rows = []
    for c in sorted(topic.section.clusters, key=_order(quantity)):
        now, before = _spread(c, quantity), _earlier(topic, c, quantity)
        change = words.change_of(c, *quantity.metrics)
        quantiles = (now.p5, now.p25, now.p50, now.p75, now.p90, now.p95) if now else (None,) * 6
        rows.append(
            (
                words.name(c),
                *(quantity.write(q) for q in quantiles),
                quantity.write(before.p50 if before else None),
                words.called(change),
            )
        )
    return ChartTable(
        ("Cluster", "p5", "p25", "Median", "p75", "p90", "p95", "Prior median", "Call"), tuple(rows)
    )
