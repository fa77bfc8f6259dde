import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mirc.frontend import CaptureOptions
from mirc.frontend.program import capture_model
from mirc.frontend.usercode import UserModel
from tests.frontend import tiny


def counted(name: str, phase: str) -> int:
    entries = {one.phase: one for one in tiny.model(name).entries(CaptureOptions())}
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        entries[phase].module(*entries[phase].args, **entries[phase].kwargs)
    return counter.get_total_flops()


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("llama3-8b", "prefill"),
        ("llama3-8b", "decode_step"),
        ("gpt2", "prefill"),
        ("gpt2", "decode_step"),
        ("vit-base", "forward"),
        ("whisper-large", "prefill"),
    ],
)
def test_flops_equal_flop_counter_mode_where_that_counts(name: str, phase: str) -> None:
    graph = tiny.phase(tiny.program(name), phase)
    assert sum(node.flops for node in graph.nodes) == counted(name, phase) > 0


def test_grouped_matmuls_are_what_flop_counter_mode_leaves_out() -> None:
    graph = tiny.phase(tiny.program("mixtral-8x7b"), "decode_step")
    grouped = [node.flops for node in graph.nodes if "_grouped_mm" in node.op]
    # 2 rows (one token, two experts) through 4096 x 28672, then 14336 x 4096; two layers
    assert grouped == [2 * 2 * 4096 * 28672, 2 * 2 * 14336 * 4096] * 2
    total = sum(node.flops for node in graph.nodes)
    assert total - sum(grouped) == counted("mixtral-8x7b", "decode_step")


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(8, 16, batch_first=True)
        self.convolved = nn.Conv1d(16, 4, 3, groups=2)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        made, _ = self.recurrent(x)
        return self.convolved(made.transpose(1, 2)), torch.einsum("bij,bjk->bik", x, y)


def test_a_composite_without_a_formula_is_taken_apart() -> None:
    module, inputs = Mixed().eval(), (torch.randn(2, 5, 8), torch.randn(2, 8, 3))
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module(*inputs)
    model = UserModel(name="mixed", calls={"forward": (module, inputs, {})})
    (graph,) = capture_model(model, CaptureOptions(), lambda _: None).graphs
    by_op = {node.op.split(".")[1]: node.flops for node in graph.nodes}
    assert by_op["einsum"] == 2 * 2 * 5 * 8 * 3
    # 2 sequences, 3 positions (5 without 2), 4 channels out, 8 in (of 16: two groups), 3 wide
    assert by_op["conv1d"] == 2 * 2 * 3 * 4 * 8 * 3
    # 2 sequences of 5, 4 gates of 16 from 8 inputs and 16 states: fused on a CPU, so torch has 0
    assert by_op.pop("lstm") == 2 * 2 * 5 * 64 * (8 + 16)
    assert sum(by_op.values()) == counter.get_total_flops()


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_experts_of_any_dtype_count_the_same_and_are_routed(dtype: str) -> None:
    settings = {
        "architectures": ["MixtralForCausalLM"],
        "model_type": "mixtral",
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_hidden_layers": 1,
        "num_local_experts": 4,
        "num_experts_per_tok": 2,
        "vocab_size": 64,
        "dtype": dtype,
    }
    graph = tiny.phase(tiny.from_settings(settings, "prefill:seq=8"), "prefill")
    grouped = [node for node in graph.nodes if "grouped_mm" in node.op]
    # 16 rows (eight tokens, two experts) through 32 x 96, then 48 x 32
    assert [node.flops for node in grouped] == [2 * 16 * 32 * 96, 2 * 16 * 48 * 32]
    assert all(any(use.top_k == 2 for use in node.reads) for node in grouped)
