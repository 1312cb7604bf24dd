"""What border moves explain of a change: known moves, read back."""

from __future__ import annotations

import math

import pytest

from reporter.analysis import borders
from reporter.analysis.borders import Borders, Moves
from reporter.model import ItemMetrics, MemberCluster, Membership
from tests.worlds import row


def keys(name: str, count: int, start: int = 0) -> frozenset[str]:
    return frozenset(f"{name}{n}" for n in range(start, start + count))


def priced(cheap: frozenset[str], dear: frozenset[str]) -> dict[str, ItemMetrics]:
    rows = {key: row(key, cost_usd=0.01, latency_s=1.0, error_events=0) for key in cheap}
    return rows | {key: row(key, cost_usd=0.05, latency_s=3.0, error_events=1) for key in dear}


def test_a_neighbour_taken_in_is_seen_on_shared_items() -> None:
    cheap, dear = keys("c", 60), keys("d", 60)
    everything = cheap | dear
    swallowed = cheap | keys("d", 20)
    moves = Borders(everything, everything, priced(cheap, dear)).moves(cheap, swallowed)
    assert moves.mean["cost"] == pytest.approx(math.log((60 * 0.01 + 20 * 0.05) / 80 / 0.01))
    assert moves.typical["cost"] == pytest.approx(0.25 * math.log(5))
    assert moves.errors == pytest.approx(20 / 80)
    assert (moves.slack, moves.share) == (0.0, None)


def test_both_orders_of_the_runs_tell_opposite_moves() -> None:
    cheap, dear = keys("c", 60), keys("d", 60)
    both = Borders(cheap | dear, cheap | dear, priced(cheap, dear))
    there, back = both.moves(cheap, cheap | keys("d", 20)), both.moves(cheap | keys("d", 20), cheap)
    assert back.mean["cost"] == pytest.approx(-there.mean["cost"])
    assert back.errors == pytest.approx(-there.errors)


def test_a_neighbour_taken_in_is_seen_over_a_run_between() -> None:
    old_cheap, old_dear = keys("old-c", 60), keys("old-d", 60)
    new_cheap, new_dear = keys("fresh-c", 60), keys("fresh-d", 60)
    middle = Membership(
        "m",
        (
            MemberCluster(0, "Cheap", "", tuple(sorted(old_cheap | new_cheap))),
            MemberCluster(1, "Dear", "", tuple(sorted(old_dear | new_dear))),
        ),
    )
    both = Borders(
        old_cheap | old_dear,
        new_cheap | new_dear,
        priced(old_cheap | new_cheap, old_dear | new_dear),
        [middle],
    )
    moves = both.moves(old_cheap, new_cheap | keys("fresh-d", 20))
    assert moves.mean["cost"] == pytest.approx(math.log((60 * 0.01 + 20 * 0.05) / 80 / 0.01))
    assert moves.share == pytest.approx(math.log(80 / 60))
    assert moves.slack > 0
    still = both.moves(old_cheap, new_cheap)
    assert still.mean["cost"] == pytest.approx(0.0)
    assert still.share == pytest.approx(0.0)


def test_without_common_items_nothing_is_known() -> None:
    both = Borders(keys("a", 30), keys("b", 30), {})
    assert both.moves(keys("a", 20), keys("b", 20)) == borders.UNKNOWN


@pytest.mark.parametrize(
    ("change", "moved", "slack", "explained"),
    [
        (0.5, 0.2, 0.0, 0.2),
        (0.5, 0.9, 0.0, 0.5),
        (0.5, -0.3, 0.0, 0.0),
        (-0.5, -0.3, 0.0, -0.3),
        (-0.5, 0.3, 0.0, 0.0),
        (0.5, 0.0, 0.2, 0.2),
        (-0.1, 0.0, 0.2, -0.1),
        (0.0, 0.4, 0.1, 0.0),
    ],
)
def test_borders_explain_never_more_than_there_is(
    change: float, moved: float, slack: float, explained: float
) -> None:
    moves = Moves(
        mean={"cost": moved}, typical={"cost": moved}, errors=moved, slack=slack, slack_points=slack
    )
    assert moves.of_mean("cost", change) == pytest.approx(explained)
    assert moves.of_typical("cost", change) == pytest.approx(explained)
    assert moves.of_errors(change) == pytest.approx(explained)


def test_spread_of_re_clustering_is_robust_and_has_a_floor() -> None:
    assert borders.spread([0.0] * 4) == 0.15
    assert borders.spread([0.0, 0.01, -0.01, 0.02, 0.0, 2.0]) == 0.08
    assert borders.spread([0.2, -0.2, 0.2, -0.2, 0.2]) == pytest.approx(1.4826 * 0.2)


def test_noise_is_judged_by_how_much_it_wanders() -> None:
    assert borders.noise_spread([0.1, 0.1, 0.1]) == 0.8
    wild = borders.noise_spread([0.02, 0.2, 0.01, 0.3])
    assert wild == pytest.approx(1.6788 * math.sqrt(2), rel=1e-3)
