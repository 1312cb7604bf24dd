"""Charts made ready for a template."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reporter import units
from reporter.render.templates import own_markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from reporter.artifact import Chart, ChartTable


@dataclass(frozen=True, slots=True)
class ChartView:
    """One chart, ready to be placed."""

    anchor: str
    name: str
    title: str
    subtitle: str
    alt: str
    svg: Markup
    svg_narrow: Markup
    paper: str
    """``data:`` address of the print drawing; empty if there is none."""
    news: bool
    table: ChartTable


def views(charts: Sequence[Chart], job_index: int) -> tuple[ChartView, ...]:
    """Make the charts of one job ready to be placed."""
    here = (chart for chart in charts if chart.job_index == job_index)
    return tuple(_view(chart, place) for place, chart in enumerate(here))


def _view(chart: Chart, place: int) -> ChartView:
    return ChartView(
        anchor=f"job-{chart.job_index + 1}-chart-{place + 1}",
        name=chart.name,
        title=units.clean(chart.title, 300),
        subtitle=units.clean(chart.subtitle, 400),
        alt=units.clean(chart.alt, 1_000),
        svg=own_markup(chart.svg),
        svg_narrow=own_markup(chart.svg_narrow),
        news=chart.news,
        paper=_data_url(chart.svg_print) if chart.svg_print else "",
        table=chart.table,
    )


def _data_url(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("utf-8", "replace")).decode("ascii")
