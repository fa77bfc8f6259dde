"""What holds for the difference of any two modules."""

from collections.abc import Iterable
from random import Random

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mirc.changes import Change, diff
from mirc.changes.rules import rule_of_field
from mirc.changes.scales import comparable, direction
from mirc.diagnostics import Source
from mirc.grammar import load, print_module
from mirc.ir import FIELDS, FieldSpec, Module
from tests.strategies import World, modules, values_of

WORLD = World(("a", "b"), ("s",), ("p",), ("g",), ("t",), ("c",))
SLOW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def said(changes: Iterable[Change], rule: str) -> list[tuple[str, str]]:
    return sorted((c.kind, str(c.name)) for c in changes if c.rule.name.endswith(rule))


@given(modules())
@SLOW
def test_a_module_does_not_differ_from_itself(module: Module) -> None:
    assert diff(module, module).changes == ()


@given(modules(), st.randoms(use_true_random=False))
@SLOW
def test_neither_layout_nor_the_order_of_declarations_says_anything(
    module: Module, order: Random
) -> None:
    shuffled = list(module.declarations)
    order.shuffle(shuffled)
    text = print_module(attrs.evolve(module, declarations=tuple(shuffled)))
    assert diff(module, load(Source("again", text))).changes == ()


@given(modules(), modules())
@SLOW
def test_what_one_way_adds_the_other_way_removes(one: Module, other: Module) -> None:
    there, back = diff(one, other), diff(other, one)
    come = [change for change in there.changes if change.key is None]
    gone = [change for change in back.changes if change.key is None]
    assert said(come, "-added") == sorted(said(gone, "-removed") + said(gone, "-revoked"))
    assert sorted((c.new, c.old) for c in there.changes if c.rule.name.endswith("-renamed")) == (
        sorted((c.old, c.new) for c in back.changes if c.rule.name.endswith("-renamed"))
    )
    assert [t.gained_bytes for t in there.tiers] == [-t.gained_bytes for t in back.tiers]


@given(st.data(), st.sampled_from(FIELDS))
@settings(max_examples=200, deadline=None)
def test_every_change_of_every_key_has_a_direction_and_a_rule(
    data: st.DataObject, spec: FieldSpec
) -> None:
    written = st.none() | values_of(spec.type, WORLD)
    old, new = (
        None if value is None else spec.type.read(value)
        for value in (data.draw(written), data.draw(written))
    )
    if comparable(spec, old) != comparable(spec, new):
        way = direction(spec, old, new)
        assert rule_of_field(spec.key, spec.strength, way).code.startswith("MIRD")
