"""Each fix, made in several layouts: its finding goes, and the meaning of nothing else changes."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from mirc.diagnostics import Diagnostic, Rule, Source
from mirc.diagnostics.apply import applied
from mirc.grammar.bind import bind
from mirc.grammar.locate import SourcePlaces
from mirc.grammar.parse import parse
from mirc.grammar.printer import print_module
from mirc.ir.module import Block, Module
from mirc.ir.rules import IR_RULES
from mirc.lint.check import check_source
from mirc.lint.config import Settings
from mirc.lint.context import Context
from mirc.lint.fixing import fixed
from mirc.lint.registry import RULES
from mirc.lint.repair import (
    AddField,
    OrderElements,
    OrderFields,
    RemoveElement,
    RemoveField,
    Repair,
    SwapValues,
)
from mirc.lint.rule import LintRule
from mirc.machine.load import load, names
from tests.strategies import modules

FIXABLE = tuple(rule for rule in RULES if rule.fixable)
FIXABLE_TYPES = tuple(rule for rule in IR_RULES if rule.fixable)
# What a fix may change beside the field that its finding is about.
ALSO = {"use-order": {"earliest_use"}}

Facts = set[tuple[object, ...]]


def on_one_line(text: str) -> str:
    return text


def on_several_lines(text: str) -> str:
    text = re.sub(r"(?:(?<=\{) | {2,})(?=[a-z_]+ *= )", "\n  ", text)
    return re.sub(r"(?<=[^{}]) \}$", "\n}", text, flags=re.MULTILINE)


def with_long_lists(text: str) -> str:
    def spread(match: re.Match[str]) -> str:
        return "= [\n    " + match[1].replace(", ", ",\n    ") + "\n  ]"

    return re.sub(r"= \[([^\[\]()]*)\]", spread, on_several_lines(text))


def with_comments(text: str) -> str:
    lines = with_long_lists(text).splitlines()
    return "".join(f"// above {n}\n{line}  // beside {n}\n" for n, line in enumerate(lines))


def with_other_line_ends(text: str) -> str:
    return with_long_lists(text).replace("\n", "\r\n")


LAYOUTS = (on_one_line, on_several_lines, with_long_lists, with_comments, with_other_line_ends)


def judge(rule: LintRule, text: str) -> tuple[Diagnostic, ...]:
    machines = (load(rule.machine),) if rule.machine else ()
    chosen = Settings(extend_select=(rule.code,))
    return check_source(Source("a", text), machines, chosen).diagnostics


def module_of(text: str) -> Module:
    document = parse(Source("a", text))
    assert document.diagnostics == ()
    return bind(document, frozenset(names())).module


def facts(module: Module) -> Facts:
    """Return all that a module says: every field of every block, by the path to the block."""
    return set(_facts((), module.info, *module.declarations))


def _facts(path: tuple[str, ...], *blocks: Any) -> Iterator[tuple[object, ...]]:
    for block in blocks:
        if block is None:
            continue
        here = (*path, f"{type(block).__name__.lower()} {block.name}")
        yield (here, None)
        for field in block.fields:
            yield (here, field.key, field.value, field.confidence)
        for part in ("steps", "overrides", "phases"):
            yield from _facts(here, *getattr(block, part, ()))


def concerns(fact: tuple[object, ...], diagnostic: Diagnostic) -> bool:
    """Whether a fact is of the field that a finding is about, or of the block."""
    block, _, key = diagnostic.subject.rpartition(".")
    keys = {key, *ALSO.get(diagnostic.rule.name, ())}
    of_block = fact[0][-1] in (block, diagnostic.subject)  # type: ignore[index]
    return of_block and (fact[1] in keys or fact[0][-1] == diagnostic.subject)  # type: ignore[index]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
@pytest.mark.parametrize("rule", FIXABLE, ids=lambda rule: rule.name)
def test_a_fix_removes_its_finding_and_changes_the_meaning_of_nothing_else(
    rule: LintRule, layout: Callable[[str], str]
) -> None:
    for example in rule.rule.bad:
        text = layout(example)
        before = judge(rule, text)
        assert {d.rule.name for d in before} == {rule.name}
        for diagnostic in before:
            if diagnostic.fix is None:
                assert layout is with_comments
                continue
            after = applied(text, [diagnostic.fix])
            said = [(d.subject, d.message) for d in judge(rule, after)]
            assert (diagnostic.subject, diagnostic.message) not in said
            assert len(said) < len(before)
            changed = facts(module_of(text)) ^ facts(module_of(after))
            assert all(concerns(fact, diagnostic) for fact in changed)
            assert after.count("//") == text.count("//")
            assert "\r" not in text or after.count("\n") == after.count("\r\n")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
@pytest.mark.parametrize("rule", FIXABLE_TYPES, ids=lambda rule: rule.name)
def test_a_field_that_is_put_right_joins_the_others_which_stay_as_they_are(
    rule: Rule, layout: Callable[[str], str]
) -> None:
    fixes = 0
    for example in rule.bad:
        text = layout(example)
        for diagnostic in check_source(Source("a", text)).diagnostics:
            if diagnostic.fix is None:
                continue
            fixes += 1
            after = applied(text, [diagnostic.fix])
            assert check_source(Source("a", after)).diagnostics == ()
            assert facts(module_of(text)) < facts(module_of(after))
            assert len(facts(module_of(after)) - facts(module_of(text))) == 1
            assert after.count("//") == text.count("//")
    assert fixes


@pytest.mark.parametrize(
    "text",
    [
        "object x { class = WEIGHT_TILE  preferred_tiers = [HBM, DISK] }\n",  # like nothing
        "object x { class = WEIGHT_TILE  reuze = [HBM] }\n",  # that key holds no list
        "object x { class = WEIGHT_TILE  reuse = LOW  reuze = HIGH }\n",  # it is there
        "object x { class = WEIGHT_TILE  preferred_tiers = DISK }\n",  # wrong in brackets too
        "object x { class = WEIGHT_TILE  size_bytes = 1MiB // really?\n @ 0.9 }\n",
        "phase p { step s { reads = [w[1]] } }\nobject w[0] { class = EXPERT_WEIGHT }\n",
    ],
)
def test_what_may_be_meant_otherwise_is_left_to_the_author(text: str) -> None:
    found = check_source(Source("a", text)).diagnostics
    assert found
    assert all(d.fix is None for d in found)


@pytest.mark.parametrize("rule", FIXABLE, ids=lambda rule: rule.name)
def test_made_one_after_the_other_the_fixes_leave_nothing_of_a_rule(rule: LintRule) -> None:
    machines = (load(rule.machine),) if rule.machine else ()
    chosen = Settings(extend_select=(rule.code,))
    for text in rule.rule.bad:
        outcome = fixed(Source("a", text), lambda source: check_source(source, machines, chosen))
        assert outcome.count
        assert rule.name not in {d.rule.name for d in outcome.findings.diagnostics}


def test_of_two_overlapping_tiers_both_go() -> None:
    text = (
        "object x {\n"
        "  class           = KV_BLOCK\n"
        "  preferred_tiers = [HBM, DRAM, CXL]\n"
        "  fallback_tiers  = [DRAM, CXL, NVME] // least bad first\n"
        "}\n"
    )
    outcome = fixed(Source("a", text), check_source)
    assert "fallback_tiers  = [NVME] // least bad first" in outcome.source.text
    assert outcome.findings.diagnostics == ()


def test_elements_with_comments_are_not_reordered() -> None:
    text = """
object x {
  class           = KV_BLOCK
  preferred_tiers = [
    DRAM,  // the big one
    HBM
  ]
}
"""
    (found,) = check_source(Source("a", text)).diagnostics
    assert (found.rule.name, found.fix) == ("tier-order", None)


def test_names_beside_a_misspelt_one_count_as_used_and_are_shown_in_their_place() -> None:
    text = (
        "object w { class = WEIGHT_TILE  size_bytes = 1MiB }\n"
        "phase p { step a { reads = [nobody, TOUCH(w, 2MiB)] } }\n"
    )
    found = check_source(Source("a", text)).diagnostics
    assert [d.rule.code for d in found] == ["MIR210", "MIR431"]
    span = found[1].span
    assert text[span.start : span.end] == "TOUCH(w, 2MiB)"


@pytest.mark.parametrize(
    "text",
    [
        # nothing would be left of the list
        """
object x { class = KV_BLOCK  preferred_tiers = [HBM, DRAM]  fallback_tiers = [DRAM] }
""",
        # in the phase, DRAM is a fallback
        """
object x { class = KV_BLOCK  preferred_tiers = [HBM, DRAM]  fallback_tiers = [DRAM, CXL] }
phase p { step s { reads = [x] } override x { preferred_tiers = [HBM] } }
""",
        # outside the phase, DRAM is no preferred tier
        """
object x { class = KV_BLOCK  preferred_tiers = [HBM]  fallback_tiers = [DRAM, CXL] }
phase p { step s { reads = [x] } override x { preferred_tiers = [DRAM] } }
""",
    ],
)
def test_a_tier_stays_where_another_block_relies_on_it(text: str) -> None:
    found = check_source(Source("a", text)).diagnostics
    assert {d.rule.name for d in found} == {"tiers-overlap"}
    assert all(d.fix is None for d in found)


def test_a_policy_stays_where_the_wire_comes_and_goes() -> None:
    text = (
        "object x { class = WEIGHT_TILE  spill_policy = ALLOW  pin_level = WIRED }\n"
        "phase p { step s { reads = [x] } override x { pin_level = NONE } }\n"
    )
    (found,) = check_source(Source("a", text)).diagnostics
    assert found.rule.name == "wired-yet-spillable"
    assert found.fix is None


def test_uses_are_not_swapped_if_the_object_were_then_made_after_its_first() -> None:
    text = (
        "object x { class = ACTIVATION  created = b  earliest_use = c  latest_use = a }\n"
        "phase p {\n"
        "  step a { reads = [x] }\n"
        "  step b { writes = [x] }\n"
        "  step c { reads = [x] }\n"
        "}\n"
    )
    (found,) = check_source(Source("a", text)).diagnostics
    assert found.rule.name == "use-order"
    assert found.fix is None


FIELDS = """\
object x {
  // what may happen
  // to it
  spill_policy = ALLOW // freely

  /// what it is
  class = KV_BLOCK
  size_bytes = 1MiB // all of it
}
"""
FIELDS_IN_ORDER = """\
object x {

  /// what it is
  class = KV_BLOCK
  size_bytes = 1MiB // all of it
  // what may happen
  // to it
  spill_policy = ALLOW // freely
}
"""


def repaired(text: str, repair: Callable[[Block], Repair]) -> str | None:
    (block,) = module_of(text).objects.values()
    fix = repair(block).fix(SourcePlaces(text))
    return None if fix is None else applied(text, [fix])


def test_comments_move_with_their_fields() -> None:
    assert repaired(FIELDS, lambda x: OrderFields(x, (1, 2, 0))) == FIELDS_IN_ORDER


@pytest.mark.parametrize(
    "text",
    [
        "object x { spill_policy = ALLOW // freely\n class = KV_BLOCK }\n",
        "object x {\n spill_policy = ALLOW  dwell_steps = 1 // freely\n class = KV_BLOCK\n}\n",
        "object x {\n spill_policy = ALLOW // freely\n class = KV_BLOCK }\n",
    ],
)
def test_fields_stay_where_a_comment_could_be_either_ones(text: str) -> None:
    fields = len(module_of(text).objects["x"].fields)
    order = (fields - 1, *range(fields - 1))
    assert repaired(text, lambda x: OrderFields(x, order)) is None


@pytest.mark.parametrize(
    ("before", "index", "after"),
    [
        ("[HBM, DRAM, CXL]", 1, "[HBM, CXL]"),
        ("[HBM, DRAM, CXL]", 2, "[HBM, DRAM]"),
        ("[HBM, DRAM,]", 1, "[HBM, ]"),
        ("[\n  HBM,\n  DRAM,\n  CXL\n]", 1, "[\n  HBM,\n  CXL\n]"),
        ("[\n  HBM,\n  DRAM\n]", 1, "[\n  HBM\n]"),
        ("[\n  HBM, // near\n  DRAM, // far\n]", 0, "[\n  // near\n  DRAM, // far\n]"),
        ("[HBM]", 0, None),
        ("[HBM // near\n , DRAM]", 0, None),
        ("[HBM, // near\n DRAM]", 1, None),
    ],
)
def test_an_element_goes_with_its_comma(before: str, index: int, after: str | None) -> None:
    text = "object x {{ class = KV_BLOCK  preferred_tiers = {} }}\n"
    outcome = repaired(text.format(before), lambda x: RemoveElement(x, "preferred_tiers", index))
    assert outcome == (None if after is None else text.format(after))
    if outcome is not None:
        module_of(outcome)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("object x { class = INPUT }\n", "object x { class = INPUT  dwell_steps = 2 }\n"),
        (
            "object x {\n  class = INPUT // given\n}\n",
            "object x {\n  class = INPUT // given\n  dwell_steps = 2\n}\n",
        ),
        ("extern object x { }\n", "extern object x { dwell_steps = 2  }\n"),
        ("extern object x\n", None),
    ],
)
def test_a_field_is_added_behind_the_last(before: str, after: str | None) -> None:
    assert repaired(before, lambda x: AddField(x, "dwell_steps = 2")) == after


def test_a_field_goes_with_its_line_only_if_it_is_alone_there() -> None:
    alone = "object x {\n  class = INPUT\n  dwell_steps = 2\n}\n"
    assert repaired(alone, lambda x: RemoveField(x, "dwell_steps")) == (
        "object x {\n  class = INPUT\n}\n"
    )
    beside = "object x { class = INPUT  dwell_steps = 2 }\n"
    assert repaired(beside, lambda x: RemoveField(x, "dwell_steps")) == (
        "object x { class = INPUT }\n"
    )


def test_values_are_swapped_with_their_confidences() -> None:
    text = "object x { class = INPUT  reuse = HIGH @ 0.9  reuse_window = 0.5 }\n"
    assert repaired(text, lambda x: SwapValues(x, ("reuse", "reuse_window"))) == (
        "object x { class = INPUT  reuse = 0.5  reuse_window = HIGH @ 0.9 }\n"
    )
    assert repaired(text, lambda x: SwapValues(x, ("reuse", "backing"))) is None


@settings(max_examples=40, deadline=None)
@given(modules())
def test_in_any_file_a_fix_changes_what_it_is_about_and_leaves_a_file_that_parses(
    module: Module,
) -> None:
    text = print_module(module)
    before = facts(module_of(text))
    asked = Settings(select=("ALL",))
    for diagnostic in check_source(Source("a", text), (load("h100-sxm"),), asked).diagnostics:
        if diagnostic.fix is not None:
            changed = before ^ facts(module_of(applied(text, [diagnostic.fix])))
            assert all(concerns(fact, diagnostic) for fact in changed), diagnostic.message


@pytest.mark.parametrize("rule", FIXABLE, ids=lambda rule: rule.name)
def test_a_module_without_a_text_has_nothing_to_edit(rule: LintRule) -> None:
    machines = (load(rule.machine),) if rule.machine else ()
    found = rule.check(Context(module_of(rule.rule.bad[0]), machines))
    assert all(d.fix is None for d in found)
    assert found or rule.name == "needless-quotes"  # quotes are no part of a module


@pytest.mark.parametrize(
    "repair",
    [
        RemoveElement(Block("x"), "backing", 0),
        AddField(Block("x"), "dwell_steps = 2"),
        SwapValues(Block("x"), ("class", "dtype")),
        OrderElements(Block("x"), "backing", (1, 0)),
        OrderFields(Block("x"), (1, 0)),
    ],
)
def test_a_block_that_stands_nowhere_is_left_alone(repair: Repair) -> None:
    assert repair.fix(SourcePlaces("object x { class = INPUT }\n")) is None
