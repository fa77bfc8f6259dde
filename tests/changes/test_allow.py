"""Which changes are let pass, and which are left."""

import pytest

from mirc.changes import Diff, allowance, diff, judge
from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load

OLD = """
object e[1] { class = EXPERT_WEIGHT  size_bytes = 4 }
object f { class = INPUT  size_bytes = 4  deadline_class = HARD }
"""
NEW = OLD.replace("size_bytes = 4", "size_bytes = 8").replace("HARD", "SOFT")


@pytest.fixture
def found() -> Diff:
    return diff(load(Source("old", OLD)), load(Source("new", NEW)))


def left(found: Diff, *texts: str, level: str = "any") -> list[str]:
    verdict = judge(found, map(allowance, texts), level)
    return [f"{change.rule.name}:{change.name}" for change in verdict.failing]


def test_the_level_is_the_least_that_fails(found: Diff) -> None:
    assert left(found, level="breaking") == ["deadline-softened:f"]
    assert len(left(found, level="risky")) == len(left(found, level="any")) == 4


@pytest.mark.parametrize("named", ["size-grown", "MIRD301", "MIRD3"])
def test_a_rule_is_named_by_name_code_or_the_beginning_of_codes(found: Diff, named: str) -> None:
    assert left(found, named) == ["deadline-softened:f", "peak-grown:HBM"]


def test_brackets_in_a_pattern_mean_themselves(found: Diff) -> None:
    assert "size-grown:e[1]" not in left(found, "size-grown:e[1]")
    assert "size-grown:f" in left(found, "size-grown:e[1]")
    assert "size-grown:e[1]" not in left(found, "size-grown:e[?]", "size-grown:*x")


def test_what_matched_nothing_is_named(found: Diff) -> None:
    verdict = judge(found, [allowance("claim-revoked"), allowance("MIRD301:f")], "any")
    assert verdict.unused == ("claim-revoked",)


def test_an_unknown_kind_of_change_gets_the_nearest() -> None:
    with pytest.raises(CouldNotRun) as raised:
        allowance("size-grow")
    assert raised.value.hint == "did you mean `size-grown`?"
