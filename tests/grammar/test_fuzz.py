"""The reader by lines held against Lark itself on damaged texts.

1,000 texts in the suite; nightly ``MIRC_FUZZ=20000 pytest tests/grammar/test_fuzz.py -s`` reads as
many as it says (``MIRC_FUZZ_SEED`` begins elsewhere) and prints the counts. A text that a reader
does not finish fails like any other: an alarm ends it.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import attrs
import pytest
from lark import UnexpectedInput, UnexpectedToken

from mirc.grammar.builder import Start
from mirc.grammar.lexer import Misread
from mirc.grammar.lines import Reader
from mirc.grammar.parser import lark
from tests.grammar.texts import damaged

FILES = int(os.environ.get("MIRC_FUZZ", "1000"))
FIRST = int(os.environ.get("MIRC_FUZZ_SEED", "0"))

LONGEST = 10.0  # seconds for one text, which takes milliseconds

# Once a reader never ended: the last body is that of an earlier block, but for its last character,
# and no brace follows. The second was found by chance.
UNCLOSED = "object a {\n  class = INPUT\n}\nobject b {\n  class = INPUT\n "
FOUND = (
    "template model.layers.0.w {\n}\n  //\ntenant 0.weight// object a {\n{\r//\n}  //  \n\n"
    " object a {\n\n"
)


@contextmanager
def _ending() -> Iterator[None]:
    """Raise TimeoutError in what takes longer than any text may."""

    def ring(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TimeoutError(f"not read within {LONGEST:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _everything(start: Start) -> Any:
    header = start.header
    place = None if header is None else (header.value, header.start_pos, header.end_pos)
    return place, repr(start.blocks), [attrs.asdict(block) for block in start.blocks]


def _by_lark(text: str) -> Any:
    """Return all that was read, or the offset of the first token that may not stand there."""
    try:
        read: Any = lark().parse(text)
    except UnexpectedInput as error:
        at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        return len(text) if at_end else error.pos_in_stream
    return _everything(read)


def _by_lines(text: str, counts: Counter[str]) -> Any:
    reader = Reader(text)
    try:
        read: Any = _everything(reader.start())
    except Misread as error:
        read = error.offset
    else:
        counts["accepted"] += 1
    by_lines, driven = reader.counts.by_lines, reader.counts.partly + reader.counts.by_driver
    counts["fast"] += by_lines > driven
    counts["fast alone"] += by_lines > 0 and driven == 0
    return read


def _assert_alike(text: str, counts: Counter[str], what: str) -> None:
    try:
        with _ending():
            read = _by_lines(text, counts)
    except TimeoutError:
        read = "no end"
    assert read == _by_lark(text), f"{what}: {text!r}"


def test_damaged_texts_are_read_as_lark_reads_them() -> None:
    counts: Counter[str] = Counter()
    for seed in range(FIRST, FIRST + FILES):
        _assert_alike(damaged(seed), counts, f"seed {seed}")
    print(f"{FILES} texts, {dict(counts)}")  # noqa: T201 - for the nightly run
    assert counts["fast"] >= FILES / 2
    assert counts["accepted"] >= FILES / 3


@pytest.mark.parametrize("begin", ["", "mir 1.0\n", "mir 1.0\n// note\n\n"])
def test_a_body_like_an_earlier_one_that_is_never_closed_is_read_to_its_end(begin: str) -> None:
    for end in range(len(UNCLOSED) + 1):
        _assert_alike(begin + UNCLOSED[:end], Counter(), f"the first {end} characters")


def test_a_text_on_which_the_reader_once_never_ended_is_read() -> None:
    _assert_alike(FOUND, Counter(), "found by chance")
