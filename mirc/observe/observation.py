"""The rows of an event log into what each run of each phase read, and when."""

from array import array
from collections.abc import Iterable, Iterator, Mapping

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.observe.expected import Expected, owner_of
from mirc.traces.events import EventHeader, Row

_COLUMNS = ("time_ps", "kind", "object", "bytes")
_KINDS = ("STEP", "READ", "WRITE", "CREATE", "RETIRE")


@attrs.define(eq=False, kw_only=True)
class Seen:
    """What the runs of one phase did with one declared object or template; grows with the rows.

    Of an object each run of the phase is a trial; of a template each run for each instance that was
    there when the run began. ``read`` trials read it in at least one step, ``reads`` counts those
    steps; ``routed`` counts steps in which a router chose it. Of every run that used it, by reading
    or writing, ``first_ps`` and ``last_ps`` say when, from the run's begin.
    """

    trials: int = 0
    read: int = 0
    reads: int = 0
    routed: int = 0
    first_ps: "array[int]" = attrs.field(factory=lambda: array("q"))
    last_ps: "array[int]" = attrs.field(factory=lambda: array("q"))


@attrs.frozen(kw_only=True, eq=False)
class Observation:
    """One log. ``runs`` counts runs by phase, in order of first run.

    ``seen`` goes by (object or template, phase), ``steps`` counts how often each (phase, position)
    ran. ``read`` and ``written`` are names that some row read or wrote.
    """

    machine: str
    policy: str
    runs: Mapping[str, int]
    steps: Mapping[tuple[str, int], int]
    seen: Mapping[tuple[str, str], Seen]
    read: frozenset[str]
    written: frozenset[str]


def observations(
    parts: Iterable[EventHeader | Row], module: Module, expected: Mapping[str, Expected], name: str
) -> Iterator[Observation]:
    """Yield what each log of a file shows; ``name`` is what messages call the file.

    Raises CouldNotRun, with the line, for rows that no run of this module's steps can have written.
    """
    watch: _Watch | None = None
    for number, part in enumerate(parts, 1):
        if isinstance(part, EventHeader):
            if watch is not None:
                yield watch.ended()
            watch = _Watch(part, module, expected)
        elif watch is not None:
            try:
                watch.see(part)
            except _StrangeError as error:
                raise CouldNotRun(
                    f"line {number} of `{name}` {error}", "write it with `mirc simulate --events`"
                ) from error
    if watch is not None:
        yield watch.ended()


class _StrangeError(Exception):
    """A row that no run can have written: the rest of a sentence about its line."""


class _Watch:
    """The state between two rows: the run that is going on, and which instances are there."""

    def __init__(
        self, header: EventHeader, module: Module, expected: Mapping[str, Expected]
    ) -> None:
        self.header = header
        self.expected = expected
        for phase in header.phases:
            if phase not in expected:
                raise CouldNotRun(
                    f"the log is of another file: this one has no phase `{phase}`",
                    "simulate this file with `--events`",
                )
        self.owners = [owner_of(module, name) for name in header.objects]
        self.templates = module.templates
        self.readable = {
            phase: [name for name in found.readable if name in module.templates]
            for phase, found in expected.items()
        }
        self.time_at, self.kind_at, self.object_at, self.bytes_at = map(self._column, _COLUMNS)
        self.step, self.reading, self.writing, self.create, self.retire = map(self._kind, _KINDS)
        self.now = 0
        self.begin = 0
        self.run = 0  # of any phase, from 1
        self.phase: str | None = None
        self.position = 0
        self.used: dict[int, list[int]] = {}  # object: first and last use, steps that read it
        self.born: dict[int, int] = {}  # instance: the run that made it
        self.gone: set[int] = set()  # instances whose life ended
        self.living: dict[str, int] = {}  # template: its instances now
        self.there: dict[str, int] = {}  # template: its instances when the run began
        self.runs: dict[str, int] = {}
        self.steps: dict[tuple[str, int], int] = {}
        self.seen: dict[tuple[str, str], Seen] = {}
        self.read: set[str] = set()
        self.written: set[str] = set()

    def see(self, row: Row) -> None:
        """Take in one row."""
        kind, time = row[self.kind_at], row[self.time_at]
        if not 0 <= kind < len(self.header.kinds):
            raise _StrangeError("has a kind that its header does not name")
        if time < self.now:
            raise _StrangeError("goes back in time")
        self.now = time
        if kind == self.step:
            self._enter(row[self.object_at], row[self.bytes_at])
        elif kind in (self.reading, self.writing, self.create, self.retire):
            self._happen(kind, row[self.object_at])

    def ended(self) -> Observation:
        """End the last run and return what was seen."""
        self._leave()
        for (owner, phase), seen in self.seen.items():
            if owner not in self.templates:
                seen.trials = self.runs[phase]
        return Observation(
            machine=self.header.machine,
            policy=self.header.policy,
            runs=self.runs,
            steps=self.steps,
            seen=self.seen,
            read=frozenset(self.read),
            written=frozenset(self.written),
        )

    def _column(self, name: str) -> int:
        return self._place(self.header.columns, name, "column")

    def _kind(self, name: str) -> int:
        return self._place(self.header.kinds, name, "kind of event")

    def _place(self, words: tuple[str, ...], word: str, noun: str) -> int:
        if word not in words:
            raise CouldNotRun(
                f"the log has no {noun} `{word}`", "write it with `mirc simulate --events`"
            )
        return words.index(word)

    def _enter(self, phase: int, position: int) -> None:
        """Begin a step, and with the first one a run."""
        if not 0 <= phase < len(self.header.phases):
            raise _StrangeError("has a phase that its header does not name")
        name = self.header.phases[phase]
        if not 0 <= position < len(self.expected[name].reads):
            raise _StrangeError(f"is of another file: `{name}` has no step {position}")
        if name != self.phase or position == 0:
            self._leave()
            self.phase, self.begin = name, self.now
            self.run += 1
            self.runs[name] = self.runs.get(name, 0) + 1
            self.there = dict(self.living)
        self.position = position
        self.steps[name, position] = self.steps.get((name, position), 0) + 1

    def _happen(self, kind: int, number: int) -> None:
        """Take in what happened to an object."""
        if not 0 <= number < len(self.owners):
            raise _StrangeError("has an object that its header does not name")
        if self.phase is None:
            raise _StrangeError("uses an object before any step")
        if kind == self.retire:
            self._end_life(number)
        elif number in self.gone:
            raise _StrangeError(f"uses `{self.header.objects[number]}` after its life ended")
        elif kind == self.create:
            self._begin_life(number)
        else:
            self._use(number, writes=kind == self.writing)

    def _use(self, number: int, *, writes: bool) -> None:
        assert self.phase is not None  # noqa: S101 - ``see`` has looked
        owner, expected = self.owners[number], self.expected[self.phase]
        # A step that reads and writes an object logs one use, the write: its ``reads`` tell.
        reads = not writes or owner in expected.reads[self.position]
        use = self.used.setdefault(number, [self.now, self.now, 0])
        use[1] = self.now
        use[2] += reads
        if writes:
            self.written.add(owner)
        if reads:
            self.read.add(owner)
            if owner in expected.routed[self.position]:
                self._seen(owner).routed += 1
        self._begin_life(number)

    def _begin_life(self, number: int) -> None:
        owner = self.owners[number]
        if owner in self.templates and number not in self.born:
            self.born[number] = self.run
            self.living[owner] = self.living.get(owner, 0) + 1

    def _end_life(self, number: int) -> None:
        owner = self.owners[number]
        if number not in self.born or number in self.gone:
            return
        self.gone.add(number)
        self.living[owner] -= 1
        if self.born[number] < self.run and number not in self.used:
            # Its life was over when the run began; only its last transfer had to land.
            self.there[owner] -= 1

    def _leave(self) -> None:
        """Enter the run that ends into the accounts."""
        if self.phase is None:
            return
        spans: dict[str, list[int]] = {}
        for number, (first, last, reads) in self.used.items():
            owner = self.owners[number]
            span = spans.setdefault(owner, [first, last, 0])
            span[0], span[1] = min(span[0], first), max(span[1], last)
            if owner not in self.templates:
                span[2] += reads
            elif self.born[number] < self.run:
                seen = self._seen(owner)
                seen.read += reads > 0
                seen.reads += reads
        for owner, (first, last, reads) in spans.items():
            seen = self._seen(owner)
            seen.first_ps.append(first - self.begin)
            seen.last_ps.append(last - self.begin)
            seen.read += reads > 0
            seen.reads += reads
        for owner in self.readable[self.phase]:
            if self.there.get(owner):
                self._seen(owner).trials += self.there[owner]
        self.used = {}

    def _seen(self, owner: str) -> Seen:
        assert self.phase is not None  # noqa: S101 - called inside runs
        return self.seen.setdefault((owner, self.phase), Seen())
