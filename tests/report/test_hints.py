"""What a file's hints were worth, as tables and as JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from mirc.cli.main import cli
from mirc.report.hints import ablation_table, curve_table
from mirc.report.misses import misses_table
from mirc.simulate.curves import Curve
from mirc.simulate.hints import Ablation, HintCurve, HintPoint, Without
from tests.simulate.hints.mended import text

ROOT = Path(__file__).parents[2]
MS = 1_000_000_000
MB = 1_000_000


def _point(share: float, intent_ms: int, static_ms: int) -> HintPoint:
    return HintPoint(
        share=share,
        intent_ps=intent_ms * MS,
        intent_stall_ps=0,
        intent_bytes=intent_ms * MB,
        static_ps=static_ms * MS,
        static_stall_ps=0,
    )


def test_a_curve_stands_beside_lru_and_a_static_placement_told_the_same() -> None:
    curve = HintCurve(
        seed=7,
        points=(_point(0.0, 100, 110), _point(0.5, 120, 100), _point(1.0, 200, 240)),
        lru_ps=150 * MS,
        lru_stall_ps=0,
        bound_ps=90 * MS,
    )
    assert curve_table(curve) == (
        "hints wrong    intent  vs all true  bytes in  static, told the same       lru"
        "  intent over the better\n"
        "-----------  --------  -----------  --------  ---------------------  --------"
        "  ----------------------\n"
        "0.00 %       100.0 ms       0.00 %  100.0 MB               110.0 ms  150.0 ms"
        "                 -9.09 %\n"
        "50.00 %      120.0 ms     +20.00 %  120.0 MB               100.0 ms  150.0 ms"
        "                +20.00 %\n"
        "100 %        200.0 ms       +100 %  200.0 MB               240.0 ms  150.0 ms"
        "                +33.33 %\n"
        "intent is no slower than lru up to 50 % of hints wrong (seed 7)\n"
    )


def test_an_ablation_names_what_changes_nothing_in_one_line() -> None:
    def row(what: str, total_ms: int) -> Without:
        return Without(
            what=what,
            lines=2,
            total_ps=total_ms * MS,
            near_bytes=5 * MB,
            slower=total_ms / 100 - 1,
            moved=0.0,
        )

    rows = (row("plan", 150), row("reuse", 100), row("spill_policy", 100), row("access", 90))
    found = Ablation(total_ps=100 * MS, near_bytes=5 * MB, rows=rows)
    assert ablation_table(found) == (
        "intent without  lines     total  slower by  bytes in  more by\n"
        "--------------  -----  --------  ---------  --------  -------\n"
        "nothing                100.0 ms             5.000 MB\n"
        "plan                2  150.0 ms   +50.00 %  5.000 MB   0.00 %\n"
        "access              2  90.00 ms   -10.00 %  5.000 MB   0.00 %\n"
        "without these nothing changes here: reuse, spill_policy\n"
    )


def test_a_miss_curve_marks_the_memory_of_the_machine() -> None:
    def curve(name: str, hits: tuple[int, ...]) -> Curve:
        return Curve(
            name=name,
            footprint_bytes=40 * MB,
            accesses=8,
            accessed_bytes=80 * MB,
            capacities_bytes=(10 * MB, 20 * MB, 25 * MB, 40 * MB),
            hits=hits,
            hit_bytes=(0, 0, 0, 0),
        )

    curves = [curve("all", (0, 1, 2, 4)), curve("WEIGHT_TILE", (0, 0, 0, 6))]
    assert misses_table(curves, 25 * MB) == (
        "lru misses in                 all  WEIGHT_TILE\n"
        "-----------------------  --------  -----------\n"
        "10.00 MB                    100 %        100 %\n"
        "25.00 MB (this machine)   75.00 %        100 %\n"
        "40.00 MB                  50.00 %      25.00 %\n"
        "all of it                40.00 MB     40.00 MB\n"
    )


def test_the_command_prints_them_and_its_json_obeys_the_schema(tmp_path: Path) -> None:
    file = tmp_path / "toy.mir"
    file.write_text(text().replace('"toy"', '"edge"'), encoding="utf-8")
    asked = ["simulate", str(file), "-M", "edge", "--policy", "intent", "--steps", "3"]
    asked += ["--hint-curve", "--ablate", "--miss-curve"]
    shown = CliRunner().invoke(cli, asked)
    assert shown.exit_code == 0, shown.output
    assert "hints wrong" in shown.output
    assert "intent without" in shown.output
    assert "lru misses in" in shown.output
    plain = CliRunner().invoke(cli, [*asked, "--output-format", "json"])
    schema = json.loads((ROOT / "docs/schemas/simulate-1.schema.json").read_text(encoding="utf-8"))
    found = json.loads(plain.output)
    Draft202012Validator(schema).validate(found)
    assert len(found["machines"][0]["hint_curve"]["points"]) == 6
    assert [each["name"] for each in found["machines"][0]["miss_curves"]] == ["all", "WEIGHT_TILE"]
    assert "plan" in {row["what"] for row in found["machines"][0]["ablation"]["rows"]}


@pytest.mark.parametrize("option", ["--hint-curve", "--ablate", "--miss-curve"])
def test_what_is_asked_of_a_schedule_is_not_asked_of_a_trace(option: str, tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    trace.write_text("", encoding="utf-8")
    file = str(ROOT / "samples" / "serving-small.mir")
    result = CliRunner().invoke(cli, ["simulate", file, "--trace", str(trace), option])
    assert result.exit_code == 2
    assert f"`{option}` is about the file's schedule" in str(result.output)
