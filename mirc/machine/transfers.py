"""A link and a number of bytes into the time that they take; two memories into a route."""

from heapq import heappop, heappush
from itertools import pairwise

from mirc.machine.model import Machine
from mirc.machine.parts import Link

PS_PER_S = 1_000_000_000_000
PS_PER_NS = 1_000
# Routes are chosen for a large contiguous transfer unless the caller says otherwise.
ROUTE_BYTES = 1 << 27


def fragment_seconds(link: Link, fragment_bytes: int) -> float:
    """Return the seconds that one fragment occupies the link.

    Interpolated linearly in time between the curve's points. A fragment below the first point
    takes that point's time (what bounds it is its descriptor, not its bytes); above the last,
    the last rate holds.
    """
    first_size, first_rate = link.curve[0]
    if fragment_bytes <= first_size:
        return first_size / first_rate
    for (size, rate), (next_size, next_rate) in pairwise(link.curve):
        if fragment_bytes <= next_size:
            low, high = size / rate, next_size / next_rate
            return low + (high - low) * (fragment_bytes - size) / (next_size - size)
    return fragment_bytes / link.peak_bytes_per_s


def transfer_ps(link: Link, size_bytes: int, fragment_bytes: int | None = None) -> int:
    """Return the picoseconds of moving ``size_bytes`` that lie in pieces of ``fragment_bytes``.

    Without ``fragment_bytes`` they lie in one piece. Latency and launch are paid once; no bytes
    take no time. Rounded once, here. Raises ``ValueError`` for a negative size or no fragment.
    """
    piece = size_bytes if fragment_bytes is None else min(fragment_bytes, size_bytes)
    if size_bytes < 0 or (size_bytes and piece <= 0):
        raise ValueError(f"cannot move {size_bytes} bytes in fragments of {fragment_bytes}")
    if size_bytes == 0:
        return 0
    whole, rest = divmod(size_bytes, piece)
    seconds = whole * fragment_seconds(link, piece)
    if rest:
        seconds += fragment_seconds(link, rest)
    return round(seconds * PS_PER_S + (link.latency_ns + link.launch_ns) * PS_PER_NS)


def route(
    machine: Machine, source: str, target: str, size_bytes: int = ROUTE_BYTES
) -> tuple[Link, ...]:
    """Return the links from one memory to another that move ``size_bytes`` in the least time.

    Hops follow one another, each storing the whole before the next begins. Of equally quick routes
    the one with fewer links, then the one through links declared first, is taken. Empty if source
    and target are one. Raises ``KeyError`` for an unknown memory and ``LookupError`` if no route
    exists. Source: Dijkstra, Numerische Mathematik 1 (1959).
    """
    machine.memory(source)
    machine.memory(target)
    # (picoseconds, hops, indices of links, memory): the order of the tuple breaks ties.
    heap: list[tuple[int, int, tuple[int, ...], str]] = [(0, 0, (), source)]
    done: dict[str, None] = {}
    while heap:
        spent, hops, path, here = heappop(heap)
        if here == target:
            return tuple(machine.links[i] for i in path)
        if here in done:
            continue
        done[here] = None
        for i, link in enumerate(machine.links):
            if link.source == here and link.target not in done:
                cost = spent + transfer_ps(link, size_bytes)
                heappush(heap, (cost, hops + 1, (*path, i), link.target))
    raise LookupError(f"no links lead from {source} to {target}")
