"""A machine into numbered memories, links, servers and routes, and masters into memories."""

from collections.abc import Sequence
from typing import TypeAlias

import attrs
import numpy as np

from mirc.controller.descriptors import Descriptors
from mirc.controller.trust import Floats
from mirc.diagnostics import CouldNotRun
from mirc.kernels import world as k
from mirc.kernels.world import Table
from mirc.machine import Link, Machine, Memory, TierKind
from mirc.machine.transfers import PS_PER_NS, ROUTE_BYTES, route, transfer_ps
from mirc.simulate.model import Ints, Spills, Workload

STAGING_OBJECTS = 4  # of the largest: what passes through a memory has this much room there
MOST_WAYS = 4  # of one memory: a decision looks at each
MOST_LOOKS = 2_000  # paths looked at to find them: machines come from strangers
_ORDER = tuple(TierKind)

Ways: TypeAlias = list[tuple[tuple[Link, ...], ...]]  # of each memory below, nearest first


@attrs.frozen(kw_only=True, eq=False)
class Topology:
    """Numbered parts of a machine: memory 0 is the near one, the rest follow nearest first."""

    names: tuple[str, ...]  # [m], of memories
    link_names: tuple[str, ...]  # [l]
    memories: Table  # [MEMORY_ROWS, m]
    links: Table  # [LINK_ROWS, l]
    routes: Table  # [2, a m, 1 + hops]: a ways for each memory, the quickest over idle links first
    service_ps: Table  # [l, n]
    server_count: int

    def fetch_ps(self, o: int) -> int:
        """Return the time an object takes on the slowest link from the nearest memory."""
        for memory in range(1, len(self.names)):
            hops = int(self.routes[k.INWARD, memory, 0])
            if hops:
                way = self.routes[k.INWARD, memory, 1 : 1 + hops]
                return int(self.service_ps[way, o].max())
        return 0

    def price_ps(self, home: Ints, sizes: Ints) -> Floats:
        """Return what a byte of each object takes on the slowest link from its home, at best.

        ``home`` is a memory or NONE, ``sizes`` in bytes; 0 where nothing is to be fetched.
        """
        found: Floats = self.tolls_ps(home, sizes).max(axis=0, initial=0.0)
        return found

    def tolls_ps(self, home: Ints, sizes: Ints) -> Floats:
        """Return what a byte of each object takes of each link on its way in, at best: [l, n].

        ``home`` is a memory or NONE, ``sizes`` in bytes; 0 where it does not pass.
        """
        tolls = np.zeros((self.links.shape[1], len(home)))
        for memory in range(1, len(self.names)):
            here = (home == memory) & (sizes > 0)
            hops = int(self.routes[k.INWARD, memory, 0]) if here.any() else 0
            for link in self.routes[k.INWARD, memory, 1 : 1 + hops].tolist():
                tolls[link, here] = (self.service_ps[link, here] / sizes[here]).min()
        return tolls


def topology(workload: Workload, known: Descriptors, machine: Machine) -> Topology:
    """Give numbers to near memory, to all that a route leads from and to the links on the way."""
    near = machine.near
    below = _below(machine)
    inward, outward = _ways(machine)
    links = tuple(
        dict.fromkeys(
            link for found in (inward, outward) for ways in found for way in ways for link in way
        )
    )
    names = (near.name, *(m.name for m in below))
    for name in sorted(_between(inward, outward) - set(names)):
        raise CouldNotRun(f"a route of {machine.name} leads through `{name}`, which is not below")
    rooms = _rooms_of(workload, known, machine)
    memories = np.zeros((k.MEMORY_ROWS, len(names)), dtype=np.int64)
    memories[k.CAPACITY] = [near.usable_bytes, *(m.usable_bytes for m in below)]
    memories[k.HOMES] = [0, *(room.size_bytes for room in rooms)]
    servers = tuple(dict.fromkeys(_server(link) for link in links))
    table = np.zeros((k.LINK_ROWS, len(links)), dtype=np.int64)
    for number, link in enumerate(links):
        table[:, number] = (
            servers.index(_server(link)),
            names.index(link.source),
            names.index(link.target),
            round(link.latency_ns * PS_PER_NS),
            0,
        )
    return Topology(
        names=names,
        link_names=tuple(link.name for link in links),
        memories=memories,
        links=table,
        routes=_routes((inward, outward), links),
        service_ps=np.array(
            [_service(link, workload.size_bytes, known.fragment_bytes) for link in links],
            dtype=np.int64,
        ).reshape(len(links), workload.object_count),
        server_count=len(servers),
    )


@attrs.frozen(kw_only=True)
class Room:
    """What a memory below has for masters and for what is spilled; ``returns`` if both ways go.

    ``passes`` are the memories through which something on its way there or back may come.
    """

    name: str
    kind: str
    size_bytes: int
    returns: bool
    passes: frozenset[str] = frozenset()


def rooms_below(machine: Machine) -> tuple[Room, ...]:
    """Return the room of each memory below near memory, nearest first, all of it for what stays."""
    inward, outward = _ways(machine)
    return tuple(
        Room(
            name=m.name,
            kind=str(m.kind),
            size_bytes=m.usable_bytes,
            returns=bool(outward[number]),
            passes=frozenset(_between([inward[number]], [outward[number]])),
        )
        for number, m in enumerate(_below(machine))
    )


@attrs.frozen(kw_only=True)
class Backing:
    """The tiers that may hold each master: ``kinds[which[i]]`` of the i-th."""

    kinds: tuple[tuple[str, ...], ...]
    which: Ints = attrs.field(eq=False)

    @classmethod
    def of(cls, declared: Sequence[tuple[str, ...]]) -> "Backing":
        """Give numbers to what is declared, one to the same tiers."""
        numbers = {kinds: number for number, kinds in enumerate(dict.fromkeys(declared))}
        which = np.array([numbers[kinds] for kinds in declared], dtype=np.int64)
        return cls(kinds=tuple(numbers), which=which)


def rooms_for(
    sizes: Ints, backing: Backing, spills: Spills, rooms: Sequence[Room]
) -> tuple[Room, ...]:
    """Return the rooms less what is kept for passing: nothing where nothing has to pass.

    That is so if every master has its place in the nearest of its tiers, what is spilled beside
    them, and no way there leads through another memory. Else ``STAGING_OBJECTS`` of the largest
    object that is spilled are kept in each memory on a way, if nothing but that passes then; else
    of the largest of all. O(masters).
    """
    most = max(int(sizes.max(initial=0)), spills.largest_bytes)
    for passing in (0, spills.largest_bytes):
        kept = _keeping(rooms, passing)
        if _largest_passing(sizes, backing, spills, kept) <= passing:
            return kept
    return _keeping(rooms, most)


def _keeping(rooms: Sequence[Room], passing_bytes: int) -> tuple[Room, ...]:
    between = frozenset[str]().union(*(room.passes for room in rooms))
    staging = STAGING_OBJECTS * passing_bytes
    return tuple(
        attrs.evolve(room, size_bytes=room.size_bytes - staging * (room.name in between))
        for room in rooms
    )


def _largest_passing(sizes: Ints, backing: Backing, spills: Spills, rooms: Sequence[Room]) -> int:
    """Return the bytes of the largest object that may pass through a memory below."""
    if not any(room.passes for room in rooms):
        return 0
    first = np.array([_choices(kinds, rooms)[0] for kinds in backing.kinds], dtype=np.int64)
    chosen = first[backing.which]
    free = np.array([room.size_bytes for room in rooms], dtype=np.int64)
    np.subtract.at(free, chosen, sizes)
    through = np.array([bool(room.passes) for room in rooms], dtype=np.bool_)
    if (free < 0).any():  # some lie elsewhere: whatever that is
        return max(int(sizes.max(initial=0)), spills.largest_bytes)
    found = int(sizes[through[chosen]].max(initial=0))
    # What ended while it was on a link holds its room below until it has landed.
    left = spills.held_bytes + STAGING_OBJECTS * spills.largest_bytes
    for room, spare in zip(rooms, free.tolist(), strict=True):
        if left > 0 and room.returns:
            if room.passes:
                return max(found, spills.largest_bytes)
            left -= spare
    return found


@attrs.frozen(kw_only=True)
class Settled:
    """The room of each master, -1 for one that fits nowhere, and what is left in each room."""

    where: tuple[int, ...]
    free: tuple[int, ...]


def settle(sizes: Sequence[int], backing: Backing, rooms: Sequence[Room]) -> Settled:
    """Place masters in order: as declared, else into the nearest room that has place."""
    free = [room.size_bytes for room in rooms]
    choices = [_choices(kinds, rooms) for kinds in backing.kinds]
    where: list[int] = []
    for size, which in zip(sizes, backing.which.tolist(), strict=True):
        memory = next((m for m in choices[which] if free[m] >= size), -1)
        if memory >= 0:
            free[memory] -= size
        where.append(memory)
    return Settled(where=tuple(where), free=tuple(free))


def _choices(kinds: Sequence[str], rooms: Sequence[Room]) -> tuple[int, ...]:
    """Return the rooms in the order in which a master of these tiers tries them."""
    first = (m for m, room in enumerate(rooms) if room.kind in kinds)
    return tuple(dict.fromkeys((*first, *range(len(rooms)))))


def homes(workload: Workload, known: Descriptors, machine: Machine) -> Ints:
    """Place the master of everything that is not made: as declared, else nearest with room.

    Raises CouldNotRun if they do not fit below near memory.
    """
    rooms = _rooms_of(workload, known, machine)
    masters = np.flatnonzero(~workload.made)
    sizes = workload.size_bytes[masters].tolist()
    settled = settle(sizes, Backing.of([known.backing[o] for o in masters]), rooms)
    if -1 in settled.where:
        raise no_room_for_masters(machine, sum(sizes), sum(room.size_bytes for room in rooms))
    found = np.full(workload.object_count, k.NONE, dtype=np.int64)
    # Memories below are numbered from 1, in the order of their rooms.
    found[masters] = np.array(settled.where, dtype=np.int64) + 1
    return found


def _rooms_of(workload: Workload, known: Descriptors, machine: Machine) -> tuple[Room, ...]:
    masters, made = np.flatnonzero(~workload.made), workload.size_bytes[workload.made]
    return rooms_for(
        workload.size_bytes[masters],
        Backing.of([known.backing[o] for o in masters]),
        workload.admitted
        or Spills(held_bytes=int(made.sum()), largest_bytes=int(made.max(initial=0))),
        rooms_below(machine),
    )


def no_room_for_masters(machine: Machine, size_bytes: int, room_bytes: int) -> CouldNotRun:
    """Return what is said where masters do not fit below near memory, or nothing leads up."""
    near = machine.near.name
    if not _below(machine):
        return CouldNotRun(
            f"no memory of {machine.name} has a way into its near memory `{near}`, and the masters "
            f"of weights take {size_bytes:_} bytes below it",
            f"add a [[memory]] of a farther tier with a [[link]] whose target is `{near}`",
        )
    return CouldNotRun(
        f"the masters of weights take {size_bytes:_} bytes, and the memories below "
        f"`{near}` of {machine.name} have room for {room_bytes:_}",
        "choose a machine with more memory below",
    )


def _below(machine: Machine) -> list[Memory]:
    """Return the memories that may hold masters, nearest first: by tier, then as declared."""
    near = machine.near
    farther = [
        memory
        for memory in machine.memories
        if memory.name != near.name
        and _ORDER.index(memory.kind) > _ORDER.index(near.kind)
        and _route_or_none(machine, memory.name, near.name)
    ]
    return sorted(farther, key=lambda memory: _ORDER.index(memory.kind))


def _ways(machine: Machine) -> tuple[Ways, Ways]:
    """Return the ways from each memory below to near memory, and back."""
    near, below = machine.near.name, _below(machine)
    return (
        [ways(machine, memory.name, near) for memory in below],
        [ways(machine, near, memory.name) for memory in below],
    )


def ways(machine: Machine, source: str, target: str) -> tuple[tuple[Link, ...], ...]:
    """Return up to ``MOST_WAYS`` routes between two memories, the quickest over idle links first.

    Each leads through memories that may hold masters, through none of them twice. One that passes
    every root and link that a quicker one passes, and others besides, is never quicker and left
    out. Empty if there is none.
    """
    best = _route_or_none(machine, source, target)
    if not best:
        return ()
    inner = {memory.name for memory in _below(machine)} - {source, target}
    found: list[tuple[Link, ...]] = []
    begun: list[tuple[Link, ...]] = [()]
    for _ in range(MOST_LOOKS):
        if not begun:
            break
        path = begun.pop()
        here = path[-1].target if path else source
        if here == target:
            found.append(path)
            continue
        passed = {link.source for link in path} | {here}
        begun += [
            (*path, link)
            for link in machine.links
            if link.source == here and (link.target == target or link.target in inner - passed)
        ]
    found.sort(key=lambda path: (sum(transfer_ps(link, ROUTE_BYTES) for link in path), len(path)))
    kept = [best]
    for path in found:
        servers = {_server(link) for link in path}
        if not any({_server(link) for link in other} <= servers for other in kept):
            kept.append(path)
    return tuple(kept[:MOST_WAYS])


def _between(inward: Ways, outward: Ways) -> set[str]:
    """Name the memories that any way passes through."""
    sources = {link.source for found in inward for way in found for link in way[1:]}
    return sources | {link.target for found in outward for way in found for link in way[:-1]}


def _routes(directions: tuple[Ways, Ways], links: Sequence[Link]) -> Table:
    """Lay the ways out: row ``memory + a * memories`` is a memory's way ``a``."""
    memories = 1 + len(directions[0])
    found = [way for ways_ in directions for ways_of in ways_ for way in ways_of]
    most = max([1, *(len(ways_of) for ways_ in directions for ways_of in ways_)])
    hops = max([1, *(len(way) for way in found)])
    table = np.zeros((2, most * memories, 1 + hops), dtype=np.int64)
    for direction, ways_ in zip((k.INWARD, k.OUTWARD), directions, strict=True):
        for number, ways_of in enumerate(ways_, 1):
            for a, way in enumerate(ways_of):
                row = table[direction, number + a * memories]
                row[0] = len(way)
                row[1 : 1 + len(way)] = [links.index(link) for link in way]
    return table


def _route_or_none(machine: Machine, source: str, target: str) -> tuple[Link, ...]:
    try:
        return route(machine, source, target)
    except LookupError:
        return ()


def _server(link: Link) -> str:
    """Links of one root take turns; any other is a server of its own."""
    return f"root {link.root}" if link.root is not None else f"link {link.name}"


def _service(link: Link, sizes: Ints, fragments: Ints) -> Ints:
    """Return how long each object occupies a link: its transfer less the latency after it."""
    latency = round(link.latency_ns * PS_PER_NS)
    pairs = np.stack((sizes, fragments))
    distinct, where = np.unique(pairs, axis=1, return_inverse=True)
    times = [
        max(0, transfer_ps(link, int(size), int(fragment) or None) - latency)
        for size, fragment in distinct.T
    ]
    return np.array(times, dtype=np.int64)[where.reshape(-1)]
