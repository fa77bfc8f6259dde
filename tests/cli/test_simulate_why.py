"""``mirc simulate --why`` and ``--fault``: from the command line to the story and the report."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from mirc.cli.main import cli
from tests.cli.test_simulate import MACHINE, MIR

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "toy.toml").write_text(MACHINE)
    (tmp_path / "toy.mir").write_text(MIR)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(*arguments: str) -> Result:
    options = ["-M", "./toy.toml", "--policy", "intent,lru", "--steps", "3", *arguments]
    return CliRunner().invoke(cli, ["simulate", "toy.mir", *options])


def test_a_story_is_told_for_each_policy_in_place_of_the_report() -> None:
    found = _run("--why", "w3")
    assert found.exit_code == 0, found.output
    assert "`w3` on toy under intent" in found.stdout
    assert "`w3` on toy under lru" in found.stdout
    assert "step time" not in found.stdout


@pytest.mark.mechanism("S1-08")
def test_a_story_of_one_step_says_what_was_observed_then() -> None:
    found = _run("--why", "w3@43", "--policy", "intent")
    assert "when step 43 began it was" in found.stdout
    assert "telemetry: observed; the last step took" in found.stdout
    assert "near bytes free" in found.stdout


def test_stories_as_json_follow_their_schema() -> None:
    found = json.loads(_run("--why", "w3", "--output-format", "json").stdout)
    Draft202012Validator(json.loads((SCHEMAS / "why-1.schema.json").read_text())).validate(found)
    assert [story["policy"] for story in found["stories"]] == ["lru", "intent"]


def test_an_object_that_does_not_exist_gives_the_nearest_name_and_exit_code_2() -> None:
    found = _run("--why", "w33x")
    assert found.exit_code == 2
    assert found.stderr.splitlines()[0] == "error: there is no object `w33x` in this run"
    assert "did you mean `w33`?" in found.stderr


def test_faults_stand_in_the_report_and_in_its_json_form() -> None:
    faults = ("--fault", "slow:up=2@50..60", "--fault", "fail:w3@43")
    found = _run(*faults)
    assert found.exit_code == 0, found.output
    assert "slow `up` begins: 2 times slower" in found.stdout
    assert "assumed: the bounds are those of a run in which nothing fails" in found.stdout
    content = json.loads(_run(*faults, "--output-format", "json").stdout)
    schema = json.loads((SCHEMAS / "simulate-1.schema.json").read_text())
    Draft202012Validator(schema).validate(content)
    rows = content["machines"][0]["faults"]
    assert [(row["policy"], row["step"], row["what"]) for row in rows][:3] == [
        ("lru", 43, "fail"),
        ("lru", 50, "slow"),
        ("lru", 60, "slow"),
    ]


def test_a_run_that_cannot_go_on_after_a_fault_names_the_policy_and_what_it_waits_for() -> None:
    found = _run("--fault", "stop:up@30")
    assert found.exit_code == 2
    assert "under `lru`, step 30 waits for `w30`, which cannot cross `up`" in found.stderr


def test_a_fault_that_cannot_be_is_one_sentence() -> None:
    found = _run("--fault", "slow:uup=2@50")
    assert found.exit_code == 2
    assert found.stderr.splitlines() == [
        "error: there is no link `uup` in this run",
        "help: did you mean `up`?",
    ]
