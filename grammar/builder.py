"""Reductions into declarations: each callback takes the children of one rule of the grammar."""

from typing import Any, Protocol

import attrs

from mirc.diagnostics import Span
from mirc.grammar.literals import read_confidence, read_scalar, read_string
from mirc.ir.module import (
    Block,
    Claim,
    Coalition,
    Field,
    Fields,
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
from mirc.ir.values import Call

Children = list[Any]


class Terminal(Protocol):
    """A token, Lark's or ours: its terminal, its text, where it begins and ends (exclusive)."""

    @property
    def type(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def start_pos(self) -> int: ...
    @property
    def end_pos(self) -> int: ...


@attrs.frozen
class Start:
    """The whole file: its version line, if any, and its declarations."""

    header: Terminal | None
    blocks: tuple[Block, ...]


def block_of(rule: str, name: str, fields: Fields, inner: Children, extent: Span) -> Block:
    """Return the block that a rule of the grammar stands for; ``inner`` are the blocks in it."""
    simple = _SIMPLE.get(rule)
    if simple is not None:
        return simple(name, fields, extent=extent)
    if rule == "extern":
        return Object(name, fields, extern=True, extent=extent)
    overrides = _only(inner, Override)
    if rule == "phase":
        return Phase(name, fields, steps=_only(inner, Step), overrides=overrides, extent=extent)
    if rule == "plan":
        phases = _only(inner, PlanPhase)
        return Plan(name, fields, overrides=overrides, phases=phases, extent=extent)
    kind = Signal if rule == "signal" else PlanPhase
    return kind(name, fields, overrides=overrides, extent=extent)


_SIMPLE: dict[str, type[Block]] = {
    "module": Block,
    "object": Object,
    "template": Template,
    "coalition": Coalition,
    "tenant": Tenant,
    "claim": Claim,
    "step": Step,
    "override": Override,
}


def read_name(literal: str) -> str:
    """Return the name that a NAME or STRING spells."""
    return read_string(literal) if literal.startswith('"') else literal


def _value(child: Any) -> Any:
    return child if isinstance(child, tuple | Call) else read_scalar(child.type, child.value)


def _only(children: Children, kind: type) -> tuple[Any, ...]:
    return tuple([child for child in children if isinstance(child, kind)])


def _block(rule: str, children: Children, name: int = 1) -> Block:
    """Return the block of: its keywords, its name (at an index), and what its braces hold."""
    inner = children[name + 1 :]
    extent = Span(children[0].start_pos, children[-1].end_pos)
    written = read_name(children[name].value)
    return block_of(rule, written, _only(inner, Field), inner, extent)


class Builder:
    """Callbacks by rule name; they keep no state, so that one parser serves every text."""

    def start(self, children: Children) -> Start:
        header = children[0] if children and not isinstance(children[0], Block) else None
        return Start(header, _only(children, Block))

    def line(self, children: Children) -> Fields:
        return tuple(children)

    def field(self, children: Children) -> Field:
        key, value, *confidence = children
        if not confidence:
            return Field(key.value, _value(value))
        token = confidence[0]
        return Field(key.value, _value(value), read_confidence(token.type, token.value))

    def list(self, children: Children) -> tuple[Any, ...]:
        return tuple([_value(child) for child in children[1:-1]])

    def call(self, children: Children) -> Call:
        return Call(children[0].value, tuple([_value(child) for child in children[2:-1]]))

    def module(self, children: Children) -> Block:
        return _block("module", children)

    def object(self, children: Children) -> Block:
        return _block("object", children)

    def extern(self, children: Children) -> Block:
        return _block("extern", children, name=2)

    def template(self, children: Children) -> Block:
        return _block("template", children)

    def coalition(self, children: Children) -> Block:
        return _block("coalition", children)

    def tenant(self, children: Children) -> Block:
        return _block("tenant", children)

    def claim(self, children: Children) -> Block:
        return _block("claim", children)

    def step(self, children: Children) -> Block:
        return _block("step", children)

    def override(self, children: Children) -> Block:
        return _block("override", children)

    def phase(self, children: Children) -> Block:
        return _block("phase", children)

    def signal(self, children: Children) -> Block:
        return _block("signal", children)

    def plan(self, children: Children) -> Block:
        return _block("plan", children)

    def plan_phase(self, children: Children) -> Block:
        return _block("plan_phase", children)
