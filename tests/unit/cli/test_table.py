"""Tables: aligned where they fit, blocks where they do not, never wider than the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporter.cli.table import Column, columns_of, table

COLUMNS = (Column("JOB", cut=True), Column("ITEMS", right=True), Column("ID"))


def test_columns_are_aligned():
    assert table(COLUMNS, [("Support", "1,500", "a1"), ("Bot", "7", "b2")], width=None) == [
        "JOB      ITEMS  ID",
        "Support  1,500  a1",
        "Bot          7  b2",
    ]


def test_long_name_is_cut_to_the_terminal_and_the_id_is_not():
    lines = table(COLUMNS, [("A name that is far too long", "7", "0123456789")], width=35)
    assert lines[1] == "A name that is…       7  0123456789"
    assert max(map(columns_of, lines)) <= 35


def test_narrow_terminal_gets_blocks_with_whole_ids():
    lines = table(COLUMNS, [("Support", "7", "0123456789"), ("Bot", "", "x")], width=20)
    assert lines == ["JOB    Support", "ITEMS  7", "ID     0123456789", "", "JOB    Bot", "ID     x"]


def test_wide_characters_count_twice_and_combining_ones_not_at_all():
    assert columns_of("退款") == 4
    assert columns_of("e\u0301") == 1
    lines = table(COLUMNS, [("退款", "7", "a"), ("abcd", "7", "b")], width=None)
    assert lines[1] == "退款      7  a"
    assert lines[2] == "abcd      7  b"


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\nb", "\u202eevil", "tab\there"])
def test_hostile_cells_stay_on_their_line(text):
    lines = table(COLUMNS, [(text, "1", "x")], width=None)
    assert len(lines) == 2
    assert not set("".join(lines)) & {"\x1b", "\n", "\u202e", "\t"}


@given(
    st.lists(
        st.tuples(
            st.text(max_size=60), st.integers(0, 10**9).map(str), st.text("abc", min_size=1, max_size=8)
        )
    ),
    st.integers(40, 120),
)
def test_no_line_is_wider_than_the_terminal(rows, width):
    assert all(columns_of(line) <= width for line in table(COLUMNS, rows, width=width))
