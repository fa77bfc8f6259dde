"""One model with prefill, decode, expert dispatch, all-reduce, optimizer update and checkpoint."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, distributed
from torch.testing._internal.distributed.fake_pg import FakeStore

from mirc.emit import emit
from mirc.frontend import CaptureOptions, huggingface
from mirc.frontend.program import capture_model
from mirc.graph import Program, Role
from mirc.graph.verify import verify
from mirc.ir import Module, Name
from mirc.ir.enums import ObjectClass, PhaseKind, Recompute
from mirc.ir.fields import FIELD_BY_KEY
from mirc.passes.base import Facts
from mirc.passes.liveness import Live
from mirc.passes.phase_annotator import PhaseFact, Phases, WindowKind
from mirc.passes.pipeline import run
from mirc.passes.recompute_classifier import Recomputation
from mirc.passes.seeds import Options
from mirc.passes.working import working_bytes
from tests.frontend.test_train import TINY
from tests.passes.programs import Builder

KINDS = {
    "prefill": PhaseKind.PREFILL,
    "decode_step": PhaseKind.DECODE,
    "forward": PhaseKind.FORWARD,
    "backward": PhaseKind.BACKWARD,
    "optimizer_update": PhaseKind.OPTIMIZER_UPDATE,
    "checkpoint": PhaseKind.CHECKPOINT,
}


def reduce_later(model: torch.nn.Module) -> None:
    """Let each gradient's sum over four processes begin as it is made, and be waited for next."""
    collectives: Any = getattr(torch.ops, "_c10d_functional")  # noqa: B009 - a private name
    under_way: list[Tensor] = []

    def reduce(gradient: Tensor) -> Any:
        begun = collectives.all_reduce(gradient, "sum", "0")
        if under_way:
            collectives.wait_tensor(under_way.pop())
        under_way.append(begun)
        return begun

    hooked: list[Any] = list(model.parameters())
    for one in hooked:
        one.register_hook(reduce)


@cache
def everything() -> Program:
    distributed.init_process_group("fake", rank=0, world_size=4, store=FakeStore())
    try:
        model = huggingface.from_settings("mixtral", TINY["mixtral"])
        reduce_later(model.model)
        phases = "prefill:seq=16,decode_step:past=16,train:seq=16"
        return capture_model(model, CaptureOptions(phases=phases), lambda _: None)
    finally:
        distributed.destroy_process_group()


@cache
def facts() -> Facts:
    return run(everything())


@cache
def module() -> Module:
    return emit(everything(), facts())


def phase(name: str) -> PhaseFact:
    (found,) = (one for one in facts()[Phases].phases if one.name == name)
    return found


def windows(name: str, kind: WindowKind) -> list[tuple[int, int]]:
    return [(one.first, one.last) for one in phase(name).windows if one.kind is kind]


def test_every_kind_of_phase_is_found_in_one_program() -> None:
    assert verify(everything()) == ()
    assert {one.name: one.kind for one in facts()[Phases].phases} == KINDS


def test_training_runs_in_rounds_with_a_checkpoint_every_few_of_them() -> None:
    runs = {one.name: one.runs for one in facts()[Phases].phases}
    options = Options()
    rounds = options.training_runs
    assert runs == {
        "prefill": 1,
        "decode_step": options.decode_runs,
        "forward": rounds,
        "backward": rounds,
        "optimizer_update": rounds,
        "checkpoint": rounds / options.checkpoint_every,
    }


@pytest.mark.parametrize("name", ["prefill", "decode_step", "forward", "backward"])
def test_experts_are_dispatched_in_two_windows_of_each_pass_over_the_layers(name: str) -> None:
    found = windows(name, WindowKind.EXPERT_DISPATCH)
    assert len(found) == 2
    steps = phase(name).graph.steps
    nodes = phase(name).graph.nodes
    for first, last in found:
        ops = [node.op for node in nodes[steps[first].first : steps[last].last + 1]]
        assert "aten._grouped_mm.default" in ops
        assert name == "backward" or "aten.topk.default" in ops
    between = range(found[0][1] + 1, found[1][0])
    assert any("self_attn" in steps[step].name for step in between)


def test_each_gradient_is_reduced_in_a_window_that_lasts_until_it_is_waited_for() -> None:
    backward = phase("backward")
    gradients = {one.index for one in everything().storages if one.role is Role.GRADIENT}
    assert backward.reduced == gradients
    found = windows("backward", WindowKind.COLLECTIVE)
    assert len(found) == len(gradients)
    assert sum(first < last for first, last in found) > len(found) // 2
    for name in KINDS:
        assert name == "backward" or not windows(name, WindowKind.COLLECTIVE)


def test_a_gradient_is_protected_until_its_own_reduction_is_complete() -> None:
    raised = [
        str(event)
        for step in module().phases["backward"].steps
        for event in step.value("raises") or ()  # type: ignore[union-attr]
    ]
    shards = [
        one
        for one in module().objects.values()
        if one.value("class") == Name(ObjectClass.GRADIENT_SHARD.value)
    ]
    until = [str(one.value("anti_evict_rule")) for one in shards]
    assert len(shards) == 21
    assert sorted(text.replace("UNTIL_", "") for text in until) == sorted(raised)


def overrides() -> Iterator[tuple[str, str, str, object]]:
    for name, found in module().phases.items():
        for override in found.overrides:
            for field in override.fields:
                yield name, override.name, field.key, field.value


def declared(name: str) -> Any:
    objects = {**module().objects, **module().templates}
    return (
        objects[name]
        if name in objects
        else next(one for key, one in objects.items() if key.startswith(f"{name}["))
    )


def test_what_changes_at_a_boundary_is_an_override_and_never_repeats_what_holds_anyway() -> None:
    found = list(overrides())
    assert found
    for _, name, key, value in found:
        block = declared(name)
        written = block.value(key)
        klass = ObjectClass(block.value("class").text)
        assert value != (FIELD_BY_KEY[key].default_for(klass) if written is None else written)


def test_each_boundary_changes_what_the_phase_does_not_use() -> None:
    changed: dict[str, set[str]] = {name: set() for name in KINDS}
    for name, target, key, _ in overrides():
        if key == "deadline_class":
            changed[name].add(target)
    by_role: dict[Role, set[str]] = {}
    for one in everything().storages:
        by_role.setdefault(one.role, set()).add(one.name)
    states, caches = by_role[Role.OPTIMIZER], by_role[Role.CACHE]
    for name in ("prefill", "decode_step", "forward", "backward"):
        assert states <= changed[name]
    for name in ("optimizer_update", "checkpoint"):
        assert not states & changed[name]
        assert caches <= changed[name]
    assert caches <= changed["forward"]
    assert caches <= changed["backward"]
    assert not caches & changed["decode_step"]


def test_what_is_handed_on_lives_from_its_writer_to_its_last_reader() -> None:
    program, live = everything(), facts()[Live].phases
    final = {name: len(phase(name).graph.steps) - 1 for name in KINDS}
    for one in program.storages:
        if one.role is Role.SAVED:
            made, read = live["forward"].lives[one.index], live["backward"].lives[one.index]
            assert (made.last, read.first) == (final["forward"], 0)
            assert made.first == phase("forward").table.used_in[one.index][0]
            assert read.last == phase("backward").table.used_in[one.index][-1]
        if one.role is Role.GRADIENT:
            made, read = (
                live["backward"].lives[one.index],
                live["optimizer_update"].lives[one.index],
            )
            assert (made.last, read.first) == (final["backward"], 0)
            assert read.last == phase("optimizer_update").table.used_in[one.index][-1]


def test_the_peak_of_backward_counts_saved_activations_until_used_and_gradients_from_made() -> None:
    # recounted from the steps alone, a storage at a time
    program, backward = everything(), phase("backward")
    life = facts()[Live].phases["backward"]
    last = len(backward.graph.steps) - 1
    alive = list(life.transient_bytes)
    for index, steps in backward.table.used_in.items():
        one = program.storages[index]
        spans = {
            Role.SAVED: range(steps[-1] + 1),
            Role.GRADIENT: range(steps[0], last + 1),
            Role.ACTIVATION: range(steps[0], steps[-1] + 1),
        }
        if index not in life.transients:
            for step in spans.get(one.role, ()):
                alive[step] += one.size_bytes
    assert life.peak.size_bytes == max(alive)
    assert alive[life.peak.step] == max(alive)


def test_what_waits_through_a_phase_that_does_not_use_it_takes_room_there() -> None:
    build = Builder()
    weight = build.store("w", 10)
    saved = build.store("forward.op_0", 64, Role.SAVED)
    other = build.store("between.op_0", 8, Role.ACTIVATION)
    gradient = build.store("w.grad", 10, Role.GRADIENT)
    build.node("a", [weight], [saved])
    build.phase("forward")
    build.node("b", [], [other])
    build.node("c", [other], [])
    build.phase("between")
    build.node("a", [saved], [gradient])
    build.phase("backward")
    program = build.program()
    assert verify(program) == ()
    found = run(program)
    life = found[Live].phases["between"]
    assert (life.waiting_bytes, life.peak.size_bytes) == (64, 64 + 8)
    (between,) = (one for one in found[Phases].phases if one.name == "between")
    assert working_bytes(program, between, life, Options()) == (72, 72)


def test_a_weight_that_training_changes_is_no_longer_read_only() -> None:
    one = module().objects["lm_head.weight"]
    assert one.value("mutability") == Name("MUTABLE")
    assert one.value("write_policy") == Name("WRITE_BACK")


def test_what_forward_made_of_trained_weights_can_be_made_again_before_the_update() -> None:
    saved = [one.index for one in everything().storages if one.role is Role.SAVED]
    found = {facts()[Recomputation].of(index).portable for index in saved}
    assert found - {Recompute.IMPOSSIBLE}
