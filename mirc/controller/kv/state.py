"""Everything that an orchestrator holds into one digest: equal digests, equal states."""

import hashlib

from mirc.controller.kv.orchestrator import Orchestrator
from mirc.controller.kv.sequences import Sequence


def digest(orchestrator: Orchestrator) -> str:
    """Return the SHA-256 of the pages, sequences, queue and claims, in a fixed order.

    Clocks, rows, totals and the order in which pages would leave are no part of it: they are what
    was done, not what is there.
    """
    pool = orchestrator.pool
    pages = sorted(
        (at, each.tenant, each.near, each.ready, each.users, each.children, pool.claims_on(at))
        for at, each in pool.pages().items()
    )
    sequences = sorted(map(_sequence, orchestrator.floor.sequences.values()))
    state = (pages, sequences, orchestrator.floor.queue, pool.used, pool.claimed, pool.used_by)
    return hashlib.sha256(repr(state).encode()).hexdigest()


def _sequence(sequence: Sequence) -> tuple[str, ...]:
    state = (
        sequence.phase.value,
        sequence.keys,
        sequence.fill,
        sequence.sealed,
        sequence.done,
        sequence.part,
        sequence.left,
        list(sequence.own),
        [list(held) for held in sequence.held],
    )
    return sequence.name, repr(state)
