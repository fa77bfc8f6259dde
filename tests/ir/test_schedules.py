import pytest

from mirc.diagnostics import Source
from mirc.grammar import bind, load, parse
from mirc.ir import read
from mirc.ir.meaning import EveryNth, Repeat


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("REPEAT(128, decode)", Repeat(("decode",), 128)),
        ("REPEAT(decode, 128)", Repeat(("decode",), 128)),
        ("EVERY(decode, 4)", EveryNth(4, "decode")),
        ("LOOP(REPEAT(decode, 2), decode)", Repeat((Repeat(("decode",), 2), "decode"))),
    ],
)
def test_the_count_of_a_repetition_stands_first_or_last(written: str, meant: object) -> None:
    text = f"mir 1.0\nmodule m {{ schedule = [{written}] }}\nphase decode {{ }}\n"
    module = load(Source("m.mir", text))
    assert module.info is not None
    assert read(module.info, "schedule") == (meant,)


@pytest.mark.parametrize(
    ("written", "blamed"),
    [
        ("REPEAT(decode, 0)", "0"),
        ("REPEAT(0, decode)", "0"),
        ("REPEAT(prefill, 7MiB, 128)", "7MiB"),
        ("REPEAT(128, prefill, 7MiB)", "7MiB"),
        ("LOOP(decode, REPEAT(prefill, LOOP(decode, 7MiB), 128))", "7MiB"),
        ("EVERY(3MiB, 4)", "3MiB"),
        ("REPEAT(decode, nowhere, 128)", "nowhere"),
    ],
)
def test_the_element_that_is_wrong_is_blamed_wherever_the_count_stands(
    written: str, blamed: str
) -> None:
    text = (
        f"mir 1.0\nmodule m {{ schedule = [prefill, {written}] }}\n"
        "phase prefill { }\nphase decode { }\n"
    )
    (found,) = bind(parse(Source("m.mir", text))).diagnostics
    assert text[found.span.start : found.span.end] == blamed
