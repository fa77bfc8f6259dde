"""A sequence and a pool into the room that it needs, and whether it may have it."""

import attrs

from mirc.claims.admission import Named, Pool, Reason, admit
from mirc.controller.kv.chains import Chains
from mirc.controller.kv.events import Why
from mirc.controller.kv.groups import Group, GroupKind
from mirc.controller.kv.sequences import Sequence

_WHY = {
    Reason.CLAIMED: Why.CLAIMED,
    Reason.TOO_LARGE: Why.TOO_LARGE,
    Reason.MUST_HOLD: Why.BUSY,
    Reason.NOT_NOW: Why.BUSY,
}


@attrs.frozen(kw_only=True)
class Verdict:
    """Whether a sequence may begin; if not, why, who is in its way, and whether ever.

    ``usable`` blocks were found, ``swapped`` of their pages lie below; ``promise`` is the room that
    its prompt may still take.
    """

    why: Why | None = None
    final: bool = False
    blockers: tuple[str, ...] = ()
    usable: int = 0
    swapped: int = 0
    promise: int = 0


@attrs.frozen(kw_only=True)
class Others:
    """What other sequences were promised, in all and of this tenant's, and who holds how much."""

    promised: int
    promised_to_tenant: int
    holding: Named
    claiming: Named


def most(group: Group, blocks: int) -> int:
    """Return the pages of a group that computing ``blocks`` in a row holds at once, at most."""
    if group.kind is GroupKind.WINDOW:
        return min(blocks, group.window_blocks + 1)
    if group.kind is GroupKind.RECURRENT:
        return min(blocks, 2)
    return blocks


def life(chains: Chains, sequence: Sequence) -> int:
    """Return the most that a sequence holds before its end, beside what hard claims hold for it."""
    pool = chains.pool
    growth = -(-sequence.left // chains.block_tokens)
    blocks = len(sequence.keys) + growth
    whole = sum(group.size * most(group, blocks) for group in pool.groups)
    return max(0, whole - _claimed(chains, sequence, 0))


def judge(chains: Chains, sequence: Sequence, others: Others) -> Verdict:
    """Decide whether a sequence may have room for all that its prompt needs, and one block more.

    Refused for good is only what could not run alone beside the hard claims, or within its tenant's
    quota: everything else waits, and is told for whom.
    """
    refused = _never(chains, sequence, others)
    if refused is not None:
        return refused
    usable = chains.usable(sequence)
    if usable < len(sequence.keys):
        maker = _maker(chains, sequence, sequence.keys[usable])
        if maker:
            return Verdict(why=Why.IN_FLIGHT, blockers=(maker,))
    pool, tenant = chains.pool, sequence.request.tenant
    wanted = [(page_id, pool.pages()[page_id]) for page_id in chains.wanted(sequence, usable)]
    idle = idle_own = swapped = 0
    for page_id, page in wanted:
        size = pool.size(page_id)
        if not page.near:
            swapped += size
        elif not page.users and not pool.claims_on(page_id)[0]:
            idle += size
            idle_own += size if page.tenant == tenant else 0
    missing = len(sequence.keys) - usable
    growth = int(sequence.left > 0)
    promise = sum(group.size * most(group, missing + growth) for group in pool.groups)
    need = max(0, promise + swapped - _claimed(chains, sequence, usable))
    everyone = sum(pool.idle_by.values())
    beside = pool.used + pool.reserved - pool.claimed - everyone + idle + others.promised
    decision = admit(
        need,
        Pool(
            capacity=pool.capacity,
            # What is claimed was seen to be in nobody's way for good: those who run will leave.
            must_hold=max(0, beside) + pool.claimed,
            free=max(0, pool.capacity - pool.used - pool.reserved),
            recomputable=max(0, everyone - pool.soft_idle),
            soft=pool.soft_idle,
            holding=others.holding,
        ),
    )
    found = Verdict(usable=usable, swapped=swapped, promise=promise)
    if not decision.admitted:
        named = decision.refused_by or tuple(name for name, _ in others.holding)
        return attrs.evolve(found, why=Why.BUSY, blockers=named)
    quota = pool.tenants[tenant].quota
    if quota is not None:
        own = pool.used_by[tenant] - pool.idle_by[tenant] + idle_own + others.promised_to_tenant
        if own + promise + swapped > quota:
            return attrs.evolve(found, why=Why.OVER_QUOTA, blockers=(tenant,))
    return found


def _never(chains: Chains, sequence: Sequence, others: Others) -> Verdict | None:
    """Refuse what does not fit alone, beside the claims that are not its own."""
    pool, request = chains.pool, sequence.request
    need = life(chains, sequence)
    decision = admit(
        need,
        Pool(
            capacity=pool.capacity,
            claimed=pool.claimed,
            free=pool.capacity - pool.claimed,
            claiming=others.claiming,
        ),
    )
    if not decision.admitted:
        return Verdict(why=_WHY[decision.reason], final=True, blockers=decision.refused_by)
    quota = pool.tenants[request.tenant].quota
    if quota is not None and need + _claimed(chains, sequence, 0) > quota:
        return Verdict(why=Why.OVER_QUOTA, final=True, blockers=(request.tenant,))
    return None


def _maker(chains: Chains, sequence: Sequence, key: int) -> str:
    """Return who is computing a block now, other than the sequence; "" for nobody."""
    maker = chains.pending.get(key, "")
    if maker and maker != sequence.name:
        return maker
    page = chains.pool.find(chains.pool.page_of(key, 0))
    return page.reader if page is not None and page.near and not page.ready else ""


def _claimed(chains: Chains, sequence: Sequence, first: int) -> int:
    """Return the room that hard claims hold for a sequence's blocks from ``first`` on."""
    pool = chains.pool
    return sum(
        group.size
        for key in sequence.keys[first:]
        for number, group in enumerate(pool.groups)
        if pool.claimed and pool.claims_on(pool.page_of(key, number))[0]
    )
