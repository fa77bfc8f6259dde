"""The arrays that stand between a workload, the engine that runs it and the reports on it."""

from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.controller.learning import Correction
from mirc.controller.stage import Happening

Ints: TypeAlias = NDArray[np.int64]
Ints32: TypeAlias = NDArray[np.int32]
Bytes: TypeAlias = NDArray[np.int8]
Flags: TypeAlias = NDArray[np.bool_]

READ, WRITE, CREATE = 0, 1, 2  # access_kind


@attrs.frozen(kw_only=True)
class Spills:
    """What a run makes: the most bytes of it that exist at once, and the largest object."""

    held_bytes: int
    largest_bytes: int


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
    roofs_ps: Ints | None = None  # [2, S]: near memory's part of ``compute_ps``, and all others
    admitted: Spills | None = None  # as admission counted it; None: all that is made, at once

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


@attrs.frozen(kw_only=True)
class Troubles:
    """What a run did too often, too late or for nothing; docs/simulation.md defines each."""

    avoidable_bytes: int = 0  # the sum of the next two
    idle_prefetch_bytes: int = 0  # came ahead of a use, and gone again without one
    idle_write_bytes: int = 0  # written back, and never read from there
    refetches: int = 0
    refetch_bytes: int = 0
    spill_storms: int = 0
    eviction_regret: int = 0
    stall_cascades: int = 0
    longest_cascade: int = 0  # steps in a row that waited
    deferred_spills: int = 0
    deferred_spill_ps: int = 0
    early_copies: int = 0
    forgotten: int = 0  # dropped to be made again
    forgotten_bytes: int = 0
    remade: int = 0
    remade_bytes: int = 0
    remade_ps: int = 0  # computing that made them
    rerouted: int = 0
    cancelled: int = 0  # prefetches whose reason had gone
    guesses: int = 0  # prefetches of what is less likely than not to be used
    guess_bytes: int = 0
    guesses_used: int = 0
    together: int = 0  # prefetches for a coalition's sake
    decisions: int = 0
    candidates: int = 0  # that decisions looked at
    most_candidates: int = 0  # that one looked at


@attrs.frozen(kw_only=True, eq=False)
class Carriage:
    """What a log of events does not say of transfers, as it was at the end of the run."""

    service_ps: Ints  # [l, n], how long each object occupies a link
    unpack_ps: Ints  # [n], what widening it takes once it has arrived near


@attrs.frozen(kw_only=True, eq=False)
class Outcome:
    """What one policy made of one workload on one machine; times in picoseconds."""

    policy: str
    oracle: bool  # it was given the future
    path: str  # which code ran, "compiled" or "python", and its stages: "python + signals, claims"
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
    stall_remake_ps: Ints = attrs.field()  # [S], waiting for what was being made again
    troubles: Troubles = attrs.field(factory=Troubles)
    events: NDArray[Any] | None = None  # dtype ``mirc.kernels.events.EVENT``, when recorded
    carriage: Carriage | None = None  # beside the events
    happenings: tuple[Happening, ...] = ()  # what the stages did, in order
    corrections: tuple[Correction, ...] = ()  # of hints that the run contradicted, in order

    @stall_remake_ps.default
    def _nothing_remade(self) -> Ints:
        return np.zeros_like(self.step_ps)
