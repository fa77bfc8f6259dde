"""The sample models, few blocks of each: user code of many kinds, from file to checked text."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from torch import Tensor, nn, ones

from mirc.diagnostics import CouldNotRun, Source
from mirc.emit import emit
from mirc.frontend import CaptureOptions, capture
from mirc.grammar import print_module
from mirc.graph import Level, Program, Role
from mirc.graph.verify import verify
from mirc.lint.check import check_source
from mirc.passes.phase_annotator import Phases
from mirc.passes.pipeline import run
from mirc.passes.seeds import Options
from mirc.passes.working import cache_bytes
from tests.frontend import tiny

HELD = (Role.CACHE, Role.STATE)
SAMPLES = Path(__file__).parents[2] / "samples" / "models"
FEWER = {
    "dit_xl_2": ("num_layers=28", "num_layers=2"),
    "sd_unet": ("(320, 640, 1280, 1280)", "(32, 32, 64, 64)"),
    "llama_lora": ("num_hidden_layers=32", "num_hidden_layers=2"),
    "vit_large": ("depth=24", "depth=2"),
    "train_loop": ("8, 8, 256", "2, 8, 256"),
}


@cache
def sample(name: str) -> Program:
    text = (SAMPLES / f"{name}.py").read_text()
    assert FEWER[name][0] in text
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.py"
        path.write_text(text.replace(*FEWER[name]))
        return capture(str(path), CaptureOptions(), lambda _: None)


def test_every_sample_model_is_tried_here() -> None:
    assert {path.stem for path in SAMPLES.glob("*.py")} == set(FEWER)


@pytest.mark.mechanism("S1-16")
@pytest.mark.parametrize("name", sorted(FEWER))
@pytest.mark.filterwarnings("ignore")  # diffusers and peft warn on import
def test_a_sample_model_is_captured_and_its_text_has_no_findings(name: str) -> None:
    program = sample(name)
    assert verify(program) == ()
    if name != "train_loop":  # torch.export records no backward
        assert {found.level for found in program.captures} == {Level.EXPORT}
    text = print_module(emit(program, run(program)))
    assert [found.message for found in check_source(Source("x.mir", text), ()).diagnostics] == []


@pytest.mark.filterwarnings("ignore")
def test_adapters_are_objects_of_their_own_beside_the_weights_that_they_adapt() -> None:
    program = sample("llama_lora")
    place = "base_model.model.model.layers.1.self_attn.q_proj"
    # rank 16 down from 4096 and up to 4096, in float32
    assert tiny.storage(program, f"{place}.lora_A.default.weight").size_bytes == 16 * 4096 * 4
    assert tiny.storage(program, f"{place}.lora_B.default.weight").size_bytes == 4096 * 16 * 4
    base = tiny.storage(program, f"{place}.base_layer.weight")
    assert base.size_bytes == 4096 * 4096 * 2
    weights = [one for one in program.storages if one.role is Role.PARAMETER]
    assert sum("lora_" in one.name for one in weights) == 2 * 2 * 2  # layers, places, matrices


def test_a_state_space_model_has_recurrent_states_and_no_cache() -> None:
    program = tiny.program("mamba-2.8b")
    states = {one.name: one for one in program.storages if one.role is Role.STATE}
    # per layer: the last 4 inputs of the convolution and 16 states, for 5120 channels
    assert {name: one.size_bytes for name, one in states.items()} == {
        f"state.layers.{layer}.{kind}": 5120 * size * 4
        for layer in range(2)
        for kind, size in (("conv", 4), ("recurrent", 16))
    }
    assert not [one for one in program.storages if one.role is Role.CACHE]
    for graph in program.graphs:
        written = {use.storage for node in graph.nodes for use in node.writes}
        read = {use.storage for node in graph.nodes for use in node.reads}
        ids = {one.index for one in states.values()}
        assert ids <= written
        assert (ids <= read) is (graph.phase == "decode_step")
    text = print_module(emit(program, run(program)))
    (block,) = [part for part in text.split("\n\n") if "state.layers.1.recurrent {" in part][:1]
    assert "class      = RECURRENT_STATE" in block
    assert "instance   = [SEQUENCE]" in block
    assert "kind    = PREFILL" in text


def test_a_sliding_layer_forgets_and_its_neighbour_does_not() -> None:
    # Gemma 2 slides in every other layer
    program = tiny.program("gemma2-9b")
    caches = [one for one in program.storages if one.role is Role.CACHE]
    assert [one.window_tokens for one in caches] == [4096, 0]
    assert {one.per_token_bytes for one in caches} == {2 * 8 * 256 * 2}
    text = print_module(emit(program, run(program)))
    sliding, full = (part for part in text.split("\n\n") if part.startswith("template kv.layers."))
    assert "= WINDOW(4_096)" in sliding
    assert "retire" not in full


@pytest.mark.parametrize("past", [40, 16, 15])
def test_a_cache_behind_its_window_still_grows_by_one_token_at_a_time(past: int) -> None:
    settings = {
        "model_type": "mistral",
        "architectures": ["MistralForCausalLM"],
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "vocab_size": 100,
        "sliding_window": 16,
        "dtype": "float32",
    }
    program = tiny.from_settings(settings, f"prefill:seq={past},decode_step:past={past}")
    assert verify(program) == ()
    kept = tiny.storage(program, "kv.layers.0")
    assert kept.per_token_bytes == 2 * 32 * 4
    decode = tiny.phase(program, "decode_step")
    moved = [use for node in decode.nodes for use in node.reads if use.storage == kept.index]
    assert sum(use.size_bytes for use in moved) == min(past + 1, 16) * 2 * 32 * 4
    # 16 tokens lie across 5 blocks of 4, unless the first of them begins a block
    phases = run(program)[Phases].phases
    options = Options(block_tokens=4, decode_runs=128)
    assert cache_bytes(program, phases[1], options) == 5 * 4 * kept.per_token_bytes
    assert cache_bytes(program, phases[0], options) == -(-past // 4) * 4 * kept.per_token_bytes


def test_an_encoder_decoder_reads_its_encoder_through_a_cache_that_does_not_grow() -> None:
    program = tiny.program("t5-base")
    cross = tiny.storage(program, "kv.cross.layers.1")
    own = tiny.storage(program, "kv.decoder.layers.1")
    assert (cross.per_token_bytes, own.per_token_bytes) == (0, 2 * 12 * 64 * 4)
    assert cross.size_bytes == 2 * 128 * 12 * 64 * 4  # keys and values of the 128 tokens read
    decode = tiny.phase(program, "decode_step")
    assert not [node for node in decode.nodes if node.module.startswith("encoder")]


def test_what_nobody_looks_at_is_not_run() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            self.inner(x * 2)
            given: Tensor = self.inner(x)
            return given

    program = tiny.of_module(Net(), ones(2, 4))
    assert [node.op for node in program.graphs[0].nodes] == ["aten.linear.default"]


SHAPES: dict[str, dict[str, Any]] = {
    "bart": {
        "architectures": ["BartForConditionalGeneration"],
        "d_model": 32,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "vocab_size": 99,
    },
    "clip": {
        "architectures": ["CLIPModel"],
        "text_config": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2},
        "vision_config": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2},
    },
    "segformer": {
        "architectures": ["SegformerForSemanticSegmentation"],
        "depths": [1, 1, 1, 1],
    },
    "jamba": {
        "architectures": ["JambaForCausalLM"],
        "dtype": "bfloat16",
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 3,  # the second attends, the others are recurrent
        "attn_layer_offset": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "num_experts": 4,
        "vocab_size": 99,
        "mamba_dt_rank": 4,
    },
}


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_a_configuration_of_another_kind_is_captured_by_export(kind: str) -> None:
    program = tiny.from_settings({"model_type": kind, **SHAPES[kind]}, None)
    assert verify(program) == ()
    assert {found.level for found in program.captures} == {Level.EXPORT}
    held = {one.name.rpartition(".layers.")[0] for one in program.storages if one.role in HELD}
    assert held == {
        "bart": {"kv.decoder", "kv.cross"},
        "jamba": {"kv", "state"},
    }.get(kind, set())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {
                "model_type": "rwkv",
                "architectures": ["RwkvForCausalLM"],
                "hidden_size": 32,
                "num_hidden_layers": 1,
            },
            "`tiny` keeps its past in a form that is not known",
        ),
        (
            {
                "model_type": "deepseek_v2",
                "architectures": ["DeepseekV2ForCausalLM"],
                "num_hidden_layers": 2,
            },
            "transformers cannot run `tiny`: TypeError: ",  # it says nothing of its experts
        ),
    ],
)
def test_a_configuration_that_cannot_run_is_one_sentence(
    settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(CouldNotRun) as caught:
        tiny.from_settings(settings, None)
    assert caught.value.message.startswith(said)
    assert "mirc_entries" in (caught.value.hint or "")
