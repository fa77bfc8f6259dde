"""The controller whole, with all its stages: whatever is asked of it, in whatever order.

Rules, claims, quotas, ladders and faults act on one world, under every policy that is no oracle. A
watch that knows the terms and reads log and audit alone (``watch``, ``checker``) sees each event.
"""

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mirc.simulate.faults import FaultKind
from mirc.simulate.policies import POLICIES
from tests.nightly import by_night
from tests.simulate.rig import Rig

SEALED = [name for name, policy in POLICIES.items() if not policy.oracle]
SEEDS = st.integers(0, 2**32 - 1)
PICKS = st.integers(0, 63)
STORM = 25  # operations of one rule
FAILING = st.sampled_from([kind for kind in FaultKind if kind is not FaultKind.LIE])


class Controllers(RuleBasedStateMachine):
    """Single operations, which shrink well, and storms of them, which reach far."""

    rig: Rig

    @initialize(seed=SEEDS, policy=st.sampled_from(["intent", *SEALED]))
    def begin(self, seed: int, policy: str) -> None:
        self.rig = Rig(seed, policy)

    @rule(pick=PICKS)
    def step(self, pick: int) -> None:
        self.rig.step(pick)

    @rule(phase=PICKS)
    def enter(self, phase: int) -> None:
        self.rig.enter(phase)

    @rule(which=st.integers(0, 511))
    def retire(self, which: int) -> None:
        self.rig.retire(which)

    @rule(pick=PICKS)
    def raise_event(self, pick: int) -> None:
        self.rig.raise_event(pick)

    @rule(kind=FAILING, pick=PICKS, amount=st.integers(1, 70), lasts=st.integers(0, 8))
    def fail(self, kind: FaultKind, pick: int, amount: int, lasts: int) -> None:
        scale = 1_000_000 if kind is FaultKind.STOP else 1
        self.rig.calamity(kind, pick, amount * scale, lasts)

    @rule(pick=PICKS)
    def stop_for_good(self, pick: int) -> None:
        self.rig.calamity(FaultKind.STOP, pick, 0, 0)

    @rule()
    def repair(self) -> None:
        self.rig.repair()

    @rule(name=st.sampled_from("pq"), holder=st.sampled_from(["gateway", "stranger"]))
    def release(self, name: str, holder: str) -> None:
        self.rig.release(name, holder)

    @rule(name=st.sampled_from("pq"), seed=SEEDS)
    def request(self, name: str, seed: int) -> None:
        self.rig.request(name, seed)

    @rule(seed=SEEDS)
    def storm(self, seed: int) -> None:
        dice = Random(seed)  # noqa: S311 - operations of a test
        for _ in range(STORM):
            self.rig.anything(dice)

    def teardown(self) -> None:
        if hasattr(self, "rig"):
            self.rig.finish()


TestControllers = Controllers.TestCase
TestControllers.settings = settings(
    max_examples=by_night(12, 500), stateful_step_count=20, deadline=None
)


@pytest.mark.parametrize("policy", SEALED)
def test_worlds_in_which_anything_happens_break_nothing_under_any_policy(policy: str) -> None:
    operations, stuck, worlds = 0, 0, 0
    most = by_night(2700, 200_000) if policy == "intent" else by_night(120, 20_000)
    while operations < most:
        rig, dice = Rig(worlds, policy), Random(worlds)  # noqa: S311 - operations of a test
        while not rig.over:
            rig.anything(dice)
        rig.finish()
        operations += rig.operations
        stuck += rig.stuck
        worlds += 1
    assert stuck < worlds / 2  # most go on to their end, whatever fails
