from mirc.lsp.outline import Fold, folds, outline
from tests.lsp.marked import symbols

TEXT = """mir 1.0
// what
// it is
object w { class = INPUT  size_bytes = 1KiB }
phase d {
  step s {
    reads = [w]
  }
  override w {
    retain_us = 3 } }
extern object "x y"
on resume { override w { retain_us = 3 } }
"""


def test_blocks_stand_in_the_outline_as_they_stand_in_the_text() -> None:
    found = outline(symbols(TEXT).analysis)
    assert [(e.noun, e.name) for e in found] == [
        ("object", "w"),
        ("phase", "d"),
        ("extern object", "x y"),
        ("signal", "resume"),
    ]
    assert [(e.noun, e.name) for e in found[1].inner] == [("step", "s"), ("override", "w")]
    assert found[0].detail == "INPUT, 1KiB"


def test_a_name_lies_inside_its_block() -> None:
    for entry in outline(symbols(TEXT).analysis):
        assert entry.span.start <= entry.name_span.start < entry.name_span.end <= entry.span.end
        assert TEXT[entry.name_span.start : entry.name_span.end].strip('"') == entry.name


def test_blocks_and_comments_fold_and_a_lone_brace_stays_in_view() -> None:
    assert folds(symbols(TEXT).analysis) == (
        Fold(1, 2, comment=True),
        Fold(4, 9),
        Fold(5, 6),
        Fold(8, 9),
    )


def test_what_can_be_read_of_a_broken_file_has_its_outline() -> None:
    found = outline(symbols("mir 1.0\nobject a { class : }\nobject b { class = INPUT }\n").analysis)
    assert "b" in [entry.name for entry in found]
