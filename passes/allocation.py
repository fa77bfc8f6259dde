"""A phase's lives into the interval, in nodes, of everything that a run makes."""

from collections.abc import Mapping

import attrs

from mirc.bounds.offsets import ALIGNMENT, OffsetPlan, place_offsets
from mirc.bounds.peak import Interval
from mirc.graph import Program
from mirc.passes.phase_annotator import PhaseFact


@attrs.frozen
class Allocation:
    """Where each storage that a run of a phase makes lies: ``storages[i]`` at ``offsets[i]``.

    Time is counted in nodes, so that what lives inside one step has a place of its own.
    """

    storages: tuple[int, ...]
    intervals: tuple[Interval, ...]
    plan: OffsetPlan


def allocate(
    program: Program,
    phase: PhaseFact,
    lives: Mapping[int, tuple[int, int]],
    transients: frozenset[int],
) -> Allocation:
    """Place storages in one memory: ``lives`` in steps, ``transients`` inside the steps they share.

    Cost: that of ``place_offsets``.
    """
    steps = phase.graph.steps
    spans = {
        index: (steps[first].first, steps[last].last) for index, (first, last) in lives.items()
    }
    for place, node in enumerate(phase.graph.nodes):
        for use in (*node.reads, *node.writes):
            if use.storage in transients:
                first, _ = spans.get(use.storage, (place, place))
                spans[use.storage] = (first, place)
    storages = tuple(spans)
    intervals = tuple(
        Interval(*spans[index], program.storages[index].size_bytes) for index in storages
    )
    plan = place_offsets(intervals, len(phase.graph.nodes), ALIGNMENT)
    return Allocation(storages, intervals, plan)
