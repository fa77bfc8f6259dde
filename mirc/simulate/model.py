"""The arrays that stand between a workload, the engine that runs it and the reports on it."""

from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Ints32: TypeAlias = NDArray[np.int32]
Bytes: TypeAlias = NDArray[np.int8]
Flags: TypeAlias = NDArray[np.bool_]

READ, WRITE, CREATE = 0, 1, 2  # access_kind


@attrs.frozen(kw_only=True, eq=False)
class Workload:
    """What a run will touch, step after step: only the engine and oracles may see it.

    ``n`` objects, ``S`` steps, ``A`` accesses; ids are dense. ``access_ptr`` and ``retire_ptr``
    are row pointers (CSR): step ``s`` owns ``access_ptr[s]:access_ptr[s + 1]``.
    """

    names: tuple[str, ...]  # [n]
    size_bytes: Ints  # [n]
    klass: Bytes  # [n], index into the order of the class enum
    streamed: Flags  # [n], weights: read only, with a master copy below
    made: Flags  # [n], made by the run: no master until written back
    step_phase: Ints32  # [S]
    step_position: Ints32  # [S], index of the step within its phase
    step_run: Ints32  # [S], how many times that phase was run before
    compute_ps: Ints  # [S], max of FLOPs and near-memory time (roofline)
    access_ptr: Ints  # [S + 1]
    access_object: Ints32  # [A]
    access_bytes: Ints  # [A], bytes touched
    access_kind: Bytes  # [A], READ, WRITE, or CREATE: bytes come into being, nothing is fetched
    retire_ptr: Ints  # [S + 1]
    retire_object: Ints32  # [R], objects that end after the step; nothing is written back
    transient_bytes: Ints  # [S], room the step needs besides objects
    iteration_ptr: Ints  # [I + 1], step indices that bound the repeated (decode) iterations
    phase_names: tuple[str, ...] = ()  # ``step_phase`` indexes it; may be empty in tests

    @property
    def object_count(self) -> int:
        """``n``."""
        return len(self.size_bytes)

    @property
    def step_count(self) -> int:
        """``S``."""
        return len(self.compute_ps)


@attrs.frozen(kw_only=True, eq=False)
class LinkUse:
    """What crossed one directed link, by priority class; ``busy_ps`` is its time in use."""

    name: str
    source: str
    target: str
    demand_bytes: int
    prefetch_bytes: int
    writeback_bytes: int
    busy_ps: int

    @property
    def total_bytes(self) -> int:
        """All bytes, of all classes."""
        return self.demand_bytes + self.prefetch_bytes + self.writeback_bytes


@attrs.frozen(kw_only=True, eq=False)
class Prefetches:
    """What became of the prefetches: each that was issued ends in exactly one count."""

    issued: int
    on_time: int  # resident before its first use
    late: int  # first use came while it was in flight
    unused: int  # evicted, retired, or resident to the end, without a use


@attrs.frozen(kw_only=True, eq=False)
class Outcome:
    """What one policy made of one workload on one machine; times in picoseconds."""

    policy: str
    oracle: bool  # it was given the future
    path: str  # "compiled" or "python": which code ran
    step_ps: Ints  # [S], wall time of each step
    compute_ps: Ints  # [S], of which computing
    stall_demand_ps: Ints  # [S], waiting for an object that nobody had asked for
    stall_late_ps: Ints  # [S], waiting for a prefetch that was already moving
    stall_queue_ps: Ints  # [S], waiting behind other transfers
    links: tuple[LinkUse, ...]
    hits: dict[str, int]  # accesses served per memory the bytes were found in, by memory name
    hit_bytes: dict[str, int]  # the same in bytes touched
    prefetches: Prefetches
    peak_bytes: dict[str, int]  # greatest use of each memory
    end_ps: int
    events: NDArray[Any] | None = None  # dtype ``mirc.kernels.events.EVENT``, when recorded
