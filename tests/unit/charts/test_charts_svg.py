"""Markup of a chart may be inlined under a strict policy, whatever a title holds."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporter.charts import draw, style
from reporter.charts.board import Board
from reporter.charts.svg import markup, printed
from tests.reports import HOSTILE, states

STATES = states()

SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {SVG + name for name in ("svg", "title", "g", "path", "circle", "text", "rect")}
ATTRIBUTES = {
    "class",
    "viewBox",
    "width",
    "height",
    "role",
    "aria-labelledby",
    "aria-hidden",
    "id",
    "fill",
    "d",
}
ATTRIBUTES |= {"cx", "cy", "r", "x", "y", "text-anchor", "opacity", "stroke-width", "stroke-linecap"}
ATTRIBUTES |= {"stroke-linejoin", "stroke-dasharray"}


def parse(markup_: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup_)


@pytest.mark.parametrize("state", ["changed", "hostile", "noise_only", "not_comparable"])
def test_charts_hold_only_harmless_elements_and_attributes(state: str) -> None:
    for chart in draw(STATES[state]):
        for drawing in filter(None, (chart.svg, chart.svg_narrow)):
            for element in parse(drawing).iter():
                assert element.tag in ELEMENTS
                assert set(element.attrib) <= ATTRIBUTES


def test_every_class_has_a_rule_in_the_sheet() -> None:
    css = style.css_class_rules()
    for chart in draw(STATES["changed"]):
        for name in {c for found in re.findall('class="([^"]*)"', chart.svg) for c in found.split()}:
            assert f".{name}" in css or name.startswith("chart-"), name


def test_no_raw_colour_is_left_in_a_drawing() -> None:
    for chart in draw(STATES["changed"]):
        assert not re.search("#[0-9a-fA-F]{3,6}", re.sub("<title.*?</title>", "", chart.svg))


def test_hostile_titles_are_text_and_nothing_else() -> None:
    charts = draw(STATES["hostile"])
    for chart in charts:
        root = parse(chart.svg)
        assert not list(root.iter(SVG + "script"))
        assert root.find(SVG + "title").text == chart.alt
    share = next(c for c in charts if c.name == "share")
    shown = {t.text for t in parse(share.svg).iter(SVG + "text")}
    assert HOSTILE[0] in shown
    assert "$100 or $200? a_b^c \\frac & < > \" '" in shown


def test_ids_are_unique_over_the_whole_report() -> None:
    ids = [i for c in draw(STATES["ten_jobs"]) for i in re.findall(' id="([^"]*)"', c.svg + c.svg_narrow)]
    assert len(ids) == len(set(ids)) > 60


def test_label_of_a_drawing_is_its_own_title() -> None:
    for chart in draw(STATES["changed"]):
        root = parse(chart.svg)
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == root.find(SVG + "title").get("id")
        assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"


def test_rows_tell_their_numbers_to_who_points_at_them() -> None:
    chart = next(c for c in draw(STATES["changed"]) if c.name == "errors")
    hints = [e for e in parse(chart.svg).iter(SVG + "rect") if e.get("class") == "hint"]
    assert len(hints) == len(chart.table.rows) == 11
    told = {e.find(SVG + "title").text for e in hints}
    name, rate, interval, counts, *_ = chart.table.rows[0]
    assert any(t.startswith(f"{name}: Error rate {rate}; 95% interval {interval}; ") for t in told)
    assert any(counts in t for t in told)


def test_a_drawing_for_paper_brings_its_colours_and_nothing_else() -> None:
    for chart in draw(STATES["changed"], page=False, paper=True):
        root = parse(chart.svg_print)
        sheet = root.find(SVG + "style").text
        assert "var(" not in sheet
        assert "url(" not in sheet
        used = {c for e in root.iter() for c in (e.get("class") or "").split() if c[:2] in ("f-", "s-")}
        for name in used:
            assert f".{name}{{" in sheet
        assert set(re.findall(r"\.([fs]-\w+)", sheet)) == used
        assert not [e for e in root.iter(SVG + "rect") if e.get("class") == "hint"]


def test_labels_that_may_cross_marks_lie_on_paper_in_print() -> None:
    board = Board(100, 50)
    board.text(50, 30, "over marks", halo=True, align="center")
    (under,) = parse(printed(board)).iter(SVG + "rect")
    assert under.get("class") == "f-paper"
    left, wide = float(under.get("x")), float(under.get("width"))
    assert left < 50 < left + wide
    assert abs(left + wide / 2 - 50) < 1


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_makes_well_formed_markup(line: str, alt: str) -> None:
    board = Board(100, 40)
    board.text(5, 20, line)
    root = parse(markup(board, key="k", name="n", form="wide", alt=alt))
    assert len(list(root.iter(SVG + "text"))) <= 1


def test_shapes_land_where_they_were_drawn() -> None:
    board = Board(100, 50)
    board.lines([(10, 5, 90, 5.5)], "ink", 2, dash=(3, 2), round_ends=True)
    board.dot(20, 30, "worse", 4, hollow=True)
    board.boxes([(1, 2, 3, 4)], "band", alpha=0.5)
    board.text(99, 40, "7%", "mute", align="right", halo=True, weight=600)
    root = parse(markup(board, key="k", name="n", form="wide", alt="a"))
    box, line = list(root.iter(SVG + "path"))
    assert line.get("d") == "M10 5l80 0.5"
    assert line.get("class") == "s-ink"
    assert line.get("stroke-linecap") == "round"
    assert box.get("d") == "M1 2l2 0l0 2l-2 0z" or box.get("d").startswith("M1 2l2 0l0 2l-2 0")
    assert box.get("opacity") == "0.5"
    (circle,) = root.iter(SVG + "circle")
    assert (circle.get("cx"), circle.get("cy"), circle.get("r")) == ("20", "30", "4")
    assert circle.get("class") == "f-paper s-worse"
    (text,) = root.iter(SVG + "text")
    assert (text.get("x"), text.get("y"), text.get("text-anchor")) == ("99", "40", "end")
    assert text.get("class") == "f-mute b h"


def test_dots_of_a_cloud_are_not_swallowed() -> None:
    board = Board(100, 50)
    board.cloud([(10.0, 10.0), (20.0, 20.0)], "mark", 2.0)
    (path,) = parse(markup(board, key="k", name="n", form="wide", alt="a")).iter(SVG + "path")
    assert path.get("d") == "M10 10h0m10 10h0"
    assert path.get("stroke-linecap") == "round"
