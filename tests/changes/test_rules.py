"""The one table of changes, and the page that is made of it."""

from pathlib import Path

import pytest

from mirc.changes import CHANGE_RULES, Direction, Judgement
from mirc.changes.handbook import inserted
from mirc.changes.rules import rule_of_field, rule_of_kind
from mirc.ir import FIELDS, Strength

PAGE = Path(__file__).parents[2] / "docs" / "diff.md"


def test_codes_and_names_are_given_once() -> None:
    assert len({rule.code for rule in CHANGE_RULES}) == len(CHANGE_RULES)
    assert len({rule.name for rule in CHANGE_RULES}) == len(CHANGE_RULES)


def test_every_rule_can_be_reached() -> None:
    # a rule that another one always comes before would be dead text in the table
    reached = {rule_of_field(s.key, s.strength, way).code for s in FIELDS for way in Direction}
    for kind in dict.fromkeys(kind for rule in CHANGE_RULES for kind in rule.kinds):
        ways = {way for rule in CHANGE_RULES if kind in rule.kinds for way in rule.directions}
        reached |= {rule_of_kind(kind, way).code for way in ways}
    assert reached == {rule.code for rule in CHANGE_RULES}


@pytest.mark.parametrize(
    ("strength", "way", "judgement"),
    [
        (Strength.HINT, Direction.OTHER, Judgement.SAFE),
        (Strength.PRIOR, Direction.NEAR, Judgement.SAFE),
        (Strength.PRIOR, Direction.FAR, Judgement.RISKY),
        (Strength.SOFT, Direction.WEAKER, Judgement.RISKY),
        (Strength.HARD, Direction.WEAKER, Judgement.BREAKING),
        (Strength.HARD, Direction.STRONGER, Judgement.RISKY),
        (Strength.WIRED, Direction.WEAKER, Judgement.BREAKING),
        (Strength.SAFETY, Direction.OTHER, Judgement.BREAKING),
        (Strength.FACT, Direction.OTHER, Judgement.RISKY),
    ],
)
def test_a_key_without_a_row_of_its_own_is_judged_by_its_strength(
    strength: Strength, way: Direction, judgement: Judgement
) -> None:
    assert rule_of_field("no_such_key", strength, way).judgement is judgement


def test_the_page_holds_the_table_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert inserted(page) == page, "run python -m mirc.changes.handbook"
