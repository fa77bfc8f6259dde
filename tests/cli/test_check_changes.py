"""``mirc check`` where it writes: --fix, --diff, --add-ignore, baselines."""

import json
import os
import shutil
import subprocess
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
        (("--select", "MIR4,tier-oder"), "`--select` names `tier-oder`: there is no such rule"),
        (
            ("--extend-select", "nope-nope"),
            "`--extend-select` names `nope-nope`: there is no such rule",
        ),
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


def test_content_comes_out_byte_for_byte() -> None:
    text = b"// \x1b[31mred\x1b[0m \xe2\x80\xa8\r\n" + FIXED.encode()
    assert run("-", "--fix", stdin=text).stdout_bytes == text
    shown = run("-", "--diff", "--stdin-filename", "a.mir", stdin=text + UNUSED.encode())
    assert b"+++ b/a.mir\n" in shown.stdout_bytes
    assert b" // \x1b[31mred\x1b[0m \xe2\x80\xa8\r\n" in shown.stdout_bytes


WRITERS = (("check", "--fix"), ("check", "--add-ignore", "why"), ("fmt",))


@pytest.mark.parametrize("words", WRITERS)
def test_a_link_out_of_a_folder_is_not_written_through(
    folder: Path, words: tuple[str, ...]
) -> None:
    text = UNUSED + ORDER
    (folder / "out.mir").write_text(text)
    (folder / "in").mkdir()
    (folder / "in" / "own.mir").write_text(text)
    (folder / "in" / "far.mir").symlink_to("../out.mir")
    (folder / "in" / "near.mir").symlink_to("own.mir")
    (folder / "in" / "gone.mir").symlink_to("../nowhere.mir")
    result = CliRunner().invoke(cli, [*words, "in"])
    assert result.exit_code != 2  # what is gone is not read either
    assert (folder / "out.mir").read_text() == text
    assert (folder / "in" / "own.mir").read_text() != text
    assert "note: left alone, a link out of `in`: in/far.mir\n" in result.stderr
    assert "in/gone.mir" in result.stderr
    assert "near.mir" not in result.stderr
    CliRunner().invoke(cli, [*words, "in/far.mir"])
    assert (folder / "out.mir").read_text() != text
    assert (folder / "in" / "far.mir").is_symlink()


def test_a_check_that_writes_nothing_follows_every_link(folder: Path) -> None:
    (folder / "out.mir").write_text(LEFT)
    (folder / "in").mkdir()
    (folder / "in" / "far.mir").symlink_to("../out.mir")
    assert run("in").exit_code == 1


@pytest.mark.parametrize(
    "words", [*WRITERS, ("check", "--diff"), ("check", "--write-baseline", "o")]
)
def test_a_file_that_cannot_be_read_ends_nothing_and_is_exit_2(
    folder: Path, words: tuple[str, ...]
) -> None:
    (folder / "a.mir").write_bytes(b"\xff")
    (folder / "b.mir").write_text(UNUSED + ORDER)
    (folder / "c.mir").symlink_to("nowhere.mir")
    result = CliRunner().invoke(cli, list(words))
    assert result.exit_code == 2
    assert "error: `a.mir` is not UTF-8" in result.stderr
    assert "error: there is no file `c.mir`" in result.stderr
    assert ((folder / "b.mir").read_text() != UNUSED + ORDER) == (words in WRITERS)
    assert not (folder / "o").exists()


@pytest.mark.parametrize("words", WRITERS)
def test_a_write_protected_file_is_left_alone_and_the_next_one_is_not(
    folder: Path, words: tuple[str, ...]
) -> None:
    for name in ("a.mir", "b.mir"):
        (folder / name).write_text(UNUSED + ORDER)
    (folder / "a.mir").chmod(0o444)
    result = CliRunner().invoke(cli, list(words))
    assert result.exit_code == 2
    assert "error: `a.mir` is write-protected\nhelp: allow it: chmod u+w a.mir\n" in result.stderr
    assert (folder / "a.mir").read_text() == UNUSED + ORDER
    assert (folder / "a.mir").stat().st_mode & 0o777 == 0o444
    assert (folder / "b.mir").read_text() != UNUSED + ORDER


@pytest.mark.parametrize(
    "args",
    [
        (".", "--output-file", "c.mir"),
        ("--output-file", "c.mir"),
        ("--fix", "--output-file", "./c.mir"),
        (".", "--write-baseline", "c.mir"),
        ("--write-baseline", "link"),
    ],
)
def test_no_output_replaces_a_file_that_is_checked(folder: Path, args: tuple[str, ...]) -> None:
    (folder / "c.mir").write_text(ORDER)
    (folder / "link").symlink_to("c.mir")
    result = run(*args)
    assert result.exit_code == 2
    assert "is read or written already by this command" in result.stderr
    assert (folder / "c.mir").read_text() == ORDER


@pytest.mark.parametrize(
    "text",
    [
        ORDER,
        ORDER[:-1] + "  // a comment\n",
        ORDER.replace("  pref", "\n  pref"),
        "object y { class = KV_BLOCK\n preferred_tiers = [DRAM,\n HBM]\n}\n",
        FIXED + "phase p { override x { preferred_tiers = [DRAM, HBM] } }\n",
        FIXED + "phase p {\n override x { preferred_tiers = [DRAM, HBM] }\n}\n",
    ],
)
@pytest.mark.parametrize("reason", ["why", "w" * 90])
def test_what_was_ignored_stays_so_when_the_file_is_formatted(
    folder: Path, text: str, reason: str
) -> None:
    (folder / "a.mir").write_text(text)
    assert "ignored 1 finding" in run("--add-ignore", reason).stderr
    CliRunner().invoke(cli, ["fmt"])
    assert run().output == "nothing found in 1 file\n"


@pytest.mark.parametrize("old", ["MIR402] cold data", "tier-oder] cold data", "MIR402] hot data"])
def test_an_ignore_that_does_not_work_or_says_otherwise_is_not_added_to(
    folder: Path, old: str
) -> None:
    both = "object y {\n  class = KV_BLOCK\n  preferred_tiers = [DRAM, HBM]"
    overlap = "\n  fallback_tiers = [DRAM]" * ("hot" in old)
    (folder / "a.mir").write_text(f"{both}  // mirc: ignore[{old}{overlap}\n}}\n")
    run("--add-ignore", "cold data")
    text = (folder / "a.mir").read_text()
    assert f"// mirc: ignore[{old}\n" in text
    assert "\n  // mirc: ignore[MIR403] cold data\n" in text


def test_an_ignore_with_the_same_reason_is_given_the_further_rule(folder: Path) -> None:
    (folder / "a.mir").write_text(ORDER)
    run("--add-ignore", "cold data")
    text = (folder / "a.mir").read_text().replace("HBM]", "HBM]  fallback_tiers = [DRAM]")
    (folder / "a.mir").write_text(text)
    run("--add-ignore", "cold data")
    assert "// mirc: ignore[MIR403, MIR402] cold data\n" in (folder / "a.mir").read_text()


def test_the_diff_of_several_files_is_a_patch_that_git_takes(folder: Path) -> None:
    for name in ("a.mir", "b c.mir"):
        (folder / name).write_text(UNUSED + LEFT)
    (folder / "d.patch").write_bytes(run("--diff").stdout_bytes)
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    git = shutil.which("git")
    assert git is not None
    subprocess.run([git, "apply", "d.patch"], cwd=folder, check=True, env=environment)
    assert (folder / "a.mir").read_text() == (folder / "b c.mir").read_text() == FIXED + LEFT


def test_a_diff_has_colours_where_they_are_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.mir").write_text(UNUSED)
    assert "\x1b" not in run("--diff", "a.mir").stdout
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m-object" in run("--diff", "a.mir").stdout
