"""A workload and a machine into the bounds that stand beside every result."""

import attrs
import numpy as np

from mirc.bounds.streaming import (
    Touches,
    crossings,
    pieces,
    step_bound_ps,
    streamed_bytes,
    transfer_floor_ps,
)
from mirc.machine import Machine, TierKind
from mirc.simulate.births import births
from mirc.simulate.model import CREATE, Flags, Ints, Workload

_MOST_PHASES = 8
"""Cuts at the ends of one phase's runs are tried for that many phases, the rarest."""


@attrs.frozen(kw_only=True)
class Limits:
    """What no policy can beat, and the closed form of streaming.

    ``near_bytes`` must come into near memory over the whole run, first fill counted, and the run
    takes at least ``total_ps``. The steady iterations are those that the report's percentiles are
    of; their mean time cannot be below ``iteration_ps`` (``compute_ps``, their mean computing, or
    ``iteration_bytes``, what must come in on average, over the links), nor, were near memory
    infinite, below ``compute_ps``. ``once_bytes`` come in even then.

    ``weights_bytes`` is W, what an iteration reads of streamed weights; ``passes`` is S, how often
    W is read. C of a run is near memory less the most that the run holds besides them;
    ``room_bytes`` is the mean C of all runs but the first. ``closed_form_bytes`` is
    W + (S - 1)(W - C), each run with its own C and none below zero: a target for steady streaming,
    where ``near_bytes`` is proven. None unless every run streams the same weights.
    """

    near_bytes: int
    total_ps: int
    iteration_bytes: int
    iteration_ps: int
    compute_ps: int
    once_bytes: int
    weights_bytes: int
    room_bytes: int
    passes: int
    closed_form_bytes: int | None
    bytes_per_s: float


def limits(
    workload: Workload,
    usable_bytes: int,
    bytes_per_s: float,
    remade: Flags | None = None,
) -> Limits:
    """Compute the bounds for near memory of ``usable_bytes`` that ``bytes_per_s`` come into.

    What is ``remade``, a policy may compute again instead of moving it: such an object counts as
    if each use made it, so that none of its bytes need come in.

    Several sets of cuts are tried and the best kept: in every iteration the step that holds the
    most besides streamed weights; the end of every run; of every second, fourth ... run and of
    every run of one phase (where runs alternate, each alone may fit, only several together do not).
    """
    runs = _Runs.of(workload)
    steps = access_steps(workload)
    born = births(workload, steps)
    held = _held(workload, steps, born)
    widest = _widest(workload, runs, held)
    touches = _touches(workload, steps, born, remade)
    crossing = crossings(touches, np.union1d(runs.ends, widest))
    each = crossing.inward_bytes(usable_bytes, runs.ends)
    cuts = (widest, *_coarser(workload, runs))
    tried = (each, *(crossing.inward_bytes(usable_bytes, some) for some in cuts))
    near_bytes = max(int(windows.sum()) for windows in tried)
    rounds = _rounds(workload, runs)
    iterations = rounds[:, 0]
    first = 1 if iterations[0] == 0 and len(iterations) > 1 else 0
    steady = iterations[first:]
    steady_bytes = int(each[rounds[first:]].sum(axis=1).mean())
    # Nothing but iterations from the first steady one on: windows of several lie among them.
    if steady[0] and len(steady) == len(runs.ends) - steady[0]:
        for stride in _strides(len(steady)):
            some = runs.ends[steady[0] - 1 :: stride]
            among = int(crossing.inward_bytes(usable_bytes, some)[1:].sum())
            steady_bytes = max(steady_bytes, among // len(steady))
    streams, cyclic = _streams(workload, runs, touches)
    weights = int(np.median(streams[rounds]))
    rooms = np.maximum(0, usable_bytes - np.maximum.reduceat(held, runs.starts))
    compute = np.add.reduceat(workload.compute_ps, runs.starts)
    steady_ps = int(compute[rounds[first:]].sum(axis=1).mean())
    return Limits(
        near_bytes=near_bytes,
        total_ps=max(int(compute.sum()), transfer_floor_ps(near_bytes, bytes_per_s)),
        iteration_bytes=steady_bytes,
        iteration_ps=step_bound_ps(steady_ps, steady_bytes, bytes_per_s),
        compute_ps=steady_ps,
        once_bytes=int(crossing.inward_bytes(usable_bytes, runs.ends[:0]).sum()),
        weights_bytes=weights,
        room_bytes=int((rooms[1:] if len(rooms) > 1 else rooms).mean()),
        passes=round(float(streams.sum()) / weights) if weights else len(runs.ends),
        closed_form_bytes=streamed_bytes(weights, rooms) if cyclic else None,
        bytes_per_s=bytes_per_s,
    )


@attrs.frozen(eq=False)
class _Runs:
    """First and last steps of every run of a phase."""

    starts: Ints
    ends: Ints

    @classmethod
    def of(cls, workload: Workload) -> "_Runs":
        phase, turn = workload.step_phase, workload.step_run
        changed = (phase[1:] != phase[:-1]) | (turn[1:] != turn[:-1])
        starts = np.flatnonzero(np.concatenate(([True], changed))).astype(np.int64)
        return cls(starts, np.append(starts[1:], workload.step_count) - 1)

    @property
    def spans(self) -> list[slice]:
        return [slice(a, b + 1) for a, b in zip(self.starts, self.ends, strict=True)]


def _rounds(workload: Workload, runs: _Runs) -> Ints:
    """Return the runs of each iteration, a row for each: one run, in training those of a round."""
    starts = workload.iteration_ptr[:-1]
    size = workload.iteration_ptr[-1] - starts[-1]
    inside = np.searchsorted(runs.starts, starts[-1] + size) - np.searchsorted(
        runs.starts, starts[-1]
    )
    rounds: Ints = np.searchsorted(runs.starts, starts)[:, None] + np.arange(inside)[None, :]
    return rounds


def _widest(workload: Workload, runs: _Runs, held: Ints) -> Ints:
    """Return the step of every iteration that holds the most, and the ends of the other runs."""
    inside = (runs.starts >= workload.iteration_ptr[0]) & (runs.starts < workload.iteration_ptr[-1])
    widest = runs.starts + [int(held[span].argmax()) for span in runs.spans]
    return np.where(inside, widest, runs.ends)


def _coarser(workload: Workload, runs: _Runs) -> list[Ints]:
    """Return fewer cuts than runs: every second, fourth ... run's end, and those of one phase."""
    phases, counts = np.unique(workload.step_phase[runs.ends], return_counts=True)
    rarest = phases[np.argsort(counts, kind="stable")][:_MOST_PHASES]
    return [
        *(runs.ends[stride - 1 :: stride] for stride in _strides(len(runs.ends))),
        *(runs.ends[workload.step_phase[runs.ends] == phase] for phase in rarest),
    ]


def _strides(runs: int) -> list[int]:
    return [1 << power for power in range(1, 10) if 1 << power < runs]


def inflow_bytes_per_s(machine: Machine) -> float:
    """Return the most that all links together can bring into near memory.

    Links of one root take turns: the fastest of them counts. What is nearer than near memory holds
    no masters.
    """
    order = tuple(TierKind)
    peaks: dict[str, float] = {}
    for link in machine.links:
        source = machine.memory(link.source).kind
        below = order.index(source) > order.index(machine.near.kind)
        if link.target == machine.near.name and below:
            root = link.root or link.name
            peaks[root] = max(peaks.get(root, 0.0), link.peak_bytes_per_s)
    return sum(peaks.values())


def held_bytes(workload: Workload) -> Ints:
    """Return, per step, what near memory holds besides streamed weights if nothing is spilled.

    That is what the run has made and not yet retired, and the step's transient bytes.
    """
    steps = access_steps(workload)
    return _held(workload, steps, births(workload, steps))


def _held(workload: Workload, steps: Ints, born: Flags) -> Ints:
    change = np.zeros(workload.step_count + 1, dtype=np.int64)
    np.add.at(change, steps[born], workload.size_bytes[workload.access_object[born]])
    retired = np.repeat(np.arange(workload.step_count), np.diff(workload.retire_ptr))
    gone = workload.made[workload.retire_object]
    np.subtract.at(change, retired[gone] + 1, workload.size_bytes[workload.retire_object[gone]])
    return np.cumsum(change)[:-1] + workload.transient_bytes


def access_steps(workload: Workload) -> Ints:
    """Return the step of every access."""
    return np.repeat(np.arange(workload.step_count), np.diff(workload.access_ptr))


def _touches(workload: Workload, steps: Ints, born: Flags, remade: Flags | None) -> Touches:
    made = (workload.access_kind == CREATE) | born
    return Touches(
        step=steps,
        object=workload.access_object.astype(np.int64),
        created=made if remade is None else made | remade[workload.access_object],
        size_bytes=workload.size_bytes,
        transient_bytes=workload.transient_bytes,
    )


def _streams(workload: Workload, runs: _Runs, touches: Touches) -> tuple[Ints, bool]:
    """Return the streamed bytes of every run, and whether all runs stream the same objects.

    Gathered rows are no part of it: every run fetches them anew.
    """
    stays = workload.streamed.copy()
    stays[workload.retire_object] = False
    streamed = np.flatnonzero(stays[touches.object])
    thing = touches.object[streamed]
    run = pieces(touches, runs.ends)[touches.step[streamed]]
    pairs = np.sort(thing * len(runs.ends) + run)  # np.unique hashes, ten times slower
    pairs = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))]
    streams = np.zeros(len(runs.ends), dtype=np.int64)
    np.add.at(streams, pairs % len(runs.ends), workload.size_bytes[pairs // len(runs.ends)])
    used = np.zeros(workload.object_count, dtype=np.bool_)
    used[thing] = True
    return streams, bool((streams == int(workload.size_bytes[used].sum())).all())
