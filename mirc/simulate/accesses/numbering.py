"""Keys of 64 bits, chunk after chunk, into ids from 0 by their first appearance."""

import secrets

import numpy as np
from numpy.typing import NDArray

from mirc.kernels.build import compiled
from mirc.kernels.dense import COUNT, FIRST_FACTOR, SECOND_FACTOR, Keys, densify, rehash
from mirc.kernels.world import NONE, Table

_LEAST_BITS = 12
_GROWTH_BITS = 2
_MANY_BITS = 24  # from which on it grows by one: four times of much is too much
_PYTHON_KEYS = 20_000  # up to which plain Python is sooner done than the compiled kernel is loaded


class Numbering:
    """What was numbered so far; 32 to 128 bytes for each distinct key.

    Where a key is looked for depends on two factors drawn anew in each process, so that no file can
    be made to collide; the numbers do not depend on them.
    """

    def __init__(self, path: str | None = None, factors: tuple[int, int] | None = None) -> None:
        """Begin; ``path`` forces ``compiled`` or ``python``, else the first chunk decides."""
        self._path = path
        self._factors = factors or (secrets.randbits(31) | 1, secrets.randbits(31) | 1)
        self._keys = _empty(_LEAST_BITS, self._factors)

    @property
    def count(self) -> int:
        """How many distinct keys there were."""
        return int(self._keys.now[COUNT])

    def ids(self, raw: NDArray[np.int64] | NDArray[np.uint64]) -> Table:
        """Return the ids of keys: O(1) for each, amortised."""
        if self._path is None:
            self._path = "python" if len(raw) <= _PYTHON_KEYS else "compiled"
        fast = self._path == "compiled"
        number = compiled(densify, self._keys) if fast else densify
        carry = compiled(rehash, self._keys) if fast else rehash
        keys = np.ascontiguousarray(raw).view(np.int64)
        found = np.empty(len(keys), dtype=np.int64)
        done = 0
        while (done := int(number(self._keys, keys, found, done))) < len(keys):
            bits = len(self._keys.slot).bit_length() - 1
            larger = _empty(bits + (_GROWTH_BITS if bits < _MANY_BITS else 1), self._factors)
            carry(self._keys, larger)
            self._keys = larger
        return found


def _empty(bits: int, factors: tuple[int, int]) -> Keys:
    now = np.zeros(3, dtype=np.int64)
    now[FIRST_FACTOR], now[SECOND_FACTOR] = factors
    slot = np.empty((1 << bits, 2), dtype=np.int64)
    slot[:, 1] = NONE
    return Keys(now=now, slot=slot)
