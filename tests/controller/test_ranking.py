import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mirc.controller.descriptors import DROPPABLE, GUARDED, HELD_FAST, RELUCTANT, SPILLABLE
from mirc.controller.ranking import held_fast, orders, spread
from tests.simulate.scenes import Step, rows, workload


@given(st.integers(2, 9), st.data())
def test_any_share_of_the_lowest_keys_lies_evenly(bits: int, data: st.DataObject) -> None:
    # 2 ** bits equal tiles, the k lowest keys taken: between two neighbours there are at most
    # twice as many others as an even share asks for.
    count = 1 << bits
    keys = spread(np.arange(count, dtype=np.int64), np.full(count, 7, dtype=np.int64))
    taken = data.draw(st.integers(1, count))
    chosen = np.sort(np.argsort(keys)[:taken])
    gaps = np.diff(np.append(chosen, chosen[0] + count))
    assert gaps.max() <= 2 * -(-count // taken)


def test_weaker_objects_have_lower_ranks() -> None:
    load = workload([10] * 5, [False, True, True, True, True], [Step(reads=[0])])
    order = {0: DROPPABLE, 1: GUARDED, 2: SPILLABLE, 3: HELD_FAST, 4: RELUCTANT}
    known = rows(load, first_us={0: {0: 1.0}}, strength=order)
    plan = orders(known, known.phase("0"), load.size_bytes)
    assert plan.ranked.tolist() == [0, 2, 4, 1, 3]
    assert plan.rank[plan.ranked].tolist() == [0, 1, 2, 3, 4]
    assert held_fast(known).tolist() == [False, False, False, True, False]


def test_what_a_phase_does_not_use_leaves_before_what_it_uses() -> None:
    load = workload([10] * 3, [False] * 3, [Step(reads=[0])])
    known = rows(load, first_us={0: {0: 0.0, 2: 1.0}})
    assert orders(known, known.phase("0"), load.size_bytes).ranked[0] == 1


def test_uses_are_ordered_by_planned_time_and_small_objects_stay() -> None:
    load = workload([640, 9, 640], [False] * 3, [Step(reads=[0])])
    known = rows(load, first_us={0: {0: 5.0, 1: 1.0, 2: 3.0}}, period_us=9.0)
    plan = orders(known, known.phase("0"), load.size_bytes)
    assert plan.order.tolist() == [1, 2, 0]
    assert plan.due_ps.tolist() == [1_000_000, 3_000_000, 5_000_000]
    assert plan.place.tolist() == [[2, 0, 1], [-1, -1, -1]]
    assert plan.ranked[-1] == 1
    assert plan.period_ps == 9_000_000


def test_a_period_too_short_for_its_uses_is_stretched() -> None:
    load = workload([10], [False], [Step(reads=[0])])
    known = rows(load, first_us={0: {0: 5.0}}, period_us=2.0)
    assert orders(known, known.phase("0"), load.size_bytes).period_ps == 5_000_001
