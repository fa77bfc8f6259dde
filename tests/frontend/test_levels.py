from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend import CaptureOptions, levels
from mirc.frontend.program import capture_model
from mirc.frontend.usercode import UserModel
from mirc.graph import Access, Level, Program, Role
from mirc.graph.verify import verify
from tests.frontend import tiny


@dataclass
class Answer:
    """A result of a kind that no tracer knows."""

    value: Tensor


@dataclass
class Question:
    """An input of a kind that torch.export refuses."""

    value: Tensor


class Net(nn.Module):
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(8, 16), nn.ReLU())
        self.head = nn.Linear(16, 4)
        self.register_buffer("shift", torch.ones(8))
        self.seen: Tensor | None = None

    def forward(self, x: Tensor) -> object:
        return self.head(self.block(x + self.shift))


class Answering(Net):
    def forward(self, x: Tensor) -> object:
        return Answer(self.head(self.block(x + self.shift)))


class Traceable(Net):
    def forward(self, x: Tensor, asked: object = None) -> object:
        if asked is not None:
            x = x + asked.value  # type: ignore[attr-defined]
        self.seen = x
        return Answer(self.head(self.block(x + self.shift)))


class Repeating(Net):
    def forward(self, x: Tensor, asked: object = None) -> object:
        if asked is not None:
            x = x + asked.value  # type: ignore[attr-defined]
        for _ in range(x.shape[0]):  # a proxy has no length
            x = x + self.shift
        return Answer(self.head(self.block(x)))


class Deciding(Net):
    def forward(self, x: Tensor) -> object:
        if x.sum().item() > 0:  # known only when it runs
            x = x + self.shift
        return self.head(self.block(x))


def captured(module: nn.Module, *args: object) -> Program:
    model = UserModel(name="net", calls={"forward": (module, args, {})})
    return capture_model(model, CaptureOptions(), lambda _: None)


@pytest.mark.parametrize(
    ("module", "asked", "level", "tried"),
    [
        (Net(), [], Level.EXPORT, []),
        (Answering(), [], Level.EXPORT, []),
        (Traceable(), [Question(torch.ones(8))], Level.SYMBOLIC_TRACE, ["export: "]),
        (Repeating(), [Question(torch.ones(8))], Level.MAKE_FX, ["export: ", "symbolic_trace: "]),
        (Deciding(), [], Level.MODULE_TREE, ["export: ", "symbolic_trace: ", "make_fx: "]),
    ],
)
def test_each_model_reaches_the_best_level_that_is_true(
    module: nn.Module, asked: list[Question], level: Level, tried: list[str]
) -> None:
    program = captured(module, torch.randn(2, 8), *asked)
    (found,) = program.captures
    assert found.level is level
    assert [reason.split(" ")[0] + " " for reason in found.reason.split("; ") if reason] == tried
    assert verify(program) == ()
    weights = {one.name: one.size_bytes for one in program.storages if one.role is Role.PARAMETER}
    assert weights == {
        "block.0.weight": 16 * 8 * 4,
        "block.0.bias": 16 * 4,
        "head.weight": 4 * 16 * 4,
        "head.bias": 4 * 4,
    }
    assert [step.name for step in program.graphs[0].steps][-2:] == ["block.0", "head"]


@pytest.mark.parametrize("module", [Traceable(), Repeating()])
def test_below_export_flops_and_activations_are_still_known(module: nn.Module) -> None:
    program = captured(module, torch.randn(2, 8), Question(torch.ones(8)))
    assert program.captures[0].level is not Level.EXPORT
    (graph,) = program.graphs
    assert sum(node.flops for node in graph.nodes) == 2 * 2 * (8 * 16 + 16 * 4)
    (output,) = graph.outputs
    assert program.storages[output].shape == (2, 4)
    assert {node.module for node in graph.nodes} == {"", "block.0", "block.1", "head"}


@pytest.mark.parametrize("make", [Net, Answering, Traceable, Repeating, Deciding])
def test_a_captured_module_is_callable_and_gives_the_same(make: type[Net]) -> None:
    module, x = make().train(), torch.randn(2, 8)
    before = module(x)
    captured(module, x)
    after = module(x)
    assert module.training
    assert module.seen is None or type(module.seen) is Tensor
    same = [item.value if isinstance(item, Answer) else item for item in (before, after)]
    assert torch.equal(same[0], same[1])


def test_a_module_tree_touches_the_rows_of_an_embedding() -> None:
    class Looking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(1000, 16)

        def forward(self, ids: Tensor) -> Tensor:
            return self.table(ids) if ids.sum().item() else ids

    (graph,) = captured(Looking(), torch.zeros(1, 3, dtype=torch.long)).graphs
    (node,) = graph.nodes
    assert node.op == "module.Embedding"
    assert [(use.access, use.size_bytes) for use in node.reads] == [(Access.TOUCH, 3 * 16 * 4)]


def test_a_forward_that_nothing_can_run_and_without_weights_is_refused() -> None:
    class Wrong(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x @ torch.ones(3, 3)

    with pytest.raises(CouldNotRun, match="nothing to capture in phase `forward`: export: Runtime"):
        captured(Wrong(), torch.ones(2, 8))


def test_sizes_known_only_at_run_time_do_not_stop_the_capture() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(8, 4)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.inner(x)
            return y[y > 0].reshape(-1, 1) * 2

    program = captured(Masked(), torch.ones(2, 8))
    assert program.captures[0].level is Level.EXPORT
    assert verify(program) == ()


def test_what_fails_in_the_capture_s_own_code_is_not_hidden_by_a_lower_level(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> object:
        raise own

    own = KeyError("a slip")
    inside = compile("def broken(*_):\n    raise KeyError('a slip')\n", levels.__file__, "exec")
    names: dict[str, Any] = {}
    exec(inside, names)  # noqa: S102 - a function whose frame is in the package
    monkeypatch.setattr(levels, "LEVELS", ((Level.EXPORT, names["broken"]), *levels.LEVELS[1:]))
    with pytest.raises(KeyError, match="a slip"):
        tiny.of_module(Net(), torch.zeros(2, 8))
    monkeypatch.setattr(levels, "LEVELS", ((Level.EXPORT, broken), *levels.LEVELS[1:]))
    (found,) = tiny.of_module(Net(), torch.zeros(2, 8)).captures
    assert found.reason.startswith("export: KeyError: 'a slip'")
