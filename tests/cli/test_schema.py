"""``mirc schema`` as people and editors run it."""

from pathlib import Path

from click.testing import CliRunner

from mirc.cli.main import cli

COMMITTED = Path(__file__).parents[2] / "docs" / "schemas" / "module-1.schema.json"


def test_the_schema_is_printed(tmp_path: Path) -> None:
    text = COMMITTED.read_text(encoding="utf-8")
    assert CliRunner().invoke(cli, ["schema"]).stdout == text
    out = tmp_path / "module.json"
    assert CliRunner().invoke(cli, ["schema", "-o", str(out)]).exit_code == 0
    assert out.read_text(encoding="utf-8") == text
