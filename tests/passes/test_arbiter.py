"""What is wired on a chip saves the most seconds, and no choice within the budget saves more."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from mirc.graph import Part, Program, Role, Split
from mirc.ir import Call, Field, Name
from mirc.ir.module import Override
from mirc.machine import Link, Machine, Memory, Sram, TierKind
from mirc.passes.arbiter import Arbiter, MachineWiring, Wirings
from mirc.passes.base import Facts
from mirc.passes.pipeline import run
from mirc.passes.seeds import Options
from mirc.passes.tier_liveness import TierLive
from mirc.passes.wired_fields import wired_overrides
from tests.passes.programs import Builder, machine, routed

LINE = 4


def chip(wired_bytes: int) -> Machine:
    """The toy card with an SRAM ten times as fast as its near memory."""
    base = machine(1 << 30)
    sram = Memory(
        name="sram",
        kind=TierKind.SRAM,
        owner=base.compute.owner,
        capacity_bytes=1 << 20,
        read_bytes_per_s=10 * base.near.read_bytes_per_s,
        write_bytes_per_s=base.near.read_bytes_per_s,
    )
    link = Link(name="bind", source=base.near.name, target="sram", curve=((1, 1e9),))
    return attrs.evolve(
        base,
        memories=(*base.memories, sram),
        links=(*base.links, link),
        sram=Sram(memory="sram", line_bytes=LINE, ways=4, wired_bytes=wired_bytes),
    )


def layers(sizes: list[int], steps: list[int]) -> Program:
    """One weight of each size, read by so many steps of a decode phase."""
    build = Builder()
    out = build.store("decode_step.out", 4, Role.OUTPUT)
    weights = [build.store(f"l.{i}.w", size, shape=(2, 2)) for i, size in enumerate(sizes)]
    for weight, count in zip(weights, steps, strict=True):
        for place in range(count):
            build.node(f"l.{weight}.use_{place}", [weight], [out], flops=1)
    build.phase("decode_step", tokens=1, outputs=[out])
    return build.program()


def wired(program: Program, wired_bytes: int) -> tuple[MachineWiring, Facts]:
    facts = run(
        program, machines=(chip(wired_bytes),), options=Options(wire=True), only=("sram-arbiter",)
    )
    return facts[Wirings].by_machine["toy"], facts


def test_what_is_read_more_often_is_wired_first_and_the_last_is_cut() -> None:
    # 16 bytes of room: w1 is read twice (8 bytes), then w0 in written order, cut to 8 of 12.
    found, _ = wired(layers([12, 8, 12], [1, 2, 1]), 16)
    assert [(r.piece, r.size_bytes) for r in found.chosen] == [(1, 8), (0, 8)]
    # Near memory reads at 1e12 bytes a second, the SRAM at ten times that: 0.9 ps a byte saved.
    assert found.saved_ps == pytest.approx(0.9 * (2 * 8 + 8) * found.chosen[1].reads)


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    steps=st.lists(st.integers(1, 3), min_size=8, max_size=8),
    room=st.integers(LINE, 80),
)
def test_no_choice_of_regions_saves_more_but_for_part_of_a_line(
    sizes: list[int], steps: list[int], room: int
) -> None:
    found, facts = wired(layers(sizes, steps[: len(sizes)]), room)
    runs = found.chosen[0].reads / steps[found.chosen[0].piece] if found.chosen else 1.0
    worth = [0.9 * count * runs for count in steps[: len(sizes)]]  # ps saved a byte
    best = linprog(
        [-each for each in worth],
        A_ub=[[1.0] * len(sizes)],
        b_ub=[room],
        bounds=[(0, size) for size in sizes],
    )
    assert best.fun is not None
    assert found.bound_ps == pytest.approx(-best.fun)
    assert found.saved_ps <= found.bound_ps * (1 + 1e-9)
    spent = sum(-(-region.size_bytes // LINE) * LINE for region in found.chosen)
    assert spent <= room
    lost = LINE * (len(found.chosen) + 1)  # each region is rounded up to lines
    assert found.saved_ps >= found.bound_ps - lost * max(worth) * (1 + 1e-9)
    (certificate,) = Arbiter().certify(layers(sizes, steps[: len(sizes)]), facts)
    assert certificate.bound is not None
    assert certificate.objective >= certificate.bound * (1 - 1e-9)


def test_a_wired_weight_is_immutable_and_never_spills_and_a_rare_expert_is_pinned_softly() -> None:
    build = Builder()
    out = build.store("decode_step.out", 4, Role.OUTPUT)
    weight = build.store("l.0.w", 8, shape=(2, 2))
    parts = [Part(f"[{i}]", 8) for i in range(4)]
    experts = build.store("l.0.experts", 32, parts=parts, split=Split.EXPERTS)
    build.node("l.0.w", [weight], [out], flops=1)
    build.node("l.0.experts", [routed(experts, 8, 1)], [out], flops=1)
    build.phase("decode_step", tokens=1, outputs=[out])
    program = build.program()
    _, facts = wired(program, 12)
    (plan,) = facts[TierLive].plans
    tiers = Field("preferred_tiers", (Name("SRAM"), Name("HBM")))
    fixed = Field("immutable", value=True)
    assert list(wired_overrides(program, facts, plan)) == [
        Override(
            "l.0.w",
            (
                tiers,
                Field("pin_level", Name("WIRED")),
                fixed,
                Field("spill_policy", Name("NEVER")),
            ),
        ),
        Override(
            "l.0.experts[0]",
            (
                tiers,
                Field("pin_level", Name("SOFT")),
                Field("pin_range", Call("RANGE", (0, 4))),
                fixed,
            ),
        ),
    ]


def test_nothing_is_wired_where_nobody_asked_or_the_chip_has_no_memory_of_its_own() -> None:
    program = layers([8], [1])
    facts = run(program, machines=(chip(16),))
    assert list(wired_overrides(program, facts, facts[TierLive].plans[0])) == []
    bare = run(program, machines=(machine(1 << 30),), options=Options(wire=True))
    assert bare[Wirings].by_machine == {}
    assert list(bare[Wirings].sentences()) == ["no machine has on-chip memory to wire"]
