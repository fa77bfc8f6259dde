from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mirc.cli import main
from mirc.cli.main import cli
from mirc.cli.options import format_option, output_option


@click.command()
@output_option("Where to.")
@format_option("text", "json")
def options(output: str, output_format: str) -> None:
    click.echo(f"{output} {output_format}")


@pytest.fixture(autouse=True)
def _command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "options", options, raising=False)
    monkeypatch.setattr(main, "COMMANDS", (("options", "mirc.cli.main:options", "Options."),))


def said(*arguments: str) -> str:
    return CliRunner().invoke(cli, ["options", *arguments]).output.strip()


def test_without_options_text_goes_to_standard_output() -> None:
    assert said() == "- text"


def test_an_output_that_cannot_be_written_ends_the_command_before_it_begins(
    tmp_path: Path,
) -> None:
    assert said("-o", f"{tmp_path}/no/a").startswith("error: the folder of ")
    assert said("-o", f"{tmp_path}/a", "--output-format", "json") == f"{tmp_path}/a json"
