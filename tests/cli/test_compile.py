"""``mirc compile`` as people run it, on a model of a few kilobytes."""

import json
from pathlib import Path

import jsonschema
import networkx as nx
import pytest
from click.testing import CliRunner, Result

from mirc.cli.main import cli
from mirc.machine.load import source
from mirc.passes.pipeline import PIPELINE

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "compile-1.schema.json"
MODEL = """
import pathlib
import torch
from torch import nn

pathlib.Path("was_imported").touch()


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(64, 64) for _ in range(3))

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x


def get_init_inputs():
    return []


def get_inputs():
    return [torch.zeros(2, 64)]
"""


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["compile", *args])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "same.toml").write_text(source("h100-sxm"))
    return tmp_path


def test_a_model_becomes_a_file_that_check_finds_nothing_in(folder: Path) -> None:
    result = run("model.py", "-o", "model.mir", "-M", "h100-sxm")
    assert result.exit_code == 0, result.output
    checked = CliRunner().invoke(cli, ["check", "model.mir"])
    assert (checked.exit_code, checked.output) == (0, "nothing found in 1 file\n")
    # 3 x (64 x 64 weights and 64 biases) of 4 bytes
    assert "WEIGHT_TILE: 6, 49_920 bytes" in result.stdout
    assert "captured by export" in result.stdout
    assert "capture: " in result.stderr
    assert [path.name for path in folder.iterdir() if path.suffix == ".tmp"] == []


def test_the_file_goes_to_standard_output_and_the_summary_aside(folder: Path) -> None:
    del folder
    result = run("model.py")
    assert result.stdout.startswith("mir 1.0\n")
    assert "WEIGHT_TILE: 6" in result.stderr
    assert "WEIGHT_TILE: 6" not in result.stdout


def test_the_summary_as_json_follows_its_schema(folder: Path) -> None:
    del folder
    result = run("model.py", "-o", "a.mir", "-M", "card-24g", "--output-format", "json")
    document = json.loads(result.stdout)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
    assert [row["machine"] for row in document["plans"]] == ["card-24g"]


def test_the_passes_explain_themselves_on_standard_output_and_their_seconds_aside(
    folder: Path,
) -> None:
    del folder
    result = run("model.py", "-o", "a.mir", "--explain-passes")
    for each in PIPELINE:
        assert f"{each.name}:\n" in result.stdout
        assert f"{each.name}: 0." in result.stderr


def test_one_pass_alone_is_explained_and_writes_no_file(folder: Path) -> None:
    result = run("model.py", "-o", "a.mir", "--passes", "liveness")
    assert result.stdout.startswith("phase-annotator:\n")
    assert "liveness:\n" in result.stdout
    assert "reuse" not in result.stdout
    assert not (folder / "a.mir").exists()


def test_a_machine_of_one_s_own_is_named_by_its_path(folder: Path) -> None:
    (folder / "mine.toml").write_text(source("h100-sxm").replace('"h100-sxm"', '"mine"', 1))
    run("model.py", "-o", "a.mir", "-M", "mine.toml")
    assert 'machine = "mine.toml"' in (folder / "a.mir").read_text("utf-8")
    assert CliRunner().invoke(cli, ["check", "a.mir"]).exit_code == 0


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("-o", "none/a.mir"), "the folder of `none/a.mir` does not exist"),
        (("-M", "h1000"), "`h1000`"),
        (("-M", "h100-sxm", "-M", "same.toml"), "`h100-sxm` is given twice"),
        (("--passes", "livenes"), "there is no pass `livenes`"),
        (("--schedule", "REPEAT("), "`REPEAT(` is not a schedule"),
        (("--tile-bytes", "12parsecs"), "`12parsecs` is not a size"),
        (("--tile-bytes", "0"), "at least one byte"),
    ],
)
def test_a_wrong_option_is_told_before_the_model_is_touched(
    folder: Path, args: tuple[str, ...], sentence: str
) -> None:
    result = run("model.py", *args)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not (folder / "was_imported").exists()


def test_a_schedule_of_an_unknown_phase_is_one_sentence(folder: Path) -> None:
    del folder
    result = run("model.py", "-o", "a.mir", "--schedule", "REPEAT(2, backwards)")
    assert result.exit_code == 2
    assert "the schedule runs the phase `backwards`, which was not captured" in result.stderr


def test_an_interrupted_compile_leaves_no_file_and_the_old_one_whole(folder: Path) -> None:
    (folder / "a.mir").write_text("mir 1.0\n")
    (folder / "model.py").write_text("raise KeyboardInterrupt\n")
    result = run("model.py", "-o", "a.mir")
    assert result.exit_code == 130
    assert (folder / "a.mir").read_text() == "mir 1.0\n"
    left = sorted(path.name for path in folder.iterdir() if path.is_file())
    assert left == ["a.mir", "model.py", "same.toml"]


def test_help_says_that_the_user_s_code_is_run() -> None:
    assert "imported and run" in run("--help").output


def test_the_dependency_graph_is_written_beside_the_intent(folder: Path) -> None:
    result = run("model.py", "-o", "model.mir", "--graph", "model.graphml")
    assert result.exit_code == 0, result.output
    drawn = nx.read_graphml(folder / "model.graphml")
    # 3 linear layers and 3 rectifiers in a row: 5 edges of 2 x 64 floats
    assert [drawn.nodes[node]["op"].split(".")[1] for node in drawn] == ["linear", "relu"] * 3
    assert [known["bytes"] for *_, known in drawn.edges(data=True)] == [512] * 5
