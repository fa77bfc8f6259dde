"""Who leaves first: by age, by the hint, or by what proved true; and what a shadow would hold."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.keeping import Hint, Hinted, Keeping, Recency, Shadow, Trusted

MAKERS: list[Callable[[], Keeping]] = [Recency, Hinted, lambda: Trusted(4)]


def leaving(keeping: Keeping) -> list[int]:
    found = []
    while (key := keeping.victim()) is not None:
        found.append(key)
    return found


def test_the_least_recently_used_leaves_first_whatever_is_hinted() -> None:
    keeping = Recency()
    for key, used_at, live in ((1, 30, False), (2, 10, True), (3, 20, None)):
        keeping.offer(key, used_at, live)
    assert leaving(keeping) == [2, 3, 1]


def test_what_is_hinted_dead_leaves_before_what_is_older() -> None:
    keeping = Hinted()
    for key, used_at, live in ((1, 30, False), (2, 10, True), (3, 20, False), (4, 5, None)):
        keeping.offer(key, used_at, live)
    assert leaving(keeping) == [3, 1, 4, 2]


def test_a_later_hint_moves_a_candidate() -> None:
    keeping = Hinted()
    keeping.offer(1, 10, live=True)
    keeping.offer(2, 20, live=True)
    keeping.told(2, live=False)
    assert leaving(keeping) == [2, 1]


class ByHand:
    """What a keeping must do, by sorting all candidates anew each time."""

    def __init__(self, *, hinted: bool) -> None:
        self.hinted = hinted
        self.entries: dict[int, tuple[bool, int, int]] = {}
        self.count = 0

    def offer(self, key: int, used_at: int, live: Hint) -> None:
        self.count += 1
        self.entries[key] = (self.hinted and live is not False, used_at, self.count)

    def victim(self) -> int | None:
        if not self.entries:
            return None
        key = min(self.entries, key=lambda each: self.entries[each])
        del self.entries[key]
        return key


@pytest.mark.parametrize(("make", "hinted"), [(Recency, False), (Hinted, True)])
@settings(max_examples=30, deadline=None)
@given(
    acts=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 9), st.sampled_from([True, False, None])),
        max_size=300,
    )
)
def test_queues_agree_with_sorting_by_hand(
    make: Callable[[], Keeping], acts: list[tuple[int, int, Hint]], *, hinted: bool
) -> None:
    keeping, oracle = make(), ByHand(hinted=hinted)
    for now, (act, key, live) in enumerate(acts):
        if act == 0:
            keeping.offer(key, now, live)
            oracle.offer(key, now, live)
        elif act == 1:
            keeping.withdraw(key)
            oracle.entries.pop(key, None)
        else:
            assert keeping.victim() == oracle.victim()


@pytest.mark.parametrize("make", MAKERS)
@settings(max_examples=30, deadline=None)
@given(
    acts=st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 9), st.sampled_from([True, False, None])),
        max_size=200,
    )
)
def test_only_a_candidate_leaves_and_each_once(
    make: Callable[[], Keeping], acts: list[tuple[int, int, Hint]]
) -> None:
    keeping = make()
    candidates: set[int] = set()
    for now, (act, key, live) in enumerate(acts):
        if act == 0:
            keeping.offer(key, now, live)
            candidates.add(key)
        elif act == 1:
            keeping.withdraw(key)
            candidates.discard(key)
        elif act == 2:
            keeping.told(key, live)
        elif act == 3:
            (keeping.found if key in candidates else keeping.missed)(key)
        else:
            gone = keeping.victim()
            assert (gone is None) == (not candidates)
            candidates.discard(-1 if gone is None else gone)
    assert sorted(leaving(keeping)) == sorted(candidates)


def test_a_shadow_holds_what_recency_would_hold() -> None:
    shadow = Shadow(2, Recency())
    left = [shadow.ask(key, now) for now, key in enumerate([1, 2, 1, 3, 2])]
    # 3 pushes out 2, which comes back and pushes out 1
    assert left == [[], [], [], [2], [1]]
    assert shadow.misses == 4


def test_in_a_shadow_nothing_leaves_before_what_stands_on_it() -> None:
    shadow = Shadow(3, Recency(), {2: 1, 3: 2}.get)
    for now, key in enumerate([1, 2, 3, 4]):
        shadow.ask(key, now)
    # 1 is the oldest, but 2 stands on it and 3 on that: the leaf leaves
    assert [key for key in (1, 2, 3, 4) if key in shadow] == [1, 2, 4]


def served(keeping: Keeping, capacity: int, keys: list[int], bits: list[bool]) -> int:
    """Play a cache without a tree; return its misses."""
    held: set[int] = set()
    misses = 0
    for now, (key, live) in enumerate(zip(keys, bits, strict=True)):
        keeping.withdraw(key)
        if key in held:
            keeping.found(key)
        else:
            misses += 1
            keeping.missed(key)
            if len(held) == capacity:
                gone = keeping.victim()
                assert gone is not None
                held.remove(gone)
            held.add(key)
        keeping.offer(key, now, live)
    return misses


KEYS = [key for lap in range(60) for key in (*range(8), *range(100 + 8 * lap, 108 + 8 * lap))]
AGAIN = [key < 100 for key in KEYS]  # 8 keys come again in each lap, 8 others never
LIES = [not live for live in AGAIN]


@pytest.mark.mechanism("S0-26")
def test_true_hints_are_followed_and_false_ones_given_up() -> None:
    # 12 places: recency holds none of the 8 that come again, as 8 others come between
    recency = served(Recency(), 12, KEYS, AGAIN)
    assert served(Trusted(12), 12, KEYS, AGAIN) == served(Hinted(), 12, KEYS, AGAIN)
    assert served(Hinted(), 12, KEYS, AGAIN) < 0.6 * recency
    assert served(Trusted(12), 12, KEYS, LIES) <= 1.02 * recency


@pytest.mark.mechanism("S0-26")
def test_hints_that_turn_false_cost_what_changing_over_costs_and_no_more() -> None:
    keys = [key for lap in range(200) for key in range(14)]
    # 13 places for a cycle of 14: recency misses all; told which one is dead, one a lap is missed
    told = [key != 13 for key in keys]
    turned = told[: len(keys) // 2] + [key == 13 for key in keys[len(keys) // 2 :]]
    keeping = Trusted(13)
    missed = served(keeping, 13, keys, turned)
    recency, believed = keeping.shadow_misses
    assert (recency, believed) == (served(Recency(), 13, keys, turned), believed)
    assert missed <= min(recency, believed) + 13 * (1 + keeping.switches)
    assert keeping.switching_misses <= 13 * keeping.switches


@settings(max_examples=30, deadline=None)
@given(
    keys=st.lists(st.integers(0, 15), max_size=300),
    capacity=st.integers(1, 9),
)
def test_a_shadow_misses_what_the_rule_itself_would(keys: list[int], capacity: int) -> None:
    bits = [bool(key % 2) for key in keys]
    keeping = Trusted(capacity)
    served(keeping, capacity, keys, bits)
    assert keeping.shadow_misses == (
        served(Recency(), capacity, keys, bits),
        served(Hinted(), capacity, keys, bits),
    )
