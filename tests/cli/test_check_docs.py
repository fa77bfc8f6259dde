"""docs/check.md against the command that it describes."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from mirc.cli.check import check
from mirc.cli.check_report import FORMS
from mirc.cli.main import cli
from mirc.lint import config
from mirc.lint.config import settings_for
from mirc.lint.config_file import KEYS

DOCS = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    config.forget()
    return tmp_path


def after(words: str) -> str:
    """Return the first block without a language after some words."""
    found = re.search(r"^```\n(.*?)^```", DOCS[DOCS.index(words) :], re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_every_option_is_described_and_no_other() -> None:
    table = DOCS.split("## Options")[1].split("\n\n")[1]
    first_column = "".join(re.findall(r"^\|([^|]*)", table, re.MULTILINE))
    described = set(re.findall(r"`(--[a-z-]+)`", first_column))
    options = {name for option in check.params for name in option.opts if name.startswith("--")}
    assert described == options


def test_every_form_is_described_and_no_other() -> None:
    table = DOCS.split("## Forms of the report")[1].split("\n\n")[1]
    assert re.findall(r"^\| `([a-z]+)`", table, re.MULTILINE)[1:] == list(FORMS)[1:]
    assert f"`{FORMS[0]}` (default)" in table


def test_the_settings_shown_are_settings_and_all_there_are(folder: Path) -> None:
    (shown,) = re.findall(r"^```toml\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
    (folder / "mirc.toml").write_text(shown, encoding="utf-8")
    assert settings_for("a.mir").machines == ("h100-sxm",)
    assert set(re.findall(r"^\[?([a-z-]+)(?: =|\])", shown, re.MULTILINE)) == set(KEYS)


def test_the_report_shown_is_what_is_printed(folder: Path) -> None:
    (folder / "model.mir").write_text(after("# mirc check"), encoding="utf-8")
    result = CliRunner().invoke(cli, ["check", "model.mir"])
    assert f"$ mirc check model.mir\n{result.output}" in DOCS


def test_the_ignores_shown_hide_what_they_name(folder: Path) -> None:
    (folder / "model.mir").write_text(after("## Ignores"), encoding="utf-8")
    result = CliRunner().invoke(cli, ["check", "--fail-level", "hint"])
    assert (result.exit_code, result.output) == (0, "nothing found in 1 file\n")
