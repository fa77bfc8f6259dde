"""What a serving stack knows of blocks: what leaves first, what is learned, what is left out."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.keeping import Hint, Keeping, Recency
from mirc.controller.kv.by_hand import HEAD_BLOCKS, WAITS_US, ByHand
from mirc.controller.kv.density import Density, Fact
from mirc.controller.kv.lifetimes import AGES, EDGES, Lifetimes, ranks
from mirc.simulate.serving.prefix_trace import Asked, asked_by, parents_of, usable_hits
from mirc.traces.make.agents import Agents, agents
from mirc.traces.requests import Request


def asked(*prompts: Iterable[int]) -> Asked:
    requests = [
        Request(at_ms=0, input_tokens=0, output_tokens=0, blocks=tuple(prompt))
        for prompt in prompts
    ]
    return asked_by(requests)


class Watched:
    """A keeping whose victims are written down."""

    def __init__(self, inner: Keeping) -> None:
        self.inner = inner
        self.victims: list[int | None] = []
        self.offer, self.withdraw, self.told = inner.offer, inner.withdraw, inner.told
        self.found, self.missed, self.ended = inner.found, inner.missed, inner.ended

    def victim(self) -> int | None:
        self.victims.append(self.inner.victim())
        return self.victims[-1]


def alone(key: int) -> int | None:
    del key
    return None


def once(keeping: Density, keys: Iterable[int], live: Hint = None) -> None:
    """Let keys be asked for in prompts of one block, and be candidates after that."""
    for key in keys:
        keeping.missed(key)
        keeping.offer(key, 0, live)


def test_with_nothing_learned_the_least_recently_used_leaves_first() -> None:
    keeping = Density(alone)
    once(keeping, range(5))
    assert [keeping.victim() for _ in range(6)] == [0, 1, 2, 3, 4, None]


def test_of_one_prompt_the_tail_leaves_first() -> None:
    keeping = Density(lambda key: key - 1 if key else None)
    for key in range(4):
        keeping.missed(key)
    for key in (0, 1, 2, 3):
        keeping.offer(key, 0, None)
    # What ends a prompt is of another kind than the rest; of the rest the deepest goes first.
    order = [keeping.victim() for _ in range(4)]
    assert [key for key in order if key != 3] == [2, 1, 0]


def test_what_is_over_leaves_before_what_nobody_knows_and_what_waits_last() -> None:
    keeping = Density(alone)
    once(keeping, range(40))  # some are used again, or nothing is worth anything
    for key in range(0, 40, 2):
        keeping.found(key)
        keeping.offer(key, 0, None)
    keeping.offer(2, 0, live=False)
    keeping.offer(4, 0, live=True)
    order = [keeping.victim() for _ in range(40)]
    assert order[0] == 2
    assert order.index(4) > order.index(38)


def test_a_signal_that_comes_later_moves_a_candidate() -> None:
    keeping = Density(alone)
    once(keeping, (1, 2, 3))
    keeping.told(3, live=False)
    keeping.told(77, live=False)  # nobody asked for it
    assert keeping.victim() == 3


def test_signals_that_prove_false_are_not_believed_for_long() -> None:
    # What is said to be over is always used again, what is said to go on never is.
    keeping = Density(alone)
    for turn in range(600):
        for key, live in ((turn % 5, False), (1000 + turn, True)):
            keeping.missed(key)
            keeping.offer(key, 0, live)
    assert keeping.victim() > 999  # type: ignore[operator]


def test_kinds_that_are_used_again_outlive_kinds_that_are_not() -> None:
    # Long prompts come back, short ones never: at equal age the short one leaves.
    parents = {key: key - 1 for key in range(100_000) if key % 32}
    keeping = Density(parents.get)
    for turn in range(400):
        for key in range(32 * (turn % 6), 32 * (turn % 6) + 20):
            keeping.missed(key)
        once(keeping, [32 * (100 + turn)])
    once(keeping, [32 * 2000])
    for key in range(32 * 2001, 32 * 2001 + 20):
        keeping.missed(key)
    keeping.offer(32 * 2001 + 19, 0, None)
    keeping.offer(32 * 2000, 0, None)
    assert {keeping.victim() for _ in range(401)} == {32 * (100 + t) for t in range(400)} | {64_000}


def test_kinds_that_are_no_longer_used_again_stop_being_kept() -> None:
    # At first what is asked for in long prompts comes back, later only single blocks do.
    parents = {key: key - 1 for key in range(100_000) if key % 16}
    keeping = Density(parents.get)

    def long(number: int) -> None:
        for key in range(16 * number, 16 * number + 16):
            keeping.missed(key)

    for turn in range(300):
        long(turn % 4)
        once(keeping, [16 * (100 + turn)])
    for turn in range(900):
        long(500 + turn)
        once(keeping, [16 * (2000 + turn % 4)])
    long(3000)
    keeping.offer(16 * 3000 + 15, 0, None)
    once(keeping, [16 * 3001])
    order = [keeping.victim() for _ in range(306)]
    assert order.index(16 * 3000 + 15) < order.index(16 * 3001)


def test_of_what_is_used_as_often_the_dearer_to_compute_again_stays() -> None:
    parents = {key: key - 1 for key in range(64) if key % 32}
    for again, leaves in ((None, 63), (lambda depth: 1.0 + depth, 0)):
        keeping = Density(parents.get, without=(Fact.DEPTH, Fact.FAN_OUT), again=again)
        for key in range(32, 64):
            keeping.missed(key)
        keeping.missed(0)
        keeping.offer(63, 0, None)
        keeping.offer(0, 0, None)
        assert keeping.victim() == leaves


def test_pages_of_several_groups_are_kept_as_their_block_is() -> None:
    keeping = Density(alone, groups=2)
    for block in (5, 6):
        keeping.missed(2 * block)  # only the first group's page is asked for
        keeping.offer(2 * block, 0, None)
        keeping.offer(2 * block + 1, 0, None)
    keeping.told(12, live=False)
    keeping.withdraw(10)
    assert [keeping.victim() for _ in range(4)] == [12, 13, 11, None]


@pytest.mark.parametrize("fact", [None, *Fact])
def test_without_a_fact_it_still_keeps_order(fact: Fact | None) -> None:
    trace = asked_by(list(agents(Agents(sessions=12))))
    without = [] if fact is None else [fact]
    found = [usable_hits(trace, 150, Density(parents_of(trace), without=without)) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0] > usable_hits(trace, 150, Recency()) * 0.9


@settings(max_examples=25, deadline=None)
@given(
    prompts=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), max_size=40),
    other=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), max_size=20),
    capacity=st.integers(5, 12),
)
def test_what_comes_later_changes_nothing_that_was_decided(
    prompts: list[tuple[int, int]], other: list[tuple[int, int]], capacity: int
) -> None:
    def chains(drawn: Sequence[tuple[int, int]]) -> list[range]:
        return [range(chain * 10, chain * 10 + length) for chain, length in drawn]

    every = chains([(chain, 5) for chain in range(6)])  # so that blocks have equal numbers
    victims = []
    for drawn in (prompts, prompts + other):
        trace = asked(*every, *chains(drawn))
        watched = Watched(Density(parents_of(trace)))
        usable_hits(trace, capacity, watched)
        victims.append(watched.victims)
    assert victims[1][: len(victims[0])] == victims[0]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ask", "offer", "withdraw", "victim", "told"]),
            st.integers(0, 8),
            st.sampled_from([None, True, False]),
        ),
        max_size=80,
    )
)
def test_only_candidates_leave_and_each_of_them_once(
    calls: list[tuple[str, int, Hint]],
) -> None:
    keepings = (Density(alone), ByHand(16, alone, 1))
    for keeping in keepings:
        candidates: set[int] = set()
        there: set[int] = set()
        for what, key, live in calls:
            if what == "ask" and key not in candidates:
                (keeping.found if key in there else keeping.missed)(key)
                there.add(key)
            elif what == "offer":
                keeping.offer(key, 0, live)
                candidates.add(key)
                there.add(key)
            elif what == "withdraw":
                keeping.withdraw(key)
                candidates.discard(key)
            elif what == "told":
                keeping.told(key, live)
            elif what == "victim":
                left = keeping.victim()
                assert (left is None) == (not candidates)
                candidates -= {left} if left is not None else set()
                there -= {left} if left is not None else set()
        assert {keeping.victim() for _ in range(len(candidates))} == candidates
        assert keeping.victim() is None


def test_priorities_by_hand_keep_heads_and_who_waits_until_they_lapse() -> None:
    depth = HEAD_BLOCKS + 4
    keeping = ByHand(100, lambda key: key - 1 if key % depth else None, 1)
    tails = [n * depth + depth - 1 for n in range(4)]
    for key in (0, *tails):
        keeping.missed(key)
    keeping.offer(0, 0, None)
    for key, live in zip(tails, (None, True, False, True), strict=True):
        keeping.offer(key, 0, live)
    keeping.told(tails[3], live=None)
    assert [keeping.victim() for _ in range(3)] == [tails[2], tails[0], tails[3]]
    fresh = 5 * depth - 1
    keeping.missed(fresh)
    keeping.offer(fresh, WAITS_US + 1, None)  # by now the wait has lapsed: it is the older one
    assert [keeping.victim() for _ in range(3)] == [tails[1], fresh, 0]


def test_a_priority_by_hand_holds_anew_from_each_use_and_no_longer_for_being_said_again() -> None:
    keeping = ByHand(100, lambda key: key - 1 if key % 100 else None, 1)
    again, once, said, other = 50, 150, 250, 350
    for key in (again, once, said, other):
        keeping.missed(key)
        keeping.offer(key, 0, live=key != other)
    keeping.withdraw(again)
    keeping.found(again)
    keeping.offer(again, WAITS_US // 2, live=True)  # its next turn waits for a tool, too
    keeping.told(said, live=True)
    keeping.offer(said, 0, live=True)  # what stood on it has left
    keeping.missed(500 + 60)
    keeping.offer(500 + 60, WAITS_US + 1, None)
    assert [keeping.victim() for _ in range(5)] == [other, once, said, 560, again]


def test_the_worth_of_an_age_is_the_best_rate_of_use_from_there_on() -> None:
    known = Lifetimes(1, {})
    number = known.number((0,))
    for _ in range(10_000):
        known.reach(number, 0)
    for _ in range(5_000):
        known.use(number, 0)
    known.reach(number, 1, 5_000)
    known.learn()
    # Half are used within the first EDGES[1] requests, in the middle of them on the average.
    assert known.worth.shape == (1, AGES)
    assert known.worth[0, 0] == pytest.approx(0.5 / (0.75 * EDGES[1]), rel=0.02)
    assert known.worth[0, 1] < known.worth[0, 0] / 10
    assert ranks(known.worth)[0] == AGES - 1


def test_a_kind_that_was_hardly_seen_is_thought_to_be_like_its_like() -> None:
    known = Lifetimes(2, {})
    often, seldom = known.number((0, 0)), known.number((1, 0))
    for number, uses in ((often, 900), (seldom, 10)):
        known.reach(number, 0, 1000)
        for _ in range(uses):
            known.use(number, 0)
    new, other = known.number((0, 7)), known.number((1, 7))
    known.learn()
    assert known.worth[new, 0] > 3 * known.worth[other, 0]
