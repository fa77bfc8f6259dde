import pytest

from mirc.frontend import huggingface
from mirc.graph import Access, Role, Split
from mirc.graph.verify import verify
from tests.frontend import tiny

# attention + feed-forward + norms per layer, then embeddings, final norm and head
LLAMA_8B = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336 + 2 * 4096)
LLAMA_70B = 80 * (2 * 8192 * 8192 + 2 * 8192 * 1024 + 3 * 8192 * 28672 + 2 * 8192)
LLAMA_405B = 126 * (2 * 16384 * 16384 + 2 * 16384 * 1024 + 3 * 16384 * 53248 + 2 * 16384)
# 8 experts of three matrices, a router of 8 rows
MIXTRAL_MOE = 8 * 3 * 4096 * 14336 + 8 * 4096
MIXTRAL = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + MIXTRAL_MOE + 2 * 4096)
# 128 experts of width 768, norms of 128 on queries and keys, 32 heads of 128
QWEN_MOE = 128 * 3 * 2048 * 768 + 128 * 2048
QWEN = 48 * (2 * 2048 * 4096 + 2 * 2048 * 512 + 2 * 128 + QWEN_MOE + 2 * 2048)
# weights and biases: attention 4 (d + 1) d, feed-forward 8 d d + 5 d, two norms of 2 d
D = 768
BLOCK = 4 * (D + 1) * D + 8 * D * D + 5 * D + 4 * D
MISTRAL = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336 + 2 * 4096)
# 16 heads of 256, 8 of keys and values, four norms
GEMMA_9B = 42 * (2 * 3584 * 4096 + 2 * 3584 * 2048 + 3 * 3584 * 14336 + 4 * 3584)
# inputs doubled, a convolution of 4, step sizes of rank 160, 16 states a channel
MAMBA_IN = 2560 * 2 * 5120 + (4 + 1) * 5120 + 5120 * (160 + 2 * 16)
MAMBA = 64 * (MAMBA_IN + (160 + 1) * 5120 + (16 + 1) * 5120 + 5120 * 2560 + 2560)
# no biases; a table of 32 relative positions for each of 12 heads, in each half
T5_HALVES = 12 * (4 * D * D + 8 * D * D + 2 * D) + 12 * (8 * D * D + 8 * D * D + 3 * D)

COUNTS = {
    "gpt2": 12 * BLOCK + 50257 * D + 1024 * D + 2 * D,  # the head is tied to the embedding
    "bert-base": 12 * BLOCK + (30522 + 512 + 2) * D + 2 * D + (D + 1) * D,  # with the pooler
    "vit-base": 12 * BLOCK + (16 * 16 * 3 + 1) * D + 198 * D + 2 * D + (D + 1) * 1000,
    "llama3-8b": LLAMA_8B + 2 * 128256 * 4096 + 4096,
    "llama3-70b": LLAMA_70B + 2 * 128256 * 8192 + 8192,
    "llama3.1-405b": LLAMA_405B + 2 * 128256 * 16384 + 16384,
    "mixtral-8x7b": MIXTRAL + 2 * 32000 * 4096 + 4096,
    "qwen3-moe-30b-a3b": QWEN + 2 * 151936 * 2048 + 2048,
    "deepseek-v3": 671_026_404_352,
    "whisper-large": 1_543_304_960,
    "mistral-7b": MISTRAL + 2 * 32000 * 4096 + 4096,
    "gemma2-9b": GEMMA_9B + 256_000 * 3584 + 3584,
    "mamba-2.8b": MAMBA + 50280 * 2560 + 2560,
    "t5-base": T5_HALVES + 32128 * D + 2 * 32 * 12 + 2 * D,
    "convnext-base": 88_591_464,
    "resnet-50": 25_557_032,
}
PUBLISHED = {
    "gpt2": 124_439_808,
    "bert-base": 109_482_240,
    "vit-base": 86_567_656,
    "llama3-8b": 8_030_261_248,
    "llama3-70b": 70_553_706_496,
    "llama3.1-405b": 405_853_388_800,
    "mixtral-8x7b": 46_702_792_704,
    "qwen3-moe-30b-a3b": 30_532_122_624,
    "mistral-7b": 7_241_732_096,
    "gemma2-9b": 9_241_705_984,
    "mamba-2.8b": 2_768_345_600,
    "t5-base": 222_903_552,
}
FLOAT32 = {"gpt2", "bert-base", "vit-base", "whisper-large", "t5-base", "mamba-2.8b"}
CONVOLUTIONAL = {"convnext-base", "resnet-50"}
ARCHITECTURES = sorted(set(COUNTS) - {"llama3-70b", "llama3.1-405b"})  # three sizes of one


def test_every_bundled_configuration_is_counted_here() -> None:
    assert set(huggingface.preset_names()) == set(COUNTS)


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_a_preset_has_its_published_parameters_at_its_own_dtype(name: str) -> None:
    built = huggingface.preset(name).model
    assert sum(one.numel() for one in built.parameters()) == COUNTS[name]
    assert COUNTS[name] == PUBLISHED.get(name, COUNTS[name])
    published = "torch.float32" if name in FLOAT32 | CONVOLUTIONAL else "torch.bfloat16"
    assert {str(one.dtype) for one in built.parameters()} == {published}
    assert all(one.is_meta for one in built.parameters())


def test_deepseek_v3_has_29_696_expert_slices() -> None:
    # 61 layers, the first 3 dense: 58 with 256 experts of two stacked matrices
    stacks = [one for one in huggingface.preset("deepseek-v3").model.parameters() if one.dim() == 3]
    assert sum(one.shape[0] for one in stacks) == 58 * 256 * 2 == 29_696


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_graph_of_every_architecture_is_well_formed(name: str) -> None:
    program = tiny.program(name)
    assert verify(program) == ()
    assert {found.level for found in program.captures} == {"export"}
    for found, graph in zip(program.captures, program.graphs, strict=True):
        assert found.fx_nodes > len(graph.nodes)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weight_bytes_sum_to_the_parameters_bytes_with_ties_once(name: str) -> None:
    program = tiny.program(name)
    weights = [one for one in program.storages if one.role is Role.PARAMETER]
    assert sum(one.size_bytes for one in weights) == tiny.parameter_bytes(tiny.model(name).model)
    assert all(
        sum(part.size_bytes for part in one.parts) == one.size_bytes for one in weights if one.parts
    )


@pytest.mark.parametrize("name", ["mixtral-8x7b", "qwen3-moe-30b-a3b", "deepseek-v3"])
def test_stacked_experts_are_one_part_each_and_read_by_routing(name: str) -> None:
    program = tiny.program(name)
    stacks = {one.index: one for one in program.storages if one.split is Split.EXPERTS}
    config = tiny.model(name).model.config
    experts = getattr(config, "num_local_experts", None) or config.n_routed_experts
    assert {len(one.parts) for one in stacks.values()} == {experts}
    assert all(one.parts[-1].suffix == f"[{experts - 1}]" for one in stacks.values())
    decode = tiny.phase(program, "decode_step")
    reads = [use for node in decode.nodes for use in node.reads if use.storage in stacks]
    assert len(reads) == len(stacks)  # gate_up_proj and down_proj, once each
    for use in reads:
        # one token: exactly top_k slices move
        part = stacks[use.storage].parts[0].size_bytes
        assert (use.access, use.top_k) == (Access.ROUTED, config.num_experts_per_tok)
        assert use.size_bytes == config.num_experts_per_tok * part


def test_gate_up_and_down_of_one_expert_layer_stand_in_one_step() -> None:
    # a step's routed reads share one draw, so both matrices of an expert must be in it
    decode = tiny.phase(tiny.program("mixtral-8x7b"), "decode_step")
    routed = [
        [
            use
            for node in decode.nodes[step.first : step.last + 1]
            for use in node.reads
            if use.top_k
        ]
        for step in decode.steps
    ]
    assert sorted(map(len, routed))[-2:] == [2, 2]
    assert sum(map(len, routed)) == 4


def test_llama_decode_has_ten_steps_a_layer() -> None:
    decode = tiny.phase(tiny.program("llama3-8b"), "decode_step")
    own = [step.name for step in decode.steps if step.name.startswith("model.layers.1.")]
    assert [name.removeprefix("model.layers.1.") for name in own] == [
        "input_layernorm",
        "self_attn.q_proj",
        "self_attn.k_proj",
        "self_attn.v_proj",
        "self_attn",
        "self_attn.o_proj",
        "post_attention_layernorm",
        "mlp.gate_proj",
        "mlp.up_proj",
        "mlp.down_proj",
    ]
