"""``mirc check`` as people and CI run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from mirc.cli.main import cli

ROOT = Path(__file__).parents[2]
CLEAN = "object x { class = WEIGHT_TILE }\n"
BROKEN = "object x { class: WEIGHT_TILE }\n"
HINTED = "object x { class = WEIGHT_TILE  preferred_tiers = [DRAM, HBM] }\n"


def run(*args: str, stdin: bytes | str | None = None) -> Result:
    return CliRunner().invoke(cli, ["check", *args], input=stdin)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_clean_file_is_exit_0(folder: Path) -> None:
    (folder / "a.mir").write_text(CLEAN)
    result = run("a.mir")
    assert (result.exit_code, result.output) == (0, "nothing found in 1 file\n")


def test_an_error_is_exit_1_and_shows_its_line(folder: Path) -> None:
    (folder / "a.mir").write_text(BROKEN)
    result = run("a.mir")
    assert result.exit_code == 1
    assert "a.mir:1:17\n1 | object x { class: WEIGHT_TILE }\n" in result.output


def test_a_hint_is_shown_and_exit_0(folder: Path) -> None:
    (folder / "a.mir").write_text(HINTED)
    result = run("a.mir", "--output-format", "concise")
    assert result.exit_code == 0
    assert "hint[MIR403 tier-order]" in result.output


def test_a_folder_is_searched_in_order_and_hidden_folders_are_not(folder: Path) -> None:
    for name in ("b/z.mir", "a.mir", "b/c/y.mir", ".venv/x.mir", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(BROKEN)
    lines = run(".", "--output-format", "concise").output.splitlines()
    assert [line.split(":")[0] for line in lines[:-1]] == ["a.mir", "b/c/y.mir", "b/z.mir"]
    assert run("--output-format", "concise").output.splitlines() == lines


def test_a_file_given_twice_is_read_once(folder: Path) -> None:
    (folder / "a.mir").write_text(CLEAN)
    (folder / "b.mir").symlink_to("a.mir")
    for names in (("a.mir", "a.mir"), ("a.mir", "./a.mir"), (".", "a.mir"), ("a.mir", "b.mir")):
        assert run(*names).output == "nothing found in 1 file\n"


def test_files_that_cannot_be_read_are_named_and_the_others_are_checked(folder: Path) -> None:
    (folder / "a.mir").write_bytes(b"\xff")
    (folder / "b.mir").write_text(BROKEN)
    (folder / "c.mir").symlink_to("nowhere.mir")
    (folder / "d.mir").symlink_to("d.mir")
    result = run("--output-format", "concise")
    assert result.exit_code == 2
    assert result.stdout.startswith("b.mir:1:17: error[MIR102")
    assert [line for line in result.stderr.splitlines() if line.startswith("error: ")] == [
        "error: `a.mir` is not UTF-8: byte 0xff at offset 0",
        "error: there is no file `c.mir`",
        "error: cannot read `d.mir`: too many levels of symbolic links",
    ]


def test_standard_input_is_reported_under_the_name_given() -> None:
    result = run("-", "--stdin-filename", "model.mir", "--output-format", "concise", stdin=BROKEN)
    assert result.exit_code == 1
    assert result.output.startswith("model.mir:1:17: error[")
    assert run("-", "--output-format", "concise", stdin=BROKEN).output.startswith("<stdin>:1:17")


def test_a_byte_order_mark_is_not_part_of_the_text() -> None:
    assert run("-", stdin=b"\xef\xbb\xbf" + CLEAN.encode()).exit_code == 0


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("missing.mir",), "there is no file `missing.mir`"),
        (("none",), "there is no .mir file in `none`"),
        (("latin.mir",), "`latin.mir` is not UTF-8: byte 0xe9 at offset 3"),
        (("a.mir", "--machine", "h1000"), "h1000"),
        (("a.mir", "--output-file", "no/such/out.txt"), "`no/such/out.txt`"),
        (("a.mir", "--output-format", "xml"), "xml"),
        (("a\0b",), "a"),
    ],
)
def test_what_stops_check_is_one_sentence_and_exit_2(
    folder: Path, args: tuple[str, ...], sentence: str
) -> None:
    (folder / "a.mir").write_text(CLEAN)
    (folder / "none").mkdir()
    (folder / "latin.mir").write_bytes("// é".encode("latin-1"))
    result = run(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert "bug" not in result.stderr


def test_an_empty_file_is_one_error(folder: Path) -> None:
    (folder / "a.mir").write_text("")
    result = run("a.mir", "--output-format", "concise")
    assert result.exit_code == 1
    assert result.output.splitlines()[0] == "a.mir:1:1: error[MIR142 empty-file]: the file is empty"


def test_json_is_valid_under_its_schema_and_goes_to_a_file(folder: Path) -> None:
    (folder / "a.mir").write_text(BROKEN)
    schema = json.loads((ROOT / "docs/schemas/check-1.schema.json").read_text(encoding="utf-8"))
    result = run("a.mir", "--output-format", "json", "--output-file", "out.json")
    assert (result.exit_code, result.output) == (1, "")
    document = json.loads((folder / "out.json").read_text())
    jsonschema.validate(document, schema)
    assert document["summary"]["errors"] == 1


@pytest.mark.parametrize(
    ("variable", "coloured"), [("FORCE_COLOR", True), ("NO_COLOR", False)], ids=["force", "no"]
)
def test_colour_follows_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, *, coloured: bool
) -> None:
    (folder / "a.mir").write_text(BROKEN)
    monkeypatch.setenv(variable, "1")
    assert ("\x1b[" in CliRunner().invoke(cli, ["check", "a.mir"], color=True).output) == coloured


def test_a_machine_is_judged_only_when_given() -> None:
    essay = str(ROOT / "samples" / "essay-000.mir")
    assert "larger-than-tier" not in run(essay).output
    assert "larger-than-tier" in run(essay, "--machine", "h100-sxm").output


HEAVY = ("torch", "networkx", "numpy", "numba", "scipy")


def test_check_starts_without_the_heavy_libraries(tmp_path: Path) -> None:
    small = tmp_path / "small.mir"
    small.write_text(CLEAN)
    script = (
        "import sys\n"
        "from mirc.cli.main import main\n"
        f"sys.argv = ['mirc', 'check', {str(small)!r}, '-M', 'h100-sxm']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as stop:\n"
        f"    print(stop.code, [name for name in {HEAVY} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout == "nothing found in 1 file\n0 []\n"


def test_a_pipe_in_a_folder_is_not_waited_for(folder: Path) -> None:
    (folder / "a.mir").write_text(CLEAN)
    os.mkfifo(folder / "b.mir")
    result = run(".")
    assert (result.exit_code, result.output) == (0, "nothing found in 1 file\n")


def test_a_folder_that_cannot_be_listed_is_named_and_is_exit_2(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.mir").write_text(CLEAN)
    (folder / "shut").mkdir()
    listed = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    result = run(".")
    assert result.exit_code == 2
    assert "cannot read `./shut`" in result.stderr
    assert "nothing found in 1 file" in result.stdout


@pytest.mark.parametrize("option", ["--select", "--ignore", "--extend-select", "--add-ignore"])
def test_an_empty_value_is_not_taken_for_an_option_left_out(folder: Path, option: str) -> None:
    (folder / "a.mir").write_text(CLEAN)
    result = run("a.mir", option, "")
    assert result.exit_code == 2
    assert option in result.stderr


@pytest.mark.parametrize(
    ("word", "advice"),
    [("mir4", "did you mean `MIR4`?"), ("MIR4x", "did you mean `MIR4`?"), ("MIR9999", "docs/")],
)
def test_the_advice_for_a_misspelt_code_is_near(folder: Path, word: str, advice: str) -> None:
    (folder / "a.mir").write_text(CLEAN)
    result = run("a.mir", "--select", word)
    assert result.exit_code == 2
    assert advice in result.stderr
