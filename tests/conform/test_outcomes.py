"""What became of a block is told from the log of events alone."""

import pytest

from mirc.claims import Block, Ledger, Pool, Terms
from mirc.conform.outcomes import Named, Outcome, outcomes
from tests.claims.scenes import POOL, demotable, hard, place, soft

pytestmark = pytest.mark.mechanism("S4-08")


def named(ledger: Ledger) -> list[tuple[Outcome, str]]:
    return [(outcome, about) for outcome, about, _ in outcomes(ledger.log)]


def test_an_unclaimed_block_is_evicted_ordinarily() -> None:
    ledger = Ledger()
    place(ledger, "ab")
    ledger.leave("b", "work")
    assert list(outcomes(ledger.log)) == [Named(Outcome.ORDINARY_EVICTION, "b", 2)]


def test_a_softly_claimed_one_by_soft_priority() -> None:
    ledger = Ledger()
    ledger.request([soft("s", "ab")], POOL)
    place(ledger, "ab")
    ledger.leave("b", "work")
    ledger.placed(Block("b"))
    ledger.leave("b", "work")  # its claim has given it up
    assert named(ledger) == [(Outcome.SOFT_PRIORITY, "b"), (Outcome.ORDINARY_EVICTION, "b")]


def test_a_demoted_one_by_demotion() -> None:
    ledger = Ledger()
    ledger.request([demotable("s", "ab")], POOL)
    place(ledger, "ab")
    ledger.leave("b", "work", to="DRAM")
    assert named(ledger) == [(Outcome.DEMOTION, "b")]


def test_claims_and_requests_have_outcomes_too() -> None:
    ledger = Ledger()
    ledger.request([hard("h", "abc", lasts=3), hard("f", "de")], Pool(capacity=6))
    ledger.active("work", (Block("x"), Block("y")), Pool(capacity=6, free=6))
    ledger.active("all", tuple(map(Block, range(7))), Pool(capacity=6, free=6))
    ledger.fail("f", "WHY")
    ledger.advance(3)
    ledger.bypassed(Block("z"), "work")
    assert named(ledger) == [
        (Outcome.HARD_CLAIM, "f"),
        (Outcome.HARD_CLAIM, "h"),
        (Outcome.ACTIVE_REFUSAL, "work"),
        (Outcome.MATERIALIZATION_FAILURE, "f"),
        (Outcome.EXPIRY, "h"),
        (Outcome.WRITE_NO_ADMIT, "z"),
    ]


@pytest.mark.parametrize("claim", [hard("c", "a"), soft("c", "a")])
def test_an_eviction_that_a_claim_was_not_told_of_is_a_broken_promise(claim: Terms) -> None:
    told, untold = Ledger(), Ledger()
    untold.request([claim], POOL)
    place(told, "a")
    told.leave("a", "work")
    assert [outcome for outcome, *_ in outcomes([*untold.log, *told.log])][-1] is (
        Outcome.BROKEN_PROMISE
    )


def test_an_edition_that_was_replaced_promises_nothing() -> None:
    ledger = Ledger()
    ledger.request([soft("s", "a")], POOL)
    ledger.request([soft("s", "b", revision=1)], POOL)
    place(ledger, "a")
    ledger.leave("a", "work")
    assert named(ledger) == [(Outcome.ORDINARY_EVICTION, "a")]
