"""Lark's reductions into declarations: each callback takes one rule's children."""

from typing import Any, TypedDict

import attrs
from lark import Token

from mirc.diagnostics import Span
from mirc.grammar.literals import read_confidence, read_scalar, read_string
from mirc.ir.module import (
    Block,
    Claim,
    Coalition,
    Field,
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


@attrs.frozen(slots=True)
class _Ended:
    """A list or call and where it ends, until the field around it is built."""

    value: Any
    end: int


@attrs.frozen(slots=True)
class Head:
    """A line that opens a block, or declares an extern object without one."""

    keyword: str
    name: str
    start: int
    name_span: Span
    opens: bool


@attrs.frozen
class Start:
    """The whole file: its version line, if any, and its declarations."""

    header: Token | None
    blocks: tuple[Block, ...]


def _value(child: Token | _Ended) -> Any:
    return read_scalar(child.type, child.value) if isinstance(child, Token) else child.value


def _end(child: Token | _Ended) -> int:
    end = child.end_pos if isinstance(child, Token) else child.end
    return end or 0


def _name(token: Token) -> str:
    return str(token.value) if token.type == "NAME" else read_string(token.value)


def _only(children: Children, kind: type) -> tuple[Any, ...]:
    return tuple([child for child in children if isinstance(child, kind)])


class _Place(TypedDict):
    span: Span
    extent: Span


def _place(children: Children) -> _Place:
    """Return the spans of the name (the last token before the brace) and of the whole block."""
    name = children[1] if children[0].type != "EXTERN" else children[2]
    return {
        "span": Span(name.start_pos, name.end_pos),
        "extent": Span(children[0].start_pos, children[-1].end_pos),
    }


class Builder:
    """Callbacks by rule name; they keep no state, so that one parser serves every text."""

    def start(self, children: Children) -> Start:
        header = children[0] if children and isinstance(children[0], Token) else None
        return Start(header, _only(children, Block))

    def line(self, children: Children) -> Any:
        return children

    def head(self, children: Children) -> Head:
        keyword, opens = children[0], children[-1].type == "LBRACE"
        name = children[-2] if opens else children[-1]
        span = Span(name.start_pos, name.end_pos)
        return Head(str(keyword.value), _name(name), keyword.start_pos, span, opens)

    def field(self, children: Children) -> Field:
        key, value, *confidence = children
        if not confidence:
            span = Span(key.start_pos, _end(value))
            return Field(key.value, _value(value), span=span)
        token = confidence[0]
        trust = read_confidence(token.type, token.value)
        return Field(key.value, _value(value), trust, span=Span(key.start_pos, token.end_pos))

    def list(self, children: Children) -> _Ended:
        items = tuple([_value(child) for child in children[1:-1]])
        return _Ended(items, _end(children[-1]))

    def call(self, children: Children) -> _Ended:
        args = tuple([_value(child) for child in children[2:-1]])
        return _Ended(Call(children[0].value, args), _end(children[-1]))

    def module(self, children: Children) -> Block:
        return Block(_name(children[1]), tuple(children[3:-1]), **_place(children))

    def object(self, children: Children) -> Object:
        return Object(_name(children[1]), tuple(children[3:-1]), **_place(children))

    def extern(self, children: Children) -> Object:
        fields = tuple(children[4:-1])
        return Object(_name(children[2]), fields, extern=True, **_place(children))

    def template(self, children: Children) -> Template:
        return Template(_name(children[1]), tuple(children[3:-1]), **_place(children))

    def coalition(self, children: Children) -> Coalition:
        return Coalition(_name(children[1]), tuple(children[3:-1]), **_place(children))

    def tenant(self, children: Children) -> Tenant:
        return Tenant(_name(children[1]), tuple(children[3:-1]), **_place(children))

    def claim(self, children: Children) -> Claim:
        return Claim(_name(children[1]), tuple(children[3:-1]), **_place(children))

    def step(self, children: Children) -> Step:
        return Step(_name(children[1]), tuple(children[3:-1]), **_place(children))

    def override(self, children: Children) -> Override:
        return Override(_name(children[1]), tuple(children[3:-1]), **_place(children))

    def phase(self, children: Children) -> Phase:
        return Phase(
            _name(children[1]),
            _only(children, Field),
            steps=_only(children, Step),
            overrides=_only(children, Override),
            **_place(children),
        )

    def signal(self, children: Children) -> Signal:
        return Signal(
            _name(children[1]),
            _only(children, Field),
            overrides=_only(children, Override),
            **_place(children),
        )

    def plan(self, children: Children) -> Plan:
        return Plan(
            _name(children[1]),
            _only(children, Field),
            overrides=_only(children, Override),
            phases=_only(children, PlanPhase),
            **_place(children),
        )

    def plan_phase(self, children: Children) -> PlanPhase:
        return PlanPhase(
            _name(children[1]),
            _only(children, Field),
            overrides=_only(children, Override),
            **_place(children),
        )
