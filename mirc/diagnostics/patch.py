"""A text before and after into a unified diff."""

import re
from collections.abc import Iterator, Sequence

from mirc.diagnostics.line_changes import Change, changes

_CONTEXT = 3  # unchanged lines around a change
_COLOURS = (
    ("--- ", "\x1b[1m"),
    ("+++ ", "\x1b[1m"),
    ("@@", "\x1b[36m"),
    ("-", "\x1b[31m"),
    ("+", "\x1b[32m"),
)
_ODD = re.compile(r'["\\\x00-\x1f\x7f]')


def unified(name: str, before: str, after: str) -> str:
    """Return the diff, or an empty text where nothing differs; time is about linear.

    Lines end as the texts do; a last line without a break is marked as git marks it.
    """
    if before == after:
        return ""
    old, new = _lines(before), _lines(after)
    # `a/../x` is no file to any tool: a name that leads out of the folder stands as it is.
    outside = name.startswith(("/", "..")) or "/../" in name
    a, b = ("", "") if outside else ("a/", "b/")
    head = [f"--- {_address(a + name)}\n", f"+++ {_address(b + name)}\n"]
    hunks = (line for hunk in _hunks(changes(old, new)) for line in _hunk(hunk, old, new))
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in (*head, *hunks)
    )


def coloured(diff: str) -> str:
    """Return a unified diff in git's colours: what goes is red, what comes is green."""
    return "".join(map(_painted, re.findall("[^\n]*\n", diff)))


def _painted(line: str) -> str:
    for mark, sequence in _COLOURS:
        if line.startswith(mark):
            return f"{sequence}{line[:-1]}\x1b[0m\n"
    return line


def _hunks(found: Sequence[Change]) -> Iterator[list[Change]]:
    hunk: list[Change] = []
    for change in found:
        if hunk and change.start - hunk[-1].end > 2 * _CONTEXT:
            yield hunk
            hunk = []
        hunk.append(change)
    if hunk:
        yield hunk


def _hunk(hunk: list[Change], old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    above = min(_CONTEXT, hunk[0].start)
    below = min(_CONTEXT, len(old) - hunk[-1].end)
    was = _range(hunk[0].start - above, hunk[-1].end + below)
    now = _range(hunk[0].new_start - above, hunk[-1].new_end + below)
    yield f"@@ -{was} +{now} @@\n"
    at = hunk[0].start - above
    for change in hunk:
        yield from (f" {line}" for line in old[at : change.start])
        yield from (f"-{line}" for line in old[change.start : change.end])
        yield from (f"+{line}" for line in new[change.new_start : change.new_end])
        at = change.end
    yield from (f" {line}" for line in old[at : at + below])


def _range(start: int, end: int) -> str:
    """Return a range of lines as a patch has it: from 1, and an empty one after its line."""
    if end - start == 1:
        return str(start + 1)
    return f"{start + (end > start)},{end - start}"


def _address(name: str) -> str:
    """Return a file's name as git writes it: one with a blank ends in a tab, odd ones in quotes."""
    if _ODD.search(name):
        return '"' + _ODD.sub(lambda odd: f"\\{ord(odd[0]):03o}", name) + '"'
    return f"{name}\t" if " " in name else name


def _lines(text: str) -> list[str]:
    # Not splitlines: a form feed or U+2028 in a comment ends no line of ours.
    *whole, last = text.split("\n")
    return [line + "\n" for line in whole] + ([last] if last else [])
