from typing import Any, cast

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import UnexpectedInput

from mirc.diagnostics import Source
from mirc.grammar import bind, driver, lines, parse, print_module
from mirc.grammar.builder import Start
from mirc.grammar.lexer import Misread
from mirc.grammar.parser import lark
from mirc.ir import Module
from tests.strategies import raw_modules


def _by_lines(text: str) -> Start | None:
    try:
        return lines.read(text)
    except Misread:
        return None


def _by_driver(text: str) -> Start | None:
    try:
        return cast("Start", driver.whole(text))
    except Misread:
        return None


def _by_lark(text: str) -> Start | None:
    try:
        return cast("Start", lark().parse(text))
    except UnexpectedInput:
        return None


def _everything(start: Start) -> Any:
    """Return all there is to compare, spans and the kinds of blocks and numbers included."""
    header = start.header
    place = None if header is None else (header.value, header.start_pos, header.end_pos)
    spans = [attrs.asdict(block) for block in start.blocks]
    return place, repr(start.blocks), spans


@settings(max_examples=100, deadline=None)
@given(raw_modules())
def test_canonical_text_is_read_by_lines_as_it_is_read_whole(module: Module) -> None:
    text = print_module(module)
    found = [reading(text) for reading in (_by_lines, _by_driver, _by_lark)]
    first, second, third = (_everything(start) for start in found if start is not None)
    assert first == second == third


PIECES = st.sampled_from(
    (
        *("{", "}", "\n", "\r\n", " = 1", "a = x", "object q {", "phase r {", "step s {", "on t {"),
        *("override u {", "extern object v", "plan w {", "mir 1.0", "// c", "[", "]", "@ 0.5", '"'),
    )
)


@settings(max_examples=400, deadline=None)
@given(raw_modules(), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), PIECES), max_size=3))
def test_damaged_text_is_read_if_and_as_lark_reads_it(
    module: Module, edits: list[tuple[float, int, str]]
) -> None:
    text = print_module(module)
    for at, gone, put in edits:
        place = int(at * len(text))
        text = text[:place] + put + text[place + gone :]
    found = [reading(text) for reading in (_by_lines, _by_driver, _by_lark)]
    first, second, third = (start and _everything(start) for start in found)
    assert first == second == third


def test_a_long_file_is_read_with_spans_that_are_true() -> None:
    text = "".join(f"object w{i} {{\n  class = INPUT\n  sie = 1\n}}\n" for i in range(300))
    found = bind(parse(Source("long.mir", text))).diagnostics
    assert len(found) == 300
    assert {text[d.span.start : d.span.end] for d in found} == {"sie"}


def test_a_list_over_several_lines_is_read_whole_in_a_long_file_too() -> None:
    text = "object w {\n class = INPUT\n backing = [DRAM,\n NVME]\n}\n" + "\n" * 300
    bound = bind(parse(Source("long.mir", text)))
    assert not bound.diagnostics
    assert "backing = [DRAM, NVME]" in print_module(bound.module)


def _counts(text: str) -> tuple[int, int, int]:
    reader = lines.Reader(text)
    reader.start()
    return reader.counts.by_lines, reader.counts.partly, reader.counts.by_driver


ORDINARY = "object a {\n  class = INPUT  // note\n}\n\nphase p {\n  step s {\n  }\n}\n"


def test_ordinary_text_is_read_by_its_lines_and_shares_what_is_equal() -> None:
    assert _counts(ORDINARY) == (2, 0, 0)
    twice = lines.read(ORDINARY + ORDINARY).blocks
    assert twice[0].fields is twice[2].fields


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("object a { class = INPUT } object b { class = INPUT }", (2, 0, 0)),
        ("object a {\n x = 1 y = 2\n}", (1, 0, 0)),
        ("object\n// c\na\n{ x\n= 1 }", (0, 1, 0)),
        ("object a {\n x = [HBM,\n DRAM]\n y = 1\n}", (0, 1, 0)),
        ("phase p {\n scope = X\n step s {\n x = [1,\n 2]\n }\n}", (0, 1, 0)),
        ("object a {\n x = 1\n @ 0.5\n}", (0, 1, 0)),  # the first line could be a whole field
        ("phase p {\n x = 1\n @ 0.5\n}", (0, 0, 1)),
        ("phase p {\n x = F\n (1)\n step s { }\n}", (0, 0, 1)),
        ("extern object a", (0, 0, 1)),
    ],
)
def test_odd_layouts_leave_the_lines_only_where_they_must(
    text: str, counts: tuple[int, int, int]
) -> None:
    assert _counts(text) == counts
    assert _everything(lines.read(text)) == _everything(cast("Start", _by_lark(text)))


@pytest.mark.parametrize("text", ["object a { x = 1 // }", "object a {\n x = 1 // }\n"])
def test_a_brace_in_a_comment_closes_nothing(text: str) -> None:
    with pytest.raises(Misread) as caught:
        lines.read(text)
    assert caught.value.offset == len(text)


@pytest.mark.parametrize("name", ["mir 1.0", "object", "true", "a b"])
def test_what_is_no_name_is_found_where_it_stands(name: str) -> None:
    text = f"mir 1.0\nobject v {{ }}\nobject {name} {{ }}"
    with pytest.raises(Misread) as caught:
        lines.read(text)
    assert caught.value.offset == text.rindex(name) + (2 if name == "a b" else 0)


def test_a_second_version_line_is_found_where_it_stands() -> None:
    with pytest.raises(Misread) as caught:
        lines.read("mir 1.0\nobject a { }\nmir 1.0\n")
    assert caught.value.offset == len("mir 1.0\nobject a { }\n")
