"""Texts into unified diffs, judged by the tool that reads them."""

import os
import subprocess
from pathlib import Path

import pytest

from mirc.diagnostics.patch import unified


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\nc\n", "a\nB\nc\n"),
        ("a\nb", "a\nc"),
        ("a\nb", "a\nb\n"),
        ("a\r\nb\r\n", "a\r\nc\r\n"),
        ("// a\u2028b\fc\nx\n", "// a\u2028b\fc\ny\n"),
        ("", "a\n"),
        ("a\n", ""),
    ],
)
def test_git_makes_the_new_text_of_the_old_one_and_the_diff(
    tmp_path: Path, before: str, after: str
) -> None:
    target = tmp_path / "x.mir"
    target.write_bytes(before.encode())
    (tmp_path / "d.patch").write_bytes(unified("x.mir", before, after).encode())
    command = ["git", "apply", "--unidiff-zero", "d.patch"]
    # The folder is in no repository, whatever lies above it.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    subprocess.run(command, cwd=tmp_path, check=True, env=environment)
    assert target.read_bytes().decode() == after


def test_equal_texts_have_no_diff() -> None:
    assert unified("x.mir", "a\n", "a\n") == ""
