"""Claim: writing and reading the packed file costs a simulation at most a tenth of its time.

Compiles a model, packs it, unpacks and packs it again (the bytes must be the same), says it in the
essay's records, and simulates it with one policy. Each time is the best of three; exits 1 where
the claim fails.

    python benchmarks/packed.py [TARGET] [--machine card-24g] [--schedule LIST]
"""

import argparse
import sys
import time
from collections.abc import Callable

from mirc.emit import emit
from mirc.frontend import CaptureOptions, capture
from mirc.grammar import print_module
from mirc.machine.load import load
from mirc.packed.census import census
from mirc.packed.codec import dumps, loads
from mirc.packed.losses import essay
from mirc.packed.model import Packed
from mirc.packed.pack import pack, seal
from mirc.packed.unpack import read, unpack
from mirc.passes.pipeline import run
from mirc.simulate.study import Options, study

ALLOWED = 0.10
RUNS = 3


def main(target: str, machine: str, schedule: str) -> int:
    """Print bytes and seconds; return the exit code."""
    program = capture(target, CaptureOptions(), lambda _: None)
    module = emit(program, run(program, machines=(load(machine),)))
    tables = pack(module)
    data = dumps(tables)
    for share in census(tables):
        print(f"{share.size_bytes:>13_} bytes: {share.count:_} {share.what}")
    print(f"{len(data):>13_} bytes in all; the text has {len(print_module(module).encode()):_}")
    print(f"{len(essay(seal(module)).data):>13_} bytes in the essay's records")
    same = dumps(pack(unpack(read(data, "packed")))) == data
    print(f"unpacked and packed again: {'the same bytes' if same else 'OTHER BYTES'}")
    asked = Options(machines=(machine,), policies="intent", schedule=schedule)
    whole = _best(lambda: study(module, asked))
    sealing = _best(lambda: seal(module))
    for what, work in (
        ("pack", lambda: pack(module)),
        ("write", lambda: dumps(tables)),
        ("read", lambda: Packed(loads(data, "packed"))),
        ("read a stranger's", lambda: read(data, "packed")),
    ):
        print(f"{_best(work):8.3f} s: {what}")
    print(
        f"{whole:8.3f} s: simulate `{schedule}`; {sealing / whole:.1%} of it pack, write and read"
    )
    return int(not same or sealing > ALLOWED * whole)


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times)


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("target", nargs="?", default="preset:deepseek-v3")
    options.add_argument("--machine", default="card-24g")
    options.add_argument("--schedule", default="REPEAT(4, decode_step)")
    given = options.parse_args()
    sys.exit(main(given.target, given.machine, given.schedule))
