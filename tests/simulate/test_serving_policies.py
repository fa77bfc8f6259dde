"""The policies of a trace of requests by name: what each hears, leaves out, and is told falsely."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mirc.controller.kv.density import Density, Fact
from mirc.controller.kv.signals import ALL, Signal
from mirc.diagnostics import CouldNotRun, Source
from mirc.lint.errors import load_right
from mirc.simulate.serving.model import Options
from mirc.simulate.serving.placebo import Shuffled
from mirc.simulate.serving.policies import (
    ABLATIONS,
    INTENT,
    MORE,
    POLICIES,
    heard_by,
    keeping_of,
    policies_of,
)
from mirc.simulate.serving.serve import serve
from mirc.traces.make.agents import Agents, agents
from tests.controller.kv.scene import Scene, ask

SAMPLE = Path("samples/serving-small.mir")


def test_policies_are_named_alone_all_together_and_beside_all() -> None:
    assert policies_of("belady, lru") == ("lru", "belady")
    assert policies_of("all") == policies_of("") == POLICIES
    assert policies_of("every") == (*POLICIES, "signals", "placebo")
    assert policies_of("placebo,all") == (*POLICIES, "placebo")
    with pytest.raises(CouldNotRun) as caught:
        policies_of("lru,intent-fan")
    assert "there is no policy `intent-fan`" in str(caught.value.message)
    assert "intent-{" in str(caught.value.hint)


def test_every_fact_and_every_signal_can_be_left_out() -> None:
    assert {*ABLATIONS.values()} == {*Fact, *Signal}
    assert heard_by(INTENT) == heard_by("placebo") == ALL
    assert heard_by("lru") == heard_by("arc") == frozenset()
    assert heard_by("intent-tool_wait") == ALL - {Signal.TOOL_WAIT}
    assert heard_by("intent-fan-out") == ALL


@pytest.mark.parametrize("policy", [name for name in (*POLICIES, *MORE) if name != "belady"])
def test_every_name_is_an_order(policy: str) -> None:
    keeping = keeping_of(policy, 8, lambda _: None, 1)
    for key in range(3):
        keeping.missed(key)
        keeping.offer(key, key, None)
    assert {keeping.victim() for _ in range(3)} == {0, 1, 2}
    assert keeping.victim() is None
    assert isinstance(keeping, Density) == policy.startswith((INTENT, "placebo"))


def test_a_placebo_hears_as_much_and_of_another_conversation_that_goes_on() -> None:
    scene = Scene(20)
    names = [f"s{number}" for number in range(6)]
    talk = Shuffled(scene.it, ALL)
    for name in names:
        talk.request(ask(name, [name], session=name))
    while scene.it.running():
        scene.it.step()

    def heard(name: str, signal: Callable[[str], None]) -> str:
        before = len(scene.log)
        signal(name)
        (row,) = scene.log[before:]
        return row.name.partition(" ")[0]

    going = list(names)
    for name in names[:4]:
        about = heard(name, lambda name: talk.tool_wait(name, 5))
        assert about in going
        assert about != name
        going.remove(name)
        ended = heard(name, talk.sequence_end)
        assert ended in going
        talk.request(ask(f"{ended} after {name}", [ended], session=ended))  # it was not over
    assert heard("s4", lambda name: talk.tool_wait(name, 5)) == "s5"


def test_a_placebo_alone_hears_nothing() -> None:
    scene = Scene(20)
    talk = Shuffled(scene.it, ALL)
    talk.request(ask("s", ["s"], session="s"))
    before = len(scene.log)
    talk.tool_wait("s", 5)
    assert len(scene.log) == before


def test_signals_are_worth_something_and_false_ones_are_not() -> None:
    trace = tuple(agents(Agents(sessions=25)))
    options = Options(
        machines=("card-24g",),
        policies="intent,placebo,intent-signal",
        kv_gb=0.6,  # 286 blocks of the sample's one layer
        at_once=8,
    )
    module = load_right(Source(SAMPLE.name, SAMPLE.read_text("utf-8")))
    (served,) = serve(module, "agents", trace, options).machines
    found = {row.policy: row.total.found for row in served.rows}
    assert found["intent"] > max(found["placebo"], found["intent-signal"])
    assert found["placebo"] < 1.02 * found["intent-signal"]
