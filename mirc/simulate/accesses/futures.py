"""A trace into the position of each access's next one, for oracles alone."""

import numpy as np

from mirc.diagnostics import CouldNotRun
from mirc.kernels.build import compiled
from mirc.kernels.foresight import foresee
from mirc.kernels.tiers.state import NEVER
from mirc.kernels.world import NONE, Table
from mirc.simulate.accesses.hits import PYTHON_ACCESSES
from mirc.simulate.accesses.model import Trace

MOST_ACCESSES = 150_000_000


def futures_of(trace: Trace) -> Table:
    """Return the position of the next access to each access's object, NEVER without one.

    Takes 8 bytes an access. Raises CouldNotRun for more than ``MOST_ACCESSES``.
    """
    if trace.count > MOST_ACCESSES:
        raise CouldNotRun(
            f"an oracle is told where each of {trace.count:_} accesses has its next, and at most "
            f"{MOST_ACCESSES:_} are kept in memory",
            "leave out oracles, or give a part of the trace",
        )
    found = np.full(trace.count, NEVER, dtype=np.int64)
    last = np.full(trace.objects, NONE, dtype=np.int64)
    tell = compiled(foresee) if trace.count > PYTHON_ACCESSES else foresee
    begin = 0
    for part in trace.parts():
        tell(found, last, part.ids, begin)
        begin += part.count
    return found
