"""``mirc check`` where it writes: --fix, --diff, --add-ignore, baselines."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirc.cli.main import cli
from mirc.lint import config

# An ignore that hides nothing is a finding with a fix that no other rule depends on.
UNUSED = "object x { class = KV_BLOCK }  // mirc: ignore[tier-order] no more\n"
FIXED = "object x { class = KV_BLOCK }\n"
ORDER = "object y { class = KV_BLOCK  preferred_tiers = [DRAM, HBM] }\n"
LEFT = "phase p { override unlike_any { pin_level = SOFT } }\n"  # nothing can be put right
BROKEN = "object x { class: WEIGHT_TILE }\n"


def run(*args: str, stdin: bytes | str | None = None) -> Result:
    return CliRunner().invoke(cli, ["check", *args], input=stdin)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    config.forget()
    return tmp_path


def test_fix_writes_the_file_and_reports_what_is_left(folder: Path) -> None:
    (folder / "a.mir").write_text(UNUSED + LEFT)
    result = run("--fix", "--output-format", "concise")
    assert (folder / "a.mir").read_text() == FIXED + LEFT
    assert (result.exit_code, result.stderr) == (1, "fixed 1 finding in 1 file\n")
    assert "error[MIR210 undeclared-object]" in result.stdout
    assert "MIR930" not in result.stdout


def test_a_second_fix_changes_nothing(folder: Path) -> None:
    (folder / "a.mir").write_text(UNUSED)
    run("--fix")
    before = (folder / "a.mir").stat()
    assert run("--fix").stderr == "nothing to change\n"
    assert (folder / "a.mir").stat() == before


def test_a_fix_keeps_the_byte_order_mark_the_line_ends_and_the_mode(folder: Path) -> None:
    target = folder / "a.mir"
    target.write_bytes(b"\xef\xbb\xbf" + (UNUSED + LEFT).replace("\n", "\r\n").encode())
    target.chmod(0o640)
    run("--fix")
    assert target.read_bytes() == b"\xef\xbb\xbf" + (FIXED + LEFT).replace("\n", "\r\n").encode()
    assert target.stat().st_mode & 0o777 == 0o640


def test_diff_shows_what_fix_would_do_and_writes_nothing(folder: Path) -> None:
    (folder / "a.mir").write_text(UNUSED)
    result = run("--diff", "a.mir")
    assert result.exit_code == 1
    assert result.stdout == f"--- a/a.mir\n+++ b/a.mir\n@@ -1 +1 @@\n-{UNUSED}+{FIXED}"
    assert result.stderr == "would fix 1 finding in 1 file\n"
    assert (folder / "a.mir").read_text() == UNUSED


def test_diff_is_exit_0_where_nothing_would_change(folder: Path) -> None:
    (folder / "a.mir").write_text(LEFT)
    assert (run("--diff").exit_code, run("--diff").stdout) == (0, "")


def test_standard_input_is_fixed_onto_standard_output_and_the_report_goes_to_the_other() -> None:
    result = run("-", "--fix", stdin=UNUSED)
    assert (result.exit_code, result.stdout) == (0, FIXED)
    assert "nothing found in 1 file" in result.stderr
    left = run("-", "--fix", stdin=BROKEN + "object\n")
    assert left.exit_code == 1
    assert "error[" in left.stderr
    assert "error[" not in left.stdout


def test_ignores_are_added_with_the_reason_and_then_nothing_is_found(folder: Path) -> None:
    (folder / "a.mir").write_text(ORDER)
    result = run("--add-ignore", "cold data")
    assert (result.exit_code, result.stderr) == (0, "ignored 1 finding in 1 file\n")
    assert (folder / "a.mir").read_text() == ORDER[:-1] + "  // mirc: ignore[MIR403] cold data\n"
    assert run().output == "nothing found in 1 file\n"


def test_what_no_ignore_can_hide_is_still_exit_1(folder: Path) -> None:
    (folder / "a.mir").write_text(BROKEN)
    assert run("--add-ignore", "why").exit_code == 1
    assert (folder / "a.mir").read_text() == BROKEN


def test_a_baseline_hides_the_old_and_shows_the_new(folder: Path) -> None:
    (folder / "a.mir").write_text(ORDER)
    written = run("--write-baseline", "old.json")
    assert (written.exit_code, written.stdout) == (0, "")
    assert written.stderr == "wrote 1 finding into old.json\n"
    assert json.loads((folder / "old.json").read_text())["format"] == "mirc-baseline"
    assert run("--baseline", "old.json").output == "nothing found in 1 file\n"
    (folder / "a.mir").write_text("\n" + ORDER + ORDER.replace("y", "z", 1))
    said = run("--baseline", "old.json", "--output-format", "concise").stdout.splitlines()
    assert [line.split(":")[1] for line in said[:-1]] == ["3"]


def test_a_stale_baseline_is_noted_beside_the_report(folder: Path) -> None:
    (folder / "a.mir").write_text(ORDER)
    (folder / "mirc.toml").write_text('baseline = "old.json"\n')
    run("--write-baseline", "old.json")
    (folder / "a.mir").write_text(FIXED)
    result = run()
    assert (result.exit_code, result.stdout) == (0, "nothing found in 1 file\n")
    assert result.stderr == (
        "note: no longer in a.mir: MIR403 of object y.preferred_tiers\n"
        "help: shrink the baseline with `mirc check --write-baseline`\n"
    )


def test_a_baseline_is_written_of_all_findings_though_an_old_one_is_in_the_settings(
    folder: Path,
) -> None:
    (folder / "a.mir").write_text(ORDER)
    (folder / "mirc.toml").write_text('baseline = "old.json"\n')
    first = run("--write-baseline", "old.json").stderr
    assert run("--write-baseline", "old.json").stderr == first


def test_syntax_errors_are_reported_when_a_baseline_is_written(folder: Path) -> None:
    (folder / "a.mir").write_text(BROKEN)
    result = run("--write-baseline", "old.json")
    assert result.exit_code == 1
    assert "error[MIR102" in result.stdout
    assert result.stderr == "wrote 0 findings into old.json\n"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--fix", "--diff"), "--fix and --diff cannot be asked for at once"),
        (("--watch", "-"), "--watch reads files"),
        (("--statistics", "--diff"), "--statistics goes with"),
        (("--statistics", "--output-format", "json"), "--statistics is a table of text"),
        (("--select", "MIR4,tier-oder"), "`--select` names `tier-oder`: no rule"),
        (("--extend-select", "nope-nope"), "`--extend-select` names `nope-nope`: no rule"),
        (("--ignore", "MIR1"), "syntax errors cannot be ignored"),
        (("--baseline", "no.json"), "cannot read the baseline `no.json`"),
        (("--write-baseline", "a.mir"), "`a.mir` is read or written already"),
        (("--write-baseline", "no/such.json"), "no/such.json"),
        (("--add-ignore", " "), "is not one line"),
        (("--fail-level", "bad"), "bad"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence_and_exit_2(
    folder: Path, args: tuple[str, ...], sentence: str
) -> None:
    (folder / "a.mir").write_text(ORDER)
    result = run(*(("a.mir",) if "-" not in args else ()), *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert "bug" not in result.stderr
    assert (folder / "a.mir").read_text() == ORDER
