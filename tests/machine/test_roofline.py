import pytest

from mirc.machine.load import load
from mirc.machine.roofline import peak_flops, ridge_flop_per_byte, step_ps

H100 = load("h100-sxm")


@pytest.mark.mechanism("S2-03")
def test_a_decode_step_waits_for_memory() -> None:
    # 3.015e9 bytes at 3.35e12 * 0.9 bytes per second: 1 ms; its FLOPs would take 4 us
    assert step_ps(H100, 3e9, "matmul", "bfloat16", 3.015e9) == 10**9


def test_a_prefill_step_waits_for_compute() -> None:
    # 989e12 * 0.7 FLOP at that many per second: 1 s
    assert step_ps(H100, 989e12 * 0.7, "MATMUL", "bfloat16", 1e9) == 10**12


def test_work_of_no_flops_and_no_bytes_takes_no_time() -> None:
    assert step_ps(H100, 0, "other", "bfloat16", 0) == 0


def test_an_unknown_kind_of_work_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="magic"):
        step_ps(H100, 1, "MAGIC", "bfloat16", 1)


@pytest.mark.parametrize(
    ("dtype", "computed_as"),
    [
        ("float8_e4m3fn", "float16"),  # no float8 on an A100: widened
        ("float8_e5m2", "float16"),
        ("float64", "float64"),
        ("float32", "float32"),
        ("bool", "float32"),  # unknown: the lowest rate, float32 and float64 alike
    ],
)
def test_a_dtype_without_a_rate_is_widened(dtype: str, computed_as: str) -> None:
    compute = load("a100-80g").compute
    assert peak_flops(compute, dtype) == compute.peak_flops[computed_as]


@pytest.mark.mechanism("S2-03")
def test_the_ridge_of_an_a100_is_153_flop_per_byte() -> None:
    # 312e12 / 2.039e12
    assert ridge_flop_per_byte(load("a100-80g"), "bfloat16") == pytest.approx(153, abs=0.5)
