"""A recorded training step and what to keep, spill and run again in it, into its peak of memory.

Eager training frees by reference: an intermediate result goes when Python and autograd let go of
it. A recorded step says when each of them does, so a lowering's peak follows by counting.
"""

from collections.abc import Mapping

import attrs

from mirc.bounds.peak import Interval, live_bytes


@attrs.frozen(slots=True, kw_only=True)
class TracedOp:
    """One operation as torch dispatched it; ``region`` is the module it ran in (empty: none).

    ``writes`` are the values that it made, ``flops`` and ``moved_bytes`` what it costs. ``once``
    says that it changes what outlives the step (running statistics): a second run of its region
    must not run it again, so its results are kept.
    """

    name: str
    region: str
    writes: tuple[int, ...] = ()
    flops: int = 0
    moved_bytes: int = 0
    random: bool = False
    once: bool = False


@attrs.frozen(slots=True, kw_only=True)
class TracedValue:
    """Bytes made by operation ``born``; ``dies`` is the last one that ran while they existed.

    Of what forward made, that is the last while anything but autograd held it.
    """

    size_bytes: int
    born: int
    dies: int
    mutated: bool = False


@attrs.frozen(slots=True, kw_only=True)
class Saving:
    """Autograd saved a value while ``packed`` operations had run in forward.

    It was wanted back when ``unpacked`` operations had run, and let go of after operation
    ``released``. ``region`` is the module that was running, ``ordinal`` counts what was saved
    in it, parameters included.
    """

    value: int
    region: str
    ordinal: int
    packed: int
    unpacked: int
    released: int


@attrs.frozen(kw_only=True)
class Step:
    """One recorded training step: ``ops[:forward]`` are forward's.

    ``spans`` gives each region's first operation and the one after its last, ``enters`` the values
    that its positional tensors are (-1: none that the step made), ``named`` those of the others.
    """

    ops: tuple[TracedOp, ...]
    values: tuple[TracedValue, ...]
    savings: tuple[Saving, ...]
    forward: int
    spans: Mapping[str, tuple[int, int]]
    enters: Mapping[str, tuple[int, ...]]
    named: Mapping[str, frozenset[int]]


def repeatable(step: Step, region: str) -> bool:
    """Say whether a region may run again: what it may do only once must leave results to keep.

    A result that is overwritten afterwards cannot be kept as it was.
    """
    return not any(
        step.values[value].mutated
        for op in step.ops[slice(*step.spans[region])]
        if op.once
        for value in op.writes
    )


@attrs.frozen(kw_only=True)
class Lowering:
    """What torch is told: which regions are checkpointed, what is kept in them, what is spilled.

    ``kept`` are operations of checkpointed regions whose results are kept (their places in
    ``Step.ops``), besides those that run ``once``; ``spilled`` values that autograd saves outside
    checkpointed regions, the inputs of those regions among them.
    """

    regions: frozenset[str] = frozenset()
    kept: frozenset[int] = frozenset()
    spilled: frozenset[int] = frozenset()


@attrs.frozen(kw_only=True)
class Lowered:
    """What a lowering makes of a step: its peak, and what it adds."""

    live: tuple[int, ...]
    """The bytes that exist during each operation, those that run again included."""
    again: tuple[int, ...]
    """The operations that run twice."""
    spilled_bytes: int
    """What leaves near memory; as much comes back."""

    @property
    def peak_bytes(self) -> int:
        """The most bytes that exist at once."""
        return max(self.live, default=0)


def lower(step: Step, choice: Lowering) -> Lowered:
    """Count the bytes that exist while a lowered step runs.

    A checkpointed region runs again from its inputs when backward first wants something that it
    saved, up to the operation after which nothing more is saved; a spilled value comes back when
    it is first wanted and stays until its last saving is released. This is what
    ``torch.utils.checkpoint`` (non-reentrant, early stop) and saved-tensor hooks do.
    Cost: O(operations + savings).
    """
    named = {name: _Rerun(step, name, choice) for name in sorted(choice.regions)}
    reruns = {name: rerun for name, rerun in named.items() if rerun.savings}
    place = _places(step, reruns)
    lives = _Lives(step, choice, place)
    for saving in step.savings:
        if saving.region not in reruns:
            wanted = place[min(saving.unpacked, len(place) - 1)]
            lives.hold(saving.value, wanted, place[saving.released])
    intervals = []
    for name, rerun in reruns.items():
        end = max(place[saving.released] for saving in rerun.savings)
        entering = {value for value in step.enters[name] if value >= 0}
        for value in entering:
            lives.hold(value, rerun.begin, end)
        for value in (rerun.captured | step.named[name]) - entering:  # held by the closure
            lives.stretch(value, end)
        for value, last in rerun.kept_until(place).items():
            lives.stretch(value, last)
        intervals += rerun.intervals(place)
    intervals += lives.intervals()
    return Lowered(
        live=tuple(live_bytes(intervals, place[-1] + 1)),
        again=tuple(op for rerun in reruns.values() for op in rerun.again),
        spilled_bytes=sum(step.values[index].size_bytes for index in lives.fetched),
    )


class _Lives:
    """Until when each value of a step exists, and the lives of copies that were fetched back."""

    def __init__(self, step: Step, choice: Lowering, place: list[int]) -> None:
        self.fetched: dict[int, tuple[int, int]] = {}
        self._values = step.values
        self._spilled = choice.spilled
        self._place = place
        self._ends = [place[value.dies] for value in step.values]

    def stretch(self, value: int, last: int) -> None:
        """Keep a value's bytes up to a place."""
        self._ends[value] = max(self._ends[value], last)

    def hold(self, value: int, first: int, last: int) -> None:
        """Have a value's bytes from ``first`` to ``last``: its own, or fetched where it is away."""
        if value in self._spilled:
            begin, end = self.fetched.get(value, (first, last))
            self.fetched[value] = (min(begin, first), max(end, last))
        else:
            self.stretch(value, last)

    def intervals(self) -> list[Interval]:
        """Return the lives of the values that the step makes once, and of what comes back."""
        own = [
            Interval(self._place[value.born], end, value.size_bytes)
            for value, end in zip(self._values, self._ends, strict=True)
        ]
        back = [
            Interval(first, last, self._values[value].size_bytes)
            for value, (first, last) in self.fetched.items()
        ]
        return own + back


class _Rerun:
    """A checkpointed region's second run; ``begin`` is the place of its first operation."""

    def __init__(self, step: Step, name: str, choice: Lowering) -> None:
        self.step = step
        self.savings = [saving for saving in step.savings if saving.region == name]
        self.begin = 0
        first, _ = step.spans[name]
        self.before = min((saving.unpacked for saving in self.savings), default=0)
        stop = max((saving.packed for saving in self.savings), default=first)
        kept = choice.kept.union(op for op in range(first, stop) if step.ops[op].once)
        self.again = [op for op in range(first, stop) if op not in kept]
        self.kept = [op for op in range(first, stop) if op in kept]
        self.made = {value: op for op in range(first, stop) for value in step.ops[op].writes}
        self.captured = frozenset(
            saving.value for saving in self.savings if saving.value not in self.made
        )
        self.places: dict[int, int] = {}

    def kept_until(self, place: list[int]) -> dict[int, int]:
        """Return until when the kept results of the region exist."""
        kept = {value for op in self.kept for value in self.step.ops[op].writes}
        ends = dict.fromkeys(kept, 0)
        for value in kept:
            ends[value] = self._again_until(value)
        for saving in self.savings:
            if saving.value in kept:
                ends[saving.value] = max(ends[saving.value], place[saving.released])
        return ends

    def intervals(self, place: list[int]) -> list[Interval]:
        """Return the lives of what the second run makes."""
        ends: dict[int, int] = {}
        for op in self.again:
            for value in self.step.ops[op].writes:
                ends[value] = self._again_until(value)
        for saving in self.savings:
            if saving.value in ends:
                ends[saving.value] = max(ends[saving.value], place[saving.released])
        values = self.step.values
        return [
            Interval(self.places[values[value].born], end, values[value].size_bytes)
            for value, end in ends.items()
        ]

    def _again_until(self, value: int) -> int:
        """Return the place in the second run up to which Python holds a value."""
        dies = self.step.values[value].dies
        ran = [at for op, at in self.places.items() if op <= dies]
        return max(ran, default=self.begin)


def _places(step: Step, reruns: Mapping[str, _Rerun]) -> list[int]:
    """Return each operation's place in the lowered run, and set those of second runs."""
    by_op: dict[int, list[_Rerun]] = {}
    for rerun in reruns.values():
        by_op.setdefault(rerun.before, []).append(rerun)
    places: list[int] = []
    now = 0
    for index in range(len(step.ops)):
        for rerun in by_op.get(index, ()):
            rerun.begin = now
            for op in rerun.again:
                rerun.places[op] = now
                now += 1
        places.append(now)
        now += 1
    return places
