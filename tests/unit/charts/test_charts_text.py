"""Text is measured, cut and moved apart so that nothing touches."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.ft2font import FT2Font, LoadFlags

from reporter.charts import text, typeface
from reporter.units import clean

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=80).map(clean)


def test_width_agrees_with_the_drawn_width_but_for_kerning() -> None:
    line = "Invoice copies and VAT numbers"
    font = FT2Font(typeface.path(400))
    font.set_size(100, 72)
    font.set_text(line, 0, flags=LoadFlags.NO_HINTING)
    drawn = font.get_width_height()[0] / 64 / 100 * 12.5
    assert text.width(line) == pytest.approx(drawn, rel=0.03)


def test_semibold_is_wider_and_digits_are_tabular() -> None:
    assert text.width("Refund disputes", weight=600) > text.width("Refund disputes")
    assert len({text.width(d) for d in "0123456789"}) == 1


@given(words, st.floats(0, 400))
def test_fitted_text_stays_within_its_room(line: str, room: float) -> None:
    assert text.width(text.fit(line, room)) <= room + 1e-6


@given(words)
def test_text_that_fits_is_left_alone(line: str) -> None:
    assert text.fit(line, text.width(line)) == line


@given(words, st.floats(30, 300), st.integers(1, 4))
def test_wrapped_lines_are_few_and_fit(line: str, room: float, lines: int) -> None:
    made = text.wrap(line, room, lines=lines)
    assert 1 <= len(made) <= lines
    assert all(text.width(one) <= room + 1e-6 for one in made)


def test_wrapping_loses_no_word_where_there_is_room() -> None:
    assert " ".join(text.wrap("Feature requests and feedback", 120)) == "Feature requests and feedback"


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=30), st.floats(1, 30))
def test_dodged_labels_keep_order_distance_and_bounds(wanted: list[float], gap: float) -> None:
    moved = text.dodge(wanted, gap, 0, 1000)
    assert all(-1e-6 <= y <= 1000 + 1e-6 for y in moved)
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    for a, b in itertools.pairwise(order):
        assert moved[b] - moved[a] >= min(gap, 1000 / max(1, len(wanted) - 1)) - 1e-6


def test_labels_far_apart_do_not_move() -> None:
    assert text.dodge([300.0, 100.0, 200.0], 20, 0, 400) == [300.0, 100.0, 200.0]


def test_two_labels_at_one_place_part_evenly() -> None:
    assert text.dodge([50.0, 50.0], 10, 0, 100) == [45.0, 55.0]


def test_nothing_to_dodge_is_nothing() -> None:
    assert text.dodge([], 10, 0, 100) == []
