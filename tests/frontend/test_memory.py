"""Views, in-place writes, state and caches of plain user modules."""

import torch
from torch import Tensor, nn

from mirc.frontend import CaptureOptions
from mirc.frontend.program import capture_model
from mirc.frontend.usercode import UserModel
from mirc.graph import Access, Program, Role
from mirc.graph.verify import verify
from tests.frontend import tiny


def captured(module: nn.Module, *args: Tensor) -> Program:
    model = UserModel(name="net", calls={"forward": (module, args, {})})
    program = capture_model(model, CaptureOptions(), lambda _: None)
    assert verify(program) == ()
    return program


def test_an_in_place_result_lies_in_the_storage_that_it_changed() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            made = x * 2
            made.view(-1).add_(1)
            return made[:, :2]

    program = captured(Net(), torch.ones(4, 4))
    (graph,) = program.graphs
    assert [node.op for node in graph.nodes] == ["aten.mul.Tensor", "aten.add_.Tensor"]
    (made,) = graph.outputs
    assert graph.nodes[1].reads == graph.nodes[1].writes
    assert graph.nodes[1].writes[0].storage == made
    assert program.storages[made].size_bytes == 4 * 4 * 4


def test_a_buffer_and_an_input_that_are_written_are_marked() -> None:
    class Net(nn.Module):
        count: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("count", torch.zeros(1))

        def forward(self, x: Tensor, state: Tensor) -> Tensor:
            self.count.add_(1)
            state.copy_(x)
            return x + self.count

    program = captured(Net(), torch.ones(4), torch.zeros(4))
    assert tiny.storage(program, "count").mutated
    state = tiny.storage(program, "forward.state")
    assert (state.role, state.mutated) == (Role.STATE, True)
    copy = next(node for node in program.graphs[0].nodes if node.op == "aten.copy_.default")
    assert state.index not in {use.storage for use in copy.reads}  # its old bytes do not matter
    assert not tiny.storage(program, "forward.x").mutated


def test_an_indexed_write_moves_what_it_writes() -> None:
    class Net(nn.Module):
        def forward(self, table: Tensor, place: Tensor, row: Tensor) -> Tensor:
            return table.index_copy_(0, place, row)

    program = captured(Net(), torch.zeros(100, 8), torch.tensor([3]), torch.ones(1, 8))
    (node,) = program.graphs[0].nodes
    assert [use.size_bytes for use in node.writes] == [8 * 4]


def test_a_cat_that_extends_an_input_and_is_handed_out_is_a_cache() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = Attention()

        def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, ...]:
            grown: tuple[Tensor, ...] = self.attention(x, keys, values)
            return grown

    class Attention(nn.Module):
        def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, ...]:
            keys, values = torch.cat([keys, x], 1), torch.cat([values, x * 2], 1)
            return (x @ keys.transpose(1, 2)) @ values, keys, values

    program = captured(Net(), torch.ones(1, 1, 8), torch.ones(1, 9, 8), torch.ones(1, 9, 8))
    (cache,) = (one for one in program.storages if one.role is Role.CACHE)
    assert cache.name == "kv.attention"
    assert cache.per_token_bytes == 2 * 8 * 4
    assert cache.size_bytes == 10 * 2 * 8 * 4
    writes = [use for node in program.graphs[0].nodes for use in node.writes]
    assert sum(use.size_bytes for use in writes if use.storage == cache.index) == 2 * 8 * 4


def test_part_of_a_weight_is_touched_not_read_whole() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.positions = nn.Parameter(torch.zeros(100, 8))

        def forward(self, x: Tensor) -> Tensor:
            return x + self.positions[:5]

    program = captured(Net(), torch.ones(5, 8))
    (node,) = program.graphs[0].nodes
    table = tiny.storage(program, "positions")
    (read,) = (use for use in node.reads if use.storage == table.index)
    assert (read.access, read.size_bytes) == (Access.TOUCH, 5 * 8 * 4)


def test_dropout_in_training_code_and_noise_are_random() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.dropout(x, 0.5, training=True) + torch.randn(4)

    (graph,) = captured(Net(), torch.ones(4)).graphs
    assert [node.op.split(".")[1] for node in graph.nodes if node.random] == ["dropout", "randn"]


def test_a_module_that_runs_twice_has_two_steps_and_one_weight() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            made: Tensor = self.first(self.second(self.first(x)))
            return made

    program = captured(Net(), torch.ones(1, 4))
    assert [step.name for step in program.graphs[0].steps] == ["first", "second", "first.run_2"]
    assert len([one for one in program.storages if one.role is Role.PARAMETER]) == 4


def test_a_parameter_that_nothing_reads_is_still_there() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.idle = nn.Parameter(torch.zeros(3))

        def forward(self, x: Tensor) -> Tensor:
            return x + 1

    assert tiny.storage(captured(Net(), torch.ones(2)), "idle").size_bytes == 3 * 4


def test_a_region_under_its_own_gradient_mode_is_walked_into() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            with torch.enable_grad():
                y = x * 2
            return y + 1

    (graph,) = captured(Net(), torch.ones(2)).graphs
    assert [node.op for node in graph.nodes] == ["aten.mul.Tensor", "aten.add.Tensor"]
