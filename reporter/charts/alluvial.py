"""Where the clusters of the prior run went: bands from its clusters to those of the latest run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.path import Path

from reporter import units
from reporter.artifact import ChartTable
from reporter.charts import words
from reporter.charts.board import Board, Point
from reporter.charts.rows import BASE
from reporter.charts.sheet import Form, Sheet
from reporter.charts.style import REGULAR, SMALL_PX, STRONG, TEXT_PX, lineage_token
from reporter.charts.text import dodge, width, wrap
from reporter.charts.words import Topic
from reporter.report import TransitionEntry

_MOST = 18
"""Clusters drawn a side at most; what split, merged, came or went is drawn first."""
_HEAD_PX = 26.0
_FOOT_PX = 8.0
_NODE_PX = 10.0
_GAP_PX = 9.0
_LINE_PX = 14.5
_LEAST_NODE_PX = 5.0
_ITEM_PX_MOST = 3.0
_STUB = 0.16
"""Length of the stub of a cluster that came or went, as a part of the way."""
_BEND = np.linspace(0.0, 1.0, 25)
_EASED = _BEND * _BEND * (3 - 2 * _BEND)
_SURE = 0.9
_LIKELY = 0.6
"""Confidence from which something happened, and below which it is only possible."""
_CALM = ("continued", "renamed")
_KINDS = ("split", "merged", "new", "gone")


@dataclass(slots=True)
class _Node:
    """One cluster at one side."""

    name: str
    size: int
    token: str
    loud: bool
    top: float = 0.0
    height: float = 0.0
    used: float = 0.0
    """Height that bands have taken already."""

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


@dataclass(frozen=True, slots=True)
class _Band:
    """What leads from a prior cluster to a latest one."""

    prior: int
    latest: int
    weight: float
    """Items, by which clusters with several bands are divided."""
    loud: bool
    sure: bool


@dataclass(frozen=True, slots=True)
class _Flow:
    """All that is drawn."""

    prior: Mapping[int, _Node]
    latest: Mapping[int, _Node]
    bands: tuple[_Band, ...]
    left: int
    """Clusters that continued and are not drawn."""


def sheet(topic: Topic) -> Sheet | None:
    """Describe the flow; ``None`` where nothing is compared, or nothing but continued."""
    entries = topic.section.transitions
    if topic.prior_window is None or all(entry.kind in _CALM for entry in entries):
        return None
    flow = _flow(topic, _chosen(topic))
    title = _finding(entries)
    left = f" {units.plural(flow.left, 'more cluster')} continued." if flow.left else ""
    subtitle = (
        f"Height is {topic.many} of a cluster, {topic.prior_window} left, {topic.window} right."
        " Grey bands continue, coloured ones split or merge, a stub comes or goes; dashed is less sure."
        f"{left}"
    )
    rows = _rows(topic)
    told = [f"{kind}: {before} to {after}" for kind, before, after, *_ in rows if kind not in _CALM_WORDS]
    ends = words.short(topic.prior_window), words.short(topic.window)
    return Sheet(
        "alluvial",
        title,
        subtitle,
        words.alternative(title, told),
        ChartTable(("Kind", "Prior run", "Latest run", "Items, prior to latest"), tuple(rows)),
        lambda form: _paint(_flow(topic, _chosen(topic)), ends, form),
        news=any(entry.kind not in _CALM and entry.confidence >= _LIKELY for entry in entries),
    )


_CALM_WORDS = ("Continued", "Renamed")


def _chosen(topic: Topic) -> list[TransitionEntry]:
    """Choose what is drawn: all that is news, then the largest that continued, while there is room."""
    sizes = {c.cluster_id: c.size for c in topic.section.clusters}

    def rank(entry: TransitionEntry) -> tuple[bool, int, list[int], list[int]]:
        return entry.kind in _CALM, -sum(sizes.get(i, 0) for i in entry.latest), entry.latest, entry.prior

    kept: list[TransitionEntry] = []
    before: set[int] = set()
    after: set[int] = set()
    for entry in sorted(topic.section.transitions, key=rank):
        wide = max(len(before | set(entry.prior)), len(after | set(entry.latest)))
        if wide <= _MOST:
            kept.append(entry)
            before |= set(entry.prior)
            after |= set(entry.latest)
    return kept


def _flow(topic: Topic, entries: Sequence[TransitionEntry]) -> _Flow:
    section = topic.section
    now = {c.cluster_id: c for c in section.clusters}
    old = {c.prior_cluster_id: c for c in section.prior_clusters}
    heirs = {i: entry for entry in entries for i in entry.prior}
    loud = [entry for entry in entries if entry.kind not in _CALM]
    loud_now, loud_old = ({i for e in loud for i in e.latest}, {i for e in loud for i in e.prior})
    latest = {
        i: _Node(words.name(now[i]), now[i].size, lineage_token(now[i].lineage_id), i in loud_now)
        for entry in entries
        for i in entry.latest
        if i in now
    }
    prior = {
        i: _Node(
            units.clean(old[i].title, 200) or f"Cluster {i} (untitled)",
            old[i].size,
            lineage_token(old[i].lineage_id) if old[i].lineage_id or i not in heirs else "mark",
            i in loud_old,
        )
        for entry in entries
        for i in entry.prior
        if i in old
    }
    bands = tuple(
        _Band(p, n, float(prior[p].size * latest[n].size), entry.kind not in _CALM, entry.confidence >= _SURE)
        for entry in entries
        for p in entry.prior
        for n in entry.latest
        if p in prior and n in latest
    )
    shown = {id(entry) for entry in entries}
    left = sum(id(entry) not in shown for entry in section.transitions)
    return _Flow(prior, latest, bands, left)


def _paint(flow: _Flow, ends: tuple[str, str], form: Form) -> Board:
    lines = 3 if form.narrow else 2
    order_old, order_new = _orders(flow)
    labels = _Labels(flow, form, lines)
    height = max(labels.height(flow.prior), labels.height(flow.latest), 120.0)
    board = Board(form.width, _HEAD_PX + height + _FOOT_PX)
    spaces = _GAP_PX * max(len(flow.prior), len(flow.latest), 1)
    total = max(sum(n.size for n in flow.prior.values()), sum(n.size for n in flow.latest.values()), 1)
    per_item = min((height - spaces) / total, _ITEM_PX_MOST)
    for nodes, order in ((flow.prior, order_old), (flow.latest, order_new)):
        _stack([nodes[i] for i in order], per_item, height)
    start, end = labels.start, labels.end
    for x, label, align in ((start, ends[0], "right"), (end, ends[1], "left")):
        board.text(x, 11, label, "mute", size=SMALL_PX, align="right" if align == "right" else "left")
    _bands(board, flow, order_new, start, end)
    for nodes, x in ((flow.prior, start - _NODE_PX), (flow.latest, end)):
        for node in nodes.values():
            board.boxes([(x, node.top, x + _NODE_PX, node.top + node.height)], node.token, order=3)
    labels.write(board, [flow.prior[i] for i in order_old], height, right=False)
    labels.write(board, [flow.latest[i] for i in order_new], height, right=True)
    return board


def _orders(flow: _Flow) -> tuple[list[int], list[int]]:
    """Order both sides so that bands cross little: the prior by size, the latest by where its bands begin."""
    old = sorted(flow.prior, key=lambda i: (-flow.prior[i].size, i))
    place = {i: k for k, i in enumerate(old)}

    def at(i: int) -> float:
        mine = [(place[b.prior], b.weight) for b in flow.bands if b.latest == i]
        whole = sum(weight for _, weight in mine)
        if whole:
            return sum(k * weight for k, weight in mine) / whole
        # What is new stands among those of its size.
        return sum(n.size > flow.latest[i].size for n in flow.latest.values()) - 0.5

    new = sorted(flow.latest, key=lambda i: (at(i), -flow.latest[i].size, i))
    return old, new


def _stack(nodes: Sequence[_Node], per_item: float, height: float) -> None:
    """Give every node its place, top to bottom, the spare room spread evenly between."""
    for node in nodes:
        node.height = max(node.size * per_item, _LEAST_NODE_PX)
        node.used = 0.0
    spare = height - sum(node.height for node in nodes)
    gap = spare / max(1, len(nodes))
    y = _HEAD_PX + gap / 2
    for node in nodes:
        node.top = y
        y += node.height + gap


def _bands(board: Board, flow: _Flow, order_new: Sequence[int], start: float, end: float) -> None:
    place = {i: k for k, i in enumerate(order_new)}
    out = {i: sum(b.weight for b in flow.bands if b.prior == i) for i in flow.prior}
    into = {i: sum(b.weight for b in flow.bands if b.latest == i) for i in flow.latest}
    for band in sorted(flow.bands, key=lambda b: (place[b.latest], flow.prior[b.prior].top)):
        old, new = flow.prior[band.prior], flow.latest[band.latest]
        a0 = old.top + old.used
        b0 = new.top + new.used
        a1 = a0 + old.height * band.weight / out[band.prior]
        b1 = b0 + new.height * band.weight / into[band.latest]
        old.used, new.used = a1 - old.top, b1 - new.top
        upper = [(start + (end - start) * t, a0 + (b0 - a0) * e) for t, e in zip(_BEND, _EASED, strict=True)]
        lower = [(start + (end - start) * t, a1 + (b1 - a1) * e) for t, e in zip(_BEND, _EASED, strict=True)]
        outline = _closed([*upper, *reversed(lower)])
        if band.loud:
            board.path(outline, fill=new.token, alpha=0.4 if band.sure else 0.16, order=2)
        else:
            board.path(outline, fill="band", order=1)
        if not band.sure:
            for edge in (upper, lower):
                board.path(
                    Path(edge), edge=new.token if band.loud else "mark", thick=1.1, dash=(4, 3), order=2.2
                )
    reach = (end - start) * _STUB
    for nodes, busy, first in ((flow.prior, out, True), (flow.latest, into, False)):
        for i, node in nodes.items():
            if not busy[i]:
                x0, x1 = (start, start + reach) if first else (end - reach, end)
                board.boxes([(x0, node.top, x1, node.top + node.height)], node.token, alpha=0.35, order=2)
                tip = x1 if first else x0
                board.lines(
                    [(tip, node.top, tip, node.top + node.height)], node.token, 1.2, dash=(3, 2), order=2.2
                )


class _Labels:
    """Names and sizes beside both sides of the flow."""

    def __init__(self, flow: _Flow, form: Form, lines: int) -> None:
        nodes = [*flow.prior.values(), *flow.latest.values()]
        self._lines = lines
        self._numbers = max((width(units.count(n.size), TEXT_PX) for n in nodes), default=20.0)
        room = form.width * (0.34 if form.narrow else 0.36)
        self._room = room - self._numbers - 15
        self.start = room + _NODE_PX
        self.end = form.width - room - _NODE_PX

    def wrapped(self, node: _Node) -> list[str]:
        """Break a name into its lines."""
        return wrap(node.name, self._room, TEXT_PX, STRONG if node.loud else REGULAR, lines=self._lines)

    def height(self, nodes: Mapping[int, _Node]) -> float:
        """Give the room the names of a side need, one below the other."""
        return sum(len(self.wrapped(node)) * _LINE_PX + 7.0 for node in nodes.values())

    def write(self, board: Board, nodes: Sequence[_Node], height: float, *, right: bool) -> None:
        """Write the labels of one side, moved apart where they would touch."""
        if not nodes:
            return
        tall = [len(self.wrapped(node)) * _LINE_PX + 4.0 for node in nodes]
        # Blocks of unequal height: moved as if each began where the last one ends.
        stacked = [sum(tall[:i]) for i in range(len(tall))]
        wanted = [
            node.middle - block / 2 - before for node, block, before in zip(nodes, tall, stacked, strict=True)
        ]
        tops = dodge(wanted, 0.0, _HEAD_PX, _HEAD_PX + height - sum(tall) + 4.0)
        for node, top, before, block in zip(nodes, sorted(tops), stacked, tall, strict=True):
            self._label(board, node, top + before + block / 2, right=right)

    def _label(self, board: Board, node: _Node, middle: float, *, right: bool) -> None:
        weight = STRONG if node.loud else REGULAR
        token = "ink" if node.loud else "soft"
        edge = self.end + _NODE_PX if right else self.start - _NODE_PX
        side = 1 if right else -1
        if abs(middle - node.middle) > 4:
            board.lines([(edge + side, node.middle, edge + side * 5, middle)], "mark", 0.8, order=2)
        number = edge + side * (6 + (self._numbers if right else 0))
        board.text(number, middle + BASE, units.count(node.size), "mute", align="right")
        if not right:
            number -= self._numbers
        x = number + 8 if right else number - 8
        lines = self.wrapped(node)
        for i, line in enumerate(lines):
            y = middle + (i - (len(lines) - 1) / 2) * _LINE_PX + BASE
            board.text(x, y, line, token, weight=weight, align="left" if right else "right")


def _closed(points: list[Point]) -> Path:
    codes = [Path.MOVETO, *[Path.LINETO] * (len(points) - 1), Path.CLOSEPOLY]
    return Path([*points, points[0]], codes)


def _finding(entries: Sequence[TransitionEntry]) -> str:
    told = []
    for became, likely in ((words.BECAME, True), (words.MAY, False)):
        found = [entry for entry in entries if (entry.confidence >= _LIKELY) is likely]
        counts = {kind: sum(entry.kind == kind for entry in found) for kind in _KINDS}
        told += [
            f"{units.plural(number, 'cluster')} {became[kind][number != 1]}"
            for kind, number in counts.items()
            if number
        ]
    stayed = sum(len(entry.latest) for entry in entries if entry.kind in _CALM)
    return "; ".join([*told, f"{units.plural(stayed, 'cluster')} continued".replace("No", "no")])


def _rows(topic: Topic) -> list[tuple[str, ...]]:
    now = {c.cluster_id: (words.name(c), c.size) for c in topic.section.clusters}
    old = {
        c.prior_cluster_id: (units.clean(c.title, 200) or f"Cluster {c.prior_cluster_id} (untitled)", c.size)
        for c in topic.section.prior_clusters
    }
    found = []
    for entry in sorted(
        topic.section.transitions, key=lambda e: (e.kind in _CALM, e.kind, e.latest, e.prior)
    ):
        before = [old[i] for i in entry.prior if i in old]
        after = [now[i] for i in entry.latest if i in now]
        sizes = " → ".join(
            units.count(sum(size for _, size in side)) if side else units.UNKNOWN for side in (before, after)
        )
        names = [", ".join(name for name, _ in side) or units.UNKNOWN for side in (before, after)]
        found.append((entry.kind.capitalize(), *names, sizes))
    return found
