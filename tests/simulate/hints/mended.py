"""A file whose plan matters, as a case on the toy machine."""

from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir import Module
from mirc.packed.pack import seal
from mirc.simulate.case import Case, case_of
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import build
from tests.simulate.toy import GB, card, weights

COUNT = 6


def text() -> str:
    """Six weights of 1 GB, read in turn by steps of 0.2 s; near memory holds three of them.

    A plan says when each is used, and that the first stays.
    """
    steps = "".join(
        f"  step s{i} {{ reads = [w{i}] flops = 200_000_000_000 }}\n" for i in range(COUNT)
    )
    planned = "".join(
        f"    override w{i} {{ first_use_us = {200_000 * i} last_use_us = {200_000 * i}"
        f"{' residency = [HBM]' if i == 0 else ''} }}\n"
        for i in range(COUNT)
    )
    return (
        f"mir 1.0\n{weights(COUNT)}"
        f"phase decode {{\n{steps}}}\n"
        f'plan p {{\n  machine = "toy"\n'
        f"  phase decode {{\n    period_us = 1_200_000\n{planned}  }}\n}}\n"
    )


def module() -> Module:
    """Return the file, parsed."""
    return load(Source("toy.mir", text()))


def case() -> Case:
    """Return sixteen rounds of it under its plan."""
    machine = card(near_bytes=3 * GB)
    read = module()
    schedule = schedule_of(read, None, "REPEAT(16, decode)")
    return case_of(seal(read), build(read, schedule, machine, plan="p"), machine, "p")
