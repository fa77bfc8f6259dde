"""Differences in meaning: what is one, what is none, and how it is judged."""

import pytest

from mirc.changes import Diff, diff
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir import Module

BASE = """
module m { schedule = [prefill, REPEAT(8, decode)] }
object w { class = WEIGHT_TILE  size_bytes = 1MiB }
object p[0] { class = EXPERT_WEIGHT  size_bytes = 1MiB }
object p[1] { class = EXPERT_WEIGHT  size_bytes = 1MiB }
object x { class = ACTIVATION  size_bytes = 4KiB  preferred_tiers = [HBM, DRAM] }
coalition g { members = [w, x] }
tenant t { quota_bytes = 1GiB }
claim c { holder = h  objects = [x]  retain_us = 30s }
phase prefill { step a { reads = [w] } }
phase decode {
  step a { reads = [w, x] }
  step b { reads = [x]  raises = [DONE] }
  override x { spill_policy = NEVER }
}
on tool_wait { override x { preferred_tiers = [DRAM] } }
plan s { machine = "h100-sxm"  phase decode { override p { prefetch_horizon_us = 12 } } }
"""


def module(text: str) -> Module:
    return load(Source("test.mir", text))


def between(old: str, new: str) -> Diff:
    return diff(module(old), module(new))


def edited(*edits: tuple[str, str]) -> list[tuple[str, str, str | None]]:
    """Return (rule, subject, key) of every change but the bytes, after edits of the base."""
    text = BASE
    for before, after in edits:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    changes = between(BASE, text).changes
    return [(c.rule.name, c.subject, c.key) for c in changes if c.kind != "tier"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("size_bytes = 4KiB", "size_bytes = 4_096"),
        ("object w { class = WEIGHT_TILE", "object w { class = WEIGHT_TILE  deadline_class = HARD"),
        ("members = [w, x]", "members = [x, w]"),
        ("reads = [w, x]", "reads = [x, w]"),
        ("REPEAT(8, decode)", "REPEAT(decode, 8)"),
        ("prefetch_horizon_us = 12", "prefetch_horizon_us = 12us"),
        ("holder = h  objects = [x]", "objects = [x]  holder = h  priority = 35"),
        ("object w { class = WEIGHT_TILE  size_bytes = 1MiB }", ("object w { // a comment\n"
         "  size_bytes = 1MiB\n  class = WEIGHT_TILE }")),
        ("override x { spill_policy = NEVER }", ("override x { spill_policy = NEVER "
         "deadline_class = SOFT }")),
    ],
)  # fmt: skip
def test_what_means_the_same_is_no_difference(before: str, after: str) -> None:
    assert edited((before, after)) == []


@pytest.mark.parametrize(
    ("before", "after", "rule", "subject", "key"),
    [
        ("tenant t { quota_bytes = 1GiB }", "tenant t { quota_bytes = 512MiB }",
         "quota-lowered", "tenant t", "quota_bytes"),
        ("claim c { holder = h  objects = [x]  retain_us = 30s }", "",
         "claim-revoked", "claim c", None),
        ("coalition g { members = [w, x] }", "coalition g { members = [w] }",
         "hint-changed", "coalition g", "members"),
        ("retain_us = 30s", "retain_us = 10s", "promise-changed", "claim c", "retain_us"),
        ("objects = [x]", "objects = [x, w]", "contract-strengthened", "claim c", "objects"),
        ("[prefill, REPEAT(8, decode)]", "[REPEAT(8, decode)]",
         "phase-unscheduled", "module m", "schedule"),
        ("REPEAT(8, decode)", "REPEAT(9, decode)", "schedule-changed", "module m", "schedule"),
        ("  step b { reads = [x]  raises = [DONE] }", "  step b { reads = [x] }",
         "event-withdrawn", "step b in phase decode", "raises"),
        ("size_bytes = 4KiB", "size_bytes = 8KiB", "size-grown", "object x", "size_bytes"),
        ("size_bytes = 4KiB", "size_bytes = 1KiB", "size-shrunk", "object x", "size_bytes"),
        ("size_bytes = 4KiB", "size_bytes = PER_TOKEN(1)", "size-recast", "object x", "size_bytes"),
        ("  size_bytes = 4KiB", "", "size-withdrawn", "object x", "size_bytes"),
        ("preferred_tiers = [HBM, DRAM]", "preferred_tiers = [DRAM, HBM]",
         "tiers-reordered", "object x", "preferred_tiers"),
        ("preferred_tiers = [HBM, DRAM]", "preferred_tiers = [HBM, DRAM, PEER]",
         "tier-offered", "object x", "preferred_tiers"),
        ("preferred_tiers = [HBM, DRAM]", "preferred_tiers = [HBM, DRAM]  fallback_tiers = [DRAM]",
         "tier-withdrawn", "object x", "fallback_tiers"),
        ("override x { spill_policy = NEVER }", "",
         "promise-weakened", "object x in phase decode", "spill_policy"),
        ("prefetch_horizon_us = 12", "prefetch_horizon_us = 20",
         "estimate-adjusted", "object p[0] in plan s, phase decode", "prefetch_horizon_us"),
        ("prefetch_horizon_us = 12", "prefetch_horizon_us = 25",
         "estimate-overturned", "object p[0] in plan s, phase decode", "prefetch_horizon_us"),
        ('machine = "h100-sxm"', 'machine = "h200"', "plan-retargeted", "plan s", "machine"),
        ("on tool_wait { override x { preferred_tiers = [DRAM] } }",
         "on tool_wait { override x { preferred_tiers = [DRAM]  deadline_class = HARD } }",
         "deadline-hardened", "object x in on tool_wait", "deadline_class"),
    ],
)  # fmt: skip
def test_a_change_is_judged_by_its_key_and_its_direction(
    before: str, after: str, rule: str, subject: str, key: str | None
) -> None:
    assert edited((before, after))[0] == (rule, subject, key)


def test_an_override_of_a_family_is_compared_for_each_of_its_parts() -> None:
    found = edited(("prefetch_horizon_us = 12", "prefetch_horizon_us = 13"))
    assert [subject for _, subject, _ in found] == [
        "object p[0] in plan s, phase decode",
        "object p[1] in plan s, phase decode",
    ]


def test_a_class_that_changes_brings_what_it_implied() -> None:
    found = edited(("class = ACTIVATION", "class = KV_BLOCK"))
    assert ("class-changed", "object x", "class") in found
    # ACTIVATION implies SOFT, KV_BLOCK implies HARD
    assert ("deadline-hardened", "object x", "deadline_class") in found


def test_a_base_value_under_an_override_that_stays_is_one_change() -> None:
    found = edited(("class = ACTIVATION", "class = ACTIVATION  spill_policy = DROP_RECOMPUTE"))
    assert found == [("promise-weakened", "object x", "spill_policy")]


def test_a_tier_that_only_moved_to_the_fallbacks_is_not_withdrawn() -> None:
    found = edited(("preferred_tiers = [HBM, DRAM]", "preferred_tiers = [HBM]"))
    assert found == [("tiers-reordered", "object x", "preferred_tiers")]


def test_a_tier_withdrawn_from_what_may_lie_nowhere_else_is_breaking() -> None:
    old = "object x { class = INPUT  fallback_tiers = [DRAM, CXL]  runtime_override = FORBID }"
    (change,) = between(old, old.replace(", CXL", "")).changes
    assert change.rule.name == "tier-forbidden"


def test_steps_come_go_and_change_places() -> None:
    found = edited(
        ("  step a { reads = [w, x] }\n", ""),
        ("[DONE] }", "[DONE] }\n  step a { reads = [x, w] }\n  step z { }"),
    )
    assert found == [
        ("step-added", "step z in phase decode", None),
        ("steps-reordered", "phase decode", None),
    ]


def test_an_object_becomes_a_template() -> None:
    change = between("object x { class = INPUT }", "template x { class = INPUT }").changes[0]
    assert (change.rule.name, change.old, change.new) == ("object-recast", "object", "template")


def test_confidence_alone_is_safe() -> None:
    old = "object x { class = INPUT  reuse = HIGH @ 0.5 }"
    (change,) = between(old, old.replace("0.5", "0.6")).changes
    assert (change.rule.name, change.old, change.new) == (
        "confidence-changed", "HIGH @ 0.5", "HIGH @ 0.6",
    )  # fmt: skip


def test_another_version_of_the_language_is_a_change() -> None:
    (change,) = between("mir 1.0\nobject x { class = INPUT }", "mir 1.1\nobject x { class = INPUT }"
    ).changes  # fmt: skip
    assert (change.rule.name, change.old, change.new) == ("version-changed", "1.0", "1.1")
