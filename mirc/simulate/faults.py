"""``--fault`` texts into a stage that lets a machine, a router or a tenant fail in mid-run."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from math import prod

import attrs
import numpy as np

from mirc.controller.stage import Happening
from mirc.diagnostics import CouldNotRun
from mirc.ir.suggest import closest
from mirc.ir.units import Unreadable, parse_size, parse_time, print_size, print_time
from mirc.kernels import world as k
from mirc.kernels.world import NEVER, World
from mirc.simulate import failing
from mirc.simulate.model import Ints

MOST_FAULTS = 100
NEVER_STRUCK = "never struck"
MOST_TIMES = 1_000_000
MOST_HOURS = 20  # of one transfer, or of standing still: times stay far below ``NEVER``
MOST_PS = MOST_HOURS * 3_600 * 10**12
_SPEC = re.compile(
    r"(?P<kind>[a-z]+):(?P<target>[^@=]+)(?:=(?P<value>[^@=]+))?"
    r"@(?P<step>[0-9]{1,9})(?:\.\.(?P<until>[0-9]{1,9}))?"
)


class FaultKind(StrEnum):
    """What fails."""

    SLOW = "slow"
    """A link carries bytes so many times slower."""
    STOP = "stop"
    """A link stands still, for a time or for good."""
    SHRINK = "shrink"
    """A memory has only so many usable bytes left."""
    FULL = "full"
    """A memory below takes no more of what is spilled."""
    FAIL = "fail"
    """An object's next transfer arrives damaged, so many times in a row."""
    END = "end"
    """A tenant ends: nothing of what it had remains."""
    LIE = "lie"
    """The plan says of each part of a family what holds for another."""


_FORMS = {
    FaultKind.SLOW: "slow:LINK=TIMES@STEP[..STEP]",
    FaultKind.STOP: "stop:LINK[=TIME]@STEP",
    FaultKind.SHRINK: "shrink:MEMORY=BYTES@STEP[..STEP]",
    FaultKind.FULL: "full:MEMORY@STEP[..STEP]",
    FaultKind.FAIL: "fail:OBJECT[=TIMES]@STEP",
    FaultKind.END: "end:TENANT@STEP",
    FaultKind.LIE: "lie:FAMILY@STEP",
}
_THEN = "a second STEP comes after the first"
_WORDS = {
    FaultKind.SLOW: f"; TIMES is a whole number of at least 1, {_THEN}",
    FaultKind.STOP: "; TIME is a number with ps, ns, us, ms or s, such as 200ms",
    FaultKind.SHRINK: f"; BYTES is a number with a unit, such as 8GB or 512MiB, {_THEN}",
    FaultKind.FULL: f"; {_THEN}",
    FaultKind.FAIL: "; TIMES is a whole number of at least 1",
}
_TIMES = (1, MOST_TIMES, f"choose from 1 to {MOST_TIMES:_} times")
_BOUNDS = {  # least and most of a figure, and what to do about one beyond them
    FaultKind.SLOW: _TIMES,
    FaultKind.FAIL: _TIMES,
    FaultKind.STOP: (
        1,
        MOST_PS,
        f"choose a time above 0 and up to {MOST_HOURS} hours, or none at all: then it is for good",
    ),
}
_LASTING = (FaultKind.SLOW, FaultKind.SHRINK, FaultKind.FULL)  # what may be over at a later step
_BARE = (FaultKind.FULL, FaultKind.END, FaultKind.LIE)  # what takes no value


@attrs.frozen(kw_only=True)
class Fault:
    """One failure, before ``step`` begins and, if ``until`` is said, over before that one.

    ``amount`` is a factor, picoseconds, bytes or a count; 0 where none was said.
    """

    kind: FaultKind
    target: str
    amount: int = 0
    step: int
    until: int | None = None


def fault_of(text: str) -> Fault:
    """Read one ``--fault``; raise CouldNotRun, with the form that was probably meant."""
    match = _SPEC.fullmatch(text)
    word = text.partition(":")[0]
    if word not in FaultKind.__members__.values():
        near = closest(word, list(FaultKind))
        raise CouldNotRun(
            f"`{text}` is no fault that can be simulated",
            f"write {_FORMS[FaultKind(near)] if near else ', '.join(_FORMS.values())}",
        )
    kind = FaultKind(word)
    form = f"write {_FORMS[kind]}{_WORDS.get(kind, '')}"
    bad = CouldNotRun(f"`{text}` is not written as a fault is", form)
    if match is None:
        raise bad
    value, until = match["value"], match["until"]
    needed = kind in (FaultKind.SLOW, FaultKind.SHRINK)
    if (
        (value is not None and kind in _BARE)
        or (value is None and needed)
        or (until is not None and (kind not in _LASTING or int(until) <= int(match["step"])))
    ):
        raise bad
    try:
        amount = _amount(kind, value)
    except Unreadable as error:
        raise CouldNotRun(f"`{text}`: {error}", form) from error
    except ValueError as error:
        raise bad from error
    least, most, hint = _BOUNDS.get(kind, (0, amount, ""))
    if value is not None and not least <= amount <= most:
        raise CouldNotRun(f"`{text}` is beyond what can be simulated", hint)
    return Fault(
        kind=kind,
        target=match["target"],
        amount=amount,
        step=int(match["step"]),
        until=None if until is None else int(until),
    )


def _amount(kind: FaultKind, value: str | None) -> int:
    if value is None:
        return 1 if kind is FaultKind.FAIL else 0
    if kind is FaultKind.STOP:
        return parse_time(value)
    if kind is FaultKind.SHRINK:
        return parse_size(value)
    return int(value)


@attrs.frozen(kw_only=True)
class Targets:
    """What the targets of faults are called, in the order of their numbers.

    ``tenants`` names whose objects are whose.
    """

    links: Sequence[str]
    memories: Sequence[str]
    objects: Sequence[str]
    tenants: Mapping[str, Ints]
    sizes: Sequence[int] = ()  # of memories, in bytes; where unsaid, nothing is refused for them

    def number(self, fault: Fault) -> int:
        """Return the number of a fault's link, memory or object; -1 for other kinds.

        Raises CouldNotRun for a name that does not exist.
        """
        match fault.kind:
            case FaultKind.SLOW | FaultKind.STOP:
                return _find("link", fault.target, self.links)
            case FaultKind.SHRINK:
                number = _find("memory", fault.target, self.memories)
                if self.sizes and fault.amount >= self.sizes[number]:
                    raise CouldNotRun(
                        f"`{fault.target}` has {self.sizes[number]:_} usable bytes: it does not "
                        f"shrink to {fault.amount:_}",
                        "choose less",
                    )
                return number
            case FaultKind.FULL:
                return _find("memory below", fault.target, self.memories[1:]) + 1
            case FaultKind.FAIL:
                return _find("object", fault.target, self.objects)
            case FaultKind.END:
                _find("tenant", fault.target, list(self.tenants))
            case FaultKind.LIE if not len(self.family(fault.target)):
                parts = {_stem(name) for name in self.objects if "[" in name}
                _find("family", fault.target, sorted(parts - {fault.target}))
        return -1

    def family(self, name: str) -> Ints:
        """Return the objects that a family's name means: its parts, and their parts."""
        found = [
            o for o, each in enumerate(self.objects) if each.startswith((f"{name}[", f"{name}."))
        ]
        return np.array(found, dtype=np.int64)


def _stem(name: str) -> str:
    return name.partition("[")[0]


def _find(what: str, name: str, names: Sequence[str]) -> int:
    if name in names:
        return names.index(name)
    near = closest(name, names)
    listed = (
        f"choose from {', '.join(names)}" if 0 < len(names) <= 12 else "look at the file's names"
    )
    raise CouldNotRun(
        f"there is no {what} `{name}` in this run", f"did you mean `{near}`?" if near else listed
    )


class FaultStage:
    """Lets each fault happen before its step, and be over before the step that ends it."""

    name = "faults"

    def __init__(self, faults: Iterable[Fault], targets: Targets, steps: int) -> None:
        """Raise CouldNotRun for a target that does not exist, or a step beyond the run's last."""
        self._targets = targets
        self._begin: list[tuple[int, int, Fault]] = []  # step, number of the target, fault
        self._over: list[tuple[int, int, Fault]] = []
        self._shrinking: dict[int, int] = {}  # memory to the bytes that it is to have left
        self._whole: dict[int, Ints] = {}  # link to how long objects occupy it when all is well
        self._active: list[tuple[int, Fault]] = []  # number of the target, what lasts and is on
        self._world: World | None = None  # the one acted on
        for fault in faults:
            if fault.step >= steps:
                raise CouldNotRun(
                    f"no fault can come before step {fault.step}: the run has {steps} steps",
                    f"choose a step from 0 to {steps - 1}",
                )
            number = targets.number(fault)
            self._begin.append((fault.step, number, fault))
            if fault.until is not None:
                self._over.append((fault.until, number, fault))
        if len(self._begin) > MOST_FAULTS:
            raise CouldNotRun(f"a run takes at most {MOST_FAULTS} faults", "leave some out")
        self._before: dict[int, tuple[int, int]] = {}  # memory to its capacity and room for homes

    def due(self, step: int) -> int:
        """Return the next step at which something fails, is over, or a memory goes on shrinking."""
        if self._shrinking:
            return step
        return min((at for at, _, _ in (*self._begin, *self._over) if at >= step), default=NEVER)

    def act(self, w: World, step: int) -> Iterator[Happening]:
        """Let what is due fail or be over."""
        self._world = w
        for at, number, fault in self._over:
            if at == step:
                yield self._row(w, fault, "over", self._end(w, number, fault))
        for at, number, fault in self._begin:
            if at == step:
                yield self._row(w, fault, "begins", self._happen(w, number, fault))
        for memory, usable in list(self._shrinking.items()):
            had = int(w.mem[k.CAPACITY, memory])
            left = failing.shrink(w, memory, usable)
            if left <= usable:
                del self._shrinking[memory]
            if left != had:
                yield Happening(
                    time_ps=int(w.run[k.NOW]),
                    step=step,
                    actor=self.name,
                    what="shrink",
                    object=self._targets.memories[memory],
                    outcome="done" if left <= usable else "goes on",
                    detail=f"{left} bytes are usable",
                )

    def left_over(self) -> Iterator[Happening]:
        """Say, once a run has ended, which damage found no transfer any more."""
        w = self._world
        damage = [(o, fault) for _, o, fault in self._begin if fault.kind is FaultKind.FAIL]
        total = Counter[int]()
        for o, fault in damage:
            total[o] += fault.amount
        if w is None:
            return
        for o, fault in dict(damage).items():
            times, left = total[o], int(w.obj[k.FAILS, o])
            if left:
                said = f"{left} of {times} times there was no transfer of it any more"
                row = self._row(w, fault, NEVER_STRUCK if left == times else "over", said)
                yield attrs.evolve(row, step=row.step + 1)

    def _row(self, w: World, fault: Fault, outcome: str, detail: str) -> Happening:
        return Happening(
            time_ps=int(w.run[k.NOW]),
            step=int(w.run[k.STEP]),
            actor=self.name,
            what=str(fault.kind),
            object=fault.target,
            outcome=outcome,
            detail=detail,
        )

    def _happen(self, w: World, number: int, fault: Fault) -> str:
        detail = ""
        match fault.kind:
            case FaultKind.SLOW:
                self._whole.setdefault(number, w.service[number].copy())
                self._active.append((number, fault))
                detail = self._pace(w, number, fault)
            case FaultKind.STOP:
                until = int(w.run[k.NOW]) + fault.amount if fault.amount else NEVER
                failing.stop(w, number, max(until, int(w.link[k.RESUMES_PS, number])))
                detail = f"for {print_time(fault.amount)}" if fault.amount else "for good"
            case FaultKind.SHRINK:
                self._keep(w, number)
                self._active.append((number, fault))
                self._shrink(w, number)
                detail = f"to {print_size(fault.amount)}"
            case FaultKind.FULL:
                self._keep(w, number)
                self._active.append((number, fault))
                detail = f"{failing.fill(w, number)} bytes of copies stay"
            case FaultKind.FAIL:
                detail = f"{fault.amount} times; it is {failing.damage(w, number, fault.amount)}"
            case FaultKind.END:
                near = failing.end_tenant(w, self._targets.tenants[fault.target])
                detail = f"{near} bytes were near"
            case FaultKind.LIE:
                count = failing.lie(w, self._targets.family(fault.target))
                detail = f"{count} objects are announced as others"
        return detail

    def _pace(self, w: World, number: int, fault: Fault) -> str:
        """Let a link be as slow as all that is on makes it: their factors multiply."""
        times = prod(each.amount for each in self._on(number, FaultKind.SLOW))
        whole = self._whole[number]
        longest = int(whole.argmax())
        if whole[longest] > MOST_PS // times:
            raise CouldNotRun(
                f"`{self._targets.objects[longest]}` would take more than {MOST_HOURS} hours to "
                f"cross `{fault.target}` {times:_} times slower",
                f"choose less, or let the link stand still: stop:{fault.target}@{fault.step}",
            )
        failing.pace(w, number, whole * times)
        return f"{times} times slower" if times > 1 else "as fast as before"

    def _on(self, number: int, kind: FaultKind) -> list[Fault]:
        return [each for n, each in self._active if (n, each.kind) == (number, kind)]

    def _shrink(self, w: World, number: int) -> None:
        """Let a memory come to the least that any fault which is on leaves of it."""
        least = [each.amount for each in self._on(number, FaultKind.SHRINK)]
        if least:
            self._shrinking[number] = min(*least, int(w.mem[k.CAPACITY, number]))

    def _keep(self, w: World, memory: int) -> None:
        """Note what a memory had before the first fault that changed it."""
        sizes = int(w.mem[k.CAPACITY, memory]), int(w.mem[k.HOMES, memory])
        self._before.setdefault(memory, sizes)

    def _end(self, w: World, number: int, fault: Fault) -> str:
        self._active.remove((number, fault))
        if fault.kind is FaultKind.SLOW:
            return self._pace(w, number, fault)
        self._shrinking.pop(number, None)
        w.mem[k.CAPACITY, number], w.mem[k.HOMES, number] = self._before[number]
        self._shrink(w, number)
        if self._on(number, FaultKind.FULL):
            failing.fill(w, number)
        return f"{self._before[number][0]} bytes are usable"
