import pytest

from mirc.graph import Program, Role
from mirc.ir.enums import Recompute
from mirc.passes.pipeline import run
from mirc.passes.recompute_classifier import Recomputation, recompute_class
from tests.passes.programs import Builder, machine

SIZE = 1_000_000


def one_activation(*, flops: int, op: str = "aten.linear.default", random: bool = False) -> Program:
    build = Builder()
    weight = build.store("w", SIZE)
    x = build.store("p.x", SIZE, Role.ACTIVATION)
    build.node("a", [weight], [x], flops=flops, op=op, random=random)
    build.node("b", [x])
    build.phase("p")
    return build.program()


def classes(program: Program, link: float = 1e9) -> dict[str, Recompute]:
    # near memory and compute at 1e12: 2 MB moved take 2 us, 1e6 FLOPs 1 us
    toy = machine(1 << 40, near_bytes_per_s=1e12, flops=1e12, link_bytes_per_s=link)
    found = run(program, machines=(toy,), only=("recompute-classifier",))[Recomputation]
    return {
        program.storages[i].name: each.on["toy"][0] for i, each in found.classes.items() if each.on
    }


@pytest.mark.parametrize(
    ("flops", "expected"),
    [
        (2_000_000_000, Recompute.CHEAP),  # 2 ms, as 1 MB out and back at 1 GB/s
        (2_000_000_001, Recompute.MODERATE),
        (8_000_000_000, Recompute.MODERATE),
        (8_100_000_000, Recompute.EXPENSIVE),  # over 4 times the transfers
    ],
)
def test_the_class_crosses_over_where_both_prices_are_equal(
    flops: int, expected: Recompute
) -> None:
    assert classes(one_activation(flops=flops))["p.x"] is expected


def test_a_faster_link_flips_the_class() -> None:
    program = one_activation(flops=1_000_000_000)
    assert classes(program, link=1e9)["p.x"] is Recompute.CHEAP
    assert classes(program, link=1e12)["p.x"] is Recompute.EXPENSIVE


def test_weights_random_draws_collectives_and_router_choices_cannot_be_made_again() -> None:
    for program in (
        one_activation(flops=1, random=True),
        one_activation(flops=1, op="aten.topk.default"),
    ):
        found = run(program, only=("recompute-classifier",))[Recomputation]
        assert found.of(1).portable is Recompute.IMPOSSIBLE  # x
        assert found.of(0).portable is Recompute.IMPOSSIBLE  # w


def test_what_is_made_of_nothing_is_free() -> None:
    build = Builder()
    x = build.store("p.x", 64, Role.ACTIVATION)
    build.node("a", [], [x], op="aten.arange.default")
    build.node("b", [x])
    build.phase("p")
    found = run(build.program(), only=("recompute-classifier",))[Recomputation]
    assert found.of(x).portable is Recompute.FREE


def test_the_cone_goes_back_to_what_is_alive_at_the_last_use() -> None:
    build = Builder()
    weight = build.store("w", 8)
    x, y, z = (build.store(f"p.{n}", 8, Role.ACTIVATION) for n in "xyz")
    build.node("a", [weight], [x], flops=100)
    build.node("b", [x], [y], flops=20)
    build.node("c", [y], [z], flops=3)
    build.node("d", [x])
    build.node("e", [z])
    build.phase("p")
    found = run(build.program(), only=("recompute-classifier",))[Recomputation]
    assert found.of(x).flops == 100
    assert found.of(y).flops == 20  # at c, x is alive: d reads it later
    assert found.of(z).flops == 123  # at e, neither y nor x is


def test_a_cache_is_made_again_from_its_tokens_for_its_share_of_a_pass() -> None:
    build = Builder()
    small, large = (
        build.store(f"kv.layers.{i}", 0, Role.CACHE, per_token=size)
        for i, size in enumerate((100, 300))
    )
    build.node("a", [], [small], flops=4_000)
    build.node("b", [], [large], flops=4_000)
    build.phase("p", tokens=4)
    found = run(build.program(), only=("recompute-classifier",))[Recomputation]
    # 8,000 FLOPs over 4 tokens, a quarter and three quarters of the bytes
    assert (found.of(small).flops, found.of(large).flops) == (500, 1500)


def decoder_cache(tokens: int) -> Recomputation:
    """Give the cache of a layer as a 70B decoder has it: 856 M weights, 4 KiB of cache a token."""
    weights = 856_000_000
    build = Builder()
    weight = build.store("w", 2 * weights)
    cache = build.store("kv.layers.0", 0, Role.CACHE, per_token=4096)
    build.node("a", [weight], [cache], flops=2 * weights * tokens)
    build.phase("p", tokens=tokens)
    toy = machine(
        1 << 40, near_bytes_per_s=3e12, flops=1e15, link_bytes_per_s=55e9, latency_ns=10_000
    )
    return run(build.program(), machines=(toy,), only=("recompute-classifier",))[Recomputation]


def test_a_decoder_s_cache_is_dearer_to_make_again_than_to_fetch() -> None:
    # 1.7 us of FLOPs a token, 0.15 us over the link: the latency of 20 us is paid once, not 4,096
    # times
    cache = decoder_cache(4096).of(1)
    assert cache.portable is Recompute.EXPENSIVE
    word, per_token_us = cache.on["toy"]
    assert word is Recompute.EXPENSIVE
    assert per_token_us == pytest.approx(1.712)
    assert cache.flops == 1_712_000_000


def test_a_single_token_s_cache_is_made_again_with_all_the_weights() -> None:
    # 1.712 GB at 3 TB/s, 571 us, against a transfer of little but latency
    cache = decoder_cache(1).of(1)
    assert cache.near_bytes == 2 * 856_000_000
    assert cache.on["toy"][0] is Recompute.EXPENSIVE
    assert cache.on["toy"][1] == pytest.approx(570.7, abs=0.1)


def test_the_price_of_the_transfers_itself_is_still_cheap() -> None:
    assert recompute_class(1.0, 1.0) is Recompute.CHEAP
    assert recompute_class(4.0, 1.0) is Recompute.MODERATE
    assert recompute_class(4.1, 1.0) is Recompute.EXPENSIVE


def test_what_backward_needs_is_made_again_from_what_else_is_saved() -> None:
    build = Builder()
    x, z = (build.store(f"forward.{n}", SIZE, Role.SAVED) for n in "xz")
    y = build.store("forward.y", SIZE, Role.ACTIVATION)
    build.node("a", [], [x], flops=100)
    build.node("b", [x], [y], flops=20)
    build.node("c", [y], [z], flops=3)
    build.phase("forward")
    build.node("d", [x, z])
    build.phase("backward")
    found = run(build.program(), only=("recompute-classifier",))[Recomputation]
    assert found.of(z).flops == 23  # y is gone by then, x is saved
    assert found.of(z).portable is Recompute.CHEAP
