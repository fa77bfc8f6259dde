"""Which way each policy gives up, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.machine import Replacement
from mirc.sram.replacement import Lru, Policy, Random, Rrip, TreePlru, Xorshift, policies


def filled(policy: Policy, ways: int) -> Policy:
    for way in range(ways):
        policy.fill(way)
    return policy


def test_lru_gives_up_the_oldest_use_among_the_candidates() -> None:
    lru = filled(Lru(4), 4)
    lru.use(0)  # order: 1, 2, 3, 0
    assert lru.victim([0, 1, 2, 3]) == 1
    assert lru.victim([0, 2, 3]) == 2
    assert lru.victim([0, 3]) == 3
    lru.fill(1)
    assert lru.victim([0, 1]) == 0


def test_a_tree_points_away_from_the_last_uses() -> None:
    # 4 leaves. After 0, 1, 2, 3 the root points left, and both nodes below at their left leaf.
    tree = filled(TreePlru(4), 4)
    assert tree.victim([0, 1, 2, 3]) == 0
    tree.use(0)  # the root points right, where the last use was 3
    assert tree.victim([0, 1, 2, 3]) == 2
    tree.use(2)  # left again, and there away from 0
    assert tree.victim([0, 1, 2, 3]) == 1


def test_a_tree_is_no_true_lru() -> None:
    # Uses 0, 2, 1: the oldest is 3, which was filled before; the tree gives up 3, then after a use
    # of 3 the left half, where 1 was last: 0, though 2 is older.
    tree = filled(TreePlru(4), 4)
    for way in (2, 0, 1, 3):
        tree.use(way)
    assert tree.victim([0, 1, 2, 3]) == 0  # true LRU would give up 2


def test_a_tree_turns_where_the_half_it_points_at_has_no_candidate() -> None:
    tree = filled(TreePlru(8), 8)  # every node points left
    assert tree.victim([5, 6]) == 5
    assert tree.victim([6, 7]) == 6
    assert tree.victim([3, 7]) == 3
    assert tree.victim([7]) == 7


@pytest.mark.parametrize("ways", [1, 2, 3, 5, 6, 7])
def test_a_tree_needs_no_power_of_two(ways: int) -> None:
    tree = filled(TreePlru(ways), ways)
    seen = []
    for _ in range(ways):
        way = tree.victim([*range(ways)])
        seen.append(way)
        tree.fill(way)
    # Of 3, 5, 6 or 7 ways some come round sooner than others, but none is out of range.
    assert set(seen) <= set(range(ways))
    assert seen[0] == 0
    assert len({*seen}) >= min(ways, 2)


def test_before_any_use_a_tree_gives_up_the_first_way() -> None:
    assert TreePlru(4).victim([0, 1, 2, 3]) == 0


def test_rrip_gives_up_what_was_not_used_again() -> None:
    # Filled: all 2. A use makes 0: 0. All others age to 3, and 0 to 1.
    rrip = filled(Rrip(4), 4)
    rrip.use(0)
    assert rrip.victim([0, 1, 2, 3]) == 1
    rrip.fill(1)  # 2; now 0: 1, 1: 2, 2: 3, 3: 3
    assert rrip.victim([0, 1, 2, 3]) == 2
    assert rrip.victim([0, 1, 3]) == 3
    assert rrip.victim([0, 1]) == 1  # ages both by one
    rrip.use(1)
    assert rrip.victim([0, 1]) == 0  # 2 and 0: ages by one more


def test_rrip_takes_the_first_of_equals_and_ages_candidates_alone() -> None:
    rrip = filled(Rrip(3), 3)
    assert rrip.victim([1, 2]) == 1
    rrip.fill(1)  # 0: 2 as it was, 1: 2, 2: 3
    assert rrip.victim([0, 1]) == 0
    assert Rrip(2).victim([0, 1]) == 0


def test_random_draws_marsaglia_s_numbers() -> None:
    # xorshift32 with (13, 17, 5) from 1: 270369, 67634689, 2647435461, 307599695.
    generator = Xorshift(1)
    assert [generator.below(2**32) for _ in range(4)] == [270369, 67634689, 2647435461, 307599695]
    draws = Random(Xorshift(1))
    draws.fill(0)
    draws.use(0)
    # modulo 3: 0, 1, 0, 2
    assert [draws.victim([4, 6, 7]) for _ in range(4)] == [4, 6, 4, 7]


@pytest.mark.parametrize("state", [0, 2**32])
def test_a_generator_has_a_state_of_32_bits_that_is_not_0(state: int) -> None:
    with pytest.raises(ValueError, match="state"):
        Xorshift(state)
    assert Xorshift(2**32 - 1).below(1) == 0


def test_all_sets_share_one_generator() -> None:
    make = policies(Replacement.RANDOM, 4, seed=1)
    first, second = make(), make()
    assert first.victim([*range(1000)]) == 369
    assert second.victim([*range(1000)]) == 689


@given(st.data())
@pytest.mark.parametrize("replacement", Replacement)
def test_a_victim_is_always_a_candidate(replacement: Replacement, data: st.DataObject) -> None:
    ways = data.draw(st.integers(1, 9))
    policy = policies(replacement, ways, seed=data.draw(st.integers(1, 2**32 - 1)))()
    way = st.integers(0, ways - 1)
    for used, fresh in data.draw(st.lists(st.tuples(way, st.booleans()), max_size=20)):
        (policy.fill if fresh else policy.use)(used)
    candidates = sorted(data.draw(st.sets(way, min_size=1)))
    assert policy.victim(candidates) in candidates
