"""The least regretted leaves first: hand values, and a heap against a search of everything."""

from random import Random

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.observe import enter
from mirc.controller.regret import least_regretted, regretted_less, seen
from mirc.kernels import world as k
from mirc.kernels.offers import offer, withdraw
from mirc.kernels.regrets import MOST_DEBT, MOST_WORTH, key_of, regret
from mirc.kernels.world import World
from mirc.simulate.engine import simulate
from mirc.simulate.policies import POLICIES, Settings
from mirc.simulate.setup import stage
from tests.simulate.scenes import Step, machine, rows, workload


def world(count: int = 4, policy: str = "regret") -> World:
    """Return objects of 100 bytes, the last of which lies in NVMe: twice as far for each byte."""
    load = workload([100] * count, [False] * count, [Step(reads=[0])])
    known = rows(load, first_us={0: {o: 10.0 * o for o in range(count)}}, period_us=40.0)
    known.phases[0].probability[1] = 0.25
    known = attrs.evolve(known, backing=(("DRAM",),) * (count - 1) + (("NVME",),))
    where = machine(1000, in_rate=1e6, dram=100 * count + 400, nvme=10_000)
    scene = stage(load, known, where, POLICIES[policy], settings=Settings())
    return scene.world


@pytest.mark.mechanism("S5-02")
def test_regret_is_chance_times_stall_of_a_byte_times_uses_to_come() -> None:
    # StallPenalty: 1 us a byte from DRAM, 2 from NVMe (its slowest link), which is the most
    w = world()
    enter(w, 0)  # one use of each is predicted
    assert w.obj[k.DEBT].tolist() == [1, 0, 1, 1]  # the order leaves out what is not sure
    w.obj[k.DEBT] = [3, 3, 3, 3]
    most = MOST_WORTH
    assert [regret(w, o) for o in range(4)] == [
        3 * round(most / 2),
        3 * round(most / 8),
        3 * round(most / 2),
        3 * most,
    ]


@pytest.mark.mechanism("S5-02")
def test_the_counter_rises_with_a_prediction_falls_with_an_access_and_saturates() -> None:
    w = world()
    for _ in range(2):
        enter(w, 0)
    assert w.obj[k.DEBT, 0] == 2
    for _ in range(3):
        seen(w, 0)
    assert w.obj[k.DEBT, 0] == 0  # never below
    w.obj[k.DEBT, 2] = MOST_DEBT
    enter(w, 0)
    assert w.obj[k.DEBT, 2] == MOST_DEBT == 65_535


@pytest.mark.mechanism("S5-02")
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), moves=st.integers(1, 60))
def test_the_victim_is_the_least_regretted_of_all_that_may_leave(seed: int, moves: int) -> None:
    dice = Random(seed)  # noqa: S311 - rolled, not kept secret
    count = 6
    w = world(count)
    enter(w, 0)
    offered: set[int] = set()
    for step in range(moves):
        w.run[k.STEP] = step
        o = dice.randrange(count)
        act = dice.randrange(4)
        if act == 0 and o not in offered:
            w.obj[k.STATE, o] = k.RESIDENT
            offer(w, o)
            offered.add(o)
        elif act == 1 and o in offered:
            withdraw(w, o)
            offered.remove(o)
            seen(w, o)
        elif act == 2:
            enter(w, 0)
        else:
            found = least_regretted(w)
            # by hand: R, then the latest used, then the lowest number
            scores = {x: (regret(w, x), -w.obj[k.USED_AT, x], x) for x in offered}
            assert found == (min(scores, key=scores.__getitem__) if offered else k.NONE)
            if found != k.NONE:
                withdraw(w, found)
                offered.remove(found)


@pytest.mark.mechanism("S5-02")
def test_a_prefetch_displaces_only_what_is_regretted_less() -> None:
    w = world()
    enter(w, 0)
    w.obj[k.STATE, 0] = k.RESIDENT
    offer(w, 0)
    assert regretted_less(w, 2) == k.NONE  # the same regret
    assert regretted_less(w, 3) == 0  # two times as far
    offer(w, 2)
    seen(w, 2)
    assert regretted_less(w, 3) == 2
    assert key_of(w, 2) > key_of(w, 0)


@pytest.mark.mechanism("S5-02", "S0-46")
def test_regret_keeps_part_of_a_cycle_that_recency_loses_whole() -> None:
    # Four weights of 100 bytes in turn, room for three: recency misses every one of 4 * 8 reads.
    # Regret drops what was used last: after the first lap a lap misses two, or one.
    laps = 8
    steps = [
        Step(reads=[o], compute_ps=1_000_000, position=o) for _ in range(laps) for o in range(4)
    ]
    load = workload([100] * 4, [False] * 4, steps)
    known = rows(load, first_us={0: {o: float(o) for o in range(4)}}, period_us=4.0)
    came = {}
    for policy in ("lru", "regret"):
        found = simulate(load, known, machine(300, in_rate=1e6), policy)
        came[policy] = sum(use.demand_bytes + use.prefetch_bytes for use in found.links)
    assert came["lru"] == 100 * 4 * laps
    assert came["regret"] <= 100 * (4 + 2 * (laps - 1))
