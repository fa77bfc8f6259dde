"""A training program's forward and backward into what to spill and what to compute again."""

from collections.abc import Iterator

import attrs

from mirc.bounds.remat import Kind, Op, Problem, Value
from mirc.graph import Graph, Node, Program, Role
from mirc.machine import Machine
from mirc.machine.transfers import PS_PER_S, transfer_ps
from mirc.passes.remat_edits import BOTH, Means
from mirc.passes.remat_planner import Plan, first_plan
from mirc.passes.steps import PASSING, PERSISTENT
from mirc.passes.tiers import below_near, round_trip
from mirc.passes.yardstick import Yardstick

FORWARD, BACKWARD = "forward", "backward"
EXPOSED = (1.0, 0.25, 0.05)
"""Shares of a transfer's time that are tried as its price: beside compute the rest is hidden."""


@attrs.frozen(kw_only=True)
class JointPlan:
    """Storages to spill and to compute again, and the seconds of one iteration that way.

    ``seconds`` is the longest of compute (recomputation included), of the copies out and of the
    copies in, each way a resource of its own: what overlap can hide is hidden.
    ``peak_bytes`` is of what the iteration makes, in ``room_bytes``; ``fits`` says whether it does.
    """

    spilled: frozenset[int]
    recomputed: frozenset[int]
    seconds: float
    peak_bytes: int
    room_bytes: int
    fits: bool


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
    less what persists. Transfers are priced at several shares of their time, from all (nothing
    hidden) down, each means is tried alone too, and the plan of the shortest iteration is taken:
    never longer than with one means. Raises ValueError where the
    program has no ``forward`` and ``backward``.
    """
    room = _room(program, machine) if room_bytes is None else room_bytes
    made = _Made(program, machine, dtype)
    whole = made.problem(max(0, room), 1.0)
    # What one means alone chooses does not change with the price of all transfers.
    found = [
        made.judged(whole, first_plan(whole, frozenset({each})), room) for each in sorted(means)
    ]
    for share in EXPOSED if len(means) > 1 else ():
        problem = made.problem(max(0, room), share)
        found.append(made.judged(problem, first_plan(problem, means), room))
    return min(found, key=lambda each: (0 if each.fits else each.peak_bytes, each.seconds))


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

    def judged(self, problem: Problem, found: Plan, room: int) -> JointPlan:
        """Return a plan in storages, its time with transfers beside compute."""
        runs = sum(problem.ops[place].cost for kind, place in found.moves if kind is Kind.RUN)
        out = sum(self.out[place] for kind, place in found.moves if kind is Kind.OUT)
        back = sum(self.back[place] for kind, place in found.moves if kind is Kind.IN)
        return JointPlan(
            spilled=frozenset(self.storages[value] for value in found.spilled),
            recomputed=frozenset(self.storages[v] for v in found.recomputed(problem)),
            seconds=max(runs, out, back),
            peak_bytes=found.peak_bytes,
            room_bytes=room,
            fits=found.fits and room >= 0,
        )
