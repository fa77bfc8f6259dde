from itertools import pairwise

import pytest

from mirc.ir import FIELD_BY_KEY, FIELDS, KEYS_WHERE, KEYWORDS, FieldSpec, ObjectClass, Where
from mirc.ir.fields.defaults import CLASS_DEFAULTS
from mirc.ir.fields.spec import DATA, PLAN_OVERRIDES, Strength
from mirc.ir.levels import LEVELS


def test_no_key_stands_in_the_table_twice() -> None:
    assert len(FIELD_BY_KEY) == len(FIELDS)


def test_no_key_is_a_keyword() -> None:
    assert not set(FIELD_BY_KEY) & set(KEYWORDS)


@pytest.mark.parametrize("spec", FIELDS, ids=lambda spec: spec.key)
def test_every_default_has_the_type_of_its_field(spec: FieldSpec) -> None:
    for default in (spec.default, *spec.class_defaults.values()):
        if default is not None:
            assert spec.type.read(default) is not None
    assert set(spec.class_defaults) <= (spec.classes or set(ObjectClass))


@pytest.mark.parametrize("spec", FIELDS, ids=lambda spec: spec.key)
def test_every_field_says_what_it_is(spec: FieldSpec) -> None:
    assert spec.where
    assert spec.doc.endswith(".")
    assert spec.doc[0].isupper() or spec.doc[0] == "`"
    assert spec.type.describe()
    assert spec.required <= spec.where


@pytest.mark.parametrize("spec", FIELDS, ids=lambda spec: spec.key)
def test_a_unit_stands_in_the_name_of_its_field(spec: FieldSpec) -> None:
    suffix = {"bytes": "_bytes", "us": "_us", None: ""}[spec.unit]
    named = spec.key.endswith(suffix)
    assert named or spec.key in {"reuse_window", "until"}  # a time is one of their spellings


def test_every_class_implies_something_and_only_what_exists() -> None:
    assert set(CLASS_DEFAULTS) == set(ObjectClass)
    for implied in CLASS_DEFAULTS.values():
        assert set(implied) <= set(FIELD_BY_KEY)
        assert "class" not in implied


def test_a_promise_is_no_estimate() -> None:
    promises = {Strength.FACT, Strength.SOFT, Strength.HARD, Strength.WIRED, Strength.SAFETY}
    assert [s.key for s in FIELDS if s.strength in promises and s.estimate] == []
    assert FIELD_BY_KEY["reuse"].estimate
    assert not FIELD_BY_KEY["spill_policy"].estimate


def test_the_packed_descriptor_has_141_bits() -> None:
    # beside the fields: a 16-bit id, 3 bits of confidence and a valid bit
    assert sum(spec.bits or 0 for spec in FIELDS) + 16 + 3 + 1 == 141


def test_residency_belongs_to_plans_alone() -> None:
    assert FIELD_BY_KEY["residency"].where == PLAN_OVERRIDES
    assert not FIELD_BY_KEY["residency"].portable


def test_safety_is_not_overridden() -> None:
    assert [s.key for s in FIELDS if s.strength is Strength.SAFETY and s.overridable] == []


def test_what_an_object_is_cannot_be_overridden() -> None:
    for key in ("class", "size_bytes", "dtype", "mutability"):
        assert FIELD_BY_KEY[key].where >= DATA
        assert not FIELD_BY_KEY[key].overridable


def test_every_declaration_takes_some_key() -> None:
    assert all(KEYS_WHERE[where] for where in Where)


def test_levels_are_events_whose_odds_fall_and_do_not_overlap() -> None:
    for key, levels in LEVELS.items():
        assert key in FIELD_BY_KEY
        odds = list(levels.values())
        assert all(e.low <= e.probability <= e.high for e in odds)
        assert all(a.low >= b.high for a, b in pairwise(odds))
