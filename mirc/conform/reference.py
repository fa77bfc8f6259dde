"""The smallest pool that keeps the contract, recency under a ledger, and one that does not."""

from collections.abc import Collection, Mapping, Sequence

from mirc.claims import HARD, Answer, Block, Event, Key, Ledger, Pool, Terms
from mirc.conform.protocol import Setting

LOWER = "DRAM"


class Reference:
    """A pool that asks its ledger: what is weakest leaves first, of equals the least recent."""

    name = "reference"

    def open(self, setting: Setting) -> None:
        """Begin anew."""
        self._setting = setting
        self._ledger = Ledger(quotas=setting.quotas)
        self._uses = 0
        self._used: dict[Key, int] = {}  # what can be read, and when it was used last
        self._making: dict[Key, str] = {}  # what cannot yet, and by whom
        self._active: dict[str, tuple[Key, ...]] = {}
        self._below: set[Key] = set()

    def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
        """Ask the ledger."""
        return self._ledger.request(batch, self._pool(()))

    def release(self, name: str, holder: str) -> Answer:
        """Tell the ledger, and grant what waited for the room."""
        answer = self._ledger.release(name, holder)
        self._ledger.retry(self._pool(()))
        return answer

    def fail(self, name: str, why: str) -> Answer:
        """Tell the ledger, and grant what waited for the room."""
        answer = self._ledger.fail(name, why)
        self._ledger.retry(self._pool(()))
        return answer

    def active(self, name: str, keys: Sequence[Key]) -> bool:
        """Ask the ledger, then make what room it says."""
        absent = [key for key in keys if key not in self._used and key not in self._making]
        decision = self._ledger.active(name, tuple(map(Block, absent)), self._pool(keys))
        if not decision.admitted:
            return False
        for _ in range(sum(decision.take) - decision.take.free):
            self._evict(name, min(self._idle(keys), key=self._firmness))
        self._active[name] = tuple(keys)
        self._making.update(dict.fromkeys(absent, name))
        return True

    def finish(self, name: str) -> None:
        """Let what was made be read, and what was used be idle."""
        for key in self._active[name]:
            if self._making.get(key) == name:
                del self._making[key]
                self._below.discard(key)
                self._used[key] = 0
                self._ledger.placed(Block(key))
        for key in reversed(self._active.pop(name)):  # of equally old ones the tail leaves first
            self._uses += 1
            self._used[key] = self._uses
        self._ledger.retry(self._pool(()))

    def advance(self, now: int) -> None:
        """Tell the ledger, and grant what waited for the room."""
        self._ledger.advance(now)
        self._ledger.retry(self._pool(()))

    def signal(self, event: str) -> None:
        """Tell the ledger, and grant what waited for the event."""
        self._ledger.signal(event)
        self._ledger.retry(self._pool(()))

    def resident(self) -> Collection[Key]:
        """Return what can be read."""
        return tuple(self._used)

    def events(self) -> Sequence[Event]:
        """Return the ledger's log."""
        return self._ledger.log

    def _busy(self, keys: Collection[Key]) -> set[Key]:
        return {*keys, *(key for held in self._active.values() for key in held)}

    def _idle(self, keys: Collection[Key]) -> list[Key]:
        """Return what may leave for a request that uses ``keys``."""
        busy = self._busy(keys)
        return [key for key in self._used if key not in busy and self._strength(key) < HARD]

    def _pool(self, keys: Collection[Key]) -> Pool:
        """Describe the pool to a request that uses ``keys``."""
        there = self._used.keys() | self._making.keys()
        held = [key for key in self._busy(keys) & there if self._strength(key) < HARD]
        idle = self._idle(keys)
        soft = sum(self._strength(key) >= 0 for key in idle)
        return Pool(
            capacity=self._setting.capacity,
            min_active=self._setting.min_active,
            must_hold=len(held),
            free=self._setting.capacity - len(there),
            recomputable=len(idle) - soft,
            soft=soft,
            holding=tuple((name, len(used)) for name, used in self._active.items()),
        )

    def _strength(self, key: Key) -> int:
        return self._ledger.standing(key).strength

    def _firmness(self, key: Key) -> tuple[int, int, int]:
        return *self._ledger.standing(key), self._used[key]

    def _evict(self, name: str, key: Key) -> None:
        below = LOWER if len(self._below) < self._setting.lower else ""
        self._ledger.leave(key, name, below)
        del self._used[key]
        if below:
            self._below.add(key)


class Forgetful(Reference):
    """A pool that breaks hard claims under pressure: it must not conform.

    Its log refuses what a hard claim stands in the way of, and then it admits it all the same: the
    least recently used leave without a word.
    """

    name = "broken"

    def active(self, name: str, keys: Sequence[Key]) -> bool:
        """Take what the ledger refuses, if it is not in use."""
        if super().active(name, keys):
            return True
        absent = [key for key in keys if key not in self._used and key not in self._making]
        short = len(self._used) + len(self._making) + len(absent) - self._setting.capacity
        idle = sorted(self._used.keys() - self._busy(keys), key=self._used.__getitem__)
        if short > len(idle):
            return False
        for key in idle[: max(short, 0)]:
            del self._used[key]
        self._active[name] = tuple(keys)
        self._making.update(dict.fromkeys(absent, name))
        return True
