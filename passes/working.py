"""What a phase needs in near memory besides weights, step by step."""

from math import ceil

from mirc.bounds.peak import Interval, live_bytes
from mirc.graph import Program, Role
from mirc.ir.enums import PhaseKind
from mirc.passes.liveness import PhaseLife
from mirc.passes.phase_annotator import PhaseFact
from mirc.passes.seeds import Options
from mirc.passes.steps import MADE

_HELD = frozenset({Role.BUFFER, Role.CONSTANT, Role.STATE, Role.GRADIENT, Role.OPTIMIZER})


def working_bytes(
    program: Program, phase: PhaseFact, life: PhaseLife, options: Options
) -> tuple[int, ...]:
    """Return the bytes at each step that are not the plan's to move.

    Activations, outputs and inputs while they live; transients; buffers, constants and states of
    this phase throughout; caches at the most tokens that the schedule brings them to, in whole
    blocks.
    """
    steps = len(phase.graph.steps)
    intervals = [
        Interval(span.first, span.last, program.storages[index].size_bytes)
        for index, span in life.lives.items()
        if program.storages[index].role in MADE or program.storages[index].role is Role.INPUT
    ]
    held = sum(
        program.storages[index].size_bytes
        for index in life.lives
        if program.storages[index].role in _HELD
    )
    held += cache_bytes(program, phase, options)
    live = live_bytes(intervals, steps)
    return tuple(
        held + made + inner for made, inner in zip(live, life.transient_bytes, strict=True)
    )


def cache_bytes(program: Program, phase: PhaseFact, options: Options) -> int:
    """Return the bytes of all caches that the phase uses, at the end of the schedule."""
    graph = phase.graph
    grows = phase.runs if phase.kind is PhaseKind.DECODE else 1
    tokens = graph.past + ceil(grows) * graph.tokens
    blocks = ceil(tokens / options.block_tokens)
    total = 0
    for index in phase.table.used_in:
        storage = program.storages[index]
        if storage.role is Role.CACHE:
            per_token = storage.per_token_bytes * graph.batch
            rounded = blocks * options.block_tokens * per_token
            total += rounded if per_token else storage.size_bytes
    return total
