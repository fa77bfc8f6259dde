"""Models that really run: what is seen of them bears the names of their compiled files."""

import json
from pathlib import Path

import pytest

from mirc.diagnostics import CouldNotRun, Source
from mirc.emit import emit
from mirc.frontend import CaptureOptions, capture
from mirc.grammar import load, print_module
from mirc.ir import Module
from mirc.observe import execute
from mirc.observe.compare import against
from mirc.passes.pipeline import run
from mirc.traces.observations import Part, dump, stream

MODEL = """
import torch
from torch import nn

class Toy(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(64, 8)
        self.used = nn.Linear(8, 8)
        self.spare = nn.Linear(8, 8)

    def forward(self, ids, step=None):
        return self.used(self.table(ids)).relu()

def mirc_entries():
    return {"forward": (Toy(), (torch.tensor([[1, 2, 40]]),))}
"""
TINY = {
    "model_type": "mixtral",
    "architectures": ["MixtralForCausalLM"],
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "vocab_size": 32,
    "max_position_embeddings": 64,
    "dtype": "float32",
}


def quiet(_line: str) -> None:
    return


def seen(target: str, options: CaptureOptions, runs: int) -> list[Part]:
    return list(execute.observed(target, options, runs, 0, quiet))


def compiled(target: str, options: CaptureOptions) -> Module:
    program = capture(target, options, quiet)
    return load(Source("toy.mir", print_module(emit(program, run(program)))))


@pytest.fixture
def toy(tmp_path: Path) -> str:
    path = tmp_path / "toy.py"
    path.write_text(MODEL, "utf-8")
    return str(path)


def test_a_model_of_ones_own_shows_what_it_reads_and_how_large_it_is(toy: str) -> None:
    # a table of 64 rows of 32 bytes in tiles of 512 bytes: rows 1, 2 and 40 lie in [0:16], [32:48]
    options = CaptureOptions(tile_bytes=512, fold="never")
    parts = seen(toy, options, 3)
    named = {part[1]: part[2] for part in parts if isinstance(part, tuple) and part[0] == "object"}
    assert named["table.weight[0:16]"] == named["table.weight[32:48]"] == 512
    assert "table.weight[16:32]" not in named
    assert named["used.weight"] == 256
    assert "spare.weight" not in named
    times = [part[1] for part in parts if isinstance(part, tuple) and part[0] in ("step", "end")]
    assert times == sorted(times)
    assert times[0] > 0
    (log,) = against(compiled(toy, options), stream(dump(parts), "obs"), "obs").logs
    assert log.runs == (("forward", 3),)
    assert log.facts.other_sizes == ()
    assert log.facts.sizes >= 4
    assert {each.object for each in log.never_read if each.klass == "WEIGHT_TILE"} == {
        "spare.weight",
        "spare.bias",
    }


def test_a_step_that_reads_and_writes_an_object_uses_it_once() -> None:
    """As a simulated run logs it: the write; a second use would count as a second step's."""
    notes = execute.Notes(())
    notes.step(0, 0)
    for kind, name in (("read", "a"), ("write", "b"), ("read", "b"), ("write", "a"), ("read", "c")):
        notes.use(kind, 5, name, 8)
    notes.step(0, 1)
    notes.use("read", 7, "a", 8)
    uses = [(row[0], row[2]) for row in notes.taken() if row[0] in ("read", "write")]
    assert uses == [("write", 0), ("write", 1), ("read", 2), ("read", 0)]


@pytest.mark.mechanism("S0-37")
def test_the_experts_that_are_seen_are_those_that_a_real_router_chose(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(TINY), "utf-8")
    options = CaptureOptions(phases="decode_step:past=4", fold="never")
    parts = seen(f"hf:{path}", options, 4)
    objects = [part[1] for part in parts if isinstance(part, tuple) and part[0] == "object"]
    chosen: list[set[str]] = []
    for part in parts:
        if isinstance(part, tuple) and part[0] == "end":
            chosen.append(set())
        elif isinstance(part, tuple) and part[0] == "read" and "gate_up" in objects[part[2]]:
            (chosen or [set()])[-1].add(objects[part[2]])
    # one token, two of four experts, and another two another time: inputs are drawn anew
    assert [len(each) for each in chosen[:-1]] == [2, 2, 2]
    (log,) = against(compiled(f"hf:{path}", options), stream(dump(parts), "obs"), "obs").logs
    routed = log.scored[1].total
    assert routed is not None
    assert (routed.score.trials, routed.score.observed) == (2 * 4 * 4, 0.5)
    assert log.facts.other_sizes == ()


def test_what_cannot_be_exported_or_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    body = "return self.used(self.table(ids)).relu()"
    path.write_text(MODEL.replace(body, "return ids if ids.sum() > 3 else -ids"), "utf-8")
    with pytest.raises(CouldNotRun, match="`forward` cannot be exported"):
        seen(str(path), CaptureOptions(), 1)
    path.write_text(MODEL.replace(body, "return ids[ids.tolist()[0][0]]"), "utf-8")
    with pytest.raises(CouldNotRun, match="`forward` does not run: IndexError"):
        seen(str(path), CaptureOptions(), 1)


def test_a_model_that_is_too_large_to_run_is_refused(
    toy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "MOST_BYTES", 100)
    with pytest.raises(CouldNotRun, match="of weights, and observing runs it for real"):
        seen(toy, CaptureOptions(), 1)
