"""``mirc fmt`` as people and CI run it."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirc.cli.main import cli

UGLY = "object x { class=WEIGHT_TILE }  // one\n"
NEAT = "object x {\n  class = WEIGHT_TILE\n}  // one\n"
WRONG = "object x { class: WEIGHT_TILE }\n"


def run(*args: str, stdin: bytes | str | None = None) -> Result:
    return CliRunner().invoke(cli, ["fmt", *args], input=stdin)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_are_rewritten_and_counted(folder: Path) -> None:
    (folder / "a.mir").write_text(UGLY)
    (folder / "sub").mkdir()
    (folder / "sub" / "b.mir").write_text(UGLY)
    (folder / "c.mir").write_text(NEAT)
    result = run()
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "2 files reformatted, 1 left unchanged\n"
    assert (folder / "a.mir").read_text() == (folder / "sub" / "b.mir").read_text() == NEAT
    assert run().stderr == "3 files left unchanged\n"


def test_a_file_that_is_neat_is_not_touched(folder: Path) -> None:
    file = folder / "a.mir"
    file.write_text(NEAT)
    os.utime(file, (1, 1))
    before = file.stat()
    assert run("a.mir").exit_code == 0
    assert (file.stat().st_mtime, file.stat().st_ino) == (before.st_mtime, before.st_ino)


def test_check_names_what_would_change_and_writes_nothing(folder: Path) -> None:
    (folder / "a.mir").write_text(UGLY)
    (folder / "b.mir").write_text(NEAT)
    result = run("--check")
    assert (result.exit_code, result.stdout) == (1, "would reformat a.mir\n")
    assert result.stderr == "1 file would be reformatted, 1 would be left unchanged\n"
    assert (folder / "a.mir").read_text() == UGLY
    assert run("--check", "b.mir").exit_code == 0


def test_diff_shows_what_would_change(folder: Path) -> None:
    (folder / "a.mir").write_text(UGLY)
    for args in (("--diff",), ("--diff", "--check")):
        result = run(*args)
        assert result.exit_code == 1
        assert result.stdout == (
            "--- a/a.mir\n+++ b/a.mir\n@@ -1 +1,3 @@\n"
            "-object x { class=WEIGHT_TILE }  // one\n"
            "+object x {\n+  class = WEIGHT_TILE\n+}  // one\n"
        )
    assert (folder / "a.mir").read_text() == UGLY


def test_standard_input_goes_to_standard_output() -> None:
    for text in (UGLY, NEAT):
        result = run("-", stdin=text)
        assert (result.exit_code, result.stdout, result.stderr) == (0, NEAT, "")


def test_standard_input_is_checked_under_a_name() -> None:
    result = run("-", "--check", "--stdin-filename", "n.mir", stdin=UGLY)
    assert (result.exit_code, result.stdout) == (1, "would reformat n.mir\n")
    result = run("-", "--stdin-filename", "n.mir", stdin=WRONG)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "n.mir:1:17: error[MIR102 colon-for-equals]: " in result.stderr


def test_a_file_with_syntax_errors_is_named_and_left_while_the_others_are_formatted(
    folder: Path,
) -> None:
    (folder / "a.mir").write_text(WRONG)
    (folder / "b.mir").write_bytes(b"\xff")
    (folder / "c.mir").write_text(UGLY)
    result = run()
    assert result.exit_code == 2
    assert "a.mir:1:17: error[MIR102 colon-for-equals]: " in result.stderr
    assert "error: `b.mir` is not UTF-8" in result.stderr
    assert result.stderr.endswith("1 file reformatted, 2 with errors\n")
    assert (folder / "a.mir").read_text() == WRONG
    assert (folder / "c.mir").read_text() == NEAT


def test_standard_input_stands_alone(folder: Path) -> None:
    (folder / "a.mir").write_text(UGLY)
    assert run("-", "a.mir", stdin=UGLY).exit_code == 2
    assert (folder / "a.mir").read_text() == UGLY


def test_a_link_keeps_pointing_where_it_did(folder: Path) -> None:
    (folder / "a.mir").write_text(UGLY)
    (folder / "b.mir").symlink_to("a.mir")
    assert run("b.mir").exit_code == 0
    assert (folder / "b.mir").is_symlink()
    assert (folder / "a.mir").read_text() == NEAT


def test_line_ends_of_another_system_become_ours(folder: Path) -> None:
    (folder / "a.mir").write_bytes(NEAT.replace("\n", "\r\n").encode())
    assert run("a.mir").exit_code == 0
    assert (folder / "a.mir").read_bytes() == NEAT.encode()


def test_content_comes_out_byte_for_byte() -> None:
    text = b"// \x1b[31mred\x1b[0m\n" + UGLY.encode()
    assert run("-", stdin=text).stdout_bytes.startswith(b"// \x1b[31mred\x1b[0m\n")
    shown = run("-", "--diff", stdin=text).stdout_bytes
    assert b"\n // \x1b[31mred\x1b[0m\n" in shown


def test_a_byte_order_mark_and_the_mode_stay(folder: Path) -> None:
    target = folder / "a.mir"
    target.write_bytes(b"\xef\xbb\xbf" + UGLY.encode())
    target.chmod(0o640)
    assert run().exit_code == 0
    assert target.read_bytes() == b"\xef\xbb\xbf" + NEAT.encode()
    assert target.stat().st_mode & 0o777 == 0o640
