"""The policies of a trace of requests by name: what each hears, leaves out, and is told falsely."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mirc.controller.keeping import Hint
from mirc.controller.kv.density import Density, Fact
from mirc.controller.kv.retention import Retention, Wanted
from mirc.controller.kv.signals import ALL, Signal
from mirc.diagnostics import CouldNotRun, Source
from mirc.lint.errors import load_right
from mirc.packed.pack import seal
from mirc.simulate.serving.caches import caches_of
from mirc.simulate.serving.model import Options
from mirc.simulate.serving.placebo import Shuffled
from mirc.simulate.serving.policies import (
    ABLATIONS,
    INTENT,
    MORE,
    POLICIES,
    UNHEEDED,
    Model,
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
    assert policies_of("every") == (*POLICIES, "intent+time", "signals", "placebo")
    assert policies_of("placebo,all") == (*POLICIES, "placebo")
    with pytest.raises(CouldNotRun) as caught:
        policies_of("lru,intent-fan")
    assert "there is no policy `intent-fan`" in str(caught.value.message)
    assert "intent-{" in str(caught.value.hint)


def test_every_fact_and_every_signal_can_be_left_out() -> None:
    assert {*ABLATIONS.values()} == {*Fact, *Signal, Wanted.PRIORITY}
    assert {*UNHEEDED.values()} == {*Wanted}
    assert heard_by(INTENT) == heard_by("placebo") == heard_by("intent+time") == ALL
    assert heard_by("ttl") == heard_by("ttl-retain_us") == ALL
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


def test_what_templates_and_signals_declare_of_retention_is_read_by_group() -> None:
    text = SAMPLE.read_text("utf-8")
    caches = caches_of(seal(load_right(Source(SAMPLE.name, text))), 512)
    assert caches.declared == {(0, True): Retention(90, 60e6)}
    template = text[text.index("template kv.layers.0 {") :].split("\n", 1)[0]
    more = text.replace(template, f"{template}\n  retention_priority = 50")
    caches = caches_of(seal(load_right(Source(SAMPLE.name, more))), 512)
    assert caches.declared[0, None] == Retention(50, None)


def _left(policy: str, declared: dict[tuple[int, Hint], Retention]) -> list[int | None]:
    """Return who leaves first of one that nobody speaks of, one that waits, one that is over."""
    keeping = keeping_of(
        policy,
        8,
        {key: key - 1 for key in range(64) if key % 16}.get,
        1,
        Model(declared=declared),
    )
    keys = {15: None, 31: True, 47: False}
    for key, live in keys.items():
        keeping.missed(key)
        keeping.offer(key, key, live)
    return [keeping.victim() for _ in keys]


def test_declared_priorities_and_times_act_where_they_are_heeded() -> None:
    assert _left("ttl", {}) == [47, 15, 31]
    wanted: dict[tuple[int, Hint], Retention] = {
        (0, None): Retention(70, None),
        (0, True): Retention(40, None),
        (0, False): Retention(90, 1.0),
    }
    assert _left("ttl", wanted) == [31, 15, 47]
    assert _left("ttl-retention_priority", wanted) == [47, 15, 31]
    assert _left("intent", wanted) == [31, 15, 47]
    assert _left("intent-retention_priority", wanted) == [47, 15, 31]


def test_a_declared_time_passes() -> None:
    short: dict[tuple[int, Hint], Retention] = {
        (0, None): Retention(70, 5.0),
        (0, False): Retention(50, None),
    }
    for policy, first in (("ttl", 15), ("ttl-retain_us", 31)):
        keeping = keeping_of(
            policy,
            8,
            {key: key - 1 for key in range(64) if key % 16}.get,
            1,
            Model(declared=short),
        )
        for key, used_at, live in ((15, 0, None), (31, 9, False)):
            keeping.missed(key)
            keeping.offer(key, used_at, live)
        assert keeping.victim() == first, policy
