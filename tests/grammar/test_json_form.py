import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import json_read, load
from mirc.grammar.json_form import INNER_OF, as_data, as_text
from mirc.grammar.json_values import plain_value, read_value, value_data
from mirc.ir import (
    FIELDS,
    KEYWORDS,
    Call,
    Field,
    Module,
    Name,
    Object,
    Size,
    Text,
    Time,
    Value,
)
from tests.strategies import RAW_VALUES, modules

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "samples").glob("*.mir"))
slow = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def _read(text: str) -> Module:
    bound = json_read.read(Source("drawn.json", text))
    assert bound.diagnostics == ()
    return bound.module


def _found(text: str) -> list[tuple[str, str, str]]:
    """Return for each finding its code, its path and the text it stands at."""
    source = Source("a.json", text)
    found = json_read.read(source).diagnostics
    return [(d.rule.code, d.subject, text[d.span.start : d.span.end]) for d in found]


def _declared(*declarations: str) -> str:
    return '{"mir":"1.0","declarations":[' + ",".join(declarations) + "]}"


@slow
@given(modules(), st.none() | st.integers(0, 4))
def test_a_module_comes_back_from_json_as_it_was(module: Module, indent: int | None) -> None:
    back = _read(as_text(module, indent))
    assert back == module
    assert repr(back) == repr(module)  # 1, 1.0 and true are equal in Python, not in the language
    assert as_text(back, indent) == as_text(module, indent)


@given(RAW_VALUES)
def test_every_value_comes_back_from_plain_data(value: Value) -> None:
    data = json.loads(json.dumps(value_data(value)))
    assert repr(read_value(data, ())) == repr(value)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_samples_go_to_json_and_back(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name == "essay-000.mir":  # uses objects that it does not declare
        text += "extern object expert_weight_group_E3\nextern object gradient_shard_G\n"
    module = load(Source(path.name, text))
    assert _read(as_text(module)) == module


def test_the_form_is_what_a_reader_would_guess() -> None:
    text = """\
object w { class = WEIGHT_TILE  size_bytes = 128MiB  reuse = EVERY(ITERATION) @ 0.5 }
phase p { scope = SEQUENCE  step s { reads = [w, TOUCH(w, PER_TOKEN(4))]  critical = true } }
extern object "odd name"
"""
    assert as_data(load(Source("a.mir", text))) == {
        "mir": "1.0",
        "declarations": [
            {
                "object": "w",
                "class": "WEIGHT_TILE",
                "size_bytes": "128MiB",
                "reuse": {"value": {"EVERY": ["ITERATION"]}, "confidence": 0.5},
            },
            {
                "phase": "p",
                "scope": "SEQUENCE",
                "steps": [
                    {
                        "step": "s",
                        "reads": ["w", {"TOUCH": ["w", {"PER_TOKEN": [4]}]}],
                        "critical": True,
                    }
                ],
            },
            {"extern": "odd name"},
        ],
    }


def test_compact_json_holds_a_declaration_a_line() -> None:
    module = Module((Object("a", (Field("class", Name("INPUT")),)), Object("b", extern=True)))
    assert as_text(module) == (
        '{"mir":"1.0","declarations":[\n{"object":"a","class":"INPUT"},\n{"extern":"b"}\n]}\n'
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("layers.0.w[0:8]", Name("layers.0.w[0:8]")),
        ("128MiB", Size(2**27)),
        ("1.5ms", Time(1_500_000_000)),
        ("1.s5", Name("1.s5")),
        ("card-24g", Text("card-24g")),
        ("object", Text("object")),
        ("true", Text("true")),
        ("", Text("")),
    ],
)
def test_a_string_is_what_its_characters_are_in_mir(text: str, value: Value) -> None:
    assert plain_value(text) == value


def test_a_text_that_looks_like_a_name_says_that_it_is_one() -> None:
    assert value_data(Text("bfloat16")) == {"text": "bfloat16"}
    assert value_data(Text("12us")) == {"text": "12us"}
    assert value_data(Text("a b")) == "a b"
    assert value_data(Call("text", (Text("a"),))) == {"text": [{"text": "a"}]}


def test_no_key_is_a_word_of_the_form() -> None:
    parts = {part for parts in INNER_OF.values() for part in parts}
    assert not {spec.key for spec in FIELDS} & (parts | set(KEYWORDS))


def test_findings_stand_at_their_place_with_their_path() -> None:
    assert _found(
        _declared(
            '{"object":"w","class":"WEIGHT_TILES"}',
            '{"object":"w"}',
            '{"object":"v","class":"INPUT","backing":["DRAM","DRM"],"sise":1,"size_bytes":"1us"}',
            '{"plan":"p","machine":"m","overrides":[{"override":"x","access":[]}]}',
            '{"object":"u","class":"INPUT","reuse":{"value":{"EVERY":["DAY"]},"confidence":1}}',
            '{"object":"t","class":"INPUT","reuse":{"value":"HIGH","confidence":2}}',
        )
    ) == [
        ("MIR311", "declarations[0].class", '"WEIGHT_TILES"'),
        ("MIR201", "declarations[1].object", '"w"'),
        ("MIR311", "declarations[2].backing[1]", '"DRM"'),
        ("MIR301", "declarations[2].sise", '"sise"'),
        ("MIR312", "declarations[2].size_bytes", '"1us"'),
        ("MIR210", "declarations[3].overrides[0].override", '"x"'),
        ("MIR311", "declarations[4].reuse.value.EVERY[0]", '"DAY"'),
        ("MIR321", "declarations[5].reuse.confidence", "2"),
    ]


@pytest.mark.parametrize(
    ("text", "code", "path", "there"),
    [
        ("", "MIR150", "", ""),
        ("{", "MIR150", "", ""),
        ("[1,]", "MIR150", "", "]"),
        ("3", "MIR151", "", "3"),
        ("[]", "MIR151", "", "[]"),
        ("{}", "MIR151", "", "{}"),
        ('{"declarations":{}}', "MIR151", "declarations", "{}"),
        ('{"declarations":[],"objects":[]}', "MIR151", "objects", "[]"),
        ('{"mir":1,"declarations":[]}', "MIR151", "mir", "1"),
        ('{"mir":"2.0","declarations":[]}', "MIR141", "mir", '"2.0"'),
        (_declared("null"), "MIR151", "declarations[0]", "null"),
        (_declared("{}"), "MIR151", "declarations[0]", "{}"),
        (_declared('{"object":3}'), "MIR151", "declarations[0]", '{"object":3}'),
        (_declared('{"object":"a","plan":"b"}'), "MIR151", "declarations[0]", None),
        (_declared('{"object":"a","class":null}'), "MIR151", "declarations[0].class", "null"),
        (_declared('{"object":"a","class":1,"class":2}'), "MIR151", "declarations[0].class", "2"),
        (_declared('{"object":"a","steps":[]}'), "MIR151", "declarations[0].steps", "[]"),
        (_declared('{"phase":"a","steps":[1]}'), "MIR151", "declarations[0].steps[0]", "1"),
        (_declared('{"object":"a","class":{}}'), "MIR151", "declarations[0].class", "{}"),
        (_declared('{"object":"a","class":{"a b":[]}}'), "MIR151", "declarations[0].class", None),
        (_declared('{"object":"a","x":{"value":1,"confidence":"1"}}'), "MIR151", None, '"1"'),
        (_declared('{"object":"a","class":[' + "[" * 40 + "]" * 41 + "}"), "MIR124", None, None),
    ],
)
def test_what_is_not_the_form_is_one_finding(
    text: str, code: str, path: str | None, there: str | None
) -> None:
    ((found_code, found_path, found_text),) = _found(text)
    assert found_code == code
    assert path in (None, found_path)
    assert there in (None, found_text)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 5000, "1." + "9" * 5000])
def test_a_number_that_is_none_is_a_finding(number: str) -> None:
    text = _declared('{"object":"a","class":"INPUT","size_bytes":' + number + "}")
    assert _found(text) == [("MIR314", "declarations[0].size_bytes", number)]


def test_structure_without_end_is_a_finding() -> None:
    assert _found("[" * 200_000) == [("MIR124", "", "[")]
    assert [code for code, _, _ in _found('{"a":' * 200_000)] == ["MIR124"]


def test_a_text_beyond_any_use_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_read, "MOST_TEXT", 10)
    with pytest.raises(CouldNotRun, match="longer than 10 characters"):
        json_read.read(Source("a.json", " " * 11))


def test_many_faults_are_not_all_reported() -> None:
    assert len(_found(_declared(*["null"] * 10_000))) == 50


@given(st.text(max_size=40) | st.text('{}[]":,01declarationsobject\\ "', max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    bound = json_read.read(Source("a.json", text))
    assert bound.diagnostics or bound.module.declarations == ()


JSON_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["DRAM", "1us", "w"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["object", "class", "phase", "steps", "step", "reads", "value", "text"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON_DATA, max_size=3))
def test_any_json_is_read_or_refused_at_a_place_in_it(data: list[object]) -> None:
    text = json.dumps({"declarations": data})
    for finding in json_read.read(Source("a.json", text)).diagnostics:
        assert 0 <= finding.span.start < finding.span.end <= len(text)
