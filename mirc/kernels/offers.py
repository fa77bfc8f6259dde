"""Which objects may leave near memory, kept in the order that each policy asks for."""

from typing import Any

from mirc.kernels.heap import push
from mirc.kernels.lists import append, remove
from mirc.kernels.ranks import add_rank, clear_ranks, discard_rank
from mirc.kernels.regrets import enheap
from mirc.kernels.ruled import protected, released
from mirc.kernels.world import (
    AGE_NEXT,
    BELADY,
    DIRTY,
    HEAPED,
    HELD,
    INTENT,
    KEEP,
    NEXT_USE,
    NONE,
    OFFERED,
    PHASE,
    POLICY,
    REGRET,
    RESIDENT,
    STATE,
    STATIC,
    TENANT,
    World,
)


def age_head(w: World) -> Any:
    """Return the head of the list of offered objects, oldest first."""
    return w.lists.shape[1] - 1


def by_rank(w: World) -> Any:
    """Tell whether the policy chooses its victims by rank."""
    return w.run[POLICY] == INTENT or w.run[POLICY] == STATIC


def offer(w: World, o: int) -> None:
    """Let a resident object, which no step holds, be chosen as a victim: newest of its age."""
    if w.obj[KEEP, o] != 0:
        return
    w.obj[OFFERED, o] = 1
    append(w.lists, AGE_NEXT, age_head(w), o)
    if by_rank(w):
        _rank_in(w, o)
    elif w.run[POLICY] == BELADY:
        push(w.heap, w.run[HEAPED], w.obj[NEXT_USE, o], o)
        w.run[HEAPED] += 1
    elif w.run[POLICY] == REGRET:
        enheap(w, o)
    else:
        released(w, o)


def withdraw(w: World, o: int) -> None:
    """Protect an object that was offered; an oracle's heap forgets it when it comes up."""
    if w.obj[OFFERED, o] == 0:
        return
    w.obj[OFFERED, o] = 0
    remove(w.lists, AGE_NEXT, o)
    protected(w, o)
    if by_rank(w):
        discard_rank(w.bits, w.rank[w.run[PHASE], o])
        discard_rank(w.loose, w.rank[w.run[PHASE], o])
        if w.obj[TENANT, o] != NONE:
            discard_rank(w.own[w.obj[TENANT, o]], w.rank[w.run[PHASE], o])


def hold_fast(w: World, o: int, who: int) -> None:
    """Let an object not leave near memory: one of BY_INTENT, BY_RULE, BY_SIGNAL, BY_CLAIM says so.

    Where it is not near, it stays from when it is.
    """
    w.obj[KEEP, o] |= who
    withdraw(w, o)


def let_loose(w: World, o: int, who: int) -> None:
    """Take back what one of them said."""
    w.obj[KEEP, o] &= ~who
    if w.obj[STATE, o] == RESIDENT and w.obj[HELD, o] == 0 and w.obj[OFFERED, o] == 0:
        offer(w, o)


def offer_again(w: World) -> Any:
    """Offer what could not leave when it was chosen last; returns how many: O(n).

    Room below may have come free since; asked for only when a run could not go on otherwise.
    """
    count = 0
    for o in range(w.obj.shape[1]):
        if w.obj[STATE, o] == RESIDENT and w.obj[HELD, o] == 0 and w.obj[OFFERED, o] == 0:
            offer(w, o)
            count += w.obj[OFFERED, o]
    return count


def rerank(w: World) -> None:
    """Offer the same objects under the ranks of the present phase: O(n), once a phase."""
    if not by_rank(w):
        return
    clear_ranks(w.bits)
    clear_ranks(w.loose)
    for tenant in range(w.tenant.shape[1]):
        clear_ranks(w.own[tenant])
    for o in range(w.obj.shape[1]):
        if w.obj[OFFERED, o] == 1:
            _rank_in(w, o)


def cleaned(w: World, o: int) -> None:
    """Note that what is offered, or is not, has become clean: its room is free for the asking."""
    if w.obj[OFFERED, o] == 1 and by_rank(w):
        add_rank(w.loose, w.rank[w.run[PHASE], o])


def _rank_in(w: World, o: int) -> None:
    phase = w.run[PHASE]
    add_rank(w.bits, w.rank[phase, o])
    if w.obj[DIRTY, o] == 0 or w.remake[phase, o] != NONE:
        add_rank(w.loose, w.rank[phase, o])
    if w.obj[TENANT, o] != NONE:
        add_rank(w.own[w.obj[TENANT, o]], w.rank[w.run[PHASE], o])
