"""Texts into unified diffs, judged by the tool that reads them."""

import os
import re
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import Source, line_changes
from mirc.diagnostics.patch import coloured, unified
from mirc.grammar.format import formatted


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


_LINE = st.sampled_from(["a\n", " a\n", "b\n", "}\n", "\n", *(f"x{n}\n" for n in range(9))])


def _applied(before: str, patch: str, command: tuple[str, ...]) -> str:
    with TemporaryDirectory() as folder:
        target = Path(folder, "x.mir")
        target.write_bytes(before.encode())
        environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(Path(folder).parent)}
        subprocess.run(
            command,
            input=patch.encode(),
            cwd=folder,
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        return target.read_bytes().decode()


def _patched(before: str, patch: str) -> str:
    """Apply a diff by its line numbers alone."""
    old, new, at = before.split("\n"), list[str](), 0
    for line in patch.split("\n")[2:-1]:
        hunk = re.match(r"@@ -(\d+)(?:,(\d+))? \+(\d+)", line)
        if hunk:
            start = int(hunk[1]) - (hunk[2] != "0")
            new += old[at:start]
            at = start
            assert len(new) == int(hunk[3]) - (f"+{hunk[3]},0" not in line)
        elif line[0] == "+":
            new.append(line[1:])
        else:
            assert old[at] == line[1:]
            at += 1
            new += [line[1:]] if line[0] == " " else []
    return "\n".join(new + old[at:])


@given(st.lists(_LINE, max_size=40), st.lists(_LINE, max_size=40), st.integers(0, 2))
def test_any_text_becomes_any_other_even_where_long_gaps_are_divided(
    before: list[str], after: list[str], small: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_changes, "_SMALL", small)
        diff = unified("x.mir", "".join(before), "".join(after))
    assert _patched("".join(before), diff) == "".join(after)


@pytest.mark.parametrize("command", [("git", "apply"), ("patch", "-p1", "-s")])
def test_a_formatted_file_is_patched_by_the_usual_tools(command: tuple[str, ...]) -> None:
    text = "".join(
        f"object x{n} {{\n  class=KV_BLOCK\n  size_bytes = {n % 3}KiB // c\n}}\n"
        for n in range(300)
    )
    after = formatted(Source("x.mir", text))
    assert _applied(text, unified("x.mir", text, after), command) == after


def test_a_diff_of_many_lines_is_made_in_about_linear_time() -> None:
    def seconds(count: int) -> float:
        before = [f"object x{n} {{\n  size_bytes=1KiB\n  class=KV\n}}\n" for n in range(count)]
        after = [block.replace("=", " = ") for block in before]
        start = time.process_time()
        unified("x.mir", "".join(before), "".join(after))
        unified("x.mir", "a\n" * 4 * count, "b\n" * 4 * count)
        unified("x.mir", "a\nb\n" * 2 * count, "b\na\nc\n" * count)
        return time.process_time() - start

    seconds(100)
    assert seconds(8000) < 40 * seconds(1000) + 0.2


def test_a_name_cannot_add_lines_to_the_patch() -> None:
    head = unified('a\n--- b"\\.mir', "x\n", "y\n").split("\n")[:2]
    assert head == [r'--- "a/a\012--- b\042\134.mir"', r'+++ "b/a\012--- b\042\134.mir"']
    assert unified("a b.mir", "x\n", "y\n").startswith("--- a/a b.mir\t\n+++ b/a b.mir\t\n@@")


@pytest.mark.parametrize("name", ["../i/a.mir", "/i/a.mir"])
def test_a_file_outside_of_the_folder_is_named_as_it_was_given(name: str) -> None:
    assert unified(name, "a\n", "b\n").startswith(f"--- {name}\n+++ {name}\n")


def test_a_diff_in_colours_has_the_same_text() -> None:
    plain = unified("x.mir", "a\nb\n", "a\nc\n")
    painted = coloured(plain)
    assert "\x1b[31m-b\x1b[0m\n\x1b[32m+c\x1b[0m\n" in painted
    assert re.sub(r"\x1b\[[0-9]*m", "", painted) == plain
