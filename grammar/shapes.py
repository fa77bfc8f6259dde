"""The terminals of a line into what builds its fields, found once for all lines alike."""

import re
from collections.abc import Callable
from functools import lru_cache
from sys import intern
from typing import Any

from mirc.grammar.lexer import BLANKS, KINDS, PATTERNS
from mirc.grammar.lexer import END as END_OF_TEXT
from mirc.grammar.limits import MAX_DEPTH
from mirc.grammar.literals import read_confidence, read_number, read_scalar
from mirc.grammar.states import ROWS
from mirc.grammar.tables import END, RULES, START, TERMINALS
from mirc.ir.module import Field, Fields
from mirc.ir.values import Call

Texts = list[str]  # of a line's tokens
Make = Callable[[Texts], Any]
Build = Callable[[Texts], Fields]


_NUMBERS = ("INT", "FLOAT", "SIZE", "TIME")
_LONGEST = 200  # tokens of a line beyond which nobody writes another one alike


@lru_cache(maxsize=4096)
def numbered(kinds: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return what finds the texts behind ``NAME =`` in a line of such terminals; None if others.

    Only for numbers, where long files differ most. A terminal before it in the lexer's order must
    not fit in its place.
    """
    if kinds[:2] != ("NAME", "EQUAL") or not {*kinds[2:]} <= {*_NUMBERS, "AT"}:
        return None
    return re.compile("".join(map(_alone, kinds[2:])) + BLANKS)


def _alone(kind: str) -> str:
    before = "|".join(pattern for _, pattern in TERMINALS[: KINDS.index(kind) - 1])
    return f"{BLANKS}(?!{before})({PATTERNS[kind]})"


@lru_cache(maxsize=4096)
def shape(kinds: tuple[str, ...]) -> Build | None:
    """Return what makes the fields of a line of such terminals; None: the driver must read it."""
    depth = deepest = 0
    for kind in kinds:
        depth += (kind in ("LSQB", "LPAR")) - (kind in ("RSQB", "RPAR"))
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH or len(kinds) > _LONGEST:
        return None
    stack = [START["line"]]
    values: list[Any] = []
    for index, kind in enumerate((*kinds, END_OF_TEXT)):
        while True:
            action = ROWS[stack[-1]].get(kind)
            if action is None:
                return None
            if action >= 0:
                stack.append(action)
                values.append(_Terminal(kind, index))
                break
            name, length, kept, spread = RULES[~action]
            first = len(values) - length
            children: list[Any] = []
            for at in kept:
                child = values[first + at]
                children += child if at in spread else [child]
            del values[first:], stack[first + 1 :]
            stack.append(ROWS[stack[-1]][name])
            values.append(children if name.startswith("_") else _MAKERS[name](children))
            if kind == END_OF_TEXT and stack[-1] == END["line"]:
                made: Build = values[-1]
                return made
    raise AssertionError("the line ends with $END")


class _Terminal:
    """A token whose text is not known yet: only its terminal, and which of the line it is."""

    def __init__(self, kind: str, index: int) -> None:
        self.kind = kind
        self.index = index


def _value(child: Any) -> Make:
    if not isinstance(child, _Terminal):
        made: Make = child
        return made
    kind, index = child.kind, child.index
    if kind in _NUMBERS:
        return lambda texts: read_number(kind, texts[index])
    return lambda texts: read_scalar(kind, texts[index])


def _line(children: list[Any]) -> Build:
    if len(children) == 1:
        (only,) = children
        return lambda texts: (only(texts),)
    return lambda texts: tuple([make(texts) for make in children])


def _field(children: list[Any]) -> Make:
    key, value = children[0].index, _value(children[1])
    if len(children) == 2:
        return lambda texts: Field(intern(texts[key]), value(texts))
    kind, at = children[2].kind, children[2].index
    return lambda texts: Field(intern(texts[key]), value(texts), read_confidence(kind, texts[at]))


def _list(children: list[Any]) -> Make:
    items = [_value(child) for child in children[1:-1]]
    return lambda texts: tuple([item(texts) for item in items])


def _call(children: list[Any]) -> Make:
    name, args = children[0].index, [_value(child) for child in children[2:-1]]
    return lambda texts: Call(texts[name], tuple([arg(texts) for arg in args]))


_MAKERS: dict[str, Callable[[list[Any]], Any]] = {
    "line": _line,
    "field": _field,
    "list": _list,
    "call": _call,
}
