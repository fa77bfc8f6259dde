"""Golden cases of syntax errors, and what recovery promises on any text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import UnexpectedInput

from mirc.diagnostics import FileFindings, Findings, Source
from mirc.diagnostics.apply import applied
from mirc.diagnostics.render import full
from mirc.grammar.parser import lark
from mirc.grammar.recover import LIMIT, diagnose, recover
from mirc.grammar.syntax_rules import BAD_UNIT, EMPTY_FILE, SYNTAX_RULES, TOO_MANY

CASES = sorted((Path(__file__).parent.parent / "cases" / "syntax").glob("*.mir"))
SAMPLES = Path(__file__).parent.parent.parent / "samples"
MARK = "// ---\n"
TEXT = (SAMPLES / "serving-small.mir").read_text(encoding="utf-8")


def parses(text: str) -> bool:
    try:
        lark().parse(text)
    except UnexpectedInput:
        return False
    return True


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_syntax_error_is_reported_as_its_golden_case_says(
    path: Path, request: pytest.FixtureRequest
) -> None:
    written, _, expected = path.read_text(encoding="utf-8").partition(MARK)
    source = Source(path.name, written)
    report = full(Findings((FileFindings(source, diagnose(lark(), source)),)))
    if request.config.getoption("--bless"):
        path.write_text(written + MARK + report, encoding="utf-8")
    else:
        assert report == expected


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_corrected_text_parses_and_keeps_every_line_where_it_was(path: Path) -> None:
    written = path.read_text(encoding="utf-8").partition(MARK)[0]
    text = recover(lark(), Source(path.name, written)).text
    if path.stem in ("unknown-major-version", "llvm-machine-ir"):
        assert text is None
        return
    assert text is not None
    assert parses(text)
    assert len(text) >= len(written)


def test_every_syntax_rule_but_the_limits_has_a_golden_case() -> None:
    reports = "".join(path.read_text(encoding="utf-8").partition(MARK)[2] for path in CASES)
    unseen = [rule.name for rule in SYNTAX_RULES if f"[{rule.code} {rule.name}]" not in reports]
    assert unseen == [EMPTY_FILE.name, TOO_MANY.name]


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.mir")), ids=lambda path: path.stem)
def test_a_text_that_parses_has_no_syntax_errors(path: Path) -> None:
    assert diagnose(lark(), Source(path.name, path.read_text(encoding="utf-8"))) == ()


def test_reporting_stops_at_the_limit_and_says_so() -> None:
    text = "object a {\n" + "  x = 1QB\n" * (LIMIT + 10) + "}\n"
    found = diagnose(lark(), Source("a", text))
    assert [d.rule for d in found] == [BAD_UNIT] * LIMIT + [TOO_MANY]


def test_one_mistake_deep_in_a_file_is_one_report() -> None:
    line = TEXT.index("  flops  = PER_TOKEN", len(TEXT) // 2)
    broken = TEXT[:line] + TEXT[line:].replace("=", ":", 1)
    found = diagnose(lark(), Source("a", broken))
    assert [(d.rule.name, d.span.start) for d in found] == [
        ("colon-for-equals", broken.index(":", line))
    ]


EDITS = st.lists(
    st.tuples(
        st.integers(0, len(TEXT)),
        st.sampled_from([0, 0, 1, 3, 20, 200]),
        st.sampled_from(
            ["", "", *"{}[]()=,@;:#\"'/-$\n\\\0é", "/*", "object ", "step ", "x = 1 ", "mir 1.0"]
        ),
    ),
    min_size=1,
    max_size=6,
)


@given(EDITS)
@settings(max_examples=60, deadline=None)
def test_any_text_is_accepted_or_explained(edits: list[tuple[int, int, str]]) -> None:
    text = TEXT
    for offset, length, inserted in edits:
        text = text[:offset] + inserted + text[offset + length :]
    source = Source("edited.mir", text)
    found = diagnose(lark(), source)
    unknown_version = any(d.rule.name == "unknown-version" for d in found)
    assert unknown_version or parses(text) == (not found)
    assert all(0 <= d.span.start <= d.span.end <= len(text) + 1 for d in found)
    assert len(full(Findings((FileFindings(source, found),)))) > 0


@pytest.mark.parametrize(
    "text",
    [
        "$" * 300_000,
        "$ " * 100_000,
        "[" * 100_000,
        "object a {\n" * 5_000,
        '"' * 100_000,
        "}" * 50_000,
    ],
    ids=["characters", "apart", "brackets", "openers", "quotes", "closers"],
)
def test_hostile_texts_are_refused_in_bounded_work(text: str) -> None:
    assert 1 <= len(diagnose(lark(), Source("hostile", text))) <= LIMIT + 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("size_\u200bbytes = 1", "size_bytes = 1"),
        ("size_bytes =\u202e1", "size_bytes =1"),
        ("size_bytes\u00a0= 1", "size_bytes = 1"),
        ("size_bytes =\f1", "size_bytes = 1"),
        ("size_bytes = \uff11\uff12", "size_bytes = 12"),
        ("size_bytes \uff1d 12", "size_bytes = 12"),
        ("s\u0456ze_bytes = 1", "size_bytes = 1"),
        ("backing = [HBM|DRAM]", "backing = [HBM, DRAM]"),
        ("deadline_us = 5m", "deadline_us = 300s"),
        ("reuse = 3 times", None),
        ("size_bytes = 1024*1024", None),
        ("size_bytes = 5m", None),
    ],
)
def test_a_sign_that_is_not_ours_becomes_the_one_that_was_meant(
    before: str, after: str | None
) -> None:
    text = f"object w {{\n  {before}\n}}\n"
    (found,) = diagnose(lark(), Source("a", text))
    made = applied(text, [found.fix]) if found.fix is not None else None
    assert made == (None if after is None else text.replace(before, after))
    said = found.message + (found.fix.message if found.fix is not None else "")
    assert said.isprintable()


@pytest.mark.parametrize("name", ["99", "kv-cache.0", "gr\u00f6\u00dfe"])
def test_a_declaration_is_read_though_its_name_must_be_quoted(name: str) -> None:
    text = f"object {name} {{\n  class = KV_BLOCK\n}}\n"
    recovered = recover(lark(), Source("a", text))
    (found,) = recovered.diagnostics
    assert found.fix is not None
    assert applied(text, [found.fix]) == text.replace(name, f'"{name}"')
    assert recovered.text is not None
    assert "class = KV_BLOCK" in recovered.text


def test_a_text_with_a_header_of_ours_is_not_taken_for_llvms() -> None:
    found = diagnose(lark(), Source("a", "# RUN: mirc check\nmir 1.0\ntenant t { }\n"))
    assert [each.rule.name for each in found] == ["hash-comment", "bad-header"][: len(found)]
