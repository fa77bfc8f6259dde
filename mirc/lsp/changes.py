"""A text before and after into few edits, so that an editor keeps its cursor and marks."""

from mirc.diagnostics import Edit, Span


def edits_between(before: str, after: str) -> tuple[Edit, ...]:
    """Return the edits that turn one text into the other.

    Where as many lines stand after as before, each changed line is an edit of its own; else what
    lies between the first and the last difference is one.
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if len(old) == len(new):
        edits = []
        start = 0
        for was, now in zip(old, new, strict=True):
            if was != now:
                edits.append(Edit(Span(start, start + len(was)), now))
            start += len(was)
        return tuple(edits)
    first = _common(old, new)
    last = _common(old[first:][::-1], new[first:][::-1])
    start = sum(map(len, old[:first]))
    end = len(before) - sum(map(len, old[len(old) - last :]))
    return (Edit(Span(start, end), "".join(new[first : len(new) - last])),)


def _common(first: list[str], second: list[str]) -> int:
    count = 0
    for a, b in zip(first, second, strict=False):
        if a != b:
            return count
        count += 1
    return count
