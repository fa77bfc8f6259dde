"""Pools without claims: recency within priorities, and one that keeps no further writes."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from mirc.claims import Answer, Block, Cause, Event, Key, Kind, Reason, Terms
from mirc.conform.protocol import Setting


class RecencyWithPriorities:
    """What many engines do today: the least recently used of the lowest priority leaves.

    A claim is a priority for its blocks and no promise, which it says.
    """

    name = "lru"

    def open(self, setting: Setting) -> None:
        """Begin anew."""
        self._capacity = setting.capacity
        self._now = 0
        self._uses = 0
        self._used: dict[Key, int] = {}  # what can be read, and when it was used last
        self._making: dict[Key, str] = {}  # what cannot yet, and by whom
        self._active: dict[str, tuple[Key, ...]] = {}
        self._priority: dict[Key, int] = {}
        self._log: list[Event] = []

    def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
        """Take the priorities; promise nothing."""
        for terms in batch:
            for place, block in enumerate(terms.blocks):
                self._priority[block.key] = terms.priority_of(place)
            self._unsupported(terms.name, terms.holder)
        return {terms.name: Answer.UNSUPPORTED for terms in batch}

    def release(self, name: str, holder: str) -> Answer:
        """Say that there are no claims."""
        return self._unsupported(name, holder)

    def fail(self, name: str, why: str) -> Answer:
        """Say that there are no claims."""
        del why
        return self._unsupported(name, "")

    def active(self, name: str, keys: Sequence[Key]) -> bool:
        """Evict as many idle blocks as the request is short of."""
        absent = [key for key in keys if key not in self._used and key not in self._making]
        busy = {*keys, *(key for held in self._active.values() for key in held)}
        idle = sorted(
            (key for key in self._used if key not in busy),
            key=lambda key: (self._priority.get(key, -1), self._used[key]),
        )
        short = len(self._used) + len(self._making) + len(absent) - self._capacity
        if short > len(idle):
            self._say(Kind.DENIED, absent, reason=Reason.MUST_HOLD, for_whom=name)
            return False
        self._say(Kind.ADMITTED, absent, reason=Reason.ROOM_MADE, for_whom=name)
        for key in idle[: max(short, 0)]:
            del self._used[key]
            self._say(Kind.EVICTED, [key], for_whom=name, priority=self._priority.get(key))
        self._active[name] = tuple(keys)
        self._making.update(dict.fromkeys(absent, name))
        return True

    def finish(self, name: str) -> None:
        """Keep what was made, for now."""
        made = [key for key in self._active[name] if self._making.get(key) == name]
        kept = self._kept(made)
        for key in made:
            del self._making[key]
            self._say(Kind.PLACED if kept else Kind.BYPASSED, [key], for_whom=name)
        for key in reversed(self._active.pop(name)):  # of equally old ones the tail leaves first
            self._uses += 1
            if key in self._used or kept:
                self._used[key] = self._uses

    def advance(self, now: int) -> None:
        """Set the clock."""
        self._now = now

    def signal(self, event: str) -> None:
        """Hear and do nothing."""

    def resident(self) -> Collection[Key]:
        """Return what can be read."""
        return tuple(self._used)

    def events(self) -> Sequence[Event]:
        """Return what was said."""
        return self._log

    def _kept(self, made: Collection[Key]) -> bool:
        del made
        return True

    def _unsupported(self, name: str, holder: str) -> Answer:
        self._log.append(
            Event(
                at=self._now,
                kind=Kind.UNSUPPORTED,
                claim=name,
                holder=holder,
                reason=Cause.NO_CLAIMS,
            )
        )
        return Answer.UNSUPPORTED

    def _say(
        self,
        kind: Kind,
        keys: Iterable[Key],
        *,
        for_whom: str,
        reason: str = "",
        priority: int | None = None,
    ) -> None:
        self._log.append(
            Event(
                at=self._now,
                kind=kind,
                blocks=tuple(map(Block, keys)),
                reason=reason,
                for_whom=for_whom,
                priority=priority,
            )
        )


class WriteNoAdmit(RecencyWithPriorities):
    """Recency that keeps no further write while blocks of some priority are there.

    That protects them from what is written to be kept, and from nothing else: active work still
    takes their room.
    """

    name = "write-no-admit"

    def _kept(self, made: Collection[Key]) -> bool:
        return any(key in self._priority for key in made) or not any(
            key in self._priority for key in self._used
        )
