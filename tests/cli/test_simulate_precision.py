"""``mirc simulate --precision``: asked for, by default, refused, and in JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from mirc.cli.main import cli
from tests.cli.test_simulate import MACHINE, SCHEMA

# 30 weights of 100 MB: 3 GB in 16 bits, twice what is near; 1.5 GB and scales in 8
LADDER = "precision_ladder = [bfloat16, float8_e4m3fn, int4] precision_floor = float8_e4m3fn"


def file(count: int, ladder: str = LADDER) -> str:
    head = f"class = WEIGHT_TILE dtype = bfloat16 size_bytes = 100_000_000 {ladder}"
    return (
        'mir 1.0\n\nmodule toy {\n  model = "a cycle"\n  schedule = [REPEAT(6, decode)]\n}\n'
        + "".join(f"object w{i} {{ {head} }}\n" for i in range(count))
        + "phase decode {\n"
        + "".join(f"  step s{i} {{ reads = [w{i}] }}\n" for i in range(count))
        + "}\n"
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "toy.toml").write_text(MACHINE, "utf-8")
    (tmp_path / "toy.mir").write_text(file(30), "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    command = ["simulate", "toy.mir", "-M", "./toy.toml", "--policy", "intent", *arguments]
    return CliRunner().invoke(cli, command)


@pytest.mark.usefixtures("folder")
def test_precision_is_managed_by_default_where_ladders_help() -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert "precision (fit): p50" in result.stdout
    assert "no accuracy is claimed" in result.stdout


@pytest.mark.usefixtures("folder")
def test_the_object_follows_the_schema_and_lists_every_transition() -> None:
    result = run("--precision", "speed", "--output-format", "json")
    content = json.loads(result.stdout)
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(content)
    found = content["machines"][0]["precision"]
    # 50,000,000 elements: 8 bits each, and a scale of 2 bytes for each 128
    assert found["held"] == [{"dtype": "float8_e4m3fn", "units": 30, "bytes": 30 * 50_781_250}]
    assert len(found["transitions"]) == found["converted"] == 30
    assert found["path"] == "python + precision"


@pytest.mark.usefixtures("folder")
def test_off_is_off() -> None:
    assert "precision (" not in run("--precision", "off").stdout


def test_what_fits_or_has_no_ladder_gets_no_run_that_was_not_asked_for(folder: Path) -> None:
    (folder / "toy.mir").write_text(file(10), "utf-8")
    assert "precision (" not in run().stdout
    (folder / "toy.mir").write_text(file(30, ""), "utf-8")
    assert "precision (" not in run().stdout


def test_asking_for_what_no_ladder_allows_is_one_sentence(folder: Path) -> None:
    (folder / "toy.mir").write_text(file(30, ""), "utf-8")
    result = run("--precision", "fit")
    assert result.exit_code == 2
    assert "no weight of the file may be held in fewer bits" in result.output
    assert "precision_ladder" in result.output


@pytest.mark.usefixtures("folder")
def test_a_story_tells_of_each_change_of_precision_and_the_report_of_its_path() -> None:
    told = run("--why", "w3").stdout
    assert "precision: bfloat16 to float8_e4m3fn done; gain " in told
    assert "  path: python (intent); python + precision (intent + precision)\n" in run().stdout
