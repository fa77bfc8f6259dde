"""A seed into accesses: some far more often than others, all in turn, or few for a while."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import attrs
import numpy as np
from attrs import validators as v
from numpy.typing import NDArray

from mirc.traces.accesses import CHUNK, READ, WRITE, Rows

Draw: TypeAlias = Callable[[np.random.Generator, int, int], NDArray[np.int64]]


@attrs.frozen(kw_only=True)
class Stream:
    """How many accesses there are, to how many objects of how many bytes each, and how often.

    ``every_us`` is the time between two accesses: exactly, or (``poisson``) on the average.
    ``writes`` is the share of them that write.
    """

    accesses: int = attrs.field(default=1_000_000, validator=v.ge(1))
    objects: int = attrs.field(default=100_000, validator=v.ge(1))
    size_bytes: int = attrs.field(default=1 << 20, validator=v.ge(0))
    every_us: float = attrs.field(default=0.0, validator=v.ge(0))
    poisson: bool = False
    writes: float = attrs.field(default=0.0, validator=[v.ge(0), v.le(1)])
    seed: int = 0


def zipf(stream: Stream, exponent: float) -> Iterator[Rows]:
    """Yield accesses that are independent, the k-th most popular object's in proportion to k^-s."""
    weights = np.arange(1, stream.objects + 1, dtype=np.float64) ** -exponent
    below = np.cumsum(weights)
    below /= below[-1]

    def drawn(rng: np.random.Generator, count: int, _: int) -> NDArray[np.int64]:
        # The last bound may be rounded below what is drawn.
        return np.minimum(np.searchsorted(below, rng.random(count)), stream.objects - 1)

    yield from _made(stream, drawn)


def scan(stream: Stream) -> Iterator[Rows]:
    """Yield accesses to one object after another, from the first again after the last."""

    def drawn(_: np.random.Generator, count: int, begin: int) -> NDArray[np.int64]:
        return np.arange(begin, begin + count, dtype=np.int64) % stream.objects

    yield from _made(stream, drawn)


def loop(stream: Stream, length: int, rounds: int) -> Iterator[Rows]:
    """Yield rounds over ``length`` objects, ``rounds`` times, then over the next ``length``."""

    def drawn(_: np.random.Generator, count: int, begin: int) -> NDArray[np.int64]:
        at = np.arange(begin, begin + count, dtype=np.int64)
        phase = at // (length * rounds)
        return (phase * length + at % length) % stream.objects

    yield from _made(stream, drawn)


def _made(stream: Stream, drawn: Draw) -> Iterator[Rows]:
    rng = np.random.default_rng(stream.seed)
    now = 0.0
    for begin in range(0, stream.accesses, CHUNK):
        count = min(CHUNK, stream.accesses - begin)
        ids = drawn(rng, count, begin)
        even = np.full(count, stream.every_us)
        gaps = rng.exponential(stream.every_us, count) if stream.poisson else even
        times = now + np.cumsum(gaps)
        now = float(times[-1])
        writes = rng.random(count) < stream.writes if stream.writes else np.zeros(count, np.bool_)
        yield Rows(
            keys=ids.astype(np.int64),
            size_bytes=np.full(count, stream.size_bytes, dtype=np.int64),
            what=np.where(writes, WRITE, READ).astype(np.int64),
            at_us=np.floor(times).astype(np.int64),
        )
