"""Error rates with their intervals, against the whole run and against the prior run."""

from __future__ import annotations

from reporter import units
from reporter.artifact import ChartTable
from reporter.charts import words
from reporter.charts.board import Board
from reporter.charts.rows import Frame, Row
from reporter.charts.scale import Scale, linear_ticks, percent_label
from reporter.charts.sheet import Form, Sheet
from reporter.charts.words import Topic, Verbs
from reporter.report import Cluster, MetricChange

_LEAST_AXIS = 0.02
_VERBS = Verbs("error rate", "fails more often", "fails less often", "Error rate rose", "Error rate fell")


def sheet(topic: Topic) -> Sheet | None:
    """Describe the chart of error rates; ``None`` where no cluster has one."""
    if all(_rate(c) is None for c in topic.section.clusters):
        return None
    title = _finding(topic)
    clusters = _drawn(topic)
    whole = _whole(topic)
    subtitle = (
        f"Share of {topic.many} with an error, {topic.window}, with 95% interval."
        + (
            f" Dashed: all {topic.items(topic.latest.items)}, {units.percent(whole)}."
            if whole is not None
            else ""
        )
        + topic.legend(prior=any(_prior(c) is not None for c in clusters))
        + topic.cut(topic.shown("error_rate"))
    )
    told = [
        f"{words.name(c)} {units.percent(_rate(c))}, {_counts(c)}" for c in clusters if _rate(c) is not None
    ]
    return Sheet(
        "errors",
        title,
        subtitle,
        words.alternative(title, told),
        _table(topic),
        lambda form: _paint(topic, form),
        news=any(words.sure(_change(c)) for c in topic.section.clusters),
    )


def _paint(topic: Topic, form: Form) -> Board:
    clusters = _drawn(topic)
    rows = [
        Row(
            words.name(c),
            (_counts(c),) if _rate(c) is not None else (),
            words.tone(_change(c)),
            words.arrow(_change(c)),
        )
        for c in clusters
    ]
    frame = Frame(rows, (f"failed {topic.many}",), form, row_px=26, narrow_px=42)
    whole = _whole(topic)
    scale = frame.scale(0, axis_end(clusters, whole))
    ticks = linear_ticks(0, scale.high, 4 if form.narrow else 6)
    frame.rules(scale, ticks, [percent_label(t) for t in ticks])
    frame.write()
    if whole is not None:
        frame.reference(scale(whole), f"all {units.percent(whole)}")
    for i, (cluster, row) in enumerate(zip(clusters, rows, strict=True)):
        _mark(frame.board, scale, frame.y(i), cluster, row)
    return frame.board


def _mark(board: Board, scale: Scale, y: float, cluster: Cluster, row: Row) -> None:
    rate = cluster.estimates.error_rate
    if rate.value is None:
        return
    if rate.low is not None and rate.high is not None:
        thick = 2.3 if row.strong else 1.5
        board.lines([(scale(rate.low), y, scale(rate.high), y)], row.mark, thick, round_ends=True, order=3)
        if not scale.holds(rate.high):
            # The interval goes on beyond the axis: an arrow head says so.
            end = scale(rate.high)
            board.lines(
                [(end - 4, y - 3.5, end, y), (end - 4, y + 3.5, end, y)],
                row.mark,
                thick,
                round_ends=True,
                order=3,
            )
    if (before := _prior(cluster)) is not None:
        board.dot(scale(before), y, row.mark if row.strong else "mark", hollow=True, order=3.5)
    board.dot(scale(rate.value), y, row.mark)


def axis_end(clusters: list[Cluster], whole: float | None) -> float:
    """Choose the end of the axis: every point fits, but no tiny cluster's interval squeezes the rest."""
    points = [v for c in clusters for v in (_rate(c), _prior(c)) if v is not None]
    points += [whole] if whole is not None else []
    highs = [c.estimates.error_rate.high for c in clusters if c.estimates.error_rate.high is not None]
    most = max([*points, _LEAST_AXIS])
    return min(max([most, *highs]) * 1.03, max(most * 2.0, 0.05), 1.0)


def _drawn(topic: Topic) -> list[Cluster]:
    """Give the clusters, those that fail most first, those without data last."""
    return sorted(
        topic.shown("error_rate"), key=lambda c: (_rate(c) is None, -(_rate(c) or 0.0), -c.size, c.cluster_id)
    )


def _rate(cluster: Cluster) -> float | None:
    return cluster.estimates.error_rate.value


def _counts(cluster: Cluster) -> str:
    return units.of(cluster.metrics.error_count, cluster.metrics.item_count)


def _change(cluster: Cluster) -> MetricChange | None:
    return words.change_of(cluster, "error_rate")


def _prior(cluster: Cluster) -> float | None:
    change = _change(cluster)
    return None if change is None else change.prior


def _whole(topic: Topic) -> float | None:
    overall = topic.section.overall
    return None if overall is None else overall.estimates.error_rate.value


def _finding(topic: Topic) -> str:
    known = [c for c in topic.section.clusters if _rate(c) is not None]
    worst = max(known, key=lambda c: (_rate(c) or 0.0, c.size, -c.cluster_id))
    numbers = {}
    for c in known:
        change = _change(c)
        before = "" if change is None or change.prior is None else f", was {units.percent(change.prior)}"
        numbers[c.cluster_id] = f"{_counts(c)} {topic.many}{before}"
    told = words.movement([(c, _change(c)) for c in known], _VERBS, numbers)
    if told is not None and any(words.sure(_change(c)) for c in known):
        return told
    if not _rate(worst):
        return f"No {topic.one} of any cluster failed"
    most = f"{_counts(worst)} {topic.many} ({units.percent(_rate(worst))})"
    level = f"{words.quoted(worst)} fails most often: {most}"
    return level if told is None else f"{told}; {units.percent(_whole(topic))} of {topic.many} failed"


def _table(topic: Topic) -> ChartTable:
    everyone = sorted(
        topic.section.clusters, key=lambda c: (_rate(c) is None, -(_rate(c) or 0.0), -c.size, c.cluster_id)
    )
    return ChartTable(
        ("Cluster", "Error rate", "95% interval", f"Failed {topic.many}", "Prior rate", "Call"),
        tuple(
            (
                words.name(c),
                units.percent(_rate(c)),
                words.interval(
                    units.percent(c.estimates.error_rate.low), units.percent(c.estimates.error_rate.high)
                ),
                _counts(c) if _rate(c) is not None else units.UNKNOWN,
                units.percent(_prior(c)),
                words.called(_change(c)),
            )
            for c in everyone
        ),
    )
