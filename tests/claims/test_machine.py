"""Whatever is asked of a ledger in whatever order, a naive model of the contract agrees with it."""

import random
from collections.abc import Callable
from itertools import chain

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mirc.claims import Answer, Block, Directive, Kind, Ledger, Pool, State, Terms
from mirc.claims.replay import replay
from mirc.ir.enums import ClaimLoss, Guarantee
from tests.nightly import by_night

NIGHTLY = by_night(1, 100)
CAPACITY, MIN_ACTIVE, QUOTA = 12, 3, 5
SIZES = {"a": 1, "b": 2, "c": 1, "d": 3, "e": 1, "f": 2, "g": 1}
NAMES = st.sampled_from(["p", "q", "r", "s"])
EVENTS = st.sampled_from(["END", "GO"])
TIMES = st.integers(1, 6)
IN_FORCE = (State.ACCEPTED, State.CLIPPED, State.MATERIALIZED, State.DEMOTED)


@st.composite
def any_terms(draw: st.DrawFn) -> Terms:
    keys = draw(st.lists(st.sampled_from(sorted(SIZES)), min_size=1, max_size=5, unique=True))
    start = draw(st.integers(0, 3))
    some = st.lists(
        st.builds(
            Directive,
            start=st.just(start),
            end=st.just(start + 2),
            priority=st.integers(0, 100),
            lasts=st.none() | TIMES,
        ),
        max_size=1,
    )
    return Terms(
        name=draw(NAMES),
        holder=draw(st.sampled_from(["x", "x", "x", "y"])),
        blocks=tuple(Block(key, SIZES[key]) for key in keys),
        guarantee=draw(st.sampled_from(Guarantee)),
        on_loss=draw(st.sampled_from(ClaimLoss)),
        tenant=draw(st.sampled_from([None, "t"])),
        priority=draw(st.integers(0, 100)),
        lasts=draw(st.none() | TIMES),
        until=draw(st.none() | EVENTS),
        binds_on=draw(st.none() | st.none() | EVENTS),
        least=draw(st.none() | st.integers(1, len(keys))),
        patience=draw(st.integers(0, 4)),
        revision=draw(st.integers(0, 3)),
        directives=tuple(draw(some)),
    )


class Ledgers(RuleBasedStateMachine):
    """The ledger beside sets of keys; nothing here is computed as the ledger computes it."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(quotas={"t": QUOTA})
        self.held: dict[str, tuple[Terms, dict[str, int]]] = {}  # blocks and when each ends
        self.waiting: dict[str, tuple[Terms, int | None]] = {}  # and the last moment, once bound
        self.there: set[str] = set()
        self.must_hold = 0
        self.seen = 0

    # The model's own rules.

    def owed(self, besides: str = "") -> set[str]:
        return {
            key
            for name, (terms, ends) in self.held.items()
            for key in ends
            if terms.guarantee is Guarantee.HARD and name != besides
        }

    def fits(self, terms: Terms, count: int) -> bool:
        keys = {str(block.key) for block in terms.blocks[:count]}
        size = sum(SIZES[key] for key in keys)
        theirs = sum(
            sum(SIZES[key] for key in ends)
            for name, (other, ends) in self.held.items()
            if other.tenant == "t" and other.guarantee is Guarantee.HARD and name != terms.name
        )
        if terms.tenant == "t" and terms.guarantee is Guarantee.HARD and theirs + size > QUOTA:
            return False
        together = sum(SIZES[key] for key in keys | self.owed(terms.name))
        return together + self.must_hold + MIN_ACTIVE <= CAPACITY

    def longest(self, terms: Terms) -> int:
        most = len(terms.blocks)
        least = most if terms.least is None else terms.least
        return max((n for n in range(least, most + 1) if self.fits(terms, n)), default=0)

    def grant(self, terms: Terms, count: int) -> None:
        ends: dict[str, int] = {}
        for place, block in enumerate(terms.blocks[:count]):
            lasts = terms.lasts
            for directive in terms.directives:
                if directive.start <= place < directive.end and directive.lasts is not None:
                    lasts = directive.lasts
            ends[str(block.key)] = 10**9 if lasts is None else self.ledger.now + lasts
        self.held[terms.name] = (terms, ends)

    def expected(self, terms: Terms) -> Answer:
        old = self.held.get(terms.name) or self.waiting.get(terms.name)
        if old is None:
            return self.expected_anew(terms)
        if old[0] == terms:
            return Answer.DUPLICATE
        if old[0].holder != terms.holder or old[0].revision >= terms.revision:
            return Answer.REFUSED
        if self.waiting.pop(terms.name, None):
            return self.expected_anew(terms)
        count = self.longest(terms)
        if count:
            self.grant(terms, count)
        return {0: Answer.REFUSED, len(terms.blocks): Answer.APPLIED}.get(count, Answer.CLIPPED)

    def expected_anew(self, terms: Terms) -> Answer:
        if terms.binds_on is not None:
            self.waiting[terms.name] = (terms, None)
            return Answer.DEFERRED
        count = self.longest(terms)
        if count:
            self.grant(terms, count)
            return Answer.ACCEPTED if count == len(terms.blocks) else Answer.CLIPPED
        if terms.patience and sum(block.size for block in terms.blocks) <= CAPACITY:
            self.waiting[terms.name] = (terms, self.ledger.now + terms.patience)
            return Answer.DEFERRED
        return Answer.REFUSED

    def pool(self) -> Pool:
        return Pool(capacity=CAPACITY, must_hold=self.must_hold, min_active=MIN_ACTIVE)

    # What may happen.

    @rule(terms=any_terms())
    def request(self, terms: Terms) -> None:
        expected = self.expected(terms)
        assert self.ledger.request([terms], self.pool()) == {terms.name: expected}

    @rule(must_hold=st.integers(0, 9))
    def others_hold(self, must_hold: int) -> None:
        # Only what admission would let be held beside the claims.
        room = CAPACITY - sum(SIZES[key] for key in self.owed())
        self.must_hold = min(must_hold, room)

    @rule(name=NAMES, holder=st.sampled_from(["x", "y"]))
    def release(self, name: str, holder: str) -> None:
        old = self.held.get(name) or self.waiting.get(name)
        expected = Answer.APPLIED if old else Answer.MISSING
        if old and old[0].holder != holder:
            expected = Answer.REFUSED
        else:
            self.held.pop(name, None)
            self.waiting.pop(name, None)
        assert self.ledger.release(name, holder) is expected

    @rule(by=st.integers(0, 4))
    def advance(self, by: int) -> None:
        now = self.ledger.now + by
        self.ledger.advance(now)
        for name, (terms, last) in list(self.waiting.items()):
            if last is not None and last <= now:
                del self.waiting[name]
                assert self.ledger.states[terms.name] is State.REFUSED
        for name, (terms, ends) in list(self.held.items()):
            left = {key: end for key, end in ends.items() if end > now}
            self.held[name] = (terms, left)
            if not left:
                del self.held[name]
                assert self.ledger.states[name] is State.EXPIRED

    @rule(event=EVENTS)
    def signal(self, event: str) -> None:
        self.ledger.signal(event)
        for name, (terms, _) in list(self.held.items()):
            if terms.until == event:
                del self.held[name]
        for name, (terms, last) in list(self.waiting.items()):
            if terms.until == event:
                del self.waiting[name]
            elif terms.binds_on == event and last is None:
                self.waiting[name] = (terms, self.ledger.now + terms.patience)

    @precondition(lambda self: self.waiting)
    @rule()
    def retry(self) -> None:
        expected = {}
        for name, (terms, last) in sorted(
            self.waiting.items(), key=lambda each: (-each[1][0].priority, each[0])
        ):
            count = self.longest(terms) if last is not None else 0
            if count:
                del self.waiting[name]
                self.grant(terms, count)
                whole = count == len(terms.blocks)
                expected[name] = Answer.ACCEPTED if whole else Answer.CLIPPED
        assert self.ledger.retry(self.pool()) == expected

    @rule(key=st.sampled_from(sorted(SIZES)))
    def placed(self, key: str) -> None:
        self.there.add(key)
        self.ledger.placed(Block(key, SIZES[key]))

    @rule(key=st.sampled_from(sorted(SIZES)), to=st.sampled_from(["", "DRAM"]))
    def leave(self, key: str, to: str) -> None:
        over = {name: terms for name, (terms, ends) in self.held.items() if key in ends}
        hard = [name for name, terms in over.items() if terms.guarantee is Guarantee.HARD]
        start = len(self.ledger.log)
        assert self.ledger.leave(key, "someone", to) == tuple(sorted(hard))
        said = self.ledger.log[start:]
        if hard or key not in self.there:
            assert said == []
            return
        self.there.remove(key)
        # Every claim over it heard of it, before it went.
        *first, last = said
        assert last.kind is Kind.EVICTED
        told = {event.claim: event.kind for event in first if event.kind is not Kind.MATERIALIZED}
        for name, terms in over.items():
            kept = bool(to) and terms.on_loss is ClaimLoss.DEMOTE
            assert told.pop(name) is (Kind.DEMOTED if kept else Kind.LOST)
            if not kept:
                del self.held[name][1][key]
                if not self.held[name][1]:
                    del self.held[name]
                    assert self.ledger.states[name] is State.LOST
        assert told == {}

    @rule(name=NAMES)
    def fail(self, name: str) -> None:
        expected = Answer.MISSING
        if name in self.held:
            complete = self.held[name][1].keys() <= self.there
            expected = Answer.REFUSED if complete else Answer.APPLIED
            if not complete:
                del self.held[name]
        assert self.ledger.fail(name, "WHY") is expected

    @rule(keys=st.sets(st.sampled_from(sorted(SIZES))), other=st.integers(0, 12))
    def active(self, keys: set[str], other: int) -> None:
        wanted = [*(Block(key, SIZES[key]) for key in sorted(keys)), Block("other", other)]
        need = sum(block.size for block in wanted)
        free = CAPACITY - self.must_hold
        decision = self.ledger.active(
            "r", wanted, Pool(capacity=CAPACITY, must_hold=self.must_hold, free=free)
        )
        beside = sum(SIZES[key] for key in self.owed() - keys)
        assert decision.admitted == (need + beside + self.must_hold <= CAPACITY)
        assert {self.held[name][0].guarantee for name in decision.refused_by} <= {Guarantee.HARD}

    # What always holds.

    @invariant()
    def the_same_claims_stand_over_the_same_blocks(self) -> None:
        for name in ("p", "q", "r", "s"):
            keys = [block.key for block in self.ledger.blocks(name)]
            assert keys == list(self.held[name][1] if name in self.held else ())
            state = self.ledger.states.get(name)
            assert (state in IN_FORCE) == (name in self.held)
            assert (state is State.DEFERRED) == (name in self.waiting)
            if name in self.held:
                complete = self.held[name][1].keys() <= self.there
                assert (state is State.MATERIALIZED) == complete

    @invariant()
    def hard_claims_leave_active_work_its_least(self) -> None:
        assert self.ledger.claimed == sum(SIZES[key] for key in self.owed())
        assert self.ledger.claimed <= CAPACITY - MIN_ACTIVE

    @invariant()
    def nobody_loses_a_hard_claim(self) -> None:
        for event in self.ledger.log[self.seen :]:
            if event.kind in (Kind.LOST, Kind.DEMOTED):
                assert event.guarantee is Guarantee.SOFT
        self.seen = len(self.ledger.log)

    @invariant()
    def a_block_stands_as_firmly_as_its_firmest_claim(self) -> None:
        owed = self.owed()
        covered = set(chain.from_iterable(ends for _, ends in self.held.values()))
        for key in SIZES:
            strength = self.ledger.standing(key).strength
            assert (strength == 101) == (key in owed)
            assert (strength == -1) == (key not in covered)

    def teardown(self) -> None:
        read = replay(self.ledger.log)
        assert read == self.ledger.books
        assert read.digest == self.ledger.books.digest
        for name in list(self.held) + list(self.waiting):
            holder = (self.held.get(name) or self.waiting[name])[0].holder
            assert self.ledger.release(name, holder) is Answer.APPLIED
        assert self.ledger.claimed == 0
        assert replay(self.ledger.log).claimed == 0


Ledgers.TestCase.settings = settings(
    max_examples=30 * NIGHTLY, stateful_step_count=40, deadline=None
)
TestLedgers = pytest.mark.mechanism("S4-03", "S4-06")(Ledgers.TestCase)


def drawn_terms(draw: random.Random) -> Terms:
    keys = draw.sample(sorted(SIZES), draw.randint(1, 5))
    start = draw.randint(0, 3)
    directive = Directive(
        start=start,
        end=start + 2,
        priority=draw.randint(0, 100),
        lasts=draw.choice([None, 1, 2, 4]),
    )
    return Terms(
        name=draw.choice("pqrs"),
        holder=draw.choice("xxxy"),
        blocks=tuple(Block(key, SIZES[key]) for key in keys),
        guarantee=draw.choice(list(Guarantee)),
        on_loss=draw.choice(list(ClaimLoss)),
        tenant=draw.choice([None, "t"]),
        priority=draw.randint(0, 100),
        lasts=draw.choice([None, 1, 3, 6]),
        until=draw.choice([None, "END", "GO"]),
        binds_on=draw.choice([None, None, "END", "GO"]),
        least=draw.choice([None, 1, len(keys)]),
        patience=draw.randint(0, 4),
        revision=draw.randint(0, 3),
        directives=(directive,) * draw.randint(0, 1),
    )


KEYS = sorted(SIZES)
OPERATIONS: tuple[tuple[int, Callable[[Ledgers, random.Random], None]], ...] = (
    (4, lambda machine, draw: machine.request(drawn_terms(draw))),
    (1, lambda machine, draw: machine.others_hold(draw.randint(0, 9))),
    (1, lambda machine, draw: machine.release(draw.choice("pqrs"), draw.choice("xxy"))),
    (3, lambda machine, draw: machine.advance(draw.randint(0, 2))),
    (1, lambda machine, draw: machine.signal(draw.choice(["END", "GO"]))),
    (1, lambda machine, _: machine.retry()),
    (5, lambda machine, draw: machine.placed(draw.choice(KEYS))),
    (3, lambda machine, draw: machine.leave(draw.choice(KEYS), draw.choice(["", "DRAM"]))),
    (2, lambda machine, draw: machine.fail(draw.choice("pqrs"))),
    (2, lambda machine, draw: machine.active(set(draw.sample(KEYS, 3)), draw.randint(0, 12))),
)
WEIGHTS = [weight for weight, _ in OPERATIONS]


@pytest.mark.mechanism("S4-03", "S4-06")
def test_ten_thousand_operations_and_by_night_a_million_agree_with_the_model() -> None:
    draw = random.Random(4)  # noqa: S311 - not a secret
    for _ in range(50 * NIGHTLY):
        machine = Ledgers()
        for _, operation in draw.choices(OPERATIONS, WEIGHTS, k=200):
            operation(machine, draw)
            machine.the_same_claims_stand_over_the_same_blocks()
            machine.hard_claims_leave_active_work_its_least()
            machine.nobody_loses_a_hard_claim()
            machine.a_block_stands_as_firmly_as_its_firmest_claim()
        machine.teardown()
