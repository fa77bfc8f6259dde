"""The field table into the JSON Schema of the JSON form."""

import json
from typing import Any

from mirc.grammar.json_types import SHARED, Schema, enum_schemas, schedule_item, type_schema
from mirc.grammar.json_values import value_data
from mirc.ir.fields import FIELDS, KEYS_WHERE, FieldSpec, Where

ID = "urn:mirc:schema:module:1"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_WIDTH = 98  # columns, with room for a comma
_ABOUT = {
    "module": "What the whole file is of.",
    "object": "One piece of data.",
    "extern": "An object that is used here and declared elsewhere.",
    "template": "One object per instance (sequence, block), made as the run goes.",
    "coalition": "Objects that are used together.",
    "tenant": "A holder of quota and security domain.",
    "claim": "A promise about resident blocks, with its holder and terms.",
    "phase": "A stretch of execution; its steps in their order.",
    "on": "What changes when an event of the run arrives.",
    "plan": "What was chosen for one machine.",
}
_BLOCKS: tuple[tuple[str, str, Where, dict[str, str]], ...] = (
    ("module", "module", Where.MODULE, {}),
    ("object", "object", Where.OBJECT, {}),
    ("extern", "extern", Where.OBJECT, {}),
    ("template", "template", Where.TEMPLATE, {}),
    ("coalition", "coalition", Where.COALITION, {}),
    ("tenant", "tenant", Where.TENANT, {}),
    ("claim", "claim", Where.CLAIM, {}),
    ("phase", "phase", Where.PHASE, {"steps": "step", "overrides": "override"}),
    ("on", "on", Where.SIGNAL, {"overrides": "override"}),
    ("plan", "plan", Where.PLAN, {"overrides": "plan_override", "phases": "plan_phase"}),
    ("step", "step", Where.STEP, {}),
    ("override", "override", Where.OVERRIDE, {}),
    ("plan_override", "override", Where.PLAN_OVERRIDE, {}),
    ("plan_phase", "phase", Where.PLAN_PHASE, {"overrides": "plan_phase_override"}),
    ("plan_phase_override", "override", Where.PLAN_PHASE_OVERRIDE, {}),
)
"""The name in ``$defs``, the keyword, where its keys are looked up, its parts and their names."""


def schema() -> Schema:
    """Return the schema (draft 2020-12): every key with its type, where it stands, its default."""
    return {
        "$schema": _DRAFT,
        "$id": ID,
        "title": "Memory Intent IR 1.0 as JSON: what mirc convert writes and reads",
        "type": "object",
        "additionalProperties": False,
        "required": ["declarations"],
        "properties": {
            "mir": {"type": "string", "pattern": "^0*1\\.[0-9]{1,9}$", "default": "1.0"},
            "declarations": {"type": "array", "items": {"$ref": "#/$defs/declaration"}},
        },
        "$defs": {
            "declaration": _declaration(),
            **{name: _block(keyword, where, parts) for name, keyword, where, parts in _BLOCKS},
            **SHARED,
            "schedule_item": schedule_item(),
            **enum_schemas(),
            **{_def(spec): _field(spec) for spec in FIELDS},
        },
    }


def as_text() -> str:
    """Return the schema as text: what fits on a line stands on one, else two blanks a level."""
    return _laid_out(schema(), "") + "\n"


def _laid_out(data: Any, indent: str) -> str:
    flat = json.dumps(data)
    if len(indent) + len(flat) <= _WIDTH or not isinstance(data, dict | list):
        return flat
    inner = indent + "  "
    if isinstance(data, list):
        items = [f"{inner}{_laid_out(item, inner)}" for item in data]
        return "[\n" + ",\n".join(items) + f"\n{indent}]"
    items = [f"{inner}{json.dumps(key)}: {_laid_out(data[key], inner)}" for key in data]
    return "{\n" + ",\n".join(items) + f"\n{indent}}}"


def _declaration() -> Schema:
    # One branch a keyword, not oneOf: a validator then names the key that is wrong.
    return {
        "type": "object",
        "description": "The key that is a keyword holds the name.",
        "anyOf": [{"required": [keyword]} for keyword in _ABOUT],
        "allOf": [
            {"if": {"required": [keyword]}, "then": {"$ref": f"#/$defs/{keyword}"}}
            for keyword in _ABOUT
        ],
    }


def _block(keyword: str, where: Where, parts: dict[str, str]) -> Schema:
    specs = KEYS_WHERE[where]
    required = [] if keyword == "extern" else [s.key for s in specs.values() if where in s.required]
    about = {} if keyword not in _ABOUT else {"description": _ABOUT[keyword]}
    return {
        "type": "object",
        **about,
        "additionalProperties": False,
        "required": [keyword, *required],
        "properties": {
            keyword: {"type": "string", "description": "the name"},
            **{key: {"$ref": f"#/$defs/{_def(spec)}"} for key, spec in specs.items()},
            **{part: _items(inner) for part, inner in parts.items()},
        },
    }


def _items(name: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}


def _def(spec: FieldSpec) -> str:
    return f"key.{spec.key}"


def _field(spec: FieldSpec) -> Schema:
    value = type_schema(spec.type)
    if spec.estimate:
        value = {"anyOf": [value, _estimate(value)]}
    default: dict[str, Any] = {}
    if spec.default is not None and not spec.class_defaults:
        default = {"default": value_data(spec.default)}
    return {"description": _description(spec), **default, **value}


def _estimate(value: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["value", "confidence"],
        "properties": {
            "value": value,
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "additionalProperties": False,
    }


def _description(spec: FieldSpec) -> str:
    said = [spec.doc]
    if spec.unit is not None:
        said.append(f"A bare number is in {spec.unit}.")
    said.append(f"Strength: {spec.strength.value}.")
    if not spec.portable:
        said.append("A fact of one machine: it belongs in a plan.")
    if spec.classes:
        said.append(f"Only of {', '.join(sorted(spec.classes))}.")
    if spec.class_defaults:
        said.append(f"Default: {_defaults(spec)}.")
    return " ".join(said)


def _defaults(spec: FieldSpec) -> str:
    said = [f"{klass} {_words(value)}" for klass, value in spec.class_defaults.items()]
    otherwise = [] if spec.default is None else [f"otherwise {_words(spec.default)}"]
    return ", ".join([*said, *otherwise])


def _words(value: Any) -> str:
    text: str = json.dumps(value_data(value))
    return text.replace('"', "")
