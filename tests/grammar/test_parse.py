from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import Source
from mirc.grammar import Document, SourcePlaces, bind, parse, print_module
from mirc.grammar.comments import attach
from mirc.ir import Block, Call, Name, Object, Size, Text, Time, View
from tests.strategies import raw_modules

ESSAY = Path(__file__).parents[2] / "samples" / "essay-000.mir"


def _parse(text: str) -> Document:
    return parse(Source("test.mir", text))


def test_the_listing_of_essay_000_parses_as_it_stands() -> None:
    document = _parse(ESSAY.read_text(encoding="utf-8"))
    assert not document.diagnostics
    assert [block.name for block in document.blocks] == [
        "layer_18_weight_group_A",
        "kv_prefix_seg_P",
        "decode_buf_D",
        "decode_step",
        "optimizer_update",
    ]


def test_the_listing_misses_exactly_the_two_objects_that_it_does_not_declare() -> None:
    found = bind(_parse(ESSAY.read_text(encoding="utf-8"))).diagnostics
    assert [(d.rule.code, d.message) for d in found] == [
        ("MIR210", "object `expert_weight_group_E3` is not declared"),
        ("MIR210", "object `gradient_shard_G` is not declared"),
    ]


def test_the_listing_resolves_by_phase() -> None:
    module = bind(_parse(ESSAY.read_text(encoding="utf-8"))).module
    horizon = View(module, phase="decode_step").get("kv_prefix_seg_P", "prefetch_horizon_us")
    assert horizon.value == 12.0
    assert View(module).value("kv_prefix_seg_P", "prefetch_horizon_us") is None
    assert View(module).value("layer_18_weight_group_A", "size_bytes") == 134_217_728


def test_every_kind_of_value_is_read_exactly() -> None:
    document = _parse(
        'object a { a = 1_0 b = -1.5e1 c = 1.5KiB d = 2.5us e = "x\\n\\u00e9" f = x.y g = true'
        " h = [1, [2],] i = F() }"
    )
    values = [field.value for field in document.blocks[0].fields]
    assert values == [
        *(10, -15.0, Size(1536), Time(2_500_000), Text("x\né"), Name("x.y"), True),
        *((1, (2,)), Call("F", ())),
    ]


def test_spans_lead_back_to_what_was_written() -> None:
    text = 'object "a b" {\n  x = [1, 2] @ 0.5 y = 128MiB\n}'
    block = _parse(text).blocks[0]
    places = SourcePlaces(text)
    spans = [places.name(block), *(places.field(block, field.key) for field in block.fields)]
    written = [text[span.start : span.end] for span in spans]
    assert written == ['"a b"', "x = [1, 2] @ 0.5", "y = 128MiB"]
    assert block.extent is not None
    assert (block.extent.start, block.extent.end) == (0, len(text))


def test_the_version_line_may_be_left_out() -> None:
    assert _parse("object a { class = INPUT }").version is None
    assert _parse("mir 1.7 object a { class = INPUT }").version == (1, 7)


@pytest.mark.parametrize("version", ["2.0", "0.9", "12.1"])
def test_an_unknown_major_version_is_refused_and_nothing_else_is_said(version: str) -> None:
    document = _parse(f"mir {version}\nobject a {{ whatever comes then")
    assert [d.rule.name for d in document.diagnostics] == ["unknown-version"]
    assert document.blocks == ()


def test_a_plain_block_is_the_module_block() -> None:
    document = _parse('module m { producer = "p" } extern object x extern object y { }')
    assert [type(block) for block in document.blocks] == [Block, Object, Object]
    module = bind(document).module
    assert module.info is not None
    assert module.info.value("producer") == Text("p")


HOSTILE = {
    "a number of a million digits": f"object a {{ size_bytes = {'9' * 10**6} class = INPUT }}",
    "brackets a hundred thousand deep": f"object a {{ x = {'[' * 10**5}{']' * 10**5} }}",
    "brackets that never close": "object a { x = " + "[" * 10**5,
    "calls a thousand deep": f"object a {{ x = {'f(' * 1000}{')' * 1000} }}",
    "a null character": "object a { class = \0 }",
    "a null character in a name": "object a\0b { class = INPUT }",
    "a byte order mark inside": "object a { \ufeff class = INPUT }",
    "a lone surrogate": "object a { class = \udc80 }",
    "a name in another script": "object größe { class = INPUT }",
    "a fraction of a byte": "object a { class = INPUT size_bytes = 0.3KiB }",
    "an endless float": "object a { class = INPUT sensitivity = 1e999 }",
    "an endless confidence": "object a { class = INPUT sensitivity = 0.5 @ 1e999 }",
    "an open string": 'object a { class = "INPUT }',
    "an unknown escape": 'module m { producer = "\\q" }',
    "only braces": "}{" * 1000,
    "one long line of rubbish": "=,@" * 10_000,
    "a deep plan": "plan p { phase a { phase b { } } }",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_text_gives_a_finding_and_no_traceback(what: str) -> None:
    document = _parse(HOSTILE[what])
    bound = bind(document)
    assert bound.diagnostics
    for found in bound.diagnostics:
        assert 0 <= found.span.start <= found.span.end <= len(HOSTILE[what])


def test_windows_line_ends_change_nothing() -> None:
    text = "mir 1.0\n\n// above\nobject a {\n  class = INPUT  // beside\n}\n"
    unix, windows = (bind(attach(_parse(t))) for t in (text, text.replace("\n", "\r\n")))
    assert not windows.diagnostics
    assert print_module(windows.module) == print_module(unix.module) == text


@settings(max_examples=150, deadline=None)
@given(raw_modules(), st.data())
def test_damaged_text_never_raises(module: object, data: st.DataObject) -> None:
    text = print_module(module)  # type: ignore[arg-type]
    at = data.draw(st.integers(0, len(text)))
    gone = data.draw(st.integers(0, 3))
    put = data.draw(st.text(st.sampled_from('{}[]()=,@".:/\n 1aB'), max_size=3))
    damaged = text[:at] + put + text[at + gone :]
    document = _parse(damaged)
    bind(document)
    for block in document.blocks:
        assert block.extent is not None
        assert block.extent.end <= len(document.text)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_at_all_never_raises(text: str) -> None:
    assert isinstance(bind(_parse(text)).diagnostics, tuple)
