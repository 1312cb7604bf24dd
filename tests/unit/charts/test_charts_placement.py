"""Labels on a map never touch each other and never leave the sheet."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reporter.charts.hulls import island
from reporter.charts.placement import Placed, Wanted, place

NONE = np.empty((0, 2))


def wanted(x: float, y: float, width: float = 90, height: float = 16, spread: float = 30) -> Wanted:
    dots = np.random.default_rng(3).normal((x, y), spread, size=(60, 2))
    return Wanted(width, height, np.clip(island(dots), 0, [880, 520]), dots)


def overlap(a: Placed, b: Placed) -> bool:
    return a.box[0] < b.box[2] and b.box[0] < a.box[2] and a.box[1] < b.box[3] and b.box[1] < a.box[3]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 880), st.floats(0, 520), st.floats(20, 170)), min_size=1, max_size=25))
def test_placed_labels_never_touch_and_stay_on_the_sheet(spots: list[tuple[float, float, float]]) -> None:
    places = [p for p in place([wanted(x, y, w) for x, y, w in spots], NONE, 880, 520) if p]
    for one, other in itertools.combinations(places, 2):
        assert not overlap(one, other)
    for one in places:
        assert one.box[0] >= 0
        assert one.box[1] >= 0
        assert one.box[2] <= 880 + 1e-6
        assert one.box[3] <= 520 + 1e-6


def test_lone_label_stands_close_outside_its_island_without_leader() -> None:
    label = wanted(440, 260)
    (placed,) = place([label], NONE, 880, 520)
    assert placed is not None
    assert placed.leader is None
    left, top, right, bottom = placed.box
    inner = (label.island[:, 0] > left) & (label.island[:, 0] < right)
    inner &= (label.island[:, 1] > top + 1) & (label.island[:, 1] < bottom - 1)
    assert not inner.any()


def test_label_avoids_a_neighbouring_island() -> None:
    label, neighbour = wanted(440, 260), wanted(440, 160)
    placed = place([label, neighbour], NONE, 880, 520)[0]
    assert placed is not None
    assert placed.box[1] > 200  # below or beside, never up on the neighbour


def test_label_wider_than_the_sheet_is_left_out() -> None:
    assert place([wanted(440, 260, width=2000)], NONE, 880, 520) == [None]


def test_no_label_is_no_place() -> None:
    assert place([], NONE, 880, 520) == []


def test_crowded_islands_leave_out_labels_instead_of_stacking_them() -> None:
    places = place([wanted(440, 260) for _ in range(60)], NONE, 880, 520)
    assert places[0] is not None
    assert None in places
