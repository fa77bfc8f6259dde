"""A training iteration that does not fit near memory into what leaves it, step by step."""

import time
from collections.abc import Iterator, Sequence

import attrs

from mirc.bounds.certificate import Certificate
from mirc.graph import Program
from mirc.machine import Machine
from mirc.passes.phase_annotator import PhaseFact
from mirc.passes.pieces import Piece
from mirc.passes.remat import (
    BACKWARD,
    FORWARD,
    JointPlan,
    iteration_bound,
    joint_plan,
    kept_bytes,
    trains,
)
from mirc.passes.visits import Span

FOR_PIECES = 0.5
"""The part of near memory that weights and optimizer states take at most before the iteration's own
bytes are planned; more of them than that stream."""


@attrs.frozen(kw_only=True)
class Leaving:
    """What one machine spills and computes again between forward and backward.

    ``working_bytes`` replace those of forward and backward, ``near`` has for each phase the steps
    (inclusive) at which what leaves is near. Both only where the plan fits.
    """

    plan: JointPlan
    spilled_bytes: int
    recomputed_bytes: int
    working_bytes: dict[str, tuple[int, ...]]
    near: dict[str, dict[int, tuple[Span, ...]]]

    def sentences(self, machine: str) -> Iterator[str]:
        """Yield what leaves, and what an iteration takes with it."""
        plan = self.plan
        head = f"forward and backward on {machine}"
        if not plan.fits:
            yield (
                f"{head}: do not fit {plan.room_bytes:_} bytes, at least {plan.peak_bytes:_} were "
                "needed whatever leaves: nothing is planned to"
            )
            return
        yield (
            f"{head}: {len(plan.spilled)} storages ({self.spilled_bytes:_} bytes) are spilled and "
            f"{len(plan.recomputed)} ({self.recomputed_bytes:_} bytes) computed again; "
            f"they take at most {plan.peak_bytes:_} of {plan.room_bytes:_} bytes, "
            f"and {plan.seconds * 1e6:_.1f} us where compute takes {plan.least_seconds * 1e6:_.1f}"
        )

    def certificate(self, program: Program, machine: Machine, dtype: str) -> Certificate:
        """Hold the iteration's time against what no plan in its room can be below."""
        begin = time.perf_counter()
        bound = iteration_bound(program, machine, dtype, self.plan.room_bytes)
        return Certificate(
            decision=f"what is spilled and computed again on {machine.name}",
            objective=self.plan.seconds * 1e6,
            bound=bound * 1e6,
            unit="us",
            method="minimum cuts at the fullest moment, its room at a price (Lagrangian dual)",
            solver="maximum flow (scipy)",
            seconds=time.perf_counter() - begin,
            note="the longest of compute, copies out and copies in; weights in their places",
        )


def leaving(
    program: Program,
    phases: Sequence[PhaseFact],
    working: dict[str, tuple[int, ...]],
    machine: Machine,
    *,
    dtype: str,
    pieces: Sequence[Piece],
) -> Leaving | None:
    """Return what leaves near memory between forward and backward; None where all of it fits.

    ``working`` are the near bytes of each phase's steps besides ``pieces``. Something must leave
    where they do not fit beside the pieces that forward and backward use, of which FOR_PIECES of
    near memory count. Then all pieces get that share if they need it, since copies behind compute
    cost less than an update that fetches its states; room is the rest, less what the iteration has
    not made. Cost: that of ``joint_plan``, and only where something must leave.
    """
    own = [phase for phase in phases if phase.name in (FORWARD, BACKWARD)]
    usable = machine.near.usable_bytes
    share = int(usable * FOR_PIECES)
    if not trains(program) or len(own) != len((FORWARD, BACKWARD)):
        return None
    own.sort(key=lambda phase: phase.name != FORWARD)
    used = own[0].table.used_in.keys() | own[1].table.used_in.keys()
    needed = sum(piece.size_bytes for piece in pieces if piece.storage in used)
    if max(max(working[phase.name]) for phase in own) + min(needed, share) <= usable:
        return None
    kept = _by_step(own, kept_bytes(program, machine, dtype))
    beside = {
        phase.name: [
            max(0, all_ - made)
            for all_, made in zip(working[phase.name], kept[phase.name], strict=True)
        ]
        for phase in own
    }
    asked = min(sum(piece.size_bytes for piece in pieces), share)
    room = usable - asked - max(max(each) for each in beside.values())
    plan = joint_plan(program, machine, dtype, room_bytes=room)
    taken = _by_step(own, plan.taken_bytes)
    return Leaving(
        plan=plan,
        spilled_bytes=sum(program.storages[index].size_bytes for index in plan.spilled),
        recomputed_bytes=sum(program.storages[index].size_bytes for index in plan.recomputed),
        working_bytes={
            name: tuple(other + made for other, made in zip(each, taken[name], strict=True))
            for name, each in beside.items()
            if plan.fits
        },
        near=_near(own, plan) if plan.fits else {},
    )


def _by_step(phases: Sequence[PhaseFact], by_node: Sequence[int]) -> dict[str, list[int]]:
    """Return the largest entry of each step, the nodes of the phases following one another."""
    found: dict[str, list[int]] = {}
    offset = 0
    for phase in phases:
        found[phase.name] = [
            max(by_node[offset + step.first : offset + step.last + 1]) for step in phase.graph.steps
        ]
        offset += len(phase.graph.nodes)
    return found


def _near(phases: Sequence[PhaseFact], plan: JointPlan) -> dict[str, dict[int, tuple[Span, ...]]]:
    """Cut the stretches of nodes into each phase's stretches of steps."""
    found: dict[str, dict[int, tuple[Span, ...]]] = {}
    offset = 0
    for phase in phases:
        count = len(phase.graph.nodes)
        step_of = [
            place
            for place, step in enumerate(phase.graph.steps)
            for _ in range(step.first, step.last + 1)
        ]
        here: dict[int, tuple[Span, ...]] = {}
        for storage, stretches in plan.near.items():
            spans: list[Span] = []
            for first, last in stretches:
                if first < offset + count and last >= offset:
                    begin = step_of[max(0, first - offset)]
                    end = step_of[min(count - 1, last - offset)]
                    if spans and begin <= spans[-1][1] + 1:
                        spans[-1] = (spans[-1][0], max(spans[-1][1], end))
                    else:
                        spans.append((begin, end))
            if spans:
                here[storage] = tuple(spans)
        found[phase.name] = here
        offset += count
    return found
