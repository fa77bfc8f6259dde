from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mirc.ir import (
    FIELD_BY_KEY,
    FIELDS,
    Access,
    Applied,
    Call,
    Condition,
    EveryNth,
    FieldSpec,
    Level,
    Name,
    PerSequence,
    PerToken,
    Repeat,
    Residency,
    Retain,
    Size,
    Text,
    TierKind,
    Time,
    evaluate,
)
from mirc.ir.types import Fault, Mismatch
from tests.strategies import RAW_VALUES, World, values_of

WORLD = World(("w", "a b"), ("s",), ("p",), ("c",), ("t",), ("k",))


def _read(key: str, value: object) -> Any:
    return FIELD_BY_KEY[key].type.read(value)


READ = [
    ("size_bytes", Size(2**20), 2**20),
    ("size_bytes", 4096, 4096),
    ("size_bytes", Call("PER_TOKEN", (Size(1024),)), PerToken(1024)),
    ("flops", Call("PER_SEQUENCE", (7,)), PerSequence(7)),
    ("retain_us", Time(30 * 10**12), 3e7),
    ("prefetch_horizon_us", 12, 12.0),
    ("reuse_window", Name("HIGH"), Level.HIGH),
    ("reuse_window", 3, 3.0),
    ("reuse_window", Time(10), Time(10)),
    ("reuse", Call("EVERY", (Name("ITERATION"),)), Applied("EVERY", ("ITERATION",))),
    ("preferred_tiers", (Name("HBM"),), (TierKind.HBM,)),
    ("layout", Name("CONTIGUOUS"), Applied("CONTIGUOUS")),
    ("layout", Call("PAGED", (4, Size(65536))), Applied("PAGED", (4, 65536))),
    ("dtype", Text("bfloat16"), "bfloat16"),
    (
        "anti_evict_rule",
        Name("WHILE_FANOUT_GT_1"),
        Condition(until=False, word="FANOUT_GT", bound=1),
    ),
    (
        "anti_evict_rule",
        Name("UNTIL_ALLREDUCE_COMPLETE"),
        Condition(until=True, word="ALLREDUCE_COMPLETE"),
    ),
    (
        "anti_evict_rule",
        Call("UNTIL_ALLREDUCE_COMPLETE", (Name("b"),)),
        Condition(until=True, word="ALLREDUCE_COMPLETE", args=("b",)),
    ),
    (
        "sharing_scope",
        Call("SEQUENCE_GROUP", (17, Name("g"))),
        Applied("SEQUENCE_GROUP", (17, "g")),
    ),
    (
        "reads",
        (Name("w"), Call("TOUCH", (Name("w"), 16)), Call("ROUTED", (Name("w"), 8))),
        (Access("w"), Access("w", touched=16), Access("w", top_k=8)),
    ),
    (
        "residency",
        (Call("HBM", (Name("a"), Name("b"))), Name("DRAM")),
        (Residency(TierKind.HBM, "a", "b"), Residency(TierKind.DRAM)),
    ),
    (
        "schedule",
        (Name("p"), Call("REPEAT", (2, Call("EVERY", (3, Name("p"))))), Call("LOOP", (Name("p"),))),
        ("p", Repeat((EveryNth(3, "p"),), 2), Repeat(("p",))),
    ),
    ("retire", Call("WINDOW", (4096,)), Applied("WINDOW", (4096,))),
    ("raises", (Call("DONE", (Name("b"),)), Name("X")), (Applied("DONE", ("b",)), Applied("X"))),
    ("directives", (Call("RANGE", (0, 8, 90, Time(10**12))),), (Retain(0, 8, 90, 1e6),)),
]


@pytest.mark.parametrize(("key", "written", "meant"), READ, ids=str)
def test_a_value_is_read_for_what_it_means(key: str, written: object, meant: object) -> None:
    assert _read(key, written) == meant


WRONG = [
    ("size_bytes", Time(1), Fault.UNIT),
    ("retain_us", Size(1), Fault.UNIT),
    ("size_bytes", True, Fault.TYPE),
    ("size_bytes", 1.5, Fault.TYPE),
    ("size_bytes", -1, Fault.RANGE),
    ("size_bytes", Call("PER_TOKN", (1,)), Fault.WORD),
    ("size_bytes", Call("PER_TOKEN", ()), Fault.TYPE),
    ("multicast_eligible", 1, Fault.TYPE),
    ("multicast_eligible", Name("yes"), Fault.WORD),
    ("class", Name("WEIGHT"), Fault.WORD),
    ("class", Text("WEIGHT_TILE"), Fault.TYPE),
    ("preferred_tiers", Name("HBM"), Fault.TYPE),
    ("preferred_tiers", (), Fault.RANGE),
    ("preferred_tiers", (Name("HBM"), Name("HBM")), Fault.RANGE),
    ("reuse", Name("OFTEN"), Fault.WORD),
    ("route_probability", 1.5, Fault.RANGE),
    ("retention_priority", 101, Fault.RANGE),
    ("anti_evict_rule", Name("WHILE_FANOUT_GT"), Fault.RANGE),
    ("anti_evict_rule", Name("WHEN_SHARED"), Fault.WORD),
    ("token_range", Call("RANGE", (8, 8)), Fault.RANGE),
    ("schedule", (Call("REPEAT", (0, Name("p"))),), Fault.RANGE),
    ("schedule", (Call("TWICE", (Name("p"),)),), Fault.WORD),
    ("residency", (Call("HBM", (Name("a"),)),), Fault.TYPE),
    ("reads", (Call("ROUTED", (Name("w"), 0)),), Fault.RANGE),
]


@pytest.mark.parametrize(("key", "written", "fault"), WRONG, ids=str)
def test_a_wrong_value_is_refused_for_its_reason(key: str, written: object, fault: Fault) -> None:
    with pytest.raises(Mismatch) as caught:
        _read(key, written)
    assert caught.value.fault is fault
    assert caught.value.message


def test_a_mismatch_knows_the_element_it_is_about() -> None:
    with pytest.raises(Mismatch) as caught:
        _read("reads", (Name("w"), Call("TOUCH", (Name("w"), Call("PER_TOKEN", (-1,))))))
    assert caught.value.path == (1, 1, 0)


def test_references_are_found_with_their_paths() -> None:
    kind = FIELD_BY_KEY["reads"].type
    found = list(kind.references((Name("w"), Call("ROUTED", (Text("x y"), 8)))))
    assert [(r.kind.value, r.name, r.path) for r in found] == [
        ("object", "w", (0,)),
        ("object", "x y", (1, 0)),
    ]


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(FIELDS), st.data())
def test_what_a_type_offers_it_reads(spec: FieldSpec, data: st.DataObject) -> None:
    value = data.draw(values_of(spec.type, WORLD))
    assert spec.type.matches(value)
    assert hash(spec.type.read(value)) is not None
    for found in spec.type.references(value):
        assert found.name in {*WORLD.data, *WORLD.steps, *WORLD.phases} | {
            *WORLD.coalitions,
            *WORLD.tenants,
            *WORLD.claims,
            found.name if found.kind == "machine" else "",
        }


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FIELDS), RAW_VALUES)
def test_any_value_is_read_or_refused_with_a_sentence(spec: FieldSpec, value: object) -> None:
    try:
        spec.type.read(value)
    except Mismatch as mismatch:
        assert mismatch.message  # noqa: PT017 - either outcome is right


def test_amounts_grow_with_the_batch() -> None:
    # 3 sequences, 12 new tokens in all
    assert evaluate(PerToken(10), sequences=3, tokens=12) == 120
    assert evaluate(PerSequence(10), sequences=3, tokens=12) == 30
    assert evaluate(10, sequences=3, tokens=12) == 10
