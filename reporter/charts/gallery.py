"""All charts of a report, in the order of its pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import matplotlib

from reporter import units
from reporter.artifact import Chart, ChartTable, Picture, Room
from reporter.charts import (
    alluvial,
    bridge,
    causes,
    cluster_map,
    errors,
    incident,
    models,
    raster,
    share,
    slope,
    strips,
)
from reporter.charts.board import SETTINGS
from reporter.charts.sheet import NARROW, PRINT, WIDE, Form, Sheet
from reporter.charts.svg import markup, printed
from reporter.charts.words import Topic
from reporter.report import Incident, Report

_RANK = ("slope", "errors", "causes", "cost", "models", "alluvial", "latency", "share")
"""Charts by how much a reader loses without them, beside the bridge and the map."""
_MAILED = ("bridge", "slope", "errors", "cost", "latency")
"""Charts a mail may show, by how much a reader loses without them."""
_PICTURES = 2
"""Pictures of one job at most."""


def draw(
    report: Report, *, page: bool = True, paper: bool = False, room: Room | None = None
) -> tuple[Chart, ...]:
    """Draw every chart of every job, or as many as there is room for.

    Args:
        report: What was concluded; titles in it are untrusted.
        page: Whether to draw for the page, wide and narrow.
        paper: Whether to draw for print.
        room: Where it is short, charts that show a change go first. ``None``: there is room for all.

    Returns:
        Charts by job, in page order, those of an incident last, numbered as one more job. A chart without
        data is left out, and a job without a run has none.
        Equal reports give equal bytes.
    """
    made: list[Chart] = []
    with matplotlib.rc_context(SETTINGS):  # type: ignore[arg-type]  # the stub lists every key
        for index in range(len(report.jobs)):
            topic = Topic.of(report, index)
            if topic is not None and (room is None or (index < room.jobs and not report.is_quiet(index))):
                chosen = sheets(topic) if room is None else _chosen(sheets(topic, maps=room.maps), room)
                made += [_chart(sheet, index, page=page, paper=paper) for sheet in chosen]
        if isinstance(report.incident, Incident):
            found = incident.sheets(report.incident, report.timezone)
            made += [_chart(sheet, len(report.jobs), page=page, paper=paper) for sheet in found]
    return tuple(made)


def _chosen(found: Sequence[Sheet], room: Room) -> list[Sheet]:
    """Choose the charts there is room for, those that show a change first, in page order."""
    ranked = sorted(
        (sheet for sheet in found if sheet.name in _RANK),
        key=lambda sheet: (not sheet.news, _RANK.index(sheet.name)),
    )
    left_out = {sheet.name for sheet in ranked[room.charts :]}
    return [sheet for sheet in found if sheet.name not in left_out]


def pictures(report: Report, most: int) -> tuple[Picture, ...]:
    """Draw the few charts a mail has room for: how the bill moved, and what shows a sure change.

    Args:
        report: What was concluded; titles in it are untrusted.
        most: Pictures at most.

    Returns:
        Two of each job with findings, that of the headline first, until there is no more room; none of a job
        where nothing changed. Equal reports give equal bytes.
    """
    chosen: list[tuple[int, Sheet]] = []
    for index in dict.fromkeys(finding.job_index for finding in report.findings):
        topic = Topic.of(report, index)
        if topic is not None:
            told = [
                sheet for sheet in sheets(topic, maps=False) if sheet.name in _MAILED and sheet.has_narrow
            ]
            ranked = sorted(told, key=lambda s: (s.name != _MAILED[0], not s.news, _MAILED.index(s.name)))
            chosen += [(index, s) for s in ranked if s.name == _MAILED[0] or s.news][:_PICTURES]
    if isinstance(report.incident, Incident):
        found = incident.sheets(report.incident, report.timezone)
        chosen += [(len(report.jobs), sheet) for sheet in found if sheet.has_narrow][:_PICTURES]
    with matplotlib.rc_context(SETTINGS):  # type: ignore[arg-type]  # the stub lists every key
        return tuple(_picture(sheet, index) for index, sheet in chosen[:most])


def _picture(sheet: Sheet, index: int) -> Picture:
    board = sheet.paint(NARROW)
    return Picture(
        name=sheet.name,
        job_index=index,
        title=sheet.title,
        subtitle=sheet.subtitle,
        alt=sheet.alt,
        png=raster.png(board),
        width=board.width + 2 * raster.MARGIN_PX,
        height=board.height + 2 * raster.MARGIN_PX,
    )


def sheets(topic: Topic, *, maps: bool = True) -> list[Sheet]:
    """Describe the charts of one job that have something to show; a map takes long even to describe."""
    found = (
        bridge.sheet(topic),
        share.sheet(topic),
        slope.sheet(topic),
        errors.sheet(topic),
        causes.sheet(topic),
        strips.sheet(topic, strips.COST),
        models.sheet(topic),
        strips.sheet(topic, strips.LATENCY),
        alluvial.sheet(topic),
        cluster_map.sheet(topic) if maps else None,
    )
    return [sheet for sheet in found if sheet is not None]


def _hints(table: ChartTable) -> dict[str, str]:
    """Write each row of a chart's table as one line; rows that share a name are left out."""
    counts = Counter(row[0] for row in table.rows)
    return {
        row[0]: f"{row[0]}: "
        + "; ".join(
            f"{column} {cell}"
            for column, cell in zip(table.columns[1:], row[1:], strict=True)
            if cell != units.UNKNOWN
        )
        for row in table.rows
        if counts[row[0]] == 1
    }


def _chart(sheet: Sheet, index: int, *, page: bool, paper: bool) -> Chart:
    hints = _hints(sheet.table)

    def inline(form: Form) -> str:
        key = f"chart-{index}-{sheet.name}-{form.name}"
        return markup(sheet.paint(form), key=key, name=sheet.name, form=form.name, alt=sheet.alt, hints=hints)

    return Chart(
        name=sheet.name,
        job_index=index,
        title=sheet.title,
        subtitle=sheet.subtitle,
        alt=sheet.alt,
        table=sheet.table,
        svg=inline(WIDE) if page else "",
        svg_narrow=inline(NARROW) if page and sheet.has_narrow else "",
        svg_print=printed(sheet.paint(PRINT)) if paper else "",
        news=sheet.news,
    )
