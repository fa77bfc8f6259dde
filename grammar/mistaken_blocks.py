"""Declarations and headers that are misspelt, misplaced or nameless."""

import re

from mirc.diagnostics import Edit, Fix, Related, Span
from mirc.grammar import syntax_rules as rules
from mirc.grammar.automaton import END, Word
from mirc.grammar.mending import quoting, removal, replacement
from mirc.grammar.reading import Reading
from mirc.grammar.words import BLOCK_AHEAD, HEAD_AHEAD, NAMES, span
from mirc.ir.suggest import nearest

_HOMES = {"OVERRIDE": "a `phase`, an `on` or a `plan`", "STEP": "a `phase`"}
_NAME_BEHIND = re.compile(r"[ \t]*([A-Za-z_][\w.]*(?:\[[0-9:]+\])*)[ \t]*(?:\n|$)", re.ASCII)
_FIRST_HEADER = re.compile(r"(?:\s|//[^\n]*(?:\n|\Z))*+(mir[ \t]+[0-9]+\.[0-9]+)(?!\S)")
_NUMBERED = re.compile(r"[\w.+-]+(?:\[[0-9:]+\])*(?=[ \t]*\{)")
_SUPPORTED = "mir 1.0"


def _nearest_keyword(reading: Reading, text: str) -> str | None:
    """Return the terminal of the keyword nearest to a word, first of those that may stand here."""
    automaton = reading.automaton
    by_text = {automaton.words[kind]: kind for kind in sorted(automaton.keywords)}
    near = nearest(text[:30].lower(), list(by_text), 3, 0.6)
    welcome = [by_text[match] for match in near if automaton.takes(by_text[match])]
    return next(iter(welcome), by_text[near[0]] if near else None)


def misplaced_block(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``override`` on top, ``step`` in an object."""
    automaton = reading.automaton
    if automaton.inner not in ("", "LBRACE") or not reading.starts_block(word):
        return False
    if not HEAD_AHEAD.match(reading.text, word.end):
        return False
    settled = automaton.is_settled(accepts) or automaton.last is None
    if not settled or automaton.takes(word.kind):
        return False
    automaton.settle(accepts)
    home = _HOMES.get(word.kind, "the top level of the file")
    reading.report(rules.MISPLACED_BLOCK, span(word), found=word.text, home=home)
    reading.skip_block(word)
    return True


def unknown_block(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``overide a {``: the word was taken for a key, or refused on top."""
    automaton = reading.automaton
    typo = _misspelt(reading, word, accepts)
    if typo is None:
        return False
    automaton.settle(accepts)
    automaton.drop_item()
    keyword = None if word.kind == "LBRACE" else _nearest_keyword(reading, typo.text)
    if typo is word and word.kind == "NAME" and _before_object(reading, word):
        keyword = _nearest_keyword(reading, typo.text)
    hint = fix = None
    if keyword is not None:
        hint = f"did you mean `{automaton.words[keyword]}`?"
        fix = replacement(typo.start, typo.end, automaton.words[keyword])
    elif automaton.inner:
        hint = "write `key = value`, or put the fields into a declaration of their own"
    keywords = ", ".join(automaton.words[kind] for kind in sorted(automaton.top_keywords))
    reading.report(
        rules.UNKNOWN_BLOCK, span(typo), found=typo.text, keywords=keywords, hint=hint, fix=fix
    )
    if keyword and automaton.feed(Word(keyword, typo.text, typo.start, typo.end)):
        reading.guess()
        reading.again(typo.end)
    else:
        reading.skip_block(typo)
    return True


def _misspelt(reading: Reading, word: Word, accepts: frozenset[str]) -> Word | None:
    """Return the word that stands where a keyword belongs."""
    last = None if reading.automaton.is_settled(accepts) else reading.automaton.last
    if last is not None and last.kind == "NAME" and accepts == {"EQUAL"}:
        header = word.kind in NAMES and BLOCK_AHEAD.match(reading.text, word.start)
        opens = word.kind == "LBRACE" and not reading.rest_of_line(word.end).startswith("=")
        return last if opens or header else None
    if word.kind == "NAME" and not reading.automaton.inner and last is None:
        ahead = BLOCK_AHEAD.match(reading.text, word.end) or _before_object(reading, word)
        return word if ahead else None
    return None


def _before_object(reading: Reading, word: Word) -> bool:
    """Whether ``object`` follows, which only ``extern`` may precede."""
    rest = reading.rest_of_line(word.end)
    return rest.startswith("object ")


def misspelt_object(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``extern objct a``."""
    automaton = reading.automaton
    if word.kind != "NAME" or len(accepts) != 1 or not accepts <= automaton.keywords:
        return False
    (kind,) = accepts
    meant = automaton.words[kind]
    if not nearest(word.text[:30].lower(), [meant], 1, 0.6):
        return False
    fix = replacement(word.start, word.end, meant)
    hint = f"did you mean `{meant}`?"
    reading.report(
        rules.UNKNOWN_BLOCK, span(word), found=word.text, hint=hint, fix=fix, keywords=meant
    )
    automaton.feed(Word(kind, word.text, word.start, word.end))
    reading.guess()
    return True


def header(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``mir 1`` or a header further down."""
    del accepts
    if reading.automaton.inner or not (word.kind == "HEADER" or word.text == "mir"):
        return False
    before = _FIRST_HEADER.match(reading.text)
    if word.kind == "HEADER" and before is not None and before.start(1) < word.start:
        end = word.end
        reading.report(
            rules.BAD_HEADER,
            span(word),
            message="the version is written twice",
            hint="remove this line",
            related=(Related(Span(*before.span(1)), "first written here"),),
            fix=removal(reading.text, word.start, end),
        )
    elif word.kind == "HEADER":
        end = word.end
        first = reading.text.lstrip().startswith(word.text)
        edits = [] if first else [Edit(Span(0, 0), f"{word.text}\n\n")]
        fix = Fix("move it there", (*edits, Edit(Span(word.start, end), "")))
        reading.report(
            rules.BAD_HEADER,
            span(word),
            message=f"`{word.text}` belongs on the first line",
            hint="move it there",
            fix=fix,
        )
    else:
        end = word.start + len(reading.rest_of_line(word.start))
        place = Span(word.start, min(end, word.start + 40))
        reading.report(rules.BAD_HEADER, place, fix=replacement(word.start, end, _SUPPORTED))
    reading.erase(word.start, end)
    reading.again(end)
    return True


def field_outside(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key = value`` between declarations."""
    automaton = reading.automaton
    if automaton.inner or END not in accepts:
        return False
    if word.kind != "NAME" or not reading.before_equals(word):
        return False
    automaton.settle(accepts)
    reading.report(rules.FIELD_OUTSIDE, span(word), key=word.text)
    reading.abandon(word)
    return True


def number_as_name(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``object 99 {``."""
    name = _NUMBERED.match(reading.text, word.start)
    if accepts != NAMES or not reading.automaton.heads() or name is None or not word.is_number:
        return False
    reading.report(
        rules.UNEXPECTED,
        Span(*name.span()),
        expected="a name",
        found=f"`{name[0]}`",
        hint="put it in double quotes",
        fix=quoting(reading.text, *name.span()),
    )
    reading.supply("STRING", word.start)
    reading.replace(word.start, "_" * len(name[0]))
    reading.again(name.end())
    return True


def missing_name(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``object {``."""
    last = reading.automaton.last
    if word.kind != "LBRACE" or last is None or "NAME" not in accepts or accepts - NAMES:
        return False
    keyword = last.text or reading.automaton.words.get(last.kind, "declaration")
    behind = _NAME_BEHIND.match(reading.text, word.end)
    if behind is not None:  # `object { w`
        edits = (Edit(span(word), behind[1]), Edit(Span(*behind.span(1)), "{"))
        fix = Fix("write the name before the `{`", edits)
        reading.report(rules.MISSING_NAME, span(last), keyword=keyword, fix=fix)
        reading.guess()
        reading.feed(Word("NAME", behind[1], *behind.span(1)))
        reading.feed(Word("LBRACE", "{", *behind.span(1)))
        reading.again(behind.end(1))
        return True
    reading.report(rules.MISSING_NAME, span(last), keyword=keyword)
    reading.supply("NAME", word.start)
    reading.guess()
    reading.again(word.start)
    return True
