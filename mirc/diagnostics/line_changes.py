"""Lines before and after into the ranges that changed, in about linear time."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import attrs

_SMALL = 10_000  # lines before times lines after that may be compared one with another
_DEEPEST = 8  # times that a gap is divided at lines which occur once within it


@attrs.frozen(order=True)
class Change:
    """Lines ``start`` to ``end`` (from 0, end exclusive), replaced by those of ``new_*``."""

    start: int
    end: int
    new_start: int
    new_end: int


def changes(before: Sequence[str], after: Sequence[str]) -> tuple[Change, ...]:
    """Return what differs, in order, no two of them adjacent.

    Lines that occur once before and once after, blanks aside, divide the texts (the "patience"
    way, after Bram Cohen); only short gaps between them are compared line by line. Where nothing
    divides a long gap, all of it counts as changed.
    """
    found: list[Change] = []
    gaps = [(Change(0, len(before), 0, len(after)), 0)]
    while gaps:
        gap, depth = gaps.pop()
        gap = _trimmed(before, after, gap)
        if gap.start == gap.end or gap.new_start == gap.new_end:
            found.append(gap)
        elif (gap.end - gap.start) * (gap.new_end - gap.new_start) <= _SMALL:
            found += _compared(before, after, gap)
        else:
            parts = list(_divided(before, after, gap)) if depth < _DEEPEST else []
            if parts:
                gaps += [(part, depth + 1) for part in parts]
            else:
                found.append(gap)
    return tuple(_joined(sorted(found)))


def _trimmed(before: Sequence[str], after: Sequence[str], gap: Change) -> Change:
    start, end, new_start, new_end = gap.start, gap.end, gap.new_start, gap.new_end
    while start < end and new_start < new_end and before[start] == after[new_start]:
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and before[end - 1] == after[new_end - 1]:
        end, new_end = end - 1, new_end - 1
    return Change(start, end, new_start, new_end)


def _compared(before: Sequence[str], after: Sequence[str], gap: Change) -> Iterator[Change]:
    matcher = SequenceMatcher(
        None, before[gap.start : gap.end], after[gap.new_start : gap.new_end], autojunk=False
    )
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            yield Change(
                gap.start + start,
                gap.start + end,
                gap.new_start + new_start,
                gap.new_start + new_end,
            )


def _divided(before: Sequence[str], after: Sequence[str], gap: Change) -> Iterator[Change]:
    """Yield the lines that divide a gap, each as a change of one line, and what is between."""
    anchors = _longest_rising(
        list(_once_in_both(before[gap.start : gap.end], after[gap.new_start : gap.new_end]))
    )
    if not anchors:
        return
    start, new_start = gap.start, gap.new_start
    for old, new in anchors:
        here, there = gap.start + old, gap.new_start + new
        yield Change(start, here, new_start, there)
        yield Change(here, here + 1, there, there + 1)
        start, new_start = here + 1, there + 1
    yield Change(start, gap.end, new_start, gap.new_end)


def _once_in_both(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield (place before, place after) of the lines that occur once in each, blanks aside."""
    old, new = (["".join(line.split()) for line in lines] for lines in (before, after))
    met, met_new = Counter(old), Counter(new)
    places = {line: index for index, line in enumerate(new) if met_new[line] == 1}
    for index, line in enumerate(old):
        if met[line] == 1 and line in places:
            yield index, places[line]


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the most pairs, given by rising first place, whose second places rise as well."""
    tops: list[int] = []  # the smallest second place that ends a row of each length
    ends: list[int] = []  # whose pair that is
    before: list[int] = []
    for index, (_, new) in enumerate(pairs):
        at = bisect_left(tops, new)
        before.append(ends[at - 1] if at else -1)
        if at == len(tops):
            tops.append(new)
            ends.append(index)
        else:
            tops[at] = new
            ends[at] = index
    row = []
    at = ends[-1] if ends else -1
    while at >= 0:
        row.append(pairs[at])
        at = before[at]
    return row[::-1]


def _joined(found: list[Change]) -> Iterator[Change]:
    last: Change | None = None
    for change in found:
        if change.start == change.end and change.new_start == change.new_end:
            continue
        if last is not None and (last.end, last.new_end) == (change.start, change.new_start):
            last = Change(last.start, change.end, last.new_start, change.new_end)
            continue
        if last is not None:
            yield last
        last = change
    if last is not None:
        yield last
