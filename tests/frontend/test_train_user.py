"""A user's own module, loss and optimizer become a training step; what is no such thing is told."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - as everyone writes it
from torch import Tensor, distributed, nn
from torch.distributed import _functional_collectives as functional_collectives
from torch.testing._internal.distributed.fake_pg import FakeStore

from mirc.diagnostics import CouldNotRun
from mirc.frontend import CaptureOptions, capture
from mirc.graph import Graph, Program, Role
from mirc.graph.verify import verify
from mirc.passes.phase_annotator import Phases, WindowKind
from mirc.passes.pipeline import run
from tests.frontend import tiny


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(8, 32)
        self.head = nn.Linear(32, 4)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.head(self.body(x).relu()))


X = torch.zeros(6, 8)
Y = torch.zeros(6, dtype=torch.long)


def captured(training: Callable[[], Any], **others: Any) -> Program:
    tiny.importable("a_training_loop", mirc_training=training, **others)
    return capture("a_training_loop:", CaptureOptions(), lambda _: None)


def names(program: Program, role: Role) -> set[str]:
    return {one.name for one in program.storages if one.role is role}


def phase(program: Program, name: str) -> Graph:
    (found,) = (graph for graph in program.graphs if graph.phase == name)
    return found


def test_a_loss_and_an_optimizer_of_ones_own_are_captured_as_they_are() -> None:
    def training() -> dict[str, Any]:
        net = Net()
        return {
            "module": net,
            "args": (X,),
            "targets": (Y,),
            "loss": F.cross_entropy,
            "optimizer": torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9),
        }

    program = captured(training)
    assert verify(program) == ()
    assert names(program, Role.OPTIMIZER) == {
        f"{module}.{kind}.momentum_buffer"
        for module in ("body", "head")
        for kind in ("weight", "bias")
    }
    assert any("nll_loss" in node.op for node in phase(program, "forward").nodes)
    assert all("adam" not in node.op for node in phase(program, "optimizer_update").nodes)


def test_the_short_form_is_a_tuple_and_the_rest_has_defaults() -> None:
    program = captured(lambda: (Net(), (X,), lambda out: out.square().mean()))
    assert len(names(program, Role.OPTIMIZER)) == 2 * 4  # AdamW: two moments of four parameters
    ops = {node.op for node in phase(program, "optimizer_update").nodes}
    assert ops == {"aten._fused_adamw_.default"}


def test_plain_gradient_descent_has_no_states_and_is_an_update_all_the_same() -> None:
    def training() -> tuple[Any, ...]:
        net = Net()
        return net, (X,), torch.sum, torch.optim.SGD(net.parameters(), lr=0.1)

    program = captured(training)
    assert names(program, Role.OPTIMIZER) == set()
    kinds = {one.name: one.kind.value for one in run(program)[Phases].phases}
    assert kinds == {
        "forward": "FORWARD",
        "backward": "BACKWARD",
        "optimizer_update": "OPTIMIZER_UPDATE",
        "checkpoint": "CHECKPOINT",
    }


def test_an_optimizer_over_a_part_of_the_parameters_updates_that_part() -> None:
    def training() -> tuple[Any, ...]:
        net = Net()
        return net, (X,), torch.sum, torch.optim.Adagrad(net.head.parameters())

    program = captured(training)
    assert names(program, Role.OPTIMIZER) == {"head.weight.sum", "head.bias.sum"}
    assert len(names(program, Role.GRADIENT)) == 4
    mutated = {one.name for one in program.storages if one.mutated}
    assert mutated == {"head.weight", "head.bias", "head.weight.sum", "head.bias.sum"}


def test_a_function_of_parameters_may_stand_for_the_optimizer() -> None:
    program = captured(lambda: (Net(), (X,), torch.sum, torch.optim.Adam))
    assert "head.weight.exp_avg" in names(program, Role.OPTIMIZER)


def test_inference_and_training_of_one_file_are_one_program() -> None:
    net = Net()
    program = captured(
        lambda: (net, (X,), torch.sum),
        mirc_entries=lambda: {"inference": (net, (X,))},
    )
    assert program.graphs[0].phase == "inference"
    assert names(program, Role.PARAMETER) == {
        f"{module}.{kind}" for module in ("body", "head") for kind in ("weight", "bias")
    }


def test_gradient_checkpointing_makes_activations_again_in_backward() -> None:
    class Frugal(Net):
        def forward(self, x: Tensor) -> Tensor:
            def inner(given: Tensor) -> Tensor:
                return torch.as_tensor(self.body(given).relu())

            again: Any = torch.utils.checkpoint.checkpoint
            return torch.as_tensor(self.head(again(inner, x, use_reentrant=False)))

    plain = captured(lambda: (Net(), (X,), torch.sum))
    frugal = captured(lambda: (Frugal(), (X,), torch.sum))

    def products(program: Program) -> int:
        return sum(node.flops > 0 for node in phase(program, "backward").nodes)

    assert products(frugal) == products(plain) + 1
    assert verify(frugal) == ()


def test_an_expanded_gradient_is_copied_into_one_of_the_parameters_size() -> None:
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(64))

        def forward(self) -> Tensor:
            return self.weight.sum()  # its derivative is one 1, expanded

    program = captured(Scale)
    (gradient,) = (one for one in program.storages if one.role is Role.GRADIENT)
    assert gradient.size_bytes == 64 * 4
    assert phase(program, "backward").nodes[-1].op == "torch.autograd.AccumulateGrad"


@pytest.mark.parametrize(
    ("training", "sentence"),
    [
        (lambda: 7, "returned a int"),
        (lambda: {"modul": Net()}, "has the key `modul`"),
        (lambda: {"args": (X,)}, "has no `module`"),
        (lambda: (torch.sum, (X,)), "gives no module"),
        (lambda: (Net(), (X,), 3), "is no function"),
        (lambda: (Net(), (X,), torch.sum, 3), "is a int"),
        (lambda: (Net(), (X,)), "the loss has 24 elements"),
        (lambda: (Net(), (X,), lambda _: 1.0), "the loss is a float"),
        (lambda: (Net(), (X,), lambda out: out.detach().sum()), "reaches no parameter"),
        (lambda: (Net(), (torch.zeros(3, 3),), torch.sum), "cannot record a training step"),
        (
            lambda: (Net(), (X,), torch.sum, torch.optim.SGD(Net().parameters())),
            "holds none of the parameters",
        ),
        (lambda: (Net(), (X,), torch.sum, list), "the `optimizer` made a list"),
    ],
)
def test_what_is_no_training_step_is_told_in_one_sentence(
    training: Callable[[], Any], sentence: str
) -> None:
    with pytest.raises(CouldNotRun, match=sentence):
        captured(training)


def test_training_and_another_phase_named_forward_do_not_go_together() -> None:
    net = Net()
    with pytest.raises(CouldNotRun, match="two captured phases are named `forward`"):
        captured(lambda: (net, (X,), torch.sum), mirc_entries=lambda: {"forward": (net, (X,))})


@pytest.fixture
def group() -> Iterator[str]:
    """A group of four processes of which three do not exist: for capture that is enough."""
    distributed.init_process_group("fake", rank=0, world_size=4, store=FakeStore())
    yield "0"
    distributed.destroy_process_group()


def started(g: Tensor, group: str) -> Tensor:
    reduce: Any = getattr(torch.ops, "_c10d_functional").all_reduce  # noqa: B009 - private
    return torch.as_tensor(reduce(g, "sum", group))


def wait(g: Tensor) -> Tensor:
    complete: Any = getattr(torch.ops, "_c10d_functional").wait_tensor  # noqa: B009 - private
    return torch.as_tensor(complete(g))


def test_hooks_that_reduce_gradients_are_captured_where_they_run(group: str) -> None:
    def training() -> tuple[Any, ...]:
        net = Net()
        hooked: list[Any] = list(net.parameters())
        for one in hooked:
            one.register_hook(lambda g: wait(started(g, group)))
        return net, (X,), torch.sum

    program = captured(training)
    backward = phase(program, "backward")
    assert verify(program) == ()
    gradients = {one.index for one in program.storages if one.role is Role.GRADIENT}
    reduced = {
        use.storage
        for node in backward.nodes
        if node.collective and "all_reduce" in node.op
        for use in node.writes
    }
    assert reduced == gradients
    waits = [node for node in backward.nodes if "wait_tensor" in node.op]
    assert {use.storage for node in waits for use in node.reads} == gradients
    assert not any(node.writes for node in waits)


def test_a_sharded_parameter_is_gathered_in_forward_and_its_gradient_scattered_back(
    group: str,
) -> None:
    class Sharded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shard = nn.Parameter(torch.zeros(16, 8))

        def forward(self, x: Tensor) -> Tensor:
            gather: Any = functional_collectives.all_gather_tensor_autograd
            return torch.as_tensor((x @ gather(self.shard, 0, group).t()).square().sum())

    program = captured(lambda: (Sharded(), (X,)))
    sizes = {one.name: one.size_bytes for one in program.storages}
    assert sizes["shard"] == sizes["shard.grad"] == sizes["shard.exp_avg"] == 16 * 8 * 4
    gathers = [node for node in phase(program, "forward").nodes if node.collective]
    assert [node.op.split(".")[1] for node in gathers] == ["all_gather_into_tensor", "wait_tensor"]
    assert gathers[0].writes[0].size_bytes == 4 * 16 * 8 * 4  # the whole, of four shards
    scatters = [node for node in phase(program, "backward").nodes if node.collective]
    assert [node.op.split(".")[1] for node in scatters] == ["reduce_scatter_tensor", "wait_tensor"]
    (found,) = (one for one in run(program)[Phases].phases if one.name == "backward")
    assert {program.storages[index].name for index in found.reduced} == {"shard.grad"}


def test_a_collective_window_runs_from_its_start_to_its_wait(group: str) -> None:
    class Overlapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 8)
            self.third = nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            begun = started(self.first(x), group)
            beside = self.second(x)
            return torch.as_tensor(self.third(wait(begun) + beside))

    model = Overlapped()
    tiny.importable("overlapped", mirc_entries=lambda: {"parallel": (model, (X,))})
    program = capture("overlapped:", CaptureOptions(), lambda _: None)
    (found,) = run(program, only=("phase-annotator",))[Phases].phases
    (window,) = (one for one in found.windows if one.kind is WindowKind.COLLECTIVE)
    nodes = program.graphs[0].nodes
    spans = [[node.op for node in nodes[step.first : step.last + 1]] for step in found.graph.steps]
    assert any("all_reduce" in op for op in spans[window.first])
    assert any("wait_tensor" in op for op in spans[window.last])
    between = [op for span in spans[window.first : window.last] for op in span]
    assert "aten.linear.default" in between
    assert window.last > window.first
