"""``mirc compile --routing`` on a real mixture of experts, run here to record its router."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from transformers import MixtralConfig, MixtralForCausalLM

from mirc.cli.main import cli
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir.resolve import View
from tests.routing_traces import Choices

EXPERTS, TOP_K, LAYERS, TOKENS = 4, 2, 2, 96
SETTINGS: dict[str, Any] = {
    "architectures": ["MixtralForCausalLM"],
    "model_type": "mixtral",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": LAYERS,
    "num_local_experts": EXPERTS,
    "num_experts_per_tok": TOP_K,
    "vocab_size": 64,
    "dtype": "bfloat16",
}


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["compile", *args])


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Choices:
    """Record a model's router logits as its users would, and return what it chose."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(SETTINGS))
    torch.manual_seed(0)
    model = MixtralForCausalLM(MixtralConfig(**SETTINGS))  # no dropout
    with torch.no_grad():
        tokens = torch.randint(64, (3, TOKENS // 3))
        logits = model(tokens, output_router_logits=True).router_logits
    np.savez("logits.npz", *(layer.numpy() for layer in logits))
    best = [layer.topk(TOP_K).indices.numpy() for layer in logits]
    return np.stack(best, axis=1)


def test_the_router_of_a_real_model_gives_each_expert_its_own_chance(chosen: Choices) -> None:
    options = ("--phases", "prefill:seq=4,decode_step:past=4", "--explain-passes")
    result = run("hf:config.json", "-o", "a.mir", "--routing", "logits.npz", *options)
    assert result.exit_code == 0, result.output
    assert f"observed: {TOKENS} tokens in {LAYERS} routers" in result.stdout
    families = 2 * LAYERS  # two matrices an expert
    sentence = f"{TOKENS} tokens observed in {LAYERS} layers, for {families} families of experts"
    assert f"routing: {sentence}" in result.stdout
    checked = CliRunner().invoke(cli, ["check", "a.mir"])
    assert (checked.exit_code, checked.output) == (0, "nothing found in 1 file\n")
    module = load(Source("a.mir", Path("a.mir").read_text("utf-8")))
    view = View(module, phase="decode_step")
    for layer in range(LAYERS):
        counts = np.bincount(chosen[:, layer].ravel(), minlength=EXPERTS)
        said = [
            view.get(f"model.layers.{layer}.mlp.experts.down_proj[{expert}]", "route_probability")
            for expert in range(EXPERTS)
        ]
        # between what was counted and the prior of one half, and nearer to the count
        assert np.corrcoef([each.value for each in said], counts)[0, 1] > 0.99
        assert sum(each.value for each in said) == pytest.approx(TOP_K, rel=0.01)
        assert all(each.confidence is not None and each.confidence > 0.5 for each in said)


@pytest.mark.usefixtures("chosen")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("hello", "line 1 of `bad` is not JSON"),
        ('{"routed_experts": [[[0, 1]]]}', "the model has 2 routers"),
        ('{"routed_experts": [[[0, 9], [1, 2]]]}', "`bad` is of another model"),
    ],
)
def test_a_trace_that_cannot_be_used_is_one_sentence(content: str, sentence: str) -> None:
    Path("bad").write_text(content)
    result = run("hf:config.json", "-o", "a.mir", "--routing", "bad", "--phases", "prefill:seq=4")
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert not Path("a.mir").exists()


@pytest.mark.usefixtures("chosen")
def test_the_output_never_takes_the_place_of_the_trace() -> None:
    before = Path("logits.npz").read_bytes()
    result = run("hf:config.json", "-o", "logits.npz", "--routing", "logits.npz")
    assert result.exit_code == 2
    assert Path("logits.npz").read_bytes() == before
