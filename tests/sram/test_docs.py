"""The page on wired SRAM says what the code does."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from mirc.machine import Organisation, Replacement
from mirc.sram import BindFlags, EventKind, Fault, Probe, ReleaseMode, Trap

TEXT = (Path(__file__).parents[2] / "docs" / "sram.md").read_text("utf-8")


def test_the_example_prints_what_the_page_says() -> None:
    example = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    printed = StringIO()
    with redirect_stdout(printed):
        exec(example[1], {})  # noqa: S102 - our own page
    assert f"print(sram.read(weights))  # {printed.getvalue().strip()}" in example[1]


def test_faults_stand_in_the_order_in_which_they_are_asked() -> None:
    assert re.findall(r"^\| ([A-Z_]{6,}) \|", TEXT, re.MULTILINE) == [*Fault]


def test_every_word_is_on_the_page() -> None:
    flags = [flag.name for flag in BindFlags if flag]
    words = [*EventKind, *Trap, *ReleaseMode, *Probe, *Organisation, *Replacement, *flags]
    assert [word for word in words if f"{word}" not in TEXT] == []
