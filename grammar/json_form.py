"""An ir.Module into compact JSON and back: declarations in their order, comments left out."""

import json
from typing import Any

from mirc.grammar.json_values import value_data
from mirc.ir.module import (
    Block,
    Claim,
    Coalition,
    Field,
    Module,
    Object,
    Override,
    Phase,
    Plan,
    PlanPhase,
    Signal,
    Step,
    Template,
    Tenant,
)

# A declaration's first key is its keyword and holds its name: no field's key equals a keyword.
KEYWORD_OF: dict[type[Block], str] = {
    Block: "module",
    Object: "object",
    Template: "template",
    Coalition: "coalition",
    Tenant: "tenant",
    Claim: "claim",
    Phase: "phase",
    Signal: "on",
    Plan: "plan",
    Step: "step",
    Override: "override",
    PlanPhase: "phase",
}
EXTERN = "extern"
INNER_OF: dict[type[Block], tuple[str, ...]] = {
    Phase: ("steps", "overrides"),
    Signal: ("overrides",),
    Plan: ("overrides", "phases"),
    PlanPhase: ("overrides",),
}


def as_data(module: Module) -> dict[str, Any]:
    """Return a module as plain data: ``{"mir": "1.0", "declarations": [{"object": ...}, ...]}``.

    Keys stand as written. Parts that fields share are shared here too: do not change them.
    """
    return {"mir": _version(module), "declarations": _declarations(module)}


def as_text(module: Module, indent: int | None = None) -> str:
    """Return the JSON text: ASCII, one declaration a line without blanks, or indented."""
    if indent is not None:
        return json.dumps(as_data(module), indent=indent) + "\n"
    encode = json.JSONEncoder(separators=(",", ":")).encode
    lines = ",\n".join(map(encode, _declarations(module)))
    return f'{{"mir":{encode(_version(module))},"declarations":[\n{lines}\n]}}\n'


def _version(module: Module) -> str:
    major, minor = module.version
    return f"{major}.{minor}"


def _declarations(module: Module) -> list[dict[str, Any]]:
    writer = _Writer()
    info = () if module.info is None else (module.info,)
    return [writer.block(block) for block in (*info, *module.declarations)]


class _Writer:
    """Writes each shared field once; fields live as long as their module, so ids serve."""

    def __init__(self) -> None:
        self._written: dict[int, Any] = {}

    def block(self, block: Block) -> dict[str, Any]:
        kind = type(block)
        extern = isinstance(block, Object) and block.extern
        data: dict[str, Any] = {EXTERN if extern else KEYWORD_OF[kind]: block.name}
        for field in block.fields:
            data[field.key] = self._field(field)
        for part in INNER_OF.get(kind, ()):
            inner = getattr(block, part)
            if inner:
                data[part] = [self.block(child) for child in inner]
        return data

    def _field(self, field: Field) -> Any:
        written = self._written.get(id(field))
        if written is None:
            written = value_data(field.value)
            if field.confidence is not None:
                written = {"value": written, "confidence": field.confidence}
            self._written[id(field)] = written
        return written
