"""An event log into when and by how much each class of object grew or shrank in each memory."""

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.kernels.events import Kind
from mirc.kernels.world import NONE
from mirc.simulate.model import Bytes

WORKING = -1
"""Stands for a class where a step's own working space takes room."""

_ABSENT, _HERE, _LEAVING, _COMING = range(4)
_QUIET = (Kind.STEP, Kind.READ, Kind.WRITE, Kind.END, Kind.REFUSE, Kind.PROMOTE, Kind.REMADE)


@attrs.frozen(kw_only=True, eq=False)
class Changes:
    """Parallel arrays, by time: ``bytes`` more of ``klass`` are in ``memory`` from ``time_ps``."""

    time_ps: NDArray[np.int64]
    memory: NDArray[np.int64]
    klass: NDArray[np.int64]
    bytes: NDArray[np.int64]


@attrs.define
class _Copies:
    """Where one object is, as far as the log has told."""

    near: int = _ABSENT
    near_bytes: int = 0
    home: int = NONE
    home_bytes: int = 0
    narrow_bytes: int = 0  # of what lies beside a master, in fewer bits
    writing: bool = False
    staged: dict[int, int] = attrs.field(factory=dict)


def changes(events: NDArray[Any], klass: Bytes) -> Changes:
    """Return all changes of a run that was recorded; ``klass`` [n] is that of each object.

    Room counts from the moment at which it is taken: near memory's when a transfer is issued, that
    of a memory on the way while the whole object waits there, that below when a write-back is asked
    for. O(events).
    """
    loud = events[~np.isin(events["kind"], np.array(_QUIET, dtype=np.int64))]
    columns = ("time_ps", "kind", "object", "source", "target", "bytes")
    rows = zip(*(loud[name].tolist() for name in columns), strict=True)
    classes = klass.tolist()
    found: list[tuple[int, int, int, int]] = []
    copies: dict[int, _Copies] = {}
    for time, kind, thing, source, target, size in rows:
        if kind == Kind.ROOM:
            found.append((time, 0, WORKING, size))
            continue
        copy = copies.get(thing)
        if copy is None:
            copy = copies[thing] = _Copies()
        for memory, more in _RULES[kind](copy, source, target, size):
            found.append((time, memory, classes[thing], more))
    table = np.array(found, dtype=np.int64).reshape(-1, 4)
    return Changes(time_ps=table[:, 0], memory=table[:, 1], klass=table[:, 2], bytes=table[:, 3])


_Deltas = tuple[tuple[int, int], ...]


def _settle_below(copy: _Copies, target: int, size: int) -> _Deltas:
    copy.writing = True
    if copy.home != NONE:
        return ()
    copy.home, copy.home_bytes = target, size
    return ((target, size),)


def _leave(copy: _Copies) -> _Deltas:
    gone, copy.near, copy.near_bytes = copy.near_bytes, _ABSENT, 0
    return ((0, -gone),) if gone else ()


def _unstage(copy: _Copies, memory: int) -> _Deltas:
    size = copy.staged.pop(memory, 0)
    return ((memory, -size),) if size else ()


def _abandon(copy: _Copies) -> _Deltas:
    home, gone = copy.home, copy.home_bytes
    copy.home, copy.home_bytes, copy.narrow_bytes = NONE, 0, 0
    return ((home, -gone),) if gone else ()


def _home(copy: _Copies, source: int, target: int, size: int) -> _Deltas:
    del source
    copy.home, copy.home_bytes = target, size
    return ((target, size),)


def _take(near: int) -> Callable[[_Copies, int, int, int], _Deltas]:
    def taken(copy: _Copies, source: int, target: int, size: int) -> _Deltas:
        del source, target
        copy.near, copy.near_bytes = near, size
        return ((0, size),)

    return taken


def _start(copy: _Copies, source: int, target: int, size: int) -> _Deltas:
    del source
    if target == (0 if copy.near == _COMING else copy.home):
        return ()
    copy.staged[target] = size
    return ((target, size),)


def _land(copy: _Copies, source: int, target: int, size: int) -> _Deltas:
    del size
    passed = _unstage(copy, source)
    if target == 0:
        copy.near = _HERE
    elif copy.writing and target == copy.home:
        copy.writing = False
        if copy.near == _LEAVING:
            return (*passed, *_leave(copy))
    return passed


def _drop(copy: _Copies, source: int, target: int, size: int) -> _Deltas:
    del source, target, size
    copy.writing = False
    return _leave(copy)


def _write_back(copy: _Copies, source: int, target: int, size: int) -> _Deltas:
    del source
    copy.near = _LEAVING
    return _settle_below(copy, target, size)


def _copy(copy: _Copies, source: int, target: int, size: int) -> _Deltas:
    del source
    return _settle_below(copy, target, size)


def _keep(copy: _Copies, source: int, target: int, size: int) -> _Deltas:
    del source, size
    copy.near, copy.writing = _HERE, target != 0
    return ()


def _end(copy: _Copies, source: int, target: int, size: int) -> _Deltas:
    del source, target, size
    copy.writing = False
    return (*_leave(copy), *_abandon(copy))


def _cancel(copy: _Copies, source: int, target: int, size: int) -> _Deltas:
    del source, target, size
    passed = tuple(each for memory in tuple(copy.staged) for each in _unstage(copy, memory))
    return (*passed, *_leave(copy))


def _fail(copy: _Copies, source: int, target: int, size: int) -> _Deltas:
    del source, size
    return _unstage(copy, target)


def _resize(copy: _Copies, source: int, target: int, size: int) -> _Deltas:
    """Follow ``mirc.kernels.resize``: a narrow copy beside the master, or none any more."""
    beside = size if source == 0 else 0
    more, copy.narrow_bytes = beside - copy.narrow_bytes, beside
    copy.home_bytes += more
    if source != 0:
        return ((target, more),)
    wide, copy.near_bytes = copy.near_bytes, size
    return ((target, more), (0, size - wide))


_RULES: dict[int, Callable[[_Copies, int, int, int], _Deltas]] = {
    Kind.HOME: _home,
    Kind.ISSUE: _take(_COMING),
    Kind.CREATE: _take(_HERE),
    Kind.REMAKE: _take(_HERE),
    Kind.START: _start,
    Kind.LAND: _land,
    Kind.DROP: _drop,
    Kind.WRITE_BACK: _write_back,
    Kind.COPY: _copy,
    Kind.KEEP: _keep,
    Kind.RETIRE: _end,
    Kind.FORGET: _end,
    Kind.CANCEL: _cancel,
    Kind.FAIL: _fail,
    Kind.RESIZE: _resize,
}
