"""An incident drawn: calls and failed calls over time, and how far clusters left their usual failed share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reporter import units
from reporter.artifact import ChartTable
from reporter.charts import words
from reporter.charts.board import Board
from reporter.charts.rows import Frame, Row
from reporter.charts.scale import Scale, linear_ticks, percent_label
from reporter.charts.sheet import Form, Sheet
from reporter.charts.style import SMALL_PX
from reporter.charts.text import fit, width
from reporter.report import Annotation, Effect, Incident, IncidentCluster

_MOST_ROWS, _MOST_CONTROLS = 8, 3
_ROW_PX, _NARROW_ROW_PX = 38.0, 56.0
_BLAST_PX, _NARROW_BLAST_PX = 26.0, 42.0
_STEPS = tuple(timedelta(minutes=m) for m in (5, 10, 15, 30, 60, 120, 180, 360, 720, 1440))
_LABEL_PX = 62.0
_HEAD = "failed in window"


@dataclass(frozen=True, slots=True)
class _Strip:
    """Calls of one line over time."""

    name: str
    counts: tuple[tuple[int, int], ...]
    """Calls and failed calls of each bucket."""
    effect: Effect
    tone: words.Tone


def sheets(incident: Incident, tz: str) -> tuple[Sheet, ...]:
    """Describe both charts; the second only where a cluster is known."""
    made = (_timeline(incident, tz), _blast(incident))
    return tuple(sheet for sheet in made if sheet is not None)


def shown(incident: Incident) -> list[IncidentCluster]:
    """Choose the clusters drawn: those affected and unclear with failures, then some that did not move."""
    moved = [c for c in incident.clusters if c.verdict == "affected"]
    moved += [c for c in incident.clusters if c.verdict == "unclear" and c.during.failed]
    calm = [c for c in incident.clusters if c.verdict == "control"]
    calm.sort(key=lambda c: (-c.during.failed, -c.during.calls, c.cluster_id))
    return [*moved[:_MOST_ROWS], *calm[:_MOST_CONTROLS]]


def _timeline(incident: Incident, tz: str) -> Sheet:
    strips = [
        _Strip(_name(c), tuple(c.timeline), c, "worse" if c.verdict == "affected" else "calm")
        for c in shown(incident)
    ]
    everything = _Strip(
        "All calls", tuple((b.calls, b.failed) for b in incident.buckets), incident.overall, "plain"
    )
    minutes = round(incident.bucket_s / 60)
    title = _when(incident, tz)
    noted = "; ".join(units.clean(note.text, 60) for note in incident.annotations)
    subtitle = (
        f"Calls (light) and failed calls (dark) in buckets of {units.plural(minutes, 'minute')}, "
        f"{units.period(incident.buckets[0].start, _end(incident), tz)}; "
        "shaded: the window reported on. Clusters share one scale, all calls have their own."
        + (f" Dotted: {noted}." if noted else "")
    )
    rows = [*strips, everything]
    told = [f"{s.name}: {_counted(s.effect)}" for s in rows]
    table = ChartTable(
        ("Begin", "Calls", "Failed", *(s.name for s in strips)),
        tuple(
            (
                units.moment(bucket.start, tz),
                units.count(bucket.calls),
                units.count(bucket.failed),
                *(f"{s.counts[i][1]} of {s.counts[i][0]}" for s in strips),
            )
            for i, bucket in enumerate(incident.buckets)
        ),
    )
    return Sheet(
        "timeline", title, subtitle, words.alternative(title, told), table,
        lambda form: _paint_strips(incident, rows, tz, form), news=True,
    )  # fmt: skip


def _paint_strips(incident: Incident, strips: Sequence[_Strip], tz: str, form: Form) -> Board:
    rows = [
        Row(
            s.name,
            (f"{units.count(s.effect.during.failed)} of {units.count(s.effect.during.calls)}",),
            s.tone,
        )
        for s in strips
    ]
    frame = Frame(rows, (_HEAD,), form, row_px=_ROW_PX, narrow_px=_NARROW_ROW_PX)
    board = frame.board
    start, end = units.parse_time(incident.buckets[0].start), units.parse_time(_end(incident))
    scale = frame.scale(0.0, (end - start).total_seconds())

    def x(moment: datetime) -> float:
        return scale(min(max((moment - start).total_seconds(), 0.0), scale.high))

    band = (
        x(units.parse_time(incident.from_)),
        frame.top - 4,
        x(units.parse_time(incident.to)),
        frame.bottom,
    )
    board.boxes([band], "band", order=0.1)
    frame.write()
    reach = frame.step * (0.44 if form.narrow else 0.8)
    most = max((n for s in strips[:-1] for n, _ in s.counts), default=0)
    for index, strip in enumerate(strips):
        own = max((n for n, _ in strip.counts), default=0) if index == len(strips) - 1 else most
        foot = frame.top + (index + 1) * frame.step - 3
        board.lines([(frame.left, foot, frame.right, foot)], "rule", 1.0, order=1)
        for which, token, order in ((0, "mark", 1.5), (1, "worse" if strip.tone == "worse" else "ink", 2.0)):
            bars = [
                (
                    scale(k * incident.bucket_s) + 0.4,
                    foot - max(1.2, reach * pair[which] / own),
                    scale(min((k + 1) * incident.bucket_s, scale.high)) - 0.4,
                    foot,
                )
                for k, pair in enumerate(strip.counts)
                if pair[which] and own
            ]
            board.boxes(bars, token, alpha=0.45 if which == 0 else None, order=order)
    _clock(board, frame, start, end, tz, x(end) - x(start))
    _notes(board, frame, incident.annotations, x)
    return board


def _clock(board: Board, frame: Frame, start: datetime, end: datetime, tz: str, across: float) -> None:
    """Write the time below, at round times of the clock on the wall."""
    most = max(1, int(across / _LABEL_PX))
    step = next((s for s in _STEPS if (end - start) / s <= most), _STEPS[-1])
    zone = units.zone(tz)
    local = start.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    tick = midnight + ((local - midnight) // step + 1) * step
    while tick < end:
        place = frame.left + across * ((tick - start) / (end - start))
        label = f"{tick.astimezone(zone):%H:%M}"
        half = width(label, SMALL_PX) / 2
        if frame.left <= place and place + half <= frame.form.width:
            board.lines([(place, frame.bottom, place, frame.bottom + 4)], "mute", 1.0, order=1)
            board.text(place, frame.bottom + 17, label, "mute", size=SMALL_PX, align="center")
        tick += step


def _notes(board: Board, frame: Frame, notes: Sequence[Annotation], x: Callable[[datetime], float]) -> None:
    """Draw what happened as dotted verticals, their words above where there is room."""
    free = frame.left
    limit = frame.right - (width(_HEAD, SMALL_PX) if frame.form.narrow else 0.0)
    for note in notes:
        place = x(units.parse_time(note.at))
        board.lines([(place, frame.top - 6, place, frame.bottom)], "ink", 1.1, dash=(1.5, 2.5), order=3)
        label = fit(units.clean(note.text, 60), limit - place - 6, SMALL_PX)
        if place + 3 >= free and label:
            board.text(place + 3, 11, label, "ink", size=SMALL_PX)
            free = place + 3 + width(label, SMALL_PX) + 8


def _blast(incident: Incident) -> Sheet | None:
    clusters = shown(incident)
    if not clusters:
        return None
    affected = [c for c in incident.clusters if c.verdict == "affected"]
    if not affected:
        looked = units.plural(len(incident.clusters), "cluster")
        title = f"No cluster left its usual failed share: {looked} looked at"
    else:
        first = affected[0]
        more = f", and {units.plural(len(affected) - 1, 'more cluster')}" if len(affected) > 1 else ""
        title = (
            f"\u201c{units.clean(_name(first), 60)}\u201d failed most beyond the usual: "
            f"{units.of(first.during.failed, first.during.calls)} calls{more}"
        )
    subtitle = (
        f"Failed share of calls. Hollow: usual ({incident.baseline}); filled: in the window, with 95% "
        "interval. Coloured: affected."
    )
    told = [f"{_name(c)}: {_counted(c)}, {units.percent(c.before.failed_share)} before" for c in clusters]
    table = ChartTable(
        ("Cluster", "Verdict", "Failed of calls", "Share", "Usual", "Excess", "95% interval", "Users"),
        tuple(
            (
                _name(c),
                c.verdict,
                units.of(c.during.failed, c.during.calls),
                units.percent(c.during.failed_share),
                units.percent(c.before.failed_share),
                units.count(round(c.excess_failed.value), signed=True) if c.excess_failed else units.UNKNOWN,
                _spread(c),
                units.count(c.users),
            )
            for c in incident.clusters
        ),
    )
    return Sheet(
        "blast", title, subtitle, words.alternative(title, told), table,
        lambda form: _paint_blast(clusters, form), news=bool(affected),
    )  # fmt: skip


def _paint_blast(clusters: Sequence[IncidentCluster], form: Form) -> Board:
    rows = [
        Row(
            _name(c),
            (
                units.of(c.during.failed, c.during.calls),
                units.count(round(c.excess_failed.value), signed=True) if c.excess_failed else units.UNKNOWN,
            ),
            "worse" if c.verdict == "affected" else "calm",
            "\u25b2" if c.verdict == "affected" else "",
        )
        for c in clusters
    ]
    frame = Frame(rows, ("failed", "excess"), form, row_px=_BLAST_PX, narrow_px=_NARROW_BLAST_PX)
    limits = [(c.during.low or 0.0, 1.0 if c.during.high is None else c.during.high) for c in clusters]
    highest = max([0.05, *(high for _, high in limits), *(c.before.failed_share or 0.0 for c in clusters)])
    scale = frame.scale(0.0, min(1.0, highest * 1.03))
    ticks = linear_ticks(0, scale.high, 4 if form.narrow else 6)
    frame.rules(scale, ticks, [percent_label(t) for t in ticks])
    frame.write()
    for i, (cluster, row, ends) in enumerate(zip(clusters, rows, limits, strict=True)):
        _dot(frame.board, scale, frame.y(i), cluster, row, ends)
    return frame.board


def _dot(
    board: Board, scale: Scale, y: float, cluster: IncidentCluster, row: Row, ends: tuple[float, float]
) -> None:
    thick = 2.3 if row.strong else 1.5
    board.lines([(scale(ends[0]), y, scale(ends[1]), y)], row.mark, thick, round_ends=True, order=3)
    if cluster.before.failed_share is not None:
        token = row.mark if row.strong else "mark"
        board.dot(scale(min(cluster.before.failed_share, scale.high)), y, token, hollow=True, order=3.5)
    board.dot(scale(cluster.during.failed_share or 0.0), y, row.mark)


def _name(c: IncidentCluster) -> str:
    return units.clean(c.title, 200) or f"Cluster {c.cluster_id} (untitled)"


def _counted(effect: Effect) -> str:
    return f"{units.of(effect.during.failed, effect.during.calls)} calls failed"


def _spread(c: IncidentCluster) -> str:
    if c.excess_failed is None:
        return units.UNKNOWN
    return f"{round(c.excess_failed.low)} to {round(c.excess_failed.high)}"


def _end(incident: Incident) -> str:
    last = units.parse_time(incident.buckets[-1].start) + timedelta(seconds=incident.bucket_s)
    return units.iso(last)


def _when(incident: Incident, tz: str) -> str:
    affected = [c for c in incident.clusters if c.verdict == "affected"]
    if incident.onset_at is None:
        return f"The failed share of all calls did not rise: {_counted(incident.overall)}"
    whose = f"\u201c{units.clean(_name(affected[0]), 60)}\u201d" if len(affected) == 1 else "Calls"
    if len(affected) > 1:
        whose = f"{len(affected)} clusters"
    if incident.recovered_at is None:
        return f"{whose} failed more than usual since {units.moment(incident.onset_at, tz)}, no end shown"
    return f"{whose} failed more than usual: {units.period(incident.onset_at, incident.recovered_at, tz)}"
