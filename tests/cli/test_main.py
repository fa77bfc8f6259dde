import errno
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import mirc
from mirc.cli import main
from mirc.cli.main import COMMANDS, cli
from mirc.diagnostics import CouldNotRun


def python(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=clean | variables,
        timeout=60,
    )


@pytest.fixture
def raises(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Make ``mirc raise`` a command that raises what the list holds."""
    errors: list[BaseException] = []

    @click.command()
    def raise_() -> None:
        click.echo("before")
        raise errors[0]

    monkeypatch.setattr(main, "raise_", raise_, raising=False)
    monkeypatch.setattr(main, "COMMANDS", (("raise", "mirc.cli.main:raise_", "Raise."),))
    return errors


def after(errors: list[BaseException], error: BaseException) -> Result:
    errors.append(error)
    return CliRunner().invoke(cli, ["raise"])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (CouldNotRun("no `x`", "make one"), "error: no `x`\nhelp: make one\n"),
        (CouldNotRun("no `x`"), "error: no `x`\n"),
        (MemoryError(), "error: out of memory\nhelp: use a smaller input"),
        (RecursionError("maximum"), "error: the input nests too deeply\nhelp: flatten it\n"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "error: no space left on device\nhelp: make room",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "a.mir"),
            "error: the system refused `a.mir`: permission denied\n",
        ),
        (
            ValueError("two\nlines"),
            "error: this is a bug in mirc: ValueError: two lines\nhelp: run it again with",
        ),
        (click.BadParameter("It is bad."), "error: invalid value: It is bad\nhelp: see `mirc"),
        (click.ClickException("Some words."), "error: some words\n"),
    ],
)
def test_whatever_stops_a_command_is_a_sentence_and_exit_code_2(
    raises: list[BaseException], error: BaseException, said: str
) -> None:
    result = after(raises, error)
    assert result.exit_code == 2
    assert result.stderr.startswith(said)
    assert "Traceback" not in result.output


def test_a_bug_shows_its_traceback_only_when_asked(
    raises: list[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRC_DEBUG", "1")
    assert "raise errors[0]\nValueError: a bug" in after(raises, ValueError("a bug")).stderr


def test_an_interrupt_is_one_line_and_exit_code_130(raises: list[BaseException]) -> None:
    result = after(raises, KeyboardInterrupt())
    assert result.exit_code == 130
    assert result.stderr.strip() == "interrupted"


def test_a_closed_pipe_is_quiet(raises: list[BaseException]) -> None:
    result = after(raises, BrokenPipeError())
    assert (result.exit_code, result.stderr) == (141, "")


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_command_chooses_its_own_exit_code(raises: list[BaseException], code: int) -> None:
    assert after(raises, click.exceptions.Exit(code)).exit_code == code


def test_a_misspelled_command_gets_the_nearest_one() -> None:
    result = CliRunner().invoke(cli, ["chek"])
    assert result.exit_code == 2
    assert "error: there is no command `chek`: did you mean `check`?" in result.stderr


def test_a_command_like_no_other_gets_the_list() -> None:
    result = CliRunner().invoke(cli, ["zzz"])
    assert f"choose from {', '.join(name for name, _, _ in COMMANDS)}" in result.stderr


def test_a_misspelled_option_gets_the_nearest_one() -> None:
    result = CliRunner().invoke(cli, ["machine", "list", "--output-fromat", "json"])
    assert result.exit_code == 2
    assert "--output-format" in result.stderr


def test_an_option_without_its_value_leads_to_the_help_of_its_command() -> None:
    result = CliRunner().invoke(cli, ["check", "--write-baseline"])
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        2,
        "help: see `mirc check --help`",
    )


def test_a_wrong_choice_names_the_choices() -> None:
    result = CliRunner().invoke(cli, ["machine", "list", "--output-format", "yaml"])
    assert result.exit_code == 2
    assert "'text', 'json'" in result.stderr
    assert "help: see `mirc machine list --help`" in result.stderr


def test_help_lists_every_command_with_what_it_does() -> None:
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    for name, _, summary in COMMANDS:
        assert f"  {name}" in result.stdout
        assert summary in result.stdout


@pytest.mark.parametrize("name", [name for name, _, _ in COMMANDS])
def test_every_command_loads_and_explains_itself(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"Usage: mirc {name}" in result.stdout


def test_without_arguments_the_help_is_shown_and_nothing_was_done() -> None:
    result = CliRunner().invoke(cli, [])
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: mirc [OPTIONS] COMMAND")


def test_version_is_the_package_s() -> None:
    assert CliRunner().invoke(cli, ["--version"]).stdout == f"mirc {mirc.__version__}\n"


@pytest.mark.parametrize(
    ("variables", "color"),
    [
        ({}, None),
        ({"NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"NO_COLOR": "", "FORCE_COLOR": ""}, None),
        ({"FORCE_COLOR": "0"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
    ],
)
def test_color_follows_the_variables(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], color: object
) -> None:
    seen = []

    @click.command()
    @click.pass_context
    def look(ctx: click.Context) -> None:
        seen.append(ctx.color)

    monkeypatch.setattr(main, "look", look, raising=False)
    monkeypatch.setattr(main, "COMMANDS", (("look", "mirc.cli.main:look", "Look."),))
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert CliRunner().invoke(cli, ["look"]).exit_code == 0
    assert seen == [color]


def test_help_imports_no_heavy_library_and_no_command() -> None:
    script = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(sorted(m for m in sys.modules if m in {'numpy', 'torch', "
        "'networkx', 'numba', 'scipy', 'lark', 'tomllib'} or m.startswith('mirc.cli.'))))\n"
        "from mirc.cli.main import main\n"
        "sys.argv = ['mirc', '--help']\n"
        "main()\n"
    )
    result = python("-c", script)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("['mirc.cli.main']\n")


def test_the_module_runs_as_a_program_and_reports_its_exit_code() -> None:
    result = python("-m", "mirc", "machine", "show", "nowhere")
    assert result.returncode == 2
    assert result.stderr.startswith("error: there is no machine `nowhere`\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_sentence_and_not_a_complaint_of_python() -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "mirc", "machine", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == "error: no space left on device"
    assert len(result.stderr.splitlines()) == 2


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        result = subprocess.run(
            [sys.executable, "-m", "mirc", "machine", "list"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert (result.returncode, result.stderr) == (141, "")


def test_a_terminal_without_the_letters_still_gets_an_answer() -> None:
    result = python("-m", "mirc", "machine", "show", "ж.toml", PYTHONIOENCODING="latin-1")
    assert result.returncode == 2
    assert "\\u0436.toml" in result.stderr
