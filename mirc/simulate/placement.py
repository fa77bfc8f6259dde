"""Descriptors into the ranks by which a static placement pins."""

import numpy as np
from numpy.typing import NDArray

from mirc.controller.descriptors import DROPPABLE, UNSAID, Descriptors, Ints
from mirc.controller.ranking import SMALLEST_SHARE, spread

Floats = NDArray[np.float64]


def static_ranks(known: Descriptors, sizes: Ints, price: Floats) -> Ints:
    """Return all objects, first those that a static placement streams: O(n log n), once a load.

    Pinning an object saves its bytes at every use, so a byte of it is worth its uses: the sum, over
    the phases that plan one, of how often the schedule asked for runs the phase, times the
    probability of the use, times ``price``, what the byte takes from its home. Equal ones are
    spread over their busiest phase, so that what streams does so evenly whatever the room. What the
    run makes stays longer, as its strength says.
    """
    count = len(sizes)
    droppable = known.strength == DROPPABLE
    worth = np.zeros(count)
    busiest = np.zeros(count)
    cell = np.zeros(count, dtype=np.int64)
    largest = np.zeros(count, dtype=np.int64)
    for rows in known.phases:
        used = droppable & (rows.first_ps != UNSAID)
        gain = np.where(used, rows.runs * rows.probability * price, 0.0)
        worth += gain
        planned = np.where(used, sizes, 0)
        here = spread(np.where(used, rows.first_ps, 0), planned)
        busier = used & (gain >= busiest)
        busiest = np.where(busier, gain, busiest)
        cell = np.where(busier, here, cell)
        largest = np.where(busier, planned.max(initial=0), largest)
    small = droppable & (sizes * SMALLEST_SHARE < largest)
    ranked: Ints = np.lexsort((np.arange(count), cell, small, worth, known.strength))
    return ranked
