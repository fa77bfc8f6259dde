"""The essay's record of 141 bits: what it says, and that what it loses is told."""

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.ir import FIELD_BY_KEY, Module
from mirc.packed import losses
from mirc.packed.bits import size_of, to_bytes
from mirc.packed.essay import LAYOUT, PARTS, RECORD_BITS, dumps, loads
from mirc.packed.losses import essay
from mirc.packed.pack import seal
from mirc.packed.view import PackedView
from tests import strategies

RECORDS = st.lists(
    st.fixed_dictionaries({key: st.integers(0, (1 << width) - 1) for key, width in LAYOUT}),
    max_size=20,
)


def told(text: str) -> dict[str, tuple[str, ...]]:
    """Return what is lost of a file, by field."""
    found = essay(seal(load(Source("x.mir", f"mir 1.0\n{text}"))))
    return {loss.key: loss.names for loss in found.losses}


@pytest.mark.mechanism("S0-40")
def test_a_record_has_141_bits_and_64_000_of_them_are_1_128_000_bytes() -> None:
    assert RECORD_BITS == 141
    record = {key: (1 << width) - 1 for key, width in LAYOUT}
    assert len(to_bytes(LAYOUT, [record] * 64_000)) == 64_000 * 141 // 8 == 1_128_000
    assert size_of(LAYOUT, 64_000) == 1_128_000


@pytest.mark.mechanism("S0-40")
@given(RECORDS)
@settings(max_examples=50, deadline=None)
def test_records_are_read_as_they_were_written(records: list[dict[str, int]]) -> None:
    data = dumps(records)
    assert loads(data, "x.bits") == records
    assert len(data) == 16 + -(-len(records) * 141 // 8)


def test_a_number_that_is_too_large_is_not_cut_silently() -> None:
    record = {key: 0 for key, _ in LAYOUT} | {"pin_level": 4}
    with pytest.raises(ValueError, match="`pin_level` has 2 bits"):
        dumps([record])


@given(st.binary(max_size=40))
@settings(max_examples=50, deadline=None)
def test_other_bytes_are_refused(data: bytes) -> None:
    good = dumps([{key: 1 for key, _ in LAYOUT}])
    for wrong in (data, good[:16] + data, good[:5] + data):
        if wrong != good:
            with pytest.raises(CouldNotRun):
                loads(wrong, "x.bits")


@given(strategies.modules())
@settings(max_examples=25, deadline=None)
def test_what_a_record_does_not_say_right_is_listed(module: Module) -> None:
    packed = seal(module)
    found = essay(packed)
    view = PackedView(packed)
    lost = {(name, loss.key) for loss in found.losses for name in loss.names}
    records = loads(found.data, "x.bits")
    assert [record["id"] for record in records] == list(range(len(packed.data)))
    for (name, written), record in zip(
        ((name, packed.written(name)) for name in packed.data), records, strict=True
    ):
        for part in PARTS:
            classes = FIELD_BY_KEY[part.key].classes
            if part.key in ("coalition_hints", "security_domain", "route_probability") or classes:
                continue  # said by number, or of one class alone
            value = view.value(name, part.key)
            right = value is None or part.value(record[part.key]) == value
            assert right != ((name, part.key) in lost), (name, part.key, value)
        outside = [key for key in written if key not in {part.key for part in PARTS}]
        assert all((name, key) in lost for key in outside)


def test_nothing_is_lost_of_an_object_that_fits() -> None:
    assert (
        told(
            """
        object w { class = WEIGHT_TILE  size_bytes = 8KiB  reuse = HIGH  reuse_window = 8us
          preferred_tiers = [HBM, SRAM]  fallback_tiers = [DRAM]  spill_policy = ALLOW
          recompute_cost_us = 16  anti_evict_rule = WHILE_FANOUT_GT_3  deadline_us = 4
          coalition_hints = [c]  security_domain = d  pin_level = SOFT  immutable = true }
        object e { class = EXPERT_WEIGHT  size_bytes = 4KiB  route_probability = 0.25 }
        coalition c { members = [w] }
        """
        )
        == {}
    )


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("size_bytes = 4097", "size_bytes"),
        ("size_bytes = PER_TOKEN(4KiB)", "size_bytes"),
        ("size_bytes = 65GiB", "size_bytes"),
        ("reuse = 0.2", "reuse"),
        ("reuse = EVERY(STEP)", "reuse"),
        ("reuse_window = 12", "reuse_window"),
        ("preferred_tiers = [DRAM, HBM, SRAM]", "preferred_tiers"),
        ("fallback_tiers = [NVME, DRAM]", "fallback_tiers"),
        ("recompute_class = FREE", "recompute_class"),
        ("recompute_cost_us = 3", "recompute_cost_us"),
        ("anti_evict_rule = WHILE_FANOUT_GT_300", "anti_evict_rule"),
        ("anti_evict_rule = UNTIL_RESUME(x)", "anti_evict_rule"),
        ("anti_evict_rule = UNTIL_LUNCH", "anti_evict_rule"),
        ("deadline_us = 5", "deadline_us"),
        ("coalition_hints = [c, d]", "coalition_hints"),
        ("spill_policy = ALLOW  reuse = HIGH @ 0.3", "confidence"),
        ("dtype = int8", "dtype"),
    ],
)
def test_what_is_rounded_cut_or_has_no_bits_is_told(field: str, key: str) -> None:
    size = "" if "size_bytes" in field else "size_bytes = 4KiB"
    groups = "coalition c { members = [w] }\ncoalition d { members = [w] }"
    text = f"object w {{ class = WEIGHT_TILE {size} {field} }}\n{groups}"
    assert told(text) == {key: ("w",)}


def test_declarations_that_have_no_records_are_counted() -> None:
    text = "object w { class = INPUT }\nphase p { override w { reuse = LOW } }\ntenant t { }"
    found = essay(seal(load(Source("x.mir", f"mir 1.0\n{text}"))))
    overrides = ("overrides of phases, signals and plans", 1)
    assert found.others == (("names", 1), ("tenants", 1), ("phases", 1), overrides)


def test_more_objects_than_ids_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "MAX_OBJECTS", 1)
    packed = seal(
        load(Source("x.mir", "mir 1.0\nobject a { class = INPUT }\nobject b { class = INPUT }"))
    )
    with pytest.raises(CouldNotRun, match="the file has 2 objects, and 16-bit ids tell 1 apart"):
        essay(packed)


def test_the_widths_are_the_field_tables() -> None:
    packed = {spec.key for spec in FIELD_BY_KEY.values() if spec.bits is not None}
    assert {part.key for part in PARTS} == packed
    assert all(part.doc for part in PARTS)
    assert attrs.has(type(PARTS[0]))
