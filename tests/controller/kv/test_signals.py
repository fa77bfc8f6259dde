"""What each signal of the runtime is worth: the same work with it, and without it alone."""

import pytest

from mirc.controller.kv.events import What, Why
from mirc.controller.kv.sequences import Request
from mirc.controller.kv.signals import ALL, Signal
from tests.controller.kv.scene import BLOCK, Scene, ask

heard = pytest.mark.mechanism("S7-03")


def without(signal: Signal) -> frozenset[Signal]:
    return ALL - {signal}


def waits_for_a_tool(heard: frozenset[Signal]) -> int:
    """A conversation of 3 blocks waits, others pass through a pool of 6, and it comes back."""
    scene = Scene(6, heard=heard)
    scene.serve(ask("a", [0, 1, 2], session="a"))
    scene.talk.tool_wait("a", expected=50)
    for at in range(3):
        scene.serve(ask(f"other {at}", [f"x{at}"]))
    scene.serve(ask("last", ["y", "z"]))
    return scene.serve(ask("a2", [0, 1, 2], session="a"))[0]


@heard
def test_blocks_of_a_sequence_that_waits_for_a_tool_outlive_younger_ones() -> None:
    assert waits_for_a_tool(ALL) == 3 * BLOCK
    assert waits_for_a_tool(without(Signal.TOOL_WAIT)) == BLOCK


def comes_back(heard: frozenset[Signal]) -> int:
    """The tool takes much longer than expected; it answers, and its turn has to wait in a queue."""
    scene = Scene(6, heard=heard)
    scene.serve(ask("a", [0, 1, 2], session="a"))
    scene.talk.tool_wait("a", expected=2)
    for _ in range(8):
        scene.it.step()
        scene.talk.advance()
    scene.talk.resume("a")
    scene.serve(ask("before", ["x", "y"]), ask("it", ["z", "w"]))
    return scene.serve(ask("a2", [0, 1, 2], session="a"))[0]


@heard
def test_blocks_of_a_sequence_that_resumes_are_kept_until_its_turn_comes() -> None:
    assert comes_back(ALL) == 3 * BLOCK
    assert comes_back(without(Signal.RESUME)) == 2 * BLOCK


def forks(heard: frozenset[Signal]) -> Scene:
    """A sequence that has generated two blocks and a half goes on as two."""
    scene = Scene(40, heard=heard)
    scene.talk.request(ask("parent", [0, 1], new=4 * BLOCK))
    while scene.it.floor.totals["t"].made < 10:
        scene.it.step()
    child = Request(name="child", tenant="t", blocks=(), tokens=0, new_tokens=3)
    scene.talk.fork("parent", child)
    return scene


@heard
@pytest.mark.mechanism("S0-15")
def test_a_fork_shares_what_was_generated_and_computes_only_the_block_that_was_open() -> None:
    heard, deaf = forks(ALL), forks(without(Signal.FORK))
    heard.run()
    deaf.run()
    # 2 prompt blocks and 2 of the generated blocks are shared; 2 tokens are in the third.
    assert heard.it.floor.totals["t"].computed == 2 * BLOCK + 2
    assert deaf.it.floor.totals["t"].computed == 2 * BLOCK + 2 * BLOCK + 2
    for scene in (heard, deaf):
        assert len(scene.rows(What.ENDED)) == 2
        assert scene.pool.used == 2  # what only the two could name is gone


@heard
@pytest.mark.mechanism("S0-15")
def test_a_parent_may_end_before_its_child_that_shares_its_own_blocks() -> None:
    scene = forks(ALL)
    shared = scene.it.floor.sequences["child"].keys[2]
    assert scene.pool.pages()[shared].users == 2
    parent = scene.it.floor.running["parent"]
    parent.left = 1
    scene.it.step()
    assert "parent" not in scene.it.floor.sequences
    assert scene.pool.pages()[shared].users == 1
    scene.run()
    assert shared not in scene.pool.pages()


def compacts(heard: frozenset[Signal]) -> int:
    """What follows the first block of a conversation was summed up; another one is older."""
    scene = Scene(6, heard=heard)
    scene.serve(ask("old", ["o", "p"]), ask("a", [0, 1, 2], session="a"))
    scene.talk.compact("a", keep=1)
    scene.serve(ask("a2", [0, "summary", "more"], session="a"))
    return scene.serve(ask("old2", ["o", "p"]))[0]


@heard
def test_blocks_that_a_summary_replaced_leave_before_older_ones() -> None:
    assert compacts(ALL) == 2 * BLOCK
    assert compacts(without(Signal.COMPACT)) == BLOCK


def gives_up(heard: frozenset[Signal], signal: Signal) -> int:
    """A younger conversation is over, by one signal; which of the two leaves for the next?"""
    scene = Scene(6, heard=heard)
    scene.serve(ask("old", ["o", "p", "q"]), ask("a", [0, 1, 2], session="a"))
    (scene.talk.superseded if signal is Signal.SUPERSEDED else scene.talk.sequence_end)("a")
    scene.serve(ask("next", [7, 8, 9]))
    return scene.serve(ask("old2", ["o", "p", "q"]))[0]


@heard
@pytest.mark.parametrize("signal", [Signal.SUPERSEDED, Signal.SEQUENCE_END])
def test_blocks_that_nobody_will_use_again_leave_before_older_ones(signal: Signal) -> None:
    assert gives_up(ALL, signal) == 3 * BLOCK
    assert gives_up(without(signal), signal) == 0


def test_what_a_second_conversation_has_read_is_not_dead_with_the_first() -> None:
    scene = Scene(6)
    scene.serve(
        ask("a", ["system", 1], session="a"),
        ask("b", ["system", 2], session="b"),
        ask("c", [7, 8]),
    )
    scene.talk.sequence_end("a")
    scene.talk.sequence_end("b")
    scene.serve(ask("d", ["x", "y", "z"]))
    assert [row.block for row in scene.rows(What.EVICTED)] == [1, 2]


def test_a_tool_that_never_answers_protects_its_blocks_for_twice_the_time() -> None:
    scene = Scene(6)
    scene.serve(ask("a", [0, 1, 2], session="a"), ask("b", [4, 5, 6], session="b"))
    scene.talk.tool_wait("a", expected=5)
    for _ in range(12):
        scene.it.step()
        scene.talk.advance()
    scene.serve(ask("next", ["x"]))
    assert [row.block for row in scene.rows(What.EVICTED)] == [2]


@heard
def test_a_signal_about_a_running_turn_holds_when_the_turn_ends() -> None:
    scene = Scene(6)
    scene.serve(ask("old", ["o", "p", "q"]))
    scene.talk.request(ask("a", [0, 1, 2], session="a"))
    scene.talk.superseded("a")
    scene.run()
    scene.serve(ask("next", [7, 8, 9]))
    assert scene.serve(ask("old2", ["o", "p", "q"])) == [3 * BLOCK]
    assert [row.why for row in scene.rows(What.SIGNALLED)] == [Why.SUPERSEDED]


def test_only_a_running_sequence_can_be_forked() -> None:
    with pytest.raises(ValueError, match="does not run"):
        Scene(6).talk.fork("nobody", ask("child", []))


@heard
def test_what_a_summary_replaced_stays_dead_when_the_conversation_resumes() -> None:
    scene = Scene(6)
    scene.serve(ask("a", [0, 1, 2, 3], session="a"))
    scene.talk.compact("a", keep=1)
    scene.talk.resume("a")
    scene.serve(ask("first", ["x", "y"]), ask("second", ["z"]), ask("third", ["w"]))
    # Two of the three replaced blocks made room; the beginning that stays was not touched.
    assert scene.serve(ask("again", ["x", "y"]), ask("b", [0])) == [2 * BLOCK, BLOCK]
