import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mirc.diagnostics import Source
from mirc.grammar import json_read, json_schema, load
from mirc.grammar.json_form import as_data, as_text
from mirc.grammar.json_values import value_data
from mirc.ir import FIELDS, KEYWORDS, FieldSpec, Module, Value
from mirc.ir.types import Fault, Mismatch
from tests.strategies import RAW_VALUES, World, modules, values_of

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "samples").glob("*.mir"))
COMMITTED = ROOT / "docs" / "schemas" / "module-1.schema.json"
SCHEMA = json_schema.schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
WORLD = World(("w",), ("s",), ("p",), ("c",), ("t",), ("k",))
some = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(some, max_examples=400)


def _errors(data: object) -> list[str]:
    return [str(error.message) for error in VALIDATOR.iter_errors(data)]


def test_the_committed_schema_is_current() -> None:
    current = COMMITTED.read_text(encoding="utf-8") == json_schema.as_text()
    assert current, "run `mirc schema > docs/schemas/module-1.schema.json`"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@some
@given(modules())
def test_the_schema_takes_every_module(module: Module) -> None:
    assert _errors(json.loads(as_text(module))) == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_the_schema_takes_the_samples(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name == "essay-000.mir":  # uses objects that it does not declare
        text += "extern object expert_weight_group_E3\nextern object gradient_shard_G\n"
    assert _errors(as_data(load(Source(path.name, text)))) == []


def test_the_schema_takes_the_example_in_the_docs() -> None:
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    example = page.split("```json\n")[1].split("```")[0]
    assert _errors(json.loads(example)) == []
    assert json_read.read(Source("json.md", example)).diagnostics == ()


def _declared(*declarations: dict[str, Any]) -> dict[str, Any]:
    return {"mir": "1.0", "declarations": list(declarations)}


@pytest.mark.parametrize(
    "declaration",
    [
        {"object": "w"},
        {"object": 3, "class": "INPUT"},
        {"object": "w", "class": "INPUTS"},
        {"object": "w", "class": "INPUT", "sise_bytes": 4},
        {"object": "w", "class": "INPUT", "size_bytes": "12us"},
        {"object": "w", "class": "INPUT", "size_bytes": -1},
        {"object": "w", "class": "INPUT", "size_bytes": 1.5},
        {"object": "w", "class": "INPUT", "size_bytes": {"PER_TOKENS": [1]}},
        {"object": "w", "class": "INPUT", "size_bytes": {"PER_TOKEN": [1, 2]}},
        {"object": "w", "class": "INPUT", "size_bytes": None},
        {"object": "w", "class": "INPUT", "backing": "DRAM"},
        {"object": "w", "class": "INPUT", "backing": []},
        {"object": "w", "class": "INPUT", "backing": ["DRAM", "DRAM"]},
        {"object": "w", "class": "INPUT", "immutable": 1},
        {"object": "w", "class": "INPUT", "immutable": {"value": True, "confidence": 0.5}},
        {"object": "w", "class": "INPUT", "sink_score": {"value": 0.5, "confidence": 1.5}},
        {"object": "w", "class": "INPUT", "machine": "m"},
        {"object": "w", "class": "INPUT", "steps": []},
        {"object": "w", "plan": "p"},
        {"objects": "w"},
        {},
        {"phase": "p", "steps": [{"override": "w"}]},
        {"plan": "p"},
        {"module": "m", "schedule": [{"REPEAT": ["p"]}]},
        {"module": "m", "schedule": [{"EVERY": [1, 2]}]},
    ],
    ids=json.dumps,
)
def test_the_schema_refuses_what_check_refuses(declaration: dict[str, Any]) -> None:
    data = _declared({"object": "v", "class": "INPUT"}, declaration)
    assert _errors(data)
    assert json_read.read(Source("a.json", json.dumps(data))).diagnostics


def _whole_floats(value: Value) -> bool:
    if isinstance(value, tuple):
        return any(map(_whole_floats, value))
    return isinstance(value, float) and value.is_integer()


@many
@given(st.data(), st.sampled_from(FIELDS), st.sampled_from(FIELDS))
def test_the_schema_agrees_with_the_field_table(
    draw: st.DataObject, spec: FieldSpec, other: FieldSpec
) -> None:
    kinds = st.one_of(RAW_VALUES, values_of(spec.type, WORLD), values_of(other.type, WORLD))
    value = draw.draw(kinds)
    # 1.0 is an integer to JSON Schema, and not to us
    assume(not _whole_floats(value) and "0, " not in repr(value))
    data = json.loads(json.dumps(value_data(value)))
    field = VALIDATOR.evolve(
        schema={**SCHEMA["$defs"][f"key.{spec.key}"], "$defs": SCHEMA["$defs"]}
    )
    try:
        spec.type.read(value)
    except Mismatch as mismatch:
        if mismatch.fault is not Fault.RANGE:
            assert not field.is_valid(data)
    else:
        assert field.is_valid(data)


def test_every_key_says_what_it_is_for() -> None:
    for spec in FIELDS:
        assert SCHEMA["$defs"][f"key.{spec.key}"]["description"].startswith(spec.doc)
    assert not {f"key.{spec.key}" for spec in FIELDS} & set(KEYWORDS)
