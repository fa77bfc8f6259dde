"""A training program's forward and backward into what to spill and what to compute again."""

from collections.abc import Iterator, Mapping
from math import sqrt

import attrs

from mirc.bounds.remat import Kind, Moves, Op, Problem, Value, keep_all, room_taken, stays
from mirc.bounds.remat_bound import crossing_bound
from mirc.graph import Graph, Node, Program, Role
from mirc.machine import Machine
from mirc.machine.transfers import PS_PER_S, transfer_ps
from mirc.passes.remat_edits import BOTH, Means
from mirc.passes.remat_planner import Plan, first_plan
from mirc.passes.steps import PASSING, PERSISTENT
from mirc.passes.tiers import below_near, round_trip
from mirc.passes.yardstick import Yardstick

FORWARD, BACKWARD = "forward", "backward"
SHARES = (0.01, 1.0)
"""Shares of a transfer's time that are tried as its price: beside compute the rest is hidden."""
TRIES = 6
"""Prices tried where neither hides the other whole."""


@attrs.frozen(kw_only=True)
class JointPlan:
    """Storages to spill and to compute again, and the seconds of one iteration that way.

    ``seconds`` is the longest of compute (recomputation included), of the copies out and of the
    copies in, each way a resource of its own: what overlap can hide is hidden. ``copy_seconds`` are
    those of the way that takes longer, ``least_seconds`` those of its compute alone, each operation
    once. ``peak_bytes`` is of what the iteration makes, in ``room_bytes``; ``fits`` says whether it
    does.

    Places count the nodes of forward, then those of backward; what happens between two of them is
    the later one's, a copy out the one's before. ``taken_bytes`` are near at each place. ``near``
    has the stretches of places (inclusive) at which what leaves or is made again is there.
    """

    spilled: frozenset[int]
    recomputed: frozenset[int]
    seconds: float
    copy_seconds: float
    least_seconds: float
    peak_bytes: int
    room_bytes: int
    fits: bool
    taken_bytes: tuple[int, ...] = attrs.field(repr=False)
    near: Mapping[int, tuple[tuple[int, int], ...]] = attrs.field(repr=False)

    @property
    def hidden(self) -> bool:
        """Whether it fits and takes no longer than compute alone: none is better."""
        return self.fits and self.seconds <= self.least_seconds * (1 + 1e-9)


def trains(program: Program) -> bool:
    """Say whether there are a forward and a backward to plan between."""
    return {FORWARD, BACKWARD} <= {graph.phase for graph in program.graphs}


def joint_plan(
    program: Program,
    machine: Machine,
    dtype: str,
    *,
    means: frozenset[Means] = BOTH,
    room_bytes: int | None = None,
) -> JointPlan:
    """Return what to keep, spill and recompute between forward and backward on a machine.

    ``room_bytes`` is what the iteration's own bytes may take: by default the usable near memory
    less what persists. A transfer's price is a share of its time, since beside compute the rest is
    hidden: the share is bisected to where compute, with what runs again, and copies take equally
    long. Each means is tried alone too, and the plan of the shortest iteration is taken: never
    longer than with one means. A plan that takes no longer than compute alone ends the search.
    Raises ValueError where the program has no ``forward`` and ``backward``. Cost: TRIES + 2 first
    plans, seconds for 4,000 operations.
    """
    room = _room(program, machine) if room_bytes is None else room_bytes
    made = _Made(program, machine, dtype)
    found: list[JointPlan] = []
    low, high = SHARES
    for _ in range(TRIES if len(means) > 1 else 0):
        share = sqrt(low * high)
        found.append(made.planned(room, share, means))
        if found[-1].hidden:
            return found[-1]
        if found[-1].fits and found[-1].copy_seconds == found[-1].seconds:
            low = share  # copies take longest: spill less
        else:
            high = share
    # One means alone chooses alike at any price.
    found += [made.planned(room, 1.0, frozenset({each})) for each in sorted(means)]
    return min(found, key=lambda each: (0 if each.fits else each.peak_bytes, each.seconds))


def kept_bytes(program: Program, machine: Machine, dtype: str) -> list[int]:
    """Return the bytes near at each place where everything is kept."""
    problem = _Made(program, machine, dtype).problem(0, 1.0)
    return room_taken(problem, keep_all(problem))


def iteration_bound(program: Program, machine: Machine, dtype: str, room_bytes: int) -> float:
    """Return the seconds below which no iteration is in this room, by the planner's own prices.

    The longest of compute, copies out and copies in is at least any weighted mean of the three.
    With weights in the ratio 1 : s : s that is what ``crossing_bound`` bounds, transfers priced at
    the share s of their time, at the moment that keeping everything fills most.
    """
    made = _Made(program, machine, dtype)
    taken = kept_bytes(program, machine, dtype)
    fullest = max(range(len(taken)), key=taken.__getitem__)
    best = 0.0
    low, high = SHARES
    for step in range(TRIES):
        share = high * (low / high) ** (step / TRIES)
        problem = made.problem(room_bytes, share)
        seconds = problem.base_cost + crossing_bound(problem, fullest)
        best = max(best, problem.base_cost, seconds / (1 + 2 * share))
    return best


def _room(program: Program, machine: Machine) -> int:
    held = sum(each.size_bytes for each in program.storages if each.role in PERSISTENT)
    return machine.near.usable_bytes - held


class _Made:
    """What forward and backward make: a value each, in the order of their making."""

    def __init__(self, program: Program, machine: Machine, dtype: str) -> None:
        if not trains(program):
            raise ValueError("there is no `forward` and `backward` to plan between")
        by_phase = {graph.phase: graph for graph in program.graphs}
        self.program = program
        self.nodes = [*by_phase[FORWARD].nodes, *by_phase[BACKWARD].nodes]
        self.storages = list(dict.fromkeys(self._written(self.nodes)))
        self.value_of = {storage: value for value, storage in enumerate(self.storages)}
        self.flop, self.byte = Yardstick(machine).roofs(dtype)
        lower = below_near(machine)
        links = round_trip(machine, lower[0]) if lower else ()
        out = [link for link in links if link.source == machine.near.name]
        back = [link for link in links if link not in out]
        sizes = [program.storages[storage].size_bytes for storage in self.storages]
        never = float("inf")
        self.out = [sum(transfer_ps(k, s) for k in out) / PS_PER_S if out else never for s in sizes]
        self.back = [sum(transfer_ps(k, s) for k in back) / PS_PER_S for s in sizes]
        self.kept = self._kept(by_phase[FORWARD], by_phase[BACKWARD])

    def _written(self, nodes: list[Node]) -> Iterator[int]:
        for node in nodes:
            for use in node.writes:
                if self.program.storages[use.storage].role in PASSING:
                    yield use.storage

    def _kept(self, forward: Graph, backward: Graph) -> frozenset[int]:
        handed = {*forward.outputs, *backward.outputs}
        handed.update(i for i in self.storages if self.program.storages[i].role is Role.GRADIENT)
        return frozenset(self.value_of[i] for i in handed if i in self.value_of)

    def problem(self, room: int, share: float) -> Problem:
        """State the problem with transfers at ``share`` of their time."""
        ops = []
        begun: set[int] = set()
        writers: dict[int, int] = {}
        for node in self.nodes:
            for use in node.writes:
                writers[use.storage] = writers.get(use.storage, 0) + 1
        for node in self.nodes:
            writes = {use.storage for use in node.writes if use.storage in self.value_of}
            reads = {use.storage for use in node.reads if use.storage in begun}
            fresh = writes - begun
            ops.append(
                Op(
                    cost=self._seconds(node),
                    reads=tuple(sorted(self.value_of[i] for i in reads | (writes & begun))),
                    writes=tuple(sorted(self.value_of[i] for i in fresh)),
                    repeatable=not self._once(node, writers),
                )
            )
            begun |= fresh
        values = tuple(
            Value(
                size_bytes=self.program.storages[storage].size_bytes,
                out_cost=self.out[value] * share,
                in_cost=self.back[value] * share,
            )
            for value, storage in enumerate(self.storages)
        )
        return Problem(ops=tuple(ops), values=values, budget_bytes=room, kept=self.kept)

    def _seconds(self, node: Node) -> float:
        moved = sum(use.size_bytes for use in (*node.reads, *node.writes))
        return max(node.flops * self.flop, moved * self.byte)

    def _once(self, node: Node, writers: dict[int, int]) -> bool:
        """Say whether a node must not run twice: it draws, communicates, routes or overwrites."""
        if node.random or node.collective or "topk" in node.op:
            return True
        storages = self.program.storages
        if any(writers[u.storage] > 1 or u.storage not in self.value_of for u in node.writes):
            return True  # a result built up in place, or what outlives the iteration
        # what only another phase changes (weights, by the update) is as it was all through this one
        return any(storages[u.storage].mutated and u.storage in writers for u in node.reads)

    def planned(self, room: int, share: float, means: frozenset[Means]) -> JointPlan:
        """Return the first plan with transfers at ``share`` of their time."""
        problem = self.problem(max(0, room), share)
        return self._judged(problem, first_plan(problem, means), room)

    def _judged(self, problem: Problem, found: Plan, room: int) -> JointPlan:
        """Return a plan in storages, its time with transfers beside compute."""
        runs = sum(problem.ops[place].cost for kind, place in found.moves if kind is Kind.RUN)
        out = sum(self.out[place] for kind, place in found.moves if kind is Kind.OUT)
        back = sum(self.back[place] for kind, place in found.moves if kind is Kind.IN)
        at = _places(problem, found.moves)
        taken = [0] * len(problem.ops)
        for place, size in zip(at, room_taken(problem, found.moves), strict=True):
            taken[place] = max(taken[place], size)
        moved = found.spilled | found.recomputed(problem)
        near: dict[int, list[tuple[int, int]]] = {self.storages[value]: [] for value in moved}
        for value, touches in stays(problem, found.moves):
            if value in moved:
                last = at[min(touches[-1], len(at) - 1)]  # what is kept is touched behind the end
                near[self.storages[value]].append((at[touches[0]], last))
        return JointPlan(
            spilled=frozenset(self.storages[value] for value in found.spilled),
            recomputed=frozenset(self.storages[v] for v in found.recomputed(problem)),
            seconds=max(runs, out, back),
            copy_seconds=max(out, back),
            least_seconds=problem.base_cost,
            peak_bytes=found.peak_bytes,
            room_bytes=room,
            fits=found.fits and room >= 0,
            taken_bytes=tuple(taken),
            near={storage: tuple(spans) for storage, spans in sorted(near.items())},
        )


def _places(problem: Problem, moves: Moves) -> list[int]:
    """Return at which operation of the first pass over them each move happens."""
    at: list[int] = []
    next_run = 0
    for kind, index in moves:
        if kind is Kind.OUT:
            at.append(max(0, next_run - 1))
            continue
        at.append(min(next_run, len(problem.ops) - 1))
        if kind is Kind.RUN and index == next_run:
            next_run += 1
    return at
