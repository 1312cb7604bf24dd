"""The cost bridge adds up, treats its factors alike and centres its lines."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis import bridge as room
from reporter.analysis import cells as drawing
from reporter.analysis import section
from reporter.analysis.bridge import MIN_PAID, Population, bridge
from reporter.analysis.cells import Cell, Spent
from reporter.model import Run, Totals
from reporter.report import Bridge
from tests.worlds import cluster, header, inputs, rows, run

amount = st.floats(0.01, 100)
STEPS = ("volume", "coverage", "mix", "unit_cost")
BEFORE, AFTER = Population(9000, 250.0), Population(9900, 300.0)


def cut(*pairs: tuple[Mapping[str, float | None], Mapping[str, float | None]]) -> list[Cell]:
    """Make cells of what their items cost on both sides."""

    def mean(items: Mapping[str, float | None]) -> float | None:
        known = [cost for cost in items.values() if cost is not None]
        return math.fsum(known) / len(known) if known else None

    def spent(items: Mapping[str, float | None]) -> dict[str, Spent | None]:
        return {key: None if cost is None else Spent(cost) for key, cost in items.items()}

    sizes = [sum(len(pair[t]) for pair in pairs) for t in (0, 1)]
    return [
        Cell(f"c{k}", "continued", len(a) / sizes[0], len(b) / sizes[1], mean(a), mean(b), spent(a), spent(b))
        for k, (a, b) in enumerate(pairs)
    ]


def sampled(rng: random.Random, name: str, n: int, scale: float = 1.0) -> dict[str, float | None]:
    """Draw costs of some items; a tenth has no data."""
    return {
        f"{name}{i}": None if rng.random() < 0.1 else scale * rng.lognormvariate(-4, 0.8) for i in range(n)
    }


def some_cells(seed: int = 1) -> list[Cell]:
    """Two cells with common items, a small one, one that came, one that went, the noise."""
    rng = random.Random(seed)
    common = sampled(rng, "x", 60)
    return cut(
        (common | sampled(rng, "a", 80), common | sampled(rng, "b", 120, 1.5)),
        (sampled(rng, "c", 90, 3), sampled(rng, "d", 50, 3)),
        ({"lone": 0.5}, {"lonely": 0.1, "free": 0.0, "dark": None}),
        ({}, sampled(rng, "e", 30)),
        (sampled(rng, "f", 25), {}),
        (sampled(rng, "g", 20), {"h": None}),
    )


def turned(cells: list[Cell]) -> list[Cell]:
    """Swap prior and latest."""
    return [
        Cell(
            c.title,
            c.status,
            c.latest_share,
            c.prior_share,
            c.latest_cost_usd,
            c.prior_cost_usd,
            c.latest_items,
            c.prior_items,
        )
        for c in cells
    ]


def bare(made: Bridge) -> Bridge:
    lines = [msgspec.structs.replace(line, mix_interval=None, unit_cost_interval=None) for line in made.lines]
    return msgspec.structs.replace(made, intervals={}, lines=lines)


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
    there, again = bridge(cells, prior, latest), bridge(turned(cells), latest, prior)
    assert there is not None
    assert again is not None
    size = prior.cost_usd + latest.cost_usd + abs(there.volume) + abs(there.coverage)
    for part in STEPS:
        assert getattr(there, part) == pytest.approx(-getattr(again, part), abs=1e-9 * size)


def test_one_factor_that_moves_alone_takes_the_whole_change() -> None:
    def cells(share: float, cost: float) -> list[Cell]:
        return [
            Cell("a", "continued", 0.5, share, 1.0, cost),
            Cell("b", "continued", 0.5, 1 - share, 3.0, 3.0),
        ]

    def parts(made: object) -> list[float]:
        return [round(getattr(made, part), 9) for part in STEPS]

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


@pytest.mark.parametrize("seed", range(5))
def test_every_interval_holds_its_step_and_has_a_width(seed: int) -> None:
    made = bridge(some_cells(seed), BEFORE, AFTER, seed)
    assert made is not None
    assert tuple(made.intervals) == STEPS
    for part, (low, high) in made.intervals.items():
        assert low <= getattr(made, part) <= high
        assert high - low > 1e-3
    moved = math.fsum(getattr(made, part) for part in STEPS)
    assert moved == pytest.approx(AFTER.cost_usd - BEFORE.cost_usd, abs=1e-9)
    plain = bridge([replace(c, prior_items={}, latest_items={}) for c in some_cells(seed)], BEFORE, AFTER)
    assert plain is not None
    assert plain.intervals == {}
    assert bare(plain) == bare(made)


def test_the_seed_alone_fixes_the_draws() -> None:
    first, again, other = (bridge(some_cells(), BEFORE, AFTER, seed) for seed in (7, 7, 8))
    assert first is not None
    assert other is not None
    assert first == again
    assert first.intervals != other.intervals
    assert bare(first) == bare(other)


def test_the_same_run_on_both_sides_leaves_nothing_uncertain() -> None:
    items = [sampled(random.Random(k), f"k{k}-", 40, k + 1) for k in range(4)]
    made = bridge(cut(*((held, held) for held in items)), BEFORE, replace(BEFORE, cost_usd=300.0))
    assert made is not None
    expected = {"volume": 0, "coverage": 50, "mix": 0, "unit_cost": 0}
    for part, value in expected.items():
        assert made.intervals[part] == pytest.approx((value, value), abs=1e-9)


def test_common_items_are_drawn_once_for_both_sides() -> None:
    """What every item costs twice as much later; only how the items are paired differs."""
    rng = random.Random(4)
    before = [sampled(rng, f"k{k}-", 60, k + 1) for k in range(3)]
    after = [{key: cost and 2 * cost for key, cost in held.items()} for held in before]
    alone = [{f"other-{key}": cost for key, cost in held.items()} for held in after]
    widths = []
    for latest in (after, alone):
        made = bridge(cut(*zip(before, latest, strict=True)), BEFORE, AFTER)
        assert made is not None
        low, high = made.intervals["unit_cost"]
        widths.append(high - low)
    assert widths[0] < 1e-9 < widths[1] / 100


def test_swapping_the_windows_mirrors_every_interval() -> None:
    there = bridge(some_cells(), BEFORE, AFTER, 3)
    again = bridge(turned(some_cells()), AFTER, BEFORE, 3)
    assert there is not None
    assert again is not None
    for part, (low, high) in there.intervals.items():
        assert again.intervals[part] == pytest.approx((-high, -low), abs=1e-9)


def test_order_of_items_and_draws_at_once_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(2)

    def mixed(items: Mapping[str, Spent | None]) -> dict[str, Spent | None]:
        return dict(rng.sample(sorted(items.items()), len(items)))

    cells = some_cells()
    shuffled = [
        replace(c, prior_items=mixed(c.prior_items), latest_items=mixed(c.latest_items)) for c in cells
    ]
    made = bridge(cells, BEFORE, AFTER, 3)
    assert made == bridge(shuffled, BEFORE, AFTER, 3)
    monkeypatch.setattr(drawing, "_AT_ONCE", 1)
    few = bridge(cells, BEFORE, AFTER, 3)
    assert made is not None
    assert few is not None
    for part, limits in made.intervals.items():
        assert few.intervals[part] == pytest.approx(limits, abs=0.2 * (limits[1] - limits[0]))


def test_intervals_narrow_as_samples_hold_more_of_their_windows() -> None:
    cells = some_cells(1)
    held = min(sum(len(c.prior_items) for c in cells), sum(len(c.latest_items) for c in cells))

    def width(times: float) -> float:
        made = bridge(cells, Population(round(held * times), 9.0), Population(round(held * times), 9.0), 1)
        assert made is not None
        return made.intervals["mix"][1] - made.intervals["mix"][0]

    assert width(4 / 3) == pytest.approx(width(1_000) / 2, rel=0.05)
    whole = bridge(cells, Population(held, 9.0), Population(held, 9.0), 1)
    assert whole is not None
    assert whole.intervals == {}


def test_too_few_paid_items_on_a_side_give_no_intervals() -> None:
    paid: dict[str, float | None] = {f"p{i}": 1.0 for i in range(MIN_PAID)}
    scarce = {key: cost for key, cost in paid.items() if key != "p0"} | {"free": 0.0, "dark": None}
    for pair, told in (((paid, paid), True), ((scarce, paid), False), ((paid, scarce), False)):
        made = bridge(cut(pair), BEFORE, AFTER)
        assert made is not None
        assert bool(made.intervals) is told


def test_a_draw_without_a_paid_item_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MIN_PAID", 2)
    items: dict[str, float | None] = {"a": 1.0, "b": 2.0} | {f"free{i}": 0.0 for i in range(30)}
    made = bridge(cut((items, {key: cost and 2 * cost for key, cost in items.items()})), BEFORE, AFTER)
    assert made is not None
    assert all(math.isfinite(limit) for limits in made.intervals.values() for limit in limits)


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
    assert all(low <= getattr(made, part) <= high for part, (low, high) in made.intervals.items())
    assert tuple(made.intervals) == STEPS
    unpriced = section.build(inputs(latest, prior, prior_totals=replace(totals, cost_usd=None)))
    assert unpriced.bridge is None
    assert section.build(inputs(run({"A": 5}, 0))).bridge is None


def test_a_section_gives_the_same_bridge_for_shuffled_runs_and_rows() -> None:
    totals = Totals(items=900, calls=1, cost_usd=20.0, tokens=None, error_events=0)
    prior = run({"Refund disputes": 80, "Parcel tracking": 40}, 7, noise=20)
    latest = run({"Refund disputes": 60, "Webhook errors": 50}, 0, noise=10)
    rng = random.Random(5)

    def mixed(made: Run) -> Run:
        parts = [replace(c, items=tuple(rng.sample(c.items, c.size))) for c in made.clusters]
        return replace(made, clusters=tuple(rng.sample(parts, len(parts))))

    def built(a: Run, b: Run, seed: int) -> Bridge | None:
        figures = [list(rows(prior, 2)), list(rows(latest, 1))]
        if a is not prior:
            for found in figures:
                rng.shuffle(found)
        return section.build(
            inputs(
                b,
                a,
                prior_rows=figures[0],
                latest_rows=figures[1],
                latest_totals=replace(totals, cost_usd=30.0),
                prior_totals=totals,
                seed=seed,
            )
        ).bridge

    made = built(prior, latest, 1)
    assert made is not None
    assert tuple(made.intervals) == STEPS
    assert made == built(mixed(prior), mixed(latest), 1)
    assert made != built(prior, latest, 2)
