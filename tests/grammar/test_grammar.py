import re
from functools import cache
from pathlib import Path

import interegular
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark

import mirc.grammar
from mirc.grammar.parser import lark
from mirc.ir import KEYWORDS, is_bare
from mirc.ir.names import NAME_PATTERN

GRAMMAR = Path(mirc.grammar.__file__).with_name("mir.lark").read_text(encoding="utf-8")


@cache
def _strict() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer="basic", strict=True, start=["start", "line"])


def _terminals() -> dict[str, str]:
    return {terminal.name: terminal.pattern.to_regexp() for terminal in _strict().terminals}


def test_the_grammar_has_no_conflict_between_rules_or_terminals() -> None:
    assert interegular is not None  # without it strict looks at rules alone
    assert _strict().parse("mir 1.0\nobject a { class = INPUT }", start="start") is not None


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_each_keyword_lexes_as_itself(keyword: str) -> None:
    assert [token.type for token in _strict().lex(keyword)] == [keyword.upper()]


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_a_name_that_begins_with_a_keyword_is_a_name(keyword: str) -> None:
    found = _strict().lex(f"{keyword}s {keyword}.x x.{keyword} {keyword}[3]")
    assert [token.type for token in found] == ["NAME"] * 4


def test_the_keywords_are_those_of_the_grammar() -> None:
    words = {
        t.pattern.value for t in _strict().terminals if re.fullmatch(r"[a-z]+", t.pattern.value)
    }
    assert words == set(KEYWORDS)


def _automaton(pattern: str) -> interegular.FSM:
    return interegular.parse_pattern(re.sub(r"\(\?!\[.*?\]\)", "", pattern)).to_fsm()


def test_no_terminal_but_white_space_matches_a_line_break() -> None:
    # an automaton of the terminal, met with the automaton of "a text with a line break in it";
    # what a terminal only looks ahead at is not part of its match
    broken = interegular.parse_pattern(r"(.|\n)*\n(.|\n)*").to_fsm()
    crossing = [
        name for name, pattern in _terminals().items() if not (_automaton(pattern) & broken).empty()
    ]
    assert crossing == ["WS"]


def test_a_name_has_no_priority_over_keywords() -> None:
    assert {t.name: t.priority for t in _strict().terminals}["NAME"] == 0


def test_bare_names_are_what_the_grammar_calls_a_name() -> None:
    assert _terminals()["NAME"] == NAME_PATTERN


@given(st.text(min_size=1, max_size=6) | st.from_regex(NAME_PATTERN, fullmatch=True))
def test_a_name_is_bare_exactly_when_it_lexes_as_one_name(name: str) -> None:
    try:
        found = [(token.type, str(token)) for token in lark().lex(name)]
    except Exception:  # noqa: BLE001 - whatever the lexer cannot read is not a name
        found = []
    assert is_bare(name) == (found == [("NAME", name)])


_BITS = st.sampled_from(
    (*"01_.eE+-aB[]:\\\"'@=/ \n", "12", "KiB", "ms", "ps", "mir", "\\n", "\\u00e9", "é")
)


@settings(max_examples=300)
@given(st.lists(_BITS, max_size=10).map("".join))
def test_possessive_terminals_match_what_the_grammars_own_do(text: str) -> None:
    # what Lark and the tables use, against the file as it stands
    used = {t.name: t.pattern.to_regexp() for t in lark().terminals}
    for name, pattern in _terminals().items():
        first, second = re.match(pattern, text), re.match(used[name], text)
        assert (first and first.span()) == (second and second.span()), name


@pytest.mark.parametrize("text", ["12step", "12us3", "1__0", "3x", "1.5GiBs", "mir 1.0x", "12."])
def test_a_number_ends_at_a_word_boundary(text: str) -> None:
    found: list[str] = []
    with pytest.raises(Exception, match=r"No terminal|Unexpected"):
        found += (token.type for token in _strict().lex(text))
    assert not {"SIZE", "TIME", "INT", "FLOAT", "HEADER"} & set(found)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("mir 1.0", ["HEADER"]),
        ("mir  12.34", ["HEADER"]),
        ("mirror 1.0", ["NAME", "FLOAT"]),
        ("1_000 -3 1e5 -1.5e-3", ["INT", "INT", "FLOAT", "FLOAT"]),
        ("128MiB 1.5GB 7B", ["SIZE"] * 3),
        ("12us 3ps 1.5ms 30s", ["TIME"] * 4),
        ("0.weight 1.2.w w[3][0:8]", ["NAME"] * 3),
    ],
)
def test_literals_are_one_token_each(text: str, kinds: list[str]) -> None:
    assert [token.type for token in _strict().lex(text)] == kinds
