"""What a change of unit cost is made of: known causes, told apart, adding up."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.analysis.bridge import Population, bridge
from reporter.analysis.cells import Cell, Spent
from reporter.analysis.unit_cost import PARTS
from reporter.model import ModelUse
from reporter.report import Bridge

BEFORE, AFTER = Population(1000, 100.0), Population(1000, 130.0)
NAMES = (*PARTS, "other")


def use(model: str | None, calls: int, tokens: float, price: float) -> ModelUse:
    return ModelUse(model, calls, tokens, tokens * price)


def cell(before: list[Spent | None], after: list[Spent | None], title: str = "a") -> Cell:
    def mean(items: list[Spent | None]) -> float | None:
        known = [spent.cost_usd for spent in items if spent is not None]
        return math.fsum(known) / len(known) if known else None

    return Cell(
        title,
        "continued",
        1.0,
        1.0,
        mean(before),
        mean(after),
        {f"p{i}": spent for i, spent in enumerate(before)},
        {f"l{i}": spent for i, spent in enumerate(after)},
    )


def spent(*uses: ModelUse, beyond: float = 0.0) -> Spent:
    return Spent(math.fsum(use.cost_usd or 0.0 for use in uses) + beyond, uses)


def told(before: list[Spent | None], after: list[Spent | None]) -> dict[str, float]:
    made = bridge([cell(before, after)], BEFORE, AFTER)
    assert made is not None
    parts = made.unit_cost_parts
    assert parts is not None
    shares = {name: getattr(parts, name) / made.unit_cost for name in NAMES}
    assert math.fsum(shares.values()) == pytest.approx(1.0)
    return {name: round(share, 9) for name, share in shares.items() if abs(share) > 1e-9}


def test_each_cause_alone_is_named() -> None:
    base = [spent(use("m", 2, 1000, 1e-5))] * 30
    assert told(base, [spent(use("m", 4, 2000, 1e-5))] * 30) == {"calls_per_item": 1.0}
    assert told(base, [spent(use("m", 2, 3000, 1e-5))] * 30) == {"tokens_per_call": 1.0}
    assert told(base, [spent(use("m", 2, 1000, 4e-5))] * 30) == {"price_per_token": 1.0}
    assert told(base, [spent(use("m", 2, 1000, 1e-5), beyond=0.01)] * 30) == {"other": 1.0}
    assert told(base, [spent(use("dear", 2, 1000, 4e-5))] * 30) == {"model_mix": 1.0}


@given(
    st.lists(st.tuples(st.integers(1, 9), st.floats(1, 1e5), st.floats(1e-9, 1e-3)), min_size=2, max_size=2)
)
def test_where_calls_explain_all_nothing_is_other(sides: list[tuple[int, float, float]]) -> None:
    before, after = ([spent(use("m", *side))] * 30 for side in sides)
    made = bridge([cell(before, after)], BEFORE, AFTER)
    assert made is not None
    assert made.unit_cost_parts is not None
    assert made.unit_cost_parts.other == 0.0


def test_a_cell_without_calls_on_a_side_is_other() -> None:
    base = [spent(use("m", 2, 1000, 1e-5))] * 30
    made = bridge(
        [cell(base, base), cell([Spent(0.01)] * 20, [Spent(0.03)] * 20, "spans")],
        BEFORE,
        AFTER,
    )
    assert made is not None
    line = next(line for line in made.lines if line.title == "spans")
    assert line.unit_cost_parts is not None
    assert line.unit_cost_parts.other == pytest.approx(line.unit_cost)


def test_without_any_call_nothing_is_split() -> None:
    made = bridge([cell([Spent(0.01)] * 20, [Spent(0.03)] * 20)], BEFORE, AFTER)
    assert made is not None
    assert made.unit_cost_parts is None
    assert made.lines[0].unit_cost_parts is None


@st.composite
def items(draw: st.DrawFn) -> list[Spent | None]:
    rng = random.Random(draw(st.integers(0, 10**6)))
    made: list[Spent | None] = []
    for _ in range(draw(st.integers(1, 12))):
        uses = [
            ModelUse(
                rng.choice(("m", "n", None)),
                rng.randrange(4),
                rng.choice((None, 0.0, 100.0, 5000.0)),
                rng.choice((None, 0.0, 0.01, 2.0)),
            )
            for _ in range(rng.randrange(3))
        ]
        uses = [use for i, use in enumerate(uses) if use.model not in {u.model for u in uses[:i]}]
        cost = math.fsum(use.cost_usd or 0.0 for use in uses) + rng.choice((0.0, 0.001))
        made.append(None if rng.random() < 0.1 else Spent(cost, tuple(uses)))
    return made


@given(before=items(), after=items(), more=items())
def test_parts_add_up_and_turn_with_the_runs(
    before: list[Spent | None], after: list[Spent | None], more: list[Spent | None]
) -> None:
    def both(a: list[Spent | None], b: list[Spent | None]) -> list[Cell]:
        halves = [cell(a, b), cell(more, more, "still")]
        return [
            Cell(
                c.title,
                c.status,
                0.5,
                0.5,
                c.prior_cost_usd,
                c.latest_cost_usd,
                c.prior_items,
                c.latest_items,
            )
            for c in halves
        ]

    there = bridge(both(before, after), BEFORE, AFTER)
    back = bridge(both(after, before), AFTER, BEFORE)
    assert (there is None) == (back is None)
    if there is None or back is None:
        return
    size = BEFORE.cost_usd + AFTER.cost_usd
    for made in (there, *there.lines):
        if made.unit_cost_parts is not None:
            total = math.fsum(getattr(made.unit_cost_parts, name) for name in NAMES)
            assert total == pytest.approx(made.unit_cost, abs=1e-9 * size)
    assert _named(there) == pytest.approx({name: -value for name, value in _named(back).items()}, abs=1e-7)


def _named(made: Bridge) -> dict[str, float]:
    return {name: getattr(made.unit_cost_parts, name) for name in NAMES} if made.unit_cost_parts else {}


def test_lines_have_intervals_where_their_cells_hold_enough() -> None:
    rng = random.Random(3)

    def drawn(name: str, count: int) -> dict[str, Spent | None]:
        return {f"{name}{i}": Spent(rng.lognormvariate(-4, 0.8)) for i in range(count)}

    def made(title: str, a: dict[str, Spent | None], b: dict[str, Spent | None]) -> Cell:
        means = [math.fsum(s.cost_usd for s in x.values() if s) / len(x) if x else None for x in (a, b)]
        return Cell(title, "x", len(a) / 149, len(b) / 149, means[0], means[1], a, b)

    cells = [
        made("both", drawn("a", 100), drawn("b", 100)),
        made("small", drawn("c", 9), drawn("d", 9)),
        made("gone", drawn("e", 40), {}),
        made("new", {}, drawn("f", 40)),
    ]
    lines = {line.title: line for line in bridge(cells, BEFORE, AFTER, 1).lines}  # type: ignore[union-attr]
    assert {title for title, line in lines.items() if line.mix_interval} == {"both", "gone", "new"}
    assert {title for title, line in lines.items() if line.unit_cost_interval} == {"both"}
    for line in lines.values():
        if line.mix_interval:
            assert line.mix_interval[0] <= line.mix <= line.mix_interval[1]
