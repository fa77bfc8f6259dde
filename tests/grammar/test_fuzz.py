"""The reader by lines held against Lark itself on damaged texts.

1,000 texts in the suite; nightly ``MIRC_FUZZ=20000 pytest tests/grammar/test_fuzz.py -s`` reads as
many as it says (``MIRC_FUZZ_SEED`` begins elsewhere) and prints the counts.
"""

import os
from collections import Counter
from typing import Any

import attrs
from lark import UnexpectedInput, UnexpectedToken

from mirc.grammar.builder import Start
from mirc.grammar.lexer import Misread
from mirc.grammar.lines import Reader
from mirc.grammar.parser import lark
from tests.grammar.texts import damaged

FILES = int(os.environ.get("MIRC_FUZZ", "1000"))
FIRST = int(os.environ.get("MIRC_FUZZ_SEED", "0"))


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


def test_damaged_texts_are_read_as_lark_reads_them() -> None:
    counts: Counter[str] = Counter()
    for seed in range(FIRST, FIRST + FILES):
        text = damaged(seed)
        assert _by_lines(text, counts) == _by_lark(text), f"seed {seed}: {text!r}"
    print(f"{FILES} texts, {dict(counts)}")  # noqa: T201 - for the nightly run
    assert counts["fast"] >= FILES / 2
    assert counts["accepted"] >= FILES / 3
