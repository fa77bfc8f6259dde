"""Where the run is, and how much room it takes: phase and progress events and telemetry."""

from typing import Any

from mirc.controller.messages import Seen
from mirc.controller.regret import predict
from mirc.controller.score import next_use
from mirc.kernels.offers import rerank
from mirc.kernels.world import (
    AHEAD_BYTES,
    AT,
    CAPACITY,
    CLOCK_PS,
    CURSOR,
    GUESS_AT,
    GUESS_LEFT,
    HIGH,
    HIGH_LAP,
    HORIZON_PS,
    LAP,
    NEAR,
    NEVER,
    NONE,
    PERIOD_PS,
    PHASE,
    PHASE_GUESS,
    PHASE_HORIZON,
    PHASE_RING,
    PINNED_FROM,
    POLICY,
    POSITION,
    RELEARNT,
    RING_BYTES,
    SEEN_FIRST,
    SEEN_LAST,
    SEEN_PS,
    STATIC,
    STEP_HIGH,
    STREAM_BYTES,
    USED,
    USES,
    WORKED_PS,
    World,
    free_bytes,
)


def survey(w: World) -> Any:
    """Return what score and veto are told of the present moment."""
    streamed = w.run[STREAM_BYTES]
    return Seen(
        w.run[CLOCK_PS],
        free_bytes(w),
        streamed,
        max(w.run[HIGH], w.mem[USED, NEAR] - streamed),
        w.run[AHEAD_BYTES],
    )


def enter(w: World, phase: int) -> None:
    """Begin a run of a phase: the next lap of the same one, or the first of another."""
    uses = w.phase[USES, phase]
    if phase == w.run[PHASE] and w.run[RELEARNT] == 0:
        w.run[LAP] += 1
    else:
        w.run[PHASE] = phase
        w.run[LAP] = 0
        w.run[CURSOR] = 0
        w.run[RELEARNT] = 0
        w.run[RING_BYTES] = w.phase[PHASE_RING, phase]
        w.run[HORIZON_PS] = w.phase[PHASE_HORIZON, phase]
        rerank(w)
    w.run[CLOCK_PS] = w.run[LAP] * w.phase[PERIOD_PS, phase]
    w.run[AT] = w.run[LAP] * uses
    w.run[CURSOR] = max(w.run[CURSOR], w.run[AT])
    if w.run[POLICY] != STATIC:  # a static placement keeps the room of the worst that it has seen
        w.run[HIGH] = w.run[HIGH_LAP]
    w.run[HIGH_LAP] = 0
    predict(w)
    w.run[GUESS_AT] = w.obj.shape[1] - 1
    w.run[GUESS_LEFT] = w.phase[PHASE_GUESS, phase]
    watch_room(w)
    place_statically(w)


def touched(w: World, o: int) -> None:
    """Learn from a touch how far the phase has come: no earlier than the object's first use."""
    phase = w.run[PHASE]
    planned = w.first[phase, o]
    if planned == NONE:
        return
    now = w.run[LAP] * w.phase[PERIOD_PS, phase] + planned
    w.run[CLOCK_PS] = max(w.run[CLOCK_PS], now)


def witness(w: World, o: int) -> None:
    """Note where in its phase's run a step that begins uses an object."""
    if w.obj[SEEN_FIRST, o] == NONE:
        w.obj[SEEN_FIRST, o] = w.run[POSITION]
        w.obj[SEEN_PS, o] = w.run[WORKED_PS]
    w.obj[SEEN_LAST, o] = w.run[POSITION]


def catch_up(w: World) -> None:
    """Put the uses that are planned for now or earlier behind: O(1) for each, once a lap."""
    phase = w.run[PHASE]
    uses = w.phase[USES, phase]
    end = (w.run[LAP] + 1) * uses
    clock = w.run[CLOCK_PS] - w.run[LAP] * w.phase[PERIOD_PS, phase]
    while w.run[AT] < end and w.due[phase, w.run[AT] % uses] <= clock:
        w.run[AT] += 1
    w.run[CURSOR] = max(w.run[CURSOR], w.run[AT])


def watch_room(w: World) -> None:
    """Note the room that made objects and the step's own space take at their highest."""
    made = w.mem[USED, NEAR] - w.run[STREAM_BYTES]
    w.run[HIGH_LAP] = max(w.run[HIGH_LAP], made)
    if made > w.run[HIGH]:
        w.run[HIGH] = made
        place_statically(w)


def watch_step(w: World, streamed_bytes: int) -> None:
    """Note the most streamed bytes that one step holds."""
    if streamed_bytes > w.run[STEP_HIGH]:
        w.run[STEP_HIGH] = streamed_bytes
        place_statically(w)


def place_statically(w: World) -> None:
    """Let a static placement pin what fits beside all else that it has seen: O(log n)."""
    if w.run[POLICY] != STATIC:
        return
    phase = w.run[PHASE]
    room = w.mem[CAPACITY, NEAR] - w.run[HIGH] - w.run[STEP_HIGH] - w.run[RING_BYTES]
    low, high = w.run[PINNED_FROM], w.above.shape[1] - 1
    if w.above[phase, 0] <= w.mem[CAPACITY, NEAR] - w.run[HIGH]:
        return  # all of it fits: nothing streams, no ring is needed
    while low < high:
        middle = (low + high) // 2
        if w.above[phase, middle] <= room:
            high = middle
        else:
            low = middle + 1
    w.run[PINNED_FROM] = low


def lost(w: World, o: int) -> None:
    """Let the prefetcher look again at an object that has left and is used before its cursor."""
    use = next_use(w, o)
    if use != NEVER and use < w.run[CURSOR]:
        w.run[CURSOR] = use
