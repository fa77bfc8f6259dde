import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from mirc.cli.main import cli
from mirc.traces.events import load

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "simulate-1.schema.json"

# Near memory of 2 GB at 100 GB/s, a link of 1 GB/s without latency.
MACHINE = """
name = "toy"
summary = "a card of round numbers"
[[memory]]
name = "hbm"
kind = "HBM"
owner = "gpu"
capacity_bytes = 2_000_000_000
read_bytes_per_s = 100e9
write_bytes_per_s = 100e9
[[memory]]
name = "dram"
kind = "DRAM"
owner = "host"
capacity_bytes = 100_000_000_000
read_bytes_per_s = 100e9
write_bytes_per_s = 100e9
[[link]]
name = "up"
source = "dram"
target = "hbm"
curve = [[4096, 1e9]]
[[link]]
name = "down"
source = "hbm"
target = "dram"
curve = [[4096, 1e9]]
[compute]
owner = "gpu"
memory = "hbm"
memory_efficiency = 1.0
[compute.peak_flops]
bfloat16 = 1e12
[compute.efficiency]
matmul = 1.0
attention = 1.0
other = 1.0
"""

# 40 weights of 100 MB read in turn: W = 4 GB, twice what is near.
WEIGHTS = 40
MIR = (
    'mir 1.0\n\nmodule toy {\n  model = "a cycle"\n  schedule = [REPEAT(6, decode)]\n}\n'
    + "".join(
        f"object w{i} {{ class = WEIGHT_TILE size_bytes = 100_000_000 }}\n" for i in range(WEIGHTS)
    )
    + "phase decode {\n"
    + "".join(f"  step s{i} {{ reads = [w{i}] }}\n" for i in range(WEIGHTS))
    + "}\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "toy.toml").write_text(MACHINE, "utf-8")
    (tmp_path / "toy.mir").write_text(MIR, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["simulate", *arguments], input=text)


def report(*arguments: str) -> dict[str, object]:
    result = run("toy.mir", "-M", "./toy.toml", "--output-format", "json", *arguments)
    assert result.exit_code == 0, result.output
    content: dict[str, object] = json.loads(result.stdout)
    return content


@pytest.mark.usefixtures("folder")
def test_the_text_shows_every_policy_beside_the_bounds() -> None:
    result = run("toy.mir", "-M", "./toy.toml")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("a cycle on toy\n  6 runs of decode, 1 sequence, 6 new tokens")
    for policy in ("static", "lru", "mru", "lru-prefetch", "belady (oracle)", "intent", "bound"):
        assert f"\n{policy} " in result.stdout
    # W + (S - 1)(W - C) = 4 + 5 x 2 GB
    assert "14.00 GB" in result.stdout
    assert "so intent runs on hints alone" in result.stdout


@pytest.mark.usefixtures("folder")
def test_nobody_beats_the_bounds_and_lru_moves_all_every_time() -> None:
    content = report()
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(content)
    machine = content["machines"][0]  # type: ignore[index]
    rows = {row["policy"]: row for row in machine["policies"]}
    assert all(row["gap_to_bound"] >= 0 for row in rows.values())
    assert all(row["excess_bytes"] >= 0 for row in rows.values())
    assert rows["lru"]["near_bytes"] == 6 * 4_000_000_000
    assert rows["mru"]["near_bytes"] <= 1.1 * machine["bounds"]["closed_form_bytes"]


@pytest.mark.usefixtures("folder")
def test_standard_input_is_a_file_too() -> None:
    result = run("-", "-M", "./toy.toml", "--policy", "lru", "--steps", "2", text=MIR)
    assert result.exit_code == 0, result.output
    assert "2 runs of decode" in result.stdout


def test_several_machines_get_a_table_each(folder: Path) -> None:
    other = MACHINE.replace('name = "toy"', 'name = "large"').replace("2_000_000_000", "9e9")
    (folder / "large.toml").write_text(other.replace("9e9", "9_000_000_000"), "utf-8")
    result = run("toy.mir", "-M", "./toy.toml,./large.toml", "--policy", "lru")
    assert result.exit_code == 0, result.output
    assert "a cycle on toy\n" in result.stdout
    assert "a cycle on large\n" in result.stdout


def test_the_plans_of_the_file_name_its_machines(folder: Path) -> None:
    (folder / "planned.mir").write_text(MIR + 'plan p { machine = "./toy.toml" }\n', "utf-8")
    result = run("planned.mir", "--policy", "intent", "--steps", "2")
    assert result.exit_code == 0, result.output
    assert "plan `p`" in result.stdout
    assert "hints alone" not in result.stdout


def test_the_report_may_go_to_a_file(folder: Path) -> None:
    result = run("toy.mir", "-M", "./toy.toml", "--policy", "lru", "-o", "out.txt")
    assert (result.exit_code, result.stdout) == (0, "")
    assert (folder / "out.txt").read_text("utf-8").startswith("a cycle on toy\n")


def test_events_can_be_read_back_and_add_up(folder: Path) -> None:
    content = report("--policy", "lru", "--steps", "2", "--events", "log.jsonl")
    with (folder / "log.jsonl").open(encoding="utf-8") as file:
        (log,) = load(file, "log.jsonl")
    row = content["machines"][0]["policies"][0]  # type: ignore[index]
    header = log.header
    at = {name: index for index, name in enumerate(header.columns)}
    landed = [
        event[at["bytes"]]
        for event in log.rows
        if header.kinds[event[at["kind"]]] == "LAND"
        and header.memories[event[at["target"]]] == "hbm"
    ]
    assert sum(landed) == row["near_bytes"] == 8_000_000_000
    times = [event[0] for event in log.rows]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["none.mir", "-M", "./toy.toml"], "there is no file `none.mir`"),
        ([".", "-M", "./toy.toml"], "`.` is a directory"),
        (["toy.mir"], "no machine was named, and the file has no plan that names one"),
        (["toy.mir", "-M", "h100-sx"], "h100-sxm"),
        (["toy.mir", "-M", "./toy.toml", "--policy", "lrru"], "there is no policy `lrru`"),
        (["toy.mir", "-M", "./toy.toml", "--schedule", "decod"], "`decod`"),
        (["toy.mir", "-M", "./toy.toml", "--schedule", "REPEAT("], "is not a schedule"),
        (["toy.mir", "-M", "./toy.toml", "--steps", "0"], "--steps"),
        (["toy.mir", "-M", "./toy.toml", "-o", "no/where.txt"], "does not exist"),
        (["toy.mir", "-M", "./toy.toml", "--events", "no/where"], "does not exist"),
        (["binary.mir", "-M", "./toy.toml"], "is not UTF-8"),
        (["empty.mir", "-M", "./toy.toml"], ""),
        (["wrong.mir", "-M", "./toy.toml"], "`wrong.mir` has an error"),
        (["sizeless.mir", "-M", "./toy.toml"], "`w` (sizeless.mir:2) is used and has no"),
        (["wide.mir", "-M", "./toy.toml"], "step `a` of `p` needs 3_000_000_000 bytes at once"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    folder: Path, arguments: list[str], sentence: str
) -> None:
    (folder / "binary.mir").write_bytes(b"\xff\xfe")
    (folder / "empty.mir").write_bytes(b"")
    (folder / "wrong.mir").write_text("mir 1.0\nobject w { class = WEIGHT }\n", "utf-8")
    use = "phase p { step a { reads = [w] } }\n"
    sizeless = "mir 1.0\nobject w { class = WEIGHT_TILE }\n" + use
    (folder / "sizeless.mir").write_text(sizeless, "utf-8")
    (folder / "wide.mir").write_text(sizeless.replace("}", "size_bytes = 3GB }", 1), "utf-8")
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    lines = result.stderr.splitlines()
    assert sentence in result.stderr
    assert lines[0].startswith("error: ")
    assert len(lines) <= 2
    assert result.stdout == ""


def test_equal_inputs_give_equal_bytes_under_any_hash_seed(folder: Path) -> None:
    options = ["-M", "./toy.toml", "--output-format", "json", "--steps", "3"]

    def printed(seed: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-m", "mirc", "simulate", "toy.mir", *options],
            check=True,
            capture_output=True,
            cwd=folder,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout

    first, *others = (printed(seed) for seed in ("0", "1", "12345"))
    assert json.loads(first)["machines"]
    assert others == [first, first]


def test_a_run_that_takes_no_time_is_reported_like_any_other(tmp_path: Path) -> None:
    file = tmp_path / "idle.mir"
    file.write_text("mir 1.0\nphase f { step a { flops = 0 } }\n")
    result = CliRunner().invoke(cli, ["simulate", str(file), "-M", "gh200"])
    assert result.exit_code == 0, result.output
    assert "intent gains nothing over static here" in result.output


def test_a_file_with_errors_is_not_simulated(tmp_path: Path) -> None:
    file = tmp_path / "far.mir"
    file.write_text(
        "mir 1.0\nobject e[0] { class = EXPERT_WEIGHT  size_bytes = 5 }\n"
        "phase f { step a { reads = [ROUTED(e, 2)] } }\n"
    )
    result = CliRunner().invoke(cli, ["simulate", str(file), "-M", "gh200"])
    assert result.exit_code == 2
    assert "`a` routes to 2 experts of `e`, which has 1" in result.stderr
