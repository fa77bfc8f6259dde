"""``mirc simulate --trace`` as its users call it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from mirc.cli.main import cli

SAMPLES = Path(__file__).parents[2] / "samples"
SCHEMA = SAMPLES.parent / "docs" / "schemas" / "serving-1.schema.json"
FILE = str(SAMPLES / "serving-small.mir")


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["simulate", FILE, "-M", "card-24g", *arguments])


@pytest.fixture(name="trace", scope="module")
def a_short_trace(tmp_path_factory: pytest.TempPathFactory) -> str:
    lines = (SAMPLES / "traces" / "agents.jsonl").read_text("utf-8").splitlines()[:60]
    path = tmp_path_factory.mktemp("trace") / "agents.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return str(path)


def test_the_report_shows_policies_tenants_signals_and_the_crossover(trace: str) -> None:
    result = simulate("--trace", trace, "--kv-gb", "0.6")
    assert result.exit_code == 0
    for words in ("belady (oracle)", "research, intent", "tool_wait", "break even at", "assumed:"):
        assert words in result.output
    assert "good (<= 2000, 200 ms)" in result.output


def test_how_requests_come_and_what_is_good_can_be_said(trace: str) -> None:
    usual = ("--trace", trace, "--kv-gb", "0.6", "--policy", "lru", "--output-format", "json")
    rushed = ("--speedup", "1000", "--slo-ttft-ms", "3", "--budget", "512")

    def row(*more: str) -> dict[str, Any]:
        report = json.loads(simulate(*usual, *more).output)
        return dict(report["machines"][0]["policies"][0])

    open_loop, hurried, closed = row(), row(*rushed), row("--closed")
    assert hurried["time"]["span_s"] < open_loop["time"]["span_s"]
    assert hurried["time"]["goodput_per_s"] < hurried["time"]["requests_per_s"]
    assert open_loop["time"]["goodput_per_s"] == open_loop["time"]["requests_per_s"]
    assert closed["time"]["busy"] == 1
    assert closed["time"]["span_s"] < open_loop["time"]["span_s"]


def test_the_object_is_the_same_on_every_run(trace: str) -> None:
    usual = ("--trace", trace, "--kv-gb", "0.6", "--output-format", "json")
    policies = ("--policy", "lru,intent,belady,sieve")
    first, second = simulate(*usual, *policies), simulate(*usual, *policies)
    assert first.output == second.output
    report = json.loads(first.output)
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(report)
    found = report["machines"][0]
    assert [row["policy"] for row in found["policies"]] == [
        "lru",
        "sieve",
        "intent",
        "belady",
    ]
    assert all(0 < row["usable"] < 1 for row in found["policies"])
    assert sum(found["policies"][0]["tenants"][name]["asked"] for name in ("support", "research"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kv-gb", "1"), "add `--trace FILE`"),
        (("--closed",), "`--closed` says how a trace is served"),
        (("--trace", "{}", "--closed", "--speedup", "2"), "goes by none"),
        (("--trace", "{}", "--steps", "4"), "`--steps` is about the file's schedule"),
        (("--trace", "{}", "--fault", "slow:x=2@1"), "`--fault` is about the file's schedule"),
        (("--trace", "{}", "--within", "near"), "`--within` is about the file's schedule"),
        (("--trace", "{}", "--seed", "0"), "`--seed` is about the file's schedule"),
        (("--trace", "{}", "--speedup", "nan"), "`--speedup` takes a number, and nan is none"),
        (("--trace", "{}", "--slo-itl-ms", "nan"), "`--slo-itl-ms` takes a number"),
        (("--trace", "{}", "--precision", "fit"), "`--precision` is about weights"),
        (("--trace", "{}", "--policy", "static"), "no policy `static` for a trace"),
        (
            (
                "--trace",
                "nowhere.jsonl",
            ),
            "cannot read the trace",
        ),
    ],
)
def test_what_makes_no_sense_together_is_refused(
    arguments: tuple[str, ...], said: str, trace: str
) -> None:
    result = simulate(*(argument.format(trace) for argument in arguments))
    assert result.exit_code == 2
    assert said in result.output


def test_links_that_are_shared_evenly_are_said_to_take_turns(trace: str, tmp_path: Path) -> None:
    card = (SAMPLES.parent / "mirc/machine/presets/card-24g.toml").read_text("utf-8")
    fair = tmp_path / "fair.toml"
    fair.write_text(card.replace("[[link]]", '[[link]]\nsharing = "fair"', 1), "utf-8")
    usual = ("--trace", trace, "--kv-gb", "0.6", "--policy", "lru")
    result = CliRunner().invoke(cli, ["simulate", FILE, "-M", str(fair), *usual])
    assert result.exit_code == 0, result.output
    assert "transfers take turns on `dram-to-hbm`, which the machine says" in result.output


def test_requests_before_a_line_that_is_wrong_are_served(trace: str, tmp_path: Path) -> None:
    lines = Path(trace).read_text("utf-8").splitlines()
    azure = ["TIMESTAMP,ContextTokens,GeneratedTokens", *["2024-01-01 00:00:00,700,3"] * 30]
    for name, text in (("a.jsonl", lines), ("a.csv", azure)):
        cut = tmp_path / name
        cut.write_text("\n".join([*text[:31], text[31][:9] if text is lines else "x"]), "utf-8")
        usual = ("--trace", str(cut), "--kv-gb", "1", "--policy", "lru")
        result = simulate(*usual)
        assert result.exit_code == 2
        assert "cut short, only these were served: line 32 of" in result.stdout
        assert "line 32 of" in result.stderr
        report = json.loads(simulate(*usual, "--output-format", "json").stdout)
        assert report["machines"][0]["requests"] == 31 - (text is azure)
