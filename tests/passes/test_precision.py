"""Ladders, floors and sensitivities follow from a weight's place, or from what was declared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.graph import Part, Program, Role, Split
from mirc.ir import Field, Name
from mirc.ir.enums import DType, bits_of
from mirc.passes.annotate import Annotated
from mirc.passes.pipeline import run
from mirc.passes.seeds import Options
from tests.passes.programs import Builder, routed, rows

BF16, FP8, INT4 = Name("bfloat16"), Name("float8_e4m3fn"), Name("int4")


def block() -> tuple[Program, dict[str, int]]:
    """An embedding, a norm, a matrix, a router over four experts, and a head."""
    build = Builder()
    tiles = [Part(f"[{i}:{i + 1}]", 8) for i in range(4)]
    experts = [Part(f"[{i}]", 6) for i in range(4)]
    made = {
        "embed": build.store("embed", 32, parts=tiles, split=Split.ROWS, shape=(4, 4)),
        "norm": build.store("l.0.norm.weight", 8, shape=(4,)),
        "matrix": build.store("l.0.attn.weight", 32, shape=(8, 2)),
        "router": build.store("l.0.gate.weight", 32, shape=(4, 4)),
        "experts": build.store(
            "l.0.experts", 24, parts=experts, split=Split.EXPERTS, shape=(4, 1, 3)
        ),
        "head": build.store("head.weight", 32, shape=(4, 4)),
        "cache": build.store("kv.0", 64, Role.CACHE, per_token=8, shape=(1, 1, 8, 2)),
    }
    out = build.store("decode_step.out", 4, Role.OUTPUT)
    seen = build.store("decode_step.seen", 4, Role.ACTIVATION)
    build.node("embed", [rows(made["embed"], 1)], [seen])
    build.node("l.0.norm", [made["norm"], made["matrix"], made["cache"]], [made["cache"]])
    build.node("l.0.gate", [made["router"]], [seen], op="aten.topk.default")
    build.node("l.0.experts", [routed(made["experts"], 6, 1)], [seen])
    build.node("head", [made["head"], seen], [out])
    build.phase("decode_step", past=8, outputs=[out])
    return build.program(), made


def fields_of(name: str, **options: object) -> dict[str, Field]:
    program, made = block()
    facts = run(program, options=Options(**options), only=("annotate",))  # type: ignore[arg-type]
    return {field.key: field for field in facts[Annotated].intents[made[name]].fields}


@pytest.mark.parametrize(
    ("name", "ladder", "floor", "sensitivity"),
    [
        ("norm", None, BF16, "HIGH"),
        ("router", None, BF16, "HIGH"),
        ("embed", (BF16, FP8), FP8, "MEDIUM"),
        ("head", (BF16, FP8), FP8, "MEDIUM"),
        ("cache", (BF16, FP8), FP8, "MEDIUM"),
        ("matrix", (BF16, FP8, INT4), INT4, "LOW"),
        ("experts", (BF16, FP8, INT4), INT4, "LOW"),
    ],
)
def test_a_floor_follows_from_a_weight_s_place(
    name: str, ladder: tuple[Name, ...] | None, floor: Name, sensitivity: str
) -> None:
    fields = fields_of(name)
    assert (fields["precision_ladder"].value if ladder else None) == ladder
    assert ("precision_ladder" in fields) is (ladder is not None)
    assert fields["precision_floor"].value == floor
    assert fields["sensitivity"] == Field("sensitivity", Name(sensitivity), 0.5)


def test_a_declared_floor_stands_and_nothing_is_guessed_beside_it() -> None:
    fields = fields_of("matrix", floors=(("l.?.attn.*", DType.FLOAT8_E4M3FN),))
    assert fields["precision_ladder"].value == (BF16, FP8)
    assert fields["precision_floor"].value == FP8
    assert "sensitivity" not in fields


def test_a_declared_floor_wider_than_the_weight_is_the_weight_s_own_type() -> None:
    fields = fields_of("experts", floors=(("*", DType.FLOAT32),))
    assert fields["precision_floor"].value == BF16
    assert "precision_ladder" not in fields


@given(floor=st.sampled_from(list(DType)))
def test_no_rung_lies_below_the_floor(floor: DType) -> None:
    for name in ("norm", "matrix", "experts", "cache", "head"):
        fields = fields_of(name, floors=(("*", floor),))
        found = fields["precision_floor"].value
        assert isinstance(found, Name)
        rungs = fields["precision_ladder"].value if "precision_ladder" in fields else ()
        assert isinstance(rungs, tuple)
        widths = [bits_of(DType(rung.text)) for rung in rungs if isinstance(rung, Name)]
        assert all(width >= bits_of(DType(found.text)) for width in widths)
        assert widths == sorted(widths, reverse=True)


def test_keys_and_values_are_two_pieces_of_a_block() -> None:
    # 8 bytes a token, 16 tokens a block: two pieces of 64 bytes.
    layout = fields_of("cache")["layout"].value
    assert (layout.name, layout.args) == ("PAGED", (2, 64))  # type: ignore[union-attr]


def test_the_first_positions_are_expected_to_be_sinks() -> None:
    assert fields_of("cache")["sink_tokens"] == Field("sink_tokens", (0, 1, 2, 3), 0.5)
    program, _ = block()
    lines = list(run(program, only=("annotate",))[Annotated].sentences())
    assert "promoting one sink token moves 8 bytes over all layers, the 4 expected ones 32" in lines
