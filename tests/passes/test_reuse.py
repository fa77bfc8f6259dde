from mirc.graph import Part, Split
from mirc.ir import Name
from mirc.passes.pipeline import run
from mirc.passes.reuse import Reuse, Reused
from tests.passes.programs import Builder, machine, routed


def test_the_distance_between_uses_is_what_the_steps_between_them_move() -> None:
    build = Builder()
    a, b, c = build.store("a", 10), build.store("b", 20), build.store("c", 40)
    build.node("s0", [a])
    build.node("s1", [b])
    build.node("s2", [a])
    build.node("s3", [c])
    build.phase("p")
    once = run(build.program(), schedule=(Name("p"),), only=("reuse",))[Reuse].phases["p"].reused
    assert once[a] == Reused(uses_per_run=2, distance_bytes=20)
    assert once[b] == Reused(uses_per_run=1, distance_bytes=None)  # the phase does not repeat
    again = run(build.program(), schedule=(Name("p"), Name("p")), only=("reuse",))[Reuse]
    # a: 20 bytes from s0 to s2, then 40 to the next run's s0; b: all but itself
    assert again.phases["p"].reused[a] == Reused(uses_per_run=2, distance_bytes=30)
    assert again.phases["p"].reused[b] == Reused(uses_per_run=1, distance_bytes=10 + 10 + 40)


def test_a_routed_step_moves_the_experts_that_it_is_expected_to_choose() -> None:
    build = Builder()
    parts = [Part(f"[{i}]", 100) for i in range(4)]
    experts = build.store("e", 400, parts=parts, split=Split.EXPERTS)
    build.node("moe", [routed(experts, 400, 1)])
    build.phase("p", tokens=2)
    reuse = run(build.program(), only=("reuse",))[Reuse].phases["p"]
    assert reuse.near_bytes == (175,)  # 400 x (1 - (3/4)^2)
    assert reuse.reused[experts].uses_per_run == 1 - 0.75**2


def test_a_step_takes_the_slower_of_its_flops_and_its_bytes() -> None:
    build = Builder()
    weight = build.store("w", 1_000_000)
    build.node("bytes", [weight], flops=10)
    build.node("flops", [], flops=5_000_000)
    build.phase("p")
    toy = machine(1 << 30, near_bytes_per_s=1e12, flops=1e12)
    clock = run(build.program(), machines=(toy,), only=("reuse",))[Reuse].clocks["toy", "p"]
    # 1 MB at 1 TB/s is 1 us; 5 MFLOP at 1 TFLOP/s are 5 us
    assert clock.start_ps == (0, 1_000_000, 6_000_000)
