"""Declared precision floors reach the file, and a wrong one is told before anything is captured."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirc.cli.main import cli

MODEL = """
import pathlib
import torch
from torch import nn
pathlib.Path("was_imported").touch()
model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 4))
example_inputs = torch.zeros(2, 8)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path


def compiled(*floors: str) -> Result:
    options = [word for floor in floors for word in ("--precision-floor", floor)]
    return CliRunner().invoke(cli, ["compile", "model.py", "-o", "model.mir", *options])


def test_the_first_pattern_that_matches_is_the_floor(folder: Path) -> None:
    assert compiled("0.*=float16", "*=int8").exit_code == 0
    text = (folder / "model.mir").read_text()
    first, _, second = text.partition("object 1.weight")
    assert "precision_ladder = [float32, float16]\n  precision_floor  = float16" in first
    assert "precision_ladder = [float32, bfloat16, int8]\n  precision_floor  = int8" in second
    assert CliRunner().invoke(cli, ["check", "model.mir"]).exit_code == 0


@pytest.mark.parametrize(
    ("floor", "sentence"),
    [
        ("float16", "`float16` names no type: write it as `lm_head.*=bfloat16`"),
        ("*=bfloat", "`bfloat` is no element type: did you mean `bfloat16`?"),
    ],
)
def test_a_wrong_floor_is_told_before_the_model_is_touched(
    folder: Path, floor: str, sentence: str
) -> None:
    result = compiled(floor)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert not (folder / "was_imported").exists()
