"""The controller's stages, each on a small world of four weights of 100 bytes."""

import pytest

from mirc.controller.execute import leave
from mirc.controller.observe import catch_up, enter, survey, touched
from mirc.controller.schedule import farther
from mirc.controller.score import distance_ps, next_missing, next_use
from mirc.controller.veto import has_room, horizon_of, too_soon
from mirc.kernels import world as k
from mirc.kernels.events import ENOUGH_AHEAD, FARTHER, NEEDED, TOO_EARLY
from mirc.kernels.offers import offer
from mirc.kernels.world import World
from mirc.simulate.policies import POLICIES, Settings
from mirc.simulate.setup import stage
from tests.simulate.scenes import Step, machine, rows, workload

US = 1_000_000


@pytest.fixture
def world() -> World:
    """Uses at 0, 10, 20, 30 us of a period of 40; a transfer takes 100 us; room for three."""
    load = workload([100] * 5, [False] * 5, [Step(reads=[0])])
    known = rows(load, first_us={0: {o: 10.0 * o for o in range(4)}}, period_us=40.0)
    scene = stage(load, known, machine(300, in_rate=1e6), POLICIES["intent"], settings=Settings())
    enter(scene.world, 0)
    return scene.world


def resident(w: World, o: int) -> None:
    w.obj[k.STATE, o] = k.RESIDENT
    k.take_near(w, o)
    offer(w, o)


def test_distance_counts_on_into_the_next_lap(world: World) -> None:
    touched(world, 1)
    catch_up(world)
    assert world.run[k.CLOCK_PS] == 10 * US
    # 2 is due in 10 us; 1 was due now, so again in 40; 0 in 30; 4 is in no plan.
    assert [distance_ps(world, o) // US for o in range(4)] == [30, 40, 10, 20]
    assert distance_ps(world, 4) == k.NEVER
    enter(world, 0)
    assert next_use(world, 0) == 4
    assert distance_ps(world, 0) == 0


def test_the_nearest_missing_use_comes_next(world: World) -> None:
    touched(world, 0)
    catch_up(world)
    resident(world, 1)
    assert next_missing(world) == 2
    leave(world, 1, FARTHER)  # what has left is seen again
    assert next_missing(world) == 1


def test_a_victim_is_used_later_than_what_it_makes_room_for(world: World) -> None:
    touched(world, 0)
    catch_up(world)
    resident(world, 1)
    assert farther(world, world.bits, 10 * US) == k.NONE  # 1 is due in exactly 10 us
    resident(world, 0)
    assert farther(world, world.bits, 10 * US) == 0
    world.obj[k.DIRTY, 0] = 1
    assert farther(world, world.bits, 10 * US) == k.NONE  # it would have to be written first


@pytest.mark.mechanism("S2-15")
def test_a_prefetch_waits_for_its_horizon_and_for_the_ring(world: World) -> None:
    # Horizon: 4 transfers of 100 us; ring: 2 objects of 100 bytes.
    assert horizon_of(world, 1) == 400 * US
    assert too_soon(world, survey(world), 1, 401 * US) == TOO_EARLY
    assert too_soon(world, survey(world), 1, 400 * US) == NEEDED
    world.run[k.AHEAD_BYTES] = 150
    assert too_soon(world, survey(world), 1, 0) == ENOUGH_AHEAD


@pytest.mark.mechanism("S2-15")
@pytest.mark.parametrize(("planned_us", "used_us"), [(50, 200), (300, 300), (900, 400)])
def test_a_planned_horizon_counts_within_limits(
    world: World, planned_us: int, used_us: int
) -> None:
    world.horizon[0, 1] = planned_us * US
    assert horizon_of(world, 1) == used_us * US


def test_room_that_steps_need_at_their_highest_is_not_given_to_prefetches(world: World) -> None:
    resident(world, 0)
    assert has_room(world, survey(world), 1)
    world.run[k.HIGH] = 101  # 300 - 101 - 100 is less than 100
    assert not has_room(world, survey(world), 1)
