"""A machine and the sizes of objects into the tables of tiers and links that serve accesses."""

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.diagnostics import CouldNotRun
from mirc.kernels.replacement.state import LRU, SIZE, Replacement, replacement
from mirc.kernels.tiers import state as k
from mirc.kernels.tiers.state import Seen, Table, Tiers
from mirc.machine import Link, Machine, Sharing
from mirc.machine.transfers import PS_PER_NS, PS_PER_S, ROUTE_BYTES, route
from mirc.simulate.topology import rooms_below

STAGING_OBJECTS = 64  # of the largest: what may wait to leave, if nothing is said
MOST_TIERS = 8


@attrs.frozen(kw_only=True)
class Settings:
    """How accesses are made.

    ``near_bytes`` of the nearest tier are for them (None: all that is usable), and of each tier
    below what it has. ``rule`` chooses who leaves the nearest tier, ``rule_below`` who leaves the
    others. Between an access and the next ``think_ps`` pass; at most ``window`` are under way. A
    prefetcher is told the next ``lookahead`` of them. Objects lie in pieces of ``fragment_bytes``
    (0: in one). Of the first ``keep_waits`` accesses it is remembered how long each waited.
    """

    near_bytes: int | None = None
    rule: int = LRU
    rule_below: int = LRU
    variant: int = 0
    think_ps: int = 0
    window: int = 1
    lookahead: int = 0
    fragment_bytes: int = 0
    staging_bytes: int | None = None
    keep_waits: int = 0


@attrs.frozen(kw_only=True, eq=False)
class Rig:
    """All that a run needs, and what its numbers mean."""

    tiers: Tiers
    seen: Seen
    rules: tuple[Replacement, ...]
    names: tuple[str, ...]  # of tiers, nearest first
    links: tuple[str, ...]
    capacity_bytes: tuple[int, ...]  # of the tiers that may fill up


def rig(machine: Machine, size_bytes: Table, settings: Settings) -> Rig:
    """Lay out the near memory, what lies below it, and the links between.

    All objects (``size_bytes`` [N]) lie in the farthest memory from the start. Raises CouldNotRun
    if there is none, or one is smaller than an object.
    """
    rooms = rooms_below(machine)[: MOST_TIERS - 1]
    names = (machine.near.name, *(room.name for room in rooms))
    if len(names) < 2:
        raise CouldNotRun(
            f"machine `{machine.name}` has no memory below `{machine.near.name}` with a way there",
            "add a [[memory]] and a [[link]] from it, or name another machine",
        )
    near = machine.near.usable_bytes if settings.near_bytes is None else settings.near_bytes
    capacity = (near, *(room.size_bytes for room in rooms[:-1]))
    _check_room(machine, names, capacity, rooms[-1].size_bytes, size_bytes)
    ways = _ways(machine, names)
    links = tuple(dict.fromkeys(link for way in ways.values() for link in way))
    if len(links) > k.FEW_COLUMNS - 1:
        raise CouldNotRun(
            f"machine `{machine.name}` has {len(links)} links between its tiers",
            f"give one with at most {k.FEW_COLUMNS - 1}",
        )
    return Rig(
        tiers=_tables(len(names), links, ways, size_bytes, settings),
        seen=Seen(
            spread=np.zeros(k.BUCKETS, dtype=np.int64),
            waits=np.zeros(settings.keep_waits, dtype=np.int64),
        ),
        rules=tuple(
            _rule(settings.rule if tier == 0 else settings.rule_below, size_bytes, room, settings)
            for tier, room in enumerate(capacity)
        ),
        names=names,
        links=tuple(link.name for link in links),
        capacity_bytes=capacity,
    )


def _rule(rule: int, size_bytes: Table, capacity: int, settings: Settings) -> Replacement:
    found = replacement(rule, len(size_bytes), capacity, settings.variant)
    found.cell[SIZE, : len(size_bytes)] = size_bytes
    return found


def _check_room(
    machine: Machine,
    names: Sequence[str],
    capacity: Sequence[int],
    farthest: int,
    size_bytes: Table,
) -> None:
    largest, total = int(size_bytes.max(initial=0)), int(size_bytes.sum())
    for name, room in zip(names, capacity, strict=False):
        if room < largest:
            raise CouldNotRun(
                f"`{name}` of {machine.name} is to hold {room:_} bytes, less than the largest "
                f"object's {largest:_}",
                "give it more, or smaller objects",
            )
    if total > farthest:
        raise CouldNotRun(
            f"the trace's objects take {total:_} bytes, and `{names[-1]}` of {machine.name}, where "
            f"they lie from the start, has {farthest:_}",
            "give smaller objects, or a machine with more memory below",
        )


def _ways(machine: Machine, names: Sequence[str]) -> dict[int, tuple[Link, ...]]:
    """Return the links of each row of ``Tiers.way`` that there are any for."""
    count = len(names)
    found = {tier: route(machine, names[tier], names[0]) for tier in range(1, count)}
    for above in range(count):
        for below in range(above + 1, count):
            try:
                way = route(machine, names[above], names[below], ROUTE_BYTES)
            except LookupError:
                continue
            found[count + above * count + below] = way
    return found


def _tables(
    count: int,
    links: Sequence[Link],
    ways: dict[int, tuple[Link, ...]],
    size_bytes: Table,
    settings: Settings,
) -> Tiers:
    servers = tuple(dict.fromkeys(_server(link) for link in links))
    kinds, kind_of = np.unique(size_bytes, return_inverse=True)
    kinds = kinds.astype(np.int64)
    obj = np.zeros((len(size_bytes), k.OBJECT_COLUMNS), dtype=np.int64)
    obj[:, k.KIND] = kind_of
    timings = [service_ps(link, kinds, settings.fragment_bytes) for link in links]
    run = np.zeros(k.RUN_ENTRIES, dtype=np.int64)
    run[k.SOONEST] = k.NEVER
    run[k.TIERS], run[k.SERVERS], run[k.LINKS] = count, len(servers), len(links)
    run[k.WINDOW], run[k.THINK_PS] = settings.window, settings.think_ps
    run[k.LOOKAHEAD], staging = settings.lookahead, settings.staging_bytes
    largest = int(kinds.max(initial=0))
    run[k.STAGING] = STAGING_OBJECTS * largest if staging is None else staging
    return Tiers(
        run=run,
        obj=obj,
        sizes=np.stack((kinds, *timings)),
        few=_few(count, servers, links, ways),
        many=_many(len(servers), len(links)),
    )


def _few(
    count: int, servers: Sequence[str], links: Sequence[Link], ways: dict[int, tuple[Link, ...]]
) -> Table:
    found = np.zeros((k.WAYS + count + count * count, k.FEW_COLUMNS), dtype=np.int64)
    found[k.DUE, : len(servers)], found[k.ACTIVE, : len(servers)] = k.NEVER, k.NONE
    for number, link in enumerate(links):
        server = servers.index(_server(link))
        found[k.SERVER, number] = server
        found[k.LATENCY_PS, number] = round(link.latency_ns * PS_PER_NS)
        found[k.SHARES, server] = link.sharing is Sharing.FAIR
    for row, way in ways.items():
        found[k.WAYS + row, 0] = len(way)
        found[k.WAYS + row, 1 : 1 + len(way)] = [links.index(link) for link in way]
    for above in range(count - 1):
        rows = ((below, count + above * count + below) for below in range(above + 1, count))
        reached = (below for below, row in rows if found[k.WAYS + row, 0])
        found[k.BELOW, above] = next(reached, k.NONE)
    return found


def _many(servers: int, links: int) -> Table:
    """Return empty rings, but that of free jobs, which holds all."""
    free = k.JOBS + 3 * servers + links
    found = np.zeros((k.HEAPS + 2 * servers, free + 1), dtype=np.int64)
    found[k.QUEUE : k.QUEUE + 2] = np.arange(free + 1)
    order = np.array([free, *range(k.JOBS), free])
    found[k.QUEUE, order[:-1]], found[k.QUEUE + 1, order[1:]] = order[1:], order[:-1]
    return found


def _server(link: Link) -> str:
    return f"root {link.root}" if link.root is not None else f"link {link.name}"


def service_ps(link: Link, sizes: Table, fragment_bytes: int) -> Table:
    """Return how long objects of these sizes occupy a link: ``transfer_ps`` less the latency.

    All at once: a trace may have a million sizes.
    """
    points = np.array([size for size, _ in link.curve], dtype=np.float64)
    times = np.array([size / rate for size, rate in link.curve])

    def seconds(pieces: Table) -> NDArray[np.float64]:
        at = np.clip(np.searchsorted(points, pieces), 1, max(1, len(points) - 1))
        if len(points) > 1:
            low, high = times[at - 1], times[at]
            share = (high - low) * (pieces - points[at - 1]) / (points[at] - points[at - 1])
            between = low + share
        else:
            between = np.full(len(pieces), times[0])
        past = np.where(pieces > points[-1], pieces / link.peak_bytes_per_s, between)
        return np.where(pieces <= points[0], times[0], past)

    piece = sizes if not fragment_bytes else np.minimum(fragment_bytes, sizes)
    whole, rest = np.divmod(sizes, np.maximum(piece, 1))
    spent = whole * seconds(piece) + np.where(rest > 0, seconds(rest), 0.0)
    each = np.rint(spent * PS_PER_S + (link.latency_ns + link.launch_ns) * PS_PER_NS)
    latency = round(link.latency_ns * PS_PER_NS)
    found = np.maximum(0, each.astype(np.int64) - latency)
    return np.where(sizes > 0, found, 0)
