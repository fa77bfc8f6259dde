"""Characters that begin no word, and what was meant by them."""

import re

from mirc.diagnostics import Edit, Fix, Span
from mirc.grammar import syntax_rules as rules
from mirc.grammar.automaton import CHARACTER, Word
from mirc.grammar.lookalikes import typed
from mirc.grammar.mending import quoting, removal, replacement
from mirc.grammar.reading import Reading
from mirc.grammar.words import BLOCK_AHEAD, NAMES, end_of_noise, shown, span
from mirc.ir.enums import ObjectClass
from mirc.ir.names import is_bare

_OTHERWISE = {
    "%": "write a share as a number from 0 to 1",
    "*": "there is no arithmetic: write the product",
    "/": "there is no arithmetic: write the quotient",
}
_ASCII = "a key is made of ASCII letters, digits and `_`"
_PART = re.compile(r"(?:\[[0-9]+(?::[0-9]+)?\][\w.]*)+")
_CLASS_AHEAD = re.compile(r"[ \t]*(\w+)[ \t]*\{", re.ASCII)
_FIRST_FIELD = re.compile(r"(?:[ \t]*\r?\n)?[ \t]*")
_OWN_CLASS = re.compile(r"\bclass[ \t]*=")
_STRANGE = re.compile(r"[^\w.\[\]:]", re.ASCII)
_ARROW = re.compile(r"(?:->|<-|=>|[-+*/<>!~]=|:=|=)=?")


def colon(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key: value``."""
    if word.text != ":" or word.kind != CHARACTER or "EQUAL" not in accepts:
        return False
    text = reading.text
    before = "" if text[word.start - 1 : word.start].isspace() else " "
    after = "" if text[word.end : word.end + 1].isspace() else " "
    fix = replacement(word.start, word.end, f"{before}={after}")
    reading.report(rules.COLON, span(word), fix=fix)
    reading.replace(word.start, "=")
    reading.supply("EQUAL", word.start)
    return True


def wrong_equals(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key == value``, ``key => value``, ``key <- value``."""
    last = reading.automaton.last
    if last is not None and last.kind == "EQUAL" and last.end == word.start:
        start = last.start
    elif word.kind == CHARACTER and "EQUAL" in accepts:
        start = word.start
    else:
        return False
    match = _ARROW.match(reading.text, start)
    if match is None or match.end() <= word.start:
        return False
    reading.report(
        rules.WRONG_EQUALS,
        Span(*match.span()),
        found=match[0],
        fix=replacement(*match.span(), "="),
    )
    reading.erase(start, match.end())
    reading.replace(start, "=")
    if start == word.start:
        reading.supply("EQUAL", start)
    reading.again(match.end())
    return True


def semicolon(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key = value;`` and ``[A; B]``."""
    if word.text != ";" or word.kind != CHARACTER:
        return False
    end = word.end
    while reading.text.startswith(";", end):
        end += 1
    reading.erase(word.start, end)
    if "COMMA" in accepts:
        fix = replacement(word.start, end, ",")
        reading.report(rules.SEMICOLON, span(word), hint="write `,` between values", fix=fix)
        reading.replace(word.start, ",")
        reading.supply("COMMA", word.start)
    else:
        fix = removal(reading.text, word.start, end)
        reading.report(rules.SEMICOLON, span(word), fix=fix)
    reading.again(end)
    return True


def comment(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``# ...`` and ``/* ... */``."""
    del accepts
    text = reading.text
    if word.kind != CHARACTER:
        return False
    if word.text == "#":
        end = reading.line_end(word.start)
        fix = replacement(word.start, word.end, "//")
        reading.report(rules.HASH_COMMENT, span(word), fix=fix)
    elif text.startswith("/*", word.start):
        close = text.find("*/", word.start + 2)
        end = len(text) if close < 0 else close + 2
        place = Span(word.start, word.start + 2)
        reading.report(rules.BLOCK_COMMENT, place, fix=_commented(reading, word.start, end))
    else:
        return False
    reading.replace(word.start, " " * (min(end, reading.line_end(word.start)) - word.start))
    reading.erase(word.start, end)
    reading.again(end)
    return True


def _commented(reading: Reading, start: int, end: int) -> Fix:
    """Return the fix that begins each line of a block comment with ``//``."""
    inner = reading.text[start + 2 : end].removesuffix("*/")
    lines = [line.strip().lstrip("*").strip() for line in inner.split("\n")]
    while len(lines) > 1 and not lines[-1]:
        lines.pop()
    break_ = "\n" + " " * reading.indent(start)
    written = break_.join(f"// {line}".rstrip() for line in lines)
    more = break_ if reading.rest_of_line(end) else ""
    return Fix("begin each line with `//`", (Edit(Span(start, end), written + more),))


def bad_character(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain any other character of no terminal."""
    if word.kind != CHARACTER:
        return False
    end = end_of_noise(reading.text, word.start)
    last = reading.automaton.last
    start = word.start
    if last is not None and last.end == start and last.text and last.kind == "NAME":
        start = last.start
        as_name = "EQUAL" not in accepts
    else:
        as_name = "STRING" in accepts
    meant = as_name and word.text not in '"\\%'
    part = _PART.match(reading.text, end)
    whole = end if part is None else part.end()
    slip = typed(reading.text, start, word.start)
    hint, fix = None, quoting(reading.text, start, whole) if meant else None
    if slip is not None:
        hint, fix = f"write `{slip[2]}`, in ASCII", replacement(*slip)
    elif not meant:
        hint = _ASCII if word.text.isalpha() else _OTHERWISE.get(word.text, "remove it")
    reading.report(rules.BAD_CHARACTER, span(word), found=shown(word), hint=hint, fix=fix)
    stand_in = _STRANGE.sub("_", reading.text[start:end])
    named = as_name and reading.automaton.heads() and is_bare(stand_in)
    if named:  # the fields are judged, under a name like the one that was meant
        reading.replace(start, stand_in)
    else:
        reading.erase(word.start, end)
    if start == word.start and as_name:
        reading.supply("STRING", word.start)
    if as_name and not named:
        reading.guess()
    reading.again(end)
    return True


def sign_in_head(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``object w = {``, ``object w: {``, and ``object w:`` as in YAML or Python."""
    last = reading.automaton.last
    if last is None or word.text not in (":", "=") or not reading.automaton.heads():
        return False
    if accepts == NAMES and BLOCK_AHEAD.match(reading.text, word.end):
        fix = removal(reading.text, word.start, word.end)
        reading.report(
            rules.UNEXPECTED,
            span(word),
            expected="a name",
            found=shown(word),
            hint="remove it",
            fix=fix,
        )
        reading.skip(word)
        return True
    if "LBRACE" not in accepts:
        return False
    rest = reading.rest_of_line(word.end)
    if rest.startswith("{"):
        fix = removal(reading.text, word.start, word.end)
        reading.report(
            rules.UNEXPECTED,
            span(word),
            expected="`{`",
            found=shown(word),
            hint="remove it",
            fix=fix,
        )
        reading.skip(word)
        return True
    if rest:
        return False
    fix = replacement(word.start, word.end, " {")
    reading.report(rules.MISSING_BRACE, span(word), owner=last.text, fix=fix)
    reading.replace(word.start, "{")
    reading.supply("LBRACE", word.start)
    return True


def class_in_head(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``object w: WEIGHT_TILE {``."""
    if word.text not in (":", "=") or "LBRACE" not in accepts or not reading.automaton.heads():
        return False
    text = reading.text
    head = _CLASS_AHEAD.match(text, word.end)
    if head is None or head[1] not in ObjectClass.__members__:
        return False
    field = f"class = {head[1]}"
    first = _FIRST_FIELD.match(text, head.end())
    gap = first[0] if first is not None else " "
    written = f" {{{gap if gap.strip(' ') else ' '}{field}"
    edit = Edit(Span(word.start, head.end()), written if gap.strip(" ") else f"{written} ")
    body = text[head.end() : text.find("}", head.end()) + 1]
    fix = None if _OWN_CLASS.search(body) else Fix(f"write `{field}` between the braces", (edit,))
    reading.report(
        rules.UNEXPECTED,
        span(word),
        expected="`{`",
        found=shown(word),
        hint=f"write `{field}` between the braces",
        fix=fix,
    )
    reading.erase(word.start, head.end(1))
    reading.again(head.end() - 1)
    return True
