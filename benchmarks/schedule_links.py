"""Random arrivals at a link of the schedule's engine into how long each waited, and took."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from mirc.controller.ingest import ingest
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.kernels.events import ISSUE, LAND, PRESSURE, START
from mirc.kernels.links import dispatch
from mirc.kernels.moves import evict, fetch
from mirc.kernels.world import ABSENT, LOGGED, RESIDENT, STATE
from mirc.machine import Machine
from mirc.packed.pack import seal
from mirc.simulate.loop import pass_time
from mirc.simulate.policies import Settings, policy_of
from mirc.simulate.schedule import schedule_of
from mirc.simulate.setup import stage
from mirc.simulate.workload import build

OBJECTS = 400  # more than ever wait at once
SIZE_BYTES = 1_000_000


def waits(
    machine: Machine, at_ps: NDArray[np.int64], classes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how long each transfer of 1 MB waited for the link, and when it had landed, in ps.

    Each is asked for at its time, as a demand (0) or a prefetch (1), of an object that is not near;
    objects that have landed leave again for nothing.
    """
    objects = "".join(
        f"object w{n} {{ class = WEIGHT_TILE size_bytes = {SIZE_BYTES} }}\n" for n in range(OBJECTS)
    )
    steps = "".join(f"  step s{n} {{ reads = [w{n}] }}\n" for n in range(OBJECTS))
    module = load(Source("links.mir", f"mir 1.0\n{objects}phase decode {{\n{steps}}}\n"))
    scenario = build(module, schedule_of(module, 1), machine)
    workload = scenario.workload
    known = ingest(seal(module), machine, None, workload.names, scenario.runs)
    scene = stage(
        workload,
        known,
        machine,
        policy_of("lru"),
        settings=Settings(),
        most_events=6 * len(at_ps) + OBJECTS,
    )
    w = scene.world
    waiting = deque(range(OBJECTS))
    asked = np.zeros(len(at_ps), dtype=np.int64)
    for number, (time, priority) in enumerate(zip(at_ps.tolist(), classes.tolist(), strict=True)):
        pass_time(w, time)
        o = waiting.popleft()
        if w.obj[STATE, o] == RESIDENT:
            evict(w, o, PRESSURE)
        if w.obj[STATE, o] != ABSENT:
            raise RuntimeError("more transfers wait than there are objects")
        fetch(w, o, priority)
        dispatch(w)
        asked[number] = o
        waiting.append(o)
    pass_time(w, int(at_ps[-1]) + 10**15)
    return _read(w.log[: w.run[LOGGED]], asked, at_ps)


def _read(
    log: NDArray[np.int64], asked: NDArray[np.int64], at_ps: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Match the events of each object: it is asked for, it starts, it lands, and again."""

    def times(kind: int) -> NDArray[np.int64]:
        rows = log[log[:, 1] == kind]
        return rows[np.argsort(rows[:, 2], kind="stable"), 0]

    order = np.argsort(asked, kind="stable")
    if not np.array_equal(times(ISSUE), at_ps[order]):
        raise RuntimeError("a transfer was not asked for at its time")
    back = np.argsort(order, kind="stable")
    return (times(START) - times(ISSUE))[back], times(LAND)[back]
