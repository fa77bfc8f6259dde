"""Declarations and headers that are misspelt, misplaced or nameless."""

import difflib

from mirc.diagnostics import Span
from mirc.grammar import syntax_rules as rules
from mirc.grammar.automaton import END, Word
from mirc.grammar.reading import Reading
from mirc.grammar.words import BLOCK_AHEAD, NAMES, span

_HOMES = {"OVERRIDE": "a `phase`, an `on` or a `plan`", "STEP": "a `phase`"}


def _nearest_keyword(reading: Reading, text: str) -> str | None:
    """Return the terminal of the keyword nearest to a word, first of those that may stand here."""
    automaton = reading.automaton
    by_text = {automaton.words[kind]: kind for kind in sorted(automaton.keywords)}
    near = difflib.get_close_matches(text[:30].lower(), list(by_text), 3, 0.7)
    welcome = [by_text[match] for match in near if automaton.takes(by_text[match])]
    return next(iter(welcome), by_text[near[0]] if near else None)


def misplaced_block(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``override`` on top, ``step`` in an object."""
    automaton = reading.automaton
    if automaton.inner not in ("", "LBRACE") or not reading.starts_block(word):
        return False
    automaton.settle(accepts)
    if automaton.last is not None or automaton.takes(word.kind):
        return False
    home = _HOMES.get(word.kind)
    reading.report(
        rules.MISPLACED_BLOCK,
        span(word),
        f"`{word.text}` may not stand here",
        f"move it into {home}" if home else "move it to the top level of the file",
    )
    reading.skip_block(word)
    return True


def unknown_block(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``overide a {``: the word was taken for a key, or refused on top."""
    automaton = reading.automaton
    automaton.settle(accepts)
    last = automaton.last
    typo = None
    if last is not None and last.kind == "NAME" and accepts == {"EQUAL"}:
        if word.kind == "LBRACE" or (
            word.kind in NAMES and BLOCK_AHEAD.match(reading.text, word.start)
        ):
            typo = last
    elif word.kind == "NAME" and not automaton.inner and last is None:
        typo = word if BLOCK_AHEAD.match(reading.text, word.end) else None
    if typo is None:
        return False
    keyword = None
    automaton.drop_item()
    if word.kind != "LBRACE":
        keyword = _nearest_keyword(reading, typo.text)
    keywords = [automaton.words[kind] for kind in sorted(automaton.top_keywords)]
    reading.report(
        rules.UNKNOWN_BLOCK,
        span(typo),
        f"`{typo.text}` does not start a block",
        f"did you mean `{automaton.words[keyword]}`?"
        if keyword
        else f"begin with one of {', '.join(keywords)}"
        if not automaton.inner
        else "write `key = value`, or put the fields into a declaration of their own",
    )
    if keyword and automaton.feed(Word(keyword, typo.text, typo.start, typo.end)):
        reading.guess()
        reading.again(typo.end)
    else:
        reading.skip_block(typo)
    return True


def header(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``mir 1`` or a header further down."""
    del accepts
    if reading.automaton.inner or not (word.kind == "HEADER" or word.text == "mir"):
        return False
    end = word.end if word.kind == "HEADER" else reading.line_end(word.start)
    reading.report(
        rules.BAD_HEADER,
        Span(word.start, min(end, word.start + 40)),
        f"`{word.text}` belongs on the first line"
        if word.kind == "HEADER"
        else "the version is not written as two numbers",
        "move it there" if word.kind == "HEADER" else "write `mir 1.0`",
    )
    reading.erase(word.start, end)
    reading.again(end)
    return True


def field_outside(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key = value`` between declarations."""
    automaton = reading.automaton
    if automaton.inner or END not in accepts:
        return False
    automaton.settle(accepts)
    if word.kind != "NAME" or not reading.before_equals(word):
        return False
    reading.report(
        rules.FIELD_OUTSIDE,
        span(word),
        f"the field `{word.text}` stands outside any declaration",
        "put it between the braces of one",
    )
    reading.abandon(word)
    return True


def missing_name(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``object {``."""
    last = reading.automaton.last
    if word.kind != "LBRACE" or last is None or "NAME" not in accepts or accepts - NAMES:
        return False
    keyword = last.text or reading.automaton.words.get(last.kind, "declaration")
    reading.report(
        rules.MISSING_NAME,
        Span(last.start, last.end),
        f"this `{keyword}` has no name",
        f"write `{keyword} NAME {{`",
    )
    reading.supply("NAME", word.start)
    reading.guess()
    reading.again(word.start)
    return True
