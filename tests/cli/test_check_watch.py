"""``mirc check --watch``: a report now and after every change."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirc.cli import check_watch
from mirc.diagnostics import CouldNotRun

ROOT = Path(__file__).parents[2]
CLEAN = "object x { class = WEIGHT_TILE }\n"
BROKEN = "object x { class: WEIGHT_TILE }\n"


def test_the_first_sign_of_life_repeats_no_report_that_is_still_true(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reports = iter(["one\n", "one\n", "two\n", "two\n"])
    changes = [frozenset[str](), frozenset({"b.mir", "a.mir"}), frozenset({"a.mir"})]
    check_watch.repeat(lambda: next(reports), changes)
    assert capsys.readouterr().out == "one\n--- a.mir, b.mir\ntwo\n--- a.mir\ntwo\n"


def test_what_changed_before_the_watch_began_is_not_missed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reports = iter(["one\n", "two\n"])
    check_watch.repeat(lambda: next(reports), [frozenset[str]()])
    assert capsys.readouterr().out == "one\n--- changed\ntwo\n"


def test_a_file_that_is_gone_for_a_moment_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def reports() -> Iterator[str]:
        yield "fine\n"
        yield "fine\n"

    steps = reports()

    def report() -> str:
        for text in steps:
            return text
        raise CouldNotRun("there is no file `a.mir`", "check the path")

    check_watch.repeat(report, [frozenset(), frozenset({"a.mir"})])
    assert capsys.readouterr().out.endswith(
        "--- a.mir\nerror: there is no file `a.mir`\nhelp: check the path\n"
    )


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(CouldNotRun) as caught:
        check_watch.watch((".",), lambda: "")
    assert caught.value.hint == "python -m pip install 'mirc[watch]'"


def test_a_change_on_disk_is_a_new_report(tmp_path: Path) -> None:
    file = tmp_path / "a.mir"
    file.write_text(CLEAN)
    command = [sys.executable, "-u", "-m", "mirc", "check", "--watch", "--output-format", "concise"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "nothing found in 1 file\n"
            whole = tmp_path / "a.mir.new"  # never half written when it is looked at
            whole.write_text(BROKEN)
            whole.replace(file)
            # Reading blocks until the new report is there; an unchanged one is never printed.
            assert process.stdout.readline().startswith("--- ")
            assert process.stdout.readline().startswith("a.mir:1:17: error[MIR102")
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            assert process.wait() == 130
        finally:
            process.kill()


def test_a_path_that_is_not_there_is_not_waited_for() -> None:
    with pytest.raises(CouldNotRun, match="there is no file `nope`"):
        check_watch.watch(("nope",), str)
