"""Floating-point operations and bytes into the time of a step, by the roofline."""

from mirc.machine.model import Machine
from mirc.machine.parts import Compute
from mirc.machine.transfers import PS_PER_S

# A dtype that the machine has no rate for is computed as the first of these that it has: engines
# widen it (weights in float8 on a card without it are multiplied as bfloat16).
WIDENING = ("float8_e4m3fn", "float16", "bfloat16", "float32", "float64")
_EXACT_ONLY = ("int8", "int4", "float8_e5m2", "float8_e4m3fnuz", "float4_e2m1fn_x2")


def peak_flops(compute: Compute, dtype: str) -> float:
    """Return the dense peak, in FLOP/s, at which values of ``dtype`` are computed.

    A dtype without its own rate is widened; one that is unknown altogether gets the lowest rate.
    """
    rate = compute.peak_flops.get(dtype)
    if rate is not None:
        return rate
    if dtype in _EXACT_ONLY:
        wider: tuple[str, ...] = WIDENING[1:]
    elif dtype in WIDENING:
        wider = WIDENING[WIDENING.index(dtype) + 1 :]
    else:
        wider = ()
    for name in wider:
        if name in compute.peak_flops:
            return compute.peak_flops[name]
    return min(compute.peak_flops.values())


def compute_seconds(machine: Machine, flops: float, work: str, dtype: str) -> float:
    """Return the seconds of ``flops`` operations of a kind of work (in either case) on ``dtype``.

    Raises ``KeyError`` for a kind of work that is not ``matmul``, ``attention`` or ``other``.
    """
    compute = machine.compute
    return flops / (peak_flops(compute, dtype) * compute.efficiency[work.lower()])


def memory_seconds(machine: Machine, near_bytes: float) -> float:
    """Return the seconds that kernels need to move ``near_bytes`` to or from the near memory."""
    rate = machine.near.read_bytes_per_s * machine.compute.memory_efficiency
    return near_bytes / rate


def step_ps(machine: Machine, flops: float, work: str, dtype: str, near_bytes: float) -> int:
    """Return a step's picoseconds when all its operands are near: the slower of the two roofs.

    Rounded once. Source: Williams, Waterman, Patterson: Roofline, CACM 52(4), 2009.
    """
    seconds = max(compute_seconds(machine, flops, work, dtype), memory_seconds(machine, near_bytes))
    return round(seconds * PS_PER_S)


def ridge_flop_per_byte(machine: Machine, dtype: str) -> float:
    """Return the intensity, in FLOP per byte, above which the datasheet's compute is the limit."""
    return peak_flops(machine.compute, dtype) / machine.near.read_bytes_per_s
