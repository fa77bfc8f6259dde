"""Where every object is, once as a world holds it and once as its event log tells it."""

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

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
    places: dict[int, Place] = {}
    sizes: dict[int, int] = {}
    below: Counter[int] = Counter()  # bytes of an object's master and copies
    wide: dict[int, int] = {}  # bytes of masters
    writing: dict[int, bool] = {}  # being written back, and changed since
    staged: set[tuple[int, int]] = set()
    room = 0
    for _, kind, o, source, target, size, _, reason, _ in rows:
        now = places.get(o, Place())
        if kind in (1, 12, 14, 11, 16, 19):  # step, read, refuse, promote, end, remade
            continue
        if kind == 15:
            room += size
            continue
        if kind == 3:
            final = target == (0 if now.near == "incoming" else now.home)
            staged |= set() if final else {(o, target)}
            continue
        if kind == 21:
            staged.discard((o, target))
            continue
        if kind != 4:
            places[o] = _after(now, kind, target, ended=reason == 5)
        if kind == 0 or (kind in (7, 20) and now.home == -1):
            below[o] = wide[o] = size
        elif kind == 22:
            below[o] = wide[o] + (size if size < wide[o] else 0)
        elif kind in (6, 9, 17):
            writing.pop(o, None)
        elif kind == 4:
            staged.discard((o, source))
            if now.near == "incoming" and target == 0:
                places[o] = now._replace(near="here")
            elif target == now.home and now.near != "incoming":
                changed = writing.pop(o, False)
                gone = now.near == "leaving"
                near = "absent" if gone else now.near
                places[o] = now._replace(near=near, dirty=changed and not gone)
        if kind in (7, 20):
            writing.setdefault(o, False)
        elif kind == 8 and target == 0:
            writing.pop(o, None)
        elif kind in (13, 22) and o in writing:
            writing[o] = True
        if kind not in (4, 13):
            sizes[o] = size
    used: Counter[int] = Counter({0: room})
    for o, place in places.items():
        used[0] += 0 if place.near == "absent" else sizes[o]
        if place.home >= 0:
            used[place.home] += below[o]
    for o, memory in staged:
        used[memory] += sizes[o]
    return _residency(places, [used[memory] for memory in range(memories)])


def _after(now: Place, kind: int, target: int, *, ended: bool) -> Place:
    match kind:
        case 0:
            return Place(home=target)
        case 2:
            return now._replace(near="incoming")
        case 5:
            return now._replace(near="here", dirty=True, forgotten=False)
        case 6 | 10:
            return now._replace(near="absent", dirty=False, forgotten=now.forgotten and not ended)
        case 7:
            return now._replace(near="leaving", home=target)
        case 8:
            return now._replace(near="here")
        case 9:
            return Place()
        case 13:
            return now._replace(dirty=True)
        case 17:
            return Place(forgotten=True)
        case 18:
            return now._replace(near="here", dirty=now.forgotten, forgotten=False)
        case 20:
            return now._replace(home=target)
        case 22:
            return now._replace(dirty=now.near == "here")
    raise AssertionError(kind)


def _residency(places: dict[int, Place], used: list[int]) -> Residency:
    there = {o: place for o, place in places.items() if place != Place()}
    return Residency(there, tuple(used))
