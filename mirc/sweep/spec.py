"""The text of a SWEEP.toml into what is to be swept, or one sentence on what is wrong with it."""

import math
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir.suggest import closest

LARGEST_FILE_BYTES = 1 << 20
LONGEST_LIST = 10_000
LARGEST_SEED = (1 << 63) - 1
LARGEST_GB = 1e9
LARGEST_FACTOR = 1e9


@attrs.frozen(kw_only=True)
class Run:
    """One ``[[run]]``: a file's schedule, a trace of requests over its caches, or one of accesses.

    Axes (``policies`` to ``seeds``) hold every value that is to be combined with all others. A
    capacity of None is the machine's own. A trace without a ``file`` holds accesses: its
    ``capacities`` count objects, those in GB need the objects' sizes.
    """

    file: str | None = None
    trace: str | None = None
    policies: tuple[str, ...] = ("all",)
    machines: tuple[str, ...] = ()
    capacities_gb: tuple[float | None, ...] = (None,)
    capacities: tuple[int | None, ...] = (None,)
    hints_wrong: tuple[float, ...] = (0.0,)
    seeds: tuple[int, ...] = (0,)
    schedule: str | None = None
    steps: int | None = None
    batch: int | None = None
    context: int | None = None
    swap_gb: float | None = None
    trace_block: int | None = None
    at_once: int | None = None
    speedup: float | None = None
    object_bytes: int | None = None


@attrs.frozen(kw_only=True)
class Sweep:
    """All runs; ``path`` is where the text stands, for messages."""

    path: str
    runs: tuple[Run, ...]


def load(path: str) -> Sweep:
    """Read a sweep; paths in it are relative to its folder. Raises CouldNotRun."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST_FILE_BYTES + 1)
        if len(data) > LARGEST_FILE_BYTES:
            raise CouldNotRun(f"`{path}` is larger than 1 MiB", "a sweep takes a few lines")
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CouldNotRun(f"`{path}` is not UTF-8 text", "save it as UTF-8") from error
    except FileNotFoundError:
        raise CouldNotRun(f"there is no file `{path}`", "check the path") from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise CouldNotRun(f"cannot read `{path}`: {reason}", "check the path") from error
    return parse(path, text)


def parse(path: str, text: str) -> Sweep:
    """Read the text of a sweep that stands at ``path``; raise CouldNotRun for what means nothing.

    Keys above the first ``[[run]]`` hold for every run that does not say otherwise.
    """
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        said = str(error)
        raise CouldNotRun(
            f"`{path}` is not TOML: {said[:1].lower()}{said[1:]}", "put it right"
        ) from error
    shared = {key: value for key, value in table.items() if key != "run"}
    rows = table.get("run")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise CouldNotRun(f"`{path}` has nothing to run", 'add `[[run]]` with `file = "NAME.mir"`')
    if len(rows) > LONGEST_LIST:
        raise CouldNotRun(f"`{path}` has {len(rows):,} runs", f"give at most {LONGEST_LIST:,}")
    usual = _values(path, "", shared)
    runs = tuple(
        _run(path, f"run[{number}].", row, {**usual, **_values(path, f"run[{number}].", row)})
        for number, row in enumerate(rows)
    )
    return Sweep(path=path, runs=runs)


def _run(path: str, place: str, own: Mapping[str, Any], values: Mapping[str, Any]) -> Run:
    run = Run(**values)
    if run.file is None and run.trace is None:
        raise _wrong(path, f"{place}file", "is missing", 'give `file = "NAME.mir"`, or a `trace`')
    for key in _OF_ACCESSES if run.file is not None else _OF_FILES:
        if key in own:
            what = "accesses" if run.file is not None else "a file"
            raise _wrong(path, f"{place}{key}", f"is about {what}", "leave it out")
    if run.file is None and run.capacities == run.capacities_gb == (None,):
        raise _wrong(path, f"{place}capacities", "is missing", "say how many objects fit: [1000]")
    if None not in run.capacities and None not in run.capacities_gb:
        raise _wrong(path, f"{place}capacities", "counts what is given in GB too", "give one")
    if run.trace is not None and any(run.hints_wrong):
        raise _wrong(
            path,
            f"{place}hints_wrong",
            "is about the hints of a schedule, and a trace is played instead of it",
            "leave it out, or give the trace a [[run]] of its own",
        )
    return run


def _values(path: str, place: str, table: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for key, value in table.items():
        if key not in _KEYS:
            near = closest(key, _KEYS)
            advice = f"did you mean `{near}`?" if near else f"choose from {', '.join(_KEYS)}"
            raise _wrong(path, f"{place}{key}"[:80], "is not a key of a sweep", advice)
        found[key] = _KEYS[key](path, f"{place}{key}", value)
    for key in ("file", "trace"):
        if found.get(key):
            found[key] = str(Path(path).parent / found[key])
    if "machines" in found:
        found["machines"] = tuple(
            str(Path(path).parent / name) if name.endswith(".toml") else name
            for name in found["machines"]
        )
    return found


def _text(path: str, place: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise _wrong(path, place, "is no text of one line", "write it in quotes")
    return value


def _policy(path: str, place: str, value: object) -> str:
    name = _text(path, place, value)
    if ".py:" in name:
        raise _wrong(
            path,
            place,
            f"is {_shown(name)}, and a sweep runs no code that its file names",
            "run `mirc simulate --policy` for a policy of your own",
        )
    return name


def _count(path: str, place: str, value: object) -> int:
    return _whole(path, place, value, least=1)


def _seed(path: str, place: str, value: object) -> int:
    return _whole(path, place, value, least=0)


def _whole(path: str, place: str, value: object, *, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST_SEED:
        raise _wrong(path, place, f"is {_shown(value)}", f"give a whole number from {least} on")
    return value


def _number(path: str, place: str, value: object, *, most: float) -> float:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    if not real or not 0 <= float(value) <= most or math.isnan(float(value)):  # type: ignore[arg-type]
        raise _wrong(path, place, f"is {_shown(value)}", f"give a number from 0 to {most:g}")
    return float(value)  # type: ignore[arg-type]


def _gigabytes(path: str, place: str, value: object) -> float:
    return _number(path, place, value, most=LARGEST_GB)


def _factor(path: str, place: str, value: object) -> float:
    found = _number(path, place, value, most=LARGEST_FACTOR)
    if not found:
        raise _wrong(path, place, "is 0", "give a number above 0")
    return found


def _share(path: str, place: str, value: object) -> float:
    return _number(path, place, value, most=1.0)


def _several(one: Callable[[str, str, object], Any]) -> Callable[[str, str, object], Any]:
    """Return the reader of a list of different values."""

    def read(path: str, place: str, value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or not 0 < len(value) <= LONGEST_LIST:
            raise _wrong(
                path, place, "is not a list", f"give a list of up to {LONGEST_LIST:,} values"
            )
        found = tuple(one(path, f"{place}[{n}]", each) for n, each in enumerate(value))
        return tuple(dict.fromkeys(found))

    return read


_KEYS: dict[str, Callable[[str, str, object], Any]] = {
    "file": _text,
    "trace": _text,
    "policies": _several(_policy),
    "machines": _several(_text),
    "capacities_gb": _several(_gigabytes),
    "capacities": _several(_count),
    "hints_wrong": _several(_share),
    "seeds": _several(_seed),
    "schedule": _text,
    "steps": _count,
    "batch": _count,
    "context": _count,
    "swap_gb": _gigabytes,
    "trace_block": _count,
    "at_once": _count,
    "speedup": _factor,
    "object_bytes": _count,
}
_OF_ACCESSES = ("capacities", "object_bytes")
_OF_FILES = ("schedule", "steps", "batch", "context", "swap_gb", "trace_block", "at_once")


def _wrong(path: str, place: str, message: str, hint: str) -> CouldNotRun:
    return CouldNotRun(f"`{path}`: `{place}` {message}", hint)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
