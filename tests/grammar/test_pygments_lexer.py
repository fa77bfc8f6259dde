from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name
from pygments.token import Error, Keyword, Name, Number, Token

from mirc.grammar import print_module
from mirc.grammar.pygments_lexer import MirLexer
from mirc.ir import Module
from tests.strategies import modules

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.mir"))


def kinds(text: str) -> dict[str, object]:
    return {value: kind for kind, value in MirLexer().get_tokens(text)}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_sample_has_no_error_and_comes_back_whole(path: Path) -> None:
    text = path.read_text("utf-8")
    found = list(MirLexer().get_tokens_unprocessed(text))
    assert [value for _, kind, value in found if kind is Error] == []
    assert "".join(value for _, _, value in found) == text


@settings(max_examples=20)  # a drawn module takes longer than its tokens
@given(modules())
def test_whatever_is_printed_has_no_error(module: Module) -> None:
    text = print_module(module)
    assert [v for _, kind, v in MirLexer().get_tokens_unprocessed(text) if kind is Error] == []


@given(st.text(st.sampled_from('object x{}[]()=,@"\\\n//0.aHBM é')))
def test_any_text_comes_back_whole(text: str) -> None:
    assert "".join(value for _, _, value in MirLexer().get_tokens_unprocessed(text)) == text


def test_each_kind_of_word_is_told_apart() -> None:
    found = kinds("object w.0 { size_bytes = PER_TOKEN(4KiB)\n spill_policy = NEVER  odd = x }")
    assert found["object"] is Keyword.Declaration
    assert found["w.0"] is Name.Class
    assert found["size_bytes"] is Name.Attribute
    assert found["odd"] is Name.Property
    assert found["PER_TOKEN"] is Name.Builtin
    assert found["NEVER"] is Name.Constant
    assert found["4KiB"] is Number
    assert found["x"] is Name
    assert kinds("a = override_x")["override_x"] is Name
    assert found["{"] is Token.Punctuation


def test_a_file_of_llvm_is_not_taken_for_one_of_ours() -> None:
    assert MirLexer.analyse_text("// a comment\nmir 1.0\n") == 1.0
    assert MirLexer.analyse_text("--- |\n  define i32 @f() {\n") == 0.0


def test_pygments_finds_the_lexer_once_mirc_is_installed() -> None:
    assert isinstance(get_lexer_by_name("memory-intent"), MirLexer)
