"""Strings with wrong, missing or needless quotes, or with escapes that are none."""

import re

from mirc.diagnostics import Edit, Fix, Span
from mirc.grammar import syntax_rules as rules
from mirc.grammar.automaton import CHARACTER, Word
from mirc.grammar.landmarks import VIEW
from mirc.grammar.mending import insertion, quoted, replacement
from mirc.grammar.reading import Reading
from mirc.grammar.words import span

# Straight and typographic quotes, as word processors and web pages make them.
_CLOSING_QUOTE = {
    "'": "'",
    "`": "`",
    "\u201c": "\u201d",
    "\u201d": "\u201d",
    "\u2018": "\u2019",
    "\u201e": "\u201c",
    "\u00ab": "\u00bb",
}
_CLOSED = re.compile(r'"(?:[^"\\\r\n]|\\[^\r\n])*"')
_ESCAPE = re.compile(r'\\(?:["\\nrt]|u[0-9A-Fa-f]{4}|(?P<bad>u[0-9A-Fa-f]{0,3}|.))')
_BEFORE_END = re.compile(r"\s*(?:[\[\](){},;]\s*)*(?://.*)?$")
_COLON = re.compile(r"[ \t]*(:)[ \t]*")
_KEY = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def quotes(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``'text'`` and typographic quotes."""
    if word.kind != CHARACTER or word.text not in _CLOSING_QUOTE:
        return False
    end = reading.text.find(_CLOSING_QUOTE[word.text], word.end, reading.line_end(word.start))
    if end < 0 or "STRING" not in accepts:
        return False
    inner = reading.text[word.end : end]
    fix = replacement(word.start, end + 1, quoted(inner))
    reading.report(rules.WRONG_QUOTES, Span(word.start, end + 1), inner=inner[:VIEW], fix=fix)
    reading.replace(word.start, '"')
    reading.replace(end, '"')
    reading.supply("STRING", word.start)
    if '"' in inner or "\\" in inner:
        reading.guess()
    reading.again(end + 1)
    return True


def bad_escape(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain a string that is closed, and still none for a backslash in it."""
    match = _CLOSED.match(reading.text, word.start)
    if word.kind != CHARACTER or match is None:
        return False
    bad = [
        m for m in _ESCAPE.finditer(reading.text, match.start() + 1, match.end() - 1) if m["bad"]
    ]
    if not bad:
        return False
    for escape in bad:
        at = escape.start()
        fix = Fix("double the backslash", (Edit(Span(at, at), "\\"),))
        reading.report(rules.BAD_ESCAPE, Span(*escape.span()), found=escape[0], fix=fix)
        reading.replace(at, " ")
    if "STRING" in accepts:
        reading.supply("STRING", word.start)
        reading.guess()
    else:
        reading.erase(*match.span())
    reading.again(match.end())
    return True


def open_string(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``"text`` up to the end of the line."""
    if word.kind != CHARACTER or word.text != '"':
        return False
    end = reading.line_end(word.start)
    fix = _closing_quote(reading, word, end) if "STRING" in accepts else None
    reading.report(rules.OPEN_STRING, Span(word.start, end), fix=fix)
    brace = reading.text.rfind("{", word.start, end)
    automaton = reading.automaton
    if "STRING" in accepts and "LBRACE" not in accepts and automaton.inner:
        last = automaton.last
        if last is None or last.kind not in automaton.keywords:
            reading.drop(end)
            reading.again(end)
            return True
    if "STRING" in accepts and brace > 0:
        reading.supply("STRING", word.start)
        reading.guess()
        reading.again(brace)
    else:
        reading.erase(word.start, end)
        reading.again(end)
    return True


def _closing_quote(reading: Reading, word: Word, end: int) -> Fix | None:
    """Return the fix that closes a string before what ends its line: brackets, a comment."""
    rest = reading.text[word.end : min(end, word.end + VIEW)]
    if '"' in rest.split("//", 1)[0]:
        return None
    if not reading.automaton.inner and "{" not in rest:
        return None
    tail = min(
        (
            m
            for m in (_BEFORE_END.match(rest, i) for i in range(1, len(rest) + 1))
            if m and sum(map(m[0].count, "])")) <= reading.automaton.depth
        ),
        key=lambda m: m.start(),
        default=None,
    )
    return insertion(word.end + tail.start(), '"') if tail is not None else None


def unpaired(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``["a, "b"]``: a string ended at the quote that was to begin the next."""
    del accepts
    last = reading.automaton.last
    if last is None or last.kind != "STRING" or last.end != word.start or not last.text:
        return False
    if word.kind not in ("NAME", "INT", "FLOAT", CHARACTER):
        return False
    if reading.text.count('"', word.start, reading.line_end(word.start)) % 2 == 0:
        return False
    trimmed = last.text[1:-1].rstrip()
    inner = trimmed.rstrip(",").rstrip()
    cut = last.start + 1 + len(inner)
    fix = insertion(cut, '"') if trimmed.endswith(",") else None
    reading.report(rules.OPEN_STRING, span(last), fix=fix)
    end = reading.line_end(word.start)
    reading.drop(end)
    reading.again(end)
    return True


def quoted_key(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``"key" = value``, as in JSON."""
    if word.kind != "STRING" or not {"NAME", "RBRACE"} <= accepts:
        return False
    key = word.text[1:-1]
    if not reading.before_equals(word) or not _KEY.fullmatch(key):
        return False
    colon = _COLON.match(reading.text, word.end)
    end = word.end if colon is None else colon.end()
    fix = replacement(word.start, end, key if colon is None else f"{key} = ")
    reading.report(rules.QUOTED_KEY, span(word), key=key, fix=fix)
    reading.replace(word.start, f" {key} ")
    reading.feed(Word("NAME", key, word.start, word.end))
    if colon is not None:
        reading.replace(colon.start(1), "=")
        reading.feed(Word("EQUAL", "=", colon.start(1), colon.end(1)))
        reading.again(end)
    return True
