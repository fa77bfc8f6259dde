"""Fixes into text."""

from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import Edit, Fix, Span
from mirc.diagnostics.apply import applied, compatible


def fix(*edits: tuple[int, int, str]) -> Fix:
    return Fix("write it", tuple(Edit(Span(start, end), text) for start, end, text in edits))


def test_fixes_at_different_places_are_all_made() -> None:
    assert applied("abcdef", [fix((4, 5, "E")), fix((0, 1, "A"), (2, 3, ""))]) == "AbdEf"


def test_of_two_fixes_that_change_the_same_text_the_first_is_made_whole() -> None:
    assert applied("abcdef", [fix((1, 3, "X")), fix((2, 4, "Y"), (5, 6, "Z"))]) == "aXdef"


def test_two_insertions_at_one_place_conflict_for_their_order_is_anyones_guess() -> None:
    assert applied("ab", [fix((1, 1, "x")), fix((1, 1, "y"))]) == "axb"


def test_equal_fixes_of_two_findings_are_made_once() -> None:
    assert applied("ab", [fix((1, 1, "x")), fix((1, 1, "x"))]) == "axb"


def test_neighbouring_lines_can_both_be_removed() -> None:
    assert applied("a\nb\nc\n", [fix((0, 2, "")), fix((2, 4, ""))]) == "c\n"


def test_an_inserted_line_ends_as_the_lines_of_the_file_do() -> None:
    assert applied("a\r\nb\r\n", [fix((3, 3, "x\ny\n"))]) == "a\r\nx\r\ny\r\nb\r\n"


spans = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted)


@given(st.lists(st.tuples(spans, st.text("xyz", max_size=3)), max_size=8))
def test_what_lies_outside_the_fixes_stays(parts: list[tuple[list[int], str]]) -> None:
    text = "abcdefghijklmnopqrst"
    fixes = [fix((start, end, new)) for (start, end), new in parts]
    chosen = compatible(fixes)
    covered = {i for f in chosen for e in f.edits for i in range(e.span.start, e.span.end)}
    kept = "".join(char for i, char in enumerate(text) if i not in covered)
    after = applied(text, fixes)
    assert "".join(char for char in after if char not in "xyz") == kept
    # nothing is inserted but by those chosen, each once
    assert len(after) - len(kept) == sum(len(e.text) for f in chosen for e in f.edits)
