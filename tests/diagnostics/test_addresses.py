"""Where CI services look a file up."""

from pathlib import Path

import pytest

from mirc.diagnostics.addresses import relative


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "repo" / "sub").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.mir").write_text("", "utf-8")
    (tmp_path / "repo" / "y.mir").write_text("", "utf-8")
    (tmp_path / "repo" / "..z.mir").write_text("", "utf-8")
    (tmp_path / "repo" / "sub" / "x.mir").symlink_to(tmp_path / "elsewhere" / "x.mir")
    (tmp_path / "repo" / "sub" / "y.mir").symlink_to(tmp_path / "repo" / "y.mir")
    (tmp_path / "repo" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "alias").symlink_to(tmp_path / "repo")
    monkeypatch.chdir(tmp_path / "repo" / "sub")
    return str(tmp_path / "repo")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("../y.mir", "y.mir"),
        ("x.mir", "sub/x.mir"),
        ("y.mir", "sub/y.mir"),
        ("../linked/x.mir", "linked/x.mir"),
        ("../..z.mir", "..z.mir"),
        ("../../alias/sub/x.mir", "sub/x.mir"),
        ("../../elsewhere/x.mir", "../../elsewhere/x.mir"),
        ("<stdin>", "<stdin>"),
    ],
)
def test_a_file_is_addressed_by_its_path_below_the_root(root: str, name: str, address: str) -> None:
    assert relative(name, root) == address


def test_a_root_that_is_a_link_is_the_folder_behind_it(root: str, tmp_path: Path) -> None:
    assert relative("x.mir", str(tmp_path / "alias")) == relative("x.mir", root) == "sub/x.mir"
