"""A machine whose numbers fit into comments, and texts into scenarios on it."""

from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.machine import Compute, Link, Machine, Memory, TierKind
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import Scenario, build

GB = 1_000_000_000


def card(near_bytes: int = 2 * GB, link_bytes_per_s: float = 1e9) -> Machine:
    """1 TFLOP/s, near memory at 100 GB/s, and links each way without latency."""
    curve = ((1, link_bytes_per_s),)
    return Machine(
        name="toy",
        summary="a card of round numbers",
        memories=(
            Memory(
                name="hbm",
                kind=TierKind.HBM,
                owner="gpu",
                capacity_bytes=near_bytes,
                read_bytes_per_s=1e11,
                write_bytes_per_s=1e11,
            ),
            Memory(
                name="dram",
                kind=TierKind.DRAM,
                owner="host",
                capacity_bytes=1000 * GB,
                read_bytes_per_s=1e11,
                write_bytes_per_s=1e11,
            ),
        ),
        links=(
            Link(name="up", source="dram", target="hbm", curve=curve),
            Link(name="down", source="hbm", target="dram", curve=curve),
        ),
        compute=Compute(
            owner="gpu",
            memory="hbm",
            peak_flops={"bfloat16": 1e12},
            efficiency={"matmul": 1.0, "attention": 0.5, "other": 0.1},
        ),
    )


def scenario(
    text: str,
    *,
    machine: Machine | None = None,
    schedule: str | None = None,
    steps: int | None = None,
    batch: int | None = None,
    seed: int = 0,
) -> Scenario:
    """Build the scenario of a text; its first line, ``mir 1.0``, is added here."""
    source = Source("toy.mir", f"mir 1.0\n{text}")
    module = load(source)
    found = schedule_of(module, steps, schedule)
    return build(module, found, machine or card(), batch=batch, seed=seed, source=source)


def weights(count: int, size: str = "1_000_000_000") -> str:
    """Declare ``w0``, ``w1`` ... of one size."""
    return "".join(
        f"object w{i} {{ class = WEIGHT_TILE size_bytes = {size} }}\n" for i in range(count)
    )


def cycle(count: int) -> str:
    """One phase ``decode`` that reads ``count`` weights of 1 GB, one a step, in turn."""
    steps = "".join(f"  step s{i} {{ reads = [w{i}] }}\n" for i in range(count))
    return f"{weights(count)}phase decode {{\n{steps}}}\n"
