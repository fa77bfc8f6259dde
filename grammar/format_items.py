"""A text that parses into what stands on the lines of its canonical form, as the author spelled it.

Most lines hold one whole item and are read by one pattern, each distinct one once; the others are
read word by word.
"""

import re
from collections.abc import Iterator
from enum import IntEnum, auto

import attrs

from mirc.grammar.tokens import NUMBER, STRING, Cursor, Token
from mirc.ir.names import KEYWORDS, NAME_PATTERN


class Kind(IntEnum):
    """What an item is."""

    BLANK = auto()
    COMMENT = auto()
    HEADER = auto()
    OPEN = auto()
    """A head with its opening brace."""
    EXTERN = auto()
    """A head without a body."""
    FIELD = auto()
    CLOSE = auto()


@attrs.define(slots=True)
class Element:
    """An element of a list, and the comments before it and at the end of its line."""

    text: str
    above: list[str]
    tail: str = ""


@attrs.frozen(slots=True)
class Wrapped:
    """A list or call that the author broke into lines: ``last`` are comments before its end."""

    opening: str
    elements: tuple[Element, ...]
    last: tuple[str, ...]
    closing: str

    @property
    def commented(self) -> bool:
        """Whether comments stand between the brackets."""
        return bool(self.last) or any(e.above or e.tail for e in self.elements)


@attrs.define(slots=True)
class Item:
    """One line to be: ``text`` is all of it, or a field's value and confidence on one line."""

    kind: Kind
    text: str = ""
    key: str = ""
    tail: str = ""  # the comment at its end
    above: tuple[str, ...] = ()  # comments from inside it
    wrapped: Wrapped | None = None


_VALUE = r"(?!)"
for _ in range(4):  # brackets within brackets that one pattern takes; deeper ones go word by word
    _LIST = rf"(?:{_VALUE}(?:,[ ]{_VALUE})*+)?+"
    _VALUE = rf"(?>{NAME_PATTERN}(?:\({_LIST}\))?+|{STRING}|{NUMBER}|\[{_LIST}\])"
_HEADS = "|".join(word for word in KEYWORDS if word not in ("extern", "true", "false"))
_LINE = re.compile(
    rf"""[ \t]*+(?:
      (?P<field>{NAME_PATTERN})[ \t]*+=[ \t]*+(?P<value>{_VALUE})
        (?:[ \t]*+@[ \t]*+(?P<confidence>{NUMBER}))?
    | (?P<close>\}})
    | (?P<head>extern[ ]object|{_HEADS})[ \t]++(?P<name>{NAME_PATTERN}|{STRING})[ \t]*+\{{
    )?[ \t\r]*+(?P<tail>//.*+)?""",
    re.ASCII | re.VERBOSE,
)
# With none of these first on a line, no item goes on where its line could end.
_CONTINUED = re.compile(r"^[ \t\r]*[(@{]", re.MULTILINE)
_BLANK = Item(Kind.BLANK)


def read_items(text: str) -> Iterator[Item]:
    """Yield the items of a text that parses, in order."""
    whole = _CONTINUED.search(text) is None
    memo: dict[str, Item] = {}
    line_of = _LINE.fullmatch
    at, size = 0, len(text)
    while at < size:
        end = text.find("\n", at)
        if end < 0:
            end = size
        if whole:
            line = text[at:end]
            item = memo.get(line)
            if item is None:
                match = line_of(line)
                if match is not None:
                    item = _item(match)
                    if item.kind is not Kind.OPEN:  # heads are all different
                        memo[line] = item
            if item is not None:
                yield item
                at = end + 1
                continue
        elif not text[at:end].strip():
            yield _BLANK
            at = end + 1
            continue
        found, at = _read_words(text, at)
        yield from found


def _item(match: re.Match[str]) -> Item:
    field, value, confidence, close, head, name, tail = match.groups()
    tail = "" if tail is None else tail.rstrip()
    if field is not None:
        text = value if confidence is None else f"{value} @ {confidence}"
        return Item(Kind.FIELD, text, field, tail)
    if close is not None:
        return Item(Kind.CLOSE, "}", "", tail)
    if head is not None:
        return Item(Kind.OPEN, f"{head} {name} {{", "", tail)
    return Item(Kind.COMMENT, tail) if tail else _BLANK


def _read_words(text: str, at: int) -> tuple[list[Item], int]:
    """Read items word by word until one ends with its line; return them and where that is."""
    cursor = Cursor(text, at)
    found: list[Item] = []
    token = cursor.peek()
    while token is not None:
        if token.kind == "comment":
            cursor.at = token.end
            comment = token.text.rstrip()
            if found and not token.breaks:
                found[-1].tail = comment
            else:
                found.append(Item(Kind.COMMENT, comment))
        else:
            found.append(_statement(cursor))
        token = cursor.peek()
        if token is not None and token.breaks:
            return found, text.index("\n", cursor.at) + 1
    return found, len(text)


def _statement(cursor: Cursor) -> Item:
    token = cursor.take()
    if token.kind == "header":
        return Item(Kind.HEADER, " ".join(token.text.split()))
    if token.text == "}":
        return Item(Kind.CLOSE, "}")
    return _head(cursor, token) if token.text in KEYWORDS else _field(cursor, token)


def _head(cursor: Cursor, keyword: Token) -> Item:
    inside: list[str] = []
    words = [keyword.text]
    if keyword.text == "extern":
        words.append(cursor.take_past(inside).text)
    words.append(cursor.take_past(inside).text)
    if cursor.ahead() != "{":
        return Item(Kind.EXTERN, " ".join(words), above=tuple(inside))
    words.append(cursor.take_past(inside).text)
    return Item(Kind.OPEN, " ".join(words), above=tuple(inside))


def _field(cursor: Cursor, key: Token) -> Item:
    above: list[str] = []
    cursor.take_past(above)  # =
    first = cursor.take_past(above)
    if first.text != "[" and cursor.ahead() != "(":
        text = first.text + _confidence(cursor, above)
        return Item(Kind.FIELD, text, key.text, above=tuple(above))
    opening = first.text if first.text == "[" else first.text + cursor.take_past(above).text
    elements, last, end = _elements(cursor)
    commented = bool(last) or any(e.above or e.tail for e in elements)
    suffix = _confidence(cursor, last if commented else above)
    closing = ("]" if opening == "[" else ")") + suffix
    text = opening + ", ".join(element.text for element in elements) + closing
    wrapped = None
    if "\n" in cursor.text[first.start : end]:
        wrapped = Wrapped(opening, tuple(elements), tuple(last), closing)
    return Item(Kind.FIELD, text, key.text, above=tuple(above), wrapped=wrapped)


def _confidence(cursor: Cursor, comments: list[str]) -> str:
    if cursor.ahead() != "@":
        return ""
    cursor.take_past(comments)
    return f" @ {cursor.take_past(comments).text}"


def _elements(cursor: Cursor) -> tuple[list[Element], list[str], int]:
    """Read up to the closing bracket: the elements, comments after the last, and the offset."""
    elements: list[Element] = []
    above: list[str] = []
    token = cursor.take()
    while token.text not in ("]", ")"):
        if token.kind == "comment":
            comment = token.text.rstrip()
            if elements and not token.breaks and not above and not elements[-1].tail:
                elements[-1].tail = comment
            else:
                above.append(comment)
        elif token.text != ",":
            elements.append(Element(_flat(cursor, token, above), above))
            above = []
        token = cursor.take()
    return elements, above, token.end


def _flat(cursor: Cursor, first: Token, comments: list[str]) -> str:
    """Read one value onto one line; comments inside it go to those before it."""
    if first.text != "[" and cursor.ahead() != "(":
        return first.text
    opening = first.text if first.text == "[" else first.text + cursor.take_past(comments).text
    inner = []
    token = cursor.take_past(comments)
    while token.text not in ("]", ")"):
        if token.text != ",":
            inner.append(_flat(cursor, token, comments))
        token = cursor.take_past(comments)
    return opening + ", ".join(inner) + token.text
