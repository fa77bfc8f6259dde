"""What a phase needs in near memory besides weights, step by step."""

from math import ceil

from mirc.bounds.peak import Interval, live_bytes
from mirc.graph import Program, Role
from mirc.ir.enums import PhaseKind
from mirc.passes.liveness import PhaseLife
from mirc.passes.phase_annotator import PhaseFact
from mirc.passes.seeds import Options
from mirc.passes.steps import PASSING

_HELD = frozenset({Role.BUFFER, Role.CONSTANT, Role.STATE})
COMING = PASSING | {Role.INPUT, Role.CHECKPOINT}
"""Roles that take room from their first to their last use in the phase, or as long as they live."""


def working_bytes(
    program: Program, phase: PhaseFact, life: PhaseLife, options: Options
) -> tuple[int, ...]:
    """Return the bytes at each step that are not the plan's to move.

    Activations, outputs, inputs and what is handed on while they live; checkpoint fragments from
    their first to their last use; transients; buffers, constants and
    states of this phase throughout; caches at the most tokens that the schedule brings them to, in
    whole blocks.
    """
    steps = len(phase.graph.steps)
    intervals = [
        Interval(span.first, span.last, program.storages[index].size_bytes)
        for index, span in life.lives.items()
        if program.storages[index].role in COMING
    ]
    held = held_bytes(program, phase, life, options)
    live = live_bytes(intervals, steps)
    return tuple(
        held + made + inner for made, inner in zip(live, life.transient_bytes, strict=True)
    )


def held_bytes(program: Program, phase: PhaseFact, life: PhaseLife, options: Options) -> int:
    """Return the working bytes that do not come and go during the phase.

    Buffers, constants, states, caches at their most, and what only waits for a later phase.
    """
    held = sum(
        program.storages[index].size_bytes
        for index in life.lives
        if program.storages[index].role in _HELD
    )
    return held + cache_bytes(program, phase, options) + life.waiting_bytes


def cache_bytes(program: Program, phase: PhaseFact, options: Options) -> int:
    """Return the bytes of all caches that the phase uses, at the end of the schedule.

    A cache that slides has the blocks that its window and the new tokens can lie across.
    """
    graph = phase.graph
    grows = phase.runs if phase.kind is PhaseKind.DECODE else 1
    tokens = graph.past + ceil(grows) * graph.tokens
    blocks = ceil(tokens / options.block_tokens)
    total = 0
    for index in phase.table.used_in:
        storage = program.storages[index]
        if storage.role is Role.CACHE:
            per_token = storage.per_token_bytes * graph.batch
            slides = storage.window_tokens
            seen = slides - 1 + graph.tokens  # by the first and by the last of the new tokens
            across = ceil((seen - 1) / options.block_tokens) + 1 if slides else blocks
            rounded = min(blocks, across) * options.block_tokens * per_token
            total += rounded if per_token else storage.size_bytes
    return total
