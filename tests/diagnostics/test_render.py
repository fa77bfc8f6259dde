"""Findings into text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import (
    Diagnostic,
    Edit,
    FileFindings,
    Findings,
    Fix,
    Related,
    Rule,
    Severity,
    Source,
    Span,
)
from mirc.diagnostics.excerpt import WIDTH, excerpt
from mirc.diagnostics.render import COLOUR, concise, full, summary

ERROR = Rule("MIR201", "undeclared-name", Severity.ERROR)
WARNING = Rule("MIR501", "restated-value", Severity.WARNING)
HINT = Rule("MIR901", "unused-object", Severity.HINT)


def findings(text: str, *diagnostics: Diagnostic) -> Findings:
    return Findings((FileFindings(Source("a.mir", text), diagnostics),))


def test_a_finding_shows_its_line_its_related_place_and_the_way_out() -> None:
    text = "object a {\n}\nobject a {\n}\n"
    again = Diagnostic(
        ERROR,
        Span(20, 21),
        "`a` is declared twice",
        "rename one",
        (Related(Span(7, 8), "first declared here"),),
    )
    assert full(findings(text, again)) == (
        "error[MIR201 undeclared-name]: `a` is declared twice\n"
        " --> a.mir:3:8\n"
        "3 | object a {\n"
        "  |        ^\n"
        "note: first declared here\n"
        " --> a.mir:1:8\n"
        "1 | object a {\n"
        "  |        ^\n"
        "help: rename one\n"
        "\n"
        "1 error in 1 file\n"
    )


def test_a_finding_says_how_it_would_be_fixed() -> None:
    fix = Fix("remove `x`", (Edit(Span(0, 5), ""),))
    report = full(findings("x = 1\n", Diagnostic(ERROR, Span(0, 1), "m", "h", fix=fix)))
    assert "help: h\nfix: remove `x` (run with --fix)\n\n" in report


@pytest.mark.parametrize(("level", "code"), [("error", 0), ("warning", 1), ("hint", 1)])
def test_the_fail_level_of_a_file_decides_the_exit_code(level: str, code: int) -> None:
    warned = (Diagnostic(WARNING, Span(0, 1), "m"),)
    file = FileFindings(Source("a", "x"), warned, fail_level=Severity(level))
    assert Findings((FileFindings(Source("b", ""), ()), file)).exit_code == code


def test_concise_is_one_line_each_and_the_summary() -> None:
    found = findings("x = 1\n", Diagnostic(WARNING, Span(4, 5), "the value is restated", "no"))
    assert concise(found) == (
        "a.mir:1:5: warning[MIR501 restated-value]: the value is restated\n1 warning in 1 file\n"
    )


def test_findings_are_sorted_by_place_and_never_repeated() -> None:
    late, early = (Diagnostic(ERROR, Span(at, at + 1), "m") for at in (5, 2))
    file = FileFindings(Source("a", "0123456789"), (late, early, late))
    assert file.diagnostics == (early, late)


@pytest.mark.parametrize(
    ("rules", "said", "code"),
    [
        ((), "nothing found in 1 file", 0),
        ((HINT,), "1 hint in 1 file", 0),
        ((HINT, WARNING), "1 warning, 1 hint in 1 file", 1),
        ((ERROR, ERROR), "2 errors in 1 file", 1),
    ],
)
def test_only_errors_and_warnings_make_the_exit_code_1(
    rules: tuple[Rule, ...], said: str, code: int
) -> None:
    found = findings(
        "abc", *(Diagnostic(rule, Span(i, i + 1), "m") for i, rule in enumerate(rules))
    )
    assert (summary(found), found.exit_code) == (said, code)


def test_a_tab_before_the_caret_moves_it_to_the_next_stop() -> None:
    cut = excerpt(Source("a", "\tx\ty = 1"), Span(3, 4))
    # the first tab takes 4 columns; x stands in column 4, the second tab fills columns 5 to 7
    assert (cut.text, cut.carets) == ("    x   y = 1", "        ^")


def test_a_wide_character_takes_two_columns_and_a_combining_one_none() -> None:
    cut = excerpt(Source("a", "\u6a21e\u0301x"), Span(3, 4))
    assert cut.carets == "   ^"


def test_crlf_is_no_part_of_the_line() -> None:
    cut = excerpt(Source("a", "x = 1\r\ny = 2\r\n"), Span(0, 12))
    assert (cut.text, cut.carets) == ("x = 1", "^^^^^")


def test_control_and_directional_characters_are_shown_as_pictures() -> None:
    cut = excerpt(Source("a", "x = \x1b[31m\u202e\x00"), Span(0, 1))
    assert cut.text == "x = \u241b[31m\ufffd\u2400"


def test_a_message_from_a_file_cannot_steer_the_terminal() -> None:
    report = full(findings("x", Diagnostic(ERROR, Span(0, 1), "`\x1b[2J` is bad", "try\nthis")))
    assert "\x1b" not in report
    assert "help: try\u240athis" in report


def test_a_long_line_is_clipped_around_the_caret() -> None:
    text = "a" * 5_000 + "BAD" + "c" * 5_000
    cut = excerpt(Source("a", text), Span(5_000, 5_003))
    assert len(cut.text) <= WIDTH + 2
    assert cut.text[cut.caret_start : cut.caret_start + cut.caret_width] == "BAD"
    assert cut.text[0] == cut.text[-1] == "…"


def test_an_empty_span_at_the_end_still_has_a_caret() -> None:
    cut = excerpt(Source("a", "x = 1\n"), Span(5, 5))
    assert (cut.text, cut.carets) == ("x = 1", "     ^")


def test_colour_is_added_only_around_the_plain_text() -> None:
    found = findings("x = 1\n", Diagnostic(ERROR, Span(0, 1), "m", "h"))
    painted = full(found, COLOUR)
    assert painted != full(found)
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == full(found)


@given(st.text(), st.integers(0, 50), st.integers(0, 50))
def test_any_span_of_any_text_can_be_shown(text: str, start: int, length: int) -> None:
    cut = excerpt(Source("a", text), Span(start, start + length))
    assert cut.caret_width >= 1
    assert "\n" not in cut.text
    assert cut.text.isprintable()


def test_a_file_that_was_not_read_to_its_end_has_a_line_of_its_own_in_the_summary() -> None:
    cut = FileFindings(Source("a.mir", ""), (), reported=20_000)
    assert summary(Findings((cut,))).splitlines()[1:] == [
        "a.mir may have more: it was read up to 20,000 findings"
    ]
