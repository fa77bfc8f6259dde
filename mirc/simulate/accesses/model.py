"""Accesses of a trace, as arrays: what is asked for, in which order, at what time."""

from typing import TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.kernels.tiers.state import Table

Keys: TypeAlias = NDArray[np.uint64]

NOTHING = np.zeros(0, dtype=np.int64)


@attrs.frozen(kw_only=True, eq=False)
class Accesses:
    """Accesses to objects that are numbered from 0 by their first appearance.

    ``what`` (READ, WRITE or FETCH_AHEAD of ``mirc.kernels.tiers.state``) and ``at_ps`` are as long
    as ``ids``, or empty: then all are reads, and nothing is said of time.
    """

    ids: Table  # [A]
    size_bytes: Table  # [N], of each object
    what: Table = attrs.field(factory=lambda: NOTHING)
    at_ps: Table = attrs.field(factory=lambda: NOTHING)

    @property
    def count(self) -> int:
        """How many accesses there are."""
        return len(self.ids)

    @property
    def objects(self) -> int:
        """How many objects they are to."""
        return len(self.size_bytes)
