"""Brackets and braces that are missing or too many."""

import re

from mirc.diagnostics import Related, Span
from mirc.grammar import syntax_rules as rules
from mirc.grammar.automaton import CLOSERS, END, OPENERS, Word
from mirc.grammar.mending import insertion, removal
from mirc.grammar.mistaken_lists import mismatched_bracket, unopened
from mirc.grammar.reading import Reading
from mirc.grammar.words import HEAD_AHEAD, shown, span

_BRACE_AHEAD = re.compile(r"\s*\{")
_BRACES = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|[{}]|\n(?=[A-Za-z])')


def unclosed_bracket(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``[A, B`` before a new field, block or ``}``: blamed at the opener."""
    automaton = reading.automaton
    if automaton.inner not in ("LSQB", "LPAR"):
        return False
    key = _begins_next(reading, word)
    if key is None:
        return False
    opener = automaton.opened[-1].word
    if word.kind == "RBRACE" and _for_bracket(reading, word, opener):
        return mismatched_bracket(reading, word, accepts)
    open_ = [each.word for each in automaton.opened if each.word.kind != "LBRACE"]
    closers = "".join(automaton.literals[OPENERS[each.kind]] for each in reversed(open_))
    end = automaton.end if key is word else reading.text.rfind(opener.text, 0, key.start)
    if key is not word:  # it was taken as a value: the closer goes before it
        end = len(reading.text[: key.start].rstrip())
        if reading.text.rfind("//", reading.text.rfind("\n", 0, end) + 1, end) >= 0:
            end = automaton.recent[-2].end if len(automaton.recent) > 1 else opener.end
    reading.report(
        rules.UNCLOSED_BRACKET,
        span(opener),
        opener=opener.text,
        closer=automaton.literals[OPENERS[opener.kind]],
        fix=insertion(end, closers),
    )
    reading.drop(key.start)
    reading.again(key.start)
    if word.kind == END:  # the braces around it are open for the same reason
        reading.suffix = "\n" + "}" * len(automaton.opened)
    return True


def _begins_next(reading: Reading, word: Word) -> Word | None:
    """Return the word that begins the next field or block, or ends this one."""
    last = reading.automaton.last
    if word.kind == "EQUAL" and last is not None and last.kind == "NAME":
        return None if reading.rest_of_line(word.end)[:1] in (",", "]", ")") else last
    key = word.kind == "NAME" and reading.before_equals(word)
    ends = word.kind in ("RBRACE", END) or reading.starts_block(word)
    return word if key or ends else None


def _for_bracket(reading: Reading, word: Word, opener: Word) -> bool:
    """Whether a ``}`` was written for the ``]`` of a list on its line, and closes no block."""
    braces = [each.word for each in reading.automaton.opened if each.word.kind == "LBRACE"]
    text = reading.text
    return (
        bool(braces)
        and "\n" not in text[opener.start : word.start]
        and "\n" in text[braces[-1].end : opener.start]
    )


def stray_bracket(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain a closer without an opener."""
    del accepts
    inner = reading.automaton.inner
    stray = word.kind in ("RSQB", "RPAR") and inner in ("", "LBRACE")
    if not stray and not (word.kind == "RBRACE" and not inner):
        return False
    recent = reading.automaton.recent
    bare = [each.kind for each in recent[-2:-1]] == ["EQUAL"] and recent[-1].kind not in CLOSERS
    bare = bare and "\n" not in reading.text[recent[-1].end : word.start]
    if bare and word.kind == "RSQB" and unopened(reading, word):
        reading.abandon(word)
        return True
    fix = removal(reading.text, word.start, word.end)
    reading.report(rules.STRAY_BRACKET, span(word), found=word.text, fix=fix)
    reading.skip(word)
    return True


def closed_too_early(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain fields and blocks that go on, indented, behind the ``}`` of their declaration."""
    automaton = reading.automaton
    closed = automaton.closed
    if automaton.inner or closed is None or END not in accepts:
        return False
    if not automaton.would_take_reopened(word.kind) or automaton.end != closed.brace.end:
        return False
    outer = reading.indent(closed.opened.word.start)
    if not reading.first_on_line(word.start) or reading.indent(word.start) <= outer:
        return False
    if not _one_too_many(reading, word):
        return False
    brace = closed.brace
    fix = removal(reading.text, brace.start, brace.end)
    reading.report(rules.STRAY_BRACKET, span(brace), found="}", fix=fix,
                   message="`}` closes the declaration too early")  # fmt: skip
    reading.erase(brace.start, brace.end)
    automaton.reopen()
    reading.again(word.start)
    return True


def _one_too_many(reading: Reading, word: Word) -> bool:
    """Whether more braces close than open before the next line that begins at the margin."""
    depth = 0
    for sign in _BRACES.finditer(reading.text, word.start):
        if sign[0] == "\n":
            return False
        depth += (sign[0] == "{") - (sign[0] == "}")
        if depth < 0:
            return True
    return False


def never_closed(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain the end of the file inside a declaration: blamed at its ``{``."""
    del accepts
    opened = reading.automaton.opened
    if word.kind != END or not opened:
        return False
    if not _blame_misfit(reading, opened[0].word):
        blamed = next((o for o in reversed(opened) if _outlived(reading, o.word)), opened[-1])
        owner = f"`{{` of `{blamed.owner}`" if blamed.owner else "`{`"
        count = len(opened)
        reading.report(
            rules.UNCLOSED_DECLARATION,
            span(blamed.word),
            message=f"{owner} is never closed: the file ends first",
            hint=None if count == 1 else f"add {count} missing `}}`",
            fix=reading.closing_fix("}" * count),
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
    if not HEAD_AHEAD.match(reading.text, word.end) or stray_in_head(reading, word):
        return False
    automaton.settle(accepts)
    count = automaton.closings_before(word.kind)
    if count is None:
        return False
    braces = [o for o in automaton.opened if o.word.kind == "LBRACE"]
    opener = braces[-count]
    if not _blame_misfit(reading, opener.word):
        owner = f"`{opener.owner}`" if opener.owner else "the declaration before it"
        reading.report(
            rules.UNCLOSED_DECLARATION,
            span(word),
            found=shown(word),
            owner=owner,
            hint=None if count == 1 else f"add {count} missing `}}`",
            related=(Related(span(opener.word), "this `{` is still open"),),
            fix=reading.closing_fix("}" * count),
        )
    reading.drop(word.start)
    for _ in range(count):
        reading.supply("RBRACE", word.start)
    reading.insert_before(word.start, "}" * count)
    reading.again(word.start)
    return True


def _blame_misfit(reading: Reading, outer: Word) -> bool:
    """Report the ``}`` that, by its indent, was meant for ``outer`` and closed a block in it."""
    meant, misfit = reading.indent(outer.start), None
    for each in reversed(reading.misfits):  # the first of those that pushed each other out
        if each.opened.word.start <= outer.start:
            break
        if reading.indent(each.brace.start) == meant:
            meant, misfit = reading.indent(each.opened.word.start), each
    if misfit is None:
        return False
    opener = misfit.opened
    reading.misfits.remove(misfit)
    reading.report(
        rules.UNCLOSED_DECLARATION,
        span(misfit.brace),
        found="`}`",
        owner=f"`{opener.owner}`" if opener.owner else "the block before it",
        related=(Related(span(opener.word), "this `{` is still open"),),
        fix=insertion(
            reading.line_end(misfit.after)
            if not reading.rest_of_line(misfit.after)
            else misfit.after,
            "\n" + " " * reading.indent(opener.word.start) + "}",
        ),
    )
    return True


def stray_in_head(reading: Reading, word: Word) -> bool:
    """Whether a keyword stands between the name of a block and its ``{``."""
    ahead = _BRACE_AHEAD.match(reading.text, word.end)
    return ahead is not None and reading.automaton.heads() and not reading.first_on_line(word.start)


def missing_brace(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``object a`` and then fields."""
    last = reading.automaton.last
    if "LBRACE" not in accepts or last is None:
        return False
    if word.kind == "NAME" and not reading.before_equals(word):
        return False
    if stray_in_head(reading, word) or not reading.automaton.takes_two("LBRACE", word.kind):
        return False
    fix = insertion(last.end, " {")
    reading.report(rules.MISSING_BRACE, Span(last.end, last.end + 1), owner=last.text, fix=fix)
    reading.supply("LBRACE", last.end)
    reading.insert_before(word.start, "{")
    reading.again(word.start)
    return True


def missing_body(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``object a`` and then another declaration, or nothing."""
    last = reading.automaton.last
    if "LBRACE" not in accepts or last is None:
        return False
    ends = word.kind == END or (reading.starts_block(word) and reading.first_on_line(word.start))
    if not ends or not reading.automaton.takes_two("LBRACE", "RBRACE"):
        return False
    fix = insertion(last.end, " { }")
    reading.report(rules.MISSING_BRACE, Span(last.end, last.end + 1), owner=last.text, fix=fix)
    reading.drop(word.start)
    reading.again(word.start)
    return True
