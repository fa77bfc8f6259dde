"""Texts into fixed texts, and into texts with ignores."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import (
    CouldNotRun,
    Diagnostic,
    Edit,
    FileFindings,
    Fix,
    Rule,
    Severity,
    Source,
    Span,
)
from mirc.grammar.parse import parse
from mirc.lint import judging
from mirc.lint.add_ignores import with_ignores
from mirc.lint.check import check_source
from mirc.lint.fixing import ROUNDS, fixed

LETTER = Rule("MIR902", "letter", Severity.WARNING)
SYNTAX = Rule("MIR102", "colon-for-equals", Severity.ERROR)


def judge_letters(source: Source) -> FileFindings:
    """Find every a (to be b), every b behind a c (nothing to be done), every ? (a syntax error)."""
    return FileFindings(source, tuple(_letters(source.text)))


def _letters(text: str) -> Iterator[Diagnostic]:
    for at, letter in enumerate(text):
        here = Span(at, at + 1)
        if letter == "?":
            fix = Fix("write `a`", (Edit(here, "a"),))
            yield Diagnostic(SYNTAX, here, "m", fix=fix, subject=f"? {at}")
        elif letter == "a":
            fix = Fix("write `b`", (Edit(here, "b"),))
            yield Diagnostic(LETTER, here, "m", fix=fix, subject=f"a {at}")
        elif letter == "b" and text[at - 1 : at] == "c":
            yield Diagnostic(LETTER, here, "m", subject=f"b {at}")


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ("xyz", "xyz", 0),
        ("axa", "bxb", 2),
        # behind a c the fix of one finding would be another finding
        ("ca", "ca", 0),
        ("acaxa", "bcaxb", 2),
        # where there are syntax errors most rules are silent: what they say later is not new
        ("?x", "bx", 2),
        ("c?", "ca", 1),
    ],
)
def test_a_fix_is_made_if_nothing_new_is_found_after_it(
    before: str, after: str, count: int
) -> None:
    outcome = fixed(Source("a.mir", before), judge_letters)
    assert (outcome.source.text, outcome.count) == (after, count)
    assert outcome.findings == judge_letters(outcome.source)


def test_a_fix_that_breaks_what_a_rule_not_asked_for_says_is_not_made() -> None:
    def judge(source: Source) -> FileFindings:
        """Find only each a, as someone who selected that rule."""
        found = judge_letters(source).diagnostics
        return FileFindings(source, tuple(d for d in found if d.subject.startswith("a")))

    # behind the c the b would be a finding of the rule that was not selected
    outcome = fixed(Source("a.mir", "aca"), judge, judge_letters)
    assert (outcome.source.text, outcome.count) == ("bca", 1)


def test_a_finding_without_a_name_is_not_new_because_its_line_has_changed() -> None:
    line = "phase p { override z { preferred_tiers = [DRAM, HBM] } } // mirc: ignore[MIR501] x\n"
    before = check_source(Source("a.mir", line))
    assert {d.rule.name for d in before.diagnostics} >= {"undeclared-object", "unused-ignore"}
    after = fixed(before.source, check_source)
    assert "unused-ignore" not in {d.rule.name for d in after.findings.diagnostics}


def test_fixes_that_never_end_are_stopped() -> None:
    add = Fix("add", (Edit(Span(0, 0), "x"),))

    def judge(source: Source) -> FileFindings:
        end = len(source.text)
        again = [
            Diagnostic(LETTER, Span(0, 1), f"m{number}", fix=add, subject=str(number))
            for number in range(1000 - end)
        ]
        return FileFindings(source, tuple(again))

    assert len(fixed(Source("a", "x"), judge).source.text) == 1 + ROUNDS


def test_one_bad_fix_among_many_good_ones_costs_few_judgements() -> None:
    judged = 0

    def judge(source: Source) -> FileFindings:
        nonlocal judged
        judged += 1
        return judge_letters(source)

    outcome = fixed(Source("a", "a" * 300 + "ca" + "a" * 300), judge)
    assert outcome.source.text == "b" * 300 + "ca" + "b" * 300
    # each of log2(600) rounds makes half of what is left
    assert judged < 60


def test_twenty_thousand_findings_are_fixed_in_a_few_judgements() -> None:
    judged = 0

    def judge(source: Source) -> FileFindings:
        nonlocal judged
        judged += 1
        return judge_letters(source)

    outcome = fixed(Source("a", "a" * 20_000), judge)
    assert (outcome.count, judged, outcome.stopped) == (20_000, 2, False)


def test_more_syntax_errors_than_are_reported_at_once_are_all_fixed() -> None:
    text = "".join(f"object w{i} {{ class: WEIGHT_TILE }}\n" for i in range(600))
    outcome = fixed(Source("a.mir", text), check_source)
    assert (outcome.count, outcome.findings.diagnostics) == (600, ())


def test_a_search_for_the_harmless_among_many_bad_fixes_ends_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(judging, "SEARCH", 1 << 18)
    outcome = fixed(Source("a", "ca" * 500), judge_letters)
    assert (outcome.count, outcome.stopped) == (0, True)


def test_a_fix_that_is_not_made_is_named_with_what_it_would_bring() -> None:
    outcome = fixed(Source("a.mir", "x\nca"), judge_letters)
    assert outcome.refused == ("a.mir:2:2: not made: `a` -> `b` would bring MIR902 letter",)


def test_a_misspelt_key_is_put_right_though_it_hid_an_error() -> None:
    text = "object w { clas = WEIGHT_TILE block_tokens = 16 }\n"
    outcome = fixed(Source("a.mir", text), check_source)
    assert outcome.source.text == text.replace("clas ", "class ")
    assert [d.rule.code for d in outcome.findings.diagnostics] == ["MIR303"]


@given(st.text("abc?x", max_size=12))
def test_a_second_run_changes_nothing(text: str) -> None:
    once = fixed(Source("a", text), judge_letters)
    assert fixed(once.source, judge_letters).count == 0


def test_a_fixed_file_parses_and_has_the_meaning_it_had() -> None:
    text = "object x { class = KV_BLOCK }  // mirc: ignore[MIR4, tier-order] no more\n"
    outcome = fixed(Source("a.mir", text), check_source)
    assert outcome.findings.diagnostics == ()
    assert parse(outcome.source).blocks[0] == parse(Source("a.mir", text)).blocks[0]


ORDER = "preferred_tiers = [DRAM, HBM]"


HEAD = "object x {\n  class = KV_BLOCK\n"
LONG = f"object x {{ class = KV_BLOCK  {ORDER}  fallback_tiers = [DRAM] }}  "
MORE = f"{ORDER}  fallback_tiers = [DRAM]"
TIERS = {"MIR402", "MIR403"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"{HEAD}  {ORDER}\n}}\n",
            f"{HEAD}  {ORDER}  // mirc: ignore[MIR403] as measured\n}}\n",
        ),
        (
            f"{HEAD}\t{ORDER} // as is\n}}\n",
            f"{HEAD}\t// mirc: ignore[MIR403] as measured\n\t{ORDER} // as is\n}}\n",
        ),
        (f"{LONG}\n", f"// mirc: ignore[MIR402, MIR403] as measured\n{LONG}\n"),
        (
            f"{HEAD}{MORE} // mirc: ignore[tier-order] old\n}}\n",
            (
                f"{HEAD}// mirc: ignore[MIR402] as measured\n"
                f"{MORE} // mirc: ignore[tier-order] old\n}}\n"
            ),
        ),
        (
            f"{HEAD}{MORE} // mirc: ignore[tier-order] as measured\n}}\n",
            f"{HEAD}{MORE} // mirc: ignore[tier-order, MIR402] as measured\n}}\n",
        ),
        (
            f'{HEAD}  {ORDER}  security_domain = "//"\n}}\n',
            f'{HEAD}  {ORDER}  security_domain = "//"  // mirc: ignore[MIR403] as measured\n}}\n',
        ),
    ],
    ids=["behind", "above-comment", "above-long", "another-reason", "merged", "string"],
)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_an_ignore_is_written_for_every_finding_and_the_rest_stays(
    before: str, after: str, line_break: str
) -> None:
    source = Source("a.mir", before.replace("\n", line_break))
    assert TIERS & {d.rule.code for d in check_source(source).diagnostics}
    outcome = with_ignores(source, check_source, " as measured ")
    assert not TIERS & {d.rule.code for d in outcome.findings.diagnostics}
    assert outcome.source.text == after.replace("\n", line_break)


def test_a_syntax_error_gets_no_ignore() -> None:
    text = "object x { class: KV_BLOCK }\n"
    outcome = with_ignores(Source("a.mir", text), check_source, "why")
    assert (outcome.source.text, outcome.count) == (text, 0)
    assert [d.rule.name for d in outcome.findings.diagnostics] == ["colon-for-equals"]


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "a\rb"])
def test_a_reason_is_one_line(reason: str) -> None:
    with pytest.raises(CouldNotRun, match="not one line"):
        with_ignores(Source("a.mir", ""), check_source, reason)
