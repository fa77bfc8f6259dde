"""A graph's nodes into what each of its steps touches."""

from collections.abc import Iterator
from functools import cached_property

import attrs

from mirc.graph import Access, Graph, Role, Use

PERSISTENT = frozenset(
    {
        Role.PARAMETER,
        Role.BUFFER,
        Role.CONSTANT,
        Role.CACHE,
        Role.STATE,
        Role.OPTIMIZER,
    }
)
"""Roles whose bytes outlive every run and iteration."""

MADE = frozenset({Role.ACTIVATION, Role.OUTPUT})
"""Roles that a run makes."""

HANDED_ON = frozenset({Role.SAVED, Role.GRADIENT})
"""Roles that a run makes for a later phase of the same iteration."""

PASSING = MADE | HANDED_ON
"""Roles whose bytes exist only for a part of each run or iteration."""


@attrs.frozen(slots=True)
class Touch:
    """How one step uses one storage, over all nodes of the step.

    ``size_bytes`` is the largest single use, ``again_bytes`` what further uses in the same step
    move on top of it. The widest access wins: WHOLE over ROUTED over TOUCH.
    """

    storage: int
    size_bytes: int
    again_bytes: int
    access: Access
    top_k: int


@attrs.frozen
class StepTable:
    """One phase's touches: ``reads[i]``, ``writes[i]`` are those of step ``i``, in node order."""

    graph: Graph
    reads: tuple[tuple[Touch, ...], ...]
    writes: tuple[tuple[Touch, ...], ...]

    @cached_property
    def first_read(self) -> dict[int, int]:
        """The first step that reads each storage."""
        first: dict[int, int] = {}
        for step, touches in enumerate(self.reads):
            for touch in touches:
                first.setdefault(touch.storage, step)
        return first

    @cached_property
    def used_in(self) -> dict[int, tuple[int, ...]]:
        """Ascending steps that read or write each storage."""
        steps: dict[int, list[int]] = {}
        for step, (reads, writes) in enumerate(zip(self.reads, self.writes, strict=True)):
            for touch in (*reads, *writes):
                seen = steps.setdefault(touch.storage, [])
                if not seen or seen[-1] != step:
                    seen.append(step)
        return {storage: tuple(seen) for storage, seen in steps.items()}

    @cached_property
    def flops(self) -> tuple[int, ...]:
        """FLOPs of each step (multiply and add count as two)."""
        nodes = self.graph.nodes
        return tuple(
            sum(node.flops for node in nodes[step.first : step.last + 1])
            for step in self.graph.steps
        )


def step_table(graph: Graph) -> StepTable:
    """Merge the uses of each step's nodes. Cost: O(uses)."""
    reads: list[tuple[Touch, ...]] = []
    writes: list[tuple[Touch, ...]] = []
    for step in graph.steps:
        nodes = graph.nodes[step.first : step.last + 1]
        reads.append(tuple(_merged(use for node in nodes for use in node.reads)))
        writes.append(tuple(_merged(use for node in nodes for use in node.writes)))
    return StepTable(graph, tuple(reads), tuple(writes))


_WIDTH = {Access.WHOLE: 2, Access.ROUTED: 1, Access.TOUCH: 0}


def _merged(uses: Iterator[Use]) -> Iterator[Touch]:
    merged: dict[int, Touch] = {}
    for use in uses:
        seen = merged.get(use.storage)
        if seen is None:
            merged[use.storage] = Touch(use.storage, use.size_bytes, 0, use.access, use.top_k)
            continue
        wide = max(seen.access, use.access, key=_WIDTH.__getitem__)
        size = max(seen.size_bytes, use.size_bytes)
        total = seen.size_bytes + seen.again_bytes + use.size_bytes
        top_k = max(seen.top_k, use.top_k)
        merged[use.storage] = Touch(use.storage, size, total - size, wide, top_k)
    yield from merged.values()
