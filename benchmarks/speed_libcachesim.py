"""Prints, as JSON, the misses and CPU seconds of libCacheSim's plain LRU: in a process of its own.

TRACE is in its oracleGeneral format and has been read before, so that it lies in the page cache;
the binding's own loop plays it, which makes no Python object of an access. Its table of keys has
the size that it has by default, or is made for the capacity, which is as fast as it gets.

    python benchmarks/speed_libcachesim.py TRACE CAPACITY default|fitted
"""

import json
import math
import sys
import time

import libcachesim as theirs


def main() -> None:
    """Play the trace once."""
    trace, capacity = sys.argv[1], int(sys.argv[2])
    reader = theirs.TraceReader(
        trace=trace,
        trace_type=theirs.TraceType.ORACLE_GENERAL_TRACE,
        reader_init_params=theirs.ReaderInitParam(ignore_obj_size=True),
    )
    fitted = {"hashpower": math.ceil(math.log2(capacity)) + 1} if sys.argv[3] == "fitted" else {}
    cache = theirs.LRU(capacity, **fitted, reader=reader)
    begin = time.process_time()
    miss_ratio, _ = cache.process_trace(reader)
    json.dump({"seconds": time.process_time() - begin, "miss_ratio": miss_ratio}, sys.stdout)


if __name__ == "__main__":
    main()
