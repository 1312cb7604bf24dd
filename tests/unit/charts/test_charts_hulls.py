"""Islands are convex, hold the inner points and need no scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.charts import hulls

clouds = st.lists(st.tuples(st.floats(0, 880), st.floats(0, 520)), min_size=1, max_size=60).map(
    lambda pairs: np.array(pairs, dtype=float)
)


def test_hull_of_a_square_with_inner_points_is_its_corners() -> None:
    points = np.array([(0, 0), (4, 0), (4, 4), (0, 4), (2, 2), (1, 3), (2, 0)], dtype=float)
    assert {tuple(p) for p in hulls.convex_hull(points)} == {(0, 0), (4, 0), (4, 4), (0, 4)}


@given(clouds)
def test_no_point_lies_outside_its_hull(points: np.ndarray) -> None:
    corners = hulls.convex_hull(points)
    if len(corners) < 3:
        return
    edges = np.roll(corners, -1, axis=0) - corners
    for p in points:
        away = p - corners
        assert (edges[:, 0] * away[:, 1] - edges[:, 1] * away[:, 0] >= -1e-6 * 1e6).all()


@given(clouds)
def test_island_holds_the_inner_points(points: np.ndarray) -> None:
    coast = hulls.island(points)
    assert hulls.inside(coast, hulls.core(points)).all()
    assert np.isfinite(coast).all()


@pytest.mark.parametrize("count", [1, 2, 10, 100])
def test_core_keeps_nine_tenths(count: int) -> None:
    points = np.random.default_rng(5).normal(size=(count, 2))
    assert len(hulls.core(points)) == max(1, round(0.9 * count))


def test_core_leaves_out_the_farthest() -> None:
    points = np.array([*[(i % 3, i // 3) for i in range(9)], (50, 50)], dtype=float)
    assert (50, 50) not in {tuple(p) for p in hulls.core(points)}


def test_one_point_still_has_a_coast_around_it() -> None:
    coast = hulls.island(np.array([(100.0, 100.0)]))
    distance = np.linalg.norm(coast - [100, 100], axis=1)
    assert distance.min() > 5
