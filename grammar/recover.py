"""A text that does not parse into all its syntax errors, each at its cause."""

import re

import attrs
from lark import Lark

from mirc.diagnostics import Diagnostic, Source, Span
from mirc.grammar import mistakes, syntax_rules
from mirc.grammar.automaton import END
from mirc.grammar.limits import MAX_DEPTH
from mirc.grammar.reading import Reading

__all__ = [
    "MAX_DEPTH",
    "Recovered",
    "diagnose",
    "llvm_machine_ir",
    "recover",
    "unknown_version",
]

LIMIT = 250  # findings reported in one file
ATTEMPTS = 2_000  # errors met, reported or not, before the rest of the file is given up
STUCK = 4  # errors met at one place before a word is skipped
SUPPORTED_MAJOR = 1
_SHOWN = 20  # characters of a line that is refused

# Possessive, and a comment ends at its line's end: else a line of many `//` can be cut in 2^n ways.
_HEADER = re.compile(r"(?:\s|//[^\n]*(?:\n|\Z))*+mir[ \t]+([0-9]+)\.[0-9]+(?!\S)")

_LLVM = re.compile(r"\s*+((?:---|# RUN:|; ModuleID)[^\n]*)")
_ANY_HEADER = re.compile(r"^mir[ \t]+[0-9]", re.MULTILINE)


@attrs.frozen
class Recovered:
    """What is wrong with the syntax, and what could be saved.

    ``text`` has the length of the source up to its end, so that offsets stay true: broken parts
    are blanked, obvious slips mended; None where that was not possible. ``lost`` are the words
    of the blanked parts: what they declared may be missing from ``text``.
    """

    diagnostics: tuple[Diagnostic, ...]
    text: str | None
    lost: frozenset[str] = frozenset()


def diagnose(lark: Lark, source: Source) -> tuple[Diagnostic, ...]:
    """Return the syntax errors of a text, in order of place; nothing if it parses."""
    return recover(lark, source).diagnostics


def recover(lark: Lark, source: Source) -> Recovered:
    """Read a text through its errors.

    Time is linear in the text, times at most ``ATTEMPTS`` errors with a constant each; what is
    right in a long text is passed over by regular expressions, the rest read word by word.
    """
    refusal = unknown_version(source) or llvm_machine_ir(source)
    if refusal is not None:
        return Recovered((refusal,), None)
    return _read_through(Reading(lark, source))


def unknown_version(source: Source) -> Diagnostic | None:
    """Return the refusal of a file whose major version is not ours, or None."""
    header = _HEADER.match(source.text)
    if header is None or header[1].lstrip("0") == str(SUPPORTED_MAJOR):
        return None
    rule = syntax_rules.UNKNOWN_VERSION
    span = Span(header.start(1), header.end())
    written = source.text[span.start : min(span.end, span.start + _SHOWN)]
    message = rule.message.format(found=written, supported=SUPPORTED_MAJOR)
    return Diagnostic(rule, span, message, rule.hint)


def llvm_machine_ir(source: Source) -> Diagnostic | None:
    """Return the refusal of a file that is LLVM's, by its first line, or None."""
    first = _LLVM.match(source.text)
    if first is None or _ANY_HEADER.search(source.text):
        return None
    rule = syntax_rules.LLVM_MACHINE_IR
    span = Span(first.start(1), min(first.end(), first.start(1) + _SHOWN))
    return Diagnostic(rule, span, rule.message, rule.hint)


def _read_through(reading: Reading) -> Recovered:
    """Read to the end, or until there is too much to say."""
    stuck_at, stuck, attempts = -1, 0, 0
    while True:
        word = reading.reader.read()
        if reading.passes_fields(word):
            continue
        if not reading.outdented(word) and reading.feed(word):
            if word.kind == END:
                break
            reading.pass_over(word)
            continue
        attempts += 1
        stuck = stuck + 1 if word.start == stuck_at else 0
        stuck_at = word.start
        if attempts > ATTEMPTS or len(reading.found) >= LIMIT:
            reading.give_up(word)
            break
        if stuck > STUCK:
            reading.skip(word)
        else:
            mistakes.explain(reading, word)
        if word.kind == END:
            break
    diagnostics = tuple(sorted(reading.found.values(), key=lambda found: found.span))
    return Recovered(diagnostics, reading.mended(), frozenset(reading.lost))
