import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import UnexpectedInput

import mirc.grammar
from mirc.grammar.lexer import Misread, Token, tokens
from mirc.grammar.parser import lark
from mirc.grammar.structure import Walker, bodies_of
from mirc.grammar.tables import BODIES, WORDS

TABLES = Path(mirc.grammar.__file__).with_name("tables.py")


def _run(program: str, *, seed: str = "0") -> str:
    done = subprocess.run(
        [sys.executable, *program.split()],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    return done.stdout


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_tables_are_those_of_the_grammar_under_any_hash_seed(seed: str) -> None:
    written = _run("-m mirc.grammar.export --print", seed=seed)
    assert written == TABLES.read_text(encoding="utf-8"), "run `python -m mirc.grammar.export`"


def test_a_right_text_is_read_without_lark(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n"
        "from mirc.diagnostics import Source\n"
        "from mirc.grammar import load, parse_schedule\n"
        "odd = 'object w { class = INPUT backing = [DRAM,\\nNVME] } extern object x'\n"
        "load(Source('t.mir', 'mir 1.0\\nobject v {\\n  class = INPUT\\n}\\n' + odd))\n"
        "parse_schedule('prefill, REPEAT(2, decode)')\n"
        "print('lark' in sys.modules)\n",
        encoding="utf-8",
    )
    assert _run(str(program)) == "False\n"


def test_blocks_nest_as_the_grammar_says() -> None:
    inside = {
        word: {inner: rule for inner, (_, rule) in BODIES[body].items()}
        for word, (body, _) in BODIES[0].items()
    }
    nested = {word: inner for word, inner in inside.items() if inner}
    assert nested == {
        "phase": {"step": "step", "override": "override"},
        "on": {"override": "override"},
        "plan": {"override": "override", "phase": "plan_phase"},
    }
    assert set(inside) == set(WORDS) - {"extern", "step", "override", "true", "false"}
    planned, _ = BODIES[BODIES[0]["plan"][0]]["phase"]
    assert set(BODIES[planned]) == {"override"}


def test_items_that_must_come_in_an_order_are_refused() -> None:
    # block: "b" NAME { field* block* }: after an inner block no field may follow
    rules = (("block", 5), ("block", 4), ("inner", 4), ("field", 3))
    rows = (
        {"B": 1, "block": 9},
        {"NAME": 2},
        {"LBRACE": 3},
        {"NAME": 4, "I": 7, "RBRACE": 8, "field": 3},
        {"EQUAL": 5},
        {"INT": 6},
        {"NAME": ~3, "I": ~3, "RBRACE": ~3},
        {"NAME": 10},
        {"$END": ~1},
        {"$END": 0},
        {"LBRACE": 11},
        {"RBRACE": 12},
        {"RBRACE": ~2},
    )
    with pytest.raises(ValueError, match="depends on what stands before"):
        bodies_of(Walker(rows, rules), 0, {"b": "B", "i": "I"})


PIECES = st.sampled_from(
    (
        *("{", "}", "[", "]", "(", ")", ",", "=", "@", " ", "\t", "\n", "\r\n", "//", "/", '"'),
        *(
            "1",
            "0",
            "_",
            ".",
            "e",
            "E",
            "-",
            "+",
            "B",
            "KiB",
            "ms",
            "s",
            "12",
            "a",
            "w[3]",
            "[0:8]",
        ),
        *("object", "mir", "mir 1.0", "true", "\\", "\\n", "\\u00e9", '"x"', "é", "\0", "//c\n"),
    )
)


def _by_lark(text: str) -> tuple[list[tuple[str, str, int]], int | None]:
    found: list[tuple[str, str, int]] = []
    try:
        found += ((t.type, str(t), t.start_pos or 0) for t in lark().lex(text))
    except UnexpectedInput as error:
        return found, error.pos_in_stream
    return found, None


def _by_tables(text: str) -> tuple[list[tuple[str, str, int]], int | None]:
    found: list[tuple[str, str, int]] = []
    try:
        found += ((t.type, t.value, t.start_pos) for t in tokens(text) if t.type != "$END")
    except Misread as error:
        return found, error.offset
    return found, None


@given(st.lists(PIECES, max_size=12).map("".join))
def test_the_tables_lex_as_lark_does(text: str) -> None:
    assert _by_tables(text) == _by_lark(text)


def test_a_token_has_larks_names() -> None:
    assert next(tokens("  x")) == Token("NAME", "x", 2, 3)
