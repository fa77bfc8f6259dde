"""``mirc diff`` as people and CI run it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirc.cli.main import cli

GIT = str(shutil.which("git"))  # what --against needs as well
OLD = "object w { class = INPUT  size_bytes = 1MiB }\n"
NEW = "object w { class = INPUT  size_bytes = 2MiB }\n"


def run(*args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["diff", *args], input=stdin)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.mir").write_text(OLD)
    (tmp_path / "new.mir").write_text(NEW)
    return tmp_path


_PERSON = ("-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false")


@pytest.fixture
def repository(folder: Path) -> Path:
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "old.mir"),
        (*_PERSON, "commit", "--quiet", "-m", "one"),
    ):
        subprocess.run([GIT, *words], cwd=folder, check=True)
    return folder


@pytest.mark.usefixtures("folder")
def test_the_exit_code_follows_the_fail_level_and_what_is_allowed() -> None:
    assert run("old.mir", "new.mir").exit_code == 0
    assert run("old.mir", "new.mir", "--fail-level", "risky").exit_code == 1
    allowed = ("--allow", "size-grown:w", "--allow", "peak-grown")
    assert run("old.mir", "new.mir", "--fail-level", "any", *allowed).exit_code == 0
    assert run("old.mir", "old.mir", "--fail-level", "any").output == "no difference in meaning\n"


@pytest.mark.usefixtures("folder")
def test_each_form_is_printed_and_written() -> None:
    assert json.loads(run("old.mir", "new.mir", "--output-format", "json").output)["name"] == "mirc"
    run("old.mir", "new.mir", "--output-format", "markdown", "-o", "report.md")
    assert Path("report.md").read_text().startswith("### Memory intent: 2 risky\n")


@pytest.mark.usefixtures("folder")
def test_one_side_may_be_standard_input() -> None:
    assert "size-grown" in run("-", "new.mir", stdin=OLD).output


def test_a_file_is_compared_with_what_it_was_at_a_revision(repository: Path) -> None:
    (repository / "old.mir").write_text(NEW)
    for revision in ("HEAD", "main"):
        assert "size-grown" in run("old.mir", "--against", revision).output
    (repository / "sub").mkdir()
    assert "size-grown" in run("sub/../old.mir", "--against", "HEAD").output


def committed(repository: Path) -> None:
    subprocess.run([GIT, "add", "."], cwd=repository, check=True)
    subprocess.run([GIT, *_PERSON, "commit", "--quiet", "-m", "two"], cwd=repository, check=True)


def test_what_was_a_link_or_a_folder_at_the_revision_is_no_text_to_compare(
    repository: Path,
) -> None:
    (repository / "link.mir").symlink_to("old.mir")
    (repository / "was.mir").mkdir()
    (repository / "was.mir" / "x").write_text("x")
    committed(repository)
    (repository / "was.mir" / "x").unlink()
    (repository / "was.mir").rmdir()
    (repository / "was.mir").write_text(NEW)
    for name, said in (("link.mir", "is a link"), ("was.mir", "is no file")):
        result = run(name, "--against", "HEAD")
        assert result.exit_code == 2
        assert f"`{name}@HEAD` {said}" in result.output


def test_a_name_that_git_could_take_for_a_pattern_is_a_name(repository: Path) -> None:
    (repository / ":(top)*.mir").write_text(OLD)
    committed(repository)
    (repository / ":(top)*.mir").write_text(NEW)
    assert "size-grown" in run(":(top)*.mir", "--against", "HEAD").output
    (repository / "*.mir").write_text(NEW)
    assert "`*.mir` is not in revision `HEAD`" in run("*.mir", "--against", "HEAD").output


def test_a_text_that_is_too_large_is_refused_before_it_is_read(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirc.changes.revision.MAX_TEXT", len(OLD) - 1)
    (repository / "old.mir").write_text(NEW[:9])
    result = run("old.mir", "--against", "HEAD")
    assert result.exit_code == 2
    assert "`old.mir@HEAD` is larger than" in result.output


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("old.mir", "--against", "nowhere"), "git knows no revision `nowhere`"),
        (("new.mir", "--against", "HEAD"), "`new.mir` is not in revision `HEAD`"),
        (("old.mir", "--against", "--output=x"), "`--output=x` is no git revision"),
        (("old.mir", "--against", "HEAD:old.mir"), "`HEAD:old.mir` is no git revision"),
        (("old.mir",), "name two files, or one and --against"),
        (("old.mir", "new.mir", "--against", "HEAD"), "name two files, or one and --against"),
        (("old.mir", "gone.mir"), "there is no file `gone.mir`"),
        (("old.mir", "."), "`.` is a folder"),
        (("old.mir", "new.mir", "--allow", "nothing"), "there is no kind of change `nothing`"),
        (("old.mir", "new.mir", "-o", "new.mir"), "read or written already"),
    ],
)
def test_what_stops_it_is_one_sentence_and_exit_2(args: tuple[str, ...], message: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert message in result.output


def test_outside_of_a_repository_git_is_of_no_use(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent))
    result = run("old.mir", "--against", "HEAD")
    assert (result.exit_code, "is in no git repository" in result.output) == (2, True)


@pytest.mark.usefixtures("folder")
def test_without_git_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "git is not installed" in run("old.mir", "--against", "HEAD").output


def test_a_file_with_errors_cannot_be_compared(folder: Path) -> None:
    (folder / "bad.mir").write_text("object w { clas = INPUT }\n")
    result = run("old.mir", "bad.mir")
    assert result.exit_code == 2
    assert "`bad.mir` has" in result.output
