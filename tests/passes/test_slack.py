"""How long a storage waits between two uses, and what that hides of its transfers."""

import pytest

from mirc.graph import Program, Role
from mirc.ir.enums import Recompute
from mirc.passes.phase_annotator import Phases
from mirc.passes.pipeline import run
from mirc.passes.recompute_classifier import Recomputation
from mirc.passes.reuse import Reuse
from mirc.passes.slack import Slack
from mirc.passes.yardstick import Yardstick
from tests.passes.programs import Builder, machine

SIZE = 1_000_000
TOY = machine(1 << 40, near_bytes_per_s=1e12, flops=1e12, link_bytes_per_s=1e9)


def waiting(*, between: int, role: Role = Role.ACTIVATION) -> Program:
    """Make x for 1 ms, run something for ``between`` FLOPs, then use x."""
    build = Builder()
    weight = build.store("w", SIZE)
    x = build.store("forward.x", SIZE, role)
    y = build.store("forward.y", SIZE, Role.OUTPUT if role is Role.ACTIVATION else Role.SAVED)
    build.node("a", [weight], [x], flops=10**9)
    build.node("b", [weight], [y], flops=between)
    if role is Role.SAVED:
        build.phase("forward")
        build.node("c", [y, weight], [build.store("backward.z", SIZE, Role.ACTIVATION)], flops=0)
    build.node("d", [x, y])
    build.phase("backward" if role is Role.SAVED else "forward")
    return build.program()


def of_x(program: Program) -> tuple[Recompute, Recompute]:
    """Return the class anywhere, and on the toy."""
    found = run(program, machines=(TOY,), only=("recompute-classifier",))[Recomputation].of(1)
    return found.portable, found.on["toy"][0]


# x out and back takes 2 ms, making it again 1 ms
@pytest.mark.parametrize(
    ("between", "expected"),
    [
        (10**8, Recompute.CHEAP),  # 1.9 ms exposed
        (10**9, Recompute.CHEAP),  # 1 ms exposed: the price itself
        (11 * 10**8, Recompute.MODERATE),  # 0.9 ms
        (175 * 10**7, Recompute.MODERATE),  # 0.25 ms, a fourth
        (18 * 10**8, Recompute.EXPENSIVE),
        (10**10, Recompute.EXPENSIVE),  # hidden whole: nothing is cheaper
    ],
)
def test_transfers_cost_what_compute_between_two_uses_does_not_hide(
    between: int, expected: Recompute
) -> None:
    assert of_x(waiting(between=between))[1] is expected


def test_the_portable_class_counts_no_slack() -> None:
    short, long = (of_x(waiting(between=flops))[0] for flops in (10**6, 10**13))
    assert short is long


def test_what_backward_needs_waits_through_the_end_of_forward() -> None:
    program = waiting(between=10**9, role=Role.SAVED)
    facts = run(program, machines=(TOY,), only=("reuse",))
    slack = Slack(facts[Phases].phases, facts[Reuse].clocks)
    # b takes 1 ms of FLOPs, c moves 3 MB at 1 TB/s
    assert slack.seconds("toy", "forward", 1) == pytest.approx(1e-3 + 3e-6)
    assert slack.seconds("", "forward", 1) == 0.0  # no machine, no clock


def test_slack_never_makes_transfers_cheaper_than_nothing() -> None:
    toy = Yardstick(TOY)
    assert toy.exposed_seconds(SIZE, 0.0) == toy.refetch_seconds(SIZE)
    assert toy.exposed_seconds(SIZE, 1e-3) == pytest.approx(1e-3)
    assert toy.exposed_seconds(SIZE, 5.0) == 0.0
