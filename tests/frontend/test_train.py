"""A training step becomes forward, backward, update and checkpoint over shared storages."""

from functools import cache
from typing import Any

import pytest
import torch
import transformers

from mirc.diagnostics import CouldNotRun
from mirc.frontend import CaptureOptions, huggingface
from mirc.frontend.program import capture_model
from mirc.graph import Access, Graph, Program, Role, Storage
from mirc.graph.verify import verify
from tests.frontend import tiny

TINY: dict[str, dict[str, Any]] = {
    "llama": {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": 64,
        "intermediate_size": 160,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_hidden_layers": 2,
        "vocab_size": 512,
        "dtype": "bfloat16",
    },
    "gpt2": {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "n_embd": 64,
        "n_head": 4,
        "n_layer": 2,
        "n_positions": 64,
        "vocab_size": 512,
        "dtype": "float32",
    },
    "mixtral": {
        "model_type": "mixtral",
        "architectures": ["MixtralForCausalLM"],
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_hidden_layers": 2,
        "num_local_experts": 4,
        "num_experts_per_tok": 2,
        "vocab_size": 512,
        "dtype": "bfloat16",
    },
    "resnet": {
        "model_type": "resnet",
        "architectures": ["ResNetForImageClassification"],
        "embedding_size": 16,
        "hidden_sizes": [16, 32],
        "depths": [1, 1],
        "layer_type": "basic",
        "image_size": 32,
        "dtype": "float32",
    },
}


@cache
def trained(name: str, tokens: int = 16) -> Program:
    model = huggingface.from_settings(name, TINY[name])
    sizes = "batch=2" if name == "resnet" else f"seq={tokens}:batch=2"
    return capture_model(model, CaptureOptions(phases=f"train:{sizes}"), lambda _: None)


def running(name: str) -> Any:
    """Build the same model with weights."""
    settings = {key: value for key, value in TINY[name].items() if key != "model_type"}
    config = transformers.AutoConfig.for_model(TINY[name]["model_type"], **settings)
    kind: Any = getattr(transformers, TINY[name]["architectures"][0])
    return kind(config).to(config.dtype)


def of_role(program: Program, role: Role) -> list[Storage]:
    return [one for one in program.storages if one.role is role]


def read_in(graph: Graph) -> set[int]:
    return {use.storage for node in graph.nodes for use in node.reads}


def written_in(graph: Graph) -> set[int]:
    return {use.storage for node in graph.nodes for use in node.writes}


@pytest.mark.parametrize("name", sorted(TINY))
def test_a_training_step_is_four_phases_of_a_well_formed_program(name: str) -> None:
    program = trained(name)
    phases = [graph.phase for graph in program.graphs]
    assert phases == ["forward", "backward", "optimizer_update", "checkpoint"]
    assert [capture.phase for capture in program.captures] == phases
    assert verify(program) == ()


@pytest.mark.parametrize("name", sorted(TINY))
def test_what_is_saved_is_what_autograd_saves_when_the_model_really_runs(name: str) -> None:
    program = trained(name)
    real = running(name).train()
    if name == "resnet":
        given: dict[str, Any] = {"pixel_values": torch.randn(2, 3, 32, 32)}
        given["labels"] = torch.zeros(2, dtype=torch.long)
    else:
        given = dict.fromkeys(("input_ids", "labels"), torch.zeros(2, 16, dtype=torch.long))
    own = [*real.parameters(), *real.buffers(), *given.values()]
    known = {one.untyped_storage().data_ptr() for one in own}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(saved: torch.Tensor) -> torch.Tensor:
        storage = saved.untyped_storage()
        if storage.data_ptr() not in known:
            kept[storage.data_ptr()] = storage  # held, so that no address is used twice
        return saved

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda saved: saved):
        real(**given)
    saved = sum(one.size_bytes for one in of_role(program, Role.SAVED))
    assert saved == sum(storage.nbytes() for storage in kept.values())


@pytest.mark.parametrize("name", sorted(TINY))
def test_saved_activations_are_made_in_forward_and_read_in_backward(name: str) -> None:
    program = trained(name)
    forward, backward = program.graphs[:2]
    saved = {one.index for one in of_role(program, Role.SAVED)}
    assert saved
    assert saved <= written_in(forward) & read_in(backward)
    made = {one.index for one in of_role(program, Role.ACTIVATION)}
    assert not made & written_in(forward) & read_in(backward)


@pytest.mark.parametrize("name", ["llama", "mixtral", "resnet"])
def test_every_trained_parameter_has_a_gradient_of_its_shape(name: str) -> None:
    program = trained(name)
    gradients = {one.name: one for one in of_role(program, Role.GRADIENT)}
    parameters = of_role(program, Role.PARAMETER)
    assert {f"{one.name}.grad" for one in parameters} == set(gradients)
    for one in parameters:
        found = gradients[f"{one.name}.grad"]
        assert (found.shape, found.dtype, found.size_bytes) == (
            one.shape,
            one.dtype,
            one.size_bytes,
        )
        assert found.module == one.module


def test_a_tied_weight_has_one_gradient_that_both_its_uses_add_to() -> None:
    program = trained("gpt2")
    found = [one for one in of_role(program, Role.GRADIENT) if "wte" in one.name]
    assert [one.name for one in found] == ["transformer.wte.weight.grad"]
    writers = [
        node
        for node in program.graphs[1].nodes
        if any(use.storage == found[0].index for use in node.writes)
    ]
    assert [node.op for node in writers] == ["aten.add.Tensor"]


def test_backward_goes_through_the_modules_in_reverse() -> None:
    forward, backward = trained("llama").graphs[:2]

    def first_seen(graph: Graph) -> list[str]:
        modules = dict.fromkeys(step.name.split(".run_")[0] for step in graph.steps)
        return [one for one in modules if one.endswith("_proj")]

    assert first_seen(backward) == first_seen(forward)[::-1]
    assert all(node.module for node in backward.nodes if node.flops)


def test_backward_multiplies_twice_as_much_as_forward() -> None:
    # each product y = x W is followed by two of the same size: for x and for W
    forward, backward = trained("llama").graphs[:2]
    ops = ("aten.mm.default", "aten.addmm.default")
    flops = [
        sum(node.flops for node in graph.nodes if node.op in ops) for graph in (forward, backward)
    ]
    assert flops[1] == 2 * flops[0]


def test_adamw_keeps_two_moments_and_a_master_of_what_has_fewer_bits() -> None:
    half, full = trained("llama"), trained("gpt2")
    of_half = {one.name: one for one in of_role(half, Role.OPTIMIZER)}
    weight = "model.layers.0.mlp.up_proj.weight"
    states = {f"{weight}.{key}" for key in ("exp_avg", "exp_avg_sq", "master")}
    assert {name for name in of_half if name.startswith(weight)} == states
    assert {of_half[name].dtype for name in states} == {"float32"}
    assert not any(one.name.endswith("master") for one in of_role(full, Role.OPTIMIZER))
    # 12 bytes of states for each element in bfloat16, 8 for each in float32
    for program, each in ((half, 12), (full, 8)):
        parameters = of_role(program, Role.PARAMETER)
        elements = sum(
            one.size_bytes // (2 if one.dtype == "bfloat16" else 4) for one in parameters
        )
        assert sum(one.size_bytes for one in of_role(program, Role.OPTIMIZER)) == each * elements


@pytest.mark.parametrize("name", sorted(TINY))
def test_the_update_reads_every_gradient_and_changes_every_parameter(name: str) -> None:
    program = trained(name)
    update = program.graphs[2]
    parameters = {one.index for one in of_role(program, Role.PARAMETER)}
    gradients = {one.index for one in of_role(program, Role.GRADIENT)}
    states = {one.index for one in of_role(program, Role.OPTIMIZER)}
    assert gradients <= read_in(update)
    assert parameters | states <= written_in(update)
    assert not gradients & written_in(update)
    assert all(program.storages[index].mutated for index in parameters | states)


@pytest.mark.parametrize("name", sorted(TINY))
def test_a_checkpoint_copies_all_that_training_changes_and_nothing_else(name: str) -> None:
    program = trained(name)
    checkpoint = program.graphs[3]
    kept = (Role.PARAMETER, Role.BUFFER, Role.OPTIMIZER)
    changed = {one.index for one in program.storages if one.mutated and one.role in kept}
    assert read_in(checkpoint) == changed
    fragments = {one.name: one.size_bytes for one in of_role(program, Role.CHECKPOINT)}
    assert fragments == {
        f"checkpoint.{program.storages[index].name}": program.storages[index].size_bytes
        for index in changed
    }


def test_batch_norm_brings_its_running_statistics_up_to_date_in_forward() -> None:
    program = trained("resnet")
    statistics = [one for one in of_role(program, Role.BUFFER) if "running" in one.name]
    assert statistics
    assert {one.index for one in statistics} <= written_in(program.graphs[0])


def test_dropout_draws_and_its_mask_is_saved() -> None:
    program = trained("gpt2")
    draws = [node for node in program.graphs[0].nodes if node.random]
    assert draws
    masks = {use.storage for node in draws for use in node.writes}
    assert {program.storages[index].role for index in masks} == {Role.SAVED}
    assert not any(node.random for node in program.graphs[1].nodes)


def test_backward_reads_the_experts_that_the_router_chose() -> None:
    program = trained("mixtral")
    for graph in program.graphs[:2]:
        routed = [use for node in graph.nodes for use in node.reads if use.access is Access.ROUTED]
        assert {use.top_k for use in routed} == {2}
        assert len({use.storage for use in routed}) == 4  # two stacks in each of two layers


def test_saved_bytes_follow_the_tokens() -> None:
    small = sum(one.size_bytes for one in of_role(trained("llama", 16), Role.SAVED))
    large = sum(one.size_bytes for one in of_role(trained("llama", 32), Role.SAVED))
    assert 1.9 < large / small < 2.1


def test_training_leaves_the_model_as_it_was() -> None:
    model = huggingface.from_settings("llama", TINY["llama"])
    before = {name: id(one) for name, one in model.model.named_parameters()}
    capture_model(model, CaptureOptions(phases="train:seq=8"), lambda _: None)
    assert {name: id(one) for name, one in model.model.named_parameters()} == before
    assert not any(part.training for part in model.model.modules())
    assert all(one.grad is None and one.is_meta for one in model.model.parameters())


def test_prefill_decode_and_a_training_step_share_their_parameters() -> None:
    model = huggingface.from_settings("llama", TINY["llama"])
    phases = "prefill:seq=8,decode_step:past=8,train:seq=8"
    program = capture_model(model, CaptureOptions(phases=phases), lambda _: None)
    parameters = sum(one.size_bytes for one in of_role(program, Role.PARAMETER))
    assert parameters == tiny.parameter_bytes(model.model)
    assert verify(program) == ()


def test_a_model_without_a_head_has_no_loss_and_says_so() -> None:
    settings = {**TINY["llama"], "architectures": ["LlamaModel"]}
    model = huggingface.from_settings("bare", settings)
    with pytest.raises(CouldNotRun, match="`bare` has no loss of its own"):
        capture_model(model, CaptureOptions(phases="train:seq=8"), lambda _: None)


def test_training_is_captured_only_where_it_is_asked_for() -> None:
    model = huggingface.from_settings("llama", TINY["llama"])
    assert [entry.phase for entry in model.entries(CaptureOptions())] == ["prefill", "decode_step"]


def test_parameters_that_are_frozen_have_neither_gradient_nor_states() -> None:
    model = huggingface.from_settings("llama", TINY["llama"])
    for name, one in model.model.named_parameters():
        one.requires_grad_("lm_head" in name)
    program = capture_model(model, CaptureOptions(phases="train:seq=8"), lambda _: None)
    assert [one.name for one in of_role(program, Role.GRADIENT)] == ["lm_head.weight.grad"]
    assert len(of_role(program, Role.OPTIMIZER)) == 3
    unchanged = [one for one in of_role(program, Role.PARAMETER) if not one.mutated]
    assert len(unchanged) == len(list(model.model.parameters())) - 1
