"""What is queued on every way of an object into the time at which it would land on the quickest.

One cost serves all ways: a direct link, one staged through other memories, one through the host. A
hop begins when the object has come so far and all that is served before it has passed; the object
is stored whole at each hop. So ``t <- max(t, queue) + service + latency`` from hop to hop.
"""

from typing import Any

from mirc.kernels.counts import decided
from mirc.kernels.world import (
    ACTIVE,
    BACKLOG,
    BARRED,
    CAPACITY,
    CHUNK_BYTES,
    CLASS,
    END_PS,
    HOME,
    HOME_BYTES,
    HOMES,
    INWARD,
    LATENCY_PS,
    NEVER,
    NONE,
    NOW,
    ON_LINK,
    OUTWARD,
    RESUMES_PS,
    SERVER,
    SIZE,
    START_PS,
    TARGET,
    UNPACK_PS,
    USED,
    World,
)


def chunk_end(w: World, server: int) -> Any:
    """Return when the chunk that is in service ends: there a more urgent transfer may begin."""
    active = w.srv[ACTIVE, server]
    size = w.obj[SIZE, active]
    if size <= w.run[CHUNK_BYTES]:
        return w.srv[END_PS, server]
    chunks = (size + w.run[CHUNK_BYTES] - 1) // w.run[CHUNK_BYTES]
    whole_ps = w.service[w.srv[ON_LINK, server], active]
    chunk_ps = max(1, (whole_ps + chunks - 1) // chunks)
    crossed = (w.run[NOW] - w.srv[START_PS, server]) // chunk_ps + 1
    return min(w.srv[START_PS, server] + crossed * chunk_ps, w.srv[END_PS, server])


def queue_ps(w: World, server: int, priority: int) -> Any:
    """Return how long a transfer of a class that comes now would wait for a server."""
    wait = 0
    active = w.srv[ACTIVE, server]
    if active != NONE:
        urgent = w.obj[CLASS, active] <= priority
        wait = (w.srv[END_PS, server] if urgent else chunk_end(w, server)) - w.run[NOW]
    for waiting in range(priority + 1):
        wait += w.srv[BACKLOG + waiting, server]
    return wait


def landing_ps(w: World, o: int, way: int, path: int, priority: int) -> Any:
    """Return the time from now until an object would have landed, and be widened, by one path."""
    spent = 0
    now = w.run[NOW]
    for hop in range(w.route[way, path, 0]):
        link = w.route[way, path, 1 + hop]
        wait = max(queue_ps(w, w.link[SERVER, link], priority), w.link[RESUMES_PS, link] - now)
        spent = max(spent, wait) + w.service[link, o] + w.link[LATENCY_PS, link]
    return spent + w.obj[UNPACK_PS, o] if way == INWARD else spent


def bare_ps(w: World, o: int, way: int, path: int) -> Any:
    """Return the same over idle links."""
    spent = w.obj[UNPACK_PS, o] if way == INWARD else 0
    for hop in range(w.route[way, path, 0]):
        link = w.route[way, path, 1 + hop]
        spent += w.service[link, o] + w.link[LATENCY_PS, link]
    return spent


def quickest(w: World, o: int, way: int, memory: int, priority: int) -> Any:
    """Return the path between a memory and near memory on which an object lands first.

    Of equal ones the first counts, which is the quickest when nothing waits. A path through a
    memory that is full now is not taken. O(ways x hops), and nothing where there is but one way.
    """
    memories = w.mem.shape[1]
    best = memory
    path = memory + memories
    if path >= w.route.shape[1] or w.route[way, path, 0] == 0:
        return best
    least = landing_ps(w, o, way, best, priority)
    looks = 1
    while path < w.route.shape[1] and w.route[way, path, 0] > 0:
        looks += 1
        if _passable(w, o, way, path):
            lands = landing_ps(w, o, way, path, priority)
            if lands < least:
                best, least = path, lands
        path += memories
    decided(w, looks)
    return best


def _passable(w: World, o: int, way: int, path: int) -> bool:
    for hop in range(w.route[way, path, 0] - 1):
        between = w.link[TARGET, w.route[way, path, 1 + hop]]
        if w.mem[CAPACITY, between] - w.mem[USED, between] < w.obj[SIZE, o]:
            return False
    return True


def way_in(w: World, o: int, priority: int) -> Any:
    """Return the time from now until an object would have landed from its home."""
    path = quickest(w, o, INWARD, w.obj[HOME, o], priority)
    return landing_ps(w, o, INWARD, path, priority)


def barred(w: World, o: int, memory: int) -> Any:
    """Tell whether a rule does not let an object leave into a memory."""
    return (w.obj[BARRED, o] >> memory) & 1 == 1


def room_below(w: World, o: int) -> Any:
    """Return the nearest memory with room for a backing copy and a way there and back, or NONE."""
    size = w.obj[SIZE, o]
    for memory in range(1, w.mem.shape[1]):
        reachable = w.route[OUTWARD, memory, 0] > 0 and w.route[INWARD, memory, 0] > 0
        if (
            reachable
            and not barred(w, o, memory)
            and w.mem[HOMES, memory] - w.mem[HOME_BYTES, memory] >= size
            and w.mem[CAPACITY, memory] - w.mem[USED, memory] >= size
            and _kept_between(w, OUTWARD, memory) >= size
            and _kept_between(w, INWARD, memory) >= size
        ):
            return memory
    return NONE


def _kept_between(w: World, way: int, memory: int) -> Any:
    """Return the bytes that every memory on the way keeps for what passes, whatever lies there."""
    kept = NEVER
    for hop in range(w.route[way, memory, 0] - 1):
        between = w.link[TARGET, w.route[way, memory, 1 + hop]]
        kept = min(kept, w.mem[CAPACITY, between] - w.mem[HOMES, between])
    return kept
