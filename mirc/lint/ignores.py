"""A text into the ignores that its comments hold: ``// mirc: ignore[MIR401] reason``."""

import re
from bisect import bisect_right
from collections.abc import Iterator

import attrs

from mirc.diagnostics import Source, Span
from mirc.ir.suggest import closest

MARK = "mirc:"
_DIRECTIVES = ("ignore", "ignore-file")
_OTHER_TOOLS = ("noqa", "disable", "nolint", "suppress", "off")
_CANDIDATE = re.compile(rf"//[ \t]*{MARK}[^\n]*", re.IGNORECASE)
# A string that is not closed swallows its line, so that no quote is looked at twice.
_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*+(?:"|$|\\)|//[^\n]*', re.MULTILINE)
_BODY = re.compile(
    rf"//[ \t]*{MARK}[ \t]*(?P<word>[A-Za-z-]+)[ \t]*(?:\[(?P<names>[^\]\n]*)(?P<closed>\])?)?",
    re.IGNORECASE,
)
_NAME = re.compile(r"[^,\s][^,]*")
_ABOVE_ALL = re.compile(r"(?:[ \t\r\ufeff]*(?://[^\n]*|mir[ \t]+[0-9.]+[^\n]*)?\n)*[ \t]*")


@attrs.frozen
class Ignore:
    """One comment, and what it takes away.

    ``span`` is the comment up to the end of its line; ``names`` are the rules as written, each
    with its place. ``line`` is the line (from 1) of which it speaks, None for the whole file; a
    line on which a declaration begins or ends means all of the declaration.
    ``problem`` says why it cannot work at all, in a sentence and advice.
    """

    span: Span
    names: tuple[tuple[str, Span], ...] = ()
    reason: str = ""
    line: int | None = None
    problem: tuple[str, str] | None = None


def ignores(source: Source) -> tuple[Ignore, ...]:
    """Return all ignores of a text, in order.

    Only a comment that begins with ``mirc:`` is one; within a string it is text. Time is linear
    in the text, and next to nothing where the mark does not occur.
    """
    if MARK not in source.text.lower():
        return ()
    return tuple(_ignores(source))


def _ignores(source: Source) -> Iterator[Ignore]:
    text = source.text
    top, below = -1, 0
    for found in _CANDIDATE.finditer(text):
        line_start = text.rfind("\n", 0, found.start()) + 1
        body = _BODY.match(found[0])
        if body is None or not _is_comment(text, line_start, found):
            continue
        if MARK not in body[0] or body["word"] not in _DIRECTIVES:
            near = _meant(body["word"].lower())
            if near is not None:  # else it is prose that speaks of mirc
                written = body[0][2:].partition("[")[0].strip()
                advice = f"write `// {MARK} {near}[MIR401] reason`, in small letters"
                yield Ignore(_trimmed(found), problem=(f"`{written}` is no ignore", advice))
            continue
        if top < 0:
            above = _ABOVE_ALL.match(text)
            top = above.end() if above is not None else 0
        ignore = _read(source, found, body, top, below)
        below = ignore.line or below
        yield ignore


def _meant(word: str) -> str | None:
    """Return the word that was meant by one that does nothing; None where it is prose."""
    return "ignore" if word in _OTHER_TOOLS else closest(word, _DIRECTIVES)


def _read(
    source: Source,
    found: re.Match[str],
    body: re.Match[str],
    top: int,
    below: int,
) -> Ignore:
    span = _trimmed(found)
    names = tuple(
        (each[0].rstrip(), Span(start, start + len(each[0].rstrip())))
        for each in _NAME.finditer(body["names"] or "")
        for start in (found.start() + body.start("names") + each.start(),)
    )
    if not body["closed"] or not names:
        advice = f"name the rules: `// mirc: {body['word']}[MIR401] reason`"
        what = "is not closed" if body["names"] and not body["closed"] else "names no rule"
        return Ignore(span, problem=(f"this ignore {what}", advice))
    reason = found[0][body.end() :].strip()
    if body["word"] == "ignore":
        return Ignore(span, names, reason, _line_of(source, found, below))
    if found.start() > top:
        problem = "this ignore is for the whole file and stands below the first declaration"
        return Ignore(span, names, reason, problem=(problem, "move it to the top of the file"))
    return Ignore(span, names, reason)


def _line_of(source: Source, found: re.Match[str], below: int) -> int:
    """Return the line that an ignore speaks of: its own, or the next that is more than comment.

    ``below`` is the line of which the ignore before it speaks: all between them is comment.
    """
    text, starts = source.text, source.line_starts
    number = bisect_right(starts, found.start())
    if text[starts[number - 1] : found.start()].strip(" \t"):
        return number
    if number < below:
        return below
    number += 1
    while number <= len(starts):
        at = starts[number - 1]
        while at < len(text) and text[at] in " \t":
            at += 1
        if not text.startswith("//", at):
            break
        number += 1
    return number


def _is_comment(text: str, line_start: int, found: re.Match[str]) -> bool:
    """Whether the candidate is where the line's comment begins, not in a string or a comment."""
    for match in _COMMENT.finditer(text, line_start, found.end()):
        if match[0].startswith("//"):
            return match.start() == found.start()
        if match.end() > found.start():
            return False
    return False


def _trimmed(found: re.Match[str]) -> Span:
    return Span(found.start(), found.start() + len(found[0].rstrip()))
