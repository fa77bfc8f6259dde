"""``mirc replay`` and ``mirc trace`` as people run them."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from mirc.cli.main import cli
from mirc.simulate.accesses.hits import Counting

SCHEMA = Path(__file__).parents[2] / "docs/schemas/replay-1.schema.json"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def made(name: str, *options: str, kind: str = "zipf") -> str:
    result = run(
        "trace", "make", kind, "--accesses", "3000", "--objects", "300", *options, "-o", name
    )
    assert result.exit_code == 0, result.output
    return name


def test_a_trace_is_made_described_and_replayed() -> None:
    trace = made("z.oracleGeneral", "--every-us", "1000")
    about = run("trace", "info", trace).stdout
    assert "oracle-general" in about
    assert "3_000 accesses to" in about
    text = run("replay", trace, "--policy", "lru,belady", "--capacity", "10,.1k").stdout
    rows = [line.split() for line in text.splitlines()[4:8]]
    assert [row[:2] for row in rows] == [
        ["lru", "10"],
        ["lru", "100"],
        ["belady*", "10"],
        ["belady*", "100"],
    ]
    hits = [int(row[2].replace("_", "")) for row in rows]
    assert hits[0] < hits[1]
    assert hits[2] > hits[0]
    assert hits[3] > hits[1]
    assert "*: an oracle" in text


def test_the_same_seed_writes_the_same_bytes() -> None:
    one, two, other = (made(n, "--seed", s) for n, s in (("a", "1"), ("b", "1"), ("c", "2")))
    assert Path(one).read_bytes() == Path(two).read_bytes() != Path(other).read_bytes()


def test_both_forms_of_a_trace_give_the_same_report() -> None:
    binary, text = made("z.oracleGeneral"), made("z.csv")
    reports = [run("replay", name, "--capacity", "50").stdout for name in (binary, text)]
    assert reports[0].splitlines()[2:] == reports[1].splitlines()[2:]


def test_on_a_machine_the_report_says_what_was_waited_for() -> None:
    trace = made("z.csv", "--writes", "0.2", "--every-us", "100")
    options = ("-M", "h100-sxm", "--capacity-gb", "0.05", "--lookahead", "8", "--window", "2")
    result = run("replay", trace, *options, "--policy", "lru,sieve", "--speedup", "0.5")
    assert result.exit_code == 0, result.output
    assert "late prefetches" in result.stdout
    assert "dram-to-hbm" in result.stdout
    assert "is told the next 8 accesses" in result.stdout


def test_the_json_form_is_as_its_schema_says_and_the_same_each_time() -> None:
    trace = made("z.csv", "--writes", "0.2")
    schema = json.loads(SCHEMA.read_text("utf-8"))
    for options in (
        ("--capacity", "10,20", "--curve"),
        ("-M", "gh200", "--capacity-gb", "0.02", "--lookahead", "4"),
    ):
        form = ("--output-format", "json")
        first, second = (run("replay", trace, *options, *form) for _ in range(2))
        assert first.exit_code == 0, first.output
        document = json.loads(first.stdout)
        jsonschema.validate(document, schema)
        assert first.stdout == second.stdout
        for row in document["rows"]:
            if "timed" in row:
                assert sum(tier["hits"] for tier in row["timed"]["tiers"]) == 3000


def test_the_curve_of_one_pass_agrees_with_a_run_at_each_capacity() -> None:
    trace = made("l.csv", "--length", "20", "--rounds", "5", kind="loop")
    text = run("replay", trace, "--capacity", "19,20", "--curve", "--output-format", "json").stdout
    document = json.loads(text)
    curve = dict(zip(document["curve"]["capacities"], document["curve"]["hits"], strict=True))
    assert [curve[row["capacity"]] for row in document["rows"]] == [
        row["hits"] for row in document["rows"]
    ]
    # 30 loops of 20 objects, each 5 times: with room for all 20, four rounds of five hit
    assert document["rows"][1]["hits"] == 3000 * 4 // 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--capacity", "x"), "`x` is no capacity"),
        (("--capacity", "0"), "`0` is no capacity"),
        (("--policy", "lruu"), "there is no rule `lruu`"),
        (("--lookahead", "4"), "without a machine nothing takes time"),
        (("-M", "h100-sxm", "--capacity", "4"), "on a machine in GB"),
        (("-M", "h100-sxm", "--capacity-gb", "0.0000001"), "less than the largest object's"),
        (("-M", "nothing"), "there is no machine `nothing`"),
        (("--capacity-gb", "0.0000001"), "holds none of the objects, of which the smallest"),
    ],
)
def test_what_cannot_be_replayed_is_one_sentence(arguments: tuple[str, ...], says: str) -> None:
    result = run("replay", made("z.csv"), *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_columns_of_what_has_none_are_refused() -> None:
    result = run("replay", made("z.oracleGeneral"), "--columns", "id=2")
    assert result.exit_code == 2
    assert "`z.oracleGeneral` is no CSV, but oracle-general" in result.stderr


def test_what_oracle_general_cannot_say_is_refused() -> None:
    result = run("trace", "make", "scan", "--accesses", "9", "--writes", "1", "-o", "s.bin")
    assert result.exit_code == 2
    assert "oracleGeneral does not say which accesses write" in result.stderr
    assert not Path("s.bin").exists()


def test_what_comes_before_a_cut_is_played_and_the_rest_is_a_sentence() -> None:
    trace = made("z.oracleGeneral")
    Path(trace).write_bytes(Path(trace).read_bytes()[:-30])
    form = ("--output-format", "json", "-o", "z.json")
    for command in (("replay", trace), ("replay", trace, *form), ("trace", "info", trace)):
        result = run(*command)
        assert result.exit_code == 2
        assert "71_970 bytes, which are not whole records of 24" in result.stderr
        assert "-o" in command or "2_998 accesses" in result.stdout
        assert "-o" in command or "cut short" in result.stdout
    document = json.loads(Path("z.json").read_text("utf-8"))
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
    assert document["accesses"] == 2998
    assert "71_970 bytes" in document["cut"]


def test_a_line_that_is_wrong_ends_a_csv_there() -> None:
    trace = made("z.csv", "--every-us", "1000000")
    lines = Path(trace).read_text("utf-8").splitlines()
    lines[2001] = "-5,7,1,get"
    Path(trace).write_text("\n".join(lines), "utf-8")
    result = run("replay", trace, "--capacity", "10")
    assert result.exit_code == 2
    assert "2_000 accesses" in result.stdout
    assert "line 2002 of `z.csv` has a time `-5`" in result.stderr


def test_a_capacity_that_cannot_be_leaves_the_rows_of_others() -> None:
    trace = made("z.csv")
    form = ("--output-format", "json")
    result = run("replay", trace, "-M", "h100-sxm", "--capacity-gb", "0.0001,0.1", *form)
    assert result.exit_code == 2
    assert "less than the largest object's" in result.stderr
    document = json.loads(result.stdout)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
    assert [row["capacity"] for row in document["rows"]] == [100_000_000]
    assert [each["capacity"] for each in document["missing"]] == [100_000]


def test_an_interruption_prints_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = made("z.csv")
    play = Counting.play

    def interrupted(counting: Counting, *rest: NDArray[np.int64]) -> None:
        if counting.policy == "sieve":
            raise KeyboardInterrupt
        play(counting, *rest)

    monkeypatch.setattr(Counting, "play", interrupted)
    result = run("replay", trace, "--policy", "lru,sieve,fifo", "--capacity", "10")
    assert result.exit_code == 130
    assert "sieve at 10 is missing: interrupted after 0 accesses" in result.stdout
    assert "lru" in result.stdout
    assert "interrupted" in result.stderr
