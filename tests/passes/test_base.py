import attrs
import pytest

from mirc.diagnostics import CouldNotRun
from mirc.passes.base import Facts


@attrs.frozen
class Tall:
    metres: int


@attrs.frozen
class Wide:
    metres: int


def test_a_fact_is_found_by_its_type() -> None:
    facts = Facts.seeded(Tall(1), Wide(2))
    assert facts[Wide].metres == 2
    assert Tall in facts


def test_a_fact_that_nothing_established_is_a_sentence_with_what_there_is() -> None:
    with pytest.raises(CouldNotRun, match="`Wide` was not established \\(there is Tall\\)"):
        Facts.seeded(Tall(1))[Wide]


def test_adding_a_fact_leaves_the_table_as_it_was() -> None:
    before = Facts.seeded(Tall(1))
    after = before.having(Wide(2))
    assert Wide not in before
    assert after[Wide] == Wide(2)


def test_a_fact_is_established_once() -> None:
    with pytest.raises(ValueError, match="Tall is established twice"):
        Facts.seeded(Tall(1)).having(Tall(2))
