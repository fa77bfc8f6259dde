"""The whole run of one policy, step after step: plain Python that numba compiles as it stands."""

from typing import Any, NamedTuple

from mirc.controller.execute import copy_ahead, let_go
from mirc.controller.observe import catch_up, enter, touched, watch_room, watch_step, witness
from mirc.controller.paths import made_again
from mirc.controller.regret import seen
from mirc.controller.speculation import guess, together, withdraw_foreign, withdraw_wrong
from mirc.controller.turn import look_ahead
from mirc.kernels.counts import GUESS_HITS, end_spills
from mirc.kernels.events import END, NEEDED, READ, REMADE, ROOM, STEP_EVENT, record
from mirc.kernels.events import WRITE as WRITE_EVENT
from mirc.kernels.links import dispatch, flight_of, next_event, settle
from mirc.kernels.lists import first
from mirc.kernels.moves import fetch, keep, promote, remake, retire
from mirc.kernels.offers import offer, offer_again, withdraw
from mirc.kernels.residency import change, create, spend
from mirc.kernels.ruled import came, used
from mirc.kernels.world import (
    ABSENT,
    ACTIVE,
    AHEAD,
    BELADY,
    CERTAIN,
    DEMAND,
    DOOMED,
    EXTRA_PS,
    FAULT,
    FAULT_OBJECT,
    FINE,
    FORGOTTEN,
    GONE,
    HELD,
    HOME,
    INCOMING,
    INTENT,
    INWARD,
    LAP,
    LATE,
    LEAVING,
    LOGGED,
    LRU_PREFETCH,
    MADE,
    NEAR,
    NEVER,
    NEXT_USE,
    NONE,
    NOW,
    ON_TIME,
    ORIGIN,
    PHASE,
    PINNED_FROM,
    POLICY,
    POSITION,
    QUEUE_NEXT,
    RECORDING,
    REGRET,
    REMADE_AT,
    RESIDENT,
    REVIEWED,
    SIZE,
    SPARED_PS,
    STATE,
    STATIC,
    STEP,
    STUCK,
    TRANSIENT,
    USED,
    WAITERS,
    WAY,
    WORKED_PS,
    Table,
    World,
    take,
)
from mirc.simulate.victims import make_room, own_room

# Rows of ``Script.steps``, one column per step.
STEP_PHASE, STEP_POSITION, COMPUTE_PS, TRANSIENT_BYTES, FIRST_ACCESS, FIRST_RETIRED = range(6)
NEAR_PS, OTHER_PS = 6, 7  # the two parts of ``COMPUTE_PS``: near memory's, and all other roofs
# Rows of ``Script.accesses``.
OBJECT, KIND, BYTES, NEXT = range(4)
READS, CREATES = 0, 2  # of ``KIND``
# Rows of ``Script.results``, one column per step.
WALL_PS, STALL_DEMAND, STALL_LATE, STALL_QUEUE, STALL_REMAKE = range(5)


class Script(NamedTuple):
    """What the engine is given to play, and where it writes what came of it."""

    steps: Table  # [8, S + 1]
    accesses: Table  # [4, A]
    retired: Table  # [R]
    results: Table  # [5, S]
    hits: Table  # [2, m]: accesses and bytes found in each memory


def play(w: World, s: Script, begin: int, end: int) -> Any:
    """Play the steps from ``begin`` on, up to ``end``; returns the first that was not played.

    That is ``end``, or less: after a fault, where the log may have no room for one step more, and
    before a run of a phase begins, once for what is to be learned of the last one.
    """
    for step in range(begin, end):
        if w.run[RECORDING] == 1 and 2 * w.run[LOGGED] > len(w.log):
            return step
        begins = s.steps[STEP_POSITION, step] == 0 or s.steps[STEP_PHASE, step] != w.run[PHASE]
        if begins and w.run[REVIEWED] < step:
            w.run[REVIEWED] = step
            return step
        w.run[STEP] = step
        since = w.run[NOW]
        announce(w, s, step)
        if not gather(w, s, step):
            return step
        finish(w, s, step, since)
        if w.run[FAULT] != FINE:
            return step
    return end


def announce(w: World, s: Script, step: int) -> None:
    """Tell the controller which phase and position begin, and hold all that the step uses."""
    phase, position = s.steps[STEP_PHASE, step], s.steps[STEP_POSITION, step]
    record(w, STEP_EVENT, phase, NONE, NONE, position, NEEDED)
    if phase != w.run[PHASE] or position == 0:
        enter(w, phase)
        if w.run[LAP] == 0:
            withdraw_foreign(w)
    w.run[POSITION] = position
    streamed = 0
    w.run[WAITERS] = 0
    for a in range(s.steps[FIRST_ACCESS, step], s.steps[FIRST_ACCESS, step + 1]):
        o = s.accesses[OBJECT, a]
        if w.obj[GONE, o] == 1:
            continue
        count_hit(w, s, a)
        if w.obj[HELD, o] == 0:
            hold(w, o)
            used(w, o)
            touched(w, o)
            witness(w, o)
            seen(w, o)
            if w.obj[MADE, o] == 0 and w.rank[phase, o] < w.run[PINNED_FROM]:
                streamed += w.obj[SIZE, o]
        if w.run[POLICY] == BELADY:
            w.obj[NEXT_USE, o] = s.accesses[NEXT, a]
    catch_up(w)
    withdraw_wrong(w)
    watch_step(w, streamed)


def count_hit(w: World, s: Script, a: int) -> None:
    """Count where an access found its bytes; what comes into being was nowhere."""
    o = s.accesses[OBJECT, a]
    state = w.obj[STATE, o]
    place = NEAR if state in (RESIDENT, LEAVING) else w.obj[HOME, o]
    if place != NONE and w.obj[DOOMED, o] == 0:
        s.hits[0, place] += 1
        s.hits[1, place] += s.accesses[BYTES, a]


def hold(w: World, o: int) -> None:
    """Protect an object for the step; hurry what is on its way, keep what was leaving."""
    w.obj[HELD, o] = 1
    withdraw(w, o)
    state = w.obj[STATE, o]
    if w.obj[AHEAD, o] == 1:
        if w.chance[w.run[PHASE], o] < CERTAIN // 2:
            w.counts[GUESS_HITS] += 1
        if state == RESIDENT:
            w.run[ON_TIME] += 1
        else:
            w.run[LATE] += 1
        spend(w, o)
    if w.obj[DOOMED, o] == 0:
        if state == INCOMING:
            promote(w, o)
        elif state == LEAVING:
            keep(w, o)
    if w.obj[STATE, o] != RESIDENT:
        w.run[WAITERS] += 1


def gather(w: World, s: Script, step: int) -> bool:
    """Bring all that the step uses into near memory, waiting as long as it takes."""
    transient = s.steps[TRANSIENT_BYTES, step]
    at, end = s.steps[FIRST_ACCESS, step], s.steps[FIRST_ACCESS, step + 1]
    roomy = False
    asked_again = NEVER
    while True:
        if not roomy and make_room(w, NONE, transient):
            roomy = True
            occupy(w, transient)
        if roomy:
            at = place(w, s, at, end)
        dispatch(w)
        watch_room(w)
        if roomy and at == end:  # what a step waits for is not given to a prefetch
            plan_ahead(w)
        if roomy and w.run[WAITERS] == 0:
            return True
        then = next_event(w)
        if then == NEVER:
            if asked_again != w.run[NOW] and offer_again(w) > 0:
                asked_again = w.run[NOW]
                continue
            w.run[FAULT] = STUCK
            w.run[FAULT_OBJECT] = awaited(w, s, step) if roomy else NONE
            return False
        blame(w, s, step, then - w.run[NOW])
        w.run[NOW] = then
        settle(w)
        if w.run[FAULT] != FINE:
            return False


def awaited(w: World, s: Script, step: int) -> Any:
    """Return the first object of a step that is not near."""
    for a in range(s.steps[FIRST_ACCESS, step], s.steps[FIRST_ACCESS, step + 1]):
        o = s.accesses[OBJECT, a]
        if w.obj[GONE, o] == 0 and w.obj[STATE, o] != RESIDENT:
            return o
    return NONE


def occupy(w: World, transient: int) -> None:
    """Take the room for the step's own working space."""
    w.run[TRANSIENT] = transient
    take(w, NEAR, transient)
    if transient > 0:
        record(w, ROOM, NONE, NONE, NEAR, transient, NEEDED)


def place(w: World, s: Script, at: int, end: int) -> Any:
    """Create or fetch what is absent, in order, as far as there is room; returns what is next."""
    while at < end:
        o = s.accesses[OBJECT, at]
        if w.obj[DOOMED, o] == 1 and w.obj[GONE, o] == 0:
            return at  # its former life is still on a link
        if w.obj[STATE, o] == ABSENT and w.obj[GONE, o] == 0:
            if not own_room(w, o) or not make_room(w, o, w.obj[SIZE, o]):
                return at
            if s.accesses[KIND, at] == CREATES:
                create(w, o)
            elif made_again(w, o):
                remake(w, o)
            elif w.obj[HOME, o] == NONE:
                create(w, o)
            else:
                fetch(w, o, DEMAND)
                together(w, o)
            came(w, o)
        at += 1
    return at


def plan_ahead(w: World) -> None:
    """Give the prefetcher of those policies that have one its turn."""
    policy = w.run[POLICY]
    if policy in (INTENT, STATIC, LRU_PREFETCH, REGRET):
        look_ahead(w)
        guess(w)
        dispatch(w)


def blame(w: World, s: Script, step: int, waited_ps: int) -> None:
    """Charge a wait: to a demand that is moving, else a late prefetch, else other traffic."""
    charged = STALL_QUEUE
    for server in range(w.srv.shape[1]):
        o = w.srv[ACTIVE, server]
        if o != NONE:
            charged = sooner(w, o, charged)
    for link in range(w.link.shape[1]):
        head = flight_of(w, link)
        o = first(w.lists, QUEUE_NEXT, head)
        if o != head:
            charged = sooner(w, o, charged)
    s.results[charged, step] += waited_ps


def sooner(w: World, o: int, charged: int) -> Any:
    """Return the weightier charge: what was found so far, or this transfer's."""
    if w.obj[HELD, o] == 0 or w.obj[WAY, o] != INWARD:
        return charged
    return min(charged, STALL_DEMAND if w.obj[ORIGIN, o] == DEMAND else STALL_LATE)


def finish(w: World, s: Script, step: int, since: int) -> None:
    """Compute while the links go on, then let go of what the step held and end what ends."""
    await_remakes(w, s, step)
    for a in range(s.steps[FIRST_ACCESS, step], s.steps[FIRST_ACCESS, step + 1]):
        o, kind = s.accesses[OBJECT, a], s.accesses[KIND, a]
        if w.obj[GONE, o] == 1:
            continue
        record(
            w, READ if kind == READS else WRITE_EVENT, o, NEAR, NEAR, s.accesses[BYTES, a], NEEDED
        )
        if kind != READS:
            change(w, o)
    pass_time(w, w.run[NOW] + work_ps(w, s, step))
    w.run[WORKED_PS] += s.steps[COMPUTE_PS, step]
    s.results[WALL_PS, step] = w.run[NOW] - since
    record(w, END, NONE, NONE, NONE, 0, NEEDED)
    end_spills(w)
    for a in range(s.steps[FIRST_ACCESS, step], s.steps[FIRST_ACCESS, step + 1]):
        release(w, s.accesses[OBJECT, a])
    if w.run[TRANSIENT] > 0:
        w.mem[USED, NEAR] -= w.run[TRANSIENT]
        record(w, ROOM, NONE, NEAR, NONE, -w.run[TRANSIENT], NEEDED)
        w.run[TRANSIENT] = 0
    for r in range(s.steps[FIRST_RETIRED, step], s.steps[FIRST_RETIRED, step + 1]):
        if w.obj[GONE, s.retired[r]] == 0:
            retire(w, s.retired[r])
    for a in range(s.steps[FIRST_ACCESS, step], s.steps[FIRST_ACCESS, step + 1]):
        copy_ahead(w, s.accesses[OBJECT, a])


def work_ps(w: World, s: Script, step: int) -> Any:
    """Return how long a step computes: its roofs, with what operands in fewer bits spare of one.

    Weights are widened on their way to the compute units, so FLOPs are what they were. Converting
    that was asked for before the step goes before it.
    """
    spared = 0
    for a in range(s.steps[FIRST_ACCESS, step], s.steps[FIRST_ACCESS, step + 1]):
        spared += w.obj[SPARED_PS, s.accesses[OBJECT, a]]
    extra = w.run[EXTRA_PS]
    w.run[EXTRA_PS] = 0
    if spared == 0:
        return s.steps[COMPUTE_PS, step] + extra
    return max(s.steps[NEAR_PS, step] - spared, s.steps[OTHER_PS, step]) + extra


def await_remakes(w: World, s: Script, step: int) -> None:
    """Let compute make again what the step needs of what was dropped; nothing is read before."""
    left = w.run[REMADE_AT] - w.run[NOW]
    if left > 0:
        s.results[STALL_REMAKE, step] += left
        pass_time(w, w.run[REMADE_AT])
    for a in range(s.steps[FIRST_ACCESS, step], s.steps[FIRST_ACCESS, step + 1]):
        o = s.accesses[OBJECT, a]
        if w.obj[FORGOTTEN, o] == 2:
            w.obj[FORGOTTEN, o] = 0
            record(w, REMADE, o, NONE, NEAR, w.obj[SIZE, o], NEEDED)


def pass_time(w: World, until: int) -> None:
    """Let links and prefetcher go on until a time."""
    then = next_event(w)
    while then <= until:
        w.run[NOW] = then
        settle(w)
        plan_ahead(w)
        then = next_event(w)
    w.run[NOW] = until


def release(w: World, o: int) -> None:
    """End the step's hold of an object."""
    if w.obj[HELD, o] == 1:
        w.obj[HELD, o] = 0
        offer(w, o)
        let_go(w, o)
