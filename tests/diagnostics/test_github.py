"""Findings into what GitHub shows."""

import re

import pytest
from markdown_it import MarkdownIt

from mirc.diagnostics import Diagnostic, FileFindings, Findings, Severity, Source, Span
from mirc.diagnostics.github import SHOWN, as_text, summary
from mirc.diagnostics.render import full
from tests.diagnostics.scenes import ERROR, HINT, WARNING, many, mixed


def commands(findings: Findings) -> list[str]:
    lines = as_text(findings, root=".").split("\n")
    return lines[: next(i for i, line in enumerate(lines) if line.startswith("::stop-commands::"))]


def test_special_characters_are_escaped_in_words_and_properties() -> None:
    first, second, third = commands(mixed())
    assert first == (
        "::error file=dir/ä b.mir,line=3,endLine=3,col=8,endColumn=9,title=MIR201 duplicate-name"
        "::`𝄞` is declared twice, 100 %25: a,b%0Ahelp: rename one"
    )
    assert second.startswith("::warning ")
    assert third.startswith("::notice ")
    found = (Diagnostic(ERROR, Span(0, 1), "a\r\nb::error::c"),)
    (only,) = commands(Findings((FileFindings(Source("a:b,c%.mir", "x"), found),)))
    assert "file=a%3Ab%2Cc%25.mir," in only
    assert only.endswith("::a%0D%0Ab::error::c")


def test_at_most_ten_of_a_kind_are_annotations_errors_first() -> None:
    found = many((HINT, 12), (WARNING, 25), (ERROR, 14))
    kinds = [re.match("::([a-z]+)", line)[1] for line in commands(found)]  # type: ignore[index]
    assert kinds == ["error"] * SHOWN + ["warning"] * SHOWN + ["notice"] * SHOWN
    # 51 findings, 30 of them shown
    assert "21 of these are not shown as annotations" in as_text(found, root=".")


def test_the_whole_report_follows_as_text_in_which_no_command_is_obeyed() -> None:
    text = as_text(mixed(), root=".")
    assert full(mixed()) in text
    token = re.search(r"^::stop-commands::([0-9a-f]{32})$", text, re.MULTILINE)
    assert token is not None
    assert text.endswith(f"\n::{token[1]}::\n")
    assert text.count(token[1]) == 2


def test_the_token_that_ends_the_report_depends_on_all_of_it() -> None:
    found = (Diagnostic(ERROR, Span(0, 1), "m"),)
    tokens = {
        as_text(Findings((FileFindings(Source("a.mir", text), found),)), root=".")[-36:]
        for text in ("x", "y")
    }
    assert len(tokens) == 2


def test_columns_are_left_out_where_a_finding_spans_lines() -> None:
    found = (Diagnostic(ERROR, Span(0, 4), "m"),)
    (only,) = commands(Findings((FileFindings(Source("a.mir", "ab\ncd"), found),)))
    assert "line=1,endLine=2,title=" in only


def test_the_summary_is_a_table_with_its_special_characters_escaped() -> None:
    found = (Diagnostic(WARNING, Span(0, 1), "a|b `c`\n<script>"),)
    table = summary(Findings((FileFindings(Source("a.mir", "x"), found),)), root=".")
    assert table.splitlines()[-2] == (
        r"| warning | MIR402 tiers-overlap | a.mir:1:1 | a\|b \`c\`␊\<script> |"
    )
    assert "nothing found in 0 files" in summary(Findings(), root=".")
    assert Severity.WARNING.value in table


@pytest.mark.parametrize(
    "words",
    [
        "![i](//x.y/z) [l](//x.y) <a href=x> <img src=x> `c` a|b **b** _e_ ~~s~~ &lt;b&gt;",
        "\\[l](//x) \\\\| `` ` \\` ![`](x)` [r]: //x.y",
        "http://x.y www.x.y mailto:a@x.y a@x.y <http://x.y> <a@x.y>",
    ],
)
def test_a_strangers_words_make_no_link_image_or_tag_in_the_summary(words: str) -> None:
    found = (Diagnostic(WARNING, Span(0, 1), words),)
    text = summary(Findings((FileFindings(Source(f"{words}.mir", "x"), found),)), root=".")
    for bare in ("http://", "www.x", "a@x"):
        assert bare not in text
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type == "inline"][-4:]
    assert (len(rows), cells[1].content) == (2, "MIR402 tiers-overlap")
    for cell in cells:
        kinds = {child.type for child in cell.children or ()}
        assert kinds <= {"text", "text_special", "code_inline"}
    shown = "".join(child.content for child in cells[3].children or ())
    assert shown == words
