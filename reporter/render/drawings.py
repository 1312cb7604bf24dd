"""Charts made ready for a template: which of them there is room for, and how each is placed."""

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

_RANK = ("slope", "errors", "causes", "cost", "models", "alluvial", "latency", "share")
"""Charts by how much a reader loses without them."""


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


def chosen(charts: Sequence[ChartView], most: int) -> tuple[ChartView, ...]:
    """Choose the charts there is room for, those that show a change first, in page order."""
    here = [chart for chart in charts if chart.name not in ("bridge", "map")]
    ranked = sorted(range(len(here)), key=lambda i: (not here[i].news, _RANK.index(here[i].name), i))
    return tuple(here[i] for i in sorted(ranked[:most]))


def view(chart: Chart, place: int) -> ChartView:
    """Make a chart ready to be placed, as the so-many-eth of its job."""
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
