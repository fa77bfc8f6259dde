"""Routing decisions in JSON into runs of choices: engines' answers, logits, and step records."""

import base64
import binascii
import io
import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.diagnostics import CouldNotRun
from mirc.traces.arrays import read_array

LONGEST_LINE = 1 << 26
MOST_NUMBERS = 50_000_000
MOST_RECORDS = 10_000_000

Run = tuple[str, NDArray[Any]]

_KNOWN = (
    "give vLLM's answers with `routed_experts`, `router_logits`, or Megatron's records with "
    "`top_indices`"
)


@attrs.frozen(kw_only=True)
class Found:
    """What a text holds: ``runs`` of choices, or ``logits`` by layer."""

    format: str
    runs: list[Run] = attrs.field(factory=list)
    logits: list[Run] = attrs.field(factory=list)
    layers: tuple[int, ...] = ()


def from_text(file: BinaryIO, name: str) -> Found:
    """Read JSON, or JSON lines; the first value says which format it is.

    Raises CouldNotRun, with the line, for what no format allows.
    """
    values = _values(file, name)
    number, first = next(values, (1, None))
    if not isinstance(first, dict):
        raise CouldNotRun(f"`{name}` holds no routing trace", _KNOWN)
    if "top_indices" in first:
        return _steps([(number, first)], values, name)
    if "router_logits" in first:
        if next(values, None) is not None:
            raise CouldNotRun(f"`{name}` goes on after its `router_logits`", "save one forward")
        return Found(format="huggingface", logits=_layers(first["router_logits"], number, name))
    runs: list[Run] = []
    total = 0
    for line, value in chain([(number, first)], values):
        for run in _answers(line, value, name):
            total = _within(total + run[1].size, line, name)
            runs.append(run)
    if not runs:
        raise CouldNotRun(f"`{name}` holds no routing trace", _KNOWN)
    return Found(format="vllm", runs=runs)


def _values(file: BinaryIO, name: str) -> Iterator[tuple[int, Any]]:
    """Yield (line, value) for each line; a document over several lines is one value."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if number > MOST_RECORDS:
            raise CouldNotRun(f"`{name}` has more than {MOST_RECORDS:_} lines", "split it")
        if len(line) > LONGEST_LINE:
            raise _wrong(name, number, "is too long")
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number > 1:
                raise _wrong(name, number, "is not JSON") from error
            line += file.read(LONGEST_LINE + 1 - len(line))
            if len(line) > LONGEST_LINE:
                raise _wrong(name, number, "is too long") from error
            value = _document(line, name)
        yield number, value


def _document(text: bytes, name: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _wrong(name, error.lineno, "is not JSON") from error
    except (ValueError, RecursionError) as error:
        raise CouldNotRun(f"`{name}` is no JSON of a routing trace", _KNOWN) from error


def _within(total: int, number: int, name: str) -> int:
    """Refuse a text that holds too much before more of it is read."""
    if total > MOST_NUMBERS:
        raise _wrong(name, number, f"is where it exceeds {MOST_NUMBERS:_} numbers")
    return total


def _answers(number: int, value: Any, name: str) -> Iterator[Run]:
    """Yield the experts of each choice of one answer of an engine."""
    parts = value.get("choices", [value]) if isinstance(value, dict) else None
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise _wrong(name, number, "is no answer with `choices`")
    for part in parts:
        if part.get("routed_experts") is None:
            where = "a choice" if part is not value else "an answer"
            raise _wrong(name, number, f"has {where} without `routed_experts`")
        yield f"line {number}", _experts(part["routed_experts"], number, name)


def _experts(value: Any, number: int, name: str) -> NDArray[Any]:
    if not isinstance(value, str):
        return _numbers(value, number, name, "iu")
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _wrong(name, number, "has `routed_experts` that are not base64") from error
    return read_array(io.BytesIO(data), name, f"line {number}").values


def _layers(value: Any, number: int, name: str) -> list[Run]:
    if not isinstance(value, list) or not value:
        raise _wrong(name, number, "has `router_logits` that are no list of layers")
    return [
        (f"layer {place}", _numbers(layer, number, name, "iuf").astype(np.float64))
        for place, layer in enumerate(value)
    ]


def _steps(opened: list[tuple[int, Any]], rest: Iterator[tuple[int, Any]], name: str) -> Found:
    """Join Megatron's records, one for each step and layer, into one run a step.

    Layers of multi-token prediction (``block`` other than ``decoder``) are left out: they follow
    the model's own.
    """
    steps: dict[tuple[int, int], dict[int, NDArray[Any]]] = {}
    total = 0
    for number, record in chain(opened, rest):
        if not isinstance(record, dict):
            raise _wrong(name, number, "is no record of a router")
        if record.get("block", "decoder") != "decoder":
            continue
        layer, step, rank = (_whole(record, key, number, name) for key in ("layer", "step", "rank"))
        chosen = _numbers(record.get("top_indices"), number, name, "iu")
        total = _within(total + chosen.size, number, name)
        if chosen.ndim != 2 or len(chosen) != record.get("num_tokens", len(chosen)):
            raise _wrong(name, number, "has `top_indices` that are not tokens by experts")
        into = steps.setdefault((step, rank), {})
        if layer in into:
            raise _wrong(name, number, f"repeats layer {layer} of step {step}")
        if any(other.shape != chosen.shape for other in into.values()):
            raise _wrong(name, number, f"differs from the other layers of step {step} in shape")
        into[layer] = chosen
    layers = tuple(sorted({layer for into in steps.values() for layer in into}))
    runs = []
    for (step, _), into in steps.items():
        if len(into) < len(layers):
            continue  # the last step of a trace is cut where recording stopped
        stacked = np.stack([into[layer] for layer in layers], axis=1)
        runs.append((f"step {step}", stacked))
    if not runs:
        raise CouldNotRun(f"no step of `{name}` has all {len(layers)} layers", "record more steps")
    return Found(format="megatron", runs=runs, layers=layers)


def _whole(record: Mapping[str, Any], key: str, number: int, name: str) -> int:
    value = record.get(key, 0 if key == "rank" else None)
    if type(value) is not int or value < 0:
        raise _wrong(name, number, f"has no whole `{key}`")
    return value


def _numbers(value: Any, number: int, name: str, kinds: str) -> NDArray[Any]:
    """Return nested lists of equal lengths as an array of numbers; nothing else."""
    try:
        array = np.array(value) if isinstance(value, list) else None
    except (ValueError, OverflowError, RecursionError):
        array = None
    if array is None or array.dtype.kind not in kinds:
        raise _wrong(name, number, "holds no even lists of numbers")
    return array


def _wrong(name: str, number: int, what: str) -> CouldNotRun:
    return CouldNotRun(f"line {number} of `{name}` {what}", _KNOWN)
