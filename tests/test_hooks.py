"""The hooks for pre-commit and the GitHub Action, run as those who use them run them.

No network: pip makes the environments from this tree (``language: python``, ``pip install .``), and
the dependencies are those of the interpreter that runs the tests.
"""

import importlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PARTS = (
    ".pre-commit-hooks.yaml",
    "action.yml",
    "LICENSE",
    "MANIFEST.in",
    "README.md",
    "pyproject.toml",
    "mirc",
    "grammar",
    "passes",
)
OFFLINE = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_NO_BUILD_ISOLATION": "0",  # as pip reads it: no isolation
    "PIP_NO_DEPS": "1",
    "PIP_NO_INDEX": "1",
    "PYTHONPATH": sysconfig.get_path("purelib"),
}
BROKEN = "object x { class: WEIGHT_TILE }\n"
CLEAN = "object x {\n  class = WEIGHT_TILE\n}\n"

# PyYAML has no types and comes with pre-commit.
yaml: Any = importlib.import_module("yaml")


def git(folder: Path, *args: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    command = ["git", *identity, *args]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that holds what ours holds, without what building leaves behind."""
    folder = tmp_path_factory.mktemp("tree")
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, symlinks=True, ignore=skip)
        else:
            shutil.copy(source, folder / part)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    return folder


def test_pre_commit_installs_the_hooks_and_they_refuse_what_is_wrong(
    tree: Path, tmp_path: Path
) -> None:
    user = tmp_path / "user"
    user.mkdir()
    git(user, "init", "--quiet")
    (user / ".pre-commit-config.yaml").write_text(
        f"repos: [{{repo: 'file://{tree}', rev: {git(tree, 'rev-parse', 'HEAD')},"
        " hooks: [{id: mirc-check}, {id: mirc-fmt}]}]\n"
    )
    environment = {**os.environ, **OFFLINE, "PRE_COMMIT_HOME": str(tmp_path / "home")}
    environment.pop("GIT_DIR", None)

    def run() -> subprocess.CompletedProcess[str]:
        git(user, "add", "--all")
        command = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color=never"]
        return subprocess.run(
            command, cwd=user, capture_output=True, text=True, check=False, env=environment
        )

    (user / "a.mir").write_text(BROKEN)
    (user / "notes.txt").write_text(BROKEN)
    refused = run()
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "- hook id: mirc-check\n- exit code: 1\n" in refused.stdout
    assert "a.mir:1:17" in refused.stdout
    assert "notes.txt" not in refused.stdout
    # what ran is what pip installed from the tree, not what the tests import
    assert list(tmp_path.glob("home/*/py_env-*/lib/*/site-packages/mirc/cli/check.py"))

    (user / "a.mir").write_text(CLEAN.replace("\n", " ").strip() + "\n")
    rewritten = run()
    assert rewritten.returncode == 1, rewritten.stdout + rewritten.stderr
    assert "- hook id: mirc-fmt\n- files were modified by this hook\n" in rewritten.stdout
    accepted = run()
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    assert accepted.stdout.count("Passed") == 2


def test_the_hooks_are_check_and_fmt_on_mir_files() -> None:
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / PARTS[0]).read_text("utf-8"))}
    assert {name: hook["entry"] for name, hook in hooks.items()} == {
        "mirc-check": "mirc check",
        "mirc-fmt": "mirc fmt",
    }
    assert {hook["files"] for hook in hooks.values()} == {r"\.mir$"}


def action_step(name: str, **inputs: str) -> tuple[str, dict[str, str]]:
    """Return the script of a step and its variables, the expressions in them filled in."""
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    given = {key: each["default"] for key, each in action["inputs"].items()} | inputs
    (step,) = (each for each in action["runs"]["steps"] if each["name"] == name)
    filled = {}
    for key, expression in step["env"].items():
        inner = expression.removeprefix("${{ ").removesuffix(" }}")
        filled[key] = "" if inner == "github.action_path" else given[inner.removeprefix("inputs.")]
    return step["run"], filled


def test_no_step_of_the_action_puts_an_input_into_its_script() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    assert action["runs"]["using"] == "composite"
    for step in action["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"


def test_the_action_installs_mirc_and_annotates_what_is_wrong(tree: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / "a folder").mkdir(parents=True)
    (work / "a folder" / "a.mir").write_text(BROKEN)
    (work / "b.mir").write_text(CLEAN)
    base = {
        **os.environ,
        **OFFLINE,
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_WORKSPACE": str(work),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }

    def run(name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        script, variables = action_step(name, **inputs)
        environment = base | variables
        if "ACTION_PATH" in variables:
            environment["ACTION_PATH"] = str(tree)
        return subprocess.run(
            ["bash", "-c", script],  # noqa: S607 - as the runner does
            cwd=work,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )

    installed = run("Install mirc", python=sys.executable)
    assert installed.returncode == 0, installed.stderr

    failed = run("Check", paths="a folder\nb.mir")
    assert failed.returncode == 1
    assert failed.stdout.startswith("::error file=a folder/a.mir,line=1,")
    assert "### mirc check: 1 error in 2 files" in (tmp_path / "summary.md").read_text()
    assert run("Check", paths="b.mir", machine="h100-sxm\n").returncode == 0
    assert run("Check", paths="b.mir; exit 7").returncode == 2
    assert run("Check", args="--statistics\n", format="full").stdout.endswith(
        "1 error in 2 files\n"
    )
