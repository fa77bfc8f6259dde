"""What is read, and the room for it, into the bytes and the time that no policy can beat."""

from collections.abc import Callable
from math import ceil

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


def crossing_bytes(
    touches: Touches, usable_bytes: int, cuts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return, for each window between ``cuts``, the bytes that must come into near memory in it.

    A cut is a step, ascending and distinct; its windows are the steps up to and with the first
    cut, then those after it up to and with the next, and so on to the end: one more than cuts.
    Before the first step near memory is empty.

    At a cut near memory holds at most ``usable_bytes``, less what the cut's own step holds: its
    transient bytes, and those of its objects that the window after it does not use. What that
    window uses, and does not create, was near at the cut or comes in during it. Windows share no
    moment, so their sum is a lower bound for every policy, oracles included; a copy that is spilled
    only adds to it.
    """
    window = np.searchsorted(cuts, touches.step, side="left")
    count = len(touches.size_bytes)
    # Sorted by step, so the first of each (window, object) pair is the first use in that window.
    pair, first = np.unique(window * count + touches.object, return_index=True)
    needed = pair[~touches.created[first]]
    sizes = touches.size_bytes
    windows = len(cuts) + 1
    need = _sums(needed // count, sizes[needed % count], windows)
    at_cut = np.isin(touches.step, cuts)
    beside = np.unique((window[at_cut] + 1) * count + touches.object[at_cut])
    idle = beside[~np.isin(beside, needed)]
    held = _sums(idle // count, sizes[idle % count], windows)
    held[1:] += touches.transient_bytes[cuts]
    room = np.maximum(0, usable_bytes - held)
    room[0] = 0
    return np.maximum(0, need - room)


def _sums(groups: NDArray[np.int64], values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    totals = np.zeros(count, dtype=np.int64)
    np.add.at(totals, groups, values)
    return totals
