"""Sequences in their own phases into the tokens of one step: continuous batching under a budget."""

from collections.abc import Iterable

import attrs

from mirc.controller.kv.sequences import Phase, Sequence


@attrs.frozen(kw_only=True)
class Slice:
    """The tokens that one sequence computes in a step."""

    name: str
    phase: Phase
    tokens: int


def plan(running: Iterable[Sequence], budget: int) -> tuple[Slice, ...]:
    """Share ``budget`` tokens: one for each that decodes, oldest first, then chunks of prompts.

    Decoding goes first so that a long prompt delays no one by more than its chunk; what is left of
    the budget goes to the oldest prompt, then the next. Who drafts in a replay window, or waits for
    pages that are on their way, is left out. Source: Yu et al., Orca (OSDI 2022), for
    scheduling by steps; Agrawal et al., Sarathi-Serve (OSDI 2024), for chunks beside decodes.
    """
    able = [each for each in running if not each.drafting and not each.loading]
    able.sort(key=lambda each: each.number)
    slices = []
    for phase in (Phase.DECODE, Phase.PREFILL):
        for sequence in able:
            if sequence.phase is phase:
                tokens = min(budget, 1 if phase is Phase.DECODE else sequence.todo)
                if tokens:
                    slices.append(Slice(name=sequence.name, phase=phase, tokens=tokens))
                    budget -= tokens
    return tuple(slices)
