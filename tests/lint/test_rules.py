"""Each rule's examples, which are its tests and its documentation."""

import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings

from mirc.diagnostics import Diagnostic, Rule, Source
from mirc.grammar.bind import bind
from mirc.grammar.json_read import read as read_json
from mirc.grammar.json_rules import JSON_RULES
from mirc.grammar.locate import SourcePlaces
from mirc.grammar.parse import parse
from mirc.grammar.syntax_rules import TOO_MANY
from mirc.ir.module import Field, Module
from mirc.lint.check import check_source
from mirc.lint.config import Settings
from mirc.lint.context import Context, Scope
from mirc.lint.registry import ALL_RULES, RULE_BY_CODE, RULE_BY_NAME, RULES
from mirc.machine.load import load
from tests.strategies import modules

SAMPLES = Path(__file__).parents[2] / "samples"
# One rule is only said beside two hundred others, which no page should show.
SHOWN = tuple(rule for rule in ALL_RULES if rule is not TOO_MANY)


def name_of(rule: Rule) -> str:
    return rule.name


def found(rule: Rule, text: str) -> tuple[Diagnostic, ...]:
    if rule in JSON_RULES:
        return read_json(Source("example.json", text)).diagnostics
    machines = (load(rule.machine),) if rule.machine else ()
    chosen = Settings(extend_select=(rule.code,))
    return check_source(Source("example.mir", text), machines, chosen).diagnostics


@pytest.mark.parametrize("rule", SHOWN, ids=name_of)
def test_the_bad_examples_fire_exactly_their_rule(rule: Rule) -> None:
    assert rule.bad
    for text in rule.bad:
        assert {d.rule.name for d in found(rule, text)} == {rule.name}, text


@pytest.mark.parametrize("rule", SHOWN, ids=name_of)
def test_the_good_example_is_silent(rule: Rule) -> None:
    assert rule.good
    assert found(rule, rule.good) == ()


@pytest.mark.parametrize("rule", SHOWN, ids=name_of)
def test_a_rule_says_what_is_wrong_and_why(rule: Rule) -> None:
    assert rule.about.endswith((".", ".)"))
    assert rule.message[0].islower() or rule.message[0] in "`{"
    assert not rule.message.endswith(".")
    assert not (rule.hint or "").endswith(".")


@pytest.mark.parametrize("rule", [rule.rule for rule in RULES], ids=name_of)
def test_a_lint_rule_says_what_to_do(rule: Rule) -> None:
    assert rule.hint
    assert all(d.hint and "{" not in d.hint for text in rule.bad for d in found(rule, text))


@pytest.mark.parametrize("rule", SHOWN, ids=name_of)
def test_a_rule_is_called_fixable_if_and_only_if_it_fixes_an_example(rule: Rule) -> None:
    fixes = [d.fix for text in rule.bad for d in found(rule, text) if d.fix is not None]
    assert rule.fixable == bool(fixes)


def test_codes_and_names_are_unique_and_well_formed_over_all_rooms() -> None:
    assert len(RULE_BY_CODE) == len(RULE_BY_NAME) == len(ALL_RULES)
    assert all(re.fullmatch(r"MIR[1-9][0-9]{2}", rule.code) for rule in ALL_RULES)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name) for rule in ALL_RULES)


def test_the_registry_is_in_order_of_codes() -> None:
    assert sorted(rule.code for rule in RULES) == [rule.code for rule in RULES]
    assert sorted(RULE_BY_CODE) == [rule.code for rule in ALL_RULES]


class Apart(Context):
    """A context in which no two scopes and no two lines count as alike."""

    def lines(self, key: str) -> Iterator[tuple[Field, list[Scope]]]:
        for field, scopes in super().lines(key):
            yield from ((field, [scope]) for scope in scopes)

    def alike(self, *keys: str) -> Iterator[tuple[Scope, list[Scope]]]:
        for scope in self.where(*keys):
            yield scope, [scope]


@settings(max_examples=60, deadline=None)
@given(modules())
def test_rules_speak_of_any_module_and_judging_alike_ones_together_changes_nothing(
    module: Module,
) -> None:
    machines = (load("h100-sxm"),)
    # Twins share their lines, as equal lines of a text do.
    twins = (attrs.evolve(block, name=f"{block.name}.twin") for block in module.data.values())
    doubled = attrs.evolve(module, declarations=(*module.declarations, *twins))
    for rule in RULES:
        together = rule.check(Context(doubled, machines))
        alone = rule.check(Apart(doubled, machines))
        assert sorted(map(words, together)) == sorted(map(words, alone)), rule.name


def words(diagnostic: Diagnostic) -> tuple[str, str]:
    return diagnostic.subject, diagnostic.message


def context(text: str) -> Context:
    module = bind(parse(Source("a", text)), frozenset(("h100-sxm",))).module
    return Context(module, (), SourcePlaces(text))


def test_scopes_stand_in_written_order_and_know_what_lies_under_them() -> None:
    made = context(
        "object x { class = KV_BLOCK  pin_level = SOFT }\n"
        "phase p { step s { reads = [x] } override x { pin_level = NONE } }\n"
        'plan h { machine = "h100-sxm"  phase p { override x { deadline_class = SOFT } } }\n'
    )
    assert [len(scope.blocks) for scope in made.scopes] == [1, 2, 3]
    assert [str(scope.value("pin_level")) for scope in made.scopes] == ["SOFT", "NONE", "NONE"]
    assert list(made.where("pin_level")) == list(made.scopes[:2])
    assert made.of("x") == list(made.scopes)


def test_a_block_settles_a_field_that_nothing_else_speaks_of() -> None:
    made = context(
        "object w[0:8] { class = WEIGHT_TILE  pin_level = SOFT }\n"
        "object x { class = WEIGHT_TILE  pin_level = SOFT }\n"
        "object y { class = WEIGHT_TILE  pin_level = SOFT }\n"
        "phase p { override x { pin_level = NONE } override w { dwell_steps = 4 } }\n"
    )
    by_name: dict[str, Scope] = {scope.name: made.of(scope.name)[0] for scope in made.scopes}
    assert made.settles(by_name["y"], "pin_level")
    assert not made.settles(by_name["x"], "pin_level")  # the phase says otherwise
    assert made.settles(by_name["x"], "spill_policy")
    assert not made.settles(by_name["w[0:8]"], "pin_level")  # its family is overridden


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.mir")), ids=lambda path: path.name)
def test_every_rule_can_be_asked_of_every_sample(sample: Path) -> None:
    # Opt-in rules too: they may speak of a sample, and must not fail on it.
    source = Source(sample.name, sample.read_text(encoding="utf-8"))
    findings = check_source(source, (load("card-24g"),), Settings(select=("ALL",)))
    for diagnostic in findings.diagnostics:
        assert source.text[diagnostic.span.start : diagnostic.span.end], diagnostic
