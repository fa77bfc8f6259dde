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


CLAIMED = """mir 1.0
module toy { schedule = [REPEAT(3, decode)] }
object w0 { class = WEIGHT_TILE size_bytes = 1GB }
object w1 { class = WEIGHT_TILE size_bytes = 1GB }
object w2 { class = WEIGHT_TILE size_bytes = 1GB pin_level = SOFT }
claim big { holder = app  objects = [w0, w1, w2]  guarantee = HARD  on_loss = REFUSE_OTHERS }
claim one { holder = app  objects = [w1]  until = TURN_OVER  materialized = WHILE_REUSED }
on TURN_OVER { override w0 { pin_level = SOFT } }
phase decode {
  step a { reads = [w0]  raises = [TURN_OVER] }
  step b { reads = [w1] }
  step c { reads = [w2] }
}
"""


def _claimed(folder: Path, question: str, *arguments: str) -> Result:
    (folder / "claimed.mir").write_text(CLAIMED)
    (folder / "two.toml").write_text(MACHINE.replace('name = "toy"', 'name = "two"'))
    given = ["claimed.mir", "-M", "./two.toml", "--policy", "intent", "--steps", "3"]
    more = ["--why", question] if question else []
    return CliRunner().invoke(cli, ["simulate", *given, *more, *arguments])


def test_a_story_tells_the_claims_over_an_object_and_the_signals_that_speak_of_it(
    folder: Path,
) -> None:
    told = _claimed(folder, "w0").stdout
    assert "claims: claim `big` requested" in told
    assert "claims: claim `big` refused; " in told
    assert "bytes short" in told
    assert "signals: begin; on TURN_OVER" in told
    assert "signals: end; on TURN_OVER" in told
    other = _claimed(folder, "w1").stdout
    assert "claims: claim `one` accepted" in other
    assert "claims: claim `one` expired; EVENT, 1 object" in other
    assert "on TURN_OVER" not in other
    pinned = _claimed(folder, "w2").stdout
    assert "promises: soft pin begins" in pinned
    found = json.loads(_claimed(folder, "w0", "--output-format", "json").stdout)
    Draft202012Validator(json.loads((SCHEMAS / "why-1.schema.json").read_text())).validate(found)
    assert {"claims", "signals"} <= {each["by"] for each in found["stories"][0]["told"]}


def test_a_condition_that_a_run_does_not_follow_is_assumed_away_aloud(folder: Path) -> None:
    told = _claimed(folder, "").stdout
    said = "assumed: `materialized = WHILE_...` of the claim `one` is not followed: what is granted"
    assert said in told
    assert "  path: python + signals, claims, promises\n" in told
