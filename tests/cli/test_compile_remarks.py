"""What ``mirc compile`` says about its own figures: warnings, notes and refusals."""

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from mirc.answers import certify as certifying
from mirc.cli.main import cli

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "compile-1.schema.json"
MODEL = """
import torch
from torch import nn
model = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 64))
example_inputs = (torch.zeros(2, 64),)
"""
MASKED = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 4)
    def forward(self, x):
        return self.head(x[x[:, 0] > 0]).sum()
model, example_inputs = Net(), (torch.zeros(6, 8),)
"""
BRANCHING = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.small, self.large = nn.Linear(4, 4), nn.Linear(4, 4)
    def forward(self, x):
        return self.small(x) if x.sum() > 0 else self.large(x)
model, example_inputs = Net(), (torch.zeros(2, 4),)
"""
WEIGHTLESS = """
import torch
from torch import nn
model, example_inputs = nn.Softmax(-1), (torch.zeros(2, 4),)
"""
TRAINED = """
import torch
from torch import nn
def mirc_training():
    net = nn.Linear(8, 4)
    return net, (torch.zeros(2, 8),), lambda y: y.sum(), torch.optim.Adam(net.parameters())
"""
CONFIG = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_layer": 1, "n_embd": 8}


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["compile", *args])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("hf:config.json", ("-o", "config.json")),
        ("hf:.", ("-o", "config.json")),
        ("hf:.", ("-o", "a.mir", "--graph", "config.json")),
        ("model.py:model", ("-o", "model.py")),
    ],
)
def test_no_output_takes_the_place_of_what_the_target_reads(
    folder: Path, target: str, options: tuple[str, ...]
) -> None:
    (folder / "config.json").write_text(json.dumps(CONFIG))
    result = run(target, *options)
    assert result.exit_code == 2
    assert "is read or written already by this command" in result.stderr
    assert json.loads((folder / "config.json").read_text()) == CONFIG
    assert (folder / "model.py").read_text() == MODEL


def test_a_training_step_is_certified(folder: Path) -> None:
    (folder / "train.py").write_text(TRAINED)
    result = run("train.py", "-o", "a.mir", "-M", "card-24g", "--certify")
    assert result.exit_code == 0, result.output
    assert "offsets in HBM of card-24g during optimizer_update" in result.stdout
    assert "warning:" not in result.stderr


def test_what_cannot_be_certified_is_not_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(certifying, "tier_offsets", failing)
    assert run("model.py", "-o", "a.mir", "-M", "card-24g", "--certify").exit_code != 0
    assert not (folder / "a.mir").exists()


def test_sizes_that_depend_on_data_are_warned_of_and_counted(folder: Path) -> None:
    (folder / "masked.py").write_text(MASKED)
    result = run("masked.py", "-o", "a.mir", "--output-format", "json")
    assert result.exit_code == 0, result.output
    assert "warning: phase `forward`: " in result.stderr
    assert "have sizes that depend on data" in result.stderr
    document = json.loads(result.stdout)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
    assert document["phases"][0]["operations_of_data"] >= 2
    assert document["phases"][0]["flops"] == 2 * 6 * 8 * 4  # at most all rows
    assert "that depend on data" in run("masked.py", "-o", "a.mir").stdout


def test_a_phase_that_torch_could_not_export_is_warned_of_with_the_reason(folder: Path) -> None:
    (folder / "branching.py").write_text(BRANCHING)
    result = run("branching.py", "-o", "a.mir")
    assert result.exit_code == 0, result.output
    assert "warning: phase `forward` is known by module_tree only: export: " in result.stderr


def test_a_floor_that_matches_nothing_is_refused_with_the_nearest_names(folder: Path) -> None:
    result = run("model.py", "-o", "a.mir", "--precision-floor", "0.wight=int4")
    assert result.exit_code == 2
    assert "names `0.wight`, and no weight or cache is named so" in result.stderr
    assert "`0.weight`" in result.stderr
    assert not (folder / "a.mir").exists()


def test_where_nothing_can_be_wired_a_note_says_why(folder: Path) -> None:
    (folder / "bare.py").write_text(WEIGHTLESS)
    bare = run("model.py", "-o", "a.mir", "--wire")
    assert "note: nothing is wired: no machine was named" in bare.stderr
    none = run("bare.py", "-o", "a.mir", "--wire", "-M", "edge")
    assert "note: nothing is wired on edge: no weight that is only read stays" in none.stderr


def test_what_is_wired_is_in_both_summaries() -> None:
    asked = ("model.py", "-o", "a.mir", "--wire", "-M", "h100-sxm")
    assert "wired on h100-sxm: " in run(*asked).stdout
    document = json.loads(run(*asked, "--output-format", "json").stdout)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
    assert document["wired"][0]["size_bytes"] > 0


def test_always_fold_says_why_it_does_not() -> None:
    result = run("model.py", "-o", "a.mir", "--fold", "always")
    assert "not folded: " in result.stdout
    assert "folding" not in result.stderr
