"""Drafts are committed or undone; undone, everything is as it was."""

import pytest

from mirc.controller.kv.events import What, Why
from mirc.controller.kv.groups import Group, GroupKind
from mirc.controller.kv.replay import Replay
from mirc.controller.kv.state import digest
from tests.controller.kv.scene import BLOCK, Scene, ask

GROUPS = (
    Group(name="kv"),
    Group(name="window", kind=GroupKind.WINDOW, window_blocks=1),
    Group(name="state", kind=GroupKind.RECURRENT),
)


def decoding(made: int = 2, capacity: int = 60) -> tuple[Scene, Replay]:
    scene = Scene(capacity, groups=GROUPS)
    scene.it.request(ask("a", [0, 1], new=40))
    scene.it.step()
    for _ in range(made):
        scene.it.step()
    return scene, Replay(scene.it)


@pytest.mark.mechanism("S2-17")
@pytest.mark.parametrize("made", [0, 1, 3, 4])
@pytest.mark.parametrize("drafts", [1, 3, 4, 9])
def test_a_rejected_window_leaves_the_state_of_its_checkpoint(made: int, drafts: int) -> None:
    scene, replay = decoding(made)
    checkpoint = replay.open("a", drafts)
    assert replay.draft("a", drafts) == drafts
    assert digest(scene.it) != checkpoint
    replay.settle("a", 0)
    assert digest(scene.it) == checkpoint
    assert (replay.drafted, replay.wasted) == (drafts, drafts)
    assert replay.wasted_amount == drafts * 3 / BLOCK  # a block takes a unit in each of 3 groups
    assert [row.amount for row in scene.rows(What.ROLLED_BACK)] == [drafts]


@pytest.mark.mechanism("S2-17")
@pytest.mark.parametrize("accepted", range(7))
def test_accepted_drafts_are_as_if_they_had_been_decoded_one_by_one(accepted: int) -> None:
    scene, replay = decoding()
    replay.open("a", 7)
    replay.draft("a", 7)
    replay.settle("a", accepted)
    plain, _ = decoding(2 + accepted)
    one, other = (each.it.floor.sequences["a"] for each in (scene, plain))
    assert (one.fill, one.done, one.part) == (other.fill, other.done, other.part)
    assert (one.left, scene.pool.used) == (other.left, plain.pool.used)
    assert replay.wasted == 7 - accepted


def test_nobody_reads_a_draft_before_it_is_accepted() -> None:
    scene, replay = decoding(0)
    replay.open("a", BLOCK)
    replay.draft("a", BLOCK)
    key = scene.it.floor.sequences["a"].keys[-1]
    assert not scene.pool.resident(scene.pool.page_of(key, 0))
    replay.settle("a", BLOCK)
    assert scene.pool.resident(scene.pool.page_of(key, 0))


@pytest.mark.mechanism("S2-17")
def test_what_was_there_before_a_window_is_immutable_in_it() -> None:
    scene, replay = decoding(1)
    replay.open("a", BLOCK)
    replay.draft("a", BLOCK)
    # Blocks 0 and 1 are the prompt, 2 was begun before the window, 3 by it.
    assert [replay.write("a", block) for block in range(4)] == [False, False, False, True]
    refused = scene.rows(What.REFUSED)
    assert [(row.why, row.amount) for row in refused] == [(Why.IMMUTABLE, n) for n in range(3)]
    replay.settle("a", 0)


def test_a_window_evicts_before_its_checkpoint_and_never_after() -> None:
    scene, replay = decoding(0, capacity=18)
    scene.it.request(ask("b", range(10, 15)))
    scene.it.step()
    before = len(scene.rows(What.EVICTED))
    replay.open("a", BLOCK + 1)
    opened = len(scene.rows(What.EVICTED))
    assert opened > before
    replay.draft("a", BLOCK + 1)
    replay.settle("a", 0)
    assert len(scene.rows(What.EVICTED)) == opened


def test_a_window_without_room_is_refused_and_the_sequence_decodes_on() -> None:
    scene, replay = decoding(0, capacity=27)
    scene.it.request(ask("b", range(10, 17), new=20))
    scene.it.step()
    assert replay.open("a", 5 * BLOCK) is None
    assert scene.rows(What.REFUSED)[0].why is Why.ROOM
    scene.run()
    assert len(scene.rows(What.ENDED)) == 2


def test_only_what_decodes_can_speculate() -> None:
    _, replay = decoding()
    with pytest.raises(ValueError, match="cannot speculate"):
        replay.open("nobody", 1)
