"""What the patterns of right text take, against Lark."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import UnexpectedInput

from mirc.diagnostics import Source
from mirc.grammar import reading
from mirc.grammar.automaton import Word
from mirc.grammar.clean import clean
from mirc.grammar.parser import lark
from mirc.grammar.recover import recover

SAMPLES = Path(__file__).parent.parent.parent / "samples"
TEXT = (SAMPLES / "serving-small.mir").read_text(encoding="utf-8").removeprefix("mir 1.0")

EDITS = st.lists(
    st.tuples(
        st.integers(0, len(TEXT)),
        st.sampled_from([0, 0, 1, 2, 9]),
        st.sampled_from(
            ["", "", *"{}[]()=,@.:#\"'/-\n", "object ", "1.5", "0x1", "mir 1.0", "true", "on[1]"]
        ),
    ),
    min_size=1,
    max_size=4,
)


def edited(edits: list[tuple[int, int, str]]) -> str:
    text = TEXT
    for offset, length, inserted in edits:
        text = text[:offset] + inserted + text[offset + length :]
    return text


def test_all_of_a_right_text_is_taken_but_the_last_declaration() -> None:
    end = clean(lark()).declarations_end(TEXT, 0)
    assert TEXT[end:].startswith("plan ")
    assert TEXT.rindex("\nplan ") == end - 1


@given(EDITS)
@settings(max_examples=100, deadline=None)
def test_what_is_taken_is_right(edits: list[tuple[int, int, str]]) -> None:
    text = edited(edits)
    end = clean(lark()).declarations_end(text, 0)
    try:
        lark().parse(text[:end])
    except UnexpectedInput as error:
        pytest.fail(f"taken, but wrong: {error}")
    assert end == 0 or text[end - 1] in "}\n\t "


@given(EDITS)
@settings(max_examples=60, deadline=None)
def test_passing_over_what_is_right_changes_no_finding(edits: list[tuple[int, int, str]]) -> None:
    source = Source("edited.mir", edited(edits))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "LONG", 1 << 60)
        slow = recover(lark(), source)
        patch.setattr(reading, "LONG", 0)
        quick = recover(lark(), source)
    assert quick.diagnostics == slow.diagnostics
    assert quick.text == slow.text


def test_a_long_text_with_an_error_at_its_end_is_mostly_passed_over() -> None:
    text = TEXT * 200 + "object w {\n  size_bytes: 1\n}\n"  # 800 KB: 2 s word by word
    read = 0
    plain = reading.Reading.feed

    def counted(self: reading.Reading, word: Word) -> bool:
        nonlocal read
        read += 1
        return plain(self, word)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading.Reading, "feed", counted)
        found = recover(lark(), Source("long.mir", text)).diagnostics
    assert [each.rule.name for each in found] == ["colon-for-equals"]
    assert read < 300
