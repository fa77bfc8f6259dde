"""Findings into a table of counts."""

from mirc.diagnostics import Findings
from mirc.diagnostics.statistics import table
from tests.diagnostics.scenes import ERROR, HINT, WARNING, many, mixed


def test_the_most_frequent_rule_comes_first_equals_by_code() -> None:
    assert table(many((HINT, 12), (WARNING, 3), (ERROR, 3))) == (
        "12  hint     MIR901 unused-object\n"
        " 3  error    MIR201 duplicate-name\n"
        " 3  warning  MIR402 tiers-overlap\n"
    )


def test_it_says_how_many_have_a_fix() -> None:
    assert "1  warning  MIR402 tiers-overlap  (1 fixable)\n" in table(mixed())


def test_nothing_found_is_an_empty_table() -> None:
    assert table(Findings()) == ""
