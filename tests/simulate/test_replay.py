"""The log alone gives the state that a run ended in: nothing was moved or lost without a row."""

import hashlib
from collections.abc import Iterator

import attrs
import numpy as np
import pytest
from hypothesis import given, settings

from mirc.controller.stage import Happening
from mirc.kernels import world as k
from mirc.kernels.world import World
from mirc.simulate.engine import simulate
from mirc.simulate.policies import Settings
from tests.simulate.checker import Checker, Copy
from tests.simulate.drawn import Drawn, scenes

STATES = {"absent": k.ABSENT, "incoming": k.INCOMING, "here": k.RESIDENT, "leaving": k.LEAVING}


@attrs.define
class Keeping:
    """A stage that does nothing but keep a hold of the world, to look at when the run is over."""

    name: str = "keeping"
    world: World | None = None

    def due(self, step: int) -> int:
        return 0 if step == 0 else k.NEVER

    def act(self, w: World, step: int) -> Iterator[Happening]:  # noqa: ARG002 - of the protocol
        self.world = w
        yield from ()


def _hash(rows: list[tuple[int, int, int]]) -> str:
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _of_world(w: World) -> list[tuple[int, int, int]]:
    near = w.obj[k.STATE].tolist()
    return list(zip(near, w.obj[k.HOME].tolist(), w.obj[k.WRITING].tolist(), strict=True))


def _of_log(copies: dict[int, Copy], count: int) -> list[tuple[int, int, int]]:
    found = []
    for o in range(count):
        copy = copies.get(o, Copy())
        home = k.NONE if copy.home is None else copy.home
        writing = int(copy.writing) + int(copy.writing and copy.changed)
        found.append((STATES[copy.near], home, writing))
    return found


@pytest.mark.mechanism("S1-06", "S2-19")
@pytest.mark.parametrize("policy", ["static", "lru", "intent"])
@settings(max_examples=40, deadline=None)
@given(drawn=scenes())
def test_replaying_the_log_gives_the_state_in_which_the_run_ended(
    policy: str, drawn: Drawn
) -> None:
    keeping = Keeping()
    outcome = simulate(
        drawn.load,
        drawn.known,
        drawn.machine,
        policy,
        record_events=True,
        settings=Settings(chunk_bytes=16),
        path="python",
        stages=[keeping],
    )
    limits = [1 << 60] * len(outcome.peak_bytes)
    checker = Checker(limits).replay(outcome.events)
    w = keeping.world
    assert w is not None
    count = len(drawn.sizes)
    assert _hash(_of_log(checker.copies, count)) == _hash(_of_world(w))
    used = [int(checker.used[memory]) for memory in range(len(limits))]
    assert used == w.mem[k.USED].tolist()


@pytest.mark.mechanism("S2-19")
@settings(max_examples=20, deadline=None)
@given(drawn=scenes())
def test_a_log_from_which_one_loss_is_taken_out_no_longer_replays(drawn: Drawn) -> None:
    # the check above must be able to fail: without its row, a loss is found out
    outcome = simulate(
        drawn.load, drawn.known, drawn.machine, "lru", record_events=True, path="python"
    )
    events = outcome.events
    assert events is not None
    losses = np.flatnonzero(np.isin(events["kind"], (6, 7)))
    if not len(losses):
        return
    limits = [drawn.machine.near.usable_bytes] + [1 << 60] * (len(outcome.peak_bytes) - 1)
    whole = Checker(limits).replay(events)
    try:
        part = Checker(limits).replay(np.delete(events, losses[-1]))
    except AssertionError:
        return
    assert (part.used, part.copies) != (whole.used, whole.copies)
