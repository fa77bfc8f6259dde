"""Fixes of single places, and corrections laid over a text."""

from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics.apply import applied
from mirc.grammar.mending import overlaid, quoting, removal

PATCHES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 12), st.sampled_from("XYZ")).map(
        lambda drawn: (drawn[0], drawn[0] + drawn[1], drawn[2] * drawn[1])
    ),
    max_size=8,
)


@given(PATCHES)
def test_of_two_corrections_of_one_place_the_later_stands(
    patches: list[tuple[int, int, str]],
) -> None:
    text = expected = "." * 60
    for start, end, patch in patches:
        expected = expected[:start] + patch + expected[end:]
    assert overlaid(text, patches) == expected


def test_words_stay_apart_when_what_parted_them_goes() -> None:
    assert applied("x = 1;y = 2", [removal("x = 1;y = 2", 5, 6)]) == "x = 1 y = 2"
    assert applied("x = 1; y = 2", [removal("x = 1; y = 2", 5, 6)]) == "x = 1 y = 2"


def test_a_line_of_which_nothing_is_left_goes_too() -> None:
    assert applied("a {\n}\n}\nb", [removal("a {\n}\n}\nb", 6, 7)]) == "a {\n}\nb"


def test_what_is_quoted_reads_back() -> None:
    assert applied('x = a"\\b', [quoting('x = a"\\b', 4, 8)]) == 'x = "a\\"\\\\b"'
