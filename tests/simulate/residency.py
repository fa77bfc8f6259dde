"""Where every object is, once as a world holds it and once as its event log tells it."""

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, NamedTuple

import attrs

from mirc.kernels import world as k
from mirc.kernels.world import World

NEAR_STATES = ("absent", "incoming", "here", "leaving")


class Place(NamedTuple):
    """One object: its copy in near memory, and the memory that holds its master or backing copy."""

    near: str = "absent"
    home: int = -1
    dirty: bool = False
    forgotten: bool = False


@attrs.frozen
class Residency:
    """All objects that are anywhere, by id, and the used bytes of each memory."""

    places: dict[int, Place]
    used: tuple[int, ...]

    @property
    def digest(self) -> str:
        """A hash of all of it."""
        return sha256(repr((sorted(self.places.items()), self.used)).encode()).hexdigest()


def of_world(w: World) -> Residency:
    """Read a world's tables, between two steps."""
    columns = (w.obj[row].tolist() for row in (k.STATE, k.HOME, k.DIRTY, k.FORGOTTEN))
    places = {
        o: Place(NEAR_STATES[state], home, bool(dirty), forgotten == 1)
        for o, (state, home, dirty, forgotten) in enumerate(zip(*columns, strict=True))
    }
    return _residency(places, w.mem[k.USED].tolist())


def of_log(rows: Iterable[tuple[int, ...]], memories: int) -> Residency:
    """Replay a whole log, from the first event on; it is believed, not checked."""
    told = _Told()
    for _, kind, o, source, target, size, *_ in rows:
        if kind in _STILL:
            continue
        if kind == ROOM:
            told.room += size
        elif kind in _HOPS:
            told.hop(kind, o, source, target)
        else:
            told.change(kind, o, target, size)
    return told.residency(memories)


HOME, ISSUE, START, LAND, CREATE, DROP, WRITE_BACK, KEEP = 0, 2, 3, 4, 5, 6, 7, 8
RETIRE, CANCEL, WRITE, ROOM, FORGET, REMAKE, COPY, FAIL, RESIZE = 9, 10, 13, 15, 17, 18, 20, 21, 22
_STILL = {1, 11, 12, 14, 16, 19}  # step, promote, read, refuse, end, remade: nothing moves
_HOPS = {START, LAND, FAIL}
_BECOMES: dict[int, dict[str, Any]] = {
    ISSUE: {"near": "incoming"},
    CREATE: {"near": "here", "dirty": True, "forgotten": False},
    DROP: {"near": "absent", "dirty": False},
    WRITE_BACK: {"near": "leaving"},
    KEEP: {"near": "here"},
    RETIRE: Place()._asdict(),
    CANCEL: {"near": "absent"},
    WRITE: {"dirty": True},
    FORGET: Place(forgotten=True)._asdict(),
}


@attrs.define
class _Told:
    """What a log has told so far."""

    places: dict[int, Place] = attrs.field(factory=dict)
    sizes: dict[int, int] = attrs.field(factory=dict)  # of what is near, or passes
    wide: dict[int, int] = attrs.field(factory=dict)  # of what lies at home in all its bytes
    narrow: dict[int, int] = attrs.field(factory=dict)  # of what lies there beside it
    writing: dict[int, bool] = attrs.field(factory=dict)  # on its way down; changed since
    staged: set[tuple[int, int]] = attrs.field(factory=set)
    room: int = 0

    def hop(self, kind: int, o: int, source: int, target: int) -> None:
        """Bytes begin to cross a link, or have crossed it, whole or not."""
        now = self.places[o]
        inward = now.near == "incoming"
        final = target == (0 if inward else now.home)
        if kind == START:
            self.staged |= set() if final else {(o, target)}
            return
        self.staged.discard((o, target if kind == FAIL else source))
        if kind == FAIL or not final:
            return
        if inward:
            self.places[o] = now._replace(near="here")
            return
        changed = self.writing.pop(o)
        gone = now.near == "leaving"
        self.places[o] = now._replace(near="absent" if gone else "here", dirty=changed > gone)

    def change(self, kind: int, o: int, target: int, size: int) -> None:
        """Something else becomes of an object."""
        now = self.places.get(o, Place())
        after = now._replace(**_BECOMES.get(kind, {}))
        if kind in (HOME, WRITE_BACK, COPY):
            after = after._replace(home=target)
            self.wide.setdefault(o, size)
        if kind == REMAKE:
            after = now._replace(near="here", dirty=now.forgotten, forgotten=False)
        if kind == RESIZE:
            after = now._replace(dirty=now.near == "here")
            self.narrow[o] = size if size < self.wide[o] else 0
        if kind == CANCEL:
            self.staged = {(each, memory) for each, memory in self.staged if each != o}
        if kind in (RETIRE, FORGET):
            self.wide.pop(o, None)
            self.narrow.pop(o, None)
        if kind in (WRITE_BACK, COPY):
            self.writing.setdefault(o, False)
        elif kind in (RETIRE, FORGET, DROP) or (kind == KEEP and target == 0):
            self.writing.pop(o, None)
        elif kind == WRITE and o in self.writing:
            self.writing[o] = True
        if kind != WRITE:
            self.sizes[o] = size
        self.places[o] = after

    def residency(self, memories: int) -> Residency:
        """Count what each memory holds."""
        used: Counter[int] = Counter({0: self.room})
        for o, place in self.places.items():
            used[0] += 0 if place.near == "absent" else self.sizes[o]
            if place.home >= 0:
                used[place.home] += self.wide[o] + self.narrow.get(o, 0)
        for o, memory in self.staged:
            used[memory] += self.sizes[o]
        return _residency(self.places, [used[memory] for memory in range(memories)])


def _residency(places: dict[int, Place], used: list[int]) -> Residency:
    there = {o: place for o, place in places.items() if place != Place()}
    return Residency(there, tuple(used))
