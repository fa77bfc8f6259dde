import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mirc.cli.main import cli
from mirc.machine.describe import amount, duration, rate
from mirc.machine.load import load, names, source


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["machine", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_list_prints_a_line_for_each_preset() -> None:
    lines = run("list").splitlines()
    assert lines[0].split() == ["name", "near", "reads", "at"]
    assert [line.split()[0] for line in lines[1:]] == list(names())
    assert "80 GB" in next(line for line in lines if line.startswith("h100-sxm"))


@pytest.mark.parametrize("name", names())
def test_show_names_every_part_and_what_follows(name: str) -> None:
    text = run("show", name)
    machine = load(name)
    parts = [memory.name for memory in machine.memories] + [link.name for link in machine.links]
    for part in parts:
        assert f"\n{part} " in text
    assert f"\n{machine.near.name} (near)" in text
    assert "\nridge " in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_show_derives_the_ridge_and_the_time_to_fill_the_near_memory() -> None:
    text = run("show", "h100-sxm")
    # 989 over 3.35 TFLOP/TB; 72 GB at 0.9 of 3.35 TB/s; 72 GB at 55 GB/s
    assert "ridge           295 FLOP/byte" in text
    assert "read hbm        23.9 ms for its usable 72 GB" in text
    assert "fill from dram  1.31 s" in text


def test_show_reads_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(source("edge").replace('name = "edge"', 'name = "mine"'), "utf-8")
    assert run("show", str(file)).startswith("mine: ")


def test_show_toml_prints_the_file_to_start_from() -> None:
    assert run("show", "gh200", "--toml") == source("gh200")


def test_show_as_json_has_name_version_and_schema() -> None:
    document = json.loads(run("show", "cxl-node", "--output-format", "json"))
    assert document["name"] == "mirc"
    assert document["schema"] == "urn:mirc:schema:machine:1"
    assert document["machine"]["derived"]["near_usable_bytes"] == 72_000_000_000
    assert [memory["name"] for memory in document["machine"]["memory"]][2:4] == ["dram", "cxl"]


def test_list_as_json_holds_every_machine_whole() -> None:
    document = json.loads(run("list", "--output-format", "json"))
    assert [machine["name"] for machine in document["machines"]] == list(names())
    assert all(machine["link"] for machine in document["machines"])


def test_an_unknown_machine_is_exit_code_2_and_a_suggestion() -> None:
    result = CliRunner().invoke(cli, ["machine", "show", "h100"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: there is no machine `h100`\nhelp: did you mean ")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (amount(52_428_800), "50 MiB"),
        (amount(39_321_600), "37.5 MiB"),
        (amount(80_000_000_000), "80 GB"),
        (amount(1024), "1 KiB"),
        (amount(64), "64 B"),
        (amount(999), "999 B"),
        (rate(3.35e12), "3.35 TB/s"),
        (rate(415e9), "415 GB/s"),
        (rate(999.9e9), "1 TB/s"),
        (duration(0), "0"),
        (duration(100e-6), "100 us"),
        (duration(0.99999), "1 s"),
        (duration(5e-13), "0.5 ps"),
    ],
)
def test_figures_have_three_digits_and_a_unit(written: str, text: str) -> None:
    assert written == text
