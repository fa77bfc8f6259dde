import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.ir.fields import Where
from mirc.lsp.cursor import Cursor, Expects, Frame, cursor_at
from tests.lsp.marked import marked


def at(text: str) -> Cursor:
    names, offset = marked(text)
    return names.analysis.cursor(offset)


def test_in_an_unfinished_value_the_cursor_knows_key_and_path() -> None:
    cursor = at("plan p { phase d { override w { residency = [HBM, DRAM(a, |")
    assert cursor.expects is Expects.VALUE
    assert (cursor.key, cursor.path) == ("residency", ((None, 1), ("DRAM", 1)))
    assert cursor.where is Where.PLAN_PHASE_OVERRIDE


def test_a_key_below_an_unfinished_value_is_a_key() -> None:
    cursor = at("object w {\n  class =\n  size_|bytes = 3\n}")
    assert (cursor.expects, cursor.word and cursor.word.text) == (Expects.KEY, "size_bytes")


def test_a_second_field_on_a_line_is_a_key() -> None:
    assert at("object w { class = INPUT siz|").expects is Expects.KEY


def test_after_a_brace_that_is_missing_a_declaration_begins_anew() -> None:
    cursor = at("object v {\n  class = INPUT\n\nobject w {\n  |\n}\n")
    assert cursor.frames[-1] == Frame("object", "w")


def test_a_confidence_and_a_comment_are_known() -> None:
    assert at("object w { reuse = HIGH @ |").expects is Expects.CONFIDENCE
    assert at("object w { // cla|ss = x").expects is Expects.NOTHING


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("module m { | }", Where.MODULE),
        ("extern object w { | }", Where.OBJECT),
        ("phase d { step s { | } }", Where.STEP),
        ("on resume { override w { | } }", Where.OVERRIDE),
        ("plan p { override w { | } }", Where.PLAN_OVERRIDE),
        ("plan p { phase d { | } }", Where.PLAN_PHASE),
        ("object w { step s { | } }", None),
    ],
)
def test_the_block_around_the_cursor_is_named(text: str, where: Where | None) -> None:
    assert at(text).where is where


def test_in_a_long_text_that_cannot_be_read_the_nearest_declaration_counts() -> None:
    objects = "".join(f"object w{i} {{ class = INPUT }}\n" for i in range(5_000))
    cursor = at(f"mir 99.0\n{objects}object last {{\n  |\n}}\n")
    assert (cursor.expects, cursor.frames) == (Expects.KEY, (Frame("object", "last"),))


WORDS = ["object", "step", "w", '"a b', '"x"', "class", "=", "[", "]", "(", ")", "{", "}", ",", "@"]


@given(st.lists(st.sampled_from([*WORDS, "//", "\n", "é", "3", "-"]), max_size=25), st.data())
def test_no_text_is_too_broken_for_a_cursor(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    offset = data.draw(st.integers(0, len(text)))
    cursor = cursor_at(text, offset)
    assert cursor.word is None or cursor.word.span.start <= offset <= cursor.word.span.end
