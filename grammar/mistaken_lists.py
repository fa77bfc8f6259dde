"""Lists and calls whose brackets or commas are missing or too many, and commas between fields."""

import re

from mirc.diagnostics import Edit, Fix, Related, Span
from mirc.grammar import syntax_rules as rules
from mirc.grammar.automaton import CLOSERS, OPENERS, Word
from mirc.grammar.landmarks import VIEW
from mirc.grammar.mending import insertion, removal, replacement
from mirc.grammar.reading import Reading
from mirc.grammar.words import shown, span

_SEPARATED = re.compile(r"(?:[\w.\[\]:]+|\"[^\"\n]*\")[ \t]*[=:]")
_KEY_AND_EQUALS = re.compile(r"[^=:\n]*[=:][ \t]*")
_ITEM = re.compile(r'(?:"(?:[^"\\\n]|\\.)*"|-?[\w.]+(?:\[[0-9:]+\])*)(?:\([^()\n]*\))?(?![ \t]*=)')
_BETWEEN = re.compile(r"[ \t]*(,?)[ \t]*")
_AHEAD = re.compile(r"\s*([\])])")
_COUNTED = re.compile(r"-?[0-9][\w.]*[ \t]+[A-Za-z_]", re.ASCII)  # `3 times`
_SIGNS = re.compile(r'"(?:[^"\\\n]|\\.)*"|[\[\](){}]')
_PAIRS = {"]": "[", ")": "(", "}": "{"}


def separator(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key = A, B`` or ``key = A,``."""
    del accepts
    if word.kind != "COMMA" or reading.automaton.inner != "LBRACE":
        return False
    rest = reading.rest_of_line(word.end)
    if rest in ("", "}", ",") or _SEPARATED.match(rest) or rest.startswith("}"):
        reading.report(
            rules.FIELD_SEPARATOR, span(word), fix=removal(reading.text, word.start, word.end)
        )
        reading.erase(word.start, word.end)
        return True
    if reading.automaton.anchor is None:
        return False
    if not unopened(reading, word):
        report_bare_list(reading, word)
    reading.abandon(word)
    return True


def unopened_bracket(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key = PER_TOKEN 4KiB)``."""
    del accepts
    automaton = reading.automaton
    recent = [each.kind for each in automaton.recent]
    if automaton.inner != "LBRACE" or word.kind in CLOSERS:
        return False
    second = recent[-2:] == ["EQUAL", "NAME"]  # `F 4KiB)`
    third = recent == ["NAME"] and automaton.previous is not None  # `F A)`, `F A, B)`
    if not (second or third) or reading.first_on_line(word.start):
        return False
    return unopened(reading, word) and _abandoned(reading, word)


def _abandoned(reading: Reading, word: Word) -> bool:
    automaton = reading.automaton
    if (
        automaton.anchor
        and automaton.previous
        and reading.automaton.recent[-1:] == [automaton.last]
    ):
        start = automaton.previous.offset
        if len(automaton.recent) == 1:
            reading.erase(start, automaton.anchor.offset)
    reading.abandon(word)
    return True


def unopened(reading: Reading, word: Word) -> bool:
    """Report a closer further on the line whose opener is missing in the value being read."""
    closer = first_unmatched(reading, word)
    value = _value_start(reading)
    if closer is None or closer == "}" or value is None:
        return False
    opener = _PAIRS[closer]
    item = _ITEM.match(reading.text, value)
    if opener == "(":
        if item is None or not item[0][0].isalpha():
            return False
        blanks = re.compile(r"[ \t]*").match(reading.text, item.end())
        end = blanks.end() if blanks is not None else item.end()
        fix = replacement(item.end(), end, "(")
    else:
        fix = insertion(value, "[")
    place = Span(value, item.end() if item is not None else value + 1)
    reading.report(rules.UNOPENED_BRACKET, place, closer=closer, opener=opener, fix=fix)
    return True


def first_unmatched(reading: Reading, word: Word) -> str | None:
    """Return the first closer on the line, from a word on, that closes nothing on the line."""
    open_ = 0
    for sign in _SIGNS.finditer(reading.rest_of_line(word.start)):
        if sign[0] in "[({":
            open_ += 1
        elif sign[0] in _PAIRS:
            open_ -= 1
            if open_ < 0:
                return sign[0]
    return None


def _value_start(reading: Reading) -> int | None:
    """Return where the value begins that is being read, or was read before the last word."""
    automaton = reading.automaton
    anchor, last = automaton.anchor, automaton.last
    if len(automaton.recent) == 1 and last is not None and not reading.first_on_line(last.start):
        anchor = automaton.previous or anchor
    match = _KEY_AND_EQUALS.match(reading.text, anchor.offset) if anchor is not None else None
    return match.end() if match is not None else None


def report_bare_list(reading: Reading, word: Word) -> None:
    """Report several values without brackets; ``word`` is the first that is one too many."""
    start = _value_start(reading)
    if start is not None and _COUNTED.match(reading.text, start):
        hint = "write the value alone, or put several in `[ ]`"
        reading.report(rules.BARE_LIST, span(word), hint=hint)
        return
    reading.report(rules.BARE_LIST, span(word), fix=_bracketed(reading, word))


def _bracketed(reading: Reading, word: Word) -> Fix | None:
    start = _value_start(reading)
    if start is None or start >= word.end:
        return None
    edits = [Edit(Span(start, start), "[")]
    at = start
    while (item := _ITEM.match(reading.text, at)) is not None:
        between = _BETWEEN.match(reading.text, item.end())
        if between is None or at - start > VIEW:
            return None
        following = _ITEM.match(reading.text, between.end())
        if following is None:
            end = between.end(1) if between[1] else item.end()
            edits.append(Edit(Span(end, end), "]"))
            break
        if not between[1]:
            edits.append(Edit(Span(item.end(), item.end()), ","))
        at = between.end()
    else:
        return None
    covers = edits[-1].span.end >= word.end
    return Fix("put the values in `[ ]`", tuple(edits)) if covers else None


def missing_comma(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``[A B]``, and ``[F 1), B]``."""
    automaton = reading.automaton
    if automaton.inner not in ("LSQB", "LPAR") or "COMMA" not in accepts:
        return False
    if not automaton.takes_two("COMMA", word.kind) or word.kind in CLOSERS:
        return False
    last = automaton.last
    closer = first_unmatched(reading, word)
    expected = automaton.literals[OPENERS[automaton.inner]]
    if closer == ")" != expected and last is not None and last.kind == "NAME":
        fix = replacement(last.end, word.start, "(")
        place = span(last)
        reading.report(rules.UNOPENED_BRACKET, place, closer=")", opener="(", fix=fix)
        reading.supply("LPAR", word.start)
        reading.guess()
        reading.again(word.start)
        return True
    fix = insertion(automaton.end, ",")
    reading.report(rules.MISSING_COMMA, span(word), found=shown(word), fix=fix)
    reading.supply("COMMA", word.start)
    reading.insert_before(word.start, ",")
    reading.again(word.start)
    return True


def extra_comma(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``[A,, B]``, ``[, A]``."""
    if word.kind != "COMMA" or reading.automaton.inner not in ("LSQB", "LPAR"):
        return False
    if "COMMA" in accepts or "NAME" not in accepts:
        return False
    reading.report(rules.EXTRA_COMMA, span(word), fix=removal(reading.text, word.start, word.end))
    reading.skip(word)
    return True


def braces_for_list(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key = {A, B}``."""
    last = reading.automaton.last
    if word.kind != "LBRACE" or last is None or "NAME" not in accepts or "LSQB" not in accepts:
        return False
    close = reading.text.find("}", word.end, min(reading.line_end(word.end), word.end + VIEW))
    if close < 0 or any(sign in reading.text[word.end : close] for sign in "={"):
        return False
    edits = (Edit(span(word), "["), Edit(Span(close, close + 1), "]"))
    reading.report(rules.BRACES_FOR_LIST, span(word), fix=Fix("write `[ ]`", edits))
    reading.guess()
    reading.replace(word.start, "[")
    reading.replace(close, "]")
    reading.supply("LSQB", word.start)
    reading.supply("RSQB", close)
    reading.again(close + 1)
    return True


def mismatched_bracket(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``[A, B)``, ``[F(A, B]`` and ``[F(A)), B]``."""
    automaton = reading.automaton
    if automaton.inner not in ("LSQB", "LPAR") or word.kind not in CLOSERS:
        return False
    wanted = OPENERS[automaton.inner]
    if wanted == word.kind or wanted not in accepts:
        return False
    opener = automaton.opened[-1].word
    closer = automaton.literals[wanted]
    around = automaton.opened[-2].word.kind if len(automaton.opened) > 1 else ""
    if OPENERS.get(around) == word.kind and around != "LBRACE":
        fix = insertion(automaton.end, closer)
        reading.report(
            rules.UNCLOSED_BRACKET, span(opener), opener=opener.text, closer=closer, fix=fix
        )
        reading.guess()
        reading.supply(wanted, word.start)
        reading.again(word.start)
        return True
    after = Word("", "", word.end, word.end)
    if first_unmatched(reading, after) == closer:
        fix = removal(reading.text, word.start, word.end)
        reading.report(rules.STRAY_BRACKET, span(word), found=word.text, fix=fix)
        reading.skip(word)
        return True
    ahead = _AHEAD.match(reading.text, word.end)
    if word.kind == "RBRACE" and ahead is not None and ahead[1] == closer:
        return _crossed(reading, word, closer, ahead.start(1))
    reading.report(
        rules.MISMATCHED_BRACKET,
        span(word),
        found=word.text,
        opener=opener.text,
        closer=closer,
        related=(Related(span(opener), f"`{opener.text}` is opened here"),),
        fix=replacement(word.start, word.end, closer),
    )
    reading.replace(word.start, closer)
    reading.supply(wanted, word.start)
    return True


def _crossed(reading: Reading, word: Word, closer: str, at: int) -> bool:
    """Explain ``[A }`` and then ``]``: the two closers changed places."""
    opener = reading.automaton.opened[-1].word
    edits = (Edit(span(word), closer), Edit(Span(at, at + 1), word.text))
    reading.report(
        rules.MISMATCHED_BRACKET,
        span(word),
        found=word.text,
        opener=opener.text,
        closer=closer,
        fix=Fix(f"swap `{word.text}` and `{closer}`", edits),
    )
    reading.replace(word.start, closer)
    reading.replace(at, word.text)
    reading.supply(OPENERS[opener.kind], word.start)
    reading.feed(Word(word.kind, word.text, at, at + 1))
    reading.again(at + 1)
    return True
