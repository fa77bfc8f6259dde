"""``mirc simulate --trace`` with a trace of accesses: its ids are blocks of the file's caches."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from mirc.cli.main import cli

SAMPLES = Path(__file__).parents[2] / "samples"
SCHEMA = SAMPLES.parent / "docs" / "schemas" / "replay-1.schema.json"
FILE = str(SAMPLES / "serving-small.mir")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def simulate(*arguments: str) -> Result:
    return run("simulate", FILE, "-M", "card-24g", *arguments)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("z.csv", "z.oracleGeneral"):
        options = ("--accesses", "2000", "--objects", "300", "--size-bytes", "5", "-o", name)
        assert run("trace", "make", "zipf", *options).exit_code == 0


def test_ids_are_blocks_of_the_templates_on_the_tiers_of_the_machine() -> None:
    asked = ("--kv-gb", "0.3", "--policy", "lru,belady", "--output-format", "json")
    first = simulate("--trace", "z.csv", *asked)
    assert first.exit_code == 0, first.output
    report = json.loads(first.stdout)
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(report)
    # the one template holds 4 KiB a token: 512 of them are 2 MiB, whatever the trace says
    assert report["blocks"] == {
        "model": "assistant-1b",
        "templates": 1,
        "tokens": 512,
        "bytes": 2 << 20,
    }
    assert report["total_bytes"] == report["objects"] * (2 << 20)
    lru, belady = report["rows"]
    assert belady["timed"]["tiers"][0]["hits"] > lru["timed"]["tiers"][0]["hits"]
    assert sum(tier["hits"] for tier in lru["timed"]["tiers"]) == 2000
    binary = json.loads(simulate("--trace", "z.oracleGeneral", *asked).stdout)
    assert binary["rows"] == report["rows"]


def test_the_report_says_what_a_block_is_and_what_is_assumed() -> None:
    result = simulate("--trace", "z.csv", "--kv-gb", "0.3", "--trace-block", "256")
    assert result.exit_code == 0, result.output
    assert "each id is a block of 256 tokens of assistant-1b" in result.stdout
    assert "assumed: ids share no prefix" in result.stdout
    for policy in ("fifo", "lru", "arc", "sieve", "learned", "belady*"):
        assert policy in result.stdout


def test_times_and_how_many_are_under_way_can_be_said() -> None:
    asked = ("--trace", "z.csv", "--kv-gb", "0.3", "--policy", "lru", "--output-format", "json")

    def span(*more: str) -> int:
        return int(json.loads(simulate(*asked, *more).stdout)["rows"][0]["timed"]["span_ps"])

    assert span("--at-once", "8") < span()
    assert span("--trace-format", "csv", "--closed") == span()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--budget", "4"), "`--budget` is about requests, and `z.csv` holds accesses (csv)"),
        (("--slo-ttft-ms", "4"), "`--slo-ttft-ms` is about requests"),
        (("--policy", "intent"), "there is no rule `intent`"),
        (("--kv-gb", "0.001"), "and one block of 512 tokens takes 2_097_152"),
        (("-M", "h100-sxm"), "is played on one machine, and 2 are asked for"),
        (("--report", "x.html"), "there are no plots of a trace of accesses"),
        (("--trace-format", "mooncake"), "line 1 of `z.csv`"),
    ],
)
def test_what_accesses_cannot_be_asked_is_one_sentence(
    arguments: tuple[str, ...], says: str
) -> None:
    result = simulate("--trace", "z.csv", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_file_without_caches_has_no_blocks() -> None:
    Path("weights.mir").write_text(
        "object w { class = WEIGHT_TILE size_bytes = 10 }\n"
        "phase decode_step { step a { reads = [w] } }\n"
    )
    result = run("simulate", "weights.mir", "-M", "card-24g", "--trace", "z.csv")
    assert result.exit_code == 2
    assert "the file has no template of a cache" in result.stderr


def test_what_comes_before_a_cut_is_played() -> None:
    trace = Path("z.oracleGeneral")
    trace.write_bytes(trace.read_bytes()[:-1])
    result = simulate("--trace", str(trace), "--kv-gb", "0.3", "--policy", "lru")
    assert result.exit_code == 2
    assert "1_999 accesses" in result.stdout
    assert "not whole records of 24" in result.stderr
