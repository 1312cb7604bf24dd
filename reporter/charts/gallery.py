"""All charts of a report, in the order of its pages."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib

from reporter.artifact import Chart
from reporter.charts import cluster_map, errors, share, slope, strips
from reporter.charts.board import SETTINGS
from reporter.charts.sheet import NARROW, PRINT, WIDE, Form, Sheet
from reporter.charts.svg import markup
from reporter.charts.words import Topic
from reporter.report import Report


def draw(report: Report, *, svg: bool = True, png: bool = False) -> tuple[Chart, ...]:
    """Draw every chart of every job.

    Args:
        report: What was concluded; titles in it are untrusted.
        svg: Whether to draw for the page, wide and narrow.
        png: Whether to draw for print.

    Returns:
        Charts by job, in page order: share, slope, errors, cost, latency, map. A chart without data is
        left out, and a job without a run has none. Equal reports give equal bytes.
    """
    made: list[Chart] = []
    with matplotlib.rc_context(SETTINGS):  # type: ignore[arg-type]  # the stub lists every key
        for index in range(len(report.jobs)):
            topic = Topic.of(report, index)
            if topic is not None:
                made += [_chart(sheet, index, svg=svg, png=png) for sheet in sheets(topic)]
    return tuple(made)


def sheets(topic: Topic) -> Iterator[Sheet]:
    """Describe the charts of one job that have something to show."""
    found = (
        share.sheet(topic),
        slope.sheet(topic),
        errors.sheet(topic),
        strips.sheet(topic, strips.COST),
        strips.sheet(topic, strips.LATENCY),
        cluster_map.sheet(topic),
    )
    return (sheet for sheet in found if sheet is not None)


def _chart(sheet: Sheet, index: int, *, svg: bool, png: bool) -> Chart:
    def inline(form: Form) -> str:
        board = sheet.paint(form)
        return markup(
            board,
            key=f"chart-{index}-{sheet.name}-{form.name}",
            name=sheet.name,
            form=form.name,
            alt=sheet.alt,
        )

    printed = sheet.paint(PRINT) if png else None
    wide = sheet.paint(WIDE) if svg or printed is None else printed
    return Chart(
        name=sheet.name,
        job_index=index,
        title=sheet.title,
        subtitle=sheet.subtitle,
        alt=sheet.alt,
        table=sheet.table,
        svg=markup(wide, key=f"chart-{index}-{sheet.name}-wide", name=sheet.name, form="wide", alt=sheet.alt)
        if svg
        else "",
        svg_narrow=inline(NARROW) if svg and sheet.has_narrow else "",
        png=printed.png() if printed is not None else b"",
        width=wide.width,
        height=wide.height,
    )
