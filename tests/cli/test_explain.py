"""``mirc explain`` as people run it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirc.cli.main import cli

TEXT = "object x { class = INPUT }\nphase p { override x { reuse = HIGH } }\n"


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["explain", *args])


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.mir").write_text(TEXT)
    return "f.mir"


def test_a_word_is_explained() -> None:
    result = run("MIR401")
    assert (result.exit_code, result.output.splitlines()[0]) == (0, "MIR401 use-order: a rule")
    assert json.loads(run("HARD", "--output-format", "json").output)["word"] == "HARD"


def test_a_kind_of_change_is_explained_too() -> None:
    assert run("size-grown").output.startswith("MIRD301 size-grown: a kind of change\n")


def test_without_a_word_all_are_listed() -> None:
    assert "\nkeyword:\n  module  object" in run().output
    assert json.loads(run("--output-format", "json").output)["strength"][0] == "fact"


def test_an_object_of_a_file_is_explained(file: str) -> None:
    assert "phase `p` f.mir:2" in run(file, "x", "--phase", "p").output
    found = json.loads(run(file, "x", "--output-format", "json").output)
    assert found["elsewhere"] == [{"where": "--phase p", "keys": ["reuse"]}]


def test_a_file_with_errors_gives_its_findings(file: str) -> None:
    Path(file).write_text("object x { clas = INPUT }\n")
    result = run(file, "x")
    assert result.exit_code == 1
    assert "unknown-key" in result.output


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("detline_class",), "did you mean `deadline_class`"),
        (("qqqq",), "run `mirc explain` for the list of all words"),
        (("f.mir",), "add the object's name: `mirc explain f.mir NAME`"),
        (("f.mir", "y"), "did you mean `x`?"),
        (("f.mir", "x", "y"), "give one word, or a file and an object"),
        (("HARD", "--phase", "p"), "--phase, --plan and --signal need a file and an object"),
        (("gone.mir", "x"), "there is no file `gone.mir`"),
        ((".", "x"), "`.` is a folder"),
    ],
)
def test_what_stops_it_is_one_sentence_and_exit_2(args: tuple[str, ...], message: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert message in result.output
