"""``--help`` of every command."""

import pytest
from click.testing import CliRunner

from mirc.cli.main import COMMANDS, cli


@pytest.mark.parametrize("name", [name for name, _, _ in COMMANDS])
def test_the_help_of_every_command_has_an_example(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    _, _, page = result.output.partition("Usage:")
    _, _, below = page.partition("\n")
    examples = [line for line in below.splitlines() if f"{line} ".startswith(f"  mirc {name} ")]
    assert examples, "write one below a \\b in its docstring"
