"""``mirc sweep`` as it is run: killed and resumed, on clusters, and where it cannot run."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest
from click.testing import CliRunner

from mirc.cli.main import cli
from mirc.sweep.points import digest
from tests.sweep.grids import LARGE, SMALL, laid

MIRC = (sys.executable, "-m", "mirc", "sweep")
LONGEST_S = 120


def _swept(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MIRC, *arguments], capture_output=True, text=True, check=False, timeout=LONGEST_S
    )


def _killed(path: Path, results: Path, at_least: int) -> int:
    """Begin a sweep, kill it and its workers once so many results stand; return how many do."""
    begun = subprocess.Popen(
        [*MIRC, str(path), "-o", str(path.with_name("never.csv")), "--results", str(results)],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        waiting = Event()
        while begun.poll() is None and len(list(results.glob("*.json"))) < at_least:
            waiting.wait(0.005)
    finally:
        os.killpg(begun.pid, signal.SIGKILL)
        begun.wait()
    return len(list(results.glob("*.json")))


def test_a_sweep_of_200_points_that_is_killed_half_way_ends_with_the_same_bytes(
    tmp_path: Path,
) -> None:
    path = laid(tmp_path, LARGE)
    results = tmp_path / "kept"
    results.mkdir()
    stood = _killed(path, results, at_least=60)
    assert 60 <= stood < 200
    (torn := results / "torn.tmp").write_text("half")
    before = {file.name: file.stat().st_mtime_ns for file in results.glob("*.json")}
    resumed, whole = tmp_path / "resumed.csv", tmp_path / "whole.csv"
    done = _swept(str(path), "-o", str(resumed), "--results", str(results), "--jobs", "1")
    assert done.returncode == 0, done.stderr
    after = {file.name: file.stat().st_mtime_ns for file in results.glob("*.json")}
    assert len(after) == 200
    assert all(after[name] == time for name, time in before.items())  # none of them ran again
    done = _swept(str(path), "-o", str(whole), "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert resumed.read_bytes() == whole.read_bytes()
    assert whole.read_text().count("\n") == 201
    assert torn.read_text() == "half"
    assert not (tmp_path / "never.csv").exists()


@pytest.mark.parametrize("place", ["ray", "dask"])
def test_a_cluster_gives_the_table_that_one_process_gives(place: str, tmp_path: Path) -> None:
    path = laid(tmp_path)
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"
    digest.cache_clear()
    alone = CliRunner().invoke(cli, ["sweep", str(path), "-o", str(here), "--jobs", "1"])
    assert alone.exit_code == 1, alone.output  # half of the points do not fit
    other = ("--results", str(tmp_path / "other"), "--on", place, "--jobs", "2")
    done = _swept(str(path), "-o", str(there), *other)
    assert done.returncode == 1, done.stderr
    assert there.read_bytes() == here.read_bytes()


def test_a_point_that_cannot_run_is_a_row_and_a_sweep_that_cannot_a_sentence(
    tmp_path: Path,
) -> None:
    path = laid(tmp_path)
    digest.cache_clear()
    result = CliRunner().invoke(cli, ["sweep", str(path), "--jobs", "1"])
    assert result.exit_code == 1
    assert result.output.count("needs 1_000_000_000 bytes at once") == 4
    path.write_text(SMALL.replace("toy.mir", "none.mir"))
    refused = CliRunner().invoke(cli, ["sweep", str(path)])
    assert refused.exit_code == 2
    assert "there is no file" in refused.output


def test_no_table_replaces_its_own_sweep(tmp_path: Path) -> None:
    path = laid(tmp_path)
    result = CliRunner().invoke(cli, ["sweep", str(path), "-o", str(path)])
    assert result.exit_code == 2
    assert path.read_text() == SMALL
