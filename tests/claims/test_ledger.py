"""A claim's life, from its request to its end, and the exact event of every turn in it."""

from itertools import permutations

import attrs
import pytest

from mirc.claims import (
    HARD,
    UNCLAIMED,
    Answer,
    Block,
    Cause,
    Directive,
    Kind,
    Ledger,
    Pool,
    Reason,
    Standing,
    State,
    Take,
    dwell,
)
from mirc.claims.replay import replay
from tests.claims.scenes import POOL, blocks, demotable, hard, place, since, soft, told


def consistent(ledger: Ledger) -> bool:
    return replay(ledger.log) == ledger.books


def state_of(ledger: Ledger, name: str) -> State:
    return ledger.states[name]


# Requests.


@pytest.mark.mechanism("S4-07")
def test_an_accepted_hard_claim_keeps_its_room_before_its_blocks_are_there() -> None:
    ledger = Ledger()
    claim = hard("prompt", 60)
    assert ledger.request([claim], POOL) == {"prompt": Answer.ACCEPTED}
    assert ledger.states == {"prompt": State.ACCEPTED}
    assert ledger.claimed == 60
    assert ledger.blocks("prompt") == blocks(60)
    assert ledger.log == [told(Kind.REQUESTED, claim, 60), told(Kind.ACCEPTED, claim, 60)]
    assert consistent(ledger)


def test_a_soft_claim_keeps_no_room() -> None:
    ledger = Ledger()
    ledger.request([soft("a", 60)], POOL)
    assert ledger.claimed == 0
    assert ledger.request([hard("b", 80)], POOL) == {"b": Answer.ACCEPTED}


@pytest.mark.mechanism("S4-06")
def test_claims_leave_active_work_the_least_that_it_needs() -> None:
    pool = Pool(capacity=80, min_active=20)
    assert Ledger().request([hard("a", 60)], pool) == {"a": Answer.ACCEPTED}
    ledger = Ledger()
    claim = hard("a", 61)
    assert ledger.request([claim], pool) == {"a": Answer.REFUSED}
    assert ledger.log[1] == told(Kind.REFUSED, claim, reason=Reason.ACTIVE_NEEDS, short=1)
    assert ledger.states == {"a": State.REFUSED}
    assert ledger.blocks("a") == ()
    assert consistent(ledger)


@pytest.mark.mechanism("S4-04")
def test_a_refused_claim_learns_who_is_in_its_way() -> None:
    ledger = Ledger()
    ledger.request([hard("a", "abc"), hard("b", "de")], Pool(capacity=8))
    claim = hard("c", "wxyz")
    assert ledger.request([claim], Pool(capacity=8)) == {"c": Answer.REFUSED}
    assert ledger.log[-1] == told(
        Kind.REFUSED, claim, reason=Reason.CLAIMED, blockers=("a",), short=1
    )


def test_what_must_be_held_is_named_too() -> None:
    ledger = Ledger()
    pool = Pool(capacity=8, must_hold=5, holding=(("wired", 5),))
    ledger.request([hard("c", "wxyz")], pool)
    assert (ledger.log[-1].reason, ledger.log[-1].blockers) == (Reason.MUST_HOLD, ("wired",))


def test_a_soft_claim_that_could_not_be_kept_is_refused_as_well() -> None:
    ledger = Ledger()
    ledger.request([hard("a", 70)], POOL)
    assert ledger.request([soft("b", "abcdefghijk")], POOL) == {"b": Answer.REFUSED}
    assert ledger.request([soft("b", "abcdefghij")], POOL) == {"b": Answer.ACCEPTED}


@pytest.mark.mechanism("S4-06")
def test_the_order_of_claims_asked_for_together_does_not_matter() -> None:
    batch = (hard("a", "ab", priority=9), hard("b", "cd", priority=9), hard("c", "ef", priority=10))
    books = set()
    for order in permutations(batch):
        ledger = Ledger()
        assert ledger.request(order, Pool(capacity=5)) == {
            "c": Answer.ACCEPTED,
            "a": Answer.ACCEPTED,
            "b": Answer.REFUSED,
        }
        assert [event.claim for event in ledger.log] == ["c", "c", "a", "a", "b", "b"]
        books.add(ledger.books.digest)
    assert len(books) == 1


def test_two_editions_asked_for_together_are_taken_in_their_order() -> None:
    ledger = Ledger()
    first, second = hard("a", "ab"), hard("a", "abc", revision=1)
    assert ledger.request([second, first], POOL) == {"a": Answer.APPLIED}
    assert ledger.blocks("a") == blocks("abc")


def test_a_claim_is_clipped_to_its_first_blocks_if_its_holder_would_have_them() -> None:
    claim = hard("b", "abcd", least=2)
    ledger = Ledger()
    ledger.request([hard("x", 6)], Pool(capacity=8))
    assert ledger.request([claim], Pool(capacity=8)) == {"b": Answer.CLIPPED}
    assert state_of(ledger, "b") is State.CLIPPED
    assert ledger.blocks("b") == blocks("ab")
    assert ledger.claimed == 8
    assert ledger.log[-1] == told(
        Kind.CLIPPED, claim, "ab", reason=Reason.CLAIMED, blockers=("x",), short=2
    )
    assert consistent(ledger)
    place(ledger, "ab")
    assert state_of(ledger, "b") is State.MATERIALIZED


def test_a_claim_is_clipped_no_further_than_its_holder_would() -> None:
    for least, answer in ((3, Answer.REFUSED), (1, Answer.CLIPPED), (None, Answer.REFUSED)):
        ledger = Ledger()
        claim = hard("b", "abcd", least=least)
        assert ledger.request([claim], Pool(capacity=2)) == {"b": answer}
        assert ledger.log[-1].reason == Reason.TOO_LARGE


def test_a_pool_promises_nothing_in_another_tier() -> None:
    ledger = Ledger()
    claim = soft("a", "a", tiers=("DRAM", "NVME"))
    assert ledger.request([claim], POOL) == {"a": Answer.UNSUPPORTED}
    assert ledger.log[-1] == told(Kind.UNSUPPORTED, claim, reason=Cause.OTHER_TIER)
    assert ledger.states == {"a": State.REFUSED}
    assert consistent(ledger)
    assert Ledger(tier="DRAM").request([claim], POOL) == {"a": Answer.ACCEPTED}
    assert Ledger().request([soft("a", "a", tiers=("HBM",))], POOL) == {"a": Answer.ACCEPTED}


# Quotas.


def test_hard_claims_of_a_tenant_stay_within_its_quota() -> None:
    ledger = Ledger(quotas={"t": 5})
    ledger.request([hard("a", "abc", tenant="t"), hard("x", "xyz", tenant="u")], POOL)
    late = hard("b", "efg", tenant="t")
    assert ledger.request([late], POOL) == {"b": Answer.REFUSED}
    assert ledger.log[-1] == told(Kind.REFUSED, late, reason=Cause.QUOTA, blockers=("a",), short=1)
    assert ledger.request([hard("b", "ef", tenant="t")], POOL) == {"b": Answer.ACCEPTED}
    assert ledger.request([soft("s", "hijklmn", tenant="t")], POOL) == {"s": Answer.ACCEPTED}
    assert ledger.request([hard("f", "hijklmn")], POOL) == {"f": Answer.ACCEPTED}
    # What one tenant holds softly counts for no other claim of it.
    assert ledger.release("b", "b's") is Answer.APPLIED
    assert ledger.request([hard("c", "ef", tenant="t")], POOL) == {"c": Answer.ACCEPTED}


# Again.


def test_the_same_claim_asked_for_again_is_a_duplicate() -> None:
    ledger = Ledger()
    claim = hard("a", "ab")
    ledger.request([claim], POOL)
    assert ledger.request([claim], POOL) == {"a": Answer.DUPLICATE}
    assert since(ledger, 2) == [told(Kind.REQUESTED, claim, "ab"), told(Kind.DUPLICATE, claim)]
    assert ledger.states == {"a": State.ACCEPTED}
    assert ledger.claimed == 2
    assert consistent(ledger)


@pytest.mark.parametrize(("revision", "stands"), [(2, 2), (1, 2)])
def test_an_edition_as_old_as_the_one_that_stands_is_refused(revision: int, stands: int) -> None:
    ledger = Ledger()
    ledger.request([hard("a", "ab", revision=stands)], POOL)
    late = hard("a", "abc", revision=revision)
    assert ledger.request([late], POOL) == {"a": Answer.REFUSED}
    assert ledger.log[-1] == told(Kind.REFUSED, late, reason=Cause.OLD_REVISION)
    assert ledger.blocks("a") == blocks("ab")
    assert consistent(ledger)


def test_only_the_holder_revises() -> None:
    ledger = Ledger()
    ledger.request([hard("a", "ab")], POOL)
    late = hard("a", "abc", revision=1, holder="someone")
    assert ledger.request([late], POOL) == {"a": Answer.REFUSED}
    assert ledger.log[-1] == told(Kind.REFUSED, late, reason=Cause.NOT_HOLDER)
    assert ledger.states == {"a": State.ACCEPTED}


def test_a_later_edition_is_judged_as_if_its_own_room_were_free() -> None:
    ledger = Ledger(quotas={"t": 8})
    old = hard("a", "abcde", tenant="t")
    ledger.request([old], Pool(capacity=8))
    place(ledger, "a")
    new = hard("a", "bcdefghi", tenant="t", revision=1, priority=50)
    assert ledger.request([new], Pool(capacity=8)) == {"a": Answer.APPLIED}
    assert since(ledger, 3) == [
        told(Kind.REQUESTED, new, "bcdefghi"),
        told(Kind.REVISED, old, "abcde"),
        told(Kind.ACCEPTED, new, "bcdefghi"),
    ]
    assert ledger.claimed == 8
    assert ledger.standing("a") == Standing(UNCLAIMED, 0)
    assert consistent(ledger)


def test_a_refused_edition_leaves_the_old_one_as_it_was() -> None:
    ledger = Ledger()
    old = hard("a", "abcde")
    ledger.request([old], Pool(capacity=8))
    new = hard("a", "abcdefghi", revision=1)
    assert ledger.request([new], Pool(capacity=8)) == {"a": Answer.REFUSED}
    assert ledger.log[-1] == told(Kind.REFUSED, new, reason=Reason.TOO_LARGE, short=1)
    assert ledger.blocks("a") == blocks("abcde")
    assert ledger.claimed == 5
    assert ledger.states == {"a": State.ACCEPTED}
    assert ledger.leave("a", "x") == ("a",)
    assert ledger.standing("a").strength == HARD
    assert consistent(ledger)


def test_a_clipped_edition_says_that_it_is() -> None:
    ledger = Ledger()
    ledger.request([hard("a", "abc")], Pool(capacity=4))
    new = hard("a", "abcdef", revision=1, least=1)
    assert ledger.request([new], Pool(capacity=4)) == {"a": Answer.CLIPPED}
    assert ledger.blocks("a") == blocks("abcd")


def test_a_later_edition_of_what_waits_takes_its_place_in_the_queue() -> None:
    ledger = Ledger()
    ledger.request([hard("x", "xyz")], Pool(capacity=4))
    old = hard("a", "ab", patience=5)
    assert ledger.request([old], Pool(capacity=4)) == {"a": Answer.DEFERRED}
    new = hard("a", "a", revision=1)
    assert ledger.request([new], Pool(capacity=4)) == {"a": Answer.ACCEPTED}
    assert since(ledger, 4) == [
        told(Kind.REQUESTED, new, "a"),
        told(Kind.REVISED, old),
        told(Kind.ACCEPTED, new, "a"),
    ]
    assert consistent(ledger)
    worse = hard("b", "ab", patience=5)
    ledger.request([worse], Pool(capacity=4))
    ledger.request([attrs.evolve(worse, patience=0, revision=1)], Pool(capacity=4))
    assert state_of(ledger, "b") is State.REFUSED
    assert consistent(ledger)


# Waiting.


def test_a_patient_claim_waits_until_there_is_room() -> None:
    ledger = Ledger()
    small = Pool(capacity=5)
    ledger.request([hard("x", "xyz")], small)
    claim = hard("a", "abc", patience=4)
    assert ledger.request([claim], small) == {"a": Answer.DEFERRED}
    assert ledger.log[-1] == told(
        Kind.DEFERRED, claim, reason=Reason.CLAIMED, blockers=("x",), short=1
    )
    assert state_of(ledger, "a") is State.DEFERRED
    assert ledger.retry(small) == {}
    assert consistent(ledger)
    ledger.release("x", "x's")
    assert ledger.retry(small) == {"a": Answer.ACCEPTED}
    assert ledger.log[-1] == told(Kind.ACCEPTED, claim, "abc")
    assert ledger.retry(small) == {}
    assert consistent(ledger)


def test_what_waits_is_granted_by_priority_then_name() -> None:
    ledger = Ledger()
    small = Pool(capacity=4)
    ledger.request([hard("x", "wxyz")], small)
    for name, priority in (("b", 1), ("a", 1), ("c", 2)):
        ledger.request([hard(name, f"{name}{name.upper()}", priority=priority, patience=9)], small)
    ledger.release("x", "x's")
    assert list(ledger.retry(small).items()) == [
        ("c", Answer.ACCEPTED),
        ("a", Answer.ACCEPTED),
    ]
    assert state_of(ledger, "b") is State.DEFERRED


def test_patience_ends_at_its_time_and_not_before() -> None:
    ledger = Ledger()
    ledger.advance(10)
    ledger.request([hard("x", "xyz")], Pool(capacity=4))
    claim = hard("a", "ab", patience=4)
    ledger.request([claim], Pool(capacity=4))
    ledger.advance(13)
    assert state_of(ledger, "a") is State.DEFERRED
    assert len(ledger.log) == 4
    ledger.advance(14)
    assert state_of(ledger, "a") is State.REFUSED
    assert ledger.log[4:] == [told(Kind.REFUSED, claim, at=14, reason=Cause.PATIENCE)]
    assert consistent(ledger)
    ledger.release("x", "x's")
    assert ledger.retry(Pool(capacity=4)) == {}


def test_no_patience_helps_a_claim_that_the_empty_pool_would_not_hold() -> None:
    ledger = Ledger()
    assert ledger.request([hard("a", "ab", patience=4)], Pool(capacity=1)) == {"a": Answer.REFUSED}


def test_a_claim_binds_on_its_event_and_not_before() -> None:
    ledger = Ledger()
    claim = hard("a", "ab", binds_on="PREFILL_DONE", patience=3)
    assert ledger.request([claim], POOL) == {"a": Answer.DEFERRED}
    assert ledger.log[-1] == told(Kind.DEFERRED, claim, reason=Cause.CONDITION)
    assert ledger.claimed == 0
    ledger.signal("SOMETHING_ELSE")
    ledger.advance(50)  # its patience begins with the event
    assert ledger.retry(POOL) == {}
    ledger.signal("PREFILL_DONE")
    ledger.advance(52)
    ledger.signal("PREFILL_DONE")  # a second time changes nothing
    assert state_of(ledger, "a") is State.DEFERRED
    ledger.advance(53)
    assert state_of(ledger, "a") is State.REFUSED
    ledger.request([attrs.evolve(claim, revision=1)], POOL)
    ledger.signal("PREFILL_DONE")
    assert ledger.retry(POOL) == {"a": Answer.ACCEPTED}
    assert consistent(ledger)


# Active requests.


@pytest.mark.mechanism("S4-07")
def test_active_work_is_refused_whole_at_admission_by_the_claim_in_its_way() -> None:
    ledger = Ledger()
    ledger.request([hard("prompt", 60)], POOL)
    place(ledger, 60)
    start = len(ledger.log)
    wanted = tuple(Block(f"p{i}") for i in range(70))
    decision = ledger.active("prefill", wanted, Pool(capacity=80, free=20, min_active=20))
    assert (decision.reason, decision.refused_by, decision.short) == (
        Reason.CLAIMED,
        ("prompt",),
        50,
    )
    assert since(ledger, start) == [
        told(
            Kind.DENIED,
            blocks=wanted,
            reason=Reason.CLAIMED,
            blockers=("prompt",),
            short=50,
            for_whom="prefill",
        )
    ]
    fits = ledger.active("prefill", wanted[:20], Pool(capacity=80, free=20, min_active=20))
    assert fits.reason is Reason.FITS
    assert ledger.log[-1] == told(
        Kind.ADMITTED, blocks=wanted[:20], reason=Reason.FITS, for_whom="prefill"
    )
    assert consistent(ledger)


def test_an_active_request_may_have_to_wait_or_to_make_room() -> None:
    ledger = Ledger()
    wait = ledger.active("r", blocks("ab"), Pool(capacity=8, free=1))
    assert (wait.reason, ledger.log[-1].kind) == (Reason.NOT_NOW, Kind.STALLED)
    made = ledger.active("r", blocks("ab"), Pool(capacity=8, free=1, soft=1))
    assert made.take == Take(1, 0, 0, 0, 1)
    assert (ledger.log[-1].kind, ledger.log[-1].reason) == (Kind.ADMITTED, Reason.ROOM_MADE)


def test_room_that_a_claim_keeps_for_a_block_is_that_blocks() -> None:
    ledger = Ledger()
    ledger.request([hard("a", "abcdef"), hard("b", "gh")], Pool(capacity=8))
    pool = Pool(capacity=8, free=8)
    assert ledger.active("r", blocks("abcdef"), pool).admitted
    refused = ledger.active("r", blocks("abcdefx"), pool)
    # One too many: a's blocks are the request's own, so only b is in its way.
    assert (refused.short, refused.refused_by) == (1, ("b",))


# Blocks come and go.


def test_a_claim_materializes_once_with_its_last_block() -> None:
    ledger = Ledger()
    claim = soft("a", "ab")
    ledger.request([claim], POOL)
    place(ledger, "ba")
    ledger.placed(Block("a"))  # it is there already
    assert since(ledger, 2) == [
        told(Kind.PLACED, text="b"),
        told(Kind.PLACED, text="a"),
        told(Kind.MATERIALIZED, claim, "ab"),
    ]
    assert ledger.states == {"a": State.MATERIALIZED}
    assert consistent(ledger)


def test_a_claim_over_what_is_there_materializes_at_once() -> None:
    ledger = Ledger()
    place(ledger, "ab")
    claim = hard("a", "ab")
    assert ledger.request([claim], POOL) == {"a": Answer.ACCEPTED}
    assert since(ledger, 3) == [
        told(Kind.ACCEPTED, claim, "ab"),
        told(Kind.MATERIALIZED, claim, "ab"),
    ]
    assert ledger.states == {"a": State.MATERIALIZED}


def test_what_nobody_claims_goes_by_an_ordinary_eviction() -> None:
    ledger = Ledger()
    place(ledger, "ab")
    assert ledger.leave("a", "prefill") == ()
    assert ledger.log[-1] == told(Kind.EVICTED, text="a", for_whom="prefill")
    assert ledger.leave("a", "prefill") == ()
    assert ledger.leave("nothing", "prefill") == ()
    assert len(ledger.log) == 3
    assert ledger.books.there == blocks("b")


def test_a_hard_claims_block_does_not_go_and_its_claims_are_named() -> None:
    ledger = Ledger()
    ledger.request([hard("b", "a"), hard("a", "ab"), soft("c", "a")], POOL)
    place(ledger, "ab")
    start = len(ledger.log)
    assert ledger.leave("a", "prefill") == ("a", "b")
    assert ledger.leave("b", "prefill", to="DRAM") == ("a",)
    assert since(ledger, start) == []
    assert ledger.books.there == blocks("ab")


@pytest.mark.mechanism("S3-19", "S2-19", "S4-06")
def test_a_soft_loss_is_said_before_the_block_goes() -> None:
    ledger = Ledger()
    first = soft("a", "ab", priority=40, directives=(Directive(start=0, end=1, priority=70),))
    second = soft("b", "a", priority=20)
    ledger.request([first, second], POOL)
    place(ledger, "ab")
    start = len(ledger.log)
    assert ledger.leave("a", "prefill") == ()
    assert since(ledger, start) == [
        told(Kind.LOST, first, "a", priority=70, for_whom="prefill"),
        told(Kind.LOST, second, "a", for_whom="prefill"),
        told(Kind.EVICTED, text="a", for_whom="prefill"),
    ]
    # The one has another block; the other has none left.
    assert ledger.states == {"a": State.MATERIALIZED, "b": State.LOST}
    assert ledger.blocks("a") == blocks("b")
    assert ledger.blocks("b") == ()
    assert consistent(ledger)
    ledger.placed(Block("a"))
    assert ledger.standing("a") == Standing(UNCLAIMED, 0)
    assert ledger.release("b", "b's") is Answer.MISSING


def test_the_expiry_of_what_is_missing_can_complete_a_claim() -> None:
    ledger = Ledger()
    claim = soft("a", "ab", directives=(Directive(start=1, end=2, priority=3, lasts=5),))
    ledger.request([claim], POOL)
    place(ledger, "a")
    ledger.advance(5)
    assert since(ledger, 3) == [
        told(Kind.EXPIRED, claim, "b", at=5, reason=Cause.TIME),
        told(Kind.MATERIALIZED, claim, "a", at=5),
    ]
    assert consistent(ledger)


def test_a_demoted_block_stays_its_claims_own_and_comes_back() -> None:
    ledger = Ledger()
    claim = demotable("a", "ab")
    ledger.request([claim], POOL)
    place(ledger, "ab")
    start = len(ledger.log)
    assert ledger.leave("b", "prefill", to="DRAM") == ()
    assert since(ledger, start) == [
        told(Kind.DEMOTED, claim, "b", for_whom="prefill", to="DRAM"),
        told(Kind.EVICTED, text="b", for_whom="prefill", to="DRAM"),
    ]
    assert ledger.states == {"a": State.DEMOTED}
    assert ledger.blocks("a") == blocks("ab")
    assert consistent(ledger)
    ledger.placed(Block("b"))
    assert since(ledger, start + 2) == [
        told(Kind.PLACED, text="b"),
        told(Kind.MATERIALIZED, claim, "ab"),
    ]
    assert ledger.states == {"a": State.MATERIALIZED}


def test_a_claim_that_did_not_ask_for_demotion_loses_what_moves_down() -> None:
    ledger = Ledger()
    plain, kept = soft("a", "a"), demotable("b", "a")
    ledger.request([plain, kept], POOL)
    place(ledger, "a")
    ledger.leave("a", "prefill", to="DRAM")
    assert ledger.log[-3] == told(Kind.LOST, plain, "a", for_whom="prefill", to="DRAM")
    assert ledger.states == {"a": State.LOST, "b": State.DEMOTED}
    ledger.placed(Block("a"))
    ledger.leave("a", "prefill")
    assert ledger.log[-2] == told(Kind.LOST, kept, "a", for_whom="prefill")
    assert ledger.states == {"a": State.LOST, "b": State.LOST}
    assert consistent(ledger)


def test_a_write_that_is_not_kept_is_said_and_changes_nothing() -> None:
    ledger = Ledger()
    ledger.bypassed(Block("a", 3), "prefill")
    assert ledger.log == [told(Kind.BYPASSED, blocks=(Block("a", 3),), for_whom="prefill")]
    assert ledger.books.there == ()


def test_the_weakest_and_latest_block_yields_first() -> None:
    ledger = Ledger()
    ledger.request([soft("low", "abc", priority=0), soft("high", "cd", priority=100)], POOL)
    ledger.request([hard("hard", "e")], POOL)
    assert [ledger.standing(key) for key in "xabcde"] == [
        Standing(UNCLAIMED, 0),
        Standing(0, 0),
        Standing(0, -1),
        Standing(100, 0),
        Standing(100, -1),
        Standing(HARD, 0),
    ]
    assert sorted("xabcde", key=ledger.standing) == list("xbadce")
    assert (UNCLAIMED, HARD) == (-1, 101)


# Sharing.


def test_a_block_under_several_hard_claims_counts_once_until_the_last_ends() -> None:
    ledger = Ledger()
    ledger.request([hard("a", "abc"), hard("b", "bcd"), soft("s", "abcd")], POOL)
    assert ledger.claimed == 4
    ledger.release("a", "a's")
    assert ledger.claimed == 3
    assert consistent(ledger)
    assert ledger.standing("a").strength == 35
    ledger.release("b", "b's")
    assert ledger.claimed == 0
    assert consistent(ledger)


def test_the_sizes_of_blocks_count() -> None:
    ledger = Ledger(quotas={"t": 10})
    claim = hard("a", "ab", blocks=blocks("ab", 5), tenant="t")
    assert ledger.request([claim], Pool(capacity=9)) == {"a": Answer.REFUSED}
    assert ledger.request([claim], Pool(capacity=10)) == {"a": Answer.ACCEPTED}
    assert ledger.claimed == 10
    assert not ledger.active("r", (Block("x", 1),), Pool(capacity=10, free=10)).admitted
    ledger.release("a", "a's")
    assert ledger.claimed == 0
    ledger.quotas["t"] = 9
    assert ledger.request([claim], Pool(capacity=10)) == {"a": Answer.REFUSED}


def test_a_refusal_names_only_claims_whose_end_would_help() -> None:
    ledger = Ledger()
    # a and b share c: the end of either frees its own two blocks.
    ledger.request([hard("a", "xyc"), hard("b", "zwc"), soft("s", "pq")], Pool(capacity=8))
    refused = ledger.active("r", tuple(map(Block, range(5))), Pool(capacity=8, free=3))
    assert (refused.short, refused.refused_by) == (2, ("a",))
    refused = ledger.active("r", tuple(map(Block, range(6))), Pool(capacity=8, free=3))
    assert (refused.short, refused.refused_by) == (3, ("a", "b"))


# Ends.


@pytest.mark.mechanism("S4-06")
def test_a_release_frees_at_once() -> None:
    ledger = Ledger()
    claim = hard("a", "ab")
    ledger.request([claim], POOL)
    place(ledger, "ab")
    start = len(ledger.log)
    assert ledger.release("a", "a's") is Answer.APPLIED
    assert since(ledger, start) == [told(Kind.RELEASED, claim, "ab")]
    assert ledger.claimed == 0
    assert ledger.states == {"a": State.RELEASED}
    assert ledger.leave("a", "prefill") == ()
    assert ledger.release("a", "a's") is Answer.MISSING
    assert ledger.log[-1] == told(Kind.MISSING, claim="a", holder="a's")
    assert consistent(ledger)


def test_only_its_holder_releases_a_claim() -> None:
    ledger = Ledger()
    ledger.request([hard("a", "ab")], POOL)
    assert ledger.release("a", "someone") is Answer.REFUSED
    assert ledger.log[-1] == told(
        Kind.REFUSED, claim="a", holder="someone", reason=Cause.NOT_HOLDER
    )
    assert ledger.claimed == 2
    assert consistent(ledger)


def test_what_waits_can_be_released() -> None:
    ledger = Ledger()
    claim = hard("a", "ab", binds_on="X")
    ledger.request([claim], POOL)
    assert ledger.release("a", "a's") is Answer.APPLIED
    assert ledger.log[-1] == told(Kind.RELEASED, claim)
    assert ledger.states == {"a": State.RELEASED}
    assert consistent(ledger)
    ledger.signal("X")
    assert ledger.retry(POOL) == {}


@pytest.mark.mechanism("S2-12", "S2-19")
def test_a_dwell_timer_ends_exactly_at_its_step() -> None:
    ledger = Ledger()
    claim = dwell("sinks", "attention", ("t0", "t1"), 12)
    ledger.advance(3)
    ledger.request([claim], POOL)
    place(ledger, "")
    for key in ("t0", "t1"):
        ledger.placed(Block(key))
    ledger.advance(14)
    assert ledger.standing("t0").strength == 35
    assert ledger.states == {"sinks": State.MATERIALIZED}
    ledger.advance(15)
    assert ledger.standing("t0").strength == UNCLAIMED
    assert ledger.states == {"sinks": State.EXPIRED}
    assert ledger.log[-1] == told(
        Kind.EXPIRED,
        claim,
        at=15,
        blocks=(Block("t0"), Block("t1")),
        reason=Cause.TIME,
    )
    assert consistent(ledger)


def test_directives_end_one_after_the_other() -> None:
    ledger = Ledger()
    claim = hard(
        "a",
        "abcd",
        lasts=9,
        directives=(
            Directive(start=1, end=2, priority=5, lasts=6),
            Directive(start=2, end=4, priority=5, lasts=4),
        ),
    )
    ledger.request([claim], POOL)
    expired = []
    for now in range(12):
        ledger.advance(now)
        expired.append((ledger.claimed, ledger.states["a"]))
    assert expired == [
        *[(4, State.ACCEPTED)] * 4,
        *[(2, State.ACCEPTED)] * 2,
        *[(1, State.ACCEPTED)] * 3,
        *[(0, State.EXPIRED)] * 3,
    ]
    assert [event.blocks for event in since(ledger, 2)] == [blocks("cd"), blocks("b"), blocks("a")]
    assert consistent(ledger)


def test_ends_that_are_over_together_come_in_the_order_of_their_times() -> None:
    ledger = Ledger()
    for name, lasts in (("a", 5), ("b", 3), ("c", 3), ("d", 9)):
        ledger.request([soft(name, name, lasts=lasts)], POOL)
    ledger.advance(6)
    assert [event.claim for event in since(ledger, 8)] == ["b", "c", "a"]
    assert {event.at for event in since(ledger, 8)} == {6}


def test_an_old_end_does_not_end_a_later_edition() -> None:
    ledger = Ledger()
    ledger.request([soft("a", "ab", lasts=3)], POOL)
    ledger.advance(1)
    ledger.request([soft("a", "ab", lasts=9, revision=1)], POOL)
    ledger.advance(9)
    assert ledger.states == {"a": State.ACCEPTED}
    ledger.advance(10)
    assert ledger.states == {"a": State.EXPIRED}
    assert sum(event.kind is Kind.EXPIRED for event in ledger.log) == 1


def test_an_event_ends_the_claims_until_it_and_no_other() -> None:
    ledger = Ledger()
    claims = [hard("b", "ab", until="END"), hard("a", "c", until="END"), hard("z", "z", until="X")]
    waiting = hard("w", "w", until="END", binds_on="END")
    ledger.request([*claims, waiting], POOL)
    start = len(ledger.log)
    ledger.signal("END")
    assert since(ledger, start) == [
        told(Kind.EXPIRED, claims[1], "c", reason=Cause.EVENT),
        told(Kind.EXPIRED, claims[0], "ab", reason=Cause.EVENT),
        told(Kind.EXPIRED, waiting, reason=Cause.EVENT),
    ]
    assert ledger.claimed == 1
    assert state_of(ledger, "w") is State.EXPIRED
    assert ledger.retry(POOL) == {}
    assert consistent(ledger)


def test_a_claim_whose_blocks_cannot_be_made_ends_and_says_so() -> None:
    ledger = Ledger()
    claim = hard("a", "abc")
    ledger.request([claim], POOL)
    place(ledger, "a")
    start = len(ledger.log)
    assert ledger.fail("a", "LINK_DOWN") is Answer.APPLIED
    assert since(ledger, start) == [told(Kind.FAILED, claim, "abc", reason="LINK_DOWN")]
    assert ledger.states == {"a": State.FAILED}
    assert ledger.claimed == 0
    assert consistent(ledger)
    assert ledger.fail("a", "LINK_DOWN") is Answer.MISSING
    assert ledger.log[-1] == told(Kind.MISSING, claim="a", reason="LINK_DOWN")


def test_a_claim_whose_blocks_are_all_there_did_not_fail() -> None:
    ledger = Ledger()
    claim = hard("a", "a")
    ledger.request([claim], POOL)
    place(ledger, "a")
    assert ledger.fail("a", "LINK_DOWN") is Answer.REFUSED
    assert ledger.log[-1] == told(Kind.REFUSED, claim, reason=Cause.COMPLETE)
    assert ledger.states == {"a": State.MATERIALIZED}
    assert consistent(ledger)


def test_what_was_lost_below_cannot_be_brought_back() -> None:
    ledger = Ledger()
    ledger.request([demotable("a", "ab")], POOL)
    place(ledger, "ab")
    ledger.leave("a", "x", to="DRAM")
    assert ledger.fail("a", "DRAM_LOST") is Answer.APPLIED


def test_the_clock_does_not_go_back() -> None:
    ledger = Ledger()
    ledger.advance(4)
    ledger.advance(4)
    with pytest.raises(ValueError, match="the clock stands at 4 and cannot go back to 3"):
        ledger.advance(3)
    assert ledger.now == 4


def test_an_ended_name_can_be_claimed_again() -> None:
    ledger = Ledger()
    claim = hard("a", "ab")
    ledger.request([claim], POOL)
    ledger.release("a", "a's")
    assert ledger.request([claim], POOL) == {"a": Answer.ACCEPTED}
    assert consistent(ledger)


def test_what_no_longer_exists_is_not_lost() -> None:
    ledger = Ledger()
    both, one = hard("b", "ab"), soft("a", "a")
    ledger.request([both, one], POOL)
    place(ledger, "ab")
    start = len(ledger.log)
    ledger.retired("a")
    assert since(ledger, start) == [
        told(Kind.EXPIRED, one, "a", reason=Cause.LIFE),
        told(Kind.EXPIRED, both, "a", reason=Cause.LIFE),
        told(Kind.EVICTED, text="a", reason=Cause.LIFE),
    ]
    assert ledger.states == {"b": State.MATERIALIZED, "a": State.EXPIRED}
    assert ledger.claimed == 1
    assert consistent(ledger)
    ledger.retired("a")
    assert len(ledger.log) == start + 3


def test_a_block_that_never_came_can_end_its_life_too() -> None:
    ledger = Ledger()
    claim = hard("b", "ab")
    ledger.request([claim], POOL)
    ledger.retired("b")
    assert since(ledger, 2) == [told(Kind.EXPIRED, claim, "b", reason=Cause.LIFE)]
    assert ledger.blocks("b") == blocks("a")
    assert consistent(ledger)
