"""A Machine into the text and the JSON that ``mirc machine`` prints."""

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from mirc.machine.model import Machine
from mirc.machine.parts import Link, Memory, TierKind
from mirc.machine.roofline import peak_flops, ridge_flop_per_byte
from mirc.machine.transfers import PS_PER_S, route, transfer_ps

# The dtype that large models are served in by default; figures derived from a peak use it.
DTYPE = "bfloat16"


def as_json(machine: Machine) -> dict[str, Any]:
    """Return the machine's parts under the keys of its file, and what follows from them."""
    parts: dict[str, Any] = attrs.asdict(machine)
    return {
        "name": parts["name"],
        "summary": parts["summary"],
        "memory": parts["memories"],
        "link": parts["links"],
        "compute": parts["compute"],
        "sram": parts["sram"],
        "derived": {
            "near_usable_bytes": machine.near.usable_bytes,
            "ridge_flop_per_byte": ridge_flop_per_byte(machine, DTYPE),
            "read_near_once_ps": _read_near_ps(machine),
            "fill_near_ps": dict(_fills(machine)),
        },
    }


def as_list(machines: Sequence[Machine]) -> str:
    """Return one line a machine: name, near memory and its rate, summary."""
    rows = [
        (m.name, amount(m.near.capacity_bytes), rate(m.near.read_bytes_per_s), m.summary)
        for m in machines
    ]
    return _columns([("name", "near", "reads at", ""), *rows])


def as_table(machine: Machine) -> str:
    """Return everything about one machine as text."""
    blocks = [
        f"{machine.name}: {machine.summary}",
        _columns([_MEMORY_HEAD, *(_memory_row(m, machine) for m in machine.memories)]),
        _columns([_LINK_HEAD, *(_link_row(link) for link in machine.links)]),
        _columns(_compute_rows(machine)),
        _columns(_sram_rows(machine)),
        _columns(_derived_rows(machine)),
    ]
    return "\n\n".join(block for block in blocks if block)


_MEMORY_HEAD = ("memory", "tier", "owner", "capacity", "usable", "reads", "writes", "latency")
_LINK_HEAD = ("link", "from", "to", "fragments", "", "largest", "latency", "launch", "root")


def _memory_row(memory: Memory, machine: Machine) -> tuple[str, ...]:
    mark = " (near)" if memory is machine.near else ""
    return (
        memory.name + mark,
        memory.kind,
        memory.owner,
        amount(memory.capacity_bytes),
        amount(memory.usable_bytes),
        rate(memory.read_bytes_per_s),
        rate(memory.write_bytes_per_s),
        duration(memory.latency_ns * 1e-9),
    )


def _link_row(link: Link) -> tuple[str, ...]:
    size, slowest = link.curve[0]
    return (
        link.name,
        link.source,
        link.target,
        amount(size),
        rate(slowest),
        rate(link.peak_bytes_per_s),
        duration(link.latency_ns * 1e-9),
        duration(link.launch_ns * 1e-9),
        link.root or "",
    )


def _compute_rows(machine: Machine) -> Iterable[tuple[str, ...]]:
    compute = machine.compute
    kinds = tuple(compute.efficiency)
    yield ("compute", "dense peak", *kinds)
    for dtype, peak in compute.peak_flops.items():
        reached = (flops(peak * compute.efficiency[kind]) for kind in kinds)
        yield (dtype, flops(peak), *reached)


def _sram_rows(machine: Machine) -> Iterable[tuple[str, ...]]:
    sram = machine.sram
    if sram is None:
        return
    sets = machine.memory(sram.memory).capacity_bytes // (sram.line_bytes * sram.ways)
    yield ("sram", "lines of", "ways", "sets", "may be wired", "organisation", "replacement")
    yield (
        sram.memory,
        amount(sram.line_bytes),
        str(sram.ways),
        f"{sets:,}",
        amount(sram.wired_bytes),
        sram.organisation,
        sram.replacement,
    )


def _derived_rows(machine: Machine) -> Iterable[tuple[str, ...]]:
    near = machine.near
    peak = flops(peak_flops(machine.compute, DTYPE))
    ridge = ridge_flop_per_byte(machine, DTYPE)
    kernels = rate(near.read_bytes_per_s * machine.compute.memory_efficiency)
    once = duration(_read_near_ps(machine) / PS_PER_S)
    yield ("derived", "")
    yield ("ridge", f"{ridge:.0f} FLOP/byte ({DTYPE}, {peak} over {rate(near.read_bytes_per_s)})")
    yield (f"read {near.name}", f"{once} for its usable {amount(near.usable_bytes)} at {kernels}")
    for name, picoseconds in _fills(machine):
        seconds = duration(picoseconds / PS_PER_S)
        yield (f"fill from {name}", f"{seconds} for the same bytes in one piece")


def _read_near_ps(machine: Machine) -> int:
    kernels = machine.near.read_bytes_per_s * machine.compute.memory_efficiency
    return round(machine.near.usable_bytes / kernels * PS_PER_S)


def _fills(machine: Machine) -> Iterable[tuple[str, int]]:
    # Hops in a pipeline: the slowest one is what the whole fill waits for.
    size_bytes = machine.near.usable_bytes
    for memory in machine.memories:
        # On-chip memory is filled from the near one, not the other way round.
        if memory is machine.near or memory.kind is TierKind.SRAM:
            continue
        try:
            links = route(machine, memory.name, machine.near.name)
        except LookupError:
            continue
        yield memory.name, max(transfer_ps(link, size_bytes) for link in links)


def amount(size_bytes: int) -> str:
    """Write bytes for a reader: in binary units where those are whole and decimal ones not."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size_bytes >= factor and size_bytes % 1024 == 0 and size_bytes % 1_000_000:
            return f"{_digits(size_bytes / factor)} {unit}"
    return _scaled(size_bytes, "B")


def rate(bytes_per_s: float) -> str:
    """Write a rate for a reader: ``3.35 TB/s``."""
    return _scaled(bytes_per_s, "B/s")


def flops(per_s: float) -> str:
    """Write a compute rate for a reader: ``989 TFLOP/s``."""
    return _scaled(per_s, "FLOP/s")


def duration(seconds: float) -> str:
    """Write a time for a reader: ``1.31 s``, ``480 ns``."""
    if seconds == 0:
        return "0"
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)):
        if seconds >= factor * 0.9995:
            return f"{_digits(seconds / factor)} {unit}"
    return f"{_digits(seconds * 1e12)} ps"


def _scaled(value: float, unit: str) -> str:
    for prefix, factor in (("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= factor * 0.9995:
            return f"{_digits(value / factor)} {prefix}{unit}"
    return f"{_digits(value)} {unit}"


def _digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _columns(rows: Iterable[Sequence[str]]) -> str:
    table = [list(row) for row in rows]
    if not table:
        return ""
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in table
    )
    return "\n".join(line.rstrip() for line in lines)
