import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.controller.descriptors import (
    DROPPABLE,
    GUARDED,
    HELD_FAST,
    RELUCTANT,
    SPILLABLE,
    Descriptors,
)
from mirc.controller.ranking import Orders, held_fast, orders, prices, spread
from mirc.simulate.model import Workload
from tests.simulate.scenes import Step, rows, workload


def ordered(load: Workload, known: Descriptors) -> Orders:
    """Order what lies behind one link, which takes a picosecond for a byte."""
    tolls = np.ones((1, load.object_count))
    return orders(known, known.phase("0"), load.size_bytes, tolls)


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
    plan = ordered(load, known)
    assert plan.ranked.tolist() == [0, 2, 4, 1, 3]
    assert plan.rank[plan.ranked].tolist() == [0, 1, 2, 3, 4]
    assert held_fast(known).tolist() == [False, False, False, True, False]


def test_what_a_phase_does_not_use_leaves_before_what_it_uses() -> None:
    load = workload([10] * 3, [False] * 3, [Step(reads=[0])])
    known = rows(load, first_us={0: {0: 0.0, 2: 1.0}})
    assert ordered(load, known).ranked[0] == 1


def test_uses_are_ordered_by_planned_time_and_small_objects_stay() -> None:
    load = workload([640, 9, 640], [False] * 3, [Step(reads=[0])])
    known = rows(load, first_us={0: {0: 5.0, 1: 1.0, 2: 3.0}}, period_us=9.0)
    plan = ordered(load, known)
    assert plan.order.tolist() == [1, 2, 0]
    assert plan.due_ps.tolist() == [1_000_000, 3_000_000, 5_000_000]
    assert plan.place.tolist() == [[2, 0, 1], [-1, -1, -1]]
    assert plan.ranked[-1] == 1
    assert plan.period_ps == 9_000_000


def test_a_period_too_short_for_its_uses_is_stretched() -> None:
    load = workload([10], [False], [Step(reads=[0])])
    known = rows(load, first_us={0: {0: 5.0}}, period_us=2.0)
    assert ordered(load, known).period_ps == 5_000_001


def test_a_byte_costs_what_it_takes_of_the_busiest_link() -> None:
    # Two objects from host memory, one that comes by way of it from NVMe, at a third of the rate.
    tolls = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 3.0]])
    assert prices(np.array([10.0, 10.0, 1.0]), tolls).tolist() == pytest.approx([1, 1, 1], rel=0.01)
    far = prices(np.array([1.0, 1.0, 10.0]), tolls)
    assert far[0] == far[1] < far[2] / 50
    assert prices(np.zeros(3), np.zeros((2, 3))).tolist() == [1, 1, 1]
