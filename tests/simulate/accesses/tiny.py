"""A machine of three memories, a byte a nanosecond between them, and accesses to objects."""

import numpy as np

from mirc.kernels.tiers.state import Table
from mirc.machine import Machine
from mirc.machine.load import parse
from mirc.simulate.accesses.model import NOTHING, Accesses

NS = 1_000  # in picoseconds


def machine(
    *, sharing: str = "turns", root: str = "", latency_ns: int = 0, far_bytes: int = 10**9
) -> Machine:
    more = f'sharing = "{sharing}"\nlatency_ns = {latency_ns}\n' + (
        f'root = "{root}"\n' if root else ""
    )
    memories = "".join(
        f'[[memory]]\nname = "{name}"\nkind = "{kind}"\nowner = "o"\ncapacity_bytes = {size}\n'
        "read_bytes_per_s = 1e12\nwrite_bytes_per_s = 1e12\n"
        for name, kind, size in (
            ("hbm", "HBM", 10**9),
            ("dram", "DRAM", 300),
            ("nvme", "NVME", far_bytes),
        )
    )
    links = "".join(
        f'[[link]]\nname = "{a}-{b}"\nsource = "{a}"\ntarget = "{b}"\ncurve = [[1, 1e9]]\n{more}'
        for a, b in (("dram", "hbm"), ("hbm", "dram"), ("nvme", "dram"), ("dram", "nvme"))
    )
    return parse(
        "tiny",
        f'name = "tiny"\nsummary = "a test"\n{memories}{links}'
        '[compute]\nowner = "o"\nmemory = "hbm"\nmemory_efficiency = 1.0\n'
        "peak_flops = { bfloat16 = 1e12 }\n"
        "efficiency = { matmul = 1.0, attention = 1.0, other = 1.0 }\n",
    )


def accesses(
    ids: list[int], size: int = 100, what: list[int] | None = None, at_ps: list[int] | None = None
) -> Accesses:
    def table(values: list[int] | None) -> Table:
        return NOTHING if values is None else np.array(values, dtype=np.int64)

    count = max(ids, default=-1) + 1
    return Accesses(
        ids=table(ids),
        size_bytes=np.full(count, size, dtype=np.int64),
        what=table(what),
        at_ps=table(at_ps),
    )
