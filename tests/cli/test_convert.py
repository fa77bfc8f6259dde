"""``mirc convert`` as people and programs run it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirc.cli.main import cli

MIR = "mir 1.0\n\nobject x {\n  class = WEIGHT_TILE\n}\n"
JSON = '{"mir":"1.0","declarations":[\n{"object":"x","class":"WEIGHT_TILE"}\n]}\n'


def run(*args: str, stdin: bytes | str | None = None) -> Result:
    return CliRunner().invoke(cli, ["convert", *args], input=stdin)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_mir_becomes_json_and_json_becomes_mir(folder: Path) -> None:
    (folder / "a.mir").write_text(MIR)
    assert run("a.mir", "-o", "a.json").exit_code == 0
    assert (folder / "a.json").read_text() == JSON
    assert run("a.json", "-o", "b.mir").exit_code == 0
    assert (folder / "b.mir").read_text() == MIR


def test_the_content_says_what_comes_in_and_the_output_what_goes_out(folder: Path) -> None:
    assert run("-", stdin=MIR).stdout == JSON
    assert run("-", stdin=JSON).stdout == MIR
    assert run("-", "--to", "mir", stdin=MIR).stdout == MIR
    assert run("-", "--to", "json", stdin=JSON).stdout == JSON
    assert run("-", "-o", "a.json", stdin=JSON).exit_code == 0
    assert (folder / "a.json").read_text() == JSON


def test_json_may_be_indented() -> None:
    result = run("-", "--indent", "1", stdin=MIR)
    assert result.stdout.startswith('{\n "mir": "1.0",\n "declarations": [\n  {\n   "object": "x"')
    assert json.loads(result.stdout) == json.loads(JSON)


def test_comments_that_are_lost_are_counted() -> None:
    assert run("-", stdin="// one\n" + MIR).stderr == "note: a comment is not in the result\n"
    result = run("-", stdin="// one\n" + MIR + "// two\n")
    assert result.stderr == "note: 2 comments are not in the result\n"
    assert run("-", stdin=MIR.replace("x", '"//x"')).stderr == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("object x { }\n", "<stdin>:1:8"),
        ('{"declarations":[{"object":"x"}]}', "<stdin>:1:28"),
        ('{"declarations":[{"object":"x"}', "error[MIR150 not-json]"),
    ],
)
def test_what_is_wrong_is_shown_and_nothing_written(folder: Path, text: str, said: str) -> None:
    result = run("-", "-o", "out.json", stdin=text)
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert not (folder / "out.json").exists()


def test_the_input_is_never_the_output(folder: Path) -> None:
    (folder / "a.mir").write_text(MIR)
    assert run("a.mir", "-o", "a.mir").exit_code == 2
    assert run("b.mir").exit_code == 2
