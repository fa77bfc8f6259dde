"""Stages act between steps, on either path; where they do nothing, nothing is otherwise."""

from collections.abc import Iterator

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.stage import Happening, Stage
from mirc.controller.telemetry import TelemetryStage
from mirc.kernels import world as k
from mirc.kernels.world import NEVER, World
from mirc.simulate.engine import simulate
from mirc.simulate.model import Outcome
from mirc.simulate.policies import Settings
from tests.simulate.drawn import Drawn, scenes
from tests.simulate.scenes import Step, machine, rows, workload


@attrs.frozen
class Watching:
    """Acts before the steps that it was told, and only looks."""

    steps: tuple[int, ...]
    name: str = "watching"

    def due(self, step: int) -> int:
        return min((each for each in self.steps if each >= step), default=NEVER)

    def act(self, w: World, step: int) -> Iterator[Happening]:
        yield Happening(
            time_ps=int(w.run[k.NOW]),
            step=step,
            actor=self.name,
            what="look",
            detail=f"{int(w.mem[k.USED, k.NEAR])} bytes",
        )


@attrs.frozen
class Widening:
    """Before one step, near memory grows."""

    step: int
    size: int
    name: str = "widening"

    def due(self, step: int) -> int:
        return self.step if step <= self.step else NEVER

    def act(self, w: World, step: int) -> Iterator[Happening]:
        w.mem[k.CAPACITY, k.NEAR] += self.size
        yield Happening(time_ps=int(w.run[k.NOW]), step=step, actor=self.name, what="widen")


def _play(drawn: Drawn, *stages: Stage, path: str = "python") -> Outcome:
    return simulate(
        drawn.load,
        drawn.known,
        drawn.machine,
        "intent",
        record_events=True,
        settings=Settings(chunk_bytes=16),
        path=path,
        stages=stages,
    )


@pytest.mark.parametrize("path", ["python", "compiled"])
@settings(max_examples=15, deadline=None)
@given(drawn=scenes(), steps=st.sets(st.integers(0, 45), max_size=8))
def test_a_stage_that_only_looks_changes_no_event(path: str, drawn: Drawn, steps: set[int]) -> None:
    alone = _play(drawn, path=path)
    watched = _play(drawn, Watching(tuple(sorted(steps))), path=path)
    assert alone.events is not None
    assert watched.events is not None
    assert alone.events.tobytes() == watched.events.tobytes()
    assert (alone.path, watched.path) == (path, f"{path} + watching")
    due = sorted(step for step in steps if step < drawn.load.step_count)
    assert [each.step for each in watched.happenings] == due


def test_stages_that_are_due_at_one_step_act_in_the_order_given() -> None:
    load = workload([10], [False], [Step(reads=[0])] * 4)
    stages = [Watching((1, 3), "first"), Watching((0, 1), "second")]
    found = simulate(load, rows(load), machine(100), "intent", stages=stages).happenings
    assert [(each.step, each.actor) for each in found] == [
        (0, "second"),
        (1, "first"),
        (1, "second"),
        (3, "first"),
    ]


@pytest.mark.parametrize("path", ["python", "compiled"])
def test_what_a_stage_does_counts_from_its_step_on(path: str) -> None:
    # Two objects of 60 in a memory of 100 displace each other, until it holds both from step 4 on:
    # misses at steps 0 to 3, and at 4 for the one that 3 displaced.
    steps = [Step(reads=[step % 2], position=step) for step in range(8)]
    load = workload([60, 60], [False, False], steps)
    found = simulate(load, rows(load), machine(100), "intent", path=path, stages=[Widening(4, 60)])
    assert found.hits["hbm"] == 3
    assert found.path == f"{path} + widening"


def test_a_log_that_fills_between_stages_loses_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [Step(reads=[step % 2], position=step) for step in range(400)]
    load = workload([60, 60], [False, False], steps)
    whole = simulate(load, rows(load), machine(100), "lru", record_events=True).events
    monkeypatch.setattr("mirc.simulate.engine.LOG_ROWS", 16)
    monkeypatch.setattr("mirc.simulate.engine.LOG_ROWS_EACH", 1)
    parts = simulate(load, rows(load), machine(100), "lru", record_events=True).events
    assert whole is not None
    assert parts is not None
    assert len(whole) > 400 * 4
    assert whole.tobytes() == parts.tobytes()


@pytest.mark.mechanism("S1-08")
def test_what_was_observed_before_each_step_is_noted_and_changes_nothing() -> None:
    # Two objects of 60 in 200 bytes; the second, of 60 us, is fetched ahead during step 0's 20 us.
    steps = [Step(reads=[p], position=p, compute_ps=20_000_000) for p in range(2)]
    load = workload([60, 60], [False, False], steps)
    known = rows(load, first_us={0: {0: 0.0, 1: 20.0}}, period_us=40.0)
    where = machine(200, in_rate=1e6)
    alone = simulate(load, known, where, "intent", record_events=True)
    noted = simulate(
        load, known, where, "intent", record_events=True, stages=[TelemetryStage(("in", "out"))]
    )
    assert alone.events is not None
    assert noted.events is not None
    assert alone.events.tobytes() == noted.events.tobytes()
    assert [each.detail for each in noted.happenings] == [
        (
            "the last step took 0.0 us; 200 of 200 near bytes free; 0 bytes ready ahead; "
            "0 transfers under way; 0 prefetches late"
        ),
        (
            "the last step took 80.0 us; 80 of 200 near bytes free; 60 bytes ready ahead; "
            "1 transfers under way; 0 prefetches late; `in` busy for 40.0 us"
        ),
    ]
