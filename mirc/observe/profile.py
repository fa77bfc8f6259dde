"""A profile of PyTorch (Chrome's trace format) into the steps that ran, and when."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.observe.expected import Expected, expect
from mirc.traces.observations import ObservationHeader, Part

PROFILE = "profile"
_HINT = "write it with `torch.profiler.profile` and `export_chrome_trace`"
_NAMED = "mark what runs: `with torch.profiler.record_function(STEP)`, by the names in the file"
_ON_DEVICE, _ON_HOST = "gpu_user_annotation", "user_annotation"
_PS_PER_US = 1_000_000
_LATEST_US = (1 << 63) // _PS_PER_US

Mark = tuple[float, float, str]
"""Begin and length in microseconds, and the name."""


def observed(
    data: bytes, name: str, module: Module, phase: str | None = None
) -> Iterator[tuple[int, Part]]:
    """Yield a header and the steps that the profile marks by their names in the file.

    Marks are annotations of `record_function`; those of the device are taken where there are any.
    One named after a phase begins a run of it, as does `ProfilerStep#N` of the phase that is on: at
    first ``phase``, or that of whose steps most are marked. Raises CouldNotRun for what is no
    profile, and for one that marks no step.
    """
    expected = expect(module)
    marks = _marks(data, name)
    first = _phase(marks, expected, name, phase)
    yield 1, ObservationHeader(source=PROFILE, machine=_machine(data), policy="pytorch", uses=False)
    numbers = {each: number for number, each in enumerate(expected)}
    for each in expected:
        yield 1, ("phase", each)
    on, begin, end, ran = first, marks[0][0], 0, False
    for start, length, mark in marks:
        time = round((start - begin) * _PS_PER_US)
        if mark in expected or mark.startswith("ProfilerStep#"):
            if ran:
                yield 1, ("end", time)
            on, ran = (mark if mark in expected else on), False
        elif mark in expected[on].positions:
            ran, end = True, max(end, time + round(length * _PS_PER_US))
            yield 1, ("step", time, numbers[on], mark)
    if ran:
        yield 1, ("end", end)


def _phase(
    marks: Sequence[Mark], expected: Mapping[str, Expected], name: str, asked: str | None
) -> str:
    if asked is not None and asked not in expected:
        listed = ", ".join(expected)
        raise CouldNotRun(f"this file has no phase `{asked}`", f"choose from {listed}")
    counts = {
        phase: sum(mark in found.positions for _, _, mark in marks)
        for phase, found in expected.items()
    }
    if not any(counts.values()):
        raise CouldNotRun(f"`{name}` marks no step of this file", _NAMED)
    named = next((mark for _, _, mark in marks if mark in expected), None)
    if asked is not None or named is not None:
        return asked or named or ""
    most = max(counts.values())
    likely = [phase for phase, count in counts.items() if count == most]
    if len(likely) > 1:
        raise CouldNotRun(
            f"`{name}` does not tell which phase ran: {', '.join(likely)} have the steps it marks",
            "say which: `--phase NAME`",
        )
    return likely[0]


def _marks(data: bytes, name: str) -> list[Mark]:
    """Return annotations in order of time, those of the device if there are any."""
    found: dict[str, list[Mark]] = {_ON_DEVICE: [], _ON_HOST: []}
    for event in _events(data, name):
        category = event.get("cat")
        if event.get("ph") != "X" or category not in (_ON_DEVICE, _ON_HOST):
            continue
        start: Any = event.get("ts")
        length: Any = event.get("dur")
        mark = event.get("name")
        if not _is_time(start) or not _is_time(length) or not isinstance(mark, str):
            raise CouldNotRun(f"`{name}` has an annotation without name, `ts` and `dur`", _HINT)
        found[category].append((start, length, mark))
    marks = found[_ON_DEVICE] or found[_ON_HOST]
    if not marks:
        raise CouldNotRun(f"`{name}` has no annotations", _NAMED)
    # Of two that begin together the longer one holds the other.
    return sorted(marks, key=lambda mark: (mark[0], -mark[1], mark[2]))


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < _LATEST_US


def _events(data: bytes, name: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CouldNotRun(f"`{name}` is not JSON", _HINT) from error
    events = document.get("traceEvents") if isinstance(document, dict) else None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise CouldNotRun(f"`{name}` has no list of `traceEvents`", _HINT)
    return events


def _machine(data: bytes) -> str:
    """Return the name of the first device of a profile, or what it ran on without one."""
    devices = json.loads(data).get("deviceProperties")
    first = devices[0] if isinstance(devices, list) and devices else None
    named = first.get("name") if isinstance(first, dict) else None
    return named if isinstance(named, str) else "cpu"
