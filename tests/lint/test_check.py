"""What check finds in the samples and in files with several kinds of errors, and why."""

from pathlib import Path

import pytest

from mirc.diagnostics import Severity, Source
from mirc.lint.check import check_source
from mirc.machine.load import load, names

SAMPLES = Path(__file__).parents[2] / "samples"

# Every finding on essay 000's listing as it stands in the essay: (line, rule, about) and why it is
# right. The essay uses two objects in phases that it never declares; it says two things of the
# prefix twice; and 12 us is a time of some machine, not of the prefix.
ESSAY = {
    (36, "restated-value", "anti_evict_rule"): "line 19 says WHILE_FANOUT_GT_1 already",
    (37, "machine-fact", "prefetch_horizon_us"): "12 us depend on the link they are measured on",
    (38, "restated-value", "preferred_tiers"): "line 20 says [HBM, DRAM] already",
    (40, "undeclared-object", "expert_weight_group_E3"): "no declaration in the listing",
    (48, "undeclared-object", "gradient_shard_G"): "no declaration in the listing",
}
# A machine adds what is true on it alone. (h100-sxm has no CXL, but that is one of two fallbacks.)
ON_H100 = {
    (8, "larger-than-tier", "SRAM"): "134,217,728 B do not fit in 50 MiB = 52,428,800 B of L2",
}


def sample(name: str) -> Source:
    return Source(name, (SAMPLES / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("machines", "expected"), [((), ESSAY), (("h100-sxm",), ESSAY | ON_H100)], ids=["none", "h100"]
)
def test_the_essays_listing_gets_exactly_the_findings_of_the_table(
    machines: tuple[str, ...], expected: dict[tuple[int, str, str], str]
) -> None:
    source = sample("essay-000.mir")
    found = check_source(source, tuple(map(load, machines))).diagnostics
    by_place = {(source.position(d.span.start)[0], d.rule.name): d.message for d in found}
    assert len(by_place) == len(found)
    assert by_place.keys() == {(line, name) for line, name, _ in expected}
    assert all(about in by_place[line, name] for line, name, about in expected)


def test_the_errors_in_the_essays_listing_are_the_two_undeclared_objects() -> None:
    found = check_source(sample("essay-000.mir")).diagnostics
    errors = [d.rule.name for d in found if d.rule.severity is Severity.ERROR]
    assert errors == ["undeclared-object", "undeclared-object"]


def test_the_essays_listing_is_the_essays() -> None:
    text = (SAMPLES / "essay-000.mir").read_text(encoding="utf-8")
    assert text.startswith("// ── Object descriptors ───")
    assert text.endswith("= UNTIL_ALLREDUCE_COMPLETE\n  }\n}\n")
    assert len(text.splitlines()) == 53


@pytest.mark.parametrize("name", ["essay-000-complete.mir", "serving-small.mir"])
@pytest.mark.parametrize("machine", ["", "h100-sxm", "card-24g"])
def test_a_finished_sample_has_no_findings_at_all(name: str, machine: str) -> None:
    machines = (load(machine),) if machine else ()
    assert check_source(sample(name), machines).diagnostics == ()


def test_the_completed_listing_declares_what_the_essay_left_out() -> None:
    text = (SAMPLES / "essay-000-complete.mir").read_text(encoding="utf-8")
    assert "object expert_weight_group_E3 {" in text
    assert "object gradient_shard_G {" in text


def test_names_are_checked_beside_syntax_errors_in_one_run() -> None:
    text = (
        "object x { class: KV_BLOCK }\n"
        "object y { class = KV_BLOCK  spill_policy = SOMETIMES }\n"
        "phase p { override z { pin_level = SOFT } }\n"
    )
    found = check_source(Source("a", text)).diagnostics
    assert [d.rule.name for d in found] == [
        "colon-for-equals",
        "unknown-word",
        "undeclared-object",
    ]


def test_what_a_broken_part_declared_is_not_missed_elsewhere() -> None:
    text = "objct x { class = KV_BLOCK }\nphase p { override x { pin_level = SOFT } }\n"
    found = check_source(Source("a", text)).diagnostics
    assert [d.rule.name for d in found] == ["unknown-block"]


def test_a_key_lost_to_a_syntax_error_is_not_reported_as_missing() -> None:
    text = "object x { \n  class = = KV_BLOCK\n  class2 =\n}\nobject y {\n  class =\n}\n"
    found = check_source(Source("a", text)).diagnostics
    assert [d.rule.name for d in found] == ["unexpected", "missing-value", "missing-value"]


@pytest.mark.parametrize("text", ["", "\n\n", "mir 1.0\n", "// nothing\n"])
def test_a_file_without_declarations_is_one_error(text: str) -> None:
    found = check_source(Source("a", text)).diagnostics
    assert [d.rule.name for d in found] == ["empty-file"]


def test_a_plan_for_an_unknown_machine_is_an_error() -> None:
    found = check_source(Source("a", 'plan p { machine = "h1000-sxm" }\n')).diagnostics
    assert [d.rule.name for d in found] == ["unknown-machine"]


def test_a_plan_is_judged_on_its_own_machine_only() -> None:
    text = (
        "object x { class = WEIGHT_TILE  size_bytes = 60MiB  preferred_tiers = [HBM] }\n"
        "phase p { step s { reads = [x] } }\n"
        'plan h { machine = "h100-sxm"  override x { preferred_tiers = [SRAM] } }\n'
    )
    # 60 MiB exceed the H100's 50, and would fit in the 64 MiB scratchpad of another machine
    found = check_source(Source("a", text), tuple(map(load, names()))).diagnostics
    assert [d.message.rsplit(" ", 1)[1] for d in found] == ["h100-sxm"]


def test_an_override_that_undoes_a_plan_is_no_restatement() -> None:
    text = (
        "object x { class = WEIGHT_TILE  pin_level = NONE }\n"
        "phase p { step s { reads = [x] } override x { pin_level = NONE } }\n"
        'plan h { machine = "h100-sxm"  override x { pin_level = SOFT } }\n'
    )
    assert check_source(Source("a", text)).diagnostics == ()
