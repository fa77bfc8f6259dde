"""Sequences that only decode into many steps at once, exactly as one by one."""

from collections.abc import Iterable

from mirc.controller.kv.orchestrator import Orchestrator
from mirc.controller.kv.sequences import Phase, Sequence


def quiet_steps(orchestrator: Orchestrator) -> int:
    """Return for how many steps all that happens is that each running sequence makes a token.

    Nobody opens or fills a block, makes its last token, or computes a prompt, so no page comes or
    goes and no verdict on the queue changes. 0 where the next step does any of that. Sequences
    whose pages are on their way take no part. O(sequences).
    """
    limits, whole = orchestrator.floor.limits, orchestrator.chains.block_tokens
    steps = whole
    able = 0
    for each in orchestrator.floor.running.values():
        if each.loading:
            continue
        able += 1
        if each.phase is not Phase.DECODE or not each.opened or each.drafting or each.promised:
            return 0
        steps = min(steps, whole - each.part - 1, each.left - 1)
    return steps if 0 < able <= limits.budget else 0


def decode(orchestrator: Orchestrator, steps: int) -> None:
    """Let every running sequence make ``steps`` tokens, which are quiet steps."""
    for each in decoding(orchestrator.floor.running.values()):
        each.fill[each.done] += steps
        each.part += steps
        each.left -= steps
        orchestrator.floor.totals[each.request.tenant].made += steps


def decoding(running: Iterable[Sequence]) -> list[Sequence]:
    """Return the sequences that make tokens in a quiet step."""
    return [each for each in running if not each.loading]
