"""Building models too large to hold, and what torch's own files lose."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mirc.frontend import CaptureOptions, capture
from mirc.frontend.lazy import Lazily, emptied
from mirc.graph import Level, Role
from mirc.graph.verify import verify
from tests.frontend import tiny

CONSTRUCTS: dict[str, Callable[[], Any]] = {
    "a factory on another device": lambda: torch.rand(2, 2, device="cuda"),
    "a module sent by its method": lambda: nn.Linear(4, 4).cuda(),
    "a module sent by name": lambda: nn.Linear(4, 4).to("cuda:1"),
    "a module sent with its dtype": lambda: nn.Linear(4, 4).to("cuda", torch.float16),
    "a tensor sent by number": lambda: torch.ones(2).to(0),
    "a tensor sent by keyword": lambda: torch.ones(2).to(device="cuda", dtype=torch.int8),
    "a device as a context": lambda: _on("cuda", lambda: nn.Linear(4, 4)),
    "a layer of 400 GB": lambda: nn.Linear(1_000_000, 100_000),
    "a number read": lambda: torch.tensor([1.0, 2.0]).sum().item(),
    "a list read": lambda: torch.linspace(0, 0.1, 4).tolist(),
    "a test of a tensor": lambda: bool(torch.ones(2).any()),
    "a large tensor drawn": lambda: nn.init.trunc_normal_(torch.empty(100_000, 100_000)),
    "a small tensor made orthogonal": lambda: nn.init.orthogonal_(torch.empty(4, 4)),
    "a large tensor made orthogonal": lambda: nn.init.orthogonal_(torch.empty(100_000, 1000)),
    "a large and a small tensor added": lambda: torch.empty(1 << 20) + torch.ones(1),
    "a small tensor given a large one's sum": lambda: torch.ones(3).copy_(torch.zeros(1 << 20)[:3]),
    "a pinned tensor": lambda: torch.zeros(4).pin_memory().cpu(),
}


def _on(device: str, make: Callable[[], Any]) -> Any:
    with torch.device(device):
        return make()


@pytest.mark.parametrize("name", sorted(CONSTRUCTS))
def test_what_constructors_do_works_without_the_bytes_and_without_a_gpu(name: str) -> None:
    with Lazily(0):
        made = CONSTRUCTS[name]()
    tensors = [*made.parameters()] if isinstance(made, nn.Module) else [made]
    assert {one.device.type for one in tensors if isinstance(one, torch.Tensor)} <= {"cpu", "meta"}


def test_tensors_are_real_until_the_budget_is_spent() -> None:
    # 1 MiB each: two fit, and small ones are real throughout
    with Lazily(2 << 20) as lazily:
        made = [torch.ones(1 << 18) for _ in range(4)]
        small = torch.ones(4)
    assert [one.is_meta for one in made] == [False, False, True, True]
    assert small.sum().item() == 4
    assert (lazily.made_bytes, lazily.exceeded) == ((4 << 20) + 16, True)


def test_outside_everything_is_as_before() -> None:
    with Lazily(0):
        pass
    assert not torch.ones(1 << 20).is_meta


def test_tied_tensors_are_still_one_without_their_bytes() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(10, 4)
            self.head = nn.Linear(4, 10, bias=False)
            self.head.weight = self.embed.weight
            self.scale = torch.ones(3)  # no buffer, and yet it is on a device

    net = Net()
    other = nn.Sequential(net.embed)
    emptied((net, other))
    assert net.head.weight is net.embed.weight
    assert next(other.parameters()) is net.embed.weight
    assert isinstance(net.embed.weight, nn.Parameter)
    assert net.embed.weight.is_meta
    assert net.scale.is_meta


def written(folder: Path, text: str) -> str:
    path = folder / "mine.py"
    path.write_text("import torch\nfrom torch import nn\n" + textwrap.dedent(text))
    return str(path)


LARGE = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            rates = [one.item() for one in torch.linspace(0, 0.2, 12)]
            self.blocks = nn.ModuleList(
                nn.Sequential(nn.Linear(4096, 16384), nn.Dropout(rate), nn.Linear(16384, 4096))
                for rate in rates
            )
            for block in self.blocks:
                nn.init.trunc_normal_(block[0].weight, std=0.02)
            self.scale = nn.Parameter(torch.ones(4096))
            self.cuda()
        def forward(self, x):
            for block in self.blocks:
                x = x + block(x) * self.scale
            return x
"""


@pytest.mark.parametrize(
    "offer",
    [
        "def build():\n    return Net(), (torch.ones(1, 8, 4096, device='cuda'),)\n",
        "model = Net()\nexample_inputs = (torch.ones(1, 8, 4096),)\n",  # while it is imported
    ],
)
def test_a_model_of_billions_that_looks_at_numbers_and_asks_for_a_gpu_is_captured(
    offer: str, tmp_path: Path
) -> None:
    program = capture(
        written(tmp_path, textwrap.dedent(LARGE) + offer), CaptureOptions(), lambda _: None
    )
    assert verify(program) == ()
    assert {found.level for found in program.captures} == {Level.EXPORT}
    weights = sum(one.size_bytes for one in program.storages if one.role is Role.PARAMETER)
    assert weights == (12 * (2 * 4096 * 16384 + 16384 + 4096) + 4096) * 4  # 6.4 GB


def test_code_that_looks_at_a_weight_gets_the_weight(tmp_path: Path) -> None:
    # 400 MB, of which the last 200 exceed what is made at first
    text = """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.first = nn.Linear(5000, 10000, bias=False)
                self.second = nn.Linear(10000, 5000, bias=False)
                self.bound = self.second.weight.abs().max().item()
            def forward(self, x):
                return self.second(self.first(x)) / self.bound
        def build():
            return Net(), (torch.ones(1, 5000),)
        """
    program = capture(written(tmp_path, text), CaptureOptions(), lambda _: None)
    assert {found.level for found in program.captures} == {Level.EXPORT}


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_tied_weight_in_a_saved_program_is_one_object(device: str, tmp_path: Path) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(10, 4)
            self.inner = nn.Linear(4, 4)
            self.head = nn.Linear(4, 10, bias=False)
            self.head.weight = self.embed.weight

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            given: torch.Tensor = self.head(self.inner(self.embed(ids)))
            return given

    with torch.device(device):
        net, ids = Net(), torch.zeros(2, dtype=torch.long)
    path = tmp_path / "tied.pt2"
    torch.export.save(torch.export.export(net, (ids,)), path)
    program = capture(str(path), CaptureOptions(), lambda _: None)
    assert verify(program) == ()
    weights = {one.name: one.size_bytes for one in program.storages if one.role is Role.PARAMETER}
    assert weights == {"embed.weight": 160, "inner.weight": 64, "inner.bias": 16}
    embed = tiny.storage(program, "embed.weight").index
    readers = [
        node.op for node in program.graphs[0].nodes for use in node.reads if use.storage == embed
    ]
    assert readers == ["aten.embedding.default", "aten.linear.default"]
