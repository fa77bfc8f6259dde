from mirc.graph import Part, Split
from mirc.passes.coalition import Coalitions, Group, GroupKind, block_of
from mirc.passes.pipeline import run
from tests.passes.programs import Builder


def test_the_groups_are_the_blocks_and_each_layer_s_experts() -> None:
    build = Builder()
    parts = [Part(f"[{i}]", 5) for i in range(2)]
    names = ("attn.q.weight", "attn.k.weight", "mlp.experts.up", "mlp.experts.down")
    planted: dict[int, dict[str, int]] = {}
    for layer in range(3):
        planted[layer] = {}
        for name in names:
            expert = "experts" in name
            planted[layer][name] = build.store(
                f"model.layers.{layer}.{name}",
                10,
                parts=parts if expert else (),
                split=Split.EXPERTS if expert else Split.NONE,
            )
    head = build.store("lm_head.weight", 10)
    unused = build.store("model.layers.0.unused", 10)
    build.node("all", [*(i for layer in planted.values() for i in layer.values()), head])
    build.phase("p")
    groups = run(build.program(), only=("coalition",))[Coalitions].groups
    q, k, up, down = names
    assert groups == tuple(
        Group(f"{kind.value}.model.layers.{i}{path}", kind, tuple(layer[n] for n in members), 20)
        for i, layer in planted.items()
        for kind, path, members in (
            (GroupKind.BLOCK, "", (q, k)),
            (GroupKind.EXPERTS, ".mlp.experts", (up, down)),
        )
    )
    assert not any({head, unused} & set(group.members) for group in groups)


def test_a_block_is_the_path_up_to_its_first_number() -> None:
    assert block_of("model.layers.17.mlp.experts.3") == "model.layers.17"
    assert block_of("lm_head") == ""
