"""Printed numbers: rounded outward, with the digits that show the gap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maxmargin.text import bracket_text, gap_text, lower_text, share_text, table, upper_text


@given(st.floats(1e-12, 1e12), st.integers(1, 12))
def test_printed_ends_are_true(value, digits):
    assert float(lower_text(value, digits)) <= value <= float(upper_text(value, digits))


def test_bracket_shows_where_the_ends_differ():
    assert bracket_text(0.12345, 0.12355) == "[0.12345, 0.12355]"
    assert bracket_text(0.25, 0.25 * (1 + 1e-9)) == "[0.2500000000, 0.2500000003]"
    assert bracket_text(0.0, 0.0) == "[0, 0]"


def test_gaps():
    assert [gap_text(gap) for gap in (0.0, 3.14e-10, 0.047)] == ["0", "3.1e-10", "4.7 %"]


def test_table_is_aligned():
    assert table(("a", "bcd"), [("xx", "y")]) == "a   bcd\n--  ---\nxx  y"


def test_long_cells_go_on_over_several_lines_and_keep_their_breaks():
    shown = table(("a", "said", "c"), [("1", "two words\nnote", "3"), ("4", "five", "6")], {1: 5})
    assert shown.splitlines()[2:] == ["1  two    3", "   words", "   note", "4  five   6"]
    assert "two words" in table(("a", "said"), [("1", "two words")])


def test_a_share_is_never_rounded_up_to_the_whole():
    assert share_text(0.99999) == "99.9 %"
    assert share_text(1.0) == "100.0 %"
