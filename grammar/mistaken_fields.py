"""Fields whose key, `=` or value is wrong or missing."""

import re

from mirc.grammar import syntax_rules as rules
from mirc.grammar.automaton import END, Word
from mirc.grammar.mending import insertion, quoting
from mirc.grammar.mistaken_lists import report_bare_list
from mirc.grammar.reading import Reading
from mirc.grammar.words import BLOCK_AHEAD, shown, span
from mirc.ir.fields import FIELD_BY_KEY

_EQUALS_BEHIND = re.compile(r"[^\s=]+[ \t]*=")


def reserved_word(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``phase = 3``, ``object plan {``."""
    automaton = reading.automaton
    last = automaton.last
    if word.kind == "EQUAL" and last is not None and last.kind in automaton.keywords:
        taken, reserved = True, last
        automaton.drop_item()
        automaton.feed(Word("NAME", last.text, last.start, last.end))
    elif word.kind in automaton.words and "NAME" in accepts:
        if automaton.inner == "LBRACE" and not (last and last.kind in automaton.keywords):
            as_key = last is None or last.kind != "EQUAL"
            if as_key and not reading.before_equals(word):
                return False
            if not as_key and reading.first_on_line(word.start):
                return False
        taken, reserved = False, word
        automaton.feed(Word("NAME", word.text, word.start, word.end))
    else:
        return False
    as_name = "STRING" in accepts and not taken
    meant = [key for key in FIELD_BY_KEY if key.startswith(reserved.text)]
    if as_name:
        hint = f'choose another name, or write `"{reserved.text}"`'
    else:
        hint = f"did you mean `{meant[0]}`?" if meant else "choose another key"
    reading.report(
        rules.RESERVED_WORD,
        span(reserved),
        found=reserved.text,
        hint=hint,
        fix=quoting(reading.text, reserved.start, reserved.end) if as_name else None,
    )
    reading.guess()
    reading.again(reserved.end)
    return True


def missing_value(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key =`` and a new line, and ``key = @ 0.5``."""
    del accepts
    recent = reading.automaton.recent
    if reading.automaton.inner != "LBRACE":
        return False
    if recent and recent[-1].kind == "AT" and _ends(reading, word):
        return _no_confidence(reading, word)
    equals = resume = key = None
    if recent and recent[-1].kind == "EQUAL":
        if _ends(reading, word) or word.text == "@":
            equals, resume, key = recent[-1], word, recent[-2:-1]
    elif _took_key(reading, word):
        equals, resume, key = recent[-2], recent[-1], recent[-3:-2]
    if equals is None or resume is None:
        return False
    place = span(key[0]) if key else span(equals)
    reading.report(rules.MISSING_VALUE, place, key=key[0].text if key else "=")
    if word.text == "@":
        reading.abandon(word)
    else:
        reading.drop(resume.start)
        reading.again(resume.start)
    return True


def _ends(reading: Reading, word: Word) -> bool:
    """Whether a word no longer belongs to the field before it."""
    if word.kind in (END, "RBRACE") or reading.first_on_line(word.start):
        return True
    head = BLOCK_AHEAD.match(reading.text, word.end)
    return reading.starts_block(word) and head is not None


def _no_confidence(reading: Reading, word: Word) -> bool:
    """Explain ``key = value @`` and a new line."""
    sign = reading.automaton.recent[-1]
    reading.report(
        rules.MISSING_VALUE,
        span(sign),
        message="no confidence follows the `@`",
        hint="write a number from 0 to 1 after it, or remove it",
    )
    reading.drop(word.start)
    reading.again(word.start)
    return True


def _took_key(reading: Reading, word: Word) -> bool:
    """Whether the next line's key was taken for the value; or on one line, ``a = b = 1``."""
    recent = reading.automaton.recent
    if [each.kind for each in (*recent[-2:], word)] != ["EQUAL", "NAME", "EQUAL"]:
        return False
    if reading.rest_of_line(word.end).startswith("("):
        return False
    return reading.first_on_line(recent[-1].start) or not reading.first_on_line(word.start)


def value_without_key(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``= value``."""
    if word.kind != "EQUAL" or not {"NAME", "RBRACE"} <= accepts:
        return False
    if reading.automaton.last is not None and not reading.first_on_line(word.start):
        return False
    reading.report(rules.VALUE_WITHOUT_KEY, span(word))
    reading.automaton.settle(accepts)
    reading.abandon(word)
    return True


def word_before_block(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``x step a {``: a word alone before a block."""
    automaton = reading.automaton
    last = automaton.last
    if accepts != {"EQUAL"} or last is None or len(automaton.recent) != 1:
        return False
    if not automaton.takes_after_drop(word.kind) or not reading.starts_block(word):
        return False
    message = f"`{last.text}` has neither `=` nor a value"
    hint = "write `key = value`, or remove it"
    reading.report(rules.MISSING_EQUALS, span(last), message=message, hint=hint)
    reading.drop(word.start)
    reading.again(word.start)
    return True


def missing_equals(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key value``, or a word alone on its line."""
    automaton = reading.automaton
    last = automaton.last
    if accepts != {"EQUAL"} or last is None or last.kind != "NAME":
        return False
    alone = reading.first_on_line(word.start) or word.kind in ("RBRACE", END)
    beside = not reading.first_on_line(last.start) and reading.automaton.previous is not None
    if beside and (alone or not automaton.takes_two("EQUAL", word.kind)):
        report_bare_list(reading, last)
        if automaton.previous is not None:
            reading.erase(automaton.previous.offset, last.start)
        reading.drop(word.start)
        if reading.text[last.start : word.start].count("\n") or alone:
            reading.again(word.start)
        else:
            reading.abandon(word)
    elif alone:
        reading.report(
            rules.MISSING_EQUALS,
            span(last),
            message=f"`{last.text}` has neither `=` nor a value",
            hint="write `key = value`, or remove it",
        )
        reading.drop(word.start)
        reading.again(word.start)
    elif automaton.takes_two("EQUAL", word.kind):
        glued = "" if reading.text[word.start - 1].isspace() else " "
        moved = _EQUALS_BEHIND.match(reading.text, word.start)
        fix = None if moved else insertion(word.start, f"{glued}= ")
        reading.report(rules.MISSING_EQUALS, span(word), found=shown(word), fix=fix)
        reading.supply("EQUAL", word.start)
        reading.insert_before(word.start, "=")
        reading.again(word.start)
    else:
        return False
    return True
