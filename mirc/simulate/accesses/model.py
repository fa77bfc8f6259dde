"""Accesses of a trace, as arrays: what is asked for, in which order, at what time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.diagnostics import CouldNotRun
from mirc.kernels.tiers.state import READ, Table

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


@attrs.frozen(kw_only=True, eq=False)
class Trace:
    """A trace that can be played several times: ``parts`` begins anew with each call.

    A part holds at most a million accesses or so, and ``size_bytes`` of all objects. ``cut`` says
    what was wrong after the last access, None if nothing was.
    """

    count: int
    size_bytes: Table  # [N], of each object
    parts: Callable[[], Iterator[Accesses]]
    cut: CouldNotRun | None = None

    @property
    def objects(self) -> int:
        """How many objects there are accesses to."""
        return len(self.size_bytes)


def trace_of(accesses: Accesses) -> Trace:
    """Return accesses that are held in memory, as a trace of one part."""
    return Trace(
        count=accesses.count,
        size_bytes=accesses.size_bytes,
        parts=lambda: iter((accesses,)),
    )


def overlapped(parts: Iterable[Accesses], lookahead: int) -> Iterator[tuple[Accesses, int]]:
    """Yield each part with the next ``lookahead`` accesses behind it, and how many are its own."""
    waiting: list[Accesses] = []
    for part in parts:
        waiting.append(part)
        while waiting and sum(each.count for each in waiting[1:]) >= lookahead:
            yield _joined(waiting, lookahead), waiting.pop(0).count
    while waiting:
        yield _joined(waiting, lookahead), waiting.pop(0).count


def _joined(parts: Sequence[Accesses], lookahead: int) -> Accesses:
    if len(parts) == 1:
        return parts[0]
    end = parts[0].count + lookahead
    some = any(len(part.what) for part in parts)
    whats = [part.what if len(part.what) else np.full(part.count, READ) for part in parts]
    return Accesses(
        ids=np.concatenate([part.ids for part in parts])[:end],
        size_bytes=parts[0].size_bytes,
        what=np.concatenate(whats)[:end] if some else NOTHING,
        at_ps=np.concatenate([part.at_ps for part in parts])[:end],
    )
