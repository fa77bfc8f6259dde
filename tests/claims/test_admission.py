"""One function decides whether a newcomer has its room, from what, and who is in its way."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.claims.admission import NOTHING, Admission, Pool, Reason, Take, admit

AMOUNTS = st.integers(0, 40)
POOLS = st.builds(
    Pool,
    capacity=st.integers(0, 100),
    must_hold=AMOUNTS,
    claimed=AMOUNTS,
    min_active=AMOUNTS,
    free=AMOUNTS,
    clean=AMOUNTS,
    recomputable=AMOUNTS,
    spillable=AMOUNTS,
    soft=AMOUNTS,
)
# Powers of two, so that every sum says what it is made of.
EVERYTHING = Pool(capacity=100, free=1, clean=2, recomputable=4, spillable=8, soft=16)


@pytest.mark.parametrize(
    ("need", "take"),
    [
        (0, (0, 0, 0, 0, 0)),
        (1, (1, 0, 0, 0, 0)),
        (2, (1, 1, 0, 0, 0)),
        (3, (1, 2, 0, 0, 0)),
        (4, (1, 2, 1, 0, 0)),
        (7, (1, 2, 4, 0, 0)),
        (8, (1, 2, 4, 1, 0)),
        (15, (1, 2, 4, 8, 0)),
        (16, (1, 2, 4, 8, 1)),
        (31, (1, 2, 4, 8, 16)),
    ],
)
def test_room_is_taken_free_then_clean_then_recomputable_then_spilled_then_soft(
    need: int, take: tuple[int, ...]
) -> None:
    decision = admit(need, EVERYTHING)
    assert decision.take == Take(*take)
    assert decision.admitted
    assert decision.feasible
    assert decision.short == 0
    assert decision.refused_by == ()
    assert decision.reason is (Reason.FITS if need <= 1 else Reason.ROOM_MADE)


def test_the_parts_of_a_take_have_names() -> None:
    take = admit(31, EVERYTHING).take
    parts = (take.free, take.clean, take.recomputable, take.spilled, take.soft_broken)
    assert parts == (1, 2, 4, 8, 16)
    assert Take(free=0, clean=0, recomputable=0, spilled=0, soft_broken=0) == NOTHING


def test_what_cannot_be_moved_yet_makes_a_feasible_newcomer_wait() -> None:
    decision = admit(32, EVERYTHING)
    assert decision == Admission(reason=Reason.NOT_NOW, take=NOTHING, short=1, refused_by=())
    assert not decision.admitted
    assert decision.feasible


@pytest.mark.mechanism("S4-07")
def test_the_published_case_is_refused_by_the_claim() -> None:
    # 80 blocks, 60 claimed, 70 wanted: 50 short. 20 would fit exactly.
    full = Pool(capacity=80, claimed=60, free=20, claiming=(("prefix", 60),))
    refused = admit(70, full)
    assert refused == Admission(
        reason=Reason.CLAIMED, take=NOTHING, short=50, refused_by=("prefix",)
    )
    assert not refused.feasible
    assert admit(20, full).reason is Reason.FITS
    assert admit(21, full).short == 1


@pytest.mark.parametrize(
    ("pool", "most", "reason"),
    [
        (Pool(capacity=50, free=50), 50, Reason.TOO_LARGE),
        (Pool(capacity=50, free=50, min_active=7), 43, Reason.ACTIVE_NEEDS),
        (Pool(capacity=50, free=50, min_active=7, must_hold=5), 38, Reason.MUST_HOLD),
        (Pool(capacity=50, free=50, min_active=7, must_hold=5, claimed=3), 35, Reason.CLAIMED),
    ],
)
def test_each_obstacle_refuses_from_one_beyond_what_it_leaves(
    pool: Pool, most: int, reason: Reason
) -> None:
    assert admit(most, pool).reason is Reason.FITS
    refused = admit(most + 1, pool)
    assert refused.reason is reason
    assert refused.short == 1
    assert refused.take == NOTHING
    assert not refused.admitted
    assert not refused.feasible


def test_a_full_pool_is_no_reason_to_refuse() -> None:
    decision = admit(50, Pool(capacity=50, clean=50))
    assert decision.reason is Reason.ROOM_MADE
    assert decision.take.clean == 50


@pytest.mark.parametrize("owed", ["holding", "claiming"])
def test_a_refusal_names_the_fewest_whose_leaving_would_do(owed: str) -> None:
    # 60 of 80 are owed to five; 20 are left.
    named = (("b", 10), ("a", 10), ("big", 25), ("c", 10), ("d", 5))
    amount = {"holding": "must_hold", "claiming": "claimed"}[owed]
    for order in permutations(named):
        fields: dict[str, Any] = {amount: 60, owed: order}
        pool = Pool(capacity=80, free=20, **fields)
        assert admit(20, pool).refused_by == ()
        assert admit(21, pool).refused_by == ("big",)
        assert admit(45, pool).refused_by == ("big",)
        assert admit(46, pool).refused_by == ("big", "a")
        assert admit(56, pool).refused_by == ("big", "a", "b")
        assert admit(80, pool).refused_by == ("big", "a", "b", "c", "d")


def test_whoever_is_not_in_the_way_is_not_named() -> None:
    pool = Pool(capacity=10, must_hold=6, claimed=4, holding=(("wired", 6),), claiming=(("c", 4),))
    assert admit(5, pool).refused_by == ("wired",)
    assert admit(4, pool).refused_by == ("c",)
    assert admit(11, pool).refused_by == ()


def test_names_that_do_not_add_up_are_all_given() -> None:
    assert admit(9, Pool(capacity=10, claimed=9, claiming=(("a", 1),))).refused_by == ("a",)


def test_less_than_nothing_is_not_asked_for() -> None:
    with pytest.raises(ValueError, match="a newcomer needs -1, which is less than nothing"):
        admit(-1, EVERYTHING)


@pytest.mark.parametrize(
    "field",
    [
        "capacity",
        "must_hold",
        "claimed",
        "min_active",
        "free",
        "clean",
        "recomputable",
        "spillable",
        "soft",
    ],
)
def test_an_amount_is_a_whole_number_from_nothing_up(field: str) -> None:
    assert getattr(Pool(), field) == 0
    negative: dict[str, Any] = {field: -1}
    with pytest.raises(ValueError, match=field):
        Pool(**negative)
    broken: dict[str, Any] = {field: 1.5}
    with pytest.raises(TypeError, match=field):
        Pool(**broken)


@pytest.mark.mechanism("S4-03", "S4-04")
@given(st.integers(0, 120), POOLS)
def test_the_decision_is_total_and_the_same_every_time(need: int, pool: Pool) -> None:
    decision = admit(need, pool)
    assert decision == admit(need, pool)
    assert decision.reason in Reason
    # Independently: what is owed and the newcomer fit, or it is refused for good.
    owed = pool.must_hold + pool.claimed + pool.min_active
    assert decision.feasible == (need + owed <= pool.capacity)
    movable = pool.free + pool.clean + pool.recomputable + pool.spillable + pool.soft
    assert decision.admitted == (decision.feasible and need <= movable)
    assert sum(decision.take) == (need if decision.admitted else 0)
    assert (decision.short > 0) != decision.admitted


@given(st.integers(0, 120), POOLS, st.integers(0, 20))
def test_more_room_never_turns_a_yes_into_a_no(need: int, pool: Pool, more: int) -> None:
    wider = Pool(
        capacity=pool.capacity + more,
        must_hold=pool.must_hold,
        claimed=pool.claimed,
        min_active=pool.min_active,
        free=pool.free + more,
        clean=pool.clean,
        recomputable=pool.recomputable,
        spillable=pool.spillable,
        soft=pool.soft,
    )
    assert admit(need, wider).admitted >= admit(need, pool).admitted
    assert sum(admit(need, wider).take[1:]) <= sum(admit(need, pool).take[1:]) or not (
        admit(need, pool).admitted
    )
