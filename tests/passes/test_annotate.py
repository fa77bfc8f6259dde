from mirc.graph import Part, Program, Role, Split
from mirc.ir import Call, Field, Name
from mirc.ir.enums import ObjectClass
from mirc.passes.annotate import Annotated
from mirc.passes.pipeline import run
from tests.passes.programs import Builder, routed, rows


def annotated(program: Program) -> Annotated:
    return run(program, only=("annotate",))[Annotated]


def toy() -> Program:
    """Prefill and decode over two blocks, with experts, a cache and an encoder of its own."""
    build = Builder()
    tiles = [Part(f"[{i}:{i + 1}]", 8) for i in range(4)]
    embed = build.store("embed", 32, parts=tiles, split=Split.ROWS)
    parts = [Part(f"[{i}]", 6) for i in range(4)]
    experts = build.store("l.0.experts", 24, parts=parts, split=Split.EXPERTS)
    weight = build.store("l.1.w", 16)
    vision = build.store("vision.w", 16)
    cache = build.store("kv.layers.0", 40, Role.CACHE, per_token=4)
    for phase, tokens, past in (("prefill", 4, 0), ("decode_step", 1, 4)):
        long, short = (build.store(f"{phase}.{n}", 64, Role.ACTIVATION) for n in ("long", "short"))
        out = build.store(f"{phase}.out", 4, Role.OUTPUT)
        seen = [vision] if not past else []
        build.node("l.0.attn", [rows(embed, 1), *seen, *([cache] if past else [])], [long, cache])
        build.node("l.0.moe", [routed(experts, 6, 1)], [short])
        build.node("l.0.add", [short])
        build.node("l.1.mlp", [weight, long], [out], flops=10)
        build.phase(phase, tokens=tokens, past=past, outputs=[out])
    return build.program()


def test_classes_follow_from_roles_and_lives() -> None:
    program = toy()
    names = {program.storages[i].name: each.klass for i, each in annotated(program).intents.items()}
    assert names == {
        "embed": ObjectClass.WEIGHT_TILE,
        "l.0.experts": ObjectClass.EXPERT_WEIGHT,
        "l.1.w": ObjectClass.WEIGHT_TILE,
        "vision.w": ObjectClass.WEIGHT_TILE,
        "kv.layers.0": ObjectClass.KV_BLOCK,
        "prefill.long": ObjectClass.ACTIVATION,  # made in block 0, last read in block 1
        "prefill.short": ObjectClass.ACTIVATION_TEMP,
        "prefill.out": ObjectClass.ACTIVATION,
        "decode_step.long": ObjectClass.ACTIVATION,
        "decode_step.short": ObjectClass.ACTIVATION_TEMP,
        "decode_step.out": ObjectClass.ACTIVATION,
    }


def test_a_phase_overrides_what_it_changes_and_nothing_else() -> None:
    program = toy()
    found = annotated(program).overrides
    index = {storage.name: storage.index for storage in program.storages}
    # decode is the base: it runs most. There, 1 token of 4 experts: 1/4; in prefill 1 - (3/4)^4.
    # Its rows come from one of 4 tiles of the embedding as its experts from one of 4.
    assert found["prefill"] == {
        index["embed"]: (Field("reuse", 0.6836, 0.5),),
        index["l.0.experts"]: (
            Field("route_probability", 0.6836, 0.5),
            Field("reuse", 0.6836, 0.5),
        ),
        index["kv.layers.0"]: (Field("deadline_class", Name("SOFT")),),
    }
    assert found["decode_step"] == {
        index["vision.w"]: (
            Field("spill_policy", Name("ALLOW")),
            Field("deadline_class", Name("NONE")),
        )
    }


def test_a_cache_that_does_not_grow_is_written_once_a_sequence() -> None:
    build = Builder()
    cross = build.store("kv.cross.layers.0", 40, Role.CACHE)
    build.node("encoder", [], [cross])
    build.phase("prefill", tokens=4)
    fields = annotated(build.program()).intents[cross].fields
    assert Field("mutability", Name("WRITE_ONCE")) in fields
    assert Field("instance", (Name("SEQUENCE"),)) in fields
    assert not any(field.key == "block_tokens" for field in fields)


def test_estimates_carry_a_confidence_and_contracts_none() -> None:
    program = toy()
    intents = annotated(program).intents
    fields = {
        program.storages[i].name: {f.key: f for f in each.fields} for i, each in intents.items()
    }
    static = Field("reuse", Call("EVERY", (Name("ITERATION"),)), 1.0)
    assert fields["l.1.w"]["reuse"] == static
    assert fields["l.1.w"]["reuse_window"] == Field("reuse_window", 4.0, 1.0)  # four steps a run
    assert fields["l.0.experts"]["reuse"] == Field("reuse", 0.25, 0.5)
    assert fields["l.0.experts"]["route_probability"] == Field("route_probability", 0.25, 0.5)
    assert fields["embed"]["reuse"] == Field("reuse", 0.25, 0.5)  # one row in one of four tiles
    for each in fields.values():
        for key in ("class", "mutability", "backing", "deadline_class", "anti_evict_rule"):
            assert key not in each or each[key].confidence is None
    assert fields["prefill.long"]["created"] == Field("created", Name("l.0.attn"), 1.0)
    assert fields["prefill.long"]["latest_use"] == Field("latest_use", Name("l.1.mlp"), 1.0)
