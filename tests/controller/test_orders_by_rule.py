"""A rule of replacement orders the blocks of a cache; the tree that they form is the cache's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.keeping import Keeping, Recency
from mirc.controller.own import own_policy
from mirc.controller.ruled import Ruled, Tabled
from mirc.kernels.replacement.names import RULES
from mirc.kernels.replacement.state import HELD
from mirc.simulate.serving.prefix_trace import asked_by, most_hits, usable_hits
from mirc.traces.requests import Request
from tests.nightly import by_night

NAMES = [name for name, rule in RULES.items() if not rule.oracle]


@st.composite
def conversations(draw: st.DrawFn) -> list[Request]:
    """Requests that begin as one before them did, and go on with blocks of their own."""
    found: list[Request] = []
    names = iter(range(1, 10_000))
    for number in range(draw(st.integers(1, 25))):
        before = draw(st.sampled_from([(), *(each.blocks for each in found)]))
        shared = before[: draw(st.integers(0, len(before)))]
        own = [next(names) for _ in range(draw(st.integers(1, 4)))]
        found.append(
            Request(
                at_ms=number,
                input_tokens=len(shared) + len(own),
                output_tokens=1,
                blocks=(*shared, *own),
            )
        )
    return found


@settings(max_examples=by_night(40, 2000), deadline=None)
@given(requests=conversations(), capacity=st.integers(4, 30))
def test_the_rule_lru_is_recency_leaf_first(requests: list[Request], capacity: int) -> None:
    asked = asked_by(requests)
    expected = usable_hits(asked, capacity, Recency())
    assert usable_hits(asked, capacity, Ruled(Tabled("lru", capacity))) == expected
    own = own_policy("tests/kernels/replacement/own_rules.py:Oldest", capacity)
    assert usable_hits(asked, capacity, Ruled(own)) == expected


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=by_night(15, 600), deadline=None)
@given(requests=conversations(), capacity=st.integers(4, 30))
def test_no_rule_finds_more_than_an_oracle_or_runs_out_of_victims(
    name: str, requests: list[Request], capacity: int
) -> None:
    asked = asked_by(requests)
    assert usable_hits(asked, capacity, Ruled(Tabled(name, capacity))) <= most_hits(asked, capacity)


def _last(order: Keeping) -> list[int]:
    found = []
    while (key := order.victim()) is not None:
        found.append(key)
    return found


def test_what_was_dropped_by_others_and_asked_for_again_comes_anew() -> None:
    order = Ruled(Tabled("fifo", 4))
    for key in (1, 2, 3):
        order.missed(key)
        order.offer(key, 0, None)
    order.withdraw(1)  # its maker dropped it: the order is not told that it left
    order.missed(1)
    order.offer(1, 1, None)
    assert _last(order) == [2, 3, 1]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_gone_in_another_way_weighs_no_more_and_may_come_again(name: str) -> None:
    rule = Tabled(name, 4)
    order = Ruled(rule)
    for key in (1, 2, 3):
        order.missed(key)
        order.offer(key, 0, None)
    for key in (1, 3):
        order.withdraw(key)
        order.ended(key)
    order.ended(9)  # it was never here
    assert [key for key in (1, 2, 3, 9) if rule.here(key)] == [2]
    assert rule.table.now[HELD] == 1
    order.missed(3)
    order.offer(3, 1, None)
    assert sorted(_last(order)) == [2, 3]


def test_a_block_that_nobody_asked_for_comes_when_it_is_offered() -> None:
    order = Ruled(Tabled("sieve", 4))
    order.offer(7, 0, None)
    order.missed(8)
    assert _last(order) == [7]  # 8 is held: it was never offered
    order.offer(8, 1, None)
    assert _last(order) == [8]


def test_a_hand_set_priority_keeps_a_block_until_its_time_is_over() -> None:
    rule = Tabled("ttl", 4)
    order = Ruled(rule)
    for key in (1, 2, 3):
        order.missed(key)
        order.offer(key, 0, None)
    rule.retain(1, 90, 100)
    rule.tell_time(50)
    assert order.victim() == 2
    rule.tell_time(100)
    assert order.victim() == 1  # as recent as none, and no longer above the default
