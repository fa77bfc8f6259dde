"""Where loading keys and values costs as much as computing them again."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from mirc.controller.kv.crossover import Recompute


def test_a_70b_model_breaks_even_at_the_closed_form() -> None:
    # 327,680 bytes a token, 70e9 parameters, 400 TFLOP/s reached:
    # 327,680 x 400e12 / 140e9 = 936 MB/s. A host link of 50 GB/s is far above it.
    one = Recompute(kv_bytes=327_680, parameters=70e9, flops_per_s=400e12, load_bytes_per_s=50e9)
    assert one.crossover_bytes_per_s == pytest.approx(936_228_571, rel=1e-6)
    assert one.loads


@pytest.mark.mechanism("S7-10")
@given(
    kv=st.integers(1_000, 10_000_000),
    parameters=st.floats(1e8, 1e12),
    flops=st.floats(1e11, 1e16),
    side=st.floats(0.01, 100).filter(lambda x: abs(x - 1) > 1e-6),
)
def test_loading_wins_exactly_above_the_crossover(
    kv: int, parameters: float, flops: float, side: float
) -> None:
    edge = kv * flops / (2 * parameters)
    one = Recompute(
        kv_bytes=kv, parameters=parameters, flops_per_s=flops, load_bytes_per_s=edge * side
    )
    assert one.loads == (side > 1)
    assert (one.load_s < one.recompute_s) == (side > 1)


@pytest.mark.mechanism("S7-10")
def test_without_a_link_everything_is_computed_again() -> None:
    one = Recompute(kv_bytes=1, parameters=1, flops_per_s=1, load_bytes_per_s=0)
    assert not one.loads
