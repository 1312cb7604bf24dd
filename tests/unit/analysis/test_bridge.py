"""The cost bridge adds up, treats its factors alike and centres its lines."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import section
from reporter.analysis.bridge import Cell, Population, bridge
from reporter.model import Run, Totals
from tests.worlds import cluster, header, inputs, rows, run

amount = st.floats(0.01, 100)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Cell], Population, Population]:
    n = draw(st.integers(1, 8))
    old, new = (
        draw(st.lists(st.floats(0, 1), min_size=n, max_size=n).filter(lambda v: sum(v) > 0.1))
        for _ in range(2)
    )
    cells = [
        Cell(
            f"c{i}",
            "continued",
            a / sum(old),
            b / sum(new),
            draw(amount) if a else None,
            draw(amount) if b else None,
        )
        for i, (a, b) in enumerate(zip(old, new, strict=True))
        if a or b
    ]
    populations = [Population(draw(st.integers(1, 10**6)), draw(st.floats(0.01, 1e6))) for _ in range(2)]
    return cells, populations[0], populations[1]


@given(worlds())
def test_the_four_parts_and_the_lines_add_up(world: tuple[list[Cell], Population, Population]) -> None:
    cells, prior, latest = world
    made = bridge(cells, prior, latest)
    assert made is not None
    size = (
        sum(map(abs, (made.volume, made.coverage, made.mix, made.unit_cost)))
        + prior.cost_usd
        + latest.cost_usd
    )
    moved = math.fsum((made.volume, made.coverage, made.mix, made.unit_cost))
    assert moved == pytest.approx(latest.cost_usd - prior.cost_usd, abs=1e-9 * size)
    assert math.fsum(line.mix for line in made.lines) == pytest.approx(made.mix, abs=1e-9 * size)
    assert math.fsum(line.unit_cost for line in made.lines) == pytest.approx(made.unit_cost, abs=1e-9 * size)


@given(worlds())
def test_swapping_the_windows_turns_every_sign(world: tuple[list[Cell], Population, Population]) -> None:
    cells, prior, latest = world
    back = [
        replace(
            c,
            prior_share=c.latest_share,
            latest_share=c.prior_share,
            prior_cost_usd=c.latest_cost_usd,
            latest_cost_usd=c.prior_cost_usd,
        )
        for c in cells
    ]
    there, again = bridge(cells, prior, latest), bridge(back, latest, prior)
    assert there is not None
    assert again is not None
    size = prior.cost_usd + latest.cost_usd + abs(there.volume) + abs(there.coverage)
    for part in ("volume", "coverage", "mix", "unit_cost"):
        assert getattr(there, part) == pytest.approx(-getattr(again, part), abs=1e-9 * size)


def test_one_factor_that_moves_alone_takes_the_whole_change() -> None:
    def cells(share: float, cost: float) -> list[Cell]:
        return [
            Cell("a", "continued", 0.5, share, 1.0, cost),
            Cell("b", "continued", 0.5, 1 - share, 3.0, 3.0),
        ]

    def parts(made: object) -> list[float]:
        return [round(getattr(made, part), 9) for part in ("volume", "coverage", "mix", "unit_cost")]

    base = Population(100, 200.0)
    assert parts(bridge(cells(0.5, 1.0), base, Population(150, 300.0))) == [100, 0, 0, 0]
    assert parts(bridge(cells(0.5, 1.0), base, Population(100, 260.0))) == [0, 60, 0, 0]
    assert parts(bridge(cells(0.75, 1.0), base, Population(100, 150.0))) == [0, 0, -50, 0]
    assert parts(bridge(cells(0.5, 2.0), base, Population(100, 250.0))) == [0, 0, 0, 50]


def test_growth_of_a_cheap_cluster_is_a_saving() -> None:
    made = bridge(
        [Cell("cheap", "continued", 0.5, 0.75, 1.0, 1.0), Cell("dear", "continued", 0.5, 0.25, 3.0, 3.0)],
        Population(100, 200.0),
        Population(100, 150.0),
    )
    assert made is not None
    assert all(line.mix < 0 for line in made.lines)


def test_a_new_cell_is_all_mix() -> None:
    made = bridge(
        [Cell("old", "continued", 1.0, 0.5, 1.0, 1.0), Cell("new", "new", 0.0, 0.5, None, 5.0)],
        Population(10, 10.0),
        Population(10, 30.0),
    )
    assert made is not None
    assert (round(made.mix, 9), round(made.unit_cost, 9)) == (20, 0)


@pytest.mark.parametrize(("prior", "latest"), [((0, 1.0), (1, 1.0)), ((1, 0.0), (1, 1.0))])
def test_nothing_to_divide_gives_no_bridge(prior: tuple[int, float], latest: tuple[int, float]) -> None:
    cells = [Cell("a", "continued", 1.0, 1.0, 1.0, 1.0)]
    assert bridge(cells, Population(*prior), Population(*latest)) is None
    assert bridge([replace(cells[0], prior_cost_usd=0.0)], Population(1, 1.0), Population(1, 1.0)) is None


def test_a_section_with_both_populations_has_a_bridge_over_all_its_cells() -> None:
    keys = [f"k{i}" for i in range(100)]
    prior = Run(
        header(1, items=160),
        (
            cluster(0, "Refund disputes", keys),
            cluster(1, "Parcel tracking", [f"p{i}" for i in range(40)]),
            cluster(-1, "Outliers", [f"n{i}" for i in range(20)]),
        ),
    )
    latest = Run(
        header(0, items=160),
        (
            cluster(0, "Refund disputes", keys[:60]),
            cluster(1, "Chargebacks by bank", keys[60:]),
            cluster(2, "Webhook errors", [f"w{i}" for i in range(60)]),
        ),
    )
    totals = Totals(items=900, calls=1, cost_usd=20.0, tokens=None, error_events=0)
    made = section.build(
        inputs(
            latest,
            prior,
            prior_rows=rows(prior, 2),
            latest_totals=replace(totals, cost_usd=30.0),
            prior_totals=totals,
        )
    ).bridge
    assert made is not None
    assert {line.status for line in made.lines} == {"split", "gone", "new", "noise"}
    assert math.fsum((made.volume, made.coverage, made.mix, made.unit_cost)) == pytest.approx(10.0)
    unpriced = section.build(inputs(latest, prior, prior_totals=replace(totals, cost_usd=None)))
    assert unpriced.bridge is None
    assert section.build(inputs(run({"A": 5}, 0))).bridge is None
