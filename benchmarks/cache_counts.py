"""Claim: without a clock, every rule counts the hits that libCacheSim counts.

Prints both for each rule and capacity, on the blocks that the shipped trace of requests asks for.
libCacheSim runs in a process of its own. Exits 1 where two counts differ.

    python benchmarks/cache_counts.py
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.simulate.accesses.hits import count_hits
from mirc.simulate.accesses.numbering import Numbering
from mirc.simulate.accesses.timed import next_uses
from mirc.traces.requests import read

HERE = Path(__file__).parent
TRACE = HERE.parent / "samples/traces/mooncake-synthetic.jsonl.gz"
CAPACITIES = (1_000, 5_000, 10_000, 30_000, 50_000, 100_000)
THEIRS = {
    "lru": "LRU",
    "lfu": "LFU",
    "sieve": "Sieve",
    "fifo": "FIFO",
    "belady": "Belady",
    "s3-fifo": "S3FIFO",
    "arc": "ARC",
}
_RECORD = np.dtype([("time", "<u4"), ("id", "<u8"), ("size", "<u4"), ("next", "<i8")])
_NEVER = -1


@attrs.frozen(kw_only=True)
class Compared:
    """One rule at one capacity: the hits that libCacheSim counted, and ours."""

    policy: str
    capacity: int
    expected: int
    got: int


def compared(
    ids: NDArray[np.int64],
    policies: Sequence[str] = tuple(THEIRS),
    capacities: Sequence[int] = CAPACITIES,
) -> Iterator[Compared]:
    """Count the hits of accesses of dense ids in both ways."""
    uses = next_uses(ids)
    expected = counted_there(ids, uses, policies, capacities)
    for policy in policies:
        for capacity, hits in zip(capacities, expected[policy], strict=True):
            got = count_hits(ids, policy, capacity, next_use=uses).hits
            yield Compared(policy=policy, capacity=capacity, expected=hits, got=got)


def counted_there(
    ids: NDArray[np.int64],
    uses: NDArray[np.int64],
    policies: Sequence[str],
    capacities: Sequence[int],
) -> dict[str, list[int]]:
    """Return the hits that libCacheSim counts, by policy and capacity."""
    rows = np.zeros(len(ids), dtype=_RECORD)
    rows["time"] = np.arange(len(ids))
    rows["id"] = ids + 1  # 0 is no id there
    rows["size"] = 1
    rows["next"] = np.where(uses < len(ids), uses, _NEVER)
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "accesses.oracleGeneral"
        rows.tofile(trace)
        found = subprocess.run(
            [
                sys.executable,
                str(HERE / "libcachesim_counts.py"),
                str(trace),
                str(len(ids)),
                ",".join(THEIRS[policy] for policy in policies),
                ",".join(map(str, capacities)),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
    named = json.loads(found.stdout)
    return {policy: named[THEIRS[policy]] for policy in policies}


def blocks_of(path: Path = TRACE) -> NDArray[np.int64]:
    """Return the blocks that the requests of a trace ask for, in order, as dense ids."""
    names = [block for request in read(str(path)) for block in request.blocks]
    return Numbering().ids(np.array(names, dtype=np.int64))


def main() -> int:
    """Print the table; return 1 if a row differs."""
    ids = blocks_of()
    print(f"{TRACE.name}: {len(ids):,} accesses to {int(ids.max()) + 1:,} blocks; hits")
    print(f"{'rule':<10}{'capacity':>10}{'libCacheSim':>13}{'mirc':>10}")
    differ = 0
    for row in compared(ids):
        differ += row.expected != row.got
        sign = "" if row.expected == row.got else "   differs"
        print(f"{row.policy:<10}{row.capacity:>10,}{row.expected:>13,}{row.got:>10,}{sign}")
    print(f"{differ} of {len(THEIRS) * len(CAPACITIES)} rows differ")
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main())
