"""Each syntax rule's examples, which are its tests: where it speaks, and that its fix is one."""

import pytest

from mirc.diagnostics import Rule, Source
from mirc.diagnostics.apply import applied
from mirc.grammar.parser import lark
from mirc.grammar.recover import LIMIT, diagnose
from mirc.grammar.syntax_rules import EMPTY_FILE, SYNTAX_RULES, TOO_MANY
from mirc.lint.check import check_source

# Line and column at which each bad example is to be reported, in the order of the examples.
PLACES = {
    "unexpected": ["1:10", "1:11", "3:18", "1:1"],
    "bad-character": ["1:10", "1:10", "3:18"],
    "colon-for-equals": ["3:13", "3:13"],
    "semicolon": ["3:20", "3:19", "3:25"],
    "hash-comment": ["1:1", "3:22"],
    "block-comment": ["1:1", "1:1", "3:16"],
    "open-string": ["1:8", "2:14", "2:11"],
    "wrong-quotes": ["2:14", "2:14", "1:8"],
    "bad-escape": ["2:17", "2:15"],
    "wrong-equals": ["3:14", "3:14", "3:14", "3:14"],
    "missing-equals": ["3:14", "3:19", "3:3"],
    "missing-value": ["3:3", "3:3", "3:3", "3:16"],
    "missing-comma": ["3:26", "4:5"],
    "missing-name": ["1:1", "2:3"],
    "missing-brace": ["1:9", "1:9", "1:13", "1:9"],
    "bare-list": ["3:24", "3:25"],
    "field-separator": ["3:20", "1:31"],
    "bad-unit": ["3:16", "3:16", "3:16"],
    "reserved-word": ["1:8", "2:21", "3:3"],
    "extra-comma": ["3:26", "3:22"],
    "unclosed-bracket": ["3:21", "3:21", "3:25", "2:28"],
    "mismatched-bracket": ["3:31", "3:30", "3:31"],
    "unclosed-declaration": ["4:1", "3:3", "1:10"],
    "stray-bracket": ["5:1", "3:26", "3:1"],
    "nested-too-deeply": ["3:53"],
    "unopened-bracket": ["3:16", "3:21"],
    "bad-number": ["3:16", "3:16", "3:18", "3:24", "3:16"],
    "value-without-key": ["3:3", "1:12"],
    "braces-for-list": ["3:21"],
    "quoted-key": ["3:3", "3:3"],
    "unknown-block": ["1:1", "2:3", "1:1", "3:3"],
    "misplaced-block": ["1:1", "3:3"],
    "field-outside": ["1:1"],
    "bad-header": ["1:1", "1:1", "6:1"],
    "unknown-version": ["1:5"],
    "empty-file": ["1:1", "1:1"],
    "llvm-machine-ir": ["1:1", "1:1", "1:1"],
}
EXAMPLES = [
    pytest.param(rule, bad, place, id=f"{rule.name}-{number}")
    for rule in SYNTAX_RULES
    for number, (bad, place) in enumerate(zip(rule.bad, PLACES.get(rule.name, []), strict=True), 1)
]


@pytest.mark.parametrize(("rule", "bad", "place"), EXAMPLES)
def test_a_bad_example_reports_its_rule_alone_and_at_its_place(
    rule: Rule, bad: str, place: str
) -> None:
    source = Source("bad.mir", bad)
    found = check_source(source).diagnostics
    assert [(each.rule.name, source.position(each.span.start)) for each in found] == [
        (rule.name, tuple(map(int, place.split(":"))))
    ]


@pytest.mark.parametrize("rule", SYNTAX_RULES, ids=lambda rule: rule.name)
def test_a_good_example_is_silent(rule: Rule) -> None:
    assert check_source(Source("good.mir", rule.good)).diagnostics == ()


@pytest.mark.parametrize(("rule", "bad", "place"), EXAMPLES)
def test_the_fix_of_an_example_removes_its_finding_and_makes_no_other(
    rule: Rule, bad: str, place: str
) -> None:
    del place
    fixes = [each.fix for each in check_source(Source("bad.mir", bad)).diagnostics]
    assert rule.fixable or fixes == [None]
    for fix in fixes:
        if fix is not None:
            mended = applied(bad, [fix])
            assert mended != bad
            assert diagnose(lark(), Source("mended.mir", mended)) == ()


@pytest.mark.parametrize(("rule", "bad", "place"), EXAMPLES)
def test_line_breaks_of_windows_change_neither_finding_nor_fix(
    rule: Rule, bad: str, place: str
) -> None:
    windows = bad.replace("\n", "\r\n")
    source = Source("bad.mir", windows)
    found = check_source(source).diagnostics
    assert [(each.rule, source.position(each.span.start)) for each in found] == [
        (rule, tuple(map(int, place.split(":"))))
    ]
    for each in found:
        if each.fix is not None:
            mended = applied(windows, [each.fix])
            assert diagnose(lark(), Source("mended.mir", mended)) == ()
            assert mended.count("\n") == mended.count("\r\n")


@pytest.mark.parametrize("rule", [r for r in SYNTAX_RULES if r.fixable], ids=lambda r: r.name)
def test_a_rule_called_fixable_fixes_its_first_example_to_what_is_good(rule: Rule) -> None:
    (found,) = check_source(Source("bad.mir", rule.bad[0])).diagnostics
    assert found.fix is not None
    assert applied(rule.bad[0], [found.fix]).split() == rule.good.split()


@pytest.mark.parametrize("rule", SYNTAX_RULES, ids=lambda rule: rule.name)
def test_a_syntax_rule_says_what_is_wrong_and_what_to_do(rule: Rule) -> None:
    assert rule.about.endswith(".")
    assert rule.message[0].islower() or rule.message[0] in "`{"
    assert not rule.message.endswith(".")
    assert rule.hint is None or not rule.hint.endswith(".")
    assert rule.bad or rule is TOO_MANY


def test_many_errors_are_one_finding_each_up_to_the_limit() -> None:
    text = "tenant t {\n" + "  priority: 1\n" * 40 + "}\n"
    found = diagnose(lark(), Source("many.mir", text))
    assert len(found) == 40 < LIMIT
    assert EMPTY_FILE not in {each.rule for each in found}
