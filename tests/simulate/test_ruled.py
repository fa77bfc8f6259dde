"""Rules of replacement as policies of a schedule: what holds for every one of them."""

import re
from pathlib import Path
from random import Random

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.kernels import world as k
from mirc.kernels.events import Kind
from mirc.kernels.replacement.state import HELD, STAMP
from mirc.simulate.comparison import policies_of
from mirc.simulate.corrupt import shuffled
from mirc.simulate.engine import Played, play_on, simulate
from mirc.simulate.loop import play
from mirc.simulate.policies import MORE, POLICIES, Settings, policy_of
from mirc.simulate.setup import stage
from tests.nightly import by_night
from tests.simulate.drawn import Drawn, scenes, steps
from tests.simulate.scenes import Step, machine, rows, workload
from tests.simulate.test_engine import SMALL, check
from tests.simulate.test_engine import play as run

RULED = [name for name, policy in MORE.items() if policy.rule is not None]


@pytest.mark.mechanism("S5-04")
@pytest.mark.parametrize("policy", MORE)
@settings(max_examples=by_night(7, 600), deadline=None)
@given(drawn=scenes())
def test_no_rule_ever_overfills_a_memory_or_reads_bytes_in_flight(
    policy: str, drawn: Drawn
) -> None:
    outcome = run(drawn, policy)
    check(drawn, outcome)
    assert int(outcome.step_ps.sum()) == outcome.end_ps


@pytest.mark.parametrize("policy", RULED)
@settings(max_examples=by_night(7, 600), deadline=None)
@given(drawn=scenes())
def test_a_rule_holds_near_what_the_run_holds_near(policy: str, drawn: Drawn) -> None:
    scene = stage(drawn.load, drawn.known, drawn.machine, policy_of(policy), settings=SMALL)
    w = scene.world
    played = Played(homes=w.obj[k.HOME].copy())
    play_on(played, play, scene, (), drawn.load.step_count)
    near = np.isin(w.obj[k.STATE], (k.RESIDENT, k.INCOMING))
    known = w.cell[STAMP, : len(near)] != 0
    assert np.array_equal(known, near)
    assert w.rule[HELD] == w.obj[k.SIZE][near].sum()


@pytest.mark.parametrize("policy", MORE)
@settings(max_examples=by_night(5, 400), deadline=None)
@given(drawn=scenes(held=False), data=st.data())
def test_another_future_changes_no_decision_of_a_rule(
    policy: str, drawn: Drawn, data: st.DataObject
) -> None:
    kept = data.draw(st.integers(0, len(drawn.steps)))
    dice = Random(data.draw(st.integers(0, 2**32)))  # noqa: S311 - rolled, not kept secret
    room = drawn.machine.near.usable_bytes
    tail = [
        step
        for step in steps(drawn.made, 6, dice, begun=kept)
        if sum(drawn.sizes[o] for o in {*step.reads, *step.writes, *step.creates}) + step.transient
        <= room
    ]
    other = Drawn(
        drawn.sizes,
        drawn.made,
        [*drawn.steps[:kept], *(tail or [Step()])],
        drawn.known,
        drawn.machine,
        drawn.fast,
    )
    ours, theirs = run(drawn, policy).events, run(other, policy).events
    assert ours is not None
    assert theirs is not None
    assert ours[ours["step"] < kept].tobytes() == theirs[theirs["step"] < kept].tobytes()


def _left(policy: str, order: list[int], room: int) -> list[int]:
    """Return what leaves, in order, when steps read one object of 10 bytes each."""
    load = workload(
        [10] * 6, [False] * 6, [Step(reads=[o], position=n) for n, o in enumerate(order)]
    )
    outcome = simulate(
        load,
        rows(load),
        machine(room),
        policy,
        record_events=True,
        settings=Settings(),
        path="python",
    )
    assert outcome.events is not None
    dropped: list[int] = outcome.events["object"][outcome.events["kind"] == Kind.DROP].tolist()
    return dropped


@pytest.mark.parametrize(
    ("policy", "leaves"),
    [
        ("fifo", [0, 1]),  # 0 came first, whatever its uses
        ("lru", [1, 2]),
        ("lfu", [1, 2]),  # 0 has three uses; 1 came before 2, and 2 before 3
        ("sieve", [1, 2]),  # the hand spares 0, which was used
        ("ttl", [1, 2]),  # all of one priority: the least recently used
    ],
)
def test_each_rule_lets_go_what_it_says(policy: str, leaves: list[int]) -> None:
    # Room for three; 3 and then 4 want a place after 0 1 2 and two more uses of 0.
    assert _left(policy, [0, 1, 2, 0, 0, 3, 4], 30) == leaves


OWN = "tests/kernels/replacement/own_rules.py"


def test_a_rule_of_ones_own_plays_a_schedule() -> None:
    order = [0, 1, 2, 0, 0, 3, 4, 1, 5, 2, 0]
    assert _left(f"{OWN}:Oldest", order, 30) == _left("lru", order, 30)
    clock = "samples/policies/second_chance.py:Clock"
    assert _left(clock, [0, 1, 2, 0, 0, 3, 4], 30) == [1, 2]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Dreaming", f"chose {1 << 70}, which is not there"),
        ("Failing", "failed in `missed`: ValueError: 0 again"),
        ("Silent", "chose nothing, and 0 may leave"),
        ("Leaving", "failed in `choose`: SystemExit: 0"),
        ("Unspeakable", "failed in `choose`: Wordless"),
        ("Hollow", "cannot be made: AttributeError"),
        ("Unmade", "cannot be made: TypeError"),
        ("Stranger", "has no policy `Stranger`"),
    ],
)
def test_a_rule_that_does_wrong_is_refused_with_its_fault(name: str, sentence: str) -> None:
    with pytest.raises(CouldNotRun, match=re.escape(sentence)):
        _left(f"{OWN}:{name}", [0, 1, 2, 0], 20)


def test_a_rule_may_not_let_go_what_a_step_holds() -> None:
    # Room for two: the step that reads 1 and 2 holds 1, which came last, when 2 wants a place.
    load = workload([10] * 3, [False] * 3, [Step(reads=[0]), Step(reads=[1, 2], position=1)])
    with pytest.raises(CouldNotRun, match="chose 1, which is held"):
        simulate(load, rows(load), machine(20), f"{OWN}:Careless")


def test_a_file_that_ends_the_program_when_it_is_imported_is_no_policy(tmp_path: Path) -> None:
    leaving = tmp_path / "leaving.py"
    leaving.write_text("raise SystemExit(0)", encoding="utf-8")
    with pytest.raises(CouldNotRun, match="cannot be imported: SystemExit"):
        _left(f"{leaving}:Mine", [0], 20)


def test_a_file_that_is_not_there_is_no_policy() -> None:
    with pytest.raises(CouldNotRun, match=r"there is no file `nowhere\.py`"):
        _left("nowhere.py:Mine", [0], 20)


def test_every_policy_runs_where_every_one_is_asked_for() -> None:
    assert policies_of("every") == (*POLICIES, *MORE)
    assert policies_of("sieve,all") == (*POLICIES, "sieve")
    assert policies_of("my.py:Mine,lru") == ("lru", "my.py:Mine")
    with pytest.raises(CouldNotRun, match="there is no policy `sive`") as caught:
        policies_of("sive")
    assert caught.value.hint == "did you mean `sieve`?"


def test_a_placebo_deals_out_hints_within_their_class() -> None:
    count = 12
    load = workload([10] * count, [False] * count, [Step(reads=[0])])
    known = rows(load)
    hinted = attrs.evolve(known, probability=np.linspace(0.1, 0.9, count), phases=known.phases)
    classes = np.arange(count) % 2
    dealt = shuffled(hinted, classes, seed=1).probability
    assert not np.array_equal(dealt, hinted.probability)
    for number in (0, 1):
        of_class = classes == number
        assert sorted(dealt[of_class]) == sorted(hinted.probability[of_class])


@pytest.mark.parametrize("policy", RULED)
@settings(max_examples=by_night(5, 500), deadline=None)
@given(drawn=scenes())
def test_a_compiled_rule_decides_as_the_plain_one(policy: str, drawn: Drawn) -> None:
    fast, plain = run(drawn, policy, "compiled").events, run(drawn, policy, "python").events
    assert fast is not None
    assert plain is not None
    assert fast.tobytes() == plain.tobytes()
