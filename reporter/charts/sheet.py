"""What a chart is before it is drawn, and the forms it is drawn in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reporter.artifact import ChartTable
from reporter.charts.board import Board
from reporter.charts.style import NARROW_PX, PRINT_PX, WIDE_PX


@dataclass(frozen=True, slots=True)
class Form:
    """A width to draw for."""

    name: str
    width: int
    narrow: bool = False
    dense: bool = False
    """Rows stand closer: paper is read at arm's length, and pages are few."""


WIDE = Form("wide", WIDE_PX)
NARROW = Form("narrow", NARROW_PX, narrow=True)
PRINT = Form("print", PRINT_PX, dense=True)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One chart of one job: its words, its numbers and how to paint it."""

    name: str
    title: str
    subtitle: str
    alt: str
    table: ChartTable
    paint: Callable[[Form], Board]
    news: bool = False
    """Whether it shows a sure change."""
    has_narrow: bool = True
    """Whether a phone gets a drawing too, or a list serves better."""
