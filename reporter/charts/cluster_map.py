"""The map of one run: its clusters as islands, where near means alike and far means little."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reporter import units
from reporter.artifact import ChartTable
from reporter.charts import words
from reporter.charts.board import Board
from reporter.charts.hulls import Points, island, outline
from reporter.charts.placement import Placed, Wanted, place
from reporter.charts.sheet import WIDE, Form, Sheet
from reporter.charts.style import REGULAR, STRONG, TEXT_PX, lineage_token
from reporter.charts.text import width, wrap
from reporter.charts.words import Topic
from reporter.report import Cluster

_HEIGHT_PX = 520.0
_DENSE_HEIGHT_PX = 340.0
_PAD_PX = 44.0
_LABEL_PX = 168.0
_LINE_PX = 15.0
_DOT_PX = 2.8
_NOISE_PX = 2.2
_DOTS_MOST = 5000
_EDGE_PX = 2.0
_CLUSTERS_LEAST = 2
"""One island alone has no neighbours to show."""


@dataclass(frozen=True, slots=True)
class Island:
    """One cluster on the map."""

    cluster: Cluster
    coast: Points
    dots: Points
    lines: tuple[str, ...]
    """Its name, broken; the size follows on the last line."""
    placed: Placed | None


@dataclass(frozen=True, slots=True)
class Map:
    """Everything laid out, in pixels of one form."""

    islands: tuple[Island, ...]
    noise: Points
    height: float
    left_out: int
    """Dots too far off to be shown."""


def sheet(topic: Topic) -> Sheet | None:
    """Describe the map; ``None`` where fewer than two clusters have coordinates."""
    if sum(1 for c in topic.section.clusters if c.points) < _CLUSTERS_LEAST:
        return None

    drawn = lay_out(topic, WIDE)
    unnamed = sum(1 for i in drawn.islands if i.placed is None)
    title = _finding(topic)
    subtitle = (
        f"Each dot is one of {topic.items(topic.latest.items)}, {topic.window} (a sample of large clusters);"
        f" an outline holds the inner 90%. Near means alike; distances between islands mean little."
        + (f" Without a label: {units.plural(unnamed, 'smaller cluster')}." if unnamed else "")
        + (f" Not shown: {units.plural(drawn.left_out, 'far-off dot')}." if drawn.left_out else "")
    )
    told = [f"{words.name(c)}, {topic.items(c.size)}" for c in topic.section.clusters]
    return Sheet(
        "map",
        title,
        subtitle,
        words.alternative(title, told),
        _table(topic),
        lambda form: _paint(drawn if form is WIDE else lay_out(topic, form), form),
        has_narrow=False,
    )


def lay_out(topic: Topic, form: Form) -> Map:
    """Turn positions into pixels, find the coasts and place the labels, largest cluster first."""
    clusters = [c for c in topic.section.clusters if c.points]
    every_one = sum(len(c.points) for c in clusters)
    # Points come chosen evenly by rank, so that every k-th of them is again an even choice.
    step = max(1, math.ceil(every_one / _DOTS_MOST))
    clouds = [np.array(c.points[::step], dtype=float).reshape(-1, 2) for c in clusters]
    everyone = np.concatenate(clouds)
    low, high = np.percentile(everyone, 0.5, axis=0), np.percentile(everyone, 99.5, axis=0)
    span = np.where(high > low, high - low, 1.0)
    height = _DENSE_HEIGHT_PX if form.dense else _HEIGHT_PX
    frame = np.array([form.width, height])
    size = frame - 2 * _PAD_PX

    def pixels(points: Points) -> Points:
        part = (points - low) / span
        return np.stack([_PAD_PX + part[:, 0] * size[0], _PAD_PX + (1 - part[:, 1]) * size[1]], axis=1)

    noise_points = topic.section.noise.points if topic.section.noise is not None else []
    every_noise = pixels(np.array(noise_points[::step], dtype=float).reshape(-1, 2))
    noise = every_noise[_on_sheet(every_noise, frame)]
    left_out = len(every_noise) - len(noise)
    coasts, dots, names, wanted = [], [], [], []
    for cluster, cloud in zip(clusters, clouds, strict=True):
        every = pixels(cloud)
        kept = every[_on_sheet(every, frame)]
        left_out += len(every) - len(kept)
        coast = np.clip(island(every), 1.0, frame - 1.0)
        lines = tuple(wrap(words.name(cluster), _LABEL_PX, TEXT_PX, STRONG))
        tail = width(_tail(cluster))
        across = max(width(line, TEXT_PX, STRONG) + (tail if line is lines[-1] else 0) for line in lines)
        coasts.append(coast)
        dots.append(kept)
        names.append(lines)
        wanted.append(Wanted(across + 2, _LINE_PX * len(lines) + 1, coast, kept))
    places = place(wanted, noise, form.width, height)
    return Map(tuple(map(Island, clusters, coasts, dots, names, places)), noise, height, left_out)


def _on_sheet(points: Points, frame: NDArray[np.float64]) -> NDArray[np.bool_]:
    held: NDArray[np.bool_] = np.all((points >= _EDGE_PX) & (points <= frame - _EDGE_PX), axis=1)
    return held


def _paint(drawn: Map, form: Form) -> Board:
    board = Board(form.width, drawn.height)
    board.cloud([(float(x), float(y)) for x, y in drawn.noise], "mark", _NOISE_PX, alpha=0.45, order=1)
    for one in drawn.islands:
        token = lineage_token(one.cluster.lineage_id)
        coast = outline(one.coast)
        board.path(coast, fill=token, alpha=0.1, order=1.5)
        board.path(coast, edge=token, thick=1.2, alpha=0.85, order=1.6)
        board.cloud([(float(x), float(y)) for x, y in one.dots], token, _DOT_PX, alpha=0.6)
    for one in drawn.islands:
        if one.placed is not None:
            _write(board, one, one.placed)
    return board


def _write(board: Board, one: Island, placed: Placed) -> None:
    if placed.leader is not None:
        board.lines([placed.leader], "soft", 0.9, order=5)
    left, top, right, _ = placed.box
    tail = _tail(one.cluster)
    for i, line in enumerate(one.lines):
        last = i == len(one.lines) - 1
        name = width(line, TEXT_PX, STRONG)
        start = (left + right - name - (width(tail) if last else 0)) / 2
        base = top + _LINE_PX * (i + 0.5) + TEXT_PX * 0.34
        board.text(start, base, line, "ink", weight=STRONG, halo=True)
        if last:
            board.text(start + name, base, tail, "soft", weight=REGULAR, halo=True, order=6.1)


def _tail(cluster: Cluster) -> str:
    return f"\u00a0{units.count(cluster.size)}"


def _finding(topic: Topic) -> str:
    held = sum(c.size for c in topic.section.clusters)
    many = units.plural(len(topic.section.clusters), "cluster")
    verb = "holds" if len(topic.section.clusters) == 1 else "hold"
    total = topic.latest.items
    noise = topic.section.noise.size if topic.section.noise is not None else 0
    if not total:
        return many
    rest = f"; {units.percent(noise / total)} fit none" if noise else ""
    return f"{many} {verb} {units.percent(held / total)} of {topic.items(total)}{rest}"


def _table(topic: Topic) -> ChartTable:
    rows = [(words.name(c), units.count(c.size), units.percent(c.share)) for c in topic.section.clusters]
    if topic.section.noise is not None and topic.section.noise.size:
        noise = topic.section.noise
        rows.append((words.name(noise), units.count(noise.size), units.percent(noise.share)))
    return ChartTable(("Cluster", topic.many.capitalize(), "Share"), tuple(rows))
