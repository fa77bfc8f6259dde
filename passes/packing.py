"""The uses of objects, known in advance, into the gaps through which each stays near."""

from collections.abc import Sequence
from itertools import pairwise

import attrs

from mirc.bounds.packing import Gap, divisible_saved_bytes, farthest_keep, greedy_keep, use_gaps


@attrs.frozen(kw_only=True, eq=False)
class Packed:
    """Which gaps of which object are kept near, and what moves then.

    ``dropped[n]`` are the steps whose use of an object is followed by a gap that is not kept: its
    room is free from the next step on. ``bound_bytes`` is the least that any choice moves: the
    exact optimum of divisible objects. The whole future is known to this planner: an oracle, where
    uses depend on what a router will choose.
    """

    dropped: tuple[frozenset[int], ...]
    moved_bytes: int
    bound_bytes: int
    fits: bool


def pack(uses: Sequence[Sequence[int]], sizes: Sequence[int], room: Sequence[int]) -> Packed:
    """Choose the gaps to keep so that as few bytes as possible move in.

    ``uses[n]`` are the ascending steps that use object ``n``, of ``sizes[n]`` bytes, whole;
    ``room[t]`` are the bytes that objects may take at step ``t``. What a step uses is there during
    it in any case (``fits`` is false where that is too much); a copy is clean, so dropping it is
    free. Of two choices (farthest next use, most saved for a byte and step) the better is taken.
    Cost: that of ``mirc.bounds.packing``'s.
    """
    beside = list(room)
    for steps, size in zip(uses, sizes, strict=True):
        for step in steps:
            beside[step] -= size
    gaps = use_gaps(uses, sizes)
    options = [farthest_keep(gaps, beside)]
    if any(gap.size_bytes != gaps[0].size_bytes for gap in gaps):
        options.append(greedy_keep(gaps, beside))
    keep = max(options, key=lambda option: _saved(gaps, option))
    # A gap begins after its object's use: that step and the object name it.
    dropped: list[set[int]] = [set() for _ in sizes]
    place = 0
    for index, steps in enumerate(uses):
        for before, after in pairwise(steps):
            if after - before > 1:
                if not keep[place]:
                    dropped[index].add(before)
                place += 1
    every = sum(
        size * (len(steps) - _neighbours(steps)) for steps, size in zip(uses, sizes, strict=True)
    )
    return Packed(
        dropped=tuple(frozenset(steps) for steps in dropped),
        moved_bytes=every - _saved(gaps, keep),
        bound_bytes=every - divisible_saved_bytes(gaps, beside),
        fits=min(beside, default=0) >= 0,
    )


def _saved(gaps: Sequence[Gap], keep: Sequence[bool]) -> int:
    return sum(gap.saved_bytes for gap, kept in zip(gaps, keep, strict=True) if kept)


def _neighbours(steps: Sequence[int]) -> int:
    return sum(after - before == 1 for before, after in pairwise(steps))
