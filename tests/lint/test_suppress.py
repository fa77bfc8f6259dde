"""Ignores in comments: what they take away, and what is said about them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import Diagnostic, Source
from mirc.diagnostics.apply import applied
from mirc.lint.check import check_source
from mirc.lint.config import DEFAULT, Settings
from mirc.lint.ignores import ignores
from mirc.machine.load import load

HEAD = "object x {\n  class = KV_BLOCK\n"
ORDER = "  preferred_tiers = [DRAM, HBM]"
EVERY = Settings(extend_select=("MIR932",))


def found(text: str, settings: Settings = DEFAULT) -> tuple[Diagnostic, ...]:
    return check_source(Source("a.mir", text), (), settings).diagnostics


def names(text: str, settings: Settings = DEFAULT) -> list[str]:
    return [diagnostic.rule.name for diagnostic in found(text, settings)]


@pytest.mark.parametrize("rule", ["MIR403", "tier-order", "MIR4", "MIR40", "ALL", "x, MIR403"])
def test_a_rule_is_ignored_by_code_prefix_name_or_all(rule: str) -> None:
    said = names(f"{HEAD}{ORDER}  // mirc: ignore[{rule}] why\n}}\n")
    assert said == (["bad-ignore"] if "x," in rule else [])


@pytest.mark.parametrize(
    "lines",
    [
        "  // mirc: ignore[tier-order] why\n" + ORDER,
        "  // mirc: ignore[tier-order] why\n  // more of it\n" + ORDER,
        ORDER + " //mirc:ignore[ tier-order , ] why",
        "  // mirc: ignore [tier-order]\r\n" + ORDER,
    ],
)
def test_an_ignore_speaks_of_its_line_or_of_the_next_that_is_no_comment(lines: str) -> None:
    assert names(f"{HEAD}{lines}\n}}\n") == []


@pytest.mark.parametrize(
    "text",
    [
        f"// mirc: ignore[tier-order] why\n\n{HEAD}{ORDER}\n}}\n",
        f"{HEAD}  // mirc: ignore[tier-order] why\n\n{ORDER}\n}}\n",
        f"{HEAD}{ORDER}\n  pin_level = SOFT  // mirc: ignore[tier-order] why\n}}\n",
        f"object y {{ class = KV_BLOCK }}  // mirc: ignore[tier-order] why\n{HEAD}{ORDER}\n}}\n",
        f"{HEAD}{ORDER}\n}}\nphase p {{  // mirc: ignore[tier-order] why\n  override x {{}}\n}}\n",
    ],
)
def test_an_ignore_elsewhere_hides_nothing_and_is_unused(text: str) -> None:
    assert sorted(names(text)) == ["tier-order", "unused-ignore"]


@pytest.mark.parametrize("header", ["", "mir 1.0\n", "// of a model\n\nmir 1.0  // first\n\n"])
def test_an_ignore_for_the_file_stands_above_all_declarations(header: str) -> None:
    ignore = "// mirc: ignore-file[tier-order] all are cold\n"
    body = f"{HEAD}{ORDER}\n}}\n"
    assert names(header + ignore + body) == []
    assert names(ignore + header + body) == []
    assert names(header + body + ignore) == ["tier-order", "bad-ignore"]


def test_a_syntax_error_is_never_hidden() -> None:
    line = "object x { class: KV_BLOCK } // mirc: ignore[MIR102] no\n"
    assert names(line) == ["colon-for-equals", "bad-ignore"]
    assert names(f"// mirc: ignore-file[ALL] please\n{line}") == ["colon-for-equals"]


def test_a_string_is_no_comment_and_a_comment_within_one_no_ignore() -> None:
    for line in (
        'module m { producer = "// mirc: ignore[tier-order] why" }',
        "// see: // mirc: ignore[tier-order] why",
        "// mirc: checks this file",
        "// mirc: what can be ignored?",
    ):
        assert names(f"{line}\n{HEAD}{ORDER}\n}}\n") == ["tier-order"]


def test_an_ignore_behind_a_string_that_holds_slashes_is_one() -> None:
    text = 'module m { producer = "http://a \\" // b" } // mirc: ignore[tier-order] why\n'
    assert [ignore.line for ignore in ignores(Source("a", text))] == [1]


def test_a_finding_of_well_formedness_can_be_ignored() -> None:
    text = "phase p { override y { pin_level = SOFT } } // mirc: ignore[undeclared-object] later\n"
    assert names(text) == []


@pytest.mark.parametrize(
    ("comment", "problem", "advice"),
    [
        ("ignore[teir-order] x", "names `teir-order`, which is no rule", "`tier-order`"),
        ("ignore", "names no rule", "`// mirc: ignore[MIR401] reason`"),
        ("ignore[] x", "names no rule", "name the rules"),
        ("ignore[tier-order x", "is not closed", "name the rules"),
        ("ignroe[tier-order] x", "`mirc: ignroe` is no ignore", "mirc: ignore["),
        ("ignore[MIR114] x", "nothing hides a syntax error", "put the error right"),
    ],
)
def test_an_ignore_that_cannot_work_says_why(comment: str, problem: str, advice: str) -> None:
    (bad,) = found(f"object x {{ class = KV_BLOCK }} // mirc: {comment}\n")
    assert bad.rule.name == "bad-ignore"
    assert problem in bad.message
    assert advice in (bad.hint or "")


def test_a_reason_is_asked_for_only_when_the_rule_is_selected() -> None:
    text = f"{HEAD}{ORDER}  // mirc: ignore[tier-order]\n}}\n"
    assert names(text) == []
    assert names(text, EVERY) == ["ignore-without-reason"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{HEAD}  // mirc: ignore[tier-order] why\n}}\n", f"{HEAD}}}\n"),
        (
            "object x { class = KV_BLOCK }  // mirc: ignore[MIR403]\n",
            "object x { class = KV_BLOCK }\n",
        ),
        (
            f"{HEAD}{ORDER}  // mirc: ignore[use-order, tier-order, MIR402] why\n}}\n",
            f"{HEAD}{ORDER}  // mirc: ignore[tier-order] why\n}}\n",
        ),
    ],
)
def test_the_fix_of_an_unused_ignore_leaves_what_is_used(before: str, after: str) -> None:
    (unused,) = found(before)
    assert unused.rule.name == "unused-ignore"
    assert unused.fix is not None
    assert applied(before, [unused.fix]) == after
    assert names(after) == []


def test_silence_of_a_rule_that_did_not_run_proves_nothing() -> None:
    text = f"{HEAD}  pin_level = NONE // mirc: ignore[tier-order] why\n}}\n"
    assert names(text) == ["unused-ignore"]
    assert names(text, Settings(ignore=("tier-order",))) == []
    assert names(text + "object {\n}\n")[1:] == []  # a syntax error keeps the rules silent
    machine = f"{HEAD}  pin_level = NONE // mirc: ignore[larger-than-tier] on others\n}}\n"
    source = Source("a.mir", machine)
    assert check_source(source, (load("h100-sxm"),)).diagnostics == ()


def test_the_findings_about_ignores_can_be_ignored_for_a_file() -> None:
    text = f"{HEAD}  pin_level = NONE // mirc: ignore[MIR403] y\n}}\n"
    assert names(text) == ["unused-ignore"]
    assert names(f"// mirc: ignore-file[unused-ignore] x\n{text}") == []


def test_without_the_mark_nothing_is_looked_for() -> None:
    assert ignores(Source("a", "// ignore[MIR403]\n")) == ()


@given(st.text('ab"\\/ \n[],:mircgnoe-', max_size=80))
def test_any_text_around_the_mark_is_read(text: str) -> None:
    source = Source("a", text + "// mirc: ignore[MIR403] x" + text)
    for ignore in ignores(source):
        assert source.text[ignore.span.start :].startswith("//")
        assert "\n" not in source.text[ignore.span.start : ignore.span.end]
        for name, place in ignore.names:
            assert source.text[place.start : place.end] == name


@pytest.mark.parametrize(
    "text",
    [
        "// mirc: ignore[" + "a," * 200_000 + "]\n",
        '\\"' * 500_000 + "// mirc: ignore[MIR403]\n",
        '"' * 500_001 + "// mirc: ignore[MIR403]\n",
        "// mirc: ignore[MIR403\n" * 50_000,
        " " * 1_000_000 + "// mirc: ignore-file[MIR403] x",
        "\n" * 1_000_000 + "// mirc: ignore-file[MIR403] x",
    ],
    ids=["names", "escapes", "quotes", "lines", "blanks", "breaks"],
)
def test_a_hostile_file_takes_time_in_proportion_to_its_length(text: str) -> None:
    begin = time.process_time()
    assert len(ignores(Source("a", text))) <= 50_000
    assert time.process_time() - begin < 5


IGNORE = "// mirc: ignore[tier-order] why"
PHASE = "object x { class = KV_BLOCK }\nphase p {%s\n  override x {%s\n  %s\n  }%s\n}%s\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{IGNORE}\n{HEAD}{ORDER}\n}}\n",
        f"{IGNORE}\n// the weights\nobject\nx {{\n  class = KV_BLOCK\n{ORDER}\n}}\n",
        f"object x {{  {IGNORE}\n  class = KV_BLOCK\n{ORDER}\n}}\n",
        f"{HEAD}{ORDER}\n}}  {IGNORE}\n",
        *(
            PHASE % tuple(IGNORE if at == n else ORDER * (n == 2) for n in range(5))
            for at in (0, 1)
        ),
        *(
            PHASE % tuple(IGNORE if at == n else ORDER * (n == 2) for n in range(5))
            for at in (3, 4)
        ),
    ],
)
def test_an_ignore_where_a_declaration_begins_or_ends_speaks_of_all_of_it(text: str) -> None:
    assert names(text.replace(IGNORE, "")) == ["tier-order"]
    assert names(text) == []
    assert names(text.replace(IGNORE, IGNORE.replace("tier-order", "tiers-overlap"))) == [
        *(["unused-ignore", "tier-order"] if text.index(IGNORE) < text.index(ORDER) else []),
        *(["tier-order", "unused-ignore"] if text.index(IGNORE) > text.index(ORDER) else []),
    ]


def test_ignores_above_one_another_and_many_names_take_time_in_proportion() -> None:
    def seconds(count: int) -> float:
        stack = (
            f"object x {{\n{IGNORE}\n"
            + f"  {IGNORE}\n" * count
            + f"{ORDER}\nclass = KV_BLOCK\n}}\n"
        )
        row = f"object y {{ class = KV_BLOCK }}  // mirc: ignore[{'MIR403, ' * count}] why\n"
        start = time.process_time()
        for diagnostic in found(stack + row):
            assert diagnostic.rule.name == "unused-ignore"
        return time.process_time() - start

    seconds(200)
    assert seconds(16_000) < 30 * seconds(2000) + 0.3


@pytest.mark.parametrize(
    "comment", ["MIRC: Ignore[mir403] x", "mirc: noqa", "Mirc: ignore[MIR403]", "mirc: disable=x"]
)
def test_what_looks_like_an_ignore_and_is_none_is_reported(comment: str) -> None:
    found = check_source(Source("a.mir", f"object x {{ class = KV_BLOCK }}  // {comment}\n"))
    bad = [d for d in found.diagnostics if d.rule.code == "MIR931"]
    assert [d.hint for d in bad] == ["write `// mirc: ignore[MIR401] reason`, in small letters"]
