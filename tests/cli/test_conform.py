"""``mirc conform`` names the clauses that a controller breaks, and runs adapters of the user's."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from mirc.cli.main import cli
from mirc.diagnostics import CouldNotRun

SCHEMA = Path(__file__).parents[2] / "docs/schemas/conform-1.schema.json"
MINE = """
from mirc.conform.reference import Reference

class Mine(Reference):
    name = "mine"

class Bad(Reference):
    name = "bad"
    def advance(self, now):
        raise RuntimeError("what is time?")

class Chatty(Reference):
    name = "chatty"
    def events(self):
        return list(super().events()) * 100_001

nothing = object()
ready = Mine()
"""


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["conform", *arguments])


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"engine_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return name


@pytest.mark.mechanism("S4-02", "S4-08")
def test_ours_conforms_and_the_report_has_every_clause() -> None:
    result = invoke()
    assert result.exit_code == 0
    assert result.stdout.startswith("ours: conforms: all 21 clauses kept\n")
    assert (
        "   5  kept         active work that needs claimed room is refused whole" in result.stdout
    )
    published = "80 blocks, 60 claimed, 70 active: accepted hard claim x 1, active refusal x 1"
    assert published in result.stdout


@pytest.mark.mechanism("S4-02", "S3-19")
def test_the_broken_one_fails_and_its_clauses_are_named() -> None:
    result = invoke("--adapter", "broken")
    assert result.exit_code == 1
    assert result.stdout.startswith("broken: does not conform: 7 clauses broken, 14 kept\n")
    assert "clause 5 is broken: active work that needs claimed room is refused" in result.stdout
    told = "      80 blocks, 60 claimed, 70 active: block `p10` of the hard claim `prompt` leaves\n"
    assert told in result.stdout
    assert "      and 54 more\n" in result.stdout


def test_several_are_held_to_it_and_one_that_breaks_nothing_passes() -> None:
    result = invoke("--adapter", "lru", "--adapter", "write-no-admit")
    assert result.exit_code == 0
    assert "lru: makes no such promises: 19 clauses not offered, 2 kept\n" in result.stdout
    assert "soft priority x 50, write no-admit x 70" in result.stdout


def test_json_has_every_breach_and_every_event() -> None:
    result = invoke("--adapter", "broken", "--adapter", "reference", "--output-format", "json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(report)
    broken, reference = report["adapters"]
    assert (broken["adapter"], broken["broken"]) == ("broken", True)
    assert (reference["adapter"], reference["broken"]) == ("reference", False)
    clause = broken["clauses"][3]
    assert (clause["number"], clause["verdict"], len(clause["breaches"])) == (4, "broken", 57)
    case = reference["cases"][0]
    assert case["outcomes"] == {"accepted hard claim": 1, "active refusal": 1}
    denied = [event for event in case["events"] if event["kind"] == "DENIED"]
    assert [(event["reason"], event["blockers"]) for event in denied] == [("CLAIMED", ["prompt"])]


@pytest.mark.parametrize("attribute", ["Mine", "ready"])
def test_an_adapter_of_ones_own_is_imported_from_the_folder(module: str, attribute: str) -> None:
    result = invoke("--adapter", f"{module}:{attribute}")
    assert result.exit_code == 0
    assert result.stdout.startswith("mine: conforms")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("our", "there is no adapter `our`"),
        ("MODULE:Bad", "the adapter `bad` failed in `advance`: RuntimeError: what is time?"),
        ("MODULE:Chatty", "the adapter `chatty` said more than 100000 things in a case"),
        ("MODULE:nothing", "it has no `open`"),
        ("MODULE:missing", "cannot import the adapter `MODULE:missing`: AttributeError"),
        ("no_such_module:x", "cannot import the adapter `no_such_module:x`: ModuleNotFoundError"),
        ("MODULE:", "there is no adapter `MODULE:`"),
    ],
)
def test_what_cannot_be_asked_is_said(module: str, name: str, message: str) -> None:
    result = invoke("--adapter", name.replace("MODULE", module))
    assert isinstance(result.exception, SystemExit | CouldNotRun)
    told = result.stderr if isinstance(result.exception, SystemExit) else str(result.exception)
    assert message.replace("MODULE", module) in told


def test_a_near_name_is_offered() -> None:
    assert "did you mean `ours`?" in invoke("--adapter", "our").stderr
    assert "choose from ours, reference, lru, write-no-admit, broken" in (
        invoke("--adapter", "zzz").stderr
    )
