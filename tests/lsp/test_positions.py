import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.lsp.positions import Encoding, Lines, Place

TEXTS = st.text(st.sampled_from("ab\n\ré→🙂\u2028\x0c\ud800"), max_size=30)


@pytest.mark.parametrize(
    ("encoding", "column"),
    [(Encoding.UTF8, 1 + 2 + 3 + 4), (Encoding.UTF16, 1 + 1 + 1 + 2), (Encoding.UTF32, 4)],
)
def test_a_column_counts_in_the_units_agreed_on(encoding: Encoding, column: int) -> None:
    lines = Lines("x\naé→🙂b", encoding)
    assert lines.place(lines.text.index("b")) == Place(1, column)
    assert lines.offset(Place(1, column)) == lines.text.index("b")


@given(TEXTS, st.sampled_from(Encoding))
def test_an_offset_comes_back_from_its_place(text: str, encoding: Encoding) -> None:
    lines = Lines(text, encoding)
    for offset in range(len(text) + 1):
        # Between the two characters of a line break there is no place of its own.
        if text[offset - 1 : offset + 1] != "\r\n":
            assert lines.offset(lines.place(offset)) == offset


@given(TEXTS, st.integers(0, 40), st.integers(0, 40), st.sampled_from(Encoding))
def test_any_place_of_an_editor_is_inside_the_text(
    text: str, line: int, column: int, encoding: Encoding
) -> None:
    assert 0 <= Lines(text, encoding).offset(Place(line, column)) <= len(text)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_every_line_break_of_the_protocol_ends_a_line(line_break: str) -> None:
    lines = Lines(f"a\u2028b{line_break}c")
    assert lines.place(lines.text.index("c")) == Place(1, 0)
    assert lines.offset(Place(0, 99)) == 3  # before the break


def test_a_column_inside_a_character_is_its_start() -> None:
    assert Lines("🙂b").offset(Place(0, 1)) == 0
