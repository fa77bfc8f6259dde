"""A workload, descriptors and a machine into the world and the script that the engine plays."""

from itertools import pairwise

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.controller.descriptors import UNSAID, Descriptors
from mirc.controller.learning import Learner
from mirc.controller.ranking import Orders, held_fast, orders
from mirc.diagnostics import CouldNotRun
from mirc.kernels import world as k
from mirc.kernels.counts import COUNTS
from mirc.kernels.events import EVENT
from mirc.kernels.ranks import no_ranks
from mirc.kernels.regrets import MOST_WORTH
from mirc.kernels.replacement import state as rules
from mirc.kernels.world import CERTAIN, Table, World
from mirc.machine import Machine
from mirc.simulate.loop import Script
from mirc.simulate.model import Ints, Workload
from mirc.simulate.placement import static_ranks
from mirc.simulate.policies import FOLLOW_INTENT, LEARN, Policy, Settings
from mirc.simulate.topology import Topology, homes, topology

_OF_MADE = 80  # hand-set priority of what the run makes


@attrs.frozen(kw_only=True, eq=False)
class Scene:
    """All that a run needs and changes, and what its columns mean."""

    world: World
    script: Script
    topology: Topology
    learner: Learner | None = None


def stage(
    workload: Workload,
    known: Descriptors,
    machine: Machine,
    policy: Policy,
    *,
    settings: Settings,
    most_events: int = 0,
) -> Scene:
    """Build a fresh world for one run; ``most_events`` of 0 record nothing.

    Raises CouldNotRun for a step that does not fit into near memory, or masters that fit nowhere.
    """
    refuse_oversized(workload, machine)
    ways = topology(workload, known, machine)
    count = workload.object_count
    sizes, home = workload.size_bytes, homes(workload, known, machine)
    tolls = ways.tolls_ps(home, sizes)
    plans = [orders(known, known.phase(name), sizes, tolls) for name in _phases(workload)]
    if policy.number == k.STATIC:
        price = ways.price_ps(home, sizes)
        plans = _one_ranking(plans, static_ranks(known, sizes, price))
    obj = _objects(workload, known, policy, machine)
    tables = _plan_tables(
        plans, known, workload, ways, homes_=obj[k.HOME], policy=policy, settings=settings
    )
    accesses = len(workload.access_object)
    rule = _rule_of(policy, workload, int(ways.memories[k.CAPACITY, k.NEAR]))
    world = World(
        obj=obj,
        mem=ways.memories.copy(),
        srv=_servers(ways),
        link=ways.links.copy(),
        route=ways.routes,
        service=ways.service_ps,
        lists=_empty_lists(count + 3 * ways.server_count + ways.links.shape[1] + 1),
        ledger=np.zeros((k.LEDGER_ROWS, ways.links.shape[1]), dtype=np.int64),
        run=_scalars(policy, settings, recording=most_events > 0),
        **tables,
        bits=no_ranks(count),
        loose=no_ranks(count),
        own=np.tile(no_ranks(count), (len(known.quotas), 1)),
        tenant=_tenants(known),
        heap=np.zeros((2, _heap_entries(policy, count, accesses)), dtype=np.int64),
        rule=rule.now,
        cell=rule.cell,
        real=rule.real,
        counts=np.zeros(COUNTS, dtype=np.int64),
        log=np.zeros((most_events, len(EVENT.names or ())), dtype=np.int64),
    )
    for o in np.flatnonzero(world.obj[k.HOME] != k.NONE):
        home = world.obj[k.HOME, o]
        k.take(world, home, world.obj[k.SIZE, o])
        world.mem[k.HOME_BYTES, home] += world.obj[k.SIZE, o]
    learner = Learner(
        known,
        phases=_phases(workload),
        sizes=workload.size_bytes,
        made=workload.made,
        classes=workload.klass.astype(np.int64),
        price=_price(workload, ways, world.obj[k.HOME]),
        tolls_ps=tolls,
    )
    return Scene(
        world=world,
        script=_script(workload, policy, ways),
        topology=ways,
        learner=learner if policy.number in LEARN else None,
    )


def refuse_oversized(workload: Workload, machine: Machine) -> None:
    """Raise CouldNotRun for the first step whose objects do not fit into near memory together.

    Nothing is streamed within a step: what it touches must lie near at once.
    """
    touched = np.concatenate(([0], np.cumsum(workload.size_bytes[workload.access_object])))
    most = np.diff(touched[workload.access_ptr]) + workload.transient_bytes
    for step in np.flatnonzero(most > machine.near.usable_bytes).tolist():
        # An object that is read and written counts once.
        begin, end = workload.access_ptr[step : step + 2]
        distinct = np.unique(workload.access_object[begin:end])
        need = int(workload.size_bytes[distinct].sum() + workload.transient_bytes[step])
        if need <= machine.near.usable_bytes:
            continue
        raise CouldNotRun(
            f"step {int(workload.step_position[step])} of `{_phase_of(workload, step)}` needs "
            f"{need:_} bytes at once, and `{machine.near.name}` of {machine.name} has "
            f"{machine.near.usable_bytes:_}",
            "split the step or its objects, lower `--batch`, or choose a larger machine",
        )


def _phase_of(workload: Workload, step: int) -> str:
    return _phases(workload)[int(workload.step_phase[step])]


def _phases(workload: Workload) -> tuple[str, ...]:
    if workload.phase_names:
        return workload.phase_names
    return tuple(str(phase) for phase in range(int(workload.step_phase.max(initial=0)) + 1))


def _heap_entries(policy: Policy, objects: int, accesses: int) -> int:
    """Return the room of a heap: Belady's keeps all that ever came, that of regret is cleared."""
    if policy.number == k.BELADY:
        return accesses + objects + 1
    return 2 * objects + 1 if policy.number == k.REGRET else 0


def _rule_of(policy: Policy, workload: Workload, capacity: int) -> rules.Replacement:
    """Return an empty table of a rule of replacement; of no object, where the policy is none.

    What a rule calls set by hand is by what a loss costs: what the run makes has to be written back
    first, so it stays before what has a master below.
    """
    if policy.rule is None:
        return rules.replacement(rules.FIFO, 0, 1)
    count = workload.object_count
    r = rules.replacement(policy.rule.number, count, capacity, policy.rule.variant)
    r.cell[rules.SIZE, :count] = np.maximum(workload.size_bytes, 1)
    r.cell[rules.PRIORITY, :count] = np.where(workload.made, _OF_MADE, rules.DEFAULT_PRIORITY)
    return r


def _one_ranking(plans: list[Orders], ranked: Ints) -> list[Orders]:
    """Give all phases the ranks of one placement."""
    rank = np.empty(len(ranked), dtype=np.int64)
    rank[ranked] = np.arange(len(ranked))
    return [attrs.evolve(plan, rank=rank, ranked=ranked) for plan in plans]


def _objects(workload: Workload, known: Descriptors, policy: Policy, machine: Machine) -> Table:
    # What is known of one object lies side by side: a decision looks at much of it.
    obj = np.zeros((k.OBJECT_ROWS, workload.object_count), dtype=np.int64, order="F")
    obj[k.SIZE] = workload.size_bytes
    obj[k.MADE] = workload.made
    obj[k.CLASS] = k.NONE
    obj[k.NEXT_USE] = k.NEVER
    obj[k.HOME] = homes(workload, known, machine)
    obj[[k.LEFT_FOR, k.USED_AT, k.TENANT]] = k.NONE
    obj[k.REMAKE_PS] = k.NEVER
    obj[[k.SEEN_FIRST, k.SEEN_LAST]] = k.NONE
    obj[k.UNPACK_PS] = known.unpack_ps
    if policy.number in FOLLOW_INTENT:
        most = np.max([rows.remake_ps for rows in known.phases], axis=0, initial=UNSAID)
        obj[k.REMAKE_PS] = np.where(most == UNSAID, k.NEVER, most)
    obj[[k.MATE, k.BEARS]] = np.arange(workload.object_count)
    for members, cap in zip(known.mates, known.caps_bytes, strict=True):
        ring = np.array([o for o in members if obj[k.MATE, o] == o], dtype=np.int64)
        obj[k.MATE, ring] = np.roll(ring, -1)
        obj[k.MATE_BYTES, ring] = cap or int(workload.size_bytes[ring].sum())
    if policy.number in FOLLOW_INTENT:
        obj[k.KEEP] = held_fast(known)
    if policy.number == k.INTENT:  # no other policy knows whose an object is
        obj[k.TENANT] = known.tenant
    return obj


def _tenants(known: Descriptors) -> Table:
    table = np.zeros((k.TENANT_ROWS, len(known.quotas)), dtype=np.int64)
    table[k.LIMIT] = [limit for _, limit in known.quotas]
    return table


def _servers(ways: Topology) -> Table:
    servers = np.zeros((k.SERVER_ROWS, ways.server_count), dtype=np.int64)
    servers[k.ACTIVE] = k.NONE
    return servers


def _empty_lists(count: int) -> Table:
    return np.tile(np.arange(count, dtype=np.int64), (4, 1))


def _scalars(policy: Policy, settings: Settings, *, recording: bool) -> Table:
    run = np.zeros(k.RUN_ENTRIES, dtype=np.int64)
    run[[k.PHASE, k.REFUSED, k.FAULT_OBJECT, k.CAUSE]] = k.NONE
    run[k.REVIEWED] = k.NONE if policy.number in LEARN else k.NEVER
    run[k.POLICY] = policy.number
    run[k.DEPTH] = settings.depth
    run[k.CHUNK_BYTES] = settings.chunk_bytes
    run[k.RECORDING] = int(recording)
    return run


def _plan_tables(
    plans: list[Orders],
    known: Descriptors,
    workload: Workload,
    ways: Topology,
    *,
    homes_: Ints,
    policy: Policy,
    settings: Settings,
) -> dict[str, Table]:
    count = workload.object_count
    uses = max(1, *(len(plan.order) for plan in plans)) if plans else 1
    if policy.number in LEARN:  # what is corrected may have a first and a last use of everything
        hinted = [int(np.count_nonzero(rows.first_ps != UNSAID)) for rows in known.phases]
        uses = max(uses, 2 * max(hinted, default=0))
    shape = (len(plans), uses)
    phase = np.zeros((k.PHASE_ROWS, len(plans)), dtype=np.int64)
    order = np.full(shape, k.NONE, dtype=np.int64)
    due = np.zeros(shape, dtype=np.int64)
    first = np.full((len(plans), count), k.NONE, dtype=np.int64)
    horizon = np.full((len(plans), count), k.NONE, dtype=np.int64)
    remake = np.full((len(plans), count), k.NONE, dtype=np.int64)
    departs = np.zeros((len(plans), count), dtype=np.int64)
    strength = np.tile(known.strength, (len(plans), 1)).reshape(len(plans), count)
    chance = np.tile(known.probability, (len(plans), 1)).reshape(len(plans), count)
    price = _price(workload, ways, homes_)
    above = np.zeros((len(plans), count + 1), dtype=np.int64)
    pinnable = np.where(workload.made, 0, workload.size_bytes)
    for p, (plan, name) in enumerate(zip(plans, _phases(workload), strict=True)):
        ring, ahead = _stream(plan, workload, policy, settings, ways)
        phase[:4, p] = len(plan.order), plan.period_ps, ring, ahead
        order[p, : len(plan.order)] = plan.order
        due[p, : len(plan.order)] = plan.due_ps
        rows = known.phase(name)
        if rows is not None:
            first[p], horizon[p] = rows.first_ps, rows.horizon_ps
            strength[p], chance[p] = rows.strength, rows.probability
            unsure = (plan.place[0] == k.NONE) & (rows.first_ps != UNSAID) & ~workload.made
            largest = int(workload.size_bytes[unsure].max(initial=0))
            phase[k.PHASE_GUESS, p] = int(settings.guess_objects * largest)
            if policy.number in FOLLOW_INTENT:
                remake[p] = rows.remake_ps
                departs[p] = rows.departs
        above[p, :-1] = np.cumsum(pinnable[plan.ranked][::-1])[::-1]
    return {
        "phase": phase,
        "order": order,
        "due": due,
        "first": first,
        "horizon": horizon,
        "place": np.array([plan.place for plan in plans], dtype=np.int64),
        "rank": np.array([plan.rank for plan in plans], dtype=np.int64),
        "ranked": np.array([plan.ranked for plan in plans], dtype=np.int64),
        "strength": strength,
        "chance": np.rint(chance * CERTAIN).astype(np.int64),
        "worth": np.rint(chance * price).astype(np.int64),
        "departs": departs,
        "remake": remake,
        "above": above,
    }


def _price(workload: Workload, ways: Topology, homes_: Ints) -> NDArray[np.float64]:
    """Return what the worth of each object is if it is certain to be used: a scale of its own."""
    below = np.where(workload.made, min(1, len(ways.names) - 1), homes_)
    price = ways.price_ps(below, workload.size_bytes)
    scaled: NDArray[np.float64] = price * (MOST_WORTH / max(price.max(initial=0.0), 1.0))
    return scaled


def _stream(
    plan: Orders, workload: Workload, policy: Policy, settings: Settings, ways: Topology
) -> tuple[int, int]:
    """Return the ring's bytes and the horizon of a phase, by the largest object that it plans.

    Of this phase alone: what later ones plan must not be told before they begin. A ring overlaps
    the streamed bytes with the computing and takes the room of pinned ones: where the plan's own
    figures say that none is better, as with few large objects in a small memory, a static placement
    has none.
    """
    movable = np.unique(plan.order[~workload.made[plan.order]])
    if not len(movable):
        return 0, 0
    sizes = workload.size_bytes[movable]
    largest = int(movable[sizes.argmax()])
    fetch_ps = ways.fetch_ps(largest)
    ring = int(settings.ring_objects * sizes.max())
    missing = max(0, int(sizes.sum()) - int(ways.memories[k.CAPACITY, k.NEAR]))
    ps_per_byte = fetch_ps / int(sizes.max())
    with_ring = max(plan.period_ps, (missing + ring) * ps_per_byte)
    without = plan.period_ps + missing * ps_per_byte
    return (
        0 if policy.number == k.STATIC and without <= with_ring else ring,
        int(settings.horizon_transfers * fetch_ps),
    )


def _script(workload: Workload, policy: Policy, ways: Topology) -> Script:
    count = workload.step_count
    steps = np.zeros((8, count + 1), dtype=np.int64)
    steps[0, :count] = workload.step_phase
    steps[1, :count] = workload.step_position
    steps[2, :count] = workload.compute_ps
    steps[3, :count] = workload.transient_bytes
    steps[4] = workload.access_ptr
    steps[5] = workload.retire_ptr
    steps[6:, :count] = workload.compute_ps if workload.roofs_ps is None else workload.roofs_ps
    accesses = np.empty((4, len(workload.access_object)), dtype=np.int64)
    accesses[0] = workload.access_object
    accesses[1] = workload.access_kind
    accesses[2] = workload.access_bytes
    accesses[3] = next_uses(workload) if policy.oracle else k.NEVER
    return Script(
        steps=steps,
        accesses=accesses,
        retired=workload.retire_object.astype(np.int64),
        results=np.zeros((5, count), dtype=np.int64),
        hits=np.zeros((2, ways.memories.shape[1]), dtype=np.int64),
    )


def next_uses(workload: Workload) -> Ints:
    """Return, for each access, the step of the next one to the same object, or never."""
    steps = np.repeat(np.arange(workload.step_count, dtype=np.int64), np.diff(workload.access_ptr))
    found = np.full(len(steps), k.NEVER, dtype=np.int64)
    by_object = np.argsort(workload.access_object, kind="stable")
    objects = workload.access_object[by_object]
    for a, b in pairwise((slice(None, -1), slice(1, None))):
        same = objects[a] == objects[b]
        found[by_object[a][same]] = steps[by_object[b][same]]
    return found
