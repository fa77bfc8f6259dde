"""What no command can run is one sentence that names it, whichever command it is."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from mirc.cli.main import cli
from mirc.machine.load import source

ROOT = Path(__file__).parents[2]
SERVING = str(ROOT / "samples" / "serving-small.mir")
PRESET = source("card-24g")
LINKS = PRESET.split("[[link]]")
ROW = {"timestamp": 5, "input_length": 10, "output_length": 1, "hash_ids": [1]}


def without(*links: str) -> str:
    """Return the machine without some of its links."""
    kept = (part for part in LINKS[1:] if not any(f'"{name}"' in part for name in links))
    return "[[link]]".join([LINKS[0], *kept])


def first(pattern: str, value: str) -> str:
    """Return the machine with one number replaced, where a pattern first matches."""
    changed, count = re.subn(pattern, value, PRESET, count=1)
    assert count == 1
    return changed


MACHINES = {
    "an island": (
        without("nvme-to-dram", "dram-to-nvme"),
        "no link joins `nvme` to the near memory `hbm`",
    ),
    "no way in": (
        without("dram-to-hbm"),
        "no memory of card-24g has a way into its near memory `hbm`",
    ),
    "a link without bandwidth": (
        first(r"curve\s*=\s*\[[^\n]*", "curve = [[4096, 0]]"),
        "`link[0].curve[0][1]` is 0",
    ),
    "a memory without bandwidth": (
        first(r"read_bytes_per_s\s*=\s*[0-9._e]+", "read_bytes_per_s = 0"),
        "`memory[0].read_bytes_per_s` is 0",
    ),
    "a memory that is all reserve": (
        first(r"reserve_bytes\s*=\s*2_400_000_000", "reserve_bytes = 24_000_000_000"),
        "`hbm` reserves 24_000_000_000 bytes and holds 24_000_000_000",
    ),
    "a memory smaller than an object": (
        first(r"reserve_bytes\s*=\s*2_400_000_000", "reserve_bytes = 23_950_000_000"),
        "needs 67_133_440 bytes at once, and `hbm` of card-24g has 50_000_000",
    ),
}


@pytest.mark.parametrize("what", MACHINES)
def test_a_machine_that_cannot_run_it_is_told_by_the_part_at_fault(
    what: str, tmp_path: Path
) -> None:
    text, said = MACHINES[what]
    path = tmp_path / "m.toml"
    path.write_text(text, encoding="utf-8")
    refused(["simulate", SERVING, "-M", str(path), "--steps", "2"], said)


def test_a_way_that_leads_only_in_is_enough_for_what_is_never_written_back(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(without("hbm-to-dram"), encoding="utf-8")
    asked = ["simulate", SERVING, "-M", str(path), "--steps", "2", "--policy", "lru"]
    assert CliRunner().invoke(cli, asked).exit_code == 0


def test_a_file_without_caches_has_nothing_for_a_trace_to_fill(tmp_path: Path) -> None:
    mir, trace = tmp_path / "w.mir", tmp_path / "t.jsonl"
    mir.write_text(
        "mir 1.0\nobject w { class = WEIGHT_TILE size_bytes = 1MB }\n"
        "phase decode { step s { reads = [w] } }\n"
    )
    trace.write_text(json.dumps(ROW) + "\n")
    refused(
        ["simulate", str(mir), "-M", "card-24g", "--trace", str(trace)],
        "has no template of a cache",
    )


def test_caches_smaller_than_one_block_hold_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    trace.write_text(json.dumps(ROW) + "\n")
    refused(
        ["simulate", SERVING, "-M", "card-24g", "--trace", str(trace), "--kv-gb", "0.000001"],
        "get 1_000 bytes of `hbm` of card-24g, and one block of 512 tokens takes 2_097_152",
    )


TRACES: dict[str, tuple[Callable[[str], str], str]] = {
    "cut in the middle of a line": (lambda row: f"{row}\n{row[:20]}", "line 2 of"),
    "not in order of time": (
        lambda row: f"{row}\n{row.replace('5', '3', 1)}\n",
        "comes before the line above it in time",
    ),
    "before time began": (lambda row: row.replace("5", "-5", 1), "timestamp"),
    "with an id beyond 64 bits": (lambda row: row.replace("[1]", "[1" + "0" * 30 + "]"), "line 1"),
    "empty": (lambda _: "", "t.jsonl"),
}


@pytest.mark.parametrize("what", TRACES)
def test_a_trace_is_told_by_the_line_at_fault(what: str, tmp_path: Path) -> None:
    spoil, said = TRACES[what]
    trace = tmp_path / "t.jsonl"
    trace.write_text(spoil(json.dumps(ROW)))
    refused(["simulate", SERVING, "-M", "card-24g", "--trace", str(trace)], said)


@pytest.mark.parametrize("form", ["mooncake", "azure", "vllm-events", "csv"])
def test_of_text_without_an_end_no_more_than_a_line_is_read(form: str, tmp_path: Path) -> None:
    trace = tmp_path / "t.bin"
    with trace.open("wb") as file:
        file.truncate(24 * 10**8)  # of which nothing is on the disk
    asked = ["simulate", SERVING, "-M", "card-24g", "--trace", str(trace)]
    refused([*asked, "--trace-format", form], "t.bin")


def refused(arguments: list[str], said: str) -> None:
    """Run a command that cannot: exit code 2, one sentence and one way out, no traceback.

    What came before a wrong line is reported on standard output all the same.
    """
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    assert said in lines[0]
    assert lines[0].startswith("error: ")
    assert lines[1].startswith("help: ")
    assert len(lines) == 2
