from typing import Any, cast

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import UnexpectedInput

from mirc.diagnostics import Source
from mirc.grammar import bind, parse, print_module
from mirc.grammar.builder import Start
from mirc.grammar.lines import read_lines
from mirc.grammar.parser import lark
from mirc.ir import Module
from tests.strategies import raw_modules


def _whole(text: str) -> Start | None:
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
    by_lines, whole = read_lines(text), _whole(text)
    assert by_lines is not None
    assert whole is not None
    assert _everything(by_lines) == _everything(whole)


PIECES = st.sampled_from(
    (
        *("{", "}", "\n", "\r\n", " = 1", "a = x", "object q {", "phase r {", "step s {", "on t {"),
        *("override u {", "extern object v", "plan w {", "mir 1.0", "// c", "[", "]", "@ 0.5", '"'),
    )
)


@settings(max_examples=400, deadline=None)
@given(raw_modules(), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), PIECES), max_size=3))
def test_damaged_text_is_read_by_lines_only_if_and_as_it_is_read_whole(
    module: Module, edits: list[tuple[float, int, str]]
) -> None:
    text = print_module(module)
    for at, gone, put in edits:
        place = int(at * len(text))
        text = text[:place] + put + text[place + gone :]
    by_lines, whole = read_lines(text), _whole(text)
    if by_lines is not None:
        assert whole is not None
        assert _everything(by_lines) == _everything(whole)


def test_a_long_file_is_read_with_spans_that_are_true() -> None:
    text = "".join(f"object w{i} {{\n  class = INPUT\n  sie = 1\n}}\n" for i in range(300))
    found = bind(parse(Source("long.mir", text))).diagnostics
    assert len(found) == 300
    assert {text[d.span.start : d.span.end] for d in found} == {"sie"}


def test_a_list_over_several_lines_is_read_whole_in_a_long_file_too() -> None:
    text = "object w {\n class = INPUT\n backing = [DRAM,\n NVME]\n}\n" + "\n" * 300
    assert read_lines(text) is None
    bound = bind(parse(Source("long.mir", text)))
    assert not bound.diagnostics
    assert "backing = [DRAM, NVME]" in print_module(bound.module)
