"""Any commands in any order, line for line against an oracle that shares no code with ours."""

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mirc.machine import Organisation
from mirc.sram import BindFlags, Caller, Probe, ReleaseMode
from tests.nightly import NIGHTLY
from tests.sram.pair import Pair, Scene, every_scene, scenes

STORM = 25  # commands of one rule

FIRSTS = st.integers(0, 60)
COUNTS = st.integers(0, 6)
TENANTS = st.sampled_from(("a", "b"))


@pytest.mark.parametrize("scene", every_scene(), ids=lambda s: f"{s.organisation}-{s.replacement}")
def test_a_storm_of_commands_leaves_device_and_oracle_equal(scene: Scene) -> None:
    pair, random = Pair(scene), Random(7)  # noqa: S311 - commands of a test
    for _ in range(70_000 if NIGHTLY else 900):
        pair.anything(random)
    pair.check_contents()
    pair.replayed()
    counters = pair.device.counters
    assert counters.evicted_lines > 0
    assert counters.lost_lines > 0
    assert counters.violations > 0
    assert counters.suppressed_messages > 0
    # Only a direct-mapped array can have a set of which every way is wired.
    assert (counters.bypassed_lines > 0) == (scene.organisation is Organisation.DIRECT_MAPPED)


class Machine(RuleBasedStateMachine):
    """Single commands, which shrink well, and storms of them, which reach far."""

    pair: Pair

    @initialize(scene=scenes())
    def begin(self, scene: Scene) -> None:
        self.pair = Pair(scene)

    @rule(
        first=FIRSTS,
        count=COUNTS,
        tenant=st.sampled_from(("a", "b", "#7")),
        flags=st.sampled_from([BindFlags(bits) for bits in range(8)]),
        place=st.none() | st.integers(0, 5),
    )
    def bind(
        self, first: int, count: int, tenant: str, flags: BindFlags, place: int | None
    ) -> None:
        self.pair.bind(first % (self.pair.scene.lines + 5), count, tenant, flags, place)

    @rule(pick=st.integers(0, 30), mode=st.sampled_from(ReleaseMode))
    def release(self, pick: int, mode: ReleaseMode) -> None:
        known = [*self.pair.model.bindings, *self.pair.model.old[-2:], 999]
        self.pair.release(known[pick % len(known)], mode)

    @rule(first=FIRSTS, tenant=TENANTS, privileged=st.booleans())
    def try_without_right(self, first: int, tenant: str, *, privileged: bool) -> None:
        other = {"a": "b", "b": "a"}[tenant]
        caller = Caller(privileged=privileged, tenant=other if privileged else tenant)
        self.pair.refuse(caller, first, tenant)

    @rule(tenant=TENANTS)
    def invalidate(self, tenant: str) -> None:
        self.pair.invalidate(tenant)

    @rule(first=FIRSTS, count=COUNTS)
    def read(self, first: int, count: int) -> None:
        self.pair.read(first, count)

    @rule(first=FIRSTS, count=COUNTS)
    def write(self, first: int, count: int) -> None:
        self.pair.write(first, count)

    @rule(first=FIRSTS, count=COUNTS, kind=st.sampled_from(Probe))
    def probe(self, first: int, count: int, kind: Probe) -> None:
        self.pair.probe(first, count, kind)

    @rule(seed=st.integers(0, 2**32 - 1))
    def storm(self, seed: int) -> None:
        random = Random(seed)  # noqa: S311 - commands of a test
        for _ in range(STORM):
            self.pair.anything(random)

    def teardown(self) -> None:
        if not hasattr(self, "pair"):
            return
        self.pair.check_contents()
        for handle in [*self.pair.model.bindings]:
            self.pair.release(handle, ReleaseMode.INVALIDATE)
        assert self.pair.device.wired_bytes == 0
        assert all(self.pair.device.quota(tenant).used_bytes == 0 for tenant in "ab")
        assert not any(line.wired for _, _, line in self.pair.device.lines())
        self.pair.replayed()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=1000 if NIGHTLY else 30, stateful_step_count=25, deadline=None
)
