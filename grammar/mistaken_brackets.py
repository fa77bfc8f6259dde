"""Brackets and braces that are missing, wrong or too many."""

import re

from mirc.diagnostics import Related, Span
from mirc.grammar import syntax_rules as rules
from mirc.grammar.automaton import CLOSERS, END, OPENERS, Word
from mirc.grammar.reading import Reading
from mirc.grammar.words import span


def unclosed_bracket(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``[A, B`` before a new field, block or ``}``: blamed at the opener."""
    del accepts
    automaton = reading.automaton
    if automaton.inner not in ("LSQB", "LPAR"):
        return False
    last = automaton.last
    key = None
    if word.kind == "EQUAL" and last is not None and last.kind == "NAME":
        key = last
    elif (
        (word.kind == "NAME" and reading.before_equals(word))
        or word.kind in ("RBRACE", END)
        or reading.starts_block(word)
    ):
        key = word
    if key is None:
        return False
    opener = automaton.opened[-1].word
    closer = automaton.literals[OPENERS[opener.kind]]
    reading.report(
        rules.UNCLOSED_BRACKET,
        span(opener),
        f"`{opener.text}` is never closed",
        f"add the missing `{closer}`",
    )
    reading.drop(key.start)
    reading.again(key.start)
    if word.kind == END:  # the braces around it are open for the same reason
        reading.suffix = "\n" + "}" * len(automaton.opened)
    return True


def mismatched_bracket(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``[A, B)``."""
    automaton = reading.automaton
    if automaton.inner not in ("LSQB", "LPAR") or word.kind not in CLOSERS:
        return False
    wanted = OPENERS[automaton.inner]
    if wanted == word.kind or wanted not in accepts:
        return False
    opener = automaton.opened[-1].word
    closer = automaton.literals[wanted]
    reading.report(
        rules.MISMATCHED_BRACKET,
        span(word),
        f"`{word.text}` does not close `{opener.text}`",
        f"write `{closer}`",
        (Related(span(opener), f"`{opener.text}` is opened here"),),
    )
    reading.replace(word.start, closer)
    reading.supply(wanted, word.start)
    return True


def stray_bracket(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain a closer without an opener."""
    del accepts
    inner = reading.automaton.inner
    stray = word.kind in ("RSQB", "RPAR") and inner in ("", "LBRACE")
    if not stray and not (word.kind == "RBRACE" and not inner):
        return False
    reading.report(rules.STRAY_BRACKET, span(word), f"`{word.text}` closes nothing", "remove it")
    reading.skip(word)
    return True


def never_closed(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain the end of the file inside a declaration: blamed at its ``{``."""
    del accepts
    opened = reading.automaton.opened
    if word.kind != END or not opened:
        return False
    blamed = next((o for o in reversed(opened) if _outlived(reading, o.word)), opened[-1])
    subject = f"`{{` of `{blamed.owner}`" if blamed.owner else "`{`"
    reading.report(
        rules.UNCLOSED_DECLARATION,
        span(blamed.word),
        f"{subject} is never closed: the file ends first",
        "add the missing `}`",
    )
    reading.drop(word.start)
    reading.suffix = "\n" + "}" * len(reading.automaton.opened)
    return True


def _outlived(reading: Reading, opener: Word) -> bool:
    """Whether a line at or left of an opener's indent follows: its end was meant before."""
    pattern = re.compile(rf"\n[ \t]{{0,{reading.indent(opener.start)}}}(?=[A-Za-z])")
    return pattern.search(reading.text, opener.end) is not None


def unclosed_declaration(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain a declaration that begins inside another one."""
    automaton = reading.automaton
    if automaton.inner != "LBRACE" or not reading.starts_block(word):
        return False
    automaton.settle(accepts)
    count = automaton.closings_before(word.kind)
    if count is None:
        return False
    braces = [o for o in automaton.opened if o.word.kind == "LBRACE"]
    opener = braces[-count]
    owner = f"`{opener.owner}`" if opener.owner else "the declaration before it"
    reading.report(
        rules.UNCLOSED_DECLARATION,
        span(word),
        f"`{word.text}` starts before {owner} is closed",
        "add the missing `}`" if count == 1 else f"add {count} missing `}}`",
        (Related(span(opener.word), "this `{` is still open"),),
    )
    reading.drop(word.start)
    for _ in range(count):
        reading.supply("RBRACE", word.start)
    reading.insert_before(word.start, "}" * count)
    reading.again(word.start)
    return True


def missing_brace(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``object a`` and then fields."""
    last = reading.automaton.last
    if "LBRACE" not in accepts or last is None or word.kind == END:
        return False
    if word.kind == "NAME" and not reading.before_equals(word):
        return False
    if not reading.automaton.takes_two("LBRACE", word.kind):
        return False
    reading.report(
        rules.MISSING_BRACE,
        Span(last.end, last.end + 1),
        f"`{{` is missing after `{last.text}`",
        "add it",
    )
    reading.supply("LBRACE", last.end)
    reading.insert_before(word.start, "{")
    reading.again(word.start)
    return True
