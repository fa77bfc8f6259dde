"""Models that are hard to capture: the best level that is true, or one sentence."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mirc.diagnostics import CouldNotRun, Source
from mirc.emit import emit
from mirc.frontend import CaptureOptions, capture
from mirc.grammar import print_module
from mirc.graph import Level, Program, Role
from mirc.graph.verify import verify
from mirc.lint.check import check_source
from mirc.passes.pipeline import run
from tests.frontend import tiny

HEAD = "import torch\nfrom torch import nn\n"


def compiled(folder: Path, text: str) -> tuple[Program, str]:
    """Take a user's file all the way; the text must have no findings."""
    path = folder / "bad.py"
    path.write_text(HEAD + textwrap.dedent(text))
    program = capture(str(path), CaptureOptions(), lambda _: None)
    assert verify(program) == ()
    written = print_module(emit(program, run(program)))
    findings = check_source(Source("bad.mir", written), ()).diagnostics
    assert [one.message for one in findings if one.rule.name != "unused-object"] == []
    return program, written


def refused(folder: Path, text: str) -> str:
    with pytest.raises(CouldNotRun) as caught:
        compiled(folder, text)
    assert "\n" not in caught.value.message
    return caught.value.message


def weights(program: Program) -> dict[str, int]:
    return {one.name: one.size_bytes for one in program.storages if one.role is Role.PARAMETER}


def levels(program: Program) -> set[Level]:
    return {found.level for found in program.captures}


def test_a_branch_on_data_is_known_by_its_modules_and_the_reason_is_said(tmp_path: Path) -> None:
    program, _ = compiled(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.small, self.large = nn.Linear(4, 4), nn.Linear(4, 4)
            def forward(self, x):
                return self.small(x) if x.sum() < 1 else self.large(x)
        def build():
            return Net(), (torch.ones(2, 4),)
        """,
    )
    (found,) = program.captures
    assert found.level is Level.MODULE_TREE
    assert found.reason.startswith("export: GuardOnDataDependentSymNode: Could not guard on")
    # either branch may run: both are there
    assert weights(program) == dict.fromkeys(("small.weight", "large.weight"), 64) | dict.fromkeys(
        ("small.bias", "large.bias"), 16
    )


@pytest.fixture
def odd() -> Iterator[None]:
    """Give torch an operator of which nobody knows the result's shape."""
    library: Any = torch.library.Library("mirc_bad", "DEF")  # type: ignore[no-untyped-call]
    library.define("odd(Tensor x) -> Tensor")
    library.impl("odd", lambda x: x * 2, "CPU")
    yield
    library._destroy()  # noqa: SLF001 - the only way to take an operator back


@pytest.mark.usefixtures("odd")
def test_an_operator_that_cannot_be_traced_is_known_by_its_modules(tmp_path: Path) -> None:
    program, _ = compiled(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Linear(4, 4)
            def forward(self, x):
                return torch.ops.mirc_bad.odd(self.inner(x))
        def build():
            return Net(), (torch.ones(2, 4),)
        """,
    )
    (found,) = program.captures
    assert found.level is Level.MODULE_TREE
    assert "UnsupportedOperatorException: mirc_bad.odd.default" in found.reason
    assert weights(program) == {"inner.weight": 64, "inner.bias": 16}


def test_a_custom_autograd_function_is_seen_through(tmp_path: Path) -> None:
    program, _ = compiled(
        tmp_path,
        """
        class Exponential(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x.exp()
            @staticmethod
            def backward(ctx, gradient):
                (x,) = ctx.saved_tensors
                return gradient * x.exp()
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Linear(4, 4)
            def forward(self, x):
                return Exponential.apply(self.inner(x))
        def build():
            return Net(), (torch.ones(2, 4),)
        """,
    )
    assert levels(program) == {Level.EXPORT}
    ops = [node.op for node in program.graphs[0].nodes]
    assert ops == ["aten.linear.default", "aten.exp.default"]


PLACES = {
    "weights without bytes": ("nn.Linear(4, 4, device='meta')", "torch.ones(2, 4)"),
    "inputs without bytes": ("nn.Linear(4, 4)", "torch.ones(2, 4, device='meta')"),
    "some weights without bytes": (
        "nn.Sequential(nn.Linear(4, 4, device='meta'), nn.Linear(4, 4))",
        "torch.ones(2, 4)",
    ),
    "a device that is not here": ("nn.Linear(4, 4).cuda()", "torch.ones(2, 4, device='cuda')"),
}


@pytest.mark.parametrize("where", sorted(PLACES))
def test_tensors_on_different_devices_are_put_on_one(where: str, tmp_path: Path) -> None:
    model, given = PLACES[where]
    program, _ = compiled(tmp_path, f"model = {model}\nexample_inputs = ({given},)\n")
    assert levels(program) == {Level.EXPORT}
    graph = program.graphs[0]
    assert {node.op for node in graph.nodes} == {"aten.linear.default"}  # no copies in between
    assert sum(weights(program).values()) == len(graph.nodes) * (16 + 4) * 4


@pytest.mark.parametrize(
    ("dtype", "size_bytes"),
    [("float64", 8), ("float8_e4m3fn", 1), ("float8_e5m2", 1), ("int8", 1), ("bool", 1)],
)
def test_a_weight_keeps_its_own_dtype(dtype: str, size_bytes: int, tmp_path: Path) -> None:
    program, text = compiled(
        tmp_path,
        f"""
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.kept = nn.Parameter(torch.zeros(4, 4).to(torch.{dtype}), requires_grad=False)
            def forward(self, x):
                return x @ self.kept.to(x.dtype)
        def build():
            return Net(), (torch.ones(2, 4),)
        """,
    )
    assert levels(program) == {Level.EXPORT}
    kept = tiny.storage(program, "kept")
    assert (kept.dtype, kept.size_bytes) == (dtype, 16 * size_bytes)
    assert f"size_bytes = {16 * size_bytes}" in " ".join(text.split())


def test_four_bits_are_counted_as_torch_holds_them(tmp_path: Path) -> None:
    program, _ = compiled(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.kept = nn.Parameter(torch.empty(4, 4, dtype=torch.int4), requires_grad=False)
            def forward(self, x):
                return x @ self.kept.view(torch.int8).to(x.dtype)
        def build():
            return Net(), (torch.ones(2, 4),)
        """,
    )
    kept = tiny.storage(program, "kept")
    assert (kept.dtype, kept.size_bytes) == ("int4", 16)  # torch gives each a byte of its own


def test_a_tensor_of_no_elements_costs_nothing(tmp_path: Path) -> None:
    program, text = compiled(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.none = nn.Parameter(torch.zeros(0, 4))
                self.inner = nn.Linear(4, 4)
            def forward(self, x, nothing):
                return self.inner(torch.cat([self.none, x])), nothing * 2, self.none * 2
        def build():
            return Net(), (torch.ones(2, 4), torch.ones(0, 3))
        """,
    )
    assert levels(program) == {Level.EXPORT}
    assert weights(program) == {"inner.weight": 64, "inner.bias": 16}
    assert "nothing" not in text


def test_a_parameter_that_nothing_uses_is_an_object_that_may_lie_anywhere(tmp_path: Path) -> None:
    program, text = compiled(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Linear(4, 4)
                self.never = nn.Parameter(torch.zeros(16))
            def forward(self, x):
                return self.inner(x)
        def build():
            return Net(), (torch.ones(2, 4),)
        """,
    )
    assert weights(program)["never"] == 64
    (block,) = (part for part in text.split("\n\n") if part.startswith("object never "))
    told = " ".join(block.split())
    assert "size_bytes = 64" in told
    assert "reuse = 0.0 @ 1.0" in told
    assert "spill_policy = ALLOW deadline_class = NONE" in told
    assert "never" not in text[text.index("\nphase ") :]


def test_two_modules_of_one_name_are_refused(tmp_path: Path) -> None:
    message = refused(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Sequential()
                self.a.add_module("b", nn.Linear(4, 4))
                self._modules["a.b"] = nn.Linear(4, 4)
            def forward(self, x):
                return self._modules["a.b"](self.a.b(x))
        def build():
            return Net(), (torch.ones(2, 4),)
        """,
    )
    assert message == "two tensors of `Net` are both named `a.b.weight`"


def test_one_module_of_two_names_is_one_object_that_runs_twice(tmp_path: Path) -> None:
    program, _ = compiled(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.first = nn.Linear(4, 4)
                self.second = self.first
            def forward(self, x):
                return self.second(self.first(x))
        def build():
            return Net(), (torch.ones(2, 4),)
        """,
    )
    assert weights(program) == {"first.weight": 64, "first.bias": 16}
    assert [step.name for step in program.graphs[0].steps] == ["first", "second"]


def test_names_that_are_no_names_are_quoted(tmp_path: Path) -> None:
    _, text = compiled(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.add_module("a b", nn.Linear(4, 4))
                self.add_module("object", nn.Linear(4, 4))
                self.add_module("\\u00fc", nn.Linear(4, 4))
            def forward(self, x):
                for part in self.children():
                    x = part(x)
                return x
        def build():
            return Net(), (torch.ones(2, 4),)
        """,
    )
    for name in ('"a b.weight"', "object.weight", '"\u00fc.weight"'):
        assert f"object {name} {{" in text


def test_recursion_without_end_is_one_sentence(tmp_path: Path) -> None:
    building = refused(tmp_path, "def build():\n    return build()\n")
    assert "raised RecursionError: maximum recursion depth exceeded" in building
    running = """
        class Net(nn.Module):
            def forward(self, x):
                return self.forward(x)
        def build():
            return Net(), (torch.ones(2, 4),)
        """
    assert "nothing to capture in phase `forward`: export: RecursionError" in refused(
        tmp_path, running
    )


def test_a_module_that_holds_itself_is_one_sentence(tmp_path: Path) -> None:
    message = refused(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Linear(4, 4)
                self.inner.outer = self
            def forward(self, x):
                return self.inner(x)
        def build():
            return Net(), (torch.ones(2, 4),)
        """,
    )
    assert message == "a module of `Net` holds a module that holds it"


def test_a_model_is_the_same_after_it_was_compiled() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))
            self.head = nn.Linear(8, 4)
            self.calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            given: Tensor = self.head(self.inner(x))
            return given

    module, x = Net().train(), torch.randn(3, 4)
    torch.manual_seed(0)
    state = {name: value.clone() for name, value in module.state_dict().items()}
    tiny.of_module(module, x)
    assert module.training
    assert module.calls == 0
    assert not module._forward_hooks  # noqa: SLF001 - a hook of ours must not stay
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    before = module.eval()(x)
    tiny.of_module(module, x)
    assert torch.equal(module(x), before)


def test_a_tensor_without_elements_is_no_cache(tmp_path: Path) -> None:
    program, _ = compiled(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.none = nn.Parameter(torch.zeros(0, 8))
            def forward(self, x, y):
                return torch.cat([x, self.none]), torch.cat([self.none, y + 1])
        def build():
            return Net(), (torch.ones(2, 8), torch.ones(2, 8))
        """,
    )
    assert [node.op.split(".")[1] for node in program.graphs[0].nodes] == ["cat", "add", "cat"]
    assert {one.role for one in program.storages} == {Role.INPUT, Role.ACTIVATION, Role.OUTPUT}


def test_a_parameter_that_is_appended_is_no_new_token(tmp_path: Path) -> None:
    _, written = compiled(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.tail = nn.Parameter(torch.zeros(3, 8))
            def forward(self, x):
                return torch.cat([x, self.tail * 2])
        def build():
            return Net(), (torch.ones(2, 8),)
        """,
    )
    assert "KV_BLOCK" not in written
    assert "FORWARD" in written


@pytest.mark.parametrize("layout", ["strided", "jagged"])
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_nested_tensors_are_refused_in_one_sentence(tmp_path: Path, layout: str) -> None:
    text = f"""
        parts = [torch.ones(2, 4), torch.ones(3, 4)]
        rows = torch.nested.nested_tensor(parts, layout=torch.{layout})
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.rows = nn.Parameter(rows)
                self.linear = nn.Linear(4, 4)
            def forward(self, x):
                return self.linear(x)
        def owned():
            return Net(), (torch.ones(2, 4),)
        def given():
            return nn.Linear(4, 4), (rows,)
        """
    owned = refused(tmp_path, f"{textwrap.dedent(text)}build = owned")
    assert owned == "`rows` of `Net` is a nested tensor: torch gives it no size"
    given = refused(tmp_path, f"{textwrap.dedent(text)}build = given")
    assert given.endswith("bad.py` is a nested tensor")


def test_the_unfinished_graph_of_an_export_stays_out_of_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program, _ = compiled(
        tmp_path,
        """
        import sys
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = nn.Linear(4, 4)
            def forward(self, x):
                print("said by the model", file=sys.stderr)
                return self.linear(x) if x.sum() > 0 else x
        def build():
            return Net(), (torch.ones(2, 4),)
        """,
    )
    printed = capsys.readouterr()
    assert "def forward" not in printed.err + printed.out
    assert "said by the model" in printed.err
    assert "data-dependent" in program.captures[0].reason
