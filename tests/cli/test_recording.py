"""``mirc simulate --events --perfetto --report --plots``: files beside the report."""

import builtins
import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from mirc.cli import recording
from mirc.cli.main import cli
from mirc.diagnostics import CouldNotRun
from mirc.traces.events import load
from tests.cli.test_simulate import MACHINE
from tests.report.recorded import MIR

EXTRAS = ("altair", "perfetto", "pyarrow", "vl_convert")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "toy.toml").write_text(MACHINE, "utf-8")
    (tmp_path / "toy.mir").write_text(MIR, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    asked = ["simulate", "toy.mir", "-M", "./toy.toml", "--policy", "lru,intent", *arguments]
    return CliRunner().invoke(cli, asked)


def test_one_run_writes_all_of_them(folder: Path) -> None:
    result = run(
        *("--report", "page.html", "--plots", "figures", "--perfetto", "trace.pftrace"),
        *("--events", "log.parquet"),
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("weights </script> in turn on toy\n")
    assert (folder / "page.html").read_text("utf-8").startswith("<!doctype html>")
    assert (folder / "figures" / "total-time.toy.svg").read_bytes().startswith(b"<svg")
    assert (folder / "trace.pftrace").stat().st_size > 1000
    table = pq.read_table(folder / "log.parquet")
    assert {*table["policy"].to_pylist()} == {"lru", "intent"}


def test_what_is_written_changes_nothing_in_the_report(folder: Path) -> None:
    plain = run("--output-format", "json")
    beside = run("--output-format", "json", "--events", "log.csv", "--report", "page.html")
    assert json.loads(plain.stdout) == json.loads(beside.stdout)
    assert (folder / "log.csv").read_text("utf-8").startswith("machine,policy,time_ps,kind,")


def test_packed_events_are_read_back(folder: Path) -> None:
    import gzip  # noqa: PLC0415 - of this test alone

    assert run("--events", "log.jsonl.gz").exit_code == 0
    lines = gzip.decompress((folder / "log.jsonl.gz").read_bytes()).decode().splitlines()
    assert [log.header.policy for log in load(lines, "log")] == ["lru", "intent"]


def test_a_run_that_cannot_go_on_leaves_none_of_them(folder: Path) -> None:
    # An object of 3 GB does not fit into 2 GB: the run ends, and the files with it.
    large = MIR.replace("500_000_000", "3_000_000_000", 1)
    (folder / "toy.mir").write_text(large, "utf-8")
    result = run("--report", "page.html", "--perfetto", "trace", "--events", "log.parquet")
    assert isinstance(result.exception, CouldNotRun) or result.exit_code == 2
    assert sorted(path.name for path in folder.iterdir()) == ["toy.mir", "toy.toml"]


def test_a_page_that_cannot_be_written_leaves_what_was_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise CouldNotRun("cannot write `page.html`: no space left on device", "choose another")

    monkeypatch.setattr(recording, "write_document", full)
    result = run("--report", "page.html", "--events", "log.jsonl")
    assert result.exit_code == 2
    assert "no space left" in result.stderr
    assert result.stdout.startswith("weights </script> in turn on toy\n")
    assert len(list(load((folder / "log.jsonl").read_text("utf-8").splitlines(), "log"))) == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--report", "no/where.html"], "the folder of `no/where.html` does not exist"),
        (["--report", "toy.mir"], "`toy.mir` is read or written already"),
        (["--report", "same", "--perfetto", "same"], "`same` is read or written already"),
        (["--plots", "toy.mir"], "`toy.mir` is not a directory"),
        (["--plots", ""], "the output has an empty name"),
        (["--plots", "-"], "figures are many files"),
        (["--plots", "no/where"], "the folder of `no/where` does not exist"),
        (["--report", "same", "--plots", "same"], "`same` is read or written already"),
        (["--events", "log.parquet.gz"], "Parquet is packed by itself"),
        (["--trace", "t.jsonl", "--perfetto", "x"], "`--perfetto` is about the file's schedule"),
        (["--trace", "t.jsonl", "--events", "x"], "`--events` is about the file's schedule"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_written_is_said_before_any_work(
    arguments: list[str], sentence: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr


@pytest.mark.parametrize(
    ("arguments", "package"),
    [
        (["--events", "log.parquet"], "pyarrow"),
        (["--perfetto", "trace"], "perfetto"),
        (["--report", "page.html"], "altair"),
        (["--plots", "figures"], "altair"),
        (["--trace", "no.jsonl", "--report", "page.html"], "altair"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_missing_extra_is_one_sentence(
    arguments: list[str], package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name.partition(".")[0] in EXTRAS:
            raise ImportError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]

    for name in [each for each in sys.modules if each.partition(".")[0] in EXTRAS]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    result = run(*arguments)
    assert result.exit_code == 2
    assert package in result.stderr
    assert "pip install 'mirc[report]'" in result.stderr
    assert not result.stdout


@pytest.mark.usefixtures("folder")
def test_half_of_the_extra_is_missing_before_any_work_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    result = run("--report", "page.html")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "altair and vl-convert-python" in result.stderr
