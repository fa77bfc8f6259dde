import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from mirc.cli.main import cli
from mirc.cli.output import check_writable, spare_inputs, write_text
from mirc.diagnostics import CouldNotRun


def left_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_text_is_written_whole_and_alone(tmp_path: Path) -> None:
    write_text(str(tmp_path / "a.mir"), "x\ny é\n")
    assert (tmp_path / "a.mir").read_bytes() == "x\ny é\n".encode()
    assert left_in(tmp_path) == ["a.mir"]


def test_a_dash_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_text("-", "text\n")
    assert capsys.readouterr().out == "text\n"


def test_an_old_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "a.mir"
    file.write_text("old", "utf-8")
    file.chmod(0o640)
    write_text(str(file), "new")
    assert file.read_text("utf-8") == "new"
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        write_text(str(tmp_path / "a.mir"), "x")
    finally:
        os.umask(previous)
    assert (tmp_path / "a.mir").stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.mir").write_text("old", "utf-8")
    (tmp_path / "link.mir").symlink_to("real.mir")
    write_text(str(tmp_path / "link.mir"), "new")
    assert (tmp_path / "link.mir").is_symlink()
    assert (tmp_path / "real.mir").read_text("utf-8") == "new"


def test_a_device_is_written_in_place() -> None:
    write_text(os.devnull, "x")
    assert not Path(os.devnull).is_file()


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs names of open files")
def test_a_pipe_that_has_no_name_of_its_own_is_written_in_place() -> None:
    out, into = os.pipe()
    try:
        path = f"/dev/fd/{into}"
        check_writable(path)
        write_text(path, "text\n")
        assert os.read(out, 100) == b"text\n"
    finally:
        os.close(out)
        os.close(into)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, RuntimeError])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    file = tmp_path / "a.mir"
    file.write_text("old", "utf-8")

    def interrupted(*_: Path) -> None:
        raise error

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(error):
        write_text(str(file), "new")
    assert file.read_text("utf-8") == "old"
    assert left_in(tmp_path) == ["a.mir"]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("none/a.mir", "the folder of `{}` does not exist"),
        ("folder", "`{}` is a directory"),
        ("file/a.mir", "is not a directory"),
        ("x" * 300, "file name too long"),
        ("nul\0l", "null"),
    ],
)
def test_a_place_that_cannot_be_written_is_a_sentence_before_the_work(
    tmp_path: Path, path: str, sentence: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("", "utf-8")
    full = f"{tmp_path}/{path}"
    with pytest.raises(CouldNotRun) as caught:
        check_writable(full)
    assert sentence.format(full) in caught.value.message
    assert caught.value.hint
    with pytest.raises(CouldNotRun, match=re.escape(caught.value.message)):
        write_text(full, "x")
    assert left_in(tmp_path) == ["file", "folder"]


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(CouldNotRun, match="empty name"):
        check_writable("")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_forbidden_folder_is_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CouldNotRun, match="no permission"):
        check_writable(str(tmp_path / "a.mir"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_device_is_a_sentence() -> None:
    with pytest.raises(CouldNotRun, match="no space left on device"):
        write_text("/dev/full", "x")


def test_commands_refuse_a_missing_folder_with_exit_code_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["compile", "preset:gpt2", "-o", f"{tmp_path}/no/a.mir"])
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_an_output_never_replaces_an_input_or_another_output(tmp_path: Path) -> None:
    source = str(tmp_path / "same.mir")
    spare_inputs((str(tmp_path / "other.json"), None), (source,))
    for outputs, inputs in (((source,), (source,)), ((source, source), ()), (("-", "-"), ())):
        with pytest.raises(CouldNotRun, match="read or written already"):
            spare_inputs(outputs, inputs)
