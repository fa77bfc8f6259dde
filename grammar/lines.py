"""A long text into declarations, each distinct line parsed once, which is several times as fast.

Sound because no token crosses a line end, keywords are reserved and the grammar is unambiguous: a
text whose lines hold whole heads, fields and closing braces, nested as ``_INSIDE`` says, has only
that reading. Tests hold it against the parse of the whole text.
"""

from typing import Any

import attrs
from lark import Token, UnexpectedInput

from mirc.diagnostics import Span
from mirc.grammar.builder import Head, Start
from mirc.grammar.parser import line_lark
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

_TOP = frozenset(
    {"module", "object", "extern", "template", "coalition", "tenant", "claim", "phase"}
    | {"on", "plan"}
)
_INSIDE: dict[str, frozenset[str]] = {
    "phase": frozenset({"step", "override"}),
    "on": frozenset({"override"}),
    "plan": frozenset({"override", "phase"}),
    "plan phase": frozenset({"override"}),
}
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


@attrs.define(slots=True)
class _Open:
    """A block whose closing brace has not come yet."""

    kind: str
    head: Head
    offset: int  # of its line
    fields: list[Field] = attrs.field(factory=list)
    inner: list[Block] = attrs.field(factory=list)


def read_lines(text: str) -> Start | None:
    """Return what the text holds; None where it is wrong, or a line is not whole in itself."""
    reader = _Reader()
    memo: dict[str, list[Any]] = {}
    parse: Any = line_lark().parse
    offset = 0
    for line in text.split("\n"):
        items = memo.get(line)
        if items is None:
            try:
                items = memo[line] = parse(line)
            except UnexpectedInput:
                return None
        for item in items:
            if not reader.take(item, offset):
                return None
        offset += len(line) + 1
    return None if reader.open else Start(reader.header, tuple(reader.blocks))


class _Reader:
    """The blocks open so far; ``take`` returns False where a line may not stand."""

    def __init__(self) -> None:
        self.header: Token | None = None
        self.blocks: list[Block] = []
        self.open: list[_Open] = []

    def take(self, item: Field | Head | Token, offset: int) -> bool:
        """Add one item of a line that begins at ``offset``."""
        if isinstance(item, Field):
            return self._field(item, offset)
        if isinstance(item, Head):
            return self._head(item, offset)
        if item.type == "RBRACE":
            return self._close(offset + (item.end_pos or 0))
        return self._header(item, offset)

    def _field(self, field: Field, offset: int) -> bool:
        if not self.open or field.span is None:
            return False
        span = _moved(field.span, offset)
        self.open[-1].fields.append(Field(field.key, field.value, field.confidence, span=span))
        return True

    def _header(self, token: Token, offset: int) -> bool:
        if self.header is not None or self.blocks or self.open:
            return False
        start, end = offset + (token.start_pos or 0), offset + (token.end_pos or 0)
        self.header = Token("HEADER", token.value, start_pos=start, end_pos=end)
        return True

    def _head(self, head: Head, offset: int) -> bool:
        kind = head.keyword
        allowed = _INSIDE.get(self.open[-1].kind, frozenset()) if self.open else _TOP
        if kind not in allowed:
            return False
        if self.open and kind == "phase":
            kind = "plan phase"
        opened = _Open(kind, head, offset)
        if head.opens:
            self.open.append(opened)
        else:
            self.blocks.append(_built(opened, offset + head.name_span.end))
        return True

    def _close(self, end: int) -> bool:
        if not self.open:
            return False
        block = _built(self.open.pop(), end)
        (self.open[-1].inner if self.open else self.blocks).append(block)
        return True


def _moved(span: Span, offset: int) -> Span:
    return Span(span.start + offset, span.end + offset)


def _built(opened: _Open, end: int) -> Block:
    head, fields = opened.head, tuple(opened.fields)
    span = _moved(head.name_span, opened.offset)
    extent = Span(head.start + opened.offset, end)
    simple = _SIMPLE.get(opened.kind)
    if simple is not None:
        return simple(head.name, fields, span=span, extent=extent)
    if opened.kind == "extern":
        return Object(head.name, fields, extern=True, span=span, extent=extent)
    overrides = tuple([b for b in opened.inner if isinstance(b, Override)])
    if opened.kind == "phase":
        steps = tuple([b for b in opened.inner if isinstance(b, Step)])
        return Phase(head.name, fields, steps=steps, overrides=overrides, span=span, extent=extent)
    if opened.kind == "plan":
        phases = tuple([b for b in opened.inner if isinstance(b, PlanPhase)])
        return Plan(head.name, fields, overrides=overrides, phases=phases, span=span, extent=extent)
    kind = Signal if opened.kind == "on" else PlanPhase
    return kind(head.name, fields, overrides=overrides, span=span, extent=extent)
