"""Requests for claims, and what happens to blocks, into who may be displaced, and an event of each.

The ledger of one pool knows who was promised what, and which blocks are there; it moves nothing.
Whoever moves blocks tells it before one leaves and after one has come, and is told who is in the
way. Its clock and its unit are the caller's: steps or microseconds, blocks or bytes.
"""

import heapq
from collections.abc import Collection, Iterable, Mapping

import attrs

from mirc.claims.admission import Admission, Pool, Reason, admit
from mirc.claims.coverage import HARD, UNCLAIMED, Cover, Coverage, Held, Standing
from mirc.claims.events import Answer, Cause, Event, Kind, State
from mirc.claims.journal import GRANTED, Journal, Why
from mirc.claims.replay import Books, books
from mirc.claims.terms import Block, Key, Terms
from mirc.ir.enums import ClaimLoss


@attrs.define(kw_only=True)
class _Waiting:
    """A claim that is not in force yet: since when, and whether its event has come."""

    terms: Terms
    since: int
    bound: bool


class Ledger:
    """All claims on one pool.

    ``quotas`` is the most that the hard claims of a tenant may cover, ``states`` where each claim
    that was ever asked for stands.
    """

    def __init__(self, *, tier: str = "HBM", quotas: Mapping[str, int] | None = None) -> None:
        self.tier = tier
        self.quotas = dict(quotas or {})
        self.states: dict[str, State] = {}
        self._journal = Journal()
        self._force = Coverage()
        self._waiting: dict[str, _Waiting] = {}
        self._there: dict[Key, Block] = {}
        self._ends: list[tuple[int, str]] = []  # heap of the times at which a claim may expire

    # What holders ask.

    def request(self, batch: Iterable[Terms], pool: Pool) -> dict[str, Answer]:
        """Decide claims that are asked for at once, by priority, then name, then revision.

        ``pool`` is as for ``admit``, without what is claimed: the ledger knows that. What a hard
        claim covers is not to be counted in ``must_hold`` as well.
        """
        return {terms.name: self._ask(terms, pool) for terms in sorted(batch, key=turn)}

    def retry(self, pool: Pool) -> dict[str, Answer]:
        """Grant what waits and can be granted now, in the same order; return those granted."""
        granted = {}
        for terms in self.waiting:
            if self._waiting[terms.name].bound:
                count, no = self._grantable(terms, pool)
                if count:
                    del self._waiting[terms.name]
                    granted[terms.name] = self._grant(terms, count, no)
        return granted

    def release(self, name: str, holder: str) -> Answer:
        """Give a claim back: its room is free at once."""
        terms = self._terms(name)
        if terms is None:
            self._journal.say(Kind.MISSING, claim=name, holder=holder)
            return Answer.MISSING
        if terms.holder != holder:
            self._journal.say(Kind.REFUSED, claim=name, holder=holder, reason=Cause.NOT_HOLDER)
            return Answer.REFUSED
        self._finish(name, Kind.RELEASED, State.RELEASED)
        return Answer.APPLIED

    # What time and events do.

    def advance(self, now: int) -> None:
        """Set the clock: what lasts until ``now`` ends, and who waited too long is refused.

        Raises ``ValueError`` if the clock would go back.
        """
        if now < self.now:
            raise ValueError(f"the clock stands at {self.now} and cannot go back to {now}")
        self._journal.now = now
        for name, waiting in sorted(self._waiting.items()):
            if waiting.bound and waiting.since + waiting.terms.patience <= now:
                self._finish(name, Kind.REFUSED, State.REFUSED, Cause.PATIENCE)
        while self._ends and self._ends[0][0] <= now:
            held = self._force.held.get(heapq.heappop(self._ends)[1])
            over = [each for each in held.covers.values() if each.end <= now] if held else []
            if held and over:
                blocks = tuple(each.block for each in over)
                self._journal.say_of(Kind.EXPIRED, held.terms, blocks, Why(Cause.TIME))
                self._shrink(held, blocks, State.EXPIRED)

    def signal(self, event: str) -> None:
        """Tell of an event: it ends the claims until it; those that it binds await a ``retry``."""
        standing: dict[str, Held | _Waiting] = {**self._force.held, **self._waiting}
        for name in sorted(standing):
            if standing[name].terms.until == event:
                self._finish(name, Kind.EXPIRED, State.EXPIRED, Cause.EVENT)
        for waiting in self._waiting.values():
            if waiting.terms.binds_on == event and not waiting.bound:
                waiting.bound, waiting.since = True, self.now

    # What the controller tells.

    def active(self, name: str, blocks: Collection[Block], pool: Pool) -> Admission:
        """Decide on a request for room for blocks that are not there; it takes all of it or none.

        Room that a hard claim keeps for one of these very blocks is theirs. ``pool.min_active`` is
        not asked for: the request is active work.
        """
        decision = self._judge(blocks, attrs.evolve(pool, min_active=0))
        kind = _ACTIVE.get(decision.reason, Kind.DENIED)
        self._journal.say(
            kind,
            blocks=tuple(blocks),
            reason=decision.reason,
            blockers=decision.refused_by,
            short=0 if decision.feasible else decision.short,
            for_whom=name,
        )
        return decision

    def placed(self, block: Block) -> None:
        """Note that a block has come; a claim whose last missing one it is materializes."""
        if block.key in self._there:
            return
        self._there[block.key] = block
        self._journal.say(Kind.PLACED, blocks=(block,))
        for held in self._force.over(block.key):
            held.missing.discard(block.key)
            self._settle(held)

    def leave(self, key: Key, for_whom: str, to: str = "") -> tuple[str, ...]:
        """Note that a block is about to go, to a lower tier if ``to`` names one.

        Returns the hard claims that forbid it: then nothing happened, and it must stay. Soft claims
        over it learn of it first, by the event that they asked for.
        """
        over = self._force.over(key)
        blocking = tuple(held.terms.name for held in over if held.terms.hard)
        block = self._there.get(key)
        if blocking or block is None:
            return blocking
        for held in over:
            kept = to and held.terms.on_loss is ClaimLoss.DEMOTE
            self._journal.say_of(
                Kind.DEMOTED if kept else Kind.LOST,
                held.terms,
                (block,),
                priority=held.covers[key].standing.strength,
                for_whom=for_whom,
                to=to,
            )
            if kept:
                held.missing.add(key)
                held.state = self.states[held.terms.name] = State.DEMOTED
            else:
                self._shrink(held, (block,), State.LOST)
        del self._there[key]
        self._journal.say(Kind.EVICTED, blocks=(block,), for_whom=for_whom, to=to)
        return ()

    def retired(self, key: Key) -> None:
        """Note that a block's life is over, there or not: what no longer exists is not lost."""
        for held in self._force.over(key):
            blocks = (held.covers[key].block,)
            self._journal.say_of(Kind.EXPIRED, held.terms, blocks, Why(Cause.LIFE))
            self._shrink(held, blocks, State.EXPIRED)
        block = self._there.pop(key, None)
        if block is not None:
            self._journal.say(Kind.EVICTED, blocks=(block,), reason=Cause.LIFE)

    def bypassed(self, block: Block, for_whom: str) -> None:
        """Note that a block was written and not kept."""
        self._journal.say(Kind.BYPASSED, blocks=(block,), for_whom=for_whom)

    def fail(self, name: str, why: str) -> Answer:
        """End a claim some of whose blocks cannot be made, or not brought back."""
        held = self._force.held.get(name)
        if held is None:
            self._journal.say(Kind.MISSING, claim=name, reason=why)
            return Answer.MISSING
        if not held.missing:
            self._journal.say_of(Kind.REFUSED, held.terms, (), Why(Cause.COMPLETE))
            return Answer.REFUSED
        self._finish(name, Kind.FAILED, State.FAILED, why)
        return Answer.APPLIED

    # What the controller asks.

    @property
    def now(self) -> int:
        """The clock."""
        return self._journal.now

    @property
    def log(self) -> list[Event]:
        """Every event so far."""
        return self._journal.log

    @property
    def claimed(self) -> int:
        """The size of the blocks that hard claims cover, each counted once."""
        return self._force.claimed

    @property
    def waiting(self) -> tuple[Terms, ...]:
        """The claims that wait, in the order in which ``retry`` looks at them."""
        return tuple(sorted((each.terms for each in self._waiting.values()), key=turn))

    @property
    def books(self) -> Books:
        """Where everything stands now; ``replay(log)`` says the same."""
        covered = {name: held.blocks for name, held in self._force.held.items()}
        return books(self.states, covered, self._there, self.claimed)

    def standing(self, key: Key) -> Standing:
        """Return how firmly a block stands: what its firmest claim says."""
        found = (held.covers[key].standing for held in self._force.over(key))
        return max(found, default=Standing(UNCLAIMED, 0))

    def blocks(self, name: str) -> tuple[Block, ...]:
        """Return the blocks that a claim in force covers, in order; none of any other."""
        held = self._force.held.get(name)
        return held.blocks if held else ()

    # How it does so.

    def _ask(self, terms: Terms, pool: Pool) -> Answer:
        self._journal.say_of(Kind.REQUESTED, terms, terms.blocks)
        standing = self._terms(terms.name)
        if terms.tiers and self.tier not in terms.tiers:
            return self._turn_down(terms, Kind.UNSUPPORTED, Why(Cause.OTHER_TIER))
        if standing is None:
            return self._ask_anew(terms, pool)
        return self._ask_again(terms, standing, pool)

    def _ask_again(self, terms: Terms, standing: Terms, pool: Pool) -> Answer:
        if terms == standing:
            return self._turn_down(terms, Kind.DUPLICATE, GRANTED)
        if terms.holder != standing.holder:
            return self._turn_down(terms, Kind.REFUSED, Why(Cause.NOT_HOLDER))
        if terms.revision <= standing.revision:
            return self._turn_down(terms, Kind.REFUSED, Why(Cause.OLD_REVISION))
        if terms.name in self._waiting:
            self._journal.say_of(Kind.REVISED, standing, ())
            del self._waiting[terms.name]
            return self._ask_anew(terms, pool)
        return self._revise(self._force.held[terms.name], terms, pool)

    def _ask_anew(self, terms: Terms, pool: Pool) -> Answer:
        if terms.binds_on is not None:
            return self._defer(terms, Why(Cause.CONDITION))
        count, no = self._grantable(terms, pool)
        if count:
            return self._grant(terms, count, no)
        if terms.patience and no.reason != Reason.TOO_LARGE:
            return self._defer(terms, no)
        return self._turn_down(terms, Kind.REFUSED, no)

    def _revise(self, old: Held, terms: Terms, pool: Pool) -> Answer:
        """Judge a new edition as if the old one did not stand: its own room is its own."""
        self._force.remove(old)
        count, no = self._grantable(terms, pool)
        if not count:
            self._force.add(old)
            return self._turn_down(terms, Kind.REFUSED, no)
        self._journal.say_of(Kind.REVISED, old.terms, old.blocks)
        answer = self._grant(terms, count, no)
        return Answer.APPLIED if answer is Answer.ACCEPTED else answer

    def _grantable(self, terms: Terms, pool: Pool) -> tuple[int, Why]:
        """Return how many of its first blocks a claim can be granted, and why not all of them."""
        most = len(terms.blocks)
        whole = self._against(terms, most, pool)
        if whole is GRANTED:
            return most, whole
        for count in range(most - 1, (terms.least or most) - 1, -1):
            if self._against(terms, count, pool) is GRANTED:
                return count, whole
        return 0, whole

    def _against(self, terms: Terms, count: int, pool: Pool) -> Why:
        blocks = terms.blocks[:count]
        if terms.hard and terms.tenant in self.quotas:
            theirs = self._force.of_tenant(terms.tenant)
            quota = Pool(
                capacity=self.quotas[terms.tenant],
                claimed=sum(size for _, size in theirs),
                claiming=theirs,
            )
            decision = admit(sum(block.size for block in blocks), quota)
            if not decision.feasible:
                return Why(Cause.QUOTA, decision.refused_by, decision.short)
        decision = self._judge(blocks, pool)
        if decision.feasible:
            return GRANTED
        return Why(decision.reason, decision.refused_by, decision.short)

    def _judge(self, blocks: Collection[Block], pool: Pool) -> Admission:
        """Ask for room beside the other hard claims; who they are is asked only for a refusal."""
        need = sum(block.size for block in blocks)
        own = {block.key for block in blocks}
        claimed = self.claimed - sum(self._force.owed.get(key, 0) for key in own)
        decision = admit(need, attrs.evolve(pool, claimed=claimed))
        if decision.reason is Reason.CLAIMED:
            named = self._force.claiming(own)
            decision = admit(need, attrs.evolve(pool, claimed=claimed, claiming=named))
        return decision

    def _grant(self, terms: Terms, count: int, no: Why) -> Answer:
        state = State.ACCEPTED if count == len(terms.blocks) else State.CLIPPED
        covers = {}
        for place, block in enumerate(terms.blocks[:count]):
            strength = HARD if terms.hard else terms.priority_of(place)
            end = self.now + terms.lasts_of(place)
            covers[block.key] = Cover(block, Standing(strength, -place), end)
        missing = covers.keys() - self._there.keys()
        held = Held(terms=terms, state=state, covers=covers, missing=missing)
        self._force.add(held)
        self.states[terms.name] = state
        for end in {cover.end for cover in covers.values()}:
            heapq.heappush(self._ends, (end, terms.name))
        self._journal.say_of(Kind(state), terms, held.blocks, no)
        self._settle(held)
        return Answer(state)

    def _defer(self, terms: Terms, no: Why) -> Answer:
        bound = terms.binds_on is None
        self._waiting[terms.name] = _Waiting(terms=terms, since=self.now, bound=bound)
        self.states[terms.name] = State.DEFERRED
        self._journal.say_of(Kind.DEFERRED, terms, (), no)
        return Answer.DEFERRED

    def _turn_down(self, terms: Terms, kind: Kind, no: Why) -> Answer:
        if self._terms(terms.name) is None:
            self.states[terms.name] = State.REFUSED
        self._journal.say_of(kind, terms, (), no)
        return Answer(kind)

    def _finish(self, name: str, kind: Kind, state: State, reason: str = "") -> None:
        """End a claim that is in force or waits."""
        if name in self._waiting:
            self._journal.say_of(kind, self._waiting.pop(name).terms, (), Why(reason))
            self.states[name] = state
            return
        held = self._force.held[name]
        blocks = held.blocks
        self._journal.say_of(kind, held.terms, blocks, Why(reason))
        self._shrink(held, blocks, state)

    def _shrink(self, held: Held, blocks: tuple[Block, ...], ended: State) -> None:
        """Take blocks out of a claim, which ends so with its last one."""
        keys = [block.key for block in blocks]
        self._force.uncover(held, keys)
        for key in keys:
            del held.covers[key]
            held.missing.discard(key)
        if held.covers:
            self._settle(held)
        else:
            self._force.remove(held)
            self.states[held.terms.name] = ended

    def _settle(self, held: Held) -> None:
        """Say that a claim has materialized, if it just has."""
        if held.missing or held.state is State.MATERIALIZED:
            return
        held.state = self.states[held.terms.name] = State.MATERIALIZED
        self._journal.say_of(Kind.MATERIALIZED, held.terms, held.blocks)

    def _terms(self, name: str) -> Terms | None:
        standing = self._force.held.get(name) or self._waiting.get(name)
        return standing.terms if standing else None


_ACTIVE = {
    Reason.FITS: Kind.ADMITTED,
    Reason.ROOM_MADE: Kind.ADMITTED,
    Reason.NOT_NOW: Kind.STALLED,
}


def turn(terms: Terms) -> tuple[int, str, int]:
    """Order claims that are asked for together: by priority, then name, then revision."""
    return -terms.priority, terms.name, terms.revision
