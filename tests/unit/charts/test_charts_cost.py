"""The bridge adds up as it is shown, names what is sure, and the table of models holds every dollar."""

from __future__ import annotations

import math
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporter import report as r
from reporter.charts import bridge, models, style
from reporter.charts.sheet import NARROW, PRINT, WIDE
from reporter.charts.words import Topic
from tests.reports import report, section

replace = msgspec.structs.replace


def topic(job: r.JobSection) -> Topic:
    found = Topic.of(report([job]), 0)
    assert found is not None
    return found


def amounts(table: tuple[tuple[str, ...], ...]) -> list[Decimal]:
    return [Decimal(row[1].replace("$", "").replace(",", "").replace("−", "-")) for row in table]


def plain(prior: float, volume: float, coverage: float, mix: float, unit_cost: float) -> r.Bridge:
    return r.Bridge(
        prior=prior,
        latest=math.fsum((prior, volume, coverage, mix, unit_cost)),
        volume=volume,
        coverage=coverage,
        mix=mix,
        unit_cost=unit_cost,
        intervals={"mix": (mix - 1, mix + 1)},
        lines=[],
    )


@settings(deadline=None)
@given(
    prior=st.floats(0.02, 1e5),
    parts=st.lists(st.floats(-0.2, 0.4), min_size=4, max_size=4).filter(lambda p: sum(p) > -0.9),
)
def test_steps_add_up_as_they_are_shown(prior: float, parts: list[float]) -> None:
    made = plain(prior, *(prior * part for part in parts))
    sheet = bridge.sheet(topic(replace(section(loud=None), bridge=made)))
    assert sheet is not None
    shown = amounts(sheet.table.rows)
    assert sum(shown[:-1]) == shown[-1]
    for row, exact in zip(shown[1:-1], (made.volume, made.coverage, made.mix, made.unit_cost), strict=True):
        assert abs(float(row) - exact) < 0.0100001


def test_a_cluster_that_surely_costs_more_has_a_step_and_the_colour() -> None:
    sheet = bridge.sheet(topic(section()))
    assert sheet is not None
    names = [row[0] for row in sheet.table.rows]
    assert names[3:] == [
        "Mix of clusters",
        "Cost per trace: Data import mapping",
        "Cost per trace: 10 others",
        "Latest window, 16–22\u00a0Nov\u00a02026",
    ]
    assert "the cost per trace of “Data import mapping” alone adds $60.00" in sheet.title
    assert sheet.news
    for form in (WIDE, NARROW, PRINT):
        board = sheet.paint(form)
        loud = [t.get_text() for t in board.texts if t.get_color() == style.LIGHT["worse"]]
        assert "▲" in loud
        assert "+$60.00" in loud


def test_no_cluster_is_named_where_nothing_is_sure() -> None:
    sheet = bridge.sheet(topic(section(loud=None)))
    assert sheet is not None
    assert [row[0] for row in sheet.table.rows[1:-1]] == [
        "Traffic",
        "Coverage of the sample",
        "Mix of clusters",
        "Cost per trace",
    ]
    assert not sheet.news
    assert not {t.get_color() for t in sheet.paint(WIDE).texts} & {
        style.LIGHT["worse"],
        style.LIGHT["better"],
    }


def test_new_and_gone_clusters_are_named_in_the_mix() -> None:
    job = section()
    assert job.bridge is not None
    came = replace(job.bridge.lines[-1], status="new", mix=80.0, mix_interval=(60.0, 99.0))
    lines = [*job.bridge.lines[:-1], came]
    moved = replace(job.bridge, lines=lines, mix=job.bridge.mix + 79.5, latest=job.bridge.latest + 79.5)
    sheet = bridge.sheet(topic(replace(job, bridge=moved)))
    assert sheet is not None
    assert any(row[0].startswith("Mix: ") and row[0].endswith(", new") for row in sheet.table.rows)
    shown = amounts(sheet.table.rows)
    assert sum(shown[:-1]) == shown[-1]


@pytest.mark.parametrize(
    ("made", "title"),
    [
        (plain(100, 0, 0, 0, 0.2), "The traces of the window cost $100, as much as before"),
        (plain(100, 30, 0, 0, -5), "cost $125, up from $100; traffic alone adds $30.00"),
        (plain(100, -30, 0, 0, 5), "cost $75.00, down from $100; traffic alone saves $30.00"),
        (plain(100, -30, 8, 16, 17), "cost $111, up from $100"),
    ],
)
def test_the_finding_is_the_bill_and_its_largest_step(made: r.Bridge, title: str) -> None:
    sheet = bridge.sheet(topic(replace(section(loud=None), bridge=made)))
    assert sheet is not None
    assert sheet.title.endswith(title)


def test_small_bills_are_shown_finer_than_cents() -> None:
    sheet = bridge.sheet(topic(replace(section(loud=None), bridge=plain(0.5, 0.01, 0, 0, 0.003))))
    assert sheet is not None
    assert [row[1] for row in sheet.table.rows] == [
        "$0.5000", "+$0.0100", "$0.0000", "$0.0000", "+$0.0030", "$0.5130",
    ]  # fmt: skip


def test_no_bill_no_bridge() -> None:
    assert bridge.sheet(topic(replace(section(), bridge=None))) is None


def test_the_table_of_models_holds_every_model_and_the_total() -> None:
    job = section(clusters=4)
    sheet = models.sheet(topic(job))
    assert sheet is not None
    assert sheet.table.columns == ("Cluster", "large-model-5", "small-model", "All models")
    assert sheet.table.rows[-1][0] == "All items sampled"
    assert len(sheet.table.rows) == 4 + 1 + 1
    assert sheet.title.startswith("large-model-5 takes 80% of the sample\u2019s")


def test_models_beyond_the_columns_are_summed_up() -> None:
    job = section(clusters=3)
    many = [
        r.ModelCost(model=f"model-{i}", calls=1, tokens=1.0, cost_usd=10.0 - i, prior_cost_usd=None)
        for i in range(9)
    ]
    assert job.overall is not None
    clusters = [replace(c, models=many) for c in job.clusters]
    found = topic(replace(job, clusters=clusters, overall=replace(job.overall, models=many)))
    made = models.grid(found, many, 6)
    assert made.heads == ("model-0", "model-1", "model-2", "model-3", "model-4", "other")
    assert made.cells[0][-1] == pytest.approx(5 + 4 + 3 + 2)
    assert math.fsum(usd or 0 for usd in made.cells[0]) == pytest.approx(54.0)


@pytest.mark.parametrize("count", [0, 1])
def test_one_model_needs_no_table(count: int) -> None:
    job = section(clusters=3)
    assert job.overall is not None
    few = job.overall.models[:count]
    assert models.sheet(topic(replace(job, overall=replace(job.overall, models=few)))) is None
