"""A wired hot set is loaded once, in a scratchpad once a kernel, by a plain cache every step."""

import pytest

from mirc.simulate.onchip import MODES, Array, Decode, closed_form, step_s

ARRAY = Array(line_bytes=1024, sets=16, ways=4)
DECODE = Decode(steps=12, hot=20, first=8, second=128)


@pytest.mark.mechanism("S3-18", "S3-20")
@pytest.mark.parametrize(
    "mode",
    [
        pytest.param("wired", marks=pytest.mark.mechanism("S3-02")),
        pytest.param("scratchpad", marks=pytest.mark.mechanism("S3-02", "S3-06")),
        "nothing",
    ],
)
def test_the_bytes_of_a_decode_equal_the_closed_form(mode: str) -> None:
    # wired: 20 + 12 x 136 lines; scratchpad: 2 x 12 x 20 of hot ones; nothing: 12 x 20.
    assert MODES[mode](DECODE, ARRAY) == closed_form(mode, DECODE, ARRAY)


@pytest.mark.mechanism("S3-20", "S3-02", "S3-06")
def test_a_hint_lies_between_wired_and_nothing_and_promises_no_figure() -> None:
    found = {mode: run(DECODE, ARRAY) for mode, run in MODES.items()}
    assert found["wired"] < found["hint"] < found["nothing"] < found["scratchpad"]
    assert closed_form("hint", DECODE, ARRAY) is None


@pytest.mark.mechanism("S3-20")
def test_prefetch_hides_time_and_moves_the_same_bytes() -> None:
    # 100 bytes at 50 a second beside 3 s of computing: 5 s in turn, 3 s side by side.
    assert step_s(100, 3.0, 50.0) == (5.0, 3.0)


@pytest.mark.mechanism("S3-13", "S3-02")
def test_a_binding_outlives_every_kernel_of_the_decode() -> None:
    long = Decode(steps=40, hot=20, first=8, second=128)
    hot_loads = MODES["wired"](long, ARRAY) - long.steps * long.streamed * ARRAY.line_bytes
    assert hot_loads == 20 * ARRAY.line_bytes


def test_a_decode_without_a_closed_form_says_so() -> None:
    with pytest.raises(ValueError, match="closed form"):
        closed_form("nothing", Decode(steps=1, hot=60, first=8, second=128), ARRAY)


def test_a_hot_set_that_cannot_be_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="QUOTA_EXCEEDED"):
        MODES["wired"](Decode(steps=1, hot=60, first=1, second=64), ARRAY)
