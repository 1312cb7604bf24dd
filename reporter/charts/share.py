"""Clusters by share of the run: how large each is, how sure that is, and how large it was."""

from __future__ import annotations

from reporter import units
from reporter.artifact import ChartTable
from reporter.charts import words
from reporter.charts.board import Board
from reporter.charts.rows import Frame, Row
from reporter.charts.scale import linear_ticks, percent_label
from reporter.charts.sheet import Form, Sheet
from reporter.charts.words import Topic
from reporter.report import Cluster, MetricChange

_HALF_BAR = 6.0
_LEAST_AXIS = 0.01


def sheet(topic: Topic) -> Sheet:
    """Describe the chart of shares; every job with a run has one."""
    title = _finding(topic)
    clusters = _drawn(topic)
    prior = any(_prior(c) is not None for c in clusters)
    subtitle = (
        f"Share of {topic.items(topic.latest.items)}, {topic.window}, with 95% interval."
        f"{topic.legend(prior=prior)}{topic.cut([c for c in clusters if c.cluster_id >= 0])}"
    )
    told = [f"{words.name(c)} {units.percent(c.share)}, {topic.items(c.size)}" for c in clusters]
    return Sheet(
        "share",
        title,
        subtitle,
        words.alternative(title, told),
        _table(topic),
        lambda form: _paint(topic, form),
    )


def _paint(topic: Topic, form: Form) -> Board:
    clusters = _drawn(topic)
    rows = [
        Row(
            words.name(c),
            (units.percent(c.share), units.count(c.size)),
            words.tone(_change(c), judged=False),
            words.arrow(_change(c)),
            faint=c.cluster_id < 0,
        )
        for c in clusters
    ]
    frame = Frame(rows, ("share", topic.many), form, row_px=28, narrow_px=42)
    ends = [c.share for c in clusters] + [p for c in clusters if (p := _prior(c)) is not None]
    ends += [c.estimates.share.high or 0 for c in clusters]
    scale = frame.scale(0, max(*ends, _LEAST_AXIS) * 1.03)
    ticks = linear_ticks(0, scale.high, 4 if form.narrow else 6)
    frame.rules(scale, ticks, [percent_label(t) for t in ticks])
    frame.write()
    board = frame.board
    for i, (cluster, row) in enumerate(zip(clusters, rows, strict=True)):
        y = frame.y(i)
        end = scale(cluster.share)
        if row.faint:
            box = [
                (scale(0), y - _HALF_BAR, end, y - _HALF_BAR),
                (scale(0), y + _HALF_BAR, end, y + _HALF_BAR),
                (end, y - _HALF_BAR, end, y + _HALF_BAR),
            ]
            board.lines(box, "mark", 1.0, dash=(3, 2.5), order=1.5)
        else:
            board.boxes([(scale(0), y - _HALF_BAR, end, y + _HALF_BAR)], "mark", alpha=0.4, order=1.5)
        low, high = cluster.estimates.share.low, cluster.estimates.share.high
        if low is not None and high is not None:
            board.lines(
                [(scale(low), y, scale(high), y)],
                row.mark,
                2.2 if row.strong else 1.5,
                round_ends=True,
                order=3,
            )
        if (before := _prior(cluster)) is not None:
            board.dot(scale(before), y, row.mark if row.strong else "mark", hollow=True, order=3.5)
        board.dot(end, y, "mark" if row.faint else row.mark)
    return board


def _drawn(topic: Topic) -> list[Cluster]:
    """Give the clusters, largest first, and the noise last."""
    shown = sorted(topic.shown("share"), key=lambda c: (-c.share, c.cluster_id))
    noise = topic.section.noise
    return [*shown, noise] if noise is not None and noise.size else shown


def _change(cluster: Cluster) -> MetricChange | None:
    return words.change_of(cluster, "share")


def _prior(cluster: Cluster) -> float | None:
    change = _change(cluster)
    return None if change is None else change.prior


def _finding(topic: Topic) -> str:
    clusters = topic.section.clusters
    total = topic.items(topic.latest.items)
    if not clusters:
        return f"No cluster was found: all {total} are outliers"
    largest = max(clusters, key=lambda c: (c.share, -c.cluster_id))
    moved = [(c, m) for c in clusters if (m := _change(c)) is not None and words.sure(m)]
    if len(moved) == 1:
        cluster, change = moved[0]
        verb = "grew to" if (change.difference or 0) > 0 else "shrank to"
        perhaps = " probably" if change.call == "probably_changed" else ""
        latest, prior = units.percent(change.latest), units.percent(change.prior)
        return f"{words.quoted(cluster)}{perhaps} {verb} {latest} of {total}, from {prior}"
    rank = "is the only cluster" if len(clusters) == 1 else "is the largest"
    finding = f"{words.quoted(largest)} {rank}: {units.percent(largest.share)} of {total}"
    return f"{finding}; {len(moved)} clusters changed in share" if moved else finding


def _table(topic: Topic) -> ChartTable:
    everyone = sorted(topic.section.clusters, key=lambda c: (-c.share, c.cluster_id))
    if topic.section.noise is not None and topic.section.noise.size:
        everyone.append(topic.section.noise)
    return ChartTable(
        ("Cluster", "Share", "95% interval", topic.many.capitalize(), "Prior share", "Call"),
        tuple(
            (
                words.name(c),
                units.percent(c.share),
                words.interval(units.percent(c.estimates.share.low), units.percent(c.estimates.share.high)),
                units.count(c.size),
                units.percent(_prior(c)),
                words.called(_change(c)),
            )
            for c in everyone
        ),
    )
