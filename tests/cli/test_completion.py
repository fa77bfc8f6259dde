"""The Tab key: commands, options, files, machines and words."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from mirc.cli.main import COMMANDS, cli

BASH = shutil.which("bash")
TEXT = """object layers.0.w { class = INPUT }
template kv { class = KV_BLOCK }
phase decode { }
on tool_wait { }
plan small { machine = "h200" }
"""


def offered(*words: str, typed: str = "") -> list[str]:
    return [item.value for item in ShellComplete(cli, {}, "mirc", "_MIRC_COMPLETE").get_completions(
        list(words), typed
    )]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    for name in ("a.mir", "notes.txt", "models/b.mir", ".hidden.mir"):
        (tmp_path / name).write_text(TEXT)
    return tmp_path


def test_commands_are_offered_without_importing_any() -> None:
    assert offered() == [name for name, _, _ in COMMANDS]
    assert offered(typed="ex") == ["explain"]
    code = (
        "import sys; from click.shell_completion import ShellComplete;"
        "from mirc.cli.main import cli;"
        "ShellComplete(cli, {}, 'mirc', 'X').get_completions([], '');"
        "print(sorted(m for m in sys.modules if m in ('lark', 'numpy', 'torch', 'networkx')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_options_and_their_choices_are_offered() -> None:
    assert "--fail-level" in offered("diff", typed="--f")
    assert offered("diff", "--fail-level") == ["breaking", "risky", "any"]


def test_mir_files_are_offered_also_those_in_folders() -> None:
    assert offered("diff") == ["a.mir", "models/b.mir"]
    assert offered("diff", typed="models/") == ["models/b.mir"]
    assert offered("diff", "a.mir", typed="m") == ["models/b.mir"]
    assert offered("diff", typed=".h") == [".hidden.mir"]


def test_where_no_mir_file_begins_so_the_shell_offers_its_own() -> None:
    (item,) = ShellComplete(cli, {}, "mirc", "X").get_completions(["diff"], "no")
    assert (item.type, item.value) == ("file", "no")


@pytest.mark.parametrize("command", ["check", "fmt", "convert", "simulate", "compare", "explain"])
def test_every_command_that_reads_a_file_offers_them(command: str) -> None:
    assert offered(command, typed="models/") == ["models/b.mir"]


@pytest.mark.parametrize("words", [("check", "-M"), ("simulate", "--machine"), ("compile", "-M")])
def test_machines_are_offered_by_name(words: tuple[str, ...]) -> None:
    assert offered(*words, typed="h") == ["h100-pair", "h100-sxm", "h200"]
    assert offered("machine", "show", typed="npu") == ["npu-scratchpad"]


def test_explain_offers_words_rules_and_the_names_of_a_file() -> None:
    assert {"deadline_class", "deadline_us"} <= set(offered("explain", typed="deadl"))
    assert "MIR401" in offered("explain", typed="MIR4")
    assert "KV_BLOCK" in offered("explain", typed="KV")
    assert offered("explain", typed="a.") == ["a.mir"]
    assert offered("explain", "a.mir") == ["layers.0.w", "kv"]
    assert offered("explain", "a.mir", typed="l") == ["layers.0.w"]
    assert offered("explain", "gone.mir") in ([], ["gone.mir"])


def test_phases_plans_and_signals_of_the_file_on_the_line_are_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COMP_WORDS", "mirc explain a.mir kv --phase ")
    assert offered("explain", "a.mir", "kv", "--phase") == ["decode"]
    assert offered("explain", "a.mir", "kv", "--plan") == ["small"]
    assert offered("explain", "a.mir", "kv", "--signal") == ["tool_wait"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_asks_mirc(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell])
    assert result.exit_code == 0
    assert f"_MIRC_COMPLETE={shell}_complete" in result.output


@pytest.mark.skipif(BASH is None, reason="there is no bash here")
def test_bash_itself_completes_a_line() -> None:
    script = """
    eval "$(mirc completion bash)"
    COMP_WORDS=(mirc expl); COMP_CWORD=1; _mirc_completion mirc; echo "${COMPREPLY[*]}"
    COMPREPLY=(); COMP_WORDS=(mirc explain a.mir lay); COMP_CWORD=3
    _mirc_completion mirc; echo "${COMPREPLY[*]}"
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(BASH), "-c", script],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "explain\nlayers.0.w\n"
