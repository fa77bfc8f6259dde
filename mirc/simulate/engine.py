"""A workload under one policy into an outcome."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from mirc.controller.descriptors import Descriptors
from mirc.controller.messages import EXAMPLES
from mirc.controller.stage import Happening, Stage
from mirc.diagnostics import CouldNotRun
from mirc.kernels import world as k
from mirc.kernels.build import compiled
from mirc.kernels.events import EVENT, HOME_EVENT, PLACED
from mirc.kernels.links import hop_link
from mirc.kernels.quotas import excess
from mirc.kernels.ruled import rule_of
from mirc.kernels.world import Table
from mirc.machine import Machine
from mirc.simulate.loop import play
from mirc.simulate.model import Carriage, Ints, LinkUse, Outcome, Prefetches, Workload
from mirc.simulate.own import engine_of
from mirc.simulate.policies import Policy, Settings, policy_of
from mirc.simulate.setup import Scene, stage
from mirc.simulate.stuck import held
from mirc.simulate.troubles import troubles_of

PYTHON_ACCESSES = 50_000
"""Accesses up to which plain Python is taken: some two seconds of it. Code on disk is loaded in a
tenth of one, but compiling it anew takes about 40."""
LOG_ROWS, LOG_ROWS_EACH = 4096, 64


def simulate(
    workload: Workload,
    descriptors: Descriptors,
    machine: Machine,
    policy: str,
    *,
    record_events: bool = False,
    settings: Settings | None = None,
    path: str | None = None,
    stages: Sequence[Stage] = (),
) -> Outcome:
    """Run one policy by name; ``path`` forces ``compiled`` or ``python``, else size decides.

    ``stages`` act on the world between steps, whenever they are due. Only an oracle's kernel is
    given when objects are used next. Raises CouldNotRun if the run cannot begin or go on: no such
    policy, a step larger than near memory, no room below.
    """
    chosen = policy_of(policy)
    if path is None:
        path = "python" if len(workload.access_object) <= PYTHON_ACCESSES else "compiled"
    scene = stage(
        workload,
        descriptors,
        machine,
        chosen,
        settings=settings or Settings(),
        most_events=_log_rows(workload) if record_events else 0,
    )
    if chosen.own:
        engine, path = engine_of(policy, scene), "python"
    else:
        engine = _compiled(scene) if path == "compiled" else play
    played = Played(homes=scene.world.obj[k.HOME].copy())
    play_on(played, engine, scene, stages, workload.step_count)
    fault = scene.world.run[k.FAULT]
    if fault != k.FINE:
        raise _refusal(workload, machine, scene, descriptors, played.steps)
    acted = ", ".join(stage.name for stage in stages)
    return _outcome(workload, scene, chosen, played, f"{path} + {acted}" if acted else path)


def _compiled(scene: Scene) -> Callable[..., Any]:
    return compiled(play, scene.world, scene.script, rule_of(scene.world), *EXAMPLES)


def _log_rows(workload: Workload) -> int:
    """Return the rows of a log: half of them are more than one step can be expected to fill.

    In a step each object may be fetched and displaced, over several hops; a log that is half full
    is emptied before the next.
    """
    most = int(np.diff(workload.access_ptr).max(initial=0))
    return LOG_ROWS_EACH * (most + workload.object_count) + LOG_ROWS


@attrs.define
class Played:
    """What came of the segments of a run: steps played, the log in parts, audit rows.

    ``homes`` are the memories in which masters lay at the beginning.
    """

    homes: Ints
    steps: int = 0
    logs: list[Table] = attrs.field(factory=list)
    happenings: list[Happening] = attrs.field(factory=list)


def play_on(
    played: Played,
    engine: Callable[..., Any],
    scene: Scene,
    stages: Sequence[Stage],
    count: int,
) -> None:
    """Play on to step ``count``, segment after segment; before each, the stages that are due act.

    It ends before that where the run cannot go on: ``World.run[FAULT]`` says why.
    """
    w = scene.world
    while played.steps < count and w.run[k.FAULT] == k.FINE:
        step = played.steps
        w.run[k.STEP] = step
        for stage_ in stages:
            if stage_.due(step) <= step:
                played.happenings += stage_.act(w, step)
        end = min([count, *(stage_.due(step + 1) for stage_ in stages)])
        while played.steps < end and w.run[k.FAULT] == k.FINE:
            played.steps = int(engine(w, scene.script, played.steps, end))
            played.logs.append(w.log[: int(w.run[k.LOGGED])].copy())
            w.run[k.LOGGED] = 0
            if scene.learner is not None and w.run[k.REVIEWED] == played.steps:
                scene.learner.review(w)


def _refusal(
    workload: Workload, machine: Machine, scene: Scene, known: Descriptors, step: int
) -> CouldNotRun:
    """Return why the run does not go on, with the name of what it waits for."""
    w = scene.world
    o = int(w.run[k.FAULT_OBJECT])
    what = f"`{workload.names[o]}`" if o >= 0 else "its working space"
    if w.run[k.FAULT] == k.LOG_FULL:
        return CouldNotRun(
            f"step {step} has more events than the log has room for",
            "simulate without `--events`, or smaller steps",
        )
    if w.run[k.FAULT] == k.BROKEN:
        return CouldNotRun(
            f"{what} did not cross `{_link(scene, o)}` undamaged in {int(w.obj[k.TRIED, o])} "
            f"attempts, in step {step}",
            "nothing of it is lost below; let the fault be shorter",
        )
    if o >= 0 and w.obj[k.CLASS, o] != k.NONE:
        return CouldNotRun(
            f"step {step} waits for {what}, which cannot cross `{_link(scene, o)}`",
            "the link stands still, or the memory that it leads to has no room to pass through",
        )
    if o >= 0 and excess(w, o) > 0:
        tenant, limit = known.quotas[int(w.obj[k.TENANT, o])]
        return CouldNotRun(
            f"step {step} waits for {what}, and tenant `{tenant}` holds "
            f"{int(w.tenant[k.HOLDS, w.obj[k.TENANT, o]]):_} of its quota of {limit:_} bytes, of "
            "which nothing more may leave",
            "raise the tenant's `quota_bytes`, or split the step",
        )
    free, there = int(k.free_bytes(w)), held(w, workload.names)
    return CouldNotRun(
        f"step {step} waits for room for {what} in `{machine.near.name}` of {machine.name}: "
        f"{free:_} bytes are free, and nothing else may leave{f': {there}' if there else ''}",
        "let more objects spill, give a memory below more room, or choose a larger machine",
    )


def _link(scene: Scene, o: int) -> str:
    return scene.topology.link_names[int(hop_link(scene.world, o))]


def _outcome(
    workload: Workload, scene: Scene, policy: Policy, played: Played, path: str
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
        stall_remake_ps=results[4],
        troubles=troubles_of(w.counts, results[0], workload.compute_ps),
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
        events=_events(workload, played) if w.run[k.RECORDING] else None,
        carriage=_carriage(scene) if w.run[k.RECORDING] else None,
        happenings=tuple(played.happenings),
        corrections=() if scene.learner is None else tuple(scene.learner.corrections),
    )


def _carriage(scene: Scene) -> Carriage:
    w = scene.world
    return Carriage(service_ps=w.service.copy(), unpack_ps=w.obj[k.UNPACK_PS].copy())


def _use(scene: Scene, number: int) -> LinkUse:
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


def _events(workload: Workload, played: Played) -> np.ndarray[Any, np.dtype[Any]]:
    """Return the log as records, after one for each master that lay below from the start."""
    masters = np.flatnonzero(~workload.made)
    log = np.empty(len(masters) + sum(map(len, played.logs)), dtype=EVENT)
    placed = log[: len(masters)]
    placed["time_ps"] = 0
    placed["kind"] = HOME_EVENT
    placed["object"] = masters
    placed["source"] = k.NONE
    placed["target"] = played.homes[masters]
    placed["bytes"] = workload.size_bytes[masters]
    placed["step"] = 0
    placed["reason"] = PLACED
    placed["cause"] = k.NONE
    begin = len(masters)
    for part in played.logs:
        for column, name in enumerate(EVENT.names or ()):
            log[name][begin : begin + len(part)] = part[:, column]
        begin += len(part)
    return log
