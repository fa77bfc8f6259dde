"""``mirc fit`` as people call it: text, JSON by its schema, exit codes, a model as target."""

import json
from pathlib import Path

from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from mirc.cli.main import cli
from tests.answers.test_fit import toy

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "fit-1.schema.json"
MODEL = """
import torch


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(64, 64)

    def forward(self, x):
        return self.inner(x)


def build():
    return Model()


model = Model()
example_inputs = (torch.zeros(4, 64),)
"""


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["fit", *arguments])


def written(folder: Path, text: str) -> str:
    path = folder / "toy.mir"
    path.write_text(text, "utf-8")
    return str(path)


def test_both_answers_are_printed_with_their_peaks(tmp_path: Path) -> None:
    result = invoke(written(tmp_path, toy()), "-M", "card-24g")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].endswith("on card-24g: hbm has 24 GB, 2.4 GB in reserve, 21.6 GB usable")
    assert "all of it in hbm:" in lines
    # 12 tokens are 2 blocks of 10 MB: (21,600 - 1,200) / 21 = 971; streamed (21,600 - 600) / 21
    batches = [line for line in lines if "largest batch" in line]
    assert [line.strip() for line in batches] == [
        "largest batch at 12 tokens of context: 971",
        "largest batch at 12 tokens of context: 1_000",
    ]
    assert "    reserve: 2.4 GB" in lines


def test_the_json_form_keeps_its_schema(tmp_path: Path) -> None:
    arguments = ("-M", "card-24g", "-M", "h100-sxm", "--output-format", "json")
    result = invoke(written(tmp_path, toy()), *arguments)
    document = json.loads(result.stdout)
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(document)
    near, tiers = document["machines"][0]["answers"]
    assert (near["scope"], tiers["scope"]) == ("near", "tiers")
    for answer in (near, tiers):
        shares = answer["peak"]["witness"]
        assert sum(share["size_bytes"] for share in shares) == answer["peak"]["size_bytes"]


def test_what_does_not_fit_is_a_finding(tmp_path: Path) -> None:
    result = invoke(written(tmp_path, toy(weight=23_000_000_000)), "-M", "card-24g")
    assert result.exit_code == 1
    assert result.stdout.count("does not fit: not one sequence at 12 tokens of context") == 2
    assert "too many" in result.stdout


def test_the_batch_and_the_context_can_be_given(tmp_path: Path) -> None:
    path = written(tmp_path, toy())
    arguments = ("-M", "card-24g", "--batch", "4", "--context", "100", "--output-format", "json")
    found = json.loads(invoke(path, *arguments).stdout)["machines"][0]
    assert (found["batch"], found["context"]) == (4, 100)
    # 10 blocks: (21,600 - 1,200) / 101; 4 sequences: (21,600 - 1,200) / 4 = 5,100 = 1 + 509 x 10
    near = found["answers"][0]
    assert (near["largest_batch"], near["largest_context"]) == (201, 5090)


def test_a_model_needs_a_machine_to_be_named() -> None:
    result = invoke("preset:gpt2")
    assert result.exit_code == 2
    assert "no machine was named" in result.stderr


def test_a_model_is_captured_once(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text(MODEL, "utf-8")
    result = invoke(str(path), "-M", "card-24g")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.count("capture: ") == 1
    assert "largest batch" in result.stdout


def test_a_wrong_schedule_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, toy())
    result = invoke(path, "-M", "card-24g", "--schedule", "REPEAT(2, decoed)")
    assert result.exit_code == 2
    assert "did you mean `decode`?" in result.stderr
