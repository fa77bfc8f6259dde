import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.lsp.hover import hover
from tests.lsp.marked import marked, symbols

TEXT = """mir 1.0
object kv {
  class           = KV_BLOCK
  size_bytes      = 117_440_512
  preferred_tiers = [HBM]
}
object e[0] { class = EXPERT_WEIGHT }
object e[1] { class = EXPERT_WEIGHT }
phase decode {
  kind = DECODE
  step s { reads = [kv, ROUTED(e, 1)] }
  override kv { preferred_tiers = [DRAM] }
}
// mirc: ignore[MIR402] known
"""


def said(marked_part: str) -> str:
    part = marked_part.replace("|", "", 1)
    assert part in TEXT
    names, offset = marked(TEXT.replace(part, marked_part, 1))
    found = hover(names, offset)
    assert found is not None
    return found.markdown


def test_a_key_says_what_it_takes() -> None:
    assert "preferred_tiers" in said("prefer|red_tiers = [HBM]")


def test_a_word_is_explained_as_a_word_of_its_key() -> None:
    assert "phase kind" in said("= DEC|ODE")
    assert "tier" in said("[H|BM]")


def test_a_keyword_and_a_call_are_explained() -> None:
    assert "step" in said("st|ep s").casefold()
    assert "ROUTED" in said("ROU|TED(e, 1)")


def test_a_bare_number_is_shown_with_its_unit() -> None:
    assert "`112MiB`" in said("117_|440_512")


def test_a_rule_in_a_comment_is_explained() -> None:
    assert "MIR402" in said("[MIR|402]")


def test_a_name_shows_what_holds_where_the_cursor_is() -> None:
    declared = said("object k|v {")
    assert "- preferred_tiers: `[HBM]`\n" in declared
    assert "default of KV_BLOCK" in declared
    inside = said("override k|v {")
    assert "- preferred_tiers: `[DRAM]` (phase `decode`)" in inside


def test_a_family_says_how_many_parts_it_has() -> None:
    assert "family of 2 parts" in said("ROUTED(|e, 1)")


@pytest.mark.parametrize("part", ["mir 1.0|", "reads |= [", "size_bytes   |   ="])
def test_between_words_nothing_is_said(part: str) -> None:
    names, offset = marked(TEXT.replace(part.replace("|", ""), part, 1))
    assert hover(names, offset) is None


@given(st.data())
def test_a_hover_is_about_the_place_it_was_asked_for(data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(TEXT)))
    offset = data.draw(st.integers(0, cut))
    found = hover(symbols(TEXT[:cut]), offset)
    assert found is None or found.span.start <= offset <= found.span.end


def test_a_name_cannot_leave_its_code_span() -> None:
    text = (
        'mir 1.0\nobject "a`](http://x)<b>`" { class = INPUT }\n'
        'phase p { step s { reads = ["|a`](http://x)<b>`"] } }\n'
    )
    names, offset = marked(text)
    found = hover(names, offset)
    assert found is not None
    assert "`` a`](http://x)<b>` ``" in found.markdown
