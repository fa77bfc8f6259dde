"""Fields whose key, `=`, value or separator is wrong."""

import re

from mirc.diagnostics import Span
from mirc.grammar import syntax_rules as rules
from mirc.grammar.automaton import CHARACTER, CLOSERS, END, Word
from mirc.grammar.reading import Reading
from mirc.grammar.words import BLOCK_AHEAD, shown, span

_UNITS = ("B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "ps", "ns", "us", "ms", "s")
_UNIT_SLIPS = {"K": "KiB", "M": "MiB", "G": "GiB", "T": "TiB", "sec": "s", "µs": "us", "μs": "us"}


def reserved_word(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``phase = 3``, ``object plan {``."""
    automaton = reading.automaton
    last = automaton.last
    if word.kind == "EQUAL" and last is not None and last.kind in automaton.keywords:
        taken, automaton_word = True, last
        automaton.drop_item()
        automaton.feed(Word("NAME", last.text, last.start, last.end))
    elif word.kind in automaton.words and "NAME" in accepts:
        if automaton.inner == "LBRACE" and not (last and last.kind in automaton.keywords):
            as_key = last is None or last.kind != "EQUAL"
            if as_key and not reading.before_equals(word):
                return False
            if not as_key and reading.first_on_line(word.start):
                return False
        taken, automaton_word = False, word
        automaton.feed(Word("NAME", word.text, word.start, word.end))
    else:
        return False
    reading.report(
        rules.RESERVED_WORD,
        span(automaton_word),
        f"`{automaton_word.text}` is a reserved word and cannot be a name",
        f'choose another name, or write `"{automaton_word.text}"`'
        if "STRING" in accepts and not taken
        else "choose another name",
    )
    reading.guess()
    reading.again(automaton_word.end)
    return True


def missing_value(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key =`` and a new line."""
    del accepts
    recent = reading.automaton.recent
    if reading.automaton.inner != "LBRACE":
        return False
    equals = resume = None
    if recent and recent[-1].kind == "EQUAL":
        block = reading.starts_block(word) and BLOCK_AHEAD.match(reading.text, word.end)
        ends = word.kind in (END, "RBRACE") or bool(block)
        if ends or reading.first_on_line(word.start):
            equals, resume, key = recent[-1], word, recent[-2:-1]
    elif [w.kind for w in (*recent[-2:], word)] == [
        "EQUAL",
        "NAME",
        "EQUAL",
    ] and reading.first_on_line(recent[-1].start):
        equals, resume, key = recent[-2], recent[-1], recent[-3:-2]
    if equals is None or resume is None:
        return False
    reading.report(
        rules.MISSING_VALUE,
        Span(key[0].start, key[0].end) if key else span(equals),
        f"`{key[0].text}` has no value" if key else "a value is missing",
        "write it after the `=`, or remove the field",
    )
    reading.drop(resume.start)
    reading.again(resume.start)
    return True


def bad_unit(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``128QB``, ``128 MiB``, ``1.2.3``."""
    recent = reading.automaton.recent
    if word.kind == CHARACTER:
        return _bad_number(reading, word, accepts)
    number, unit = None, word
    if word.kind == "NAME" and recent and recent[-1].is_number and recent[-1].end == word.start:
        number = recent[-1]
    elif len(recent) == 1 and accepts == {"EQUAL"} and recent[0].kind == "NAME":
        unit = recent[0]
        number = _number_before(reading, unit)
    if number is None:
        return False
    _report_unit(reading, Span(number.start, unit.end), number.text, unit.text)
    previous = reading.automaton.previous
    if unit is word:
        reading.guess()
        reading.skip(word)
    else:
        reading.drop(unit.end)
        reading.erase(previous.offset if previous else number.start, unit.end)
        reading.again(word.start)
    return True


def _bad_number(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``128QB``, ``1.2.3``: digits that begin no number."""
    match = _DIGITS.match(reading.text, word.start)
    if match is None or "INT" not in accepts:
        return False
    _report_unit(reading, Span(*match.span()), match[1], match[2])
    reading.supply("INT", word.start)
    reading.guess()
    reading.again(match.end())
    return True


def _report_unit(reading: Reading, span: Span, number: str, unit: str) -> None:
    meant = _unit_meant(unit)
    written = reading.text[span.start : span.end]
    reading.report(
        rules.BAD_UNIT,
        span,
        f"`{written[:40]}` is not a number" + (" with a unit" if unit.isalpha() else ""),
        f"did you mean `{number[:40]}{meant}`?"
        if meant
        else "sizes end in B, KiB, MiB, GiB, KB, MB, GB; times in ns, us, ms, s",
    )


_DIGITS = re.compile(r"(-?[0-9][0-9_]*(?:\.[0-9]+)?)([\w.]*)", re.ASCII)
_NUMBER_BEFORE = re.compile(r"-?[0-9][0-9_.]*[ \t]*$")


def _number_before(reading: Reading, unit: Word) -> Word | None:
    """Return the number that a word would be the unit of: beside it, or before a known unit."""
    head = reading.text[max(0, unit.start - 60) : unit.start]
    match = _NUMBER_BEFORE.search(head)
    if match is None or (head[-1:].isspace() and _unit_meant(unit.text) is None):
        return None
    text = match[0].rstrip()
    start = unit.start - len(match[0])
    return Word("INT", text, start, start + len(text))


def _unit_meant(text: str) -> str | None:
    if text in _UNITS:
        return text
    folded = {unit.lower(): unit for unit in _UNITS}
    return _UNIT_SLIPS.get(text) or folded.get(text.lower())


def separator(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key = A, B`` or ``key = A,``."""
    del accepts
    if word.kind != "COMMA" or reading.automaton.inner != "LBRACE":
        return False
    rest = reading.rest_of_line(word.end)
    if rest in ("", "}") or re.match(r"[\w.]+[ \t]*=", rest):
        reading.report(
            rules.FIELD_SEPARATOR,
            span(word),
            "`,` does not separate fields",
            "end a field with a line break",
        )
        reading.erase(word.start, word.end)
        return True
    reading.report(
        rules.BARE_LIST,
        span(word),
        "several values stand without brackets",
        "put them in `[ ]`",
    )
    reading.abandon(word)
    return True


def missing_equals(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key value``, or a word alone on its line."""
    automaton = reading.automaton
    last = automaton.last
    if accepts != {"EQUAL"} or last is None or last.kind != "NAME":
        return False
    alone = reading.first_on_line(word.start) or word.kind in ("RBRACE", END)
    if not reading.first_on_line(last.start) and (
        alone or not automaton.takes_two("EQUAL", word.kind)
    ):
        reading.report(
            rules.BARE_LIST,
            span(last),
            f"`{last.text}` follows a finished value",
            "put several values in `[ ]`, or begin a new line with `key = value`",
        )
        reading.drop(word.start)
        reading.again(word.start)
    elif alone:
        reading.report(
            rules.MISSING_EQUALS,
            span(last),
            f"`{last.text}` has neither `=` nor a value",
            "write `key = value`, or remove it",
        )
        reading.drop(word.start)
        reading.again(word.start)
    elif automaton.takes_two("EQUAL", word.kind):
        reading.report(
            rules.MISSING_EQUALS,
            span(word),
            f"`=` is missing before {shown(word)}",
            "add it",
        )
        reading.supply("EQUAL", word.start)
        reading.insert_before(word.start, "=")
        reading.again(word.start)
    else:
        return False
    return True


def missing_comma(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``[A B]``."""
    automaton = reading.automaton
    if automaton.inner not in ("LSQB", "LPAR") or "COMMA" not in accepts:
        return False
    if not automaton.takes_two("COMMA", word.kind) or word.kind in CLOSERS:
        return False
    reading.report(
        rules.MISSING_COMMA,
        span(word),
        f"`,` is missing before {shown(word)}",
        "separate the values of a list with commas",
    )
    reading.supply("COMMA", word.start)
    reading.insert_before(word.start, ",")
    reading.again(word.start)
    return True
