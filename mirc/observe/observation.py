"""The parts of an observation into what each run of each phase read, and when."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.observe.blocks import Blocks, Heap
from mirc.observe.expected import NO_NAMES, Expected, owner_of
from mirc.observe.logs import SIMULATION
from mirc.traces.observations import ObservationHeader, Part, Row


@attrs.define(eq=False, kw_only=True)
class Seen:
    """What the runs of one phase did with one declared object or template; grows with the rows.

    Of an object each run of the phase is a trial; of a template each run for each instance that was
    there when the run began. ``read`` trials read it in at least one step, ``reads`` counts those
    steps, ``uses`` those that used it at all; ``routed`` counts steps in which a router chose it,
    ``waits_ps`` are how long steps waited for it. Of every run that used it, by reading
    or writing, ``first_ps`` and ``last_ps`` say when, from the run's begin, and ``first_at`` and
    ``last_at`` in which step, by position.
    """

    trials: int = 0
    read: int = 0
    reads: int = 0
    uses: int = 0
    routed: int = 0
    waits_ps: "array[int]" = attrs.field(factory=lambda: array("q"))
    first_ps: "array[int]" = attrs.field(factory=lambda: array("q"))
    last_ps: "array[int]" = attrs.field(factory=lambda: array("q"))
    first_at: "array[int]" = attrs.field(factory=lambda: array("q"))
    last_at: "array[int]" = attrs.field(factory=lambda: array("q"))


@attrs.frozen(kw_only=True, eq=False)
class Observation:
    """One run that was seen. ``runs`` counts runs by phase, in order of first run.

    ``seen`` goes by (object or template, phase). ``steps`` counts how often each (phase, position)
    ran and ``starts_ps`` says when, from its run's begin; ``periods_ps`` are how long each run of a
    phase took, where its end was seen. ``read`` and ``written`` are names that some row read or
    wrote, ``sizes`` bytes of objects as they were seen.
    ``unknown`` are names that the file does not declare. Without ``uses`` only steps were seen,
    without ``waits`` no waiting would have been.
    ``blocks`` is the memory that was taken without a name, None where none was seen.
    """

    source: str
    machine: str
    policy: str
    uses: bool
    waits: bool
    runs: Mapping[str, int]
    steps: Mapping[tuple[str, int], int]
    starts_ps: "Mapping[tuple[str, int], array[int]]"
    seen: Mapping[tuple[str, str], Seen]
    periods_ps: "Mapping[str, array[int]]"
    read: frozenset[str]
    written: frozenset[str]
    sizes: Mapping[str, int]
    unknown: tuple[str, ...]
    blocks: Blocks | None


def observations(
    parts: Iterable[tuple[int, Part]], module: Module, expected: Mapping[str, Expected], name: str
) -> Iterator[Observation]:
    """Yield what each observation of a file shows; ``name`` is what messages call the file.

    Raises CouldNotRun, with the line, for rows that no run of this module's steps can have written.
    """
    watch: _Watch | None = None
    for number, part in parts:
        if isinstance(part, ObservationHeader):
            if watch is not None:
                yield watch.ended()
            watch = _Watch(part, module, expected)
        elif watch is not None:
            try:
                watch.see(part)
            except _StrangeError as error:
                raise CouldNotRun(
                    f"line {number} of `{name}` {error}", "observe a run of this file's steps"
                ) from error
    if watch is not None:
        yield watch.ended()


class _StrangeError(Exception):
    """A row that no run can have written: the rest of a sentence about its line."""


class _Span:
    """When and in which step something was used first and last in a run, and how often read."""

    __slots__ = ("first", "first_at", "last", "last_at", "reads")

    def __init__(self, time: int, position: int) -> None:
        self.first = self.last = time
        self.first_at = self.last_at = position
        self.reads = 0

    def go_on(self, time: int, position: int) -> None:
        self.last, self.last_at = time, position

    def join(self, other: "_Span") -> None:
        """Span the other one as well."""
        if other.first < self.first:
            self.first, self.first_at = other.first, other.first_at
        if other.last > self.last:
            self.last, self.last_at = other.last, other.last_at


class _Watch:
    """The state between two rows: the run that is going on, and which instances are there."""

    def __init__(
        self, header: ObservationHeader, module: Module, expected: Mapping[str, Expected]
    ) -> None:
        self.header = header
        self.module = module
        self.expected = expected
        self.templates = module.templates
        self.readable = {
            phase: [name for name in found.readable if name in module.templates]
            for phase, found in expected.items()
        }
        self.ways: dict[str, Callable[..., None]] = {
            "phase": self._name_phase,
            "object": self._name_object,
            "step": self._enter,
            "read": self._read,
            "write": self._write,
            "create": self._create,
            "retire": self._retire,
            "wait": self._wait,
            "end": self._end,
            "alloc": self._alloc,
            "free": self._free,
        }
        self.phases: list[str] = []
        self.objects: list[str] = []
        self.owners: list[str | None] = []
        self.now = 0
        self.begin = 0
        self.run = 0  # of any phase, from 1
        self.phase: str | None = None
        self.position = 0
        self.used: dict[int, _Span] = {}
        self.timed: dict[str, _Span] = {}  # where no uses are seen
        self.born: dict[int, int] = {}  # instance: the run that made it
        self.gone: set[int] = set()  # instances whose life ended
        self.living: dict[str, int] = {}  # template: its instances now
        self.there: dict[str, int] = {}  # template: its instances when the run began
        self.runs: dict[str, int] = {}
        self.starts: dict[tuple[str, int], array[int]] = {}
        self.seen: dict[tuple[str, str], Seen] = {}
        self.periods: dict[str, array[int]] = {}
        self.read: set[str] = set()
        self.written: set[str] = set()
        self.sizes: dict[str, int] = {}
        self.unknown: list[str] = []
        self.heap: Heap | None = None

    def see(self, row: Row) -> None:
        """Take in one row."""
        self.ways[row[0]](*row[1:])

    def ended(self) -> Observation:
        """End the last run and return what was seen."""
        self._leave()
        if self.objects and len(self.unknown) == len(self.objects):
            raise CouldNotRun(
                f"the observation is of another file: this one declares none of its "
                f"{len(self.objects):,} objects, such as `{self.unknown[0]}`",
                "observe the model that this file was made of",
            )
        for (owner, phase), seen in self.seen.items():
            if owner not in self.templates and self.header.uses:
                seen.trials = self.runs[phase]
        return Observation(
            source=self.header.source,
            machine=self.header.machine,
            policy=self.header.policy,
            uses=self.header.uses,
            waits=self.header.waits,
            runs=self.runs,
            steps={place: len(starts) for place, starts in self.starts.items()},
            starts_ps=self.starts,
            seen=self.seen,
            periods_ps=self.periods,
            read=frozenset(self.read),
            written=frozenset(self.written),
            sizes=self.sizes,
            unknown=tuple(self.unknown),
            blocks=None if self.heap is None else self.heap.blocks(),
        )

    def _at(self, time: int) -> None:
        if time < self.now:
            raise _StrangeError("goes back in time")
        self.now = time

    def _name_phase(self, name: str) -> None:
        if name not in self.expected:
            raise CouldNotRun(
                f"the log is of another file: this one has no phase `{name}`",
                "observe a run of this file, or name its phase",
            )
        self.phases.append(name)

    def _name_object(self, name: str, size_bytes: int | None) -> None:
        owner = owner_of(self.module, name)
        if owner is None:
            if self.header.source == SIMULATION:
                raise CouldNotRun(
                    f"the log is of another file: this one does not declare `{name}`",
                    "simulate this file with `--events`",
                )
            self.unknown.append(name)
        elif size_bytes is not None and owner == name:
            self.sizes[name] = size_bytes
        self.objects.append(name)
        self.owners.append(owner)

    def _enter(self, time: int, phase: int, step: int | str) -> None:
        """Begin a step, and with the first one a run."""
        self._at(time)
        if not 0 <= phase < len(self.phases):
            raise _StrangeError("has a phase that its header does not name")
        name = self.phases[phase]
        expected = self.expected[name]
        position = expected.positions.get(step, -1) if isinstance(step, str) else step
        if not 0 <= position < len(expected.reads):
            raise _StrangeError(f"is of another file: `{name}` has no step {step}")
        if name != self.phase or position == 0:
            self._complete()
            self.phase, self.begin = name, self.now
            self.run += 1
            self.runs[name] = self.runs.get(name, 0) + 1
            self.there = dict(self.living)
        self.position = position
        self.starts.setdefault((name, position), array("q")).append(time - self.begin)
        if not self.header.uses:
            for owner in expected.reads[position] - expected.routed[position]:
                self.timed.setdefault(owner, _Span(time, position)).go_on(time, position)

    def _read(self, time: int, number: int) -> None:
        owner, _ = self._happen(time, number)
        if owner is not None:
            self._use(number, owner, reads=True)

    def _write(self, time: int, number: int) -> None:
        owner, expected = self._happen(time, number)
        if owner is not None:
            # A step that reads and writes an object logs one use, the write: its ``reads`` tell.
            self.written.add(owner)
            self._use(number, owner, reads=owner in expected.reads[self.position])

    def _create(self, time: int, number: int) -> None:
        owner, _ = self._happen(time, number)
        if owner is not None:
            self._begin_life(number, owner)

    def _retire(self, time: int, number: int) -> None:
        self._at(time)
        owner = self._owner(number)
        if owner is not None and number in self.born and number not in self.gone:
            self.gone.add(number)
            self.living[owner] -= 1
            if self.born[number] < self.run and number not in self.used:
                # Its life was over when the run began; only its last transfer had to land.
                self.there[owner] -= 1

    def _wait(self, time: int, number: int, length: int) -> None:
        owner, _ = self._happen(time, number)
        if owner is not None:
            self._seen(owner).waits_ps.append(length)

    def _end(self, time: int) -> None:
        self._at(time)
        self._complete()
        self.phase = None

    def _alloc(self, time: int, size_bytes: int) -> None:
        self._at(time)
        self.heap = self.heap or Heap()
        self.heap.take(size_bytes)

    def _free(self, time: int, size_bytes: int) -> None:
        self._at(time)
        self.heap = self.heap or Heap()
        self.heap.give_back(size_bytes)

    def _owner(self, number: int) -> str | None:
        if not 0 <= number < len(self.owners):
            raise _StrangeError("has an object that its header does not name")
        if self.phase is None:
            raise _StrangeError("uses an object before any step")
        return self.owners[number]

    def _happen(self, time: int, number: int) -> tuple[str | None, Expected]:
        """Take in that something happened to an object; return whose it is."""
        self._at(time)
        owner = self._owner(number)
        if number in self.gone:
            raise _StrangeError(f"uses `{self.objects[number]}` after its life ended")
        assert self.phase is not None  # noqa: S101 - ``_owner`` has looked
        return owner, self.expected[self.phase]

    def _use(self, number: int, owner: str, *, reads: bool) -> None:
        use = self.used.setdefault(number, _Span(self.now, self.position))
        use.go_on(self.now, self.position)
        use.reads += reads
        assert self.phase is not None  # noqa: S101 - ``_owner`` has looked
        self._seen(owner).uses += 1
        if reads:
            self.read.add(owner)
            if owner in self.expected[self.phase].routed[self.position]:
                self._seen(owner).routed += 1
        self._begin_life(number, owner)

    def _begin_life(self, number: int, owner: str) -> None:
        if owner in self.templates and number not in self.born:
            self.born[number] = self.run
            self.living[owner] = self.living.get(owner, 0) + 1

    def _complete(self) -> None:
        """End a run now: so long did it take."""
        if self.phase is not None:
            self.periods.setdefault(self.phase, array("q")).append(self.now - self.begin)
        self._leave()

    def _leave(self) -> None:
        """Enter the run that ends into the accounts; when it ended need not have been seen."""
        if self.phase is None:
            return
        spans: dict[str, _Span] = {}
        for number, use in self.used.items():
            owner = self.owners[number]
            assert owner is not None  # noqa: S101 - only what is declared is entered as used
            span = spans.setdefault(owner, _Span(use.first, use.first_at))
            span.join(use)
            if owner not in self.templates:
                span.reads += use.reads
            elif self.born[number] < self.run:
                seen = self._seen(owner)
                seen.read += use.reads > 0
                seen.reads += use.reads
        for owner, span in spans.items():
            seen = self._seen(owner)
            seen.read += span.reads > 0
            seen.reads += span.reads
        for owner, span in {**spans, **self.timed}.items():
            seen = self._seen(owner)
            seen.first_ps.append(span.first - self.begin)
            seen.last_ps.append(span.last - self.begin)
            seen.first_at.append(span.first_at)
            seen.last_at.append(span.last_at)
        for owner in self.readable[self.phase] if self.header.uses else NO_NAMES:
            if self.there.get(owner):
                self._seen(owner).trials += self.there[owner]
        self.used, self.timed = {}, {}

    def _seen(self, owner: str) -> Seen:
        assert self.phase is not None  # noqa: S101 - called inside runs
        return self.seen.setdefault((owner, self.phase), Seen())
