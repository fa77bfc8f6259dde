"""A sweep into its points: every combination of its axes, each under a hash of what decides it."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import attrs

import mirc
from mirc.diagnostics import CouldNotRun
from mirc.grammar import load as module_of
from mirc.kernels.replacement.names import RULES
from mirc.lint.sources import read
from mirc.machine import Machine
from mirc.machine.load import load
from mirc.simulate.accesses.hits import rule_named
from mirc.simulate.comparison import policies_of
from mirc.simulate.identity import identity
from mirc.simulate.serving.policies import policies_of as serving_policies_of
from mirc.simulate.study import planned
from mirc.sweep.spec import Run, Sweep

MOST_POINTS = 1_000_000
_CHUNK = 1 << 20
_DECIDING = (
    "bounds",
    "claims",
    "controller",
    "ir",
    "kernels",
    "machine",
    "packed",
    "simulate",
    "sram",
    "traces",
)
"""The rooms of this package whose code a figure comes from."""


@attrs.frozen(kw_only=True)
class Point:
    """One simulation; ``key`` is the hash of its contents, of options and of the code that runs it.

    ``file_digest`` and ``trace_digest`` are of the bytes that were there when the sweep began.
    """

    key: str
    file: str | None
    trace: str | None
    file_digest: str | None
    trace_digest: str | None
    machine: str | None
    policy: str
    capacity_gb: float | None
    capacity: int | None
    hints_wrong: float
    seed: int
    schedule: str | None
    steps: int | None
    batch: int | None
    context: int | None
    swap_gb: float | None
    trace_block: int | None
    at_once: int | None
    speedup: float | None
    object_bytes: int | None

    def as_task(self) -> str:
        """Return the point as one line of JSON."""
        return json.dumps(attrs.asdict(self), sort_keys=True)

    @classmethod
    def of_task(cls, task: str) -> "Point":
        """Return the point that ``as_task`` wrote."""
        return cls(**json.loads(task))


def points(sweep: Sweep) -> tuple[Point, ...]:
    """Return the points in the order of the table: run by run, policies innermost.

    Raises CouldNotRun for what the whole sweep cannot do without: files, machines and policies that
    do not exist, or too many points.
    """
    grids = [(run, _axes(run)) for run in sweep.runs]
    count = sum(prod(map(len, axes)) for _, axes in grids)
    if count > MOST_POINTS:
        raise CouldNotRun(
            f"`{sweep.path}` has {count:,} points, and {MOST_POINTS:,} are the most",
            "split it, or shorten an axis",
        )
    return tuple(point for run, axes in grids for point in _points(run, axes))


def _axes(run: Run) -> tuple[Sequence[Any], ...]:
    machines = run.machines or ((None,) if run.file is None else _planned(run.file))
    sizes = product(run.capacities_gb, run.capacities)
    return machines, tuple(sizes), run.seeds, run.hints_wrong, _policies(run)


def _points(run: Run, axes: Sequence[Sequence[Any]]) -> Iterator[Point]:
    for machine, (gigabytes, objects), seed, share, policy in product(*axes):
        bare = Point(
            key="",
            file=run.file,
            trace=run.trace,
            file_digest=None if run.file is None else digest(run.file),
            trace_digest=None if run.trace is None else digest(run.trace),
            machine=machine,
            policy=policy,
            capacity_gb=gigabytes,
            capacity=objects,
            hints_wrong=share,
            seed=seed,
            schedule=run.schedule,
            steps=run.steps,
            batch=run.batch,
            context=run.context,
            swap_gb=run.swap_gb,
            trace_block=run.trace_block,
            at_once=run.at_once,
            speedup=run.speedup,
            object_bytes=run.object_bytes,
        )
        yield attrs.evolve(bare, key=_key(bare))


def _policies(run: Run) -> tuple[str, ...]:
    asked = ",".join(run.policies)
    if run.file is None:
        every = "all" in run.policies
        return tuple(RULES) if every else tuple(rule_named(name).name for name in run.policies)
    return policies_of(asked) if run.trace is None else serving_policies_of(asked)


def _planned(file: str) -> tuple[str, ...]:
    return planned(module_of(read(file)))


def _key(point: Point) -> str:
    """Return the hash of what a point is, whatever its files are called."""
    named = ("key", "file", "trace", "file_digest", "machine", "policy")
    options = attrs.asdict(point, filter=attrs.filters.exclude(*named))
    whole = identity(
        point.file_digest or "",
        [] if point.machine is None else [_machine(point.machine)],
        {**options, "version": mirc.__version__, "code": code_digest()},
        [point.policy],
    )
    return whole.removeprefix("sha256:")


@cache
def _machine(name: str) -> Machine:
    return load(name)


@cache
def digest(path: str) -> str:
    """Return the SHA-256 of a file's bytes, read once; raise CouldNotRun where that fails."""
    found = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                found.update(chunk)
    except FileNotFoundError:
        raise CouldNotRun(f"there is no file `{path}`", "check the path") from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise CouldNotRun(f"cannot read `{path}`: {reason}", "check the path") from error
    return found.hexdigest()


@cache
def code_digest() -> str:
    """Return the SHA-256 of the code that figures come from: an edit makes old results stale."""
    found = hashlib.sha256()
    root = Path(str(mirc.__file__)).parent
    for room in _DECIDING:
        for folder, _, names in sorted(os.walk(root / room)):
            for name in sorted(names):
                if name.endswith((".py", ".toml")):
                    path = Path(folder) / name
                    found.update(f"{path.relative_to(root)}\0".encode())
                    found.update(path.read_bytes())
    return found.hexdigest()
