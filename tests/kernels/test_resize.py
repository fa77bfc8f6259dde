"""When an object may take another size, and what its memories then hold."""

import numpy as np
import pytest

from mirc.kernels import world as k
from mirc.kernels.resize import narrow, settled, widen
from mirc.kernels.world import World
from mirc.simulate.policies import POLICIES, Settings
from mirc.simulate.setup import stage
from tests.simulate.scenes import Step, machine, rows, workload

FASTER = np.array([40_000, 40_000], dtype=np.int64)


@pytest.fixture
def world() -> World:
    """Return a world with one weight of 160 bytes: near, beside its master in DRAM."""
    load = workload([160], [False], [Step(reads=[0])])
    scene = stage(load, rows(load), machine(400, dram=260), POLICIES["intent"], settings=Settings())
    scene.world.obj[k.STATE, 0] = k.RESIDENT
    k.take_near(scene.world, 0)
    return scene.world


@pytest.mark.mechanism("S1-04")
@pytest.mark.parametrize(("row", "value"), [(k.CLASS, k.PREFETCH), (k.HELD, 1), (k.AHEAD, 1)])
def test_what_is_in_flight_in_use_or_ahead_of_its_use_is_not_settled(
    world: World, row: int, value: int
) -> None:
    assert settled(world, 0)
    world.obj[row, 0] = value
    assert not settled(world, 0)


@pytest.mark.mechanism("S1-18")
def test_a_narrow_object_takes_less_near_and_a_copy_beside_its_master(world: World) -> None:
    assert narrow(world, 0, 40, 0, FASTER)
    assert world.mem[k.USED].tolist() == [40, 160 + 40]
    assert world.obj[[k.SIZE, k.DIRTY, k.CLASS, k.LEFT_PS], 0].tolist() == [
        40,
        1,
        k.WRITEBACK,
        40_000,
    ]


def test_a_second_rung_takes_the_place_of_the_first_copy(world: World) -> None:
    narrow(world, 0, 80, 0, FASTER)
    assert not narrow(world, 0, 40, 80, FASTER), "its first copy is not below yet"
    world.obj[[k.DIRTY, k.WRITING], 0] = 0
    assert narrow(world, 0, 40, 80, FASTER)
    assert world.mem[k.USED].tolist() == [40, 160 + 40]


def test_nothing_is_narrowed_that_is_not_near_or_whose_copy_has_no_room(world: World) -> None:
    # 260 bytes of DRAM hold the master and 100 more
    assert not narrow(world, 0, 101, 0, FASTER)
    world.obj[k.STATE, 0] = k.ABSENT
    assert not narrow(world, 0, 40, 0, FASTER)
    assert world.mem[k.USED].tolist() == [160, 160]


def test_a_wide_object_gives_its_copy_up_once_its_near_bytes_are_gone(world: World) -> None:
    narrow(world, 0, 40, 0, FASTER)
    assert not widen(world, 0, 160, FASTER)
    k.leave_near(world, 0)
    world.obj[k.STATE, 0] = k.ABSENT
    assert widen(world, 0, 160, FASTER)
    assert world.mem[k.USED].tolist() == [0, 160]
    assert world.obj[k.SIZE, 0] == 160
