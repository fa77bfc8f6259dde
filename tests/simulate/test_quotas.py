"""A tenant's objects never take more of near memory than its quota, and nobody else's room."""

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.descriptors import Descriptors
from mirc.controller.ingest import ingest
from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load as parse
from mirc.kernels.events import Kind, Reason
from mirc.packed.pack import seal
from mirc.simulate.engine import simulate
from mirc.simulate.model import Outcome
from mirc.simulate.policies import Settings
from mirc.simulate.topology import topology
from tests.nightly import by_night
from tests.simulate.checker import Checker
from tests.simulate.drawn import Drawn, need, scenes
from tests.simulate.scenes import Step, machine, rows, workload
from tests.simulate.toy import card

NIGHTLY = by_night(1, 50)


def _limited(known: Descriptors, whose: list[int], **limits: int) -> Descriptors:
    return attrs.evolve(known, quotas=tuple(limits.items()), tenant=np.array(whose, dtype=np.int64))


def _run(drawn: Drawn, known: Descriptors, path: str = "python") -> Outcome:
    return simulate(
        drawn.load,
        known,
        drawn.machine,
        "intent",
        record_events=True,
        settings=Settings(chunk_bytes=16),
        path=path,
    )


@st.composite
def limited(draw: st.DrawFn) -> tuple[Drawn, Descriptors]:
    """Draw a scene and two tenants, whose quotas hold what each step needs of theirs."""
    drawn = draw(scenes(held=False))
    count = len(drawn.sizes)
    whose = draw(st.lists(st.integers(-1, 1), min_size=count, max_size=count))
    limits = {}
    for number, name in enumerate("ab"):
        own = {o for o in range(count) if whose[o] == number}
        least = max(_of(drawn, step, own) for step in drawn.steps)
        limits[name] = least + draw(st.integers(0, 40))
    return drawn, _limited(drawn.known, whose, **limits)


def _of(drawn: Drawn, step: Step, own: set[int]) -> int:
    uses = {*step.reads, *step.writes, *step.creates} & own
    return need(drawn.sizes, Step(reads=sorted(uses)))


@settings(max_examples=80 * NIGHTLY, deadline=None)
@given(scene=limited())
def test_no_tenant_ever_holds_more_than_its_quota(scene: tuple[Drawn, Descriptors]) -> None:
    drawn, known = scene
    names = topology(drawn.load, known, drawn.machine).names
    limits = [drawn.machine.memory(name).usable_bytes for name in names]
    quotas = [
        (frozenset(np.flatnonzero(known.tenant == number).tolist()), limit)
        for number, (_, limit) in enumerate(known.quotas)
    ]
    try:
        outcome = _run(drawn, known)
    except CouldNotRun as error:
        refusal = error.message
        assert "quota" in refusal or "waits for" in refusal
        return
    Checker(limits, quotas=quotas).replay(outcome.events)


@settings(max_examples=15, deadline=None)
@given(scene=limited())
def test_both_paths_agree_on_every_event_under_quotas(scene: tuple[Drawn, Descriptors]) -> None:
    found = []
    for path in ("python", "compiled"):
        try:
            events = _run(*scene, path=path).events
        except CouldNotRun as error:
            found.append(error.message.encode())
        else:
            assert events is not None
            found.append(events.tobytes())
    assert found[0] == found[1]


def _turns(quota: int) -> Outcome:
    """Three objects of 30 of tenant a in turn, between two uses of one of b; room for all."""
    steps = [Step(reads=[3])]
    steps += [Step(reads=[p % 3], position=p) for p in range(1, 10)]
    steps += [Step(reads=[3], position=10)]
    load = workload([30] * 4, [False] * 4, steps)
    known = _limited(rows(load), [0, 0, 0, 1], a=quota, b=1000)
    return simulate(load, known, machine(120), "intent", record_events=True)


def test_a_tenant_over_its_quota_displaces_its_own_and_leaves_the_others_alone() -> None:
    # With room for all three of a: 4 misses. With a quota for two, a displaces its own; b stays.
    assert _turns(90).hits["hbm"] == 7
    found = _turns(60)
    events = found.events
    assert events is not None
    dropped = events[events["kind"] == Kind.DROP]
    assert len(dropped) > 0
    assert set(dropped["reason"].tolist()) == {Reason.QUOTA}
    assert set(dropped["object"].tolist()) <= {0, 1, 2}
    assert set(dropped["cause"].tolist()) <= {0, 1, 2}
    reads_of_b = events[(events["object"] == 3) & (events["kind"] == Kind.ISSUE)]
    assert len(reads_of_b) == 1


def test_a_step_that_needs_more_than_the_quota_is_refused_by_the_tenants_name() -> None:
    load = workload([30, 30], [False, False], [Step(reads=[0, 1])])
    known = _limited(rows(load), [0, 0], a=50)
    with pytest.raises(
        CouldNotRun, match="step 0 waits for `o1`, and tenant `a` holds 30 of its quota of 50 bytes"
    ):
        simulate(load, known, machine(100), "intent")


def test_a_prefetch_beyond_the_quota_is_turned_down_with_that_reason() -> None:
    # The plan wants 1 and 2 soon after 0; what a holds is used sooner than what it would fetch.
    steps = [Step(reads=[p], position=p, compute_ps=10_000_000) for p in range(3)] * 3
    load = workload([30] * 3, [False] * 3, steps)
    first = {0: {o: 10.0 * o for o in range(3)}}
    known = _limited(rows(load, first_us=first, period_us=30.0), [0, 0, 0], a=60)
    found = simulate(load, known, machine(200, in_rate=1e6), "intent", record_events=True)
    assert found.events is not None
    refused = found.events[found.events["kind"] == Kind.REFUSE]
    assert Reason.QUOTA in refused["reason"]


def test_neither_a_guess_nor_a_coalition_goes_beyond_the_quota() -> None:
    # a may hold two of three: when o0 is missed, o1 comes along, and o2 does not.
    steps = [Step(reads=[0], position=p, compute_ps=200_000_000) for p in range(3)]
    load = workload([30] * 3, [False] * 3, steps)
    where = machine(200, in_rate=1e6)
    mates = attrs.evolve(rows(load), mates=((0, 1, 2),), caps_bytes=(0,))
    first = rows(load, first_us={0: {1: 100.0, 2: 200.0}}, period_us=600.0)
    unsure = [attrs.evolve(each, probability=np.array([1, 0.3, 0.3])) for each in first.phases]
    guesses = attrs.evolve(first, phases=tuple(unsure), probability=np.array([1, 0.3, 0.3]))
    for known, why in ((mates, Reason.TOGETHER), (guesses, Reason.GUESSED)):
        for quota, brought in ((60, 1), (90, 2)):
            limited_ = _limited(known, [0, 0, 0], a=quota)
            events = simulate(load, limited_, where, "intent", record_events=True).events
            assert events is not None
            assert (events["reason"][events["kind"] == Kind.ISSUE] == why).sum() == brought


def test_other_policies_know_of_no_tenant() -> None:
    load = workload([30, 30], [False, False], [Step(reads=[0, 1])])
    known = _limited(rows(load), [0, 0], a=50)
    assert simulate(load, known, machine(100), "lru").end_ps > 0


def test_quotas_are_read_from_the_file() -> None:
    text = """mir 1.0
    tenant a { quota_bytes = 5MiB }
    tenant b { }
    tenant c { quota_bytes = 7MiB }
    object x { class = KV_BLOCK size_bytes = 1 tenant_id = c }
    object y { class = KV_BLOCK size_bytes = 1 tenant_id = b }
    template kv { class = KV_BLOCK instance = [SEQUENCE, BLOCK] size_bytes = 1 tenant_id = a }
    """
    packed = seal(parse(Source("toy.mir", text)))
    known = ingest(packed, card(), None, ("x", "y", "kv(0,1)"))
    assert known.quotas == (("a", 5 << 20), ("c", 7 << 20))
    assert known.tenant.tolist() == [1, -1, 0]
