from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from reporter.render import marks

numbers = st.floats(allow_nan=True, allow_infinity=True)
values = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=20)


@given(numbers, numbers, numbers, numbers)
def test_dot_stays_inside_its_cell(value: float, low: float, high: float, top: float) -> None:
    mark = marks.dot(value, low, high, top)
    if mark is not None and not any(math.isnan(n) for n in (low, high, top)):
        assert all(4 <= float(x) <= marks.WIDTH - 4 for x in (mark.x, mark.low, mark.high))


def test_dot_is_proportional_to_its_value() -> None:
    mark = marks.dot(0.5, 0.25, 1.0, 1.0)
    assert mark == marks.Dot(x="36", low="20", high="68")


def test_nothing_known_is_nothing_drawn() -> None:
    assert marks.dot(None, None, None, 1.0) is None
    assert marks.dot(0.1, 0.1, 0.1, 0.0) is None
    assert marks.spark([]) is None
    assert marks.spark([1.0]) is None
    assert marks.spark([1.0, 2.0, None]) is None


@given(values)
def test_spark_stays_inside_its_cell(history: list[float | None]) -> None:
    mark = marks.spark(history)
    if mark is None:
        return
    pairs = [point.split(",") for line in mark.lines for point in line.split()]
    assert all(
        0 <= float(x) <= marks.WIDTH and 0 <= float(y) <= marks.HEIGHT for x, y in [*pairs, (mark.x, mark.y)]
    )


def test_gap_in_the_history_stays_a_gap() -> None:
    mark = marks.spark([1.0, 2.0, None, 2.0, 1.0])
    assert mark is not None
    assert len(mark.lines) == 2


def test_spark_rises_when_the_value_rises() -> None:
    mark = marks.spark([1.0, 2.0])
    assert mark is not None
    (first, last) = mark.lines[0].split()
    assert float(first.split(",")[1]) > float(last.split(",")[1])


def test_small_wobble_is_drawn_nearly_flat() -> None:
    mark = marks.spark([100.0, 101.0])
    assert mark is not None
    heights = [float(point.split(",")[1]) for point in mark.lines[0].split()]
    assert abs(heights[0] - heights[1]) < 1


def test_band_needs_four_earlier_runs() -> None:
    few, enough = marks.spark([1.0, 2.0, 1.5, 1.0]), marks.spark([1.0, 2.0, 1.5, 1.2, 1.0])
    assert few is not None
    assert enough is not None
    assert few.band_top is None
    assert enough.band_top is not None


def test_marks_of_what_happened_stand_between_their_runs() -> None:
    made = marks.spark([1.0, 2.0, 3.0], width=108, height=26, marked=[0.0, 0.5, 2.0])
    assert made is not None
    assert made.marked == ("4", "29", "104")
    assert (made.width, made.height) == ("108", "26")
