"""``mirc check`` in every form of its report, and its settings."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from mirc.cli.check_root import repository
from mirc.cli.main import cli
from mirc.lint import config

ROOT = Path(__file__).parents[2]
ORDER = "object y { class = KV_BLOCK  preferred_tiers = [DRAM, HBM] }\n"
BROKEN = "object x { class: WEIGHT_TILE }\n"


def run(*args: str, stdin: bytes | str | None = None) -> Result:
    return CliRunner().invoke(cli, ["check", *args], input=stdin)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY", "CI_PROJECT_DIR"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.mir").write_text(BROKEN)
    monkeypatch.chdir(tmp_path / "sub")
    config.forget()
    return tmp_path


def test_sarif_names_files_from_the_repository_and_lists_every_rule() -> None:
    result = run("--output-format", "sarif")
    assert result.exit_code == 1
    (log,) = json.loads(result.output)["runs"]
    place = log["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "sub/a.mir"
    listed = {rule["id"] for rule in log["tool"]["driver"]["rules"]}
    assert {"MIR102", "MIR201", "MIR403", "MIR930"} <= listed


def test_gitlab_and_junit_name_files_from_the_repository() -> None:
    (issue,) = json.loads(run("--output-format", "gitlab").output)
    assert issue["location"]["path"] == "sub/a.mir"
    suites = ET.fromstring(run("--output-format", "junit").output)  # noqa: S314 - our own
    assert [suite.get("name") for suite in suites] == ["sub/a.mir"]


def test_github_gets_annotations_the_text_and_a_table_in_the_jobs_summary(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = folder / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder))
    result = run("--output-format", "github")
    assert result.exit_code == 1
    assert result.output.startswith("::error file=sub/a.mir,line=1,")
    assert "1 | object x { class: WEIGHT_TILE }" in result.output
    lines = summary.read_text().splitlines()
    assert lines[:2] == ["before", "### mirc check: 1 error in 1 file"]
    assert lines[-2].startswith("| error | MIR102 colon-for-equals | sub/a.mir:1:17 |")


def test_other_forms_leave_the_jobs_summary_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = folder / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert run("--output-format", "full").exit_code == 1
    assert not summary.exists()


def test_the_repository_is_the_ci_services_checkout_then_gits_then_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert repository() == str(folder)
    monkeypatch.setenv("CI_PROJECT_DIR", str(folder / "sub"))
    assert repository() == str(folder / "sub")
    monkeypatch.setenv("CI_PROJECT_DIR", "/elsewhere")
    assert repository() == str(folder)
    (folder / ".git").rmdir()
    assert repository() == str(folder / "sub")


def test_statistics_count_the_findings_of_each_rule(folder: Path) -> None:
    (folder / "sub" / "b.mir").write_text(ORDER + ORDER.replace("y", "z", 1))
    result = run("--statistics")
    assert result.exit_code == 1
    assert re.fullmatch(
        r"2  hint     MIR403 tier-order(  \(2 fixable\))?\n"
        r"1  error    MIR102 colon-for-equals(  \(1 fixable\))?\n"
        r"1 error, 2 hints in 2 files\n",
        result.output,
    )


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ((), 0),
        (("--fail-level", "hint"), 1),
        (("--select", "MIR403", "--fail-level", "hint"), 1),
        (("--select", "MIR402,MIR5", "--fail-level", "hint"), 0),
        (("--ignore", "tier-order", "--fail-level", "hint"), 0),
        (("--ignore", "MIR4", "--extend-select", "tier-order", "--fail-level", "hint"), 1),
    ],
)
def test_the_rules_and_the_level_decide_the_exit_code(
    folder: Path, args: tuple[str, ...], code: int
) -> None:
    (folder / "sub" / "a.mir").write_text(ORDER)
    assert run(*args).exit_code == code


def test_each_file_has_the_settings_of_its_own_folder(folder: Path) -> None:
    (folder / "strict").mkdir()
    for name in ("sub", "strict"):
        (folder / name / "a.mir").write_text(ORDER)
    (folder / "strict" / "mirc.toml").write_text('fail-level = "hint"\n')
    assert run("../sub").exit_code == 0
    assert run("../sub", "../strict").exit_code == 1
    assert run("../sub", "../strict", "--fail-level", "error").exit_code == 0


def test_standard_input_has_the_settings_of_the_name_that_it_is_given(folder: Path) -> None:
    (folder / "mirc.toml").write_text('fail-level = "hint"\n')
    assert run("-", stdin=ORDER).exit_code == 1
    assert run("-", "--stdin-filename", "/elsewhere/a.mir", stdin=ORDER).exit_code == 0


def test_a_wrong_settings_file_is_exit_2(folder: Path) -> None:
    (folder / "mirc.toml").write_text('ignore = ["MIR4"]\nignroe = []\n')
    result = run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert "mirc.toml`" in result.stderr or "mirc.toml:2`" in result.stderr
    assert "did you mean `ignore`?" in result.stderr


@pytest.mark.parametrize("form", ["sarif", "github", "gitlab", "junit"])
def test_the_same_bytes_come_out_whatever_the_hash_seed(folder: Path, form: str) -> None:
    ignore = ORDER[:-1] + " // mirc: ignore[MIR5, MIR403, MIR402, nothing] x\n"
    (folder / "sub" / "a.mir").write_text(ORDER + ignore + BROKEN.replace(":", " ="))
    said = {
        subprocess.run(
            [sys.executable, "-m", "mirc", "check", "--output-format", form],
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert b"MIR931" in said.pop()
