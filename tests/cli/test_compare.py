import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from mirc.cli.main import cli
from mirc.report.event_files import COLUMNS
from mirc.traces import events

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "docs" / "schemas" / "compare-1.schema.json"
SAMPLE = ROOT / "samples" / "serving-small.mir"

# Four experts, two of them chosen by each token, and a weight that every run reads; `spare` is
# read by a phase that the schedule leaves out.
MIR = """mir 1.0

module toy {
  model    = "a router"
  schedule = [REPEAT(8, decode)]
}
object w { class = WEIGHT_TILE size_bytes = 1MB reuse = EVERY(ITERATION) @ 1.0 }
object spare { class = WEIGHT_TILE size_bytes = 1MB }
object e[0] { class = EXPERT_WEIGHT size_bytes = 1MB route_probability = 0.5 @ 0.5 }
object e[1] { class = EXPERT_WEIGHT size_bytes = 1MB route_probability = 0.5 @ 0.5 }
object e[2] { class = EXPERT_WEIGHT size_bytes = 1MB route_probability = 0.5 @ 0.5 }
object e[3] { class = EXPERT_WEIGHT size_bytes = 1MB route_probability = 0.5 @ 0.5 }
phase decode {
  step mlp { reads = [w, ROUTED(e, 2)] }
  step out { reads = [w] }
}
phase update { step all { reads = [spare] } }
plan card {
  machine = "h100-sxm"
  phase decode { override w { first_use_us = 0 @ 0.9 last_use_us = 1 @ 0.9 } }
}
"""


def invoke(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "toy.mir").write_text(MIR, "utf-8")
    monkeypatch.chdir(tmp_path)
    result = invoke("simulate", "toy.mir", "--policy", "lru,intent", "--events", "log.jsonl")
    assert result.exit_code == 0, result.output
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_text_shows_declared_beside_observed() -> None:
    result = invoke("compare", "toy.mir", "log.jsonl")
    assert result.exit_code == 0, result.output
    for policy in ("lru", "intent"):
        assert (
            f"a router on h100-sxm under {policy}\n  runs: 8 of decode; plan `card`\n"
            in result.stdout
        )
    assert "\nfirst_use_us in decode " in result.stdout
    assert "never read (no phase that ran reads it): 1 WEIGHT_TILE: `spare`\n" in result.stdout


@pytest.mark.usefixtures("folder")
def test_the_json_fits_its_schema_and_the_shares_are_those_of_the_router() -> None:
    result = invoke("compare", "toy.mir", "log.jsonl", "--output-format", "json")
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(content)
    lru, intent = content["logs"]
    # What is read does not depend on the policy, when it is does.
    assert lru["scored"] == intent["scored"]
    reuse, routed = lru["scored"]
    assert reuse["total"]["score"]["brier"] == 0
    assert reuse["defaults"]["estimates"] == 4
    # Every run draws 2 of 4 experts: half of the 8 x 4 trials, whoever was drawn; (1 - 0.5)^2 each.
    assert routed["total"]["score"]["trials"] == 32
    assert routed["total"]["score"]["observed"] == 0.5
    assert routed["total"]["score"]["brier"] == 0.25
    assert routed["total"]["score"]["calibration_error"] == 0


@pytest.mark.usefixtures("folder")
def test_either_input_may_be_standard_input_and_the_report_a_file() -> None:
    plain = invoke("compare", "toy.mir", "log.jsonl").stdout
    assert invoke("compare", "-", "log.jsonl", text=MIR).stdout == plain
    log = Path("log.jsonl").read_text("utf-8")
    assert invoke("compare", "toy.mir", "-", text=log).stdout == plain
    assert invoke("compare", "toy.mir", "log.jsonl", "-o", "out.txt").stdout == ""
    assert Path("out.txt").read_text("utf-8") == plain


@pytest.mark.usefixtures("folder")
def test_a_wrong_declaration_is_named_and_is_no_error() -> None:
    text = MIR.replace("reuse = EVERY(ITERATION) @ 1.0", "reuse = NONE @ 1.0")
    result = invoke("compare", "-", "log.jsonl", text=text)
    assert result.exit_code == 0
    assert "wrong: reuse of `w` in decode: declared NONE, observed 1 (8 of 8)\n" in result.stdout


def test_a_sample_is_what_it_says(tmp_path: Path) -> None:
    log = str(tmp_path / "log.jsonl")
    options = ["-M", "h100-sxm", "--policy", "lru", "--steps", "20", "--events", log]
    assert invoke("simulate", str(SAMPLE), *options).exit_code == 0
    result = invoke("compare", str(SAMPLE), log)
    assert result.exit_code == 0, result.output
    assert "every written estimate held\n" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["toy.mir", "none.jsonl"], "there is no file `none.jsonl`"),
        (["toy.mir", "."], "cannot read `.`: is a directory"),
        ([".", "log.jsonl"], "`.` is a directory"),
        (["none.mir", "log.jsonl"], "there is no file `none.mir`"),
        (["-", "-"], "both inputs are standard input"),
        (["toy.mir", "cut.jsonl"], "`cut.jsonl` ends before its events do"),
        (["toy.mir", "half.jsonl"], "is not JSON"),
        (["toy.mir", "empty.jsonl"], "`empty.jsonl` is empty"),
        (["toy.mir", "toy.mir"], "`toy.mir` is no observation, event log, profile or snapshot"),
        (["toy.mir", "binary.jsonl"], "`binary.jsonl` is not UTF-8 text"),
        (["toy.mir", "report.json"], "does not open a `mirc-events` log"),
        (["toy.mir", "log.csv"], "`log.csv` holds events as CSV"),
        (["toy.mir", "log.parquet"], "`log.parquet` holds events as Parquet"),
        (["toy.mir", "log.jsonl", "--phase", "decode"], "`--phase` is about profiles"),
        (["other.mir", "log.jsonl"], "this one has no phase `update`"),
        (["fewer.mir", "log.jsonl"], "this one does not declare `e[3]`"),
        (["toy.mir", "log.jsonl", "--plan", "big"], "there is no plan `big` in this file"),
        (["toy.mir", "log.jsonl", "-o", "no/where"], "does not exist"),
        (["wrong.mir", "log.jsonl"], "`wrong.mir` has an error"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    folder: Path, arguments: list[str], sentence: str
) -> None:
    log = (folder / "log.jsonl").read_text("utf-8")
    (folder / "cut.jsonl").write_text("".join(log.splitlines(keepends=True)[:-1]), "utf-8")
    (folder / "half.jsonl").write_text(log[: len(log) // 2 - 3].rstrip("]\n"), "utf-8")
    (folder / "empty.jsonl").write_bytes(b"")
    (folder / "binary.jsonl").write_bytes(b"\xff\xfe{}\n")
    (folder / "log.csv").write_text(",".join(COLUMNS) + "\n", "utf-8")
    (folder / "log.parquet").write_bytes(b"PAR1\x15\x04")
    (folder / "report.json").write_text('{"name": "mirc"}\n', "utf-8")
    (folder / "other.mir").write_text(MIR.replace("phase update", "phase later"), "utf-8")
    fewer = "".join(line for line in MIR.splitlines(keepends=True) if "object e[3]" not in line)
    (folder / "fewer.mir").write_text(fewer, "utf-8")
    (folder / "wrong.mir").write_text("mir 1.0\nobject w { class = WEIGHT }\n", "utf-8")
    result = invoke("compare", *arguments)
    assert result.exit_code == 2, result.output
    lines = result.stderr.splitlines()
    assert sentence in result.stderr
    assert lines[0].startswith("error: ")
    assert len(lines) <= 2
    assert result.stdout == ""


def test_an_endless_line_is_not_read_to_its_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LONGEST_LINE", 1000)
    (folder / "long.jsonl").write_text("{" + "1," * 100_000, "utf-8")
    result = invoke("compare", "toy.mir", "long.jsonl")
    assert result.exit_code == 2
    assert "line 1 of `long.jsonl` is too long" in result.stderr


def test_equal_inputs_give_equal_bytes_under_any_hash_seed(folder: Path) -> None:
    def printed(seed: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-m", "mirc", "compare", "toy.mir", "log.jsonl"],
            check=True,
            capture_output=True,
            cwd=folder,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout

    first, other = printed("0"), printed("12345")
    assert first.startswith(b"a router on h100-sxm")
    assert other == first
