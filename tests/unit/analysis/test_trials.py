"""What is measured of a pair of sides: drivers, distinct observations, what is good, money outside the sample."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from reporter import report as r
from reporter.analysis import borders, findings, section, trials, wording
from reporter.analysis.trials import Side
from tests.worlds import THEMES, inputs, row, rows, run

SIZES = dict(zip(THEMES, (120, 100, 80, 60), strict=False))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1.0] * 9, [1.0] * 8 + [50.0], ("b8",)),
        ([1.0] * 9, [1.0] * 6 + [9.0, 50.0, 60.0], ("b8", "b7", "b6")),
        ([1.0] * 9, [2.0] * 9, ()),
        ([1.0] * 8 + [50.0], [1.0] * 9, ("a8",)),
        ([1.0] * 9, [1.0] * 9, ()),
        ([1.0] * 3, [1.0, 1.0, 90.0], ()),
    ],
)
def test_drivers_are_the_fewest_dearest_items_without_which_it_would_not_be_higher(
    a: list[float], b: list[float], expected: tuple[str, ...]
) -> None:
    sides = [{f"{name}{i}": value for i, value in enumerate(side)} for name, side in (("a", a), ("b", b))]
    assert trials._drivers(*sides) == expected


def test_evaluations_of_one_generation_are_one_observation() -> None:
    def side(name: str, cost: float) -> Side:
        made = {
            f"{name}{i}": row(
                f"{name}{i}", cost_usd=cost + i // 3 * 0.001, target_id=f"{name}-target{i // 3}"
            )
            for i in range(90)
        }
        return Side(frozenset(made), made, frozenset(made))

    def told(a: Side, b: Side) -> trials.Trial:
        found = trials.trials(a, b, borders.STILL, 1, 0.15, whole=True)
        return next(trial for trial in found if trial.metric == "mean_cost_usd")

    a, b = side("a", 0.02), side("b", 0.03)
    plain = [
        Side(x.keys, {key: replace(value, target_id=None) for key, value in x.rows.items()}, x.keys)
        for x in (a, b)
    ]
    once, thrice = told(a, b), told(*plain)
    assert once.prior == thrice.prior
    assert once.contrast.difference == pytest.approx(thrice.contrast.difference)
    widths = [(t.contrast.high or 0.0) - (t.contrast.low or 0.0) for t in (once, thrice)]
    assert widths[0] == pytest.approx(widths[1] * 3**0.5, rel=0.1)


def test_which_way_is_good_can_be_chosen() -> None:
    latest, prior = run(SIZES, 0), run(SIZES, 7)
    dearer = inputs(latest, prior, latest_rows=rows(latest, 1, cost={"Refund disputes": 4.0}))

    def good(**wanted: str) -> set[bool | None]:
        made = section.build(replace(dearer, good={"mean_cost_usd": "down"} | wanted))  # type: ignore[arg-type]
        return {f.good for f in findings.findings([made]) if f.metric == "mean_cost_usd"}

    assert good() == {False}
    assert good(mean_cost_usd="up") == {True}
    assert good(mean_cost_usd="neutral") == {None}


def quiet() -> r.JobSection:
    return section.build(inputs(run(SIZES, 0), run(SIZES, 7)))


@pytest.mark.parametrize(
    ("coverage", "limits", "told"), [(30.0, (12.0, 50.0), True), (30.0, (8.0, 50.0), False)]
)
def test_money_outside_the_sample_is_told_where_it_surely_is_a_tenth(
    coverage: float, limits: tuple[float, float], told: bool
) -> None:
    bridge = r.Bridge(
        prior=100.0,
        latest=130.0,
        volume=0.0,
        coverage=coverage,
        mix=0.0,
        unit_cost=0.0,
        intervals={"coverage": limits},
        lines=[],
    )
    found = findings.findings([msgspec.structs.replace(quiet(), bridge=bridge)])
    assert [f.kind for f in found] == (["coverage"] if told else [])
    for finding in found:
        assert (finding.call, finding.impact_usd, finding.good) == ("probably_changed", 30.0, None)
        assert finding.sentence.startswith("About $30.00 more than before was probably spent outside")


def test_a_change_that_few_traces_carry_says_so() -> None:
    latest, prior = run(SIZES, 0), run(SIZES, 7)
    made = section.build(inputs(latest, prior, latest_rows=rows(latest, 1, cost={"Refund disputes": 4.0})))
    first = next(c for c in made.clusters if c.title == "Refund disputes")
    assert first.change is not None
    carried = msgspec.structs.replace(first.change.metrics["mean_cost_usd"], driven_by=["t1", "t2"])
    change = msgspec.structs.replace(first.change, metrics=first.change.metrics | {"mean_cost_usd": carried})
    clusters = [msgspec.structs.replace(c, change=change) if c is first else c for c in made.clusters]
    told = findings.findings([msgspec.structs.replace(made, clusters=clusters)])
    finding = next(f for f in told if f.metric == "mean_cost_usd" and f.cluster_id == first.cluster_id)
    assert finding.sentence.endswith("without the two dearest it would have gone the other way.")
    assert finding.trace_ids[:2] == ["t1", "t2"]


@pytest.mark.parametrize(
    ("share", "words"), [(0.6, "dissolved into the outliers"), (0.4, "is gone"), (None, "is gone")]
)
def test_a_cluster_that_went_to_noise_dissolved(share: float | None, words: str) -> None:
    latest = run({"Refund disputes": 200, "Webhook errors": 60}, 0, prefix="w")
    prior = run({"Refund disputes": 200, "Parcel tracking": 80}, 1, prefix="w")
    made = section.build(inputs(latest, prior))
    entries = [
        msgspec.structs.replace(entry, noise_share=share) if entry.kind == "gone" else entry
        for entry in made.transitions
    ]
    made = msgspec.structs.replace(made, transitions=entries)
    gone = next(f for f in findings.findings([made]) if f.kind == "gone")
    assert words in wording.sentence(gone, made)
