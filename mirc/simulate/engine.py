"""A workload under one policy into an outcome."""

from typing import Any

import numpy as np

from mirc.controller.descriptors import Descriptors
from mirc.diagnostics import CouldNotRun
from mirc.kernels import world as k
from mirc.kernels.build import compiled
from mirc.kernels.events import EVENT, HOME_EVENT, PLACED
from mirc.machine import Machine
from mirc.simulate.loop import play
from mirc.simulate.model import LinkUse, Outcome, Prefetches, Workload
from mirc.simulate.policies import POLICIES, Policy, Settings
from mirc.simulate.setup import Stage, stage

PYTHON_ACCESSES = 50_000
"""Accesses up to which plain Python is taken: some two seconds of it, as long as loading numba and
the compiled kernel takes when it is on disk (compiling it anew takes about 20)."""


def simulate(
    workload: Workload,
    descriptors: Descriptors,
    machine: Machine,
    policy: str,
    *,
    record_events: bool = False,
    settings: Settings | None = None,
    path: str | None = None,
) -> Outcome:
    """Run one policy by name; ``path`` forces ``compiled`` or ``python``, else size decides.

    Only an oracle's kernel is given when objects are used next. Raises CouldNotRun if the run
    cannot begin or go on: no such policy, a step larger than near memory, no room below.
    """
    chosen = POLICIES.get(policy)
    if chosen is None:
        raise CouldNotRun(f"there is no policy `{policy}`", f"choose from {', '.join(POLICIES)}")
    if path is None:
        path = "python" if len(workload.access_object) <= PYTHON_ACCESSES else "compiled"
    room = 16 * (len(workload.access_object) + workload.object_count) + 1024
    while True:
        scene = stage(
            workload,
            descriptors,
            machine,
            chosen,
            settings=settings or Settings(),
            most_events=room if record_events else 0,
        )
        engine = compiled(play, scene.world, scene.script) if path == "compiled" else play
        played = engine(scene.world, scene.script)
        if scene.world.run[k.FAULT] != k.LOG_FULL:
            break
        room *= 2
    if scene.world.run[k.FAULT] == k.STUCK:
        raise _stuck(workload, machine, scene, int(played))
    return _outcome(workload, scene, chosen, path, record_events=record_events)


def _stuck(workload: Workload, machine: Machine, scene: Stage, step: int) -> CouldNotRun:
    o = int(scene.world.run[k.FAULT_OBJECT])
    what = f"`{workload.names[o]}`" if o >= 0 else "its working space"
    free = int(k.free_bytes(scene.world))
    return CouldNotRun(
        f"step {step} waits for room for {what} in `{machine.near.name}` of {machine.name}: "
        f"{free:_} bytes are free, and nothing else may leave",
        "let more objects spill, give a memory below more room, or choose a larger machine",
    )


def _outcome(
    workload: Workload, scene: Stage, policy: Policy, path: str, *, record_events: bool
) -> Outcome:
    w, results, ways = scene.world, scene.script.results, scene.topology
    memories = enumerate(ways.names)
    ahead = int(w.obj[k.AHEAD].sum())
    return Outcome(
        policy=policy.name,
        oracle=policy.oracle,
        path=path,
        step_ps=results[0],
        compute_ps=workload.compute_ps,
        stall_demand_ps=results[1],
        stall_late_ps=results[2],
        stall_queue_ps=results[3],
        links=tuple(_use(scene, number) for number in range(len(ways.link_names))),
        hits={name: int(scene.script.hits[0, m]) for m, name in memories},
        hit_bytes={name: int(scene.script.hits[1, m]) for m, name in enumerate(ways.names)},
        prefetches=Prefetches(
            issued=int(w.run[k.ISSUED]),
            on_time=int(w.run[k.ON_TIME]),
            late=int(w.run[k.LATE]),
            unused=int(w.run[k.UNUSED]) + ahead,
        ),
        peak_bytes={name: int(w.mem[k.PEAK, m]) for m, name in enumerate(ways.names)},
        end_ps=int(w.run[k.NOW]),
        events=_events(workload, scene) if record_events else None,
    )


def _use(scene: Stage, number: int) -> LinkUse:
    w, ways = scene.world, scene.topology
    demand, prefetch, writeback, busy = (int(value) for value in w.ledger[:, number])
    return LinkUse(
        name=ways.link_names[number],
        source=ways.names[int(w.link[k.SOURCE, number])],
        target=ways.names[int(w.link[k.TARGET, number])],
        demand_bytes=demand,
        prefetch_bytes=prefetch,
        writeback_bytes=writeback,
        busy_ps=busy,
    )


def _events(workload: Workload, scene: Stage) -> np.ndarray[Any, np.dtype[Any]]:
    """Return the log as records, after one for each master that lay below from the start."""
    w = scene.world
    masters = np.flatnonzero(~workload.made)
    log = np.empty(len(masters) + int(w.run[k.LOGGED]), dtype=EVENT)
    placed = log[: len(masters)]
    placed["time_ps"] = 0
    placed["kind"] = HOME_EVENT
    placed["object"] = masters
    placed["source"] = k.NONE
    placed["target"] = w.obj[k.HOME, masters]
    placed["bytes"] = workload.size_bytes[masters]
    placed["step"] = 0
    placed["reason"] = PLACED
    for column, name in enumerate(EVENT.names or ()):
        log[name][len(masters) :] = w.log[: int(w.run[k.LOGGED]), column]
    return log
