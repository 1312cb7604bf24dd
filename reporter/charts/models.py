"""Cost by model: which cluster spends its dollars on which model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reporter import units
from reporter.artifact import ChartTable
from reporter.charts import words
from reporter.charts.board import Board
from reporter.charts.rows import Frame, Row
from reporter.charts.sheet import Form, Sheet
from reporter.charts.style import SMALL_PX, TEXT_PX
from reporter.charts.text import fit, width
from reporter.charts.words import Topic
from reporter.report import Cluster, ModelCost

_COLUMNS = 6
_COLUMNS_NARROW = 3
_LEAST_MODELS = 2
"""With one model there is nothing to compare: the ledger has its costs."""
_DARKEST = 0.55
"""Opacity of the dearest cell: its number stays legible on it."""
_PAD_PX = 2.0
_REST = "other"


@dataclass(frozen=True, slots=True)
class Grid:
    """The table as it is drawn: clusters down, models across, dollars of the sample."""

    clusters: tuple[Cluster, ...]
    heads: tuple[str, ...]
    cells: tuple[tuple[float | None, ...], ...]
    """(cluster, model); ``None`` where a cluster never used a model."""


def sheet(topic: Topic) -> Sheet | None:
    """Describe the table; ``None`` where fewer than two models cost anything."""
    overall = topic.section.overall
    paid = [use for use in overall.models if use.cost_usd] if overall else []
    if overall is None or len(paid) < _LEAST_MODELS:
        return None
    title = _finding(topic, paid)
    drawn = _drawn(topic)
    subtitle = (
        f"Cost of the {topic.items(topic.latest.items)} sampled, {topic.window}, US dollars by cluster and"
        f" model; the darker, the dearer. A sum over the sample, not over all traffic.{topic.cut(drawn)}"
    )
    told = [f"{_model(use)} {units.money(use.cost_usd)}" for use in paid]
    return Sheet(
        "models",
        title,
        subtitle,
        words.alternative(title, told),
        _table(topic, overall.models),
        lambda form: _paint(topic, overall.models, form),
    )


def grid(topic: Topic, models: Sequence[ModelCost], most: int) -> Grid:
    """Choose rows and columns: the dearest models, all others together in the last column."""
    paid = [use.model for use in models if use.cost_usd]
    kept = paid if len(paid) <= most else paid[: most - 1]
    heads = [_named(model) for model in kept] + ([_REST] if len(paid) > len(kept) else [])
    rows = []
    clusters = _drawn(topic)
    for cluster in clusters:
        spent = {use.model: use.cost_usd for use in cluster.models}
        cells = [spent.get(model) for model in kept]
        if len(paid) > len(kept):
            others = [usd for model, usd in spent.items() if model not in kept and usd]
            cells.append(sum(others) if others else None)
        rows.append(tuple(cells))
    return Grid(tuple(clusters), tuple(heads), tuple(rows))


def _paint(topic: Topic, models: Sequence[ModelCost], form: Form) -> Board:
    made = grid(topic, models, _COLUMNS_NARROW if form.narrow else _COLUMNS)
    rows = [Row(words.name(c), (units.money(_total(c)),), faint=c.cluster_id < 0) for c in made.clusters]
    frame = Frame(rows, ("all models",), form, row_px=26, narrow_px=44)
    frame.write()
    board = frame.board
    across = (frame.right - frame.left) / len(made.heads)
    dearest = max((usd or 0.0 for cells in made.cells for usd in cells), default=0.0)
    half = 10.0 if not form.dense else 9.0
    for k, head in enumerate(made.heads):
        left = frame.left + k * across
        board.text(
            left + across / 2, 11, fit(head, across - 6, SMALL_PX), "mute", size=SMALL_PX, align="center"
        ) if not form.narrow else None
        for i, cells in enumerate(made.cells):
            usd = cells[k]
            y = frame.y(i)
            box = (left + _PAD_PX, y - half, left + across - _PAD_PX, y + half)
            if usd and usd > 0 and dearest:  # a refund has a figure and no shade
                board.boxes([box], "mark", alpha=max(0.04, _DARKEST * (usd / dearest) ** 0.5), order=1)
            text = "·" if usd is None else units.money(usd)
            if width(text, TEXT_PX) <= across - 2 * _PAD_PX:
                board.text(
                    left + across / 2, y + TEXT_PX * 0.34, text, "ink" if usd else "mute", align="center"
                )
    if form.narrow:
        _heads_below(board, frame, made.heads, across)
    return board


def _heads_below(board: Board, frame: Frame, heads: Sequence[str], across: float) -> None:
    for k, head in enumerate(heads):
        x = frame.left + (k + 0.5) * across
        board.text(
            x, frame.bottom + 16, fit(head, across - 4, SMALL_PX), "mute", size=SMALL_PX, align="center"
        )


def _drawn(topic: Topic) -> list[Cluster]:
    """Give the clusters that cost most, dearest first."""
    return sorted(topic.shown("mean_cost_usd"), key=lambda c: (-(_total(c) or 0.0), c.cluster_id))


def _total(cluster: Cluster) -> float | None:
    return cluster.metrics.total_cost


def _named(model: str | None) -> str:
    return "no model named" if model is None else units.clean(model, 80) or "(unnamed)"


def _model(use: ModelCost) -> str:
    return _named(use.model)


def _finding(topic: Topic, paid: Sequence[ModelCost]) -> str:
    total = sum(use.cost_usd or 0.0 for use in paid)
    top = paid[0]
    share = units.percent((top.cost_usd or 0.0) / total)
    first = f"{units.clean(_model(top), 60)} takes {share} of the sample\u2019s {units.money(total)}"
    spent = {
        c.cluster_id: usd
        for c in topic.section.clusters
        for use in c.models
        if use.model == top.model and (usd := use.cost_usd)
    }
    if not spent:
        return first
    most = max(topic.section.clusters, key=lambda c: (spent.get(c.cluster_id, 0.0), -c.cluster_id))
    part = units.percent(spent[most.cluster_id] / total)
    return f"{first}; {words.quoted(most)} alone {part}"


def _table(topic: Topic, models: Sequence[ModelCost]) -> ChartTable:
    paid = [use.model for use in models if use.cost_usd]
    everyone = [*topic.section.clusters, *([topic.section.noise] if topic.section.noise else [])]
    rows = []
    for cluster in sorted(everyone, key=lambda c: (-(_total(c) or 0.0), c.cluster_id)):
        spent = {use.model: use.cost_usd for use in cluster.models}
        cells = [units.UNKNOWN if model not in spent else units.money(spent[model]) for model in paid]
        rows.append((words.name(cluster), *cells, units.money(_total(cluster))))
    whole = {use.model: use.cost_usd for use in models}
    overall = topic.section.overall
    total = overall.metrics.total_cost if overall else None
    rows.append(("All items sampled", *(units.money(whole[model]) for model in paid), units.money(total)))
    return ChartTable(("Cluster", *(_named(model) for model in paid), "All models"), tuple(rows))
