"""Tenants that cannot touch, learn of or crowd out each other, whatever they send."""

from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mirc.controller.tenants.commands import Act, Command, Signed, sign
from mirc.controller.tenants.domains import Place, may_meet, may_share, may_use
from mirc.controller.tenants.tenancy import Outcome, Row, Tenancy, Tenant, Thing, replay
from tests.nightly import by_night

NIGHTLY = by_night(1, 20)
# red and rose are in one domain, blue in another, grey in none
TENANTS = (
    Tenant(name="red", key=b"r" * 16, quota_bytes=30, domain="warm"),
    Tenant(name="rose", key=b"s" * 16, quota_bytes=20, domain="warm"),
    Tenant(name="blue", key=b"b" * 16, quota_bytes=30, domain="cold"),
    Tenant(name="grey", key=b"g" * 16, quota_bytes=20),
)
THINGS = (
    Thing(name="r1", size_bytes=10, tenant="red", domain="warm", digest="x"),
    Thing(name="r2", size_bytes=10, tenant="red", domain="warm", digest="x"),
    Thing(name="r3", size_bytes=15, tenant="red", domain="warm", digest="y"),
    Thing(name="s1", size_bytes=10, tenant="rose", domain="warm", digest="x"),
    Thing(name="s2", size_bytes=12, tenant="rose", domain="warm"),
    Thing(name="b1", size_bytes=10, tenant="blue", domain="cold", digest="x"),
    Thing(name="b2", size_bytes=25, tenant="blue", domain="cold"),
    Thing(name="g1", size_bytes=10, tenant="grey"),
    Thing(name="warm", size_bytes=10, domain="warm"),
)
CAPACITY = 100  # the sum of all quotas
KEYS = {"red": b"r" * 16, "rose": b"s" * 16, "blue": b"b" * 16, "grey": b"g" * 16}
OWNER = {"r": "red", "s": "rose", "b": "blue", "g": "grey", "w": ""}
DOMAIN = {"red": "warm", "rose": "warm", "blue": "cold", "grey": "", "": "warm"}
SIZE = {"r1": 10, "r2": 10, "r3": 15, "s1": 10, "s2": 12, "b1": 10, "b2": 25, "g1": 10, "warm": 10}
QUOTA = {"red": 30, "rose": 20, "blue": 30, "grey": 20}
PERMITTED = (Outcome.DONE, Outcome.NOTHING)


def asked(
    tenant: str, counter: int, act: Act, name: str = "", other: str = "", *, key: bytes = b""
) -> Signed:
    command = Command(tenant=tenant, counter=counter, act=act, object=name, other=other)
    return sign(key or KEYS[tenant], command)


@pytest.fixture
def tenancy() -> Tenancy:
    return Tenancy(CAPACITY, TENANTS, THINGS)


class Tenants(RuleBasedStateMachine):
    """Any tenant sends anything, forges and repeats; the oracle knows names, sizes and owners."""

    def __init__(self) -> None:
        super().__init__()
        self.tenancy = Tenancy(CAPACITY, TENANTS, THINGS)
        self.counter = 0
        self.sent: list[Signed] = []
        self.shared: set[tuple[str, str]] = set()
        self.ended: set[str] = set()

    who = st.sampled_from(sorted(KEYS))
    what = st.sampled_from([*sorted(SIZE), "nothing"])

    def send(self, signed: Signed) -> Row:
        row = self.tenancy.submit(signed)
        self.sent.append(signed)
        return row

    @rule(tenant=who, name=what, act=st.sampled_from([Act.FETCH, Act.EVICT]))
    def move(self, tenant: str, name: str, act: Act) -> None:
        self.counter += 1
        row = self.send(asked(tenant, self.counter, act, name))
        if row.outcome in PERMITTED:
            owner = OWNER[name[0]]
            assert tenant not in self.ended
            assert owner in ("", tenant)
            assert DOMAIN[owner] == DOMAIN[tenant]

    @rule(tenant=who, name=what, other=who)
    def share(self, tenant: str, name: str, other: str) -> None:
        self.counter += 1
        row = self.send(asked(tenant, self.counter, Act.SHARE, name, other))
        if row.outcome is Outcome.DONE:
            assert OWNER[name[0]] == tenant
            assert DOMAIN[other] == DOMAIN[tenant]
            self.shared.add((name, other))

    @rule(tenant=who, name=what, other=what, act=st.sampled_from([Act.DEDUPLICATE, Act.JOIN]))
    def bring_together(self, tenant: str, name: str, other: str, act: Act) -> None:
        self.counter += 1
        row = self.send(asked(tenant, self.counter, act, name, other))
        if row.outcome in PERMITTED:
            assert OWNER[name[0]] == OWNER[other[0]] == tenant

    @rule(tenant=who, claimed=who, name=what)
    def forge(self, tenant: str, claimed: str, name: str) -> None:
        """Sign with one's own key what another is said to want."""
        self.counter += 1
        before = self.tenancy.held_bytes(claimed)
        row = self.send(asked(claimed, self.counter, Act.EVICT, name, key=KEYS[tenant]))
        if tenant != claimed:
            assert row.outcome is Outcome.FORGED
            assert self.tenancy.held_bytes(claimed) == before

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        if self.sent:
            again = data.draw(st.sampled_from(self.sent))
            row = self.tenancy.submit(again)
            assert row.outcome in (Outcome.REPLAYED, Outcome.FORGED)

    @rule(tenant=who, sure=st.integers(0, 5))
    def end(self, tenant: str, sure: int) -> None:
        if sure:
            return
        self.counter += 1
        if self.send(asked(tenant, self.counter, Act.END)).outcome is Outcome.DONE:
            self.ended.add(tenant)
            self.shared = {pair for pair in self.shared if tenant != pair[1]}
        assert self.tenancy.held_bytes(tenant) == 0

    @invariant()
    def no_quota_and_no_room_is_exceeded(self) -> None:
        held = {name: self.tenancy.held_bytes(name) for name in QUOTA}
        assert all(held[name] <= QUOTA[name] for name in QUOTA)
        assert sum(held.values()) == self.tenancy.used_bytes() <= CAPACITY

    @invariant()
    def nobody_reads_anothers_bytes_that_were_not_shared_with_it(self) -> None:
        for tenant in KEYS:
            for name, bytes_of in SIZE.items():
                try:
                    size = self.tenancy.read(tenant, name)
                except LookupError:
                    continue
                owner = OWNER[name[0]]
                assert size == bytes_of
                assert tenant not in self.ended
                assert owner not in self.ended
                assert DOMAIN[owner] == DOMAIN[tenant]
                assert owner in ("", tenant) or (name, tenant) in self.shared

    def teardown(self) -> None:
        again = replay(CAPACITY, TENANTS, THINGS, self.tenancy.log)
        assert again.state_hash() == self.tenancy.state_hash()
        for tenant in sorted(KEYS):
            self.counter += 1
            self.tenancy.submit(asked(tenant, self.counter, Act.END))
        assert self.tenancy.used_bytes() == 0, "accounting goes back to zero"


Tenants.TestCase.settings = settings(
    max_examples=25 * NIGHTLY, stateful_step_count=40 * NIGHTLY, deadline=None
)
TestTenants = pytest.mark.mechanism("S5-05", "S0-21")(Tenants.TestCase)


def test_a_forged_command_costs_its_victim_nothing(tenancy: Tenancy) -> None:
    tenancy.submit(asked("red", 1, Act.FETCH, "r1"))
    # blue forges a command of red with the highest counter: the next true one still counts
    forged = asked("red", (1 << 64) - 1, Act.END, key=KEYS["blue"])
    assert tenancy.submit(forged).outcome is Outcome.FORGED
    assert tenancy.submit(asked("red", 2, Act.FETCH, "r2")).outcome is Outcome.DONE


@pytest.mark.mechanism("S5-05")
def test_a_command_is_good_once(tenancy: Tenancy) -> None:
    fetch = asked("red", 5, Act.FETCH, "r1")
    assert tenancy.submit(fetch).outcome is Outcome.DONE
    tenancy.submit(asked("red", 6, Act.EVICT, "r1"))
    assert tenancy.submit(fetch).outcome is Outcome.REPLAYED
    assert tenancy.used_bytes() == 0


@pytest.mark.mechanism("S0-21")
@pytest.mark.parametrize("act", [Act.DEDUPLICATE, Act.JOIN])
def test_equal_bytes_of_two_owners_are_never_one(tenancy: Tenancy, act: Act) -> None:
    # r1, s1 and b1 hold the same bytes
    assert tenancy.submit(asked("red", 1, act, "r1", "b1")).outcome is Outcome.CROSS_DOMAIN
    assert tenancy.submit(asked("red", 2, act, "r1", "s1")).outcome is Outcome.CROSS_DOMAIN
    assert tenancy.submit(asked("red", 3, act, "r1", "r2")).outcome is Outcome.DONE


@pytest.mark.mechanism("S0-21")
def test_nothing_is_shared_across_domains(tenancy: Tenancy) -> None:
    assert tenancy.submit(asked("red", 1, Act.SHARE, "r1", "blue")).outcome is Outcome.CROSS_DOMAIN
    assert tenancy.submit(asked("red", 2, Act.SHARE, "r1", "rose")).outcome is Outcome.DONE
    tenancy.submit(asked("red", 3, Act.FETCH, "r1"))
    assert tenancy.read("rose", "r1") == 10
    with pytest.raises(LookupError, match="not blue's"):
        tenancy.read("blue", "r1")
    # the domain's own object is no other domain's, and not one's who is in none
    assert tenancy.submit(asked("blue", 1, Act.FETCH, "warm")).outcome is Outcome.CROSS_DOMAIN
    assert tenancy.submit(asked("grey", 1, Act.FETCH, "warm")).outcome is Outcome.CROSS_DOMAIN
    assert tenancy.submit(asked("rose", 1, Act.FETCH, "warm")).outcome is Outcome.DONE


def test_one_copy_of_equal_bytes_takes_room_once(tenancy: Tenancy) -> None:
    for counter, name in enumerate(("r1", "r2")):
        tenancy.submit(asked("red", counter, Act.FETCH, name))
    assert tenancy.held_bytes("red") == 20
    tenancy.submit(asked("red", 2, Act.DEDUPLICATE, "r1", "r2"))
    assert tenancy.held_bytes("red") == 10
    assert tenancy.read("red", "r2") == 10
    answer = tenancy.submit(asked("red", 3, Act.DEDUPLICATE, "r1", "r3"))
    assert answer.outcome is Outcome.DIFFERENT


def test_a_coalition_comes_whole_or_not_at_all(tenancy: Tenancy) -> None:
    tenancy.submit(asked("red", 1, Act.JOIN, "r1", "r3"))
    tenancy.submit(asked("red", 2, Act.FETCH, "r2"))
    # 10 are held; r1 and r3 take 25 more, and the quota is 30
    assert tenancy.submit(asked("red", 3, Act.FETCH, "r1")).outcome is Outcome.OVER_QUOTA
    tenancy.submit(asked("red", 4, Act.EVICT, "r2"))
    assert tenancy.submit(asked("red", 5, Act.FETCH, "r1")).outcome is Outcome.DONE
    assert tenancy.read("red", "r3") == 15


def test_a_tenant_that_ended_leaves_nothing_and_is_nobody(tenancy: Tenancy) -> None:
    tenancy.submit(asked("red", 1, Act.FETCH, "r1"))
    tenancy.submit(asked("red", 2, Act.SHARE, "r1", "rose"))
    tenancy.submit(asked("red", 3, Act.END))
    assert tenancy.used_bytes() == 0
    assert tenancy.submit(asked("red", 4, Act.FETCH, "r1")).outcome is Outcome.FORGED
    with pytest.raises(LookupError):
        tenancy.read("rose", "r1")


@pytest.mark.mechanism("S5-05")
@pytest.mark.parametrize("change", ["outcome", "order", "tag"])
def test_a_log_that_was_tampered_with_does_not_replay(tenancy: Tenancy, change: str) -> None:
    tenancy.submit(asked("red", 1, Act.FETCH, "r1"))
    tenancy.submit(asked("blue", 1, Act.FETCH, "r1"))
    rows = list(tenancy.log)
    if change == "outcome":
        rows[1] = attrs.evolve(rows[1], outcome=Outcome.DONE)
    elif change == "order":
        rows.reverse()
    else:
        rows[0] = attrs.evolve(rows[0], signed=Signed(rows[0].signed.command, b""))
    with pytest.raises(ValueError, match="does not replay"):
        replay(CAPACITY, TENANTS, THINGS, rows)
    with pytest.raises(ValueError, match="row 1 does not replay"):
        replay(CAPACITY, TENANTS, THINGS, tenancy.log[1:])


REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(sorted(KEYS)),
        st.sampled_from([Act.FETCH, Act.EVICT, Act.JOIN, Act.DEDUPLICATE, Act.SHARE]),
        st.sampled_from([name for name in sorted(SIZE) if name != "warm"]),
        st.sampled_from([*sorted(SIZE)[:8], *sorted(KEYS)]),
    ),
    max_size=30,
)


@settings(max_examples=60 * NIGHTLY, deadline=None)
@given(requests=REQUESTS, watched=st.sampled_from(sorted(KEYS)))
def test_a_tenant_cannot_tell_whether_others_do_anything(
    requests: Sequence[tuple[str, Act, str, str]], watched: str
) -> None:
    # quotas add up to the capacity: what the others do changes no answer
    def answers(those: Sequence[tuple[str, Act, str, str]]) -> list[tuple[Outcome, str]]:
        tenancy = Tenancy(CAPACITY, TENANTS, THINGS)
        counters = dict.fromkeys(KEYS, 0)
        found = []
        for tenant, act, name, other in those:
            counters[tenant] += 1
            row = tenancy.submit(asked(tenant, counters[tenant], act, name, other))
            if tenant == watched:
                found.append((row.outcome, row.why))
        return found

    assert answers(requests) == answers([each for each in requests if each[0] == watched])


@pytest.mark.mechanism("S0-21")
def test_the_rules_of_domains_hold_for_every_pair() -> None:
    places = [Place(t, d) for t in (None, "a", "b") for d in (None, "x", "y")]
    for one in places:
        for two in places:
            if one.domain != two.domain:
                assert not may_use(one, two)
                assert not may_share(one, two)
                assert not may_meet(one, two)
            assert may_meet(one, two) == (one == two)
            assert may_use(one, two) <= (two.tenant in (None, one.tenant))


def test_what_contradicts_itself_is_no_tenancy() -> None:
    with pytest.raises(ValueError, match="twice"):
        Tenancy(CAPACITY, (*TENANTS, TENANTS[0]), THINGS)
    stray = Thing(name="z", size_bytes=1, tenant="red", domain="cold")
    with pytest.raises(ValueError, match="z is of no tenant"):
        Tenancy(CAPACITY, TENANTS, (stray,))
    with pytest.raises(ValueError, match="16 bytes"):
        Tenant(name="x", key=b"", quota_bytes=1)


@pytest.mark.mechanism("S5-05")
def test_the_digest_of_a_row_stands_for_all_rows_before_it() -> None:
    last = asked("red", 9, Act.FETCH, "r1")
    digests = set()
    for first in (asked("blue", 1, Act.FETCH, "b1"), asked("blue", 1, Act.EVICT, "b1")):
        tenancy = Tenancy(CAPACITY, TENANTS, THINGS)
        tenancy.submit(first)
        digests.add(tenancy.submit(last).chain)
    assert len(digests) == 2
