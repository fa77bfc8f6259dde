"""Prints, as JSON, the hits that libCacheSim counts on a trace: run in a process of its own.

libCacheSim is under the GPL: it is asked from outside, and nothing of it is taken in. TRACE is in
its oracleGeneral format; every object has the size 1.

    python benchmarks/libcachesim_counts.py TRACE ACCESSES POLICY,... CAPACITY,...
"""

import json
import math
import sys

import libcachesim as theirs


def main() -> None:
    """Count the hits of each policy at each capacity."""
    trace, accesses, policies, capacities = sys.argv[1:]
    found: dict[str, list[int]] = {}
    for name in policies.split(","):
        found[name] = [hits(name, int(c), trace, int(accesses)) for c in capacities.split(",")]
    json.dump(found, sys.stdout)


def hits(name: str, capacity: int, trace: str, accesses: int) -> int:
    """Return the hits of one run."""
    # The reader remembers where it stands: one for each run.
    reader = theirs.TraceReader(
        trace=trace,
        trace_type=theirs.TraceType.ORACLE_GENERAL_TRACE,
        reader_init_params=theirs.ReaderInitParam(ignore_obj_size=True),
    )
    power = max(10, math.ceil(math.log2(capacity)) + 1)
    cache = getattr(theirs, name)(capacity, hashpower=power, reader=reader)
    miss_ratio, _ = cache.process_trace(reader)
    return round((1 - miss_ratio) * accesses)


if __name__ == "__main__":
    main()
