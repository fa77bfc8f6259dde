from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import Source
from mirc.grammar import bind, parse
from mirc.lsp.rename import CannotRename, renamable, rename
from tests.lsp.marked import edited, marked, symbols
from tests.lsp.test_navigate import FAMILY, at

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.mir"))


def renamed(marked_part: str, new: str) -> str:
    names, offset = at(marked_part)
    return edited(FAMILY, rename(names, offset, new))


def test_a_family_is_renamed_with_all_its_parts_and_uses() -> None:
    after = renamed("override e| {", "f.g")
    for part in ("object f.g[0]", "object f.g[1]", "[f.g[0],", "ROUTED(f.g, 1)", "override f.g {"):
        assert part in after
    assert bind(parse(Source("x", after))).diagnostics == ()


def test_renaming_a_part_renames_its_family() -> None:
    assert renamed("object e[|0]", "f") == renamed("override e| {", "f")
    assert renamed("object e[|0]", "f[0]") == renamed("override e| {", "f")


def test_a_part_with_a_new_index_is_renamed_alone() -> None:
    after = renamed("object e[|0]", "e[7]")
    assert "object e[7]" in after
    assert "object e[1]" in after
    assert "ROUTED(e, 1)" in after
    assert "e[0]" not in after


def test_quotes_stay_and_come_where_they_are_needed() -> None:
    assert 'TOUCH("plain", 1KiB)' in renamed('TOUCH("odd| name"', "plain")
    assert 'phase "two words" {' in renamed("phase d| {\n", "two words")
    assert 'phase "object" {' in renamed("phase d| {\n", "object")


def test_the_part_of_a_name_that_is_replaced_leaves_out_its_brackets() -> None:
    names, offset = at("object e[|1]")
    found = renamable(names, offset)
    assert found is not None
    assert FAMILY[found.span.start : found.span.end] == found.text == "e"


@pytest.mark.parametrize(
    ("part", "new", "why"),
    [
        ("override e| {", "odd name", "already"),
        ("object e[|0]", "e[1]", "declared already"),
        ("override e| {", "f[2]", "without brackets"),
        ("object e[|0]", "f[2]", "leave the family"),
        ("override e| {", "", "at least one"),
        ("EXPERT_W|EIGHT", "x", "no name"),
    ],
)
def test_what_would_change_the_meaning_is_refused(part: str, new: str, why: str) -> None:
    names, offset = at(part)
    with pytest.raises(CannotRename, match=why):
        rename(names, offset, new)


def test_a_broken_file_is_not_renamed_in_half() -> None:
    names, offset = marked("mir 1.0\nobject a| { class = INPUT }\nobject b { class : }\n")
    with pytest.raises(CannotRename, match="syntax"):
        rename(names, offset, "c")


def test_what_nothing_declares_cannot_be_renamed() -> None:
    names, offset = marked("mir 1.0\nphase d { step s { reads = [gone|] } }\n")
    assert renamable(names, offset) is None


@given(st.sampled_from(SAMPLES), st.sampled_from(["q", "a b", "é", "plan"]), st.data())
def test_a_rename_of_any_name_keeps_the_findings_and_can_be_undone(
    path: Path, new: str, data: st.DataObject
) -> None:
    text = path.read_text("utf-8")
    names = symbols(text)
    symbol = data.draw(st.sampled_from(sorted(names.declarations, key=lambda s: (s.kind, s.name))))
    use = data.draw(st.sampled_from(names.uses[symbol]))
    try:
        edits = rename(names, names.span(use).start + 1, new)
    except CannotRename:
        return
    after = edited(text, edits)
    before_found, after_found = (
        [d.rule.code for d in bind(parse(Source("x", each))).diagnostics] for each in (text, after)
    )
    assert after_found == before_found
    there = symbols(after)
    moved = [s for s in there.declarations if s not in names.declarations]
    assert moved
    offset = there.span(there.uses[moved[0]][0]).start + 1
    assert edited(after, rename(there, offset, symbol.family)).replace('"', "") == text.replace(
        '"', ""
    )
