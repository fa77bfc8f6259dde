"""Peak-live against counts that share nothing with it: drawn graphs, tensors that really ran."""

from pathlib import Path
from typing import Any

import attrs
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, fx, nn

from mirc.frontend import CaptureOptions
from mirc.frontend.program import capture
from mirc.graph import Program, Role
from mirc.passes.liveness import Live, allocation_of
from mirc.passes.phase_annotator import Phases
from mirc.passes.pipeline import PIPELINE, run
from mirc.passes.steps import MADE
from tests.frontend import tiny
from tests.passes.programs import Builder, decoder


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Nodes in steps of one to three; they read what is there, write anew or in place."""
    build = Builder()
    made: list[int] = []
    outputs: list[int] = []
    given_in = build.store("p.in", draw(st.integers(1, 9)), Role.INPUT)
    for place in range(draw(st.integers(1, 12))):
        pool = st.sampled_from([given_in, *made])
        reads = draw(st.lists(pool, max_size=3, unique=True))
        if made and draw(st.integers(0, 3)) == 0:
            writes = [draw(st.sampled_from(made))]  # in place
        else:
            role = draw(st.sampled_from((Role.ACTIVATION, Role.ACTIVATION, Role.OUTPUT)))
            writes = [build.store(f"p.{place}", draw(st.integers(1, 20)), role)]
            made += writes
            outputs += writes if role is Role.OUTPUT else []
        build.node(f"s{place}", reads, writes, step=place == 0 or draw(st.booleans()))
    handed = draw(st.lists(st.sampled_from(made), unique=True)) if made else []
    build.phase("p", outputs=sorted({*outputs, *handed}))
    return build.program()


def brute_force(program: Program, touched: list[set[int]], sizes: dict[int, int]) -> int:
    """Count, at every node, the bytes of what the run made and still needs.

    ``touched[n]`` are the storages that node ``n`` reads or writes. What is used in one step only
    and not handed out is needed from its first node to its last; all else from the beginning of
    its first step to the end of its last, what is handed out to the end of the phase.
    """
    (graph,) = program.graphs
    step_of = [
        place for place, step in enumerate(graph.steps) for _ in range(step.first, step.last + 1)
    ]
    outputs = graph.outputs | {s.index for s in program.storages if s.role is Role.OUTPUT}
    worst = 0
    for node, step in enumerate(step_of):
        alive = 0
        for storage, size in sizes.items():
            nodes = [n for n, names in enumerate(touched) if storage in names]
            if not nodes:
                continue
            first, last = step_of[nodes[0]], step_of[nodes[-1]]
            if storage in outputs:
                needed = first <= step
            elif first == last:
                needed = nodes[0] <= node <= nodes[-1]
            else:
                needed = first <= step <= last
            alive += size if needed else 0
        worst = max(worst, alive)
    return worst


@given(programs())
def test_the_peak_of_drawn_graphs_is_that_of_a_count_at_every_node(program: Program) -> None:
    touched = [{u.storage for u in (*n.reads, *n.writes)} for n in program.graphs[0].nodes]
    sizes = {s.index: s.size_bytes for s in program.storages if s.role in MADE}
    facts = run(program, only=("liveness",))
    life = facts[Live].phases["p"]
    assert life.peak.size_bytes == brute_force(program, touched, sizes)
    made = allocation_of(program, facts[Phases].phases[0], life)
    # The offset plan counts time in nodes, and comes to the same peak.
    assert made.plan.peak_bytes + life.waiting_bytes == life.peak.size_bytes
    assert made.plan.height_bytes >= life.peak.size_bytes


VIEWS = """
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(16, 48), nn.Linear(16, 16)
        self.register_buffer("seen", torch.zeros(16))

    def forward(self, x):
        q, k, v = self.a(x).chunk(3, -1)
        scores = torch.softmax(q @ k.transpose(-1, -2), -1)
        y = scores @ v
        y.add_(x)
        z = y.view(-1, 16)[::2]
        self.seen.add_(z.sum(0))
        return self.b(z), y.expand(2, *y.shape)

def get_init_inputs(): return []
def get_inputs(): return [torch.ones(4, 6, 16)]
"""
IN_PLACE = """
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(32, 32) for _ in range(3))

    def forward(self, x, history):
        history[:, 0] = x
        total = torch.zeros_like(x)
        for layer in self.layers:
            y = layer(x)
            y.relu_()
            y.mul_(2)
            total += y
            x = torch.cat((y[:, :16], x[:, 16:]), -1)
        kept = total.t().contiguous()
        return kept.flatten(), x.unsqueeze(0)

def get_init_inputs(): return []
def get_inputs(): return [torch.ones(8, 32), torch.zeros(8, 4, 32)]
"""
CHAIN = """
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(24), nn.Linear(24, 96), nn.Linear(96, 24)

    def forward(self, x):
        for _ in range(2):
            h = nn.functional.gelu(self.up(self.norm(x)))
            x = x + self.down(h)
        first, second = x.split(12, -1)
        return first * second.sigmoid()

def get_init_inputs(): return []
def get_inputs(): return [torch.ones(3, 5, 24)]
"""


@pytest.mark.parametrize("text", [VIEWS, IN_PLACE, CHAIN], ids=["views", "in place", "chain"])
def test_the_peak_is_that_of_the_storages_of_tensors_that_really_ran(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "model.py").write_text(text)
    program = capture(str(tmp_path / "model.py"), CaptureOptions(), lambda _: None)
    space: dict[str, Any] = {}
    exec(text, space)  # noqa: S102 - the model above, built a second time
    ran = _Recorder(space["Model"](), space["get_inputs"]())
    (graph,) = program.graphs
    touched = ran.touched_by([node.op for node in graph.nodes])
    handed = {s for s in ran.outputs if s in ran.sizes}
    relabelled = _handing(program, handed)
    life = run(program, only=("liveness",))[Live].phases[graph.phase]
    assert life.peak.size_bytes == brute_force(relabelled, touched, ran.sizes) > 0


def _handing(program: Program, outputs: set[int]) -> Program:
    """Return the program's steps alone, with real storages for outputs."""
    (graph,) = program.graphs
    return attrs.evolve(
        program, storages=(), graphs=(attrs.evolve(graph, outputs=frozenset(outputs)),)
    )


class _Recorder(fx.Interpreter):
    """Runs an exported model on real tensors and notes which storages each node touches."""

    def __init__(self, model: nn.Module, inputs: list[Tensor]) -> None:
        exported = torch.export.export(model, tuple(inputs), strict=False)
        super().__init__(exported.graph_module)
        self.rows: list[tuple[str, set[int]]] = []
        self.sizes: dict[int, int] = {}
        self.kept: list[Tensor] = []  # a storage that is let go could come back as another
        self.outputs: set[int] = set()
        self.lasting: set[int] = set()
        with torch.no_grad():
            state = {**exported.state_dict, **exported.constants}
            for tensor in (*state.values(), *inputs):
                self.lasting.add(self._note(tensor))
            names = exported.graph_signature
            given = [
                state[names.inputs_to_parameters.get(n.name) or names.inputs_to_buffers[n.name]]
                if n.name in names.inputs_to_parameters or n.name in names.inputs_to_buffers
                else inputs[names.user_inputs.index(n.name)]
                for n in exported.graph.nodes
                if n.op == "placeholder"
            ]
            self.run(*given, enable_io_processing=False)
        for storage in self.lasting:
            self.sizes.pop(storage)

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if n.op == "call_function":
            args = [self.env[source] for source in n.all_input_nodes]
            self.rows.append((str(n.target), {self._note(t) for t in _tensors((*args, result))}))
        elif n.op == "output":
            self.outputs = {self._note(t) for t in _tensors(result)}
        return result

    def touched_by(self, ops: list[str]) -> list[set[int]]:
        """Return what each operation touched; ``ops`` leave out those that only make views."""
        rows = iter(self.rows)
        return [next(touched for name, touched in rows if name == op) for op in ops]

    def _note(self, tensor: Tensor) -> int:
        storage = tensor.untyped_storage()
        self.kept.append(tensor)
        self.sizes.setdefault(storage.data_ptr(), storage.nbytes())
        return storage.data_ptr()


def _tensors(value: object) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [t for each in value for t in _tensors(each)] if isinstance(value, list | tuple) else []


PRESETS = ("gpt2", "llama3-8b", "mixtral-8x7b", "deepseek-v3", "whisper-large", "vit-base")


@pytest.mark.parametrize("name", PRESETS)
def test_offsets_of_every_kind_of_model_lie_within_a_hundredth_of_the_bound(name: str) -> None:
    program = tiny.program(name)
    liveness = next(each for each in PIPELINE if each.name == "liveness")
    found = list(liveness.certify(program, run(program, only=("liveness",))))
    assert len(found) == len(program.graphs)
    for certificate in found:
        assert certificate.gap is not None
        assert 0 <= certificate.gap <= 0.01


def test_a_certificate_says_what_was_placed_and_against_which_bound() -> None:
    program = decoder(layers=2)
    liveness = next(each for each in PIPELINE if each.name == "liveness")
    (found,) = liveness.certify(program, run(program, only=("liveness",)))
    assert found.decision == "offsets of what decode_step makes"
    assert (found.method, found.unit) == ("peak-live", "bytes")
    # 128,256 logits of 2 bytes, and the 16,384 of the residual stream that they are made of
    assert found.bound == 128_256 * 2 + 8_192 * 2
    assert found.note == "18 storages over 18 nodes"  # embedding, head and 8 a layer
