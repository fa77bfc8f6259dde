from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mirc.cli import main
from mirc.cli.main import cli
from mirc.cli.options import format_option, machines_option, output_option
from mirc.machine import Machine
from mirc.machine.load import source


@click.command()
@machines_option("Run on it.")
@output_option("Where to.")
@format_option("text", "json")
def options(machines: tuple[Machine, ...], output: str, output_format: str) -> None:
    click.echo(" ".join([*(machine.name for machine in machines), output, output_format]))


@pytest.fixture(autouse=True)
def _command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "options", options, raising=False)
    monkeypatch.setattr(main, "COMMANDS", (("options", "mirc.cli.main:options", "Options."),))


def said(*arguments: str) -> str:
    return CliRunner().invoke(cli, ["options", *arguments]).output.strip()


def test_without_options_there_is_no_machine_and_text_goes_to_standard_output() -> None:
    assert said() == "- text"


def test_machines_are_loaded_in_the_order_of_the_command_line(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(source("edge").replace('name = "edge"', 'name = "mine"'), "utf-8")
    assert said("-M", str(mine), "--machine", "gh200") == "mine gh200 - text"


def test_an_unknown_machine_ends_the_command_before_it_begins() -> None:
    assert said("-M", "gh20").startswith("error: there is no machine `gh20`\nhelp: did you mean")


def test_an_output_that_cannot_be_written_ends_the_command_before_it_begins(
    tmp_path: Path,
) -> None:
    assert said("-o", f"{tmp_path}/no/a").startswith("error: the folder of ")
    assert said("-o", f"{tmp_path}/a", "--output-format", "json") == f"{tmp_path}/a json"
