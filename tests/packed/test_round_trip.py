"""What was declared holds after packing: every field of every object, everywhere."""

from itertools import product

import pytest
from hypothesis import given, settings

from mirc.diagnostics import Source
from mirc.grammar import load, print_module
from mirc.ir import FIELD_BY_KEY, Module, View
from mirc.ir.resolve import Resolver
from mirc.packed.codec import dumps, loads
from mirc.packed.model import Packed
from mirc.packed.pack import pack, seal
from mirc.packed.unpack import read, unpack
from mirc.packed.view import PackedView
from tests import strategies
from tests.nightly import by_night

EXAMPLES = by_night(15, 600)

TEXT = """mir 1.0
module m { schedule = [REPEAT(3, p)]  model = "a model"  mesh = [AXIS(tp, 8)] }
object w { class = WEIGHT_TILE  size_bytes = 3MiB  backing = [NVME, DRAM]  reuse = 0.1 @ 0.3 }
object w2 { class = WEIGHT_TILE  size_bytes = 3145728  created = a  tenant_id = "t" }
extern object far
template kv { class = KV_BLOCK  size_bytes = PER_TOKEN(4KiB)  instance = [SEQUENCE, BLOCK] }
object e[3] { class = EXPERT_WEIGHT  size_bytes = 999999999999999999999999  retain_us = 10s }
tenant t { quota_bytes = 6GiB }
claim c { holder = "h"  objects = [w]  until = DONE }
phase p { kind = DECODE
  step a { reads = [w] }
  step quiet { reads = [w] }
  step b { reads = [kv]  raises = [DONE(w)] }
  override e { preferred_tiers = [DRAM]  reuse = HIGH @ 0.5 }
  override e[3] { fallback_tiers = [NVME] }
}
on tool_wait { override kv { preferred_tiers = [DRAM] } }
plan q { machine = "m.toml"
  override w { pin_level = WIRED }
  phase p { period_us = 3.5  override w { residency = [HBM(b, a), DRAM]  first_use_us = 1 } }
}
"""


def views(module: Module, packed: Packed) -> list[tuple[Resolver, Resolver]]:
    """Return both resolvers for each phase, signal and plan, and for none."""
    asked = product((None, *module.phases), (None, *module.signals), (None, *module.plans))
    return [(View(module, *each), PackedView(packed, *each)) for each in asked]


@given(strategies.modules())
@settings(max_examples=EXAMPLES, deadline=None)
def test_every_field_holds_as_declared_in_every_phase_signal_and_plan(module: Module) -> None:
    packed = seal(module)
    again = unpack(packed)
    for declared, told in [*views(module, packed), *views(again, packed)]:
        for name, key in product(module.data, FIELD_BY_KEY):
            assert told.get(name, key) == declared.get(name, key)
            first = next((body[key] for body in told.said(name) if key in body), None)
            assert first == told.get(name, key).origin.field


@given(strategies.modules())
@settings(max_examples=EXAMPLES, deadline=None)
def test_packing_what_was_unpacked_gives_the_same_bytes_also_through_text(module: Module) -> None:
    data = dumps(pack(module))
    again = unpack(read(data, "x.mirb"))
    assert dumps(pack(again)) == data
    text = print_module(again)
    assert dumps(pack(load(Source("x.mir", text)))) == data


def test_all_but_steps_and_schedule_comes_back_as_it_was_written() -> None:
    module = load(Source("x.mir", TEXT))
    again = unpack(seal(module))
    for kind in ("objects", "templates", "tenants", "claims", "signals", "plans"):
        assert _sorted(again, kind) == _sorted(module, kind)
    assert again.info is not None
    assert [field.key for field in again.info.fields] == ["model", "mesh"]


def test_of_steps_stay_those_that_are_named_or_raise_something() -> None:
    again = unpack(seal(load(Source("x.mir", TEXT))))
    kept = [(step.name, [f.key for f in step.fields]) for step in again.phases["p"].steps]
    assert kept == [("a", []), ("b", ["raises"])]


def test_equal_bodies_are_written_once() -> None:
    alike = "".join(
        f"object w{i} {{ class = WEIGHT_TILE size_bytes = 1KiB reuse = 0.25 @ 0.5 }}\n"
        for i in range(50)
    )
    tables = pack(load(Source("x.mir", f"mir 1.0\n{alike}")))
    assert (len(tables.rows), len(tables.fields)) == (50, 1)


def test_a_number_and_its_equal_of_another_type_stay_apart() -> None:
    # Python calls 1, 1.0 and true equal
    text = "mir 1.0\n" + "".join(
        f"object w{i} {{ class = WEIGHT_TILE size_bytes = 1 retain_us = {value} }}\n"
        for i, value in enumerate(("1", "1.0", "1us"))
    )
    again = unpack(seal(load(Source("x.mir", text))))
    kept = [repr(each.value("retain_us")) for each in again.objects.values()]
    assert kept == ["1", "1.0", "Time(picoseconds=1000000)"]


def test_what_a_view_of_a_packed_file_does_not_know_is_a_key_error() -> None:
    packed = seal(load(Source("x.mir", TEXT)))
    for asked in ({"phase": "no"}, {"signal": "resume"}, {"plan": "no"}):
        with pytest.raises(KeyError):
            PackedView(packed, **asked)
    with pytest.raises(KeyError):
        PackedView(packed).value("no", "reuse")


def test_declarations_are_at_hand_as_the_module_has_them() -> None:
    module = load(Source("x.mir", TEXT))
    packed = seal(module)
    assert tuple(packed.data) == tuple(module.data)
    assert tuple(packed.objects) == tuple(module.objects)
    assert packed.parts("e") == module.parts("e") == ("e[3]",)
    assert packed.parts("w") == ("w",)
    assert packed.claims["c"].value("holder") == module.claims["c"].value("holder")
    planned = packed.planned("q", "p")
    assert planned is not None
    assert planned.value("period_us") == 3.5
    assert packed.planned("q", "no") is None


def test_the_same_module_gives_the_same_bytes_and_reading_changes_none() -> None:
    data = dumps(pack(load(Source("x.mir", TEXT))))
    assert dumps(pack(load(Source("x.mir", TEXT)))) == data
    assert dumps(loads(data, "x.mirb")) == data


def _sorted(module: Module, kind: str) -> dict[str, object]:
    """Return declarations with their fields in the order of keys: packing sorts them."""

    def key(block: object) -> object:
        fields = sorted(getattr(block, "fields", ()), key=lambda field: field.key)
        inside = [key(each) for each in getattr(block, "overrides", ())]
        phases = [key(each) for each in getattr(block, "phases", ())]
        return type(block), getattr(block, "name", ""), fields, inside, phases

    return {name: key(block) for name, block in getattr(module, kind).items()}
