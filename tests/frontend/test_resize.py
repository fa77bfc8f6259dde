"""Inputs of a user's own: which batch they are, and what another capture shows of growth."""

import torch
from torch import Tensor, nn

from mirc.emit import emit
from mirc.frontend import CaptureOptions
from mirc.frontend.program import capture_model
from mirc.frontend.resize import elsewhere, sizes_of
from mirc.frontend.usercode import UserModel
from mirc.grammar import print_module
from mirc.graph import Program, Role, Scale
from mirc.passes.pipeline import run
from tests.frontend import tiny


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(100, 8)
        self.head = nn.Linear(8, 4)

    def forward(self, words: Tensor) -> Tensor:
        found: Tensor = self.head(self.embed(words))
        return found


class OfOneBatch(nn.Module):
    """Its batch is written into it: it runs at no other."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(x.reshape(2, 3, 8))
        return found


class Selecting(nn.Module):
    """The loop over experts as textbooks write it, two of four for each of six tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(8, 4)
        self.experts = nn.ModuleList(nn.Linear(8, 8, bias=False) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        weights, chosen = self.gate(x).softmax(-1).topk(2, -1)
        out = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            rows, ranks = torch.where(chosen == number)
            out.index_add_(0, rows, expert(x[rows]) * weights[rows, ranks, None])
        return out


def scales(program: Program) -> set[Scale]:
    made = (Role.ACTIVATION, Role.OUTPUT, Role.INPUT)
    return {one.scale for one in program.storages if one.role in made}


def text(program: Program) -> str:
    return print_module(emit(program, run(program)))


def test_the_batch_is_the_first_dimension_that_all_inputs_share() -> None:
    words, mask = torch.zeros(3, 16, dtype=torch.long), torch.ones(3, 16, dtype=torch.bool)
    assert sizes_of(((words, mask), {"scale": torch.tensor(1.0)})) == (3, 16)
    assert sizes_of(((torch.zeros(4, 3, 32, 32),), {})) == (4, 1)
    assert sizes_of(((torch.zeros(4, 8), torch.zeros(1, 8)), {})) == (1, 1)
    assert list(elsewhere(((torch.zeros(4, 8), torch.zeros(1, 8)), {}))) == []
    both, alone = elsewhere(((words, torch.zeros(3, 5)), {}))
    assert [tuple(one.shape) for one in both[0]] == [(5, 12), (5, 5)]
    assert [tuple(one.shape) for one in alone[0]] == [(5, 16), (5, 5)]


def test_amounts_of_a_user_s_model_grow_with_its_batch_and_tokens() -> None:
    program = tiny.of_module(Words(), torch.zeros(2, 16, dtype=torch.long))
    graph = program.graphs[0]
    assert (graph.batch, graph.tokens) == (2, 16)
    assert scales(program) == {Scale.PER_TOKEN}
    written = text(program)
    assert "batch   = 2" in written
    assert "tokens  = 16" in written
    assert "PER_TOKEN(64)" in written  # FLOPs of the head: 2 x 8 x 4


def test_what_runs_at_no_other_batch_is_fixed_in_sizes_and_flops_alike() -> None:
    program = tiny.of_module(OfOneBatch(), torch.zeros(6, 8))
    assert scales(program) == {Scale.FIXED}
    written = text(program)
    assert "PER_" not in written.partition("phase forward")[2]


def test_a_phase_of_a_trained_file_is_captured_as_it_is() -> None:
    module = nn.Linear(4, 4)
    model = UserModel(name="net", calls={"forward": (module, (torch.zeros(2, 4),), {})})
    program = capture_model(model, CaptureOptions(), lambda _: None)
    assert program.graphs[0].batch == 2
    assert scales(program) == {Scale.PER_TOKEN}  # one token a sequence


def test_sizes_that_depend_on_data_count_at_their_most_and_are_known_as_such() -> None:
    program = tiny.of_module(Selecting(), torch.zeros(6, 8))
    graph = program.graphs[0]
    products = [node for node in graph.nodes if node.module.startswith("experts.")]
    # at most all 12 choices of an expert, 8 x 8 weights
    assert [node.flops for node in products] == [2 * 12 * 64] * 4
    assert {node.flops_scale for node in products} == {Scale.DATA}
    (gate,) = (node for node in graph.nodes if node.module == "gate")
    assert gate.flops_scale is Scale.PER_SEQUENCE
    assert Scale.DATA in scales(program)
