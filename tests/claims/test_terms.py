"""Terms that mean nothing cannot be written; those that can say how firmly and how long."""

from typing import Any

import pytest

from mirc.claims import FOREVER, Block, Directive, Terms, dwell
from mirc.ir.enums import ClaimLoss, Guarantee

TWO = (Block("a"), Block("b", 3))


def terms(**fields: Any) -> Terms:
    return Terms(**({"name": "c", "holder": "h", "blocks": TWO} | fields))


@pytest.mark.mechanism("S4-01")
def test_a_claim_has_a_holder_blocks_a_guarantee_and_terms() -> None:
    claim = terms()
    assert (claim.name, claim.holder, claim.blocks) == ("c", "h", TWO)
    assert claim.guarantee is Guarantee.SOFT
    assert claim.on_loss is ClaimLoss.EVENT
    assert claim.priority == 35
    assert (claim.patience, claim.revision) == (0, 0)
    assert (claim.tiers, claim.directives) == ((), ())
    nothing = (claim.tenant, claim.lasts, claim.until, claim.binds_on, claim.least)
    assert nothing == (None,) * 5
    assert not claim.hard
    assert terms(guarantee=Guarantee.HARD).hard
    assert Block("a").size == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"blocks": ()}, "blocks"),
        ({"blocks": (Block("a"), Block("b"), Block("a", 2))}, "the claim `c` covers a block twice"),
        ({"blocks": (Block("a", 0),)}, "the claim `c` covers a block without a size"),
        ({"priority": -1}, "priority"),
        ({"priority": 101}, "priority"),
        ({"lasts": 0}, "lasts"),
        ({"least": 0}, "least"),
        ({"least": 3}, "the claim `c` wants more blocks than it covers"),
        ({"patience": -1}, "patience"),
        ({"revision": -1}, "revision"),
    ],
)
def test_terms_that_mean_nothing_cannot_be_written(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        terms(**wrong)


@pytest.mark.parametrize(
    "edge", [{"priority": 0}, {"priority": 100}, {"lasts": 1}, {"least": 1}, {"least": 2}]
)
def test_the_last_terms_that_mean_something_can(edge: dict[str, int]) -> None:
    (key,) = edge
    assert getattr(terms(**edge), key) == edge[key]


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": -1},
        {"end": 1},
        {"end": 0},
        {"priority": -1},
        {"priority": 101},
        {"lasts": 0},
    ],
)
def test_a_directive_covers_at_least_a_block(wrong: dict[str, int]) -> None:
    good: dict[str, int] = {"start": 1, "end": 2, "priority": 100, "lasts": 1}
    assert Directive(**good).end == 2
    assert Directive(start=0, end=1, priority=0).lasts is None
    with pytest.raises(ValueError, match=r"covers none|'(start|priority|lasts)' must be"):
        Directive(**(good | wrong))


def test_the_last_directive_over_a_block_says_its_priority_and_its_time() -> None:
    claim = terms(
        blocks=tuple(map(Block, "abcde")),
        priority=20,
        lasts=50,
        directives=(
            Directive(start=1, end=3, priority=80, lasts=7),
            Directive(start=2, end=4, priority=60),
        ),
    )
    assert [claim.priority_of(place) for place in range(5)] == [20, 80, 60, 60, 20]
    assert [claim.lasts_of(place) for place in range(5)] == [50, 7, 50, 50, 50]
    assert terms().lasts_of(0) == FOREVER


@pytest.mark.mechanism("S2-12")
def test_a_dwell_timer_is_a_soft_claim_by_steps() -> None:
    assert dwell("sinks", "attention", ("t0", "t1"), 12) == Terms(
        name="sinks",
        holder="attention",
        blocks=(Block("t0", 1), Block("t1", 1)),
        guarantee=Guarantee.SOFT,
        on_loss=ClaimLoss.EVENT,
        lasts=12,
    )
