"""Training rounds, and masters of experts whose routing was observed."""

import attrs
import pytest

from mirc.graph import Program, Role
from mirc.ir import Call, Name
from mirc.ir.enums import TierKind
from mirc.machine import Link, Machine, Memory
from mirc.passes.base import Facts
from mirc.passes.phase_annotator import Phases
from mirc.passes.pieces import use_of
from mirc.passes.pipeline import run
from mirc.passes.placing import Mode
from mirc.passes.seeds import Observed
from mirc.passes.settling import Setting, settled
from mirc.passes.tier_check import overfull_steps
from mirc.passes.tier_liveness import TierLive, TierLiveness
from tests.passes.programs import Builder, machine
from tests.passes.test_observed_routing import SCHEDULE, mixture
from tests.routing_traces import requests, trace

ROUND = (Call("REPEAT", (16, Name("forward"), Name("backward"), Name("optimizer_update"))),)
LAYERS = 6


def training() -> Program:
    """Layers of a weight of 10 and two moments of 20, in three phases."""
    build = Builder()
    weights = [build.store(f"l.{i}.w", 10, mutated=True) for i in range(LAYERS)]
    moments = [
        [build.store(f"l.{i}.w.{name}", 20, Role.OPTIMIZER, mutated=True) for name in ("m", "v")]
        for i in range(LAYERS)
    ]
    saved = [build.store(f"forward.{i}", 1, Role.SAVED) for i in range(LAYERS)]
    gradients = [build.store(f"l.{i}.w.grad", 10, Role.GRADIENT) for i in range(LAYERS)]
    for i in range(LAYERS):
        build.node(f"l.{i}", [weights[i]], [saved[i]], flops=100)
    build.phase("forward")
    for i in reversed(range(LAYERS)):
        build.node(f"l.{i}", [weights[i], saved[i]], [gradients[i]], flops=200)
    build.phase("backward")
    for i in range(LAYERS):
        build.node(f"l.{i}", [gradients[i], *moments[i]], [weights[i], *moments[i]], flops=10)
    build.phase("optimizer_update")
    return build.program()


def trained(near_bytes: int) -> Facts:
    program = training()
    return run(program, machines=(machine(near_bytes),), schedule=ROUND, only=("tier-liveness",))


def test_states_of_an_optimizer_stay_where_there_is_room_for_all() -> None:
    (plan,) = trained(1_000)[TierLive].plans
    for phase in plan.phases.values():
        assert {r.mode for r in phase.placement.residences} == {Mode.STAYS}


def test_states_that_do_not_fit_stream_through_the_update_and_weights_stay() -> None:
    facts = trained(300)
    (plan,) = facts[TierLive].plans
    pieces = facts[TierLive].pieces
    program = training()
    update = plan.phases["optimizer_update"].placement
    modes = {Role.PARAMETER: set[Mode](), Role.OPTIMIZER: set[Mode]()}
    for piece, residence in zip(pieces, update.residences, strict=True):
        modes[program.storages[piece.storage].role].add(residence.mode)
    assert modes[Role.PARAMETER] == {Mode.STAYS}  # three phases want them, one the states
    assert modes[Role.OPTIMIZER] == {Mode.STAYS, Mode.STREAMS}
    assert update.planned_bytes >= update.bound_bytes > 0
    assert not any(overfull_steps(plan, pieces, name) for name in plan.phases)


def test_a_state_that_stays_for_the_update_stays_in_the_phases_between() -> None:
    facts = trained(300)
    (plan,) = facts[TierLive].plans
    by_phase = {
        name: [r.mode for r in phase.placement.residences] for name, phase in plan.phases.items()
    }
    for index, mode in enumerate(by_phase["optimizer_update"]):
        if mode is Mode.STAYS:
            assert by_phase["forward"][index] is by_phase["backward"][index] is Mode.STAYS


def test_masters_of_states_have_room_below_too() -> None:
    (plan,) = trained(300)[TierLive].plans
    assert plan.masters.bytes_in == {TierKind.DRAM: LAYERS * 50}


def three_tiers(near_bytes: int, lower_bytes: int) -> Machine:
    base = machine(near_bytes, lower_bytes=lower_bytes)
    disk = Memory(
        name="nvme",
        kind=TierKind.NVME,
        owner="host",
        capacity_bytes=1 << 40,
        read_bytes_per_s=1e10,
        write_bytes_per_s=1e10,
    )
    up = Link(name="up", source="nvme", target="dram", curve=((1, 2e8),), latency_ns=0.0)
    return attrs.evolve(base, memories=(*base.memories, disk), links=(*base.links, up))


@pytest.fixture(name="skewed")
def _skewed() -> tuple[Program, Facts]:
    program = mixture(4, 32, 2, size=10_000)
    seen = trace(requests(4, 32, 2, 4_000, each=50, sway=0.5, seed=1), each=50)
    facts = run(
        program,
        machines=(three_tiers(700_000, 1_000_000),),
        schedule=SCHEDULE,
        observed=Observed(seen),
        only=("tier-liveness",),
    )
    return program, facts


def test_experts_that_were_chosen_most_stay_and_the_next_have_the_nearest_masters(
    skewed: tuple[Program, Facts],
) -> None:
    _, facts = skewed
    (plan,) = facts[TierLive].plans
    phase = plan.phases["decode_step"]
    chances: dict[str, list[float]] = {"near": [], "dram": [], "nvme": []}
    for piece, residence, tier in zip(
        facts[TierLive].pieces, phase.placement.residences, plan.masters.tier, strict=True
    ):
        where = "near" if residence.mode is Mode.STAYS else tier.value.lower()
        chances[where].append(use_of(phase.wanted, piece).chance(piece))
    assert min(chances["near"]) >= max(chances["dram"])
    assert min(chances["dram"]) >= max(chances["nvme"]) > 0


def test_masters_by_their_chances_take_less_time_than_masters_shared_evenly(
    skewed: tuple[Program, Facts],
) -> None:
    program, facts = skewed
    (plan,) = facts[TierLive].plans
    phases = facts[Phases].phases
    # the same chances, but no slice of its own: shared evenly
    flat = {
        name: {s: attrs.evolve(use, shares=()) for s, use in phase.wanted.items()}
        for name, phase in plan.phases.items()
    }
    evenly = settled(
        Setting(
            machine=plan.machine,
            pieces=facts[TierLive].pieces,
            phases=phases,
            clocks={name: phase.clock for name, phase in plan.phases.items()},
            wanted=flat,
            room={
                name: tuple(plan.machine.near.usable_bytes - size for size in phase.working_bytes)
                for name, phase in plan.phases.items()
            },
        )
    )
    ours = plan.phases["decode_step"].placement
    assert ours.run_ps < 0.8 * evenly.placements["decode_step"].run_ps
    found = {c.decision: c for c in TierLiveness().certify(program, facts)}
    masters = found["which tier keeps the masters on toy"]
    assert masters.gap == pytest.approx(0, abs=0.01)
