"""Tokens into declarations by the LALR tables: what Lark does, without Lark."""

from collections.abc import Callable
from typing import Any

from mirc.grammar.builder import Builder
from mirc.grammar.lexer import END as END_OF_TEXT
from mirc.grammar.lexer import Misread, Token, tokens
from mirc.grammar.limits import MAX_DEPTH, MAX_FIELDS, too_many_fields
from mirc.grammar.states import ROWS
from mirc.grammar.tables import BODIES, END, RULES, START

_DEEPER = {"LSQB": 1, "LPAR": 1, "RSQB": -1, "RPAR": -1}
_DECLARATIONS = frozenset({"extern", *(rule for _, rule in BODIES[0].values())})
_BUILDER = Builder()
Reduce = Callable[[list[Any]], Any]


def _reducer(name: str, length: int, kept: tuple[int, ...], spread: tuple[int, ...]) -> Reduce:
    """Return what makes the value of a rule of its children's values.

    A rule whose name begins with an underscore gives a list, which is spread where it is used; the
    list of a repetition grows in place, or a long one would cost the square of its length.
    """
    build: Reduce | None = None if name.startswith("_") else getattr(_BUILDER, name)
    grows = name.startswith("_") and spread[:1] == (0,)

    def children(values: list[Any]) -> list[Any]:
        made: list[Any] = values[0] if grows else []
        for index in kept[1:] if grows else kept:
            if index in spread:
                made += values[index]
            else:
                made.append(values[index])
        return made

    if build is None:
        return children
    if len(kept) == length and not spread:
        return build
    return lambda values: build(children(values))


_RULES = tuple((row[0], row[1], _reducer(*row)) for row in RULES)


def whole(text: str) -> Any:
    """Read a whole text; raise ``Misread``."""
    return _drive(text, 0, "start")[0]


def declaration(text: str, start: int) -> tuple[Any, int]:
    """Read one declaration on top, and return it with the offset of the token that follows it."""
    return _drive(text, start, "start", one=True)


def fields(text: str, start: int) -> tuple[Any, int]:
    """Read as many fields as stand there, and return them with the offset of what follows."""
    return _drive(text, start, "line")


def _drive(text: str, start: int, symbol: str, *, one: bool = False) -> tuple[Any, int]:
    """Run the tables; with ``line``, the first token that fits no field ends it."""
    run, end = _Run(text, start, START[symbol]), END[symbol]
    for token in tokens(text, start):
        kind = token.type
        while True:
            action = run.row.get(kind)
            if action is None and symbol == "line":
                kind = END_OF_TEXT
                action = run.row.get(kind)
            if action is None:
                raise Misread(token.start_pos)
            if action >= 0:
                run.shift(token, action)
                break
            name, value = run.reduce(~action)
            at_end = kind == END_OF_TEXT and run.stack[-1] == end
            if at_end or (one and name in _DECLARATIONS):
                return value, token.start_pos
    raise AssertionError("tokens end with $END")


class _Run:
    """The two stacks of one run, and what must not grow without bound."""

    def __init__(self, text: str, start: int, state: int) -> None:
        self.text = text
        self.start = start
        self.stack = [state]
        self.values: list[Any] = []
        self.row = ROWS[state]
        self.depth = 0
        self.fields_in_a_row = 0

    def shift(self, token: Token, state: int) -> None:
        """Take a token."""
        self.depth += _DEEPER.get(token.type, 0)
        if self.depth > MAX_DEPTH:
            raise Misread(token.start_pos)
        if token.type == "LBRACE":
            self.fields_in_a_row = 0
        self.stack.append(state)
        self.values.append(token)
        self.row = ROWS[state]

    def reduce(self, rule: int) -> tuple[str, Any]:
        """Put a rule's value in the place of its children, and return both."""
        name, length, build = _RULES[rule]
        first = len(self.values) - length
        value = build(self.values[first:])
        del self.values[first:], self.stack[first + 1 :]
        self.stack.append(ROWS[self.stack[-1]][name])
        self.values.append(value)
        self.row = ROWS[self.stack[-1]]
        if name == "field":
            self.fields_in_a_row += 1
            if self.fields_in_a_row > MAX_FIELDS:
                raise too_many_fields(self.text, self.start)
        return name, value
