import pytest

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend.phases import KEYS, PhaseSizes, requested

DEFAULTS = {
    "prefill": PhaseSizes(name="prefill", seq=512),
    "decode_step": PhaseSizes(name="decode_step", past=512),
}
VALID = {"prefill": ("seq", "batch"), "decode_step": KEYS}


def ask(text: str | None) -> tuple[PhaseSizes, ...]:
    return requested(text, DEFAULTS, VALID)


def test_without_a_word_all_phases_have_their_defaults() -> None:
    assert ask(None) == tuple(DEFAULTS.values())


def test_sizes_are_set_by_key_and_phases_come_in_the_order_written() -> None:
    decode, prefill = ask("decode_step:past=1_024:batch=4, prefill:seq=64")
    assert decode == PhaseSizes(name="decode_step", past=1024, batch=4)
    assert prefill == PhaseSizes(name="prefill", seq=64)


def test_a_decode_step_without_past_follows_the_prefill() -> None:
    _, decode = ask("prefill:seq=64,decode_step")
    assert decode.past == 64


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "decode",
            "unknown phase `decode`",
            "did you mean `decode_step`? (valid: `prefill`, `decode_step`)",
        ),
        ("training", "unknown phase `training`", "choose from `prefill`, `decode_step`"),
        ("", "unknown phase ``", "choose from `prefill`, `decode_step`"),
        ("prefill:past=3", "phase `prefill` has no size `past`", "choose from `seq`, `batch`"),
        (
            "prefill:sequ=3",
            "phase `prefill` has no size `sequ`",
            "did you mean `seq`? (valid: `seq`, `batch`)",
        ),
        ("prefill,prefill", "phase `prefill` is named twice", "name each phase once"),
    ],
)
def test_a_wrong_word_is_named_with_the_valid_ones(text: str, message: str, hint: str) -> None:
    with pytest.raises(CouldNotRun) as caught:
        ask(text)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "1.5", "99999999999", "٣"])
def test_a_size_is_a_number_within_reason(value: str) -> None:
    with pytest.raises(CouldNotRun, match="is not a number from 1 to"):
        ask(f"prefill:seq={value}")
