"""A file's sinks, a machine and a run into what promoting them takes and saves, and its placebo."""

import random
from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from mirc.controller.sinks.promotion import Transfer, Wanted, promote
from mirc.ir.enums import ObjectClass
from mirc.machine import Link, Machine
from mirc.packed.model import Packed
from mirc.packed.view import PackedView
from mirc.simulate.model import READ, Flags, Ints, Workload
from mirc.simulate.tables import first_places
from mirc.simulate.workload import Scenario


@attrs.frozen(kw_only=True)
class Promoted:
    """What of a file's sinks is on chip for the run, and what it saves of exact attention.

    ``positions`` of each sequence in each of ``caches`` templates; ``promoted_bytes`` go into
    ``memory``, ``refused_bytes`` found no room beside what is wired. Decode reads
    ``cache_bytes`` of cache blocks (that its steps do not write), ``saved_bytes`` of them on chip;
    as many random positions would save ``placebo_bytes``. ``mass`` is what the file says that the
    positions hold, if it does; ``absent`` ones are in no cache. Transfers begin when the prompt
    of the first decode step is done.
    """

    memory: str | None
    positions: int
    caches: int
    promoted_bytes: int
    refused_bytes: int
    cache_bytes: int
    saved_bytes: int
    placebo_bytes: int
    mass: float | None
    transfers: tuple[Transfer, ...]
    absent: tuple[int, ...] = ()

    @property
    def late_ps(self) -> int:
        """By how much the latest transfer misses its first use, or 0."""
        return max((transfer.late_ps for transfer in self.transfers), default=0)


@attrs.frozen(kw_only=True, eq=False)
class _Instances:
    """The cache blocks of one template: object ids, their sequences and first tokens."""

    ids: Ints
    first_token: Ints
    token_bytes: int
    block_tokens: int

    def bytes_of(self, positions: Sequence[int], count: int) -> Ints:
        """Return, for each object of a run, how many bytes of it some positions take: [n]."""
        found = np.zeros(count, dtype=np.int64)
        for position in positions:
            inside = (self.first_token <= position) & (
                position < self.first_token + self.block_tokens
            )
            found[self.ids[inside]] += self.token_bytes
        return found


def promoted(
    packed: Packed, machine: Machine, plan: str | None, scenario: Scenario
) -> Promoted | None:
    """Account for the sinks of a run's caches: None if the file names none that the run has.

    Positions are promoted in written order as far as the machine's wired budget has room beside
    what is wired. A position that no cache of the run reaches is left out, and named: what is
    declared of sinks is an estimate.
    """
    view = PackedView(packed, plan=plan)
    sinks = {
        name: tuple(view.value(name, "sink_tokens") or ())
        for name in packed.data
        if name not in packed.objects and view.class_of(name) is ObjectClass.KV_BLOCK
    }
    workload = scenario.workload
    blocks = {
        name: found
        for name, positions in sinks.items()
        if positions and (found := _instances(view, workload, name)) is not None
    }
    if not blocks:
        return None
    count = workload.object_count
    decoding = _decoding(workload)
    named = {
        name: tuple(p for p in sinks[name] if instances.bytes_of((p,), count).any())
        for name, instances in blocks.items()
    }
    held, refused, transfers = _placed(machine, scenario, blocks, named, decoding)
    placebo = _placebo(named, blocks)
    masses = [value for name in blocks if (value := view.value(name, "sink_score")) is not None]
    return Promoted(
        memory=None if machine.sram is None else machine.sram.memory,
        positions=max(len(positions) for positions in named.values()),
        caches=len(blocks),
        promoted_bytes=int(held.sum()),
        refused_bytes=refused,
        cache_bytes=_read(workload, decoding, _all_of(blocks, count)),
        saved_bytes=_saved(workload, decoding, held),
        placebo_bytes=_saved(workload, decoding, _together(blocks, placebo, count)),
        mass=float(np.mean(masses)) if masses else None,
        transfers=transfers,
        absent=tuple(sorted({p for name in blocks for p in sinks[name] if p not in named[name]})),
    )


def _instances(view: PackedView, workload: Workload, name: str) -> _Instances | None:
    head = f"{name}("
    own = [i for i, spelled in enumerate(workload.names) if spelled.startswith(head)]
    tokens = view.value(name, "block_tokens")
    if not own or tokens is None:
        return None
    numbers = [workload.names[i][len(head) : -1].split(",") for i in own]
    ids = np.array(own, dtype=np.int64)
    return _Instances(
        ids=ids,
        first_token=np.array([int(parts[-1]) * tokens for parts in numbers], dtype=np.int64),
        token_bytes=int(workload.size_bytes[ids].max()) // tokens,
        block_tokens=tokens,
    )


def _decoding(workload: Workload) -> Flags:
    """Tell which accesses are reads of the iterated steps: [A]."""
    steps = np.repeat(np.arange(workload.step_count), np.diff(workload.access_ptr))
    found: Flags = (steps >= workload.iteration_ptr[0]) & (workload.access_kind == READ)
    return found


def _placed(
    machine: Machine,
    scenario: Scenario,
    blocks: Mapping[str, _Instances],
    sinks: Mapping[str, Sequence[int]],
    decoding: Flags,
) -> tuple[Ints, int, tuple[Transfer, ...]]:
    """Return the bytes on chip of each object, what found no room, and the transfers there."""
    count = scenario.workload.object_count
    held = np.zeros(count, dtype=np.int64)
    if machine.sram is None or machine.sram.memory == machine.near.name:
        return held, int(_together(blocks, sinks, count).sum()), ()
    bound = 0 if scenario.wired is None else scenario.wired.wiring.bound_bytes
    left, refused = machine.sram.wired_bytes - bound, 0
    for position in dict.fromkeys(p for name in blocks for p in sinks[name]):
        asked = {name: (position,) for name in blocks if position in sinks[name]}
        part = _together(blocks, asked, count)
        size = int(part.sum())
        if size <= left:
            held += part
            left -= size
        else:
            refused += size
    first = _first_uses(scenario.workload, blocks, decoding)
    wanted = [
        Wanted(name=name, size_bytes=size, first_use_ps=first[name])
        for name, instances in blocks.items()
        if (size := int(held[instances.ids].sum()))
    ]
    return held, refused, promote(wanted, _link(machine, machine.sram.memory), ())


def _link(machine: Machine, memory: str) -> Link:
    """Return the link into the on-chip memory, or one as quick as near memory is read."""
    near = machine.near
    rate = ((1, near.read_bytes_per_s),)
    return machine.link(near.name, memory) or Link(
        name="fill", source=near.name, target=memory, curve=rate
    )


def _first_uses(
    workload: Workload, blocks: Mapping[str, _Instances], decoding: Flags
) -> dict[str, int]:
    """Return when decoding first reads each template, from its first step on, by the roofline."""
    begin = int(workload.iteration_ptr[0])
    clock = np.concatenate(([0], np.cumsum(workload.compute_ps[begin:])))
    names = list(blocks)
    template = np.full(workload.object_count, -1, dtype=np.int64)
    for place, name in enumerate(names):
        template[blocks[name].ids] = place
    uses = np.flatnonzero(decoding)
    used = template[workload.access_object[uses]]
    first = first_places(used[used >= 0], len(names))
    uses = np.append(uses[used >= 0], len(workload.access_object))  # none: after the last
    steps = np.searchsorted(workload.access_ptr, uses[first], side="right") - 1
    return dict(zip(names, clock[steps - begin].tolist(), strict=True))


def _placebo(
    sinks: Mapping[str, Sequence[int]], blocks: Mapping[str, _Instances]
) -> dict[str, Sequence[int]]:
    """Draw as many positions of each template, of those that every sequence has had all along."""
    rng = random.Random(0)  # noqa: S311 - a placebo, no secret
    found: dict[str, Sequence[int]] = {}
    for name, positions in sinks.items():
        last = max(positions, default=0) + 1
        there = max(last, blocks[name].block_tokens)
        found[name] = rng.sample(range(there), len(positions))
    return found


def _together(
    blocks: Mapping[str, _Instances], sinks: Mapping[str, Sequence[int]], count: int
) -> Ints:
    total = np.zeros(count, dtype=np.int64)
    for name, positions in sinks.items():
        total += blocks[name].bytes_of(positions, count)
    return total


def _all_of(blocks: Mapping[str, _Instances], count: int) -> Flags:
    found = np.zeros(count, dtype=np.bool_)
    for instances in blocks.values():
        found[instances.ids] = True
    return found


def _read(workload: Workload, decoding: Flags, objects: Flags) -> int:
    return int(workload.access_bytes[decoding & objects[workload.access_object]].sum())


def _saved(workload: Workload, decoding: Flags, held: Ints) -> int:
    return int(np.minimum(workload.access_bytes, held[workload.access_object])[decoding].sum())
