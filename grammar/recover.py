"""A text that does not parse into all its syntax errors, each at its cause."""

import re

import attrs
from lark import Lark

from mirc.diagnostics import Diagnostic, Source, Span
from mirc.grammar import mistakes, syntax_rules
from mirc.grammar.automaton import END
from mirc.grammar.reading import MAX_DEPTH, Reading

__all__ = ["MAX_DEPTH", "Recovered", "diagnose", "recover", "unknown_version"]

LIMIT = 50  # findings reported in one file
ATTEMPTS = 500  # errors met, reported or not, before the rest of the file is given up
STUCK = 4  # errors met at one place before a word is skipped
SUPPORTED_MAJOR = 1

_HEADER = re.compile(r"\s*(?://[^\n]*\s*)*mir[ \t]+([0-9]{1,9})\.[0-9]+(?!\S)")


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

    Time is linear in the text, times at most ``ATTEMPTS`` errors with a constant each.
    """
    version = unknown_version(source)
    if version is not None:
        return Recovered((version,), None)
    return _read_through(Reading(lark, source))


def unknown_version(source: Source) -> Diagnostic | None:
    """Return the refusal of a file whose major version is not ours, or None."""
    header = _HEADER.match(source.text)
    if header is None or int(header[1]) == SUPPORTED_MAJOR:
        return None
    return Diagnostic(
        syntax_rules.UNKNOWN_VERSION,
        Span(header.start(1), header.end()),
        f"this file is written in version {source.text[header.start(1) : header.end()]}"
        f" of the language; this mirc reads version {SUPPORTED_MAJOR}",
        "use a newer mirc, or have the file written again",
    )


def _read_through(reading: Reading) -> Recovered:
    """Read to the end, or until there is too much to say."""
    stuck_at, stuck, attempts = -1, 0, 0
    while True:
        word = reading.reader.read()
        if not reading.outdented(word) and reading.feed(word):
            if word.kind == END:
                break
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
