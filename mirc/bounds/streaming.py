"""What is read, and the room for it, into the bytes and the time that no policy can beat."""

from collections.abc import Callable
from math import ceil
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

PS_PER_S = 1_000_000_000_000


def streamed_bytes(weights_bytes: int, rooms_bytes: NDArray[np.int64]) -> int:
    """Return W + (S - 1)(W - C): bytes that must come in for a cyclic read.

    Each of S = ``len(rooms_bytes)`` readings, one after the other, reads all W = ``weights_bytes``
    once; ``rooms_bytes[i]`` of them, its C, can be near when reading ``i`` begins. No reading
    fetches less than zero. The first finds nothing there, so its room is not used; dropping a
    clean copy costs nothing. Nobody does better: what a reading reads was either there when it
    began (at most C) or came in during it.
    Source: Belady, IBM Systems Journal 5(2), 1966, on a cyclic string with bypass.
    """
    if not len(rooms_bytes):
        return 0
    missing = np.maximum(0, weights_bytes - np.maximum(0, rooms_bytes[1:]))
    return weights_bytes + int(missing.sum())


def step_bound_ps(compute_ps: int, size_bytes: int, bytes_per_s: float) -> int:
    """Return the picoseconds that iterations cannot average below.

    The slower of their mean computing and of moving ``size_bytes``, what comes in for each on
    average, over links of ``bytes_per_s``, the two perfectly overlapped. Rounded down. Source:
    Williams et al., Roofline, CACM 52(4), 2009, with the link as the roof.
    """
    return max(compute_ps, transfer_floor_ps(size_bytes, bytes_per_s))


def drawn_bound_ps(
    compute_ps: int, hidden_ps: int, missing_bytes: Callable[[int], int], bytes_per_s: float
) -> int:
    """Return the picoseconds that runs cannot average below where a draw says what they use.

    ``missing_bytes(ahead)`` of what runs draw, on average, are not near when drawn if ``ahead``
    bytes were fetched before they were drawn, beside those that stayed: convex, falling by at most
    one a byte. Bytes fetched after the draw pass while nothing else can be computed but what lies
    between a draw and its last use, ``hidden_ps`` of a run's ``compute_ps``; bytes fetched ahead of
    it are guesses. A run takes no less than what it computes outside those stretches and what is
    fetched after draws, T >= compute - hidden + m(a) / b, and its link carries both,
    T >= (a + m(a)) / b. The first falls in a, the second rises: the least T is where they meet, at
    a = b (compute - hidden). Without guesses that is all compute and all waiting, end to end.
    """
    apart_ps = max(0, compute_ps - hidden_ps)
    ahead = ceil(apart_ps * bytes_per_s / PS_PER_S)
    return apart_ps + transfer_floor_ps(missing_bytes(ahead), bytes_per_s)


def transfer_floor_ps(size_bytes: int, bytes_per_s: float) -> int:
    """Return the picoseconds that ``size_bytes`` occupy a link at least, rounded down."""
    return int(size_bytes / bytes_per_s * PS_PER_S) if size_bytes else 0


@attrs.frozen(kw_only=True, eq=False)
class Touches:
    """A run as the bounds see it, accesses sorted by step.

    Access ``i`` needs ``object[i]`` whole and near in step ``step[i]``; ``created[i]`` says that
    the bytes come into being there. ``size_bytes`` is per object, ``transient_bytes`` per step.
    """

    step: NDArray[np.int64]
    object: NDArray[np.int64]
    created: NDArray[np.bool_]
    size_bytes: NDArray[np.int64]
    transient_bytes: NDArray[np.int64]


@attrs.frozen(kw_only=True, eq=False)
class Crossings:
    """What a run uses on either side of its ``cuts``: ascending, distinct steps that end pieces.

    Row ``i`` says that ``size_bytes[i]``, used in the piece ``after[i]``, were used last in the
    piece ``before[i]`` (-1: never before) and came into being earlier. Those of ``last[i]`` were
    used in the step that ends that piece. ``held_bytes`` [cuts] is what such steps hold, all told.
    """

    cuts: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    last: NDArray[np.bool_]
    size_bytes: NDArray[np.int64]
    held_bytes: NDArray[np.int64]

    def inward_bytes(self, usable_bytes: int, cuts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return, for each window between some of the cuts, the bytes that must come in in it.

        The windows are the steps up to and with the first cut, then those after it up to and with
        the next, and so on to the end: one more than cuts. Before the first step near memory is
        empty. O(rows).

        At a cut near memory holds at most ``usable_bytes``, less what the cut's own step holds: its
        transient bytes, and those of its objects that the window after it does not use. What that
        window uses, and does not create, was near at the cut or comes in during it. Windows share
        no moment, so their sum is a lower bound for every policy, oracles included; a copy that is
        spilled only adds to it.
        """
        windows = len(cuts) + 1
        chosen = np.searchsorted(self.cuts, cuts)
        window_of = np.zeros(len(self.cuts) + 2, dtype=np.int64)  # of each piece, then of piece -1
        window_of[chosen + 1] = 1
        window_of = np.cumsum(window_of)
        window_of[-1] = -1
        before, after = window_of[self.before], window_of[self.after]
        crossing = before != after
        need = _sums(after[crossing], self.size_bytes[crossing], windows)
        ends = np.zeros(len(self.cuts) + 2, dtype=np.bool_)
        ends[chosen] = True
        used = self.last & ends[self.before] & (before + 1 == after)
        held = np.zeros(windows, dtype=np.int64)
        held[1:] = self.held_bytes[chosen]
        held -= _sums(after[used], self.size_bytes[used], windows)
        room = np.maximum(0, usable_bytes - held)
        room[0] = 0
        return np.maximum(0, need - room)


def crossings(touches: Touches, cuts: NDArray[np.int64]) -> Crossings:
    """Return what lies on either side of ``cuts``: O(accesses), once for all choices of them."""
    order = by_object(touches)
    thing, step = touches.object[order], touches.step[order].astype(np.int32)
    piece_of, is_cut = pieces(touches, cuts), np.zeros(len(touches.transient_bytes), np.bool_)
    is_cut[cuts] = True
    piece = piece_of[step]
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = thing[1:] != thing[:-1]
    again = np.flatnonzero(~begins)
    again = again[piece[again] != piece[again - 1]]
    rows = np.concatenate((np.flatnonzero(begins), again))
    before = np.concatenate((np.full(len(rows) - len(again), -1), piece[again - 1]))
    last = np.concatenate((np.zeros(len(rows) - len(again), np.bool_), is_cut[step[again - 1]]))
    kept = ~touches.created[order[rows]]
    rows, before, last = rows[kept], before[kept], last[kept]
    sizes = touches.size_bytes
    held = np.zeros(len(cuts), dtype=np.int64)
    at_cut = is_cut[touches.step]
    np.add.at(held, piece_of[touches.step[at_cut]], sizes[touches.object[at_cut]])
    return Crossings(
        cuts=cuts,
        **_together(before, piece[rows], last, sizes[thing[rows]]),
        held_bytes=held + touches.transient_bytes[cuts],
    )


def by_object(touches: Touches) -> NDArray[np.int64]:
    """Return the order of accesses by object, those of one object by step."""
    small = len(touches.size_bytes) <= np.iinfo(np.uint16).max  # such keys are sorted in O(n)
    return np.argsort(touches.object.astype(np.uint16 if small else np.int64), kind="stable")


def pieces(touches: Touches, cuts: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the piece of each step: they end with the cuts, and the last with the run."""
    ends = np.append(cuts, len(touches.transient_bytes) - 1)
    return np.repeat(np.arange(len(ends), dtype=np.int32), np.diff(ends, prepend=-1))


def _together(
    before: NDArray[np.int64],
    after: NDArray[np.int32],
    last: NDArray[np.bool_],
    size_bytes: NDArray[np.int64],
) -> dict[str, Any]:
    """Sum the bytes of rows that are alike otherwise: most are used in neighbouring pieces."""
    gap = after - before
    kinds = 2 * int(gap.max(initial=0)) + 2
    key = after * np.int64(kinds) + 2 * gap + last
    if kinds * (int(after.max(initial=0)) + 1) <= len(key):
        sums = _sums(key, size_bytes, kinds * (int(after.max(initial=0)) + 1))
        found = np.flatnonzero(sums)
        sums = sums[found]
    else:
        found, place = np.unique(key, return_inverse=True)
        sums = _sums(place, size_bytes, len(found))
    piece, kind = np.divmod(found, kinds)
    return {
        "before": piece - kind // 2,
        "after": piece,
        "last": kind % 2 == 1,
        "size_bytes": sums,
    }


def _sums(groups: NDArray[np.int64], values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    totals = np.zeros(count, dtype=np.int64)
    np.add.at(totals, groups, values)
    return totals
