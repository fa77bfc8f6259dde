"""Values, sizes and a capacity into the most value that fits."""

from collections.abc import Sequence

MOST_CELLS = 200_000_000
"""Things times units of capacity up to which the exact answer is computed (about a second)."""


def exact(values: Sequence[float], sizes: Sequence[int], capacity: int) -> float:
    """Return the greatest sum of values whose sizes sum to at most ``capacity``, each thing once.

    Sizes and capacity are whole units (lines); a value that is not positive is never taken.
    O(things x capacity). Source: Bellman, Dynamic Programming (1957); Martello and Toth, Knapsack
    Problems (1990), 2.6. Raises ValueError beyond ``MOST_CELLS``.
    """
    import numpy as np  # noqa: PLC0415 - lint imports this room, and starts without numpy

    if len(values) * (capacity + 1) > MOST_CELLS:
        raise ValueError(f"{len(values)} things by {capacity} units are too many to solve exactly")
    best = np.zeros(capacity + 1)
    for value, size in zip(values, sizes, strict=True):
        if value > 0 and size <= capacity:
            best[size:] = np.maximum(best[size:], best[: capacity + 1 - size] + value)
    return float(best[-1])
