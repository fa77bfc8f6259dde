"""``mirc graph`` as people run it; graphviz is stood in for, so that nothing hangs on it."""

from pathlib import Path

import networkx as nx
import pytest
from click.testing import CliRunner, Result

from mirc.cli.main import cli
from mirc.graph import drawing_forms

SAMPLE = Path(__file__).parents[2] / "samples" / "serving-small.mir"
MODEL = """
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(8, 16), nn.Linear(16, 8)

    def forward(self, x):
        return self.down(torch.relu(self.up(x)))


def get_init_inputs():
    return []


def get_inputs():
    return [torch.zeros(2, 8)]
"""


def run(*args: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["graph", *args], input=given)


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program called ``dot`` first on PATH."""
    program = folder / "bin" / "dot"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


def test_a_file_is_drawn_as_dot_on_standard_output() -> None:
    result = run(str(SAMPLE))
    assert result.exit_code == 0
    assert result.stdout.startswith('digraph "assistant-1b" {\n')
    assert '"layers.0.mlp.weight" -> "decode_step/layers.0.mlp"' in result.stdout
    assert result.stderr == "9 vertices, 12 edges\n"


def test_the_output_s_name_says_its_form(tmp_path: Path) -> None:
    out = tmp_path / "g.graphml"
    assert run(str(SAMPLE), "-o", str(out), "--phase", "prefill").exit_code == 0
    assert "prefill/layers.0.mlp" in nx.read_graphml(out)
    assert run(str(SAMPLE), "-o", str(out), "--to", "dot").exit_code == 0
    assert out.read_text().startswith("digraph")


def test_svg_is_what_graphviz_makes_of_the_dot_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, 'echo "$@" > "$0.args"; cat > "$0.input"; echo "<svg/>"')
    out = tmp_path / "g.svg"
    result = run(str(SAMPLE), "-o", str(out), "--around", "kv.layers.0", "--depth", "1")
    assert (result.exit_code, out.read_text()) == (0, "<svg/>\n")
    assert (tmp_path / "bin" / "dot.args").read_text() == "-Tsvg\n"
    given = (tmp_path / "bin" / "dot.input").read_text()
    assert given == run(str(SAMPLE), "--around", "kv.layers.0", "--depth", "1").stdout
    assert given.count("shape=ellipse") == 2  # the two steps that use it


def test_without_graphviz_svg_is_one_sentence_and_dot_still_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    out = tmp_path / "g.svg"
    result = run(str(SAMPLE), "-o", str(out))
    assert (result.exit_code, out.exists()) == (2, False)
    assert result.stderr == (
        "error: SVG needs graphviz's `dot`, which is not installed\n"
        "help: install graphviz, or write DOT or GraphML: name the output `.dot` or `.graphml`\n"
    )
    assert run(str(SAMPLE)).exit_code == 0


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'syntax error in line 1' >&2; exit 1", "`dot` failed: syntax error in line 1"),
        ("cat > /dev/null; exit 3", "`dot` failed: exit code 3"),
    ],
)
def test_what_graphviz_complains_of_is_passed_on(
    script: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, script)
    result = run(str(SAMPLE), "--to", "svg")
    assert result.exit_code == 2
    assert message in result.stderr


def test_graphviz_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "exec /bin/sleep 60")
    monkeypatch.setattr(drawing_forms, "MOST_SECONDS", 0.05)
    result = run(str(SAMPLE), "--to", "svg")
    assert result.exit_code == 2
    assert "`dot` did not lay out 9 vertices in 0.05 s" in result.stderr
    assert "`--around`" in result.stderr


def test_a_model_is_captured_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    result = run("model.py", "--around", "down.weight", "--depth", "1")
    assert result.exit_code == 0, result.output
    assert '"down.weight" -> "forward/down"' in result.stdout
    assert result.stderr.endswith("2 vertices, 1 edges\n")


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("-", "--depth", "1"), 2, "--depth needs --around"),
        (("-", "--phases", "prefill"), 2, "`--phases` says what to capture of a model"),
        (("-", "--phase", "decode"), 2, "did you mean `decode_step`?"),
        (("-", "--around", "kv.layer.0"), 2, "did you mean `kv.layers.0`?"),
        (("nowhere.mir",), 2, "there is no file `nowhere.mir`"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(
    args: tuple[str, ...], code: int, message: str
) -> None:
    result = run(*args, given=SAMPLE.read_text())
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr


def test_a_name_that_says_no_form_is_refused_before_the_work(tmp_path: Path) -> None:
    out = tmp_path / "h.png"
    result = run(str(SAMPLE), "-o", str(out))
    assert (result.exit_code, out.exists()) == (2, False)
    assert "its name ends in none of .dot, .gv, .graphml, .svg" in result.stderr
    assert run(str(SAMPLE), "-o", str(out), "--to", "dot").exit_code == 0
    assert out.read_text().startswith("digraph")


def test_a_wrong_file_is_reported_as_check_reports_it() -> None:
    result = run("-", given="mir 1.0\nobject w { clas = WEIGHT_TILE }\n")
    assert result.exit_code == 1
    assert "error[MIR" in result.stderr
