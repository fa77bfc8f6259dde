"""Nodes in order into steps: one leaf module's run each, trivial runs joined to a neighbour."""

from collections.abc import Sequence

import attrs

from mirc.graph.model import Node, Role, Step

LASTING = frozenset(
    {
        Role.PARAMETER,
        Role.BUFFER,
        Role.CONSTANT,
        Role.CACHE,
        Role.STATE,
        Role.GRADIENT,
        Role.OPTIMIZER,
    }
)


@attrs.define(slots=True)
class _Run:
    module: str
    first: int
    last: int
    trivial: bool


def steps_of(phase: str, nodes: Sequence[Node], roles: Sequence[Role]) -> tuple[Step, ...]:
    """Partition ``nodes`` into steps with names that are unique within the phase.

    A run is a stretch of nodes of one module. One that multiplies nothing and reads nothing that
    outlives the phase (a residual addition, an activation function) joins the step before it, as
    does a run that goes on with the module of the step before it: a step's reads are resident
    together, so its borders belong where weights or caches change. A module that runs again is
    ``NAME.run_2``.

    ``roles`` are those of the storages, by index. O(nodes + uses).
    """
    joined: list[_Run] = []
    for run in _runs(nodes, roles):
        if joined and (run.trivial or run.module == joined[-1].module):
            joined[-1].last = run.last
        elif joined and joined[-1].trivial:  # only ever the first: it has nothing before it
            joined[-1] = _Run(run.module, joined[-1].first, run.last, trivial=False)
        else:
            joined.append(run)
    return _named(phase, joined)


def _runs(nodes: Sequence[Node], roles: Sequence[Role]) -> list[_Run]:
    runs: list[_Run] = []
    for node in nodes:
        trivial = not node.flops and not node.collective and not _reads_lasting(node, roles)
        if runs and runs[-1].module == node.module:
            runs[-1].last = node.index
            runs[-1].trivial = runs[-1].trivial and trivial
        else:
            runs.append(_Run(node.module, node.index, node.index, trivial))
    return runs


def _reads_lasting(node: Node, roles: Sequence[Role]) -> bool:
    return any(roles[use.storage] in LASTING for use in (*node.reads, *node.writes))


def _named(phase: str, runs: Sequence[_Run]) -> tuple[Step, ...]:
    times: dict[str, int] = {}
    steps = []
    for run in runs:
        name = run.module or phase
        times[name] = times.get(name, 0) + 1
        suffix = f".run_{times[name]}" if times[name] > 1 else ""
        steps.append(Step(name=name + suffix, first=run.first, last=run.last))
    return tuple(steps)
