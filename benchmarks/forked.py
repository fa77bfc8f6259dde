"""Changed modules into the tests that fail with them: one forked process each, nothing on disk."""

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import CodeType, ModuleType

import attrs
import pytest

ROOT = Path(__file__).parent.parent
_FORK = multiprocessing.get_context("fork")
_HEAVY = ("numba", "networkx", "scipy.optimize", "torch")
_COMPILED = ("mirc.kernels", "mirc.controller", "mirc.simulate.loop")  # what numba is given is here


def preload() -> None:
    """Import what tests import of others, once for all trials to come; never what is tested."""
    for name in _HEAVY:
        importlib.import_module(name)


@attrs.frozen(kw_only=True)
class Trial:
    """Some changed modules by name, and the tests to run on them."""

    key: str
    changed: Mapping[str, ast.Module]
    tests: tuple[str, ...]
    first_failure_only: bool


@attrs.frozen(kw_only=True)
class Verdict:
    """Which tests failed, ids as pytest writes them; ``broke`` if the run itself did not end.

    ``bearing`` are the mechanisms that each test found bears by its marker.
    """

    key: str
    failed: tuple[str, ...]
    bearing: Mapping[str, tuple[str, ...]]
    passed: int
    broke: bool
    seconds: float

    @property
    def noticed(self) -> bool:
        """Whether the change was seen at all."""
        return self.broke or bool(self.failed)


class _Recorder:
    def __init__(self) -> None:
        self.failed: list[str] = []
        self.passed = 0
        self.bearing: dict[str, tuple[str, ...]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            named = [str(i) for mark in item.iter_markers("mechanism") for i in mark.args]
            if named:
                self.bearing[item.nodeid] = tuple(dict.fromkeys(named))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)
        elif report.when == "call":
            self.passed += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self._tree = tree

    def get_code(self, fullname: str) -> CodeType | None:
        return compile(self._tree, self.get_filename(fullname), "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, changed: Mapping[str, ast.Module]) -> None:
        self._changed = changed

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del target
        tree = self._changed.get(name)
        if tree is None or path is None:
            return None
        file = str(Path(next(iter(path))) / f"{name.rpartition('.')[2]}.py")
        return importlib.util.spec_from_loader(name, _Loader(name, file, tree))


def trials(work: Sequence[Trial], *, at_once: int, limit_s: float) -> Iterator[Verdict]:
    """Run every trial, ``at_once`` beside each other, and yield verdicts as they come.

    A trial that takes more than ``limit_s`` seconds is ended, and counts as broken.
    """
    waiting = list(reversed(work))
    running: dict[Connection, tuple[Trial, multiprocessing.process.BaseProcess, float]] = {}
    while waiting or running:
        while waiting and len(running) < at_once:
            trial = waiting.pop()
            mine, theirs = _FORK.Pipe(duplex=False)
            process = _FORK.Process(target=_run, args=(trial, theirs))
            process.start()
            theirs.close()
            running[mine] = (trial, process, time.monotonic())
        ready = wait(list(running), timeout=0.2)
        for pipe, (trial, process, begun) in list(running.items()):
            seconds = time.monotonic() - begun
            if pipe in ready or seconds > limit_s:
                del running[pipe]
                yield _ended(trial, process, pipe, seconds, late=pipe not in ready)


def _ended(
    trial: Trial,
    process: multiprocessing.process.BaseProcess,
    pipe: Connection,
    seconds: float,
    *,
    late: bool,
) -> Verdict:
    failed: tuple[str, ...] = ()
    bearing: dict[str, tuple[str, ...]] = {}
    passed, broke = 0, True
    if not late:
        try:
            failed, passed, bearing = pipe.recv()
            broke = passed == 0 and not failed
        except EOFError:
            pass  # it died without a word
    process.kill()
    process.join()
    pipe.close()
    return Verdict(
        key=trial.key,
        failed=failed,
        passed=passed,
        broke=broke,
        seconds=seconds,
        bearing=bearing,
    )


def _run(trial: Trial, answer: Connection) -> None:
    """Test the changed modules in this forked process and send what failed."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    os.chdir(ROOT)
    sys.meta_path.insert(0, _Finder(trial.changed))
    with tempfile.TemporaryDirectory(prefix="kernels-") as folder:
        if any(name.startswith(_COMPILED) for name in trial.changed):
            # What is on disk was compiled from other code, and is not to be mixed with this.
            from mirc.kernels.build import FOLDERS  # noqa: PLC0415 - only these trials compile

            FOLDERS[:] = [Path(folder)]
        found = _tested(trial)
    answer.send(found)
    os._exit(0)


def _tested(trial: Trial) -> tuple[tuple[str, ...], int, dict[str, tuple[str, ...]]]:
    recorder = _Recorder()
    arguments = ["-q", "-p", "no:cacheprovider", "--no-header", "--tb=no", *trial.tests]
    if trial.first_failure_only:
        arguments.insert(0, "-x")
    pytest.main(arguments, plugins=[recorder])
    return tuple(dict.fromkeys(recorder.failed)), recorder.passed, recorder.bearing
