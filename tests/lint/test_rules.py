"""Each rule's examples, which are its tests and its documentation."""

import re

import pytest

from mirc.diagnostics import Source
from mirc.grammar.syntax_rules import SYNTAX_RULES
from mirc.ir.rules import IR_RULES
from mirc.lint.check import check_source
from mirc.lint.registry import RULES
from mirc.lint.rule import LintRule
from mirc.machine.load import load

NAMES = [rule.name for rule in RULES]


def said(rule: LintRule, text: str) -> list[str]:
    machines = (load(rule.machine),) if rule.machine else ()
    found = check_source(Source("example.mir", text), machines)
    return [diagnostic.rule.name for diagnostic in found.diagnostics]


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_bad_example_fires_exactly_its_rule(rule: LintRule) -> None:
    assert set(said(rule, rule.bad)) == {rule.name}


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_good_example_is_silent(rule: LintRule) -> None:
    assert said(rule, rule.good) == []


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_rule_says_what_is_wrong_and_what_to_do(rule: LintRule) -> None:
    assert rule.__doc__
    assert rule.hint
    assert rule.message[0].islower() or rule.message[0] in "`{"
    assert not rule.message.endswith(".")
    assert not rule.hint.endswith(".")


def test_codes_and_names_are_unique_and_well_formed_over_all_rooms() -> None:
    rules = [*SYNTAX_RULES, *IR_RULES, *(rule.rule for rule in RULES)]
    assert len({rule.code for rule in rules}) == len(rules)
    assert len({rule.name for rule in rules}) == len(rules)
    assert all(re.fullmatch(r"MIR[1-9][0-9]{2}", rule.code) for rule in rules)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name) for rule in rules)


def test_the_registry_is_in_order_of_codes() -> None:
    assert sorted(rule.code for rule in RULES) == [rule.code for rule in RULES]
