"""Accesses into miss-ratio curves: what LRU misses at every capacity, in one pass over them."""

from collections.abc import Iterable, Iterator, Sequence

import attrs
import numpy as np

from mirc.ir.enums import ObjectClass
from mirc.kernels.build import compiled
from mirc.kernels.distances import COUNTED, HIT_BYTES, HITS, REMOVED, UNCOUNTED, stack, tally
from mirc.simulate.model import CREATE, Ints, Workload
from mirc.simulate.serving.prefix_trace import Asked

PYTHON_ACCESSES = 200_000
"""Accesses up to which plain Python is taken: a second of it, as long as numba takes to load."""
POINTS = 33
EVERYTHING = "all"


@attrs.frozen(kw_only=True, eq=False)
class Curve:
    """What hits in LRU of each capacity, in ascending order, of the accesses of one kind.

    ``name`` is a class, as if it had the memory to itself, or ``EVERYTHING``. ``footprint_bytes``
    are all its objects: with room for them only first uses miss.
    """

    name: str
    footprint_bytes: int
    accesses: int
    accessed_bytes: int
    capacities_bytes: tuple[int, ...]
    hits: tuple[int, ...]
    hit_bytes: tuple[int, ...]

    @property
    def miss_ratios(self) -> tuple[float, ...]:
        """The share of accesses that misses, at each capacity."""
        return tuple(1 - hit / max(1, self.accesses) for hit in self.hits)

    @property
    def miss_bytes(self) -> tuple[int, ...]:
        """The bytes that have to come in, at each capacity."""
        return tuple(self.accessed_bytes - hit for hit in self.hit_bytes)


def curve(
    ids: Ints,
    size_bytes: Ints,
    capacities: Sequence[int],
    *,
    name: str = EVERYTHING,
    what: Ints | None = None,
    path: str | None = None,
) -> Curve:
    """Return the curve of accesses to ``ids`` [A] of ``size_bytes`` [N], at these capacities.

    ``what`` [A] tells accesses that do not count, and ids that end, from others
    (``mirc.kernels.distances``). ``path`` forces ``compiled`` or ``python``, else length decides.
    """
    if path is None:
        path = "python" if len(ids) <= PYTHON_ACCESSES else "compiled"
    kinds = np.zeros(0, dtype=np.int64) if what is None else what
    footprint = int(size_bytes[np.unique(ids)].sum())
    return _curve([(ids.astype(np.int64), kinds)], size_bytes, capacities, name, footprint, path)


def curve_in_parts(
    parts: Iterable[Ints], size_bytes: Ints, capacities: Sequence[int], *, accesses: int
) -> Curve:
    """Return the curve of ``accesses`` that come part after part, and use every id."""
    path = "python" if accesses <= PYTHON_ACCESSES else "compiled"
    counted = np.zeros(0, dtype=np.int64)
    played = ((ids, counted) for ids in parts)
    return _curve(played, size_bytes, capacities, EVERYTHING, int(size_bytes.sum()), path)


def _curve(  # noqa: PLR0917 - one call, and each is a thing of its own
    parts: Iterable[tuple[Ints, Ints]],
    size_bytes: Ints,
    capacities: Sequence[int],
    name: str,
    footprint_bytes: int,
    path: str,
) -> Curve:
    asked = np.array(sorted(set(capacities)), dtype=np.int64)
    tallied = np.zeros((2, len(asked) + 1), dtype=np.int64)
    order = stack(size_bytes.astype(np.int64))
    engine = compiled(tally, order) if path == "compiled" else tally
    for ids, kinds in parts:
        engine(order, ids, kinds, asked, tallied)
    reached = tallied.cumsum(axis=1)
    return Curve(
        name=name,
        footprint_bytes=footprint_bytes,
        accesses=int(reached[HITS, -1]),
        accessed_bytes=int(reached[HIT_BYTES, -1]),
        capacities_bytes=tuple(asked.tolist()),
        hits=tuple(reached[HITS, :-1].tolist()),
        hit_bytes=tuple(reached[HIT_BYTES, :-1].tolist()),
    )


def curves_of_schedule(workload: Workload, *rooms: int) -> tuple[Curve, ...]:
    """Return the curve of all that a run uses, then of each class by itself, in the enum's order.

    All are of the same capacities: from the smallest object to all of them by equal factors, and
    each of ``rooms``, in bytes. Objects are moved whole. What a run makes is no miss when it is
    made. What has ended leaves room that counts as free at once, which a cache that evicted for it
    before could not use: where things end, a curve is a little too good.
    """
    ids, what = _played(workload)
    sizes = workload.size_bytes
    capacities = (*_spread(sizes[np.unique(ids)]), *rooms)
    found = [curve(ids, sizes, capacities, what=what)]
    for number, klass in enumerate(ObjectClass):
        mine = workload.klass[ids] == number
        if mine.any():
            found.append(curve(ids[mine], sizes, capacities, name=str(klass), what=what[mine]))
    return tuple(found)


def curve_of_requests(asked: Asked, block_bytes: int) -> Curve:
    """Return the curve of the prefix blocks of a trace, each of so many bytes, root first.

    Blocks are counted that are there; which of them a prompt can use (those without a hole before)
    leaf-first eviction decides.
    """
    sizes = np.full(len(asked.parents), block_bytes, dtype=np.int64)
    return curve(asked.blocks, sizes, _spread(sizes), name=str(ObjectClass.KV_BLOCK))


def _spread(used: Ints) -> tuple[int, ...]:
    """Return capacities from the smallest object to all of them, by equal factors."""
    if not len(used):
        return ()
    low, high = max(1, int(used.min())), max(1, int(used.sum()))
    steps: list[int] = np.rint(np.geomspace(low, high, POINTS)).astype(np.int64).tolist()
    return (*steps[:-1], high)


def _played(workload: Workload) -> tuple[Ints, Ints]:
    """Return all accesses and ends in the order of the run, and what each is."""
    parts = list(_steps(workload))
    ids = np.concatenate([ids for ids, _ in parts]) if parts else np.zeros(0, dtype=np.int64)
    what = np.concatenate([what for _, what in parts]) if parts else np.zeros(0, dtype=np.int64)
    return ids, what


def _steps(workload: Workload) -> Iterator[tuple[Ints, Ints]]:
    kinds = np.where(workload.access_kind == CREATE, UNCOUNTED, COUNTED).astype(np.int64)
    objects = workload.access_object.astype(np.int64)
    ended = workload.retire_object.astype(np.int64)
    begins, ends = workload.access_ptr.tolist(), workload.retire_ptr.tolist()
    since = 0
    # A step without an end joins the next: few steps end anything.
    for step in np.flatnonzero(np.diff(workload.retire_ptr)).tolist():
        used = slice(since, begins[step + 1])
        gone = ended[ends[step] : ends[step + 1]]
        yield objects[used], kinds[used]
        yield gone, np.full(len(gone), REMOVED, dtype=np.int64)
        since = begins[step + 1]
    yield objects[since:], kinds[since:]
