"""An event log, read by code that knows nothing of the engine: what it must never show."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import attrs

KINDS = (
    *("home", "step", "issue", "start", "land", "create", "drop", "write_back", "keep"),
    *("retire", "cancel", "promote", "read", "write", "refuse", "room", "end"),
    *("forget", "remake", "remade", "copy", "fail", "resize"),
)
_SIZED = set(KINDS) - {"step", "room", "end", "read", "write"}  # events with an object's bytes
ENDED = 5  # the reason that lets bytes go without being kept anywhere


class Event(NamedTuple):
    """One row of a log; near memory is number 0."""

    time: int
    kind: int
    object: int
    source: int
    target: int
    size: int
    step: int
    reason: int
    cause: int


@attrs.define
class Copy:
    """What the log has said of one object so far."""

    near: str = "absent"  # incoming, here, leaving
    home: int | None = None
    valid: bool = False  # the copy at home is as new as any
    dirty: bool = False
    writing: bool = False
    changed: bool = False  # since its write-back was asked for
    ending: bool = False
    forgotten: bool = False  # dropped to be made again: there is no copy of it
    making: bool = False  # compute has not made it again yet
    staged: set[int] = attrs.field(factory=set)
    size: int = 0
    master: int = 0  # bytes of the master beside a copy in fewer bits


@attrs.define
class Checker:
    """Replays a log; ``limits`` are usable bytes by memory, ``rates`` bytes a second by link.

    Objects in ``fast`` must never leave near memory while they live.
    """

    limits: Sequence[int]
    rates: dict[tuple[int, int], float] = attrs.field(factory=dict)
    fast: frozenset[int] = frozenset()
    quotas: Sequence[tuple[frozenset[int], int]] = ()  # objects, and the most of them that is near
    used: Counter[int] = attrs.field(factory=Counter)
    moved: Counter[tuple[int, int]] = attrs.field(factory=Counter)
    landed: Counter[tuple[int, int]] = attrs.field(factory=Counter)
    copies: dict[int, Copy] = attrs.field(factory=dict)
    near: Counter[int] = attrs.field(factory=Counter)  # bytes of objects that are under a quota
    held: set[int] = attrs.field(factory=set)  # read or written by the step that computes
    working: int = 0  # bytes of its own working space
    now: int = 0

    def replay(self, events: Any, changes: Sequence[tuple[int, int, int]] = ()) -> "Checker":
        """Check every event in order, then the sums.

        ``changes`` are (step, memory, usable bytes): what a memory has left from that step on.
        """
        due = list(changes)
        self.limits = list(self.limits)
        for row in events.tolist():
            event = Event(*row)
            while due and KINDS[event.kind] == "step" and event.step >= due[0][0]:
                _, memory, self.limits[memory] = due.pop(0)
            self.see(event)
        self.conserved()
        return self

    def see(self, event: Event) -> None:
        """Check the next event."""
        assert event.time >= self.now, event
        self.now = event.time
        rule = getattr(self, f"_{KINDS[event.kind]}", None)
        if rule is not None:
            rule(self.copies.setdefault(event.object, Copy()), event)
        self._within_quotas(event)
        for memory, limit in enumerate(self.limits):
            assert 0 <= self.used[memory] <= limit, (event, memory, self.used[memory])

    def _within_quotas(self, event: Event) -> None:
        copy = self.copies.get(event.object)
        if not self.quotas or copy is None or KINDS[event.kind] not in _SIZED:
            return
        self.near[event.object] = 0 if copy.near == "absent" else event.size
        for objects, most in self.quotas:
            assert sum(self.near[o] for o in objects) <= most, (event, objects)

    def _home(self, copy: Copy, event: Event) -> None:
        copy.home, copy.valid, copy.size = event.target, True, event.size
        self.used[event.target] += event.size

    def _room(self, _: Copy, event: Event) -> None:
        self.used[0] += event.size
        self.working += event.size
        assert event.size > 0 or not self.held, event  # given back only when the step has ended

    def _end(self, _: Copy, __: Event) -> None:
        self.held.clear()

    def _issue(self, copy: Copy, event: Event) -> None:
        assert copy.near == "absent", event
        assert not copy.forgotten, event  # no bytes of it are anywhere
        assert copy.valid, event
        assert copy.home == event.source, event
        copy.near = "incoming"
        self.used[0] += event.size

    def _start(self, copy: Copy, event: Event) -> None:
        source, target = event.source, event.target
        self.moved[source, target] += event.size
        if copy.near == "incoming":
            assert source in copy.staged or (copy.home == source and copy.valid), event
            final = target == 0
        else:
            assert copy.writing, event
            assert source == 0 or source in copy.staged, event
            final = target == copy.home
        if not final:
            copy.staged.add(target)
            self.used[target] += event.size

    def _land(self, copy: Copy, event: Event) -> None:
        source, target = event.source, event.target
        self.landed[source, target] += event.size
        rate = self.rates.get((source, target))
        if rate is not None:  # a link never carries more than it can
            assert self.landed[source, target] <= rate * self.now / 1e12 * (1 + 1e-9) + 1, event
        if source in copy.staged:
            copy.staged.discard(source)
            self.used[source] -= event.size
        if target == 0:
            assert copy.near == "incoming", event
            copy.near = "here"
        elif copy.writing and target == copy.home:
            self._written(copy, event)

    def _fail(self, copy: Copy, event: Event) -> None:
        """Damaged bytes are no copy: the hop is made again from where they were."""
        assert copy.near == "incoming" or copy.writing, event
        if event.target in copy.staged:
            copy.staged.discard(event.target)
            self.used[event.target] -= event.size

    def _resize(self, copy: Copy, event: Event) -> None:
        """Bytes are resized neither in flight nor in use; a master stays beside a narrow copy."""
        assert event.object not in self.held, event
        assert not copy.staged, event
        assert not copy.writing, event
        assert copy.near == ("here" if event.source == 0 else "absent"), event
        assert copy.valid, event
        assert copy.home == event.target, event
        master = copy.master or copy.size
        beside = event.size if event.size < master else 0
        self.used[event.target] += beside - (copy.size if copy.master else 0)
        if copy.near == "here":
            self.used[0] += event.size - copy.size
            copy.dirty, copy.valid, copy.changed = True, False, False
        copy.size, copy.master = event.size, master if beside else 0

    def _written(self, copy: Copy, event: Event) -> None:
        copy.writing = False
        copy.valid = copy.ending or not copy.changed  # of an ended life the master counts
        copy.dirty = copy.changed
        if copy.near == "leaving":
            assert copy.valid, event
            copy.near, copy.dirty = "absent", False
            self.used[0] -= event.size

    def _create(self, copy: Copy, event: Event) -> None:
        assert copy.near == "absent", event
        copy.near, copy.dirty, copy.valid, copy.size = "here", True, False, event.size
        copy.forgotten = False
        self.used[0] += event.size

    def _for_another(self, event: Event) -> None:
        """Check that who is named as the cause is another, and needed room when it was named."""
        if event.cause >= 0:
            assert event.cause != event.object, event
            assert self.copies.setdefault(event.cause, Copy()).near == "absent", event

    def _drop(self, copy: Copy, event: Event) -> None:
        self._for_another(event)
        assert event.object not in self.held, event  # operands stay while their step computes
        if event.reason != ENDED:
            assert copy.near == "here", event
            assert copy.valid, event
            assert not copy.dirty, event
            assert event.object not in self.fast, event
        copy.near, copy.dirty, copy.writing, copy.valid = "absent", False, False, True
        self.used[0] -= event.size

    def _write_back(self, copy: Copy, event: Event) -> None:
        self._for_another(event)
        assert event.object not in self.held, event
        assert copy.near == "here", event
        assert copy.dirty, event
        assert event.reason == ENDED or event.object not in self.fast, event
        if copy.home is None:
            copy.home = event.target
            self.used[event.target] += event.size
        assert copy.home == event.target, event
        copy.near, copy.ending = "leaving", event.reason == ENDED
        if copy.writing:  # kept for a while, still on its way down
            assert copy.ending or not copy.changed, event
        else:
            copy.writing, copy.changed = True, False

    def _keep(self, copy: Copy, event: Event) -> None:
        assert copy.near == "leaving", event
        copy.near, copy.writing = "here", event.target != 0

    def _forget(self, copy: Copy, event: Event) -> None:
        self._for_another(event)
        assert event.object not in self.held, event
        assert copy.near == "here", event
        assert copy.dirty, event  # what has a copy below is dropped, not forgotten
        assert not copy.writing, event
        assert not copy.making, event
        assert event.object not in self.fast, event
        if copy.home is not None:
            self.used[copy.home] -= event.size
        self.copies[event.object] = Copy(forgotten=True, size=event.size)
        self.used[0] -= event.size

    def _remake(self, copy: Copy, event: Event) -> None:
        assert copy.near == "absent", event
        assert copy.forgotten or copy.valid, event  # what never was cannot be made again
        copy.near, copy.making = "here", True
        copy.dirty, copy.forgotten, copy.size = copy.forgotten, False, event.size
        self.used[0] += event.size

    def _remade(self, copy: Copy, event: Event) -> None:
        assert copy.making, event
        copy.making = False

    def _copy(self, copy: Copy, event: Event) -> None:
        assert copy.near == "here", event
        assert copy.dirty, event
        assert not copy.writing, event
        if copy.home is None:
            copy.home = event.target
            self.used[event.target] += event.size
        assert copy.home == event.target, event
        copy.writing, copy.changed = True, False

    def _cancel(self, copy: Copy, event: Event) -> None:
        self._for_another(event)
        assert copy.near == "incoming", event
        copy.near = "absent"
        self.used[0] -= event.size
        for memory in copy.staged:  # what had come so far is of no use
            self.used[memory] -= event.size
        copy.staged.clear()

    def _read(self, copy: Copy, event: Event) -> None:
        assert copy.near == "here", event  # bytes in flight are never read
        assert not copy.making, event
        self.held.add(event.object)

    def _write(self, copy: Copy, event: Event) -> None:
        assert copy.near == "here", event
        assert not copy.making, event
        copy.dirty, copy.valid, copy.changed = True, False, True
        self.held.add(event.object)

    def _retire(self, copy: Copy, event: Event) -> None:
        assert event.object not in self.held, event
        assert not copy.staged, event
        if copy.near != "absent":
            self.used[0] -= event.size
        if copy.home is not None:
            self.used[copy.home] -= event.size + copy.master
        self.copies[event.object] = Copy()

    def conserved(self) -> None:
        """Count again, object by object, what each memory holds at the end."""
        held: Counter[int] = Counter()
        for copy in self.copies.values():
            for memory in copy.staged:
                held[memory] += copy.size
            if copy.near != "absent":
                held[0] += copy.size
            if copy.home is not None:
                held[copy.home] += copy.size + copy.master
        assert self.working == 0, self.working
        left = self.used.copy()
        left.subtract(held)
        assert not any(left.values()), left
