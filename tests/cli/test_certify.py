"""``mirc compile --certify`` as people run it, on a model of a few kilobytes."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from mirc.cli.main import cli

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "compile-1.schema.json"
MODEL = """
import torch
from torch import nn


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
    return CliRunner().invoke(cli, ["compile", "model.py", "-o", "out.mir", *args])


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)


def test_each_decision_stands_beside_its_bound_with_what_would_help() -> None:
    result = run("--certify", "-M", "card-24g")
    assert result.exit_code == 0, result.output
    # Three tensors of 2 x 64 floats: what a layer reads, its product, and the relu of that.
    assert re.search(
        r"offsets of what forward makes: 1_536 bytes, at least 1_536 bytes, gap 0.000 % "
        r"\(peak-live; first fit by decreasing size, \d\.\d\d s\)",
        result.stdout,
    )
    assert "\npolicies without effect\n" in result.stdout
    assert "names CXL, which card-24g does not have" in result.stdout
    assert "\nshadow prices (finite differences of the plan's own run time)\n" in result.stdout
    assert "certify: " in result.stderr


def test_the_same_as_json_follows_the_schema_and_differs_between_runs_in_seconds_alone() -> None:
    documents = []
    for _ in range(2):
        result = run("--certify", "-M", "card-24g", "--output-format", "json")
        document = json.loads(result.stdout)
        jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
        for certificate in document["certified"]["certificates"]:
            assert certificate.pop("seconds") >= 0
        documents.append(document)
    assert documents[0] == documents[1]
    found = documents[0]["certified"]
    assert {price["kind"] for price in found["shadow_prices"]} == {"memory", "link"}
    assert found["certificates"][0]["decision"] == "offsets of what forward makes"


def test_without_the_option_nothing_is_certified_and_the_document_has_no_such_part() -> None:
    result = run("--output-format", "json")
    assert "certified" not in json.loads(result.stdout)


def test_a_part_of_the_passes_cannot_be_certified() -> None:
    result = run("--certify", "--passes", "liveness")
    assert result.exit_code == 2
    assert "`--certify` is about a whole compilation" in result.stderr
