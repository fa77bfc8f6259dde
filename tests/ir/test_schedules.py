import pytest

from mirc.diagnostics import Source
from mirc.grammar import load
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
