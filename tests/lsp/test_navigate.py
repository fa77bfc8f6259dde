from mirc.diagnostics import Span
from mirc.lsp import navigate
from mirc.lsp.symbols import Symbols
from tests.lsp.marked import marked

FAMILY = """mir 1.0
extern object "odd name" { class = WEIGHT_TILE }
object e[0] { class = EXPERT_WEIGHT }
object e[1] { class = EXPERT_WEIGHT }
coalition c { members = [e[0], "odd name"] }
phase d {
  step s { reads = [ROUTED(e, 1), e[1], TOUCH("odd name", 1KiB)] }
  override e { preferred_tiers = [HBM] }
}
plan p { machine = "card-24g" phase d { override e[0] { residency = [HBM(s, s)] } } }
module m { schedule = [REPEAT(d, d, 3)] }
"""


def found(names: Symbols, spans: tuple[Span, ...]) -> list[tuple[int, str]]:
    """Return the line and the characters of each span."""
    text = names.analysis.source.text
    return [
        (names.analysis.lines.place(span.start).line, text[span.start : span.end]) for span in spans
    ]


def at(marked_part: str) -> tuple[Symbols, int]:
    part = marked_part.replace("|", "", 1)
    assert part in FAMILY
    return marked(FAMILY.replace(part, marked_part, 1))


def test_a_family_is_declared_by_all_its_parts() -> None:
    names, offset = at("ROUTED(e|, 1)")
    assert found(names, navigate.definition(names, offset)) == [(2, "e[0]"), (3, "e[1]")]


def test_a_quoted_name_leads_to_its_declaration() -> None:
    names, offset = at('TOUCH("odd| name"')
    assert found(names, navigate.definition(names, offset)) == [(1, '"odd name"')]


def test_a_part_is_also_used_where_its_family_is() -> None:
    names, offset = at("object e[|0]")
    uses = navigate.references(names, offset, declarations=False)
    assert found(names, uses) == [(4, "e[0]"), (6, "e"), (7, "e"), (9, "e[0]")]


def test_a_step_is_found_in_the_residency_of_a_plan() -> None:
    names, offset = at("HBM(s|, s)")
    uses = navigate.references(names, offset, declarations=True)
    assert found(names, uses) == [(6, "s"), (9, "s"), (9, "s")]


def test_a_phase_is_found_in_a_schedule_whose_count_stands_last() -> None:
    names, offset = at("phase d| {\n")
    uses = navigate.references(names, offset, declarations=True)
    assert found(names, uses) == [(5, "d"), (9, "d"), (10, "d"), (10, "d")]


def test_a_word_of_an_enum_is_no_name() -> None:
    names, offset = at("EXPERT_W|EIGHT")
    assert navigate.definition(names, offset) == ()
    assert navigate.references(names, offset, declarations=True) == ()


def test_names_are_found_above_and_below_a_syntax_error() -> None:
    names, offset = marked(
        "mir 1.0\nobject a { class = INPUT }\nobject b { class : }\n"
        "phase d { step s { reads = [a|] } }\n"
    )
    assert found(names, navigate.definition(names, offset)) == [(1, "a")]


def test_highlights_tell_the_declaration_from_its_uses() -> None:
    names, offset = at("object e[|1]")
    assert [declares for _, declares in navigate.highlights(names, offset)] == [True, False]
