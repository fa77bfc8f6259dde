"""Phases' uses and a schedule into the uses of one pass through it, and what lies between them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.ir import Call, Name, Text, Value
from mirc.passes.phase_annotator import UNBOUNDED_RUNS, PhaseFact

Floats = NDArray[np.float64]


@attrs.frozen
class Stretch:
    """Uses along a stretch of the schedule, by storage, its length measured in several ways.

    Rows of ``head``, ``tail`` and ``gaps`` are measures (bytes, then picoseconds on each machine),
    columns storages: what passes before the first use, after the last one, and between uses, in
    all. ``uses`` count steps that touch a storage; where there are none, ``head`` and ``tail`` are
    the whole ``length``.
    """

    length: Floats
    uses: Floats
    head: Floats
    tail: Floats
    gaps: Floats

    def then(self, other: "Stretch") -> "Stretch":
        """Return this stretch and ``other`` after it; associative."""
        used, next_used = self.uses > 0, other.uses > 0
        between = np.where(used & next_used, self.tail + other.head, 0.0)
        return Stretch(
            self.length + other.length,
            self.uses + other.uses,
            np.where(used, self.head, self.length[:, None] + other.head),
            np.where(next_used, other.tail, self.tail + other.length[:, None]),
            self.gaps + other.gaps + between,
        )

    def times(self, count: int) -> "Stretch":
        """Return ``count`` of this stretch, one after the other, at least one."""
        again = count - 1
        between = np.where(self.uses > 0, again * (self.tail + self.head), 0.0)
        none = again * self.length[:, None] * (self.uses == 0)
        return Stretch(
            self.length * count,
            self.uses * count,
            self.head + none,
            self.tail + none,
            self.gaps * count + between,
        )


def stretch_of(phase: PhaseFact, measures: Sequence[Sequence[int]], storages: int) -> Stretch:
    """Return one run of a phase; ``measures[m][i]`` is the length of step ``i``."""
    starts = np.array([list(accumulate(steps, initial=0)) for steps in measures], dtype=np.float64)
    length = starts[:, -1]
    uses = np.zeros(storages)
    head = np.repeat(length[:, None], storages, axis=1)
    tail, gaps = head.copy(), np.zeros_like(head)
    used_in = phase.table.used_in
    if not used_in:
        return Stretch(length, uses, head, tail, gaps)
    used = np.fromiter(used_in, dtype=np.int64)
    counts = np.fromiter(map(len, used_in.values()), dtype=np.int64)
    steps = np.fromiter(chain.from_iterable(used_in.values()), dtype=np.int64)
    begins = np.cumsum(counts) - counts
    first, last = steps[begins], steps[begins + counts - 1]
    own = np.add.reduceat(starts[:, steps + 1] - starts[:, steps], begins, axis=1)
    uses[used] = counts
    head[:, used] = starts[:, first]
    tail[:, used] = length[:, None] - starts[:, last + 1]
    gaps[:, used] = starts[:, last + 1] - starts[:, first] - own
    return Stretch(length, uses, head, tail, gaps)


def along(schedule: tuple[Value, ...], phases: Mapping[str, Stretch]) -> Stretch | None:
    """Return one pass through a schedule, or None where it runs nothing.

    A REPEAT is its body so many times, a LOOP a thousand; an EVERY(n, ...) counts as one run of its
    body, wherever it falls. Cost: O(phases in the schedule x storages), whatever the counts.
    """
    whole: Stretch | None = None
    for item in schedule:
        match item:
            case Name(text) | Text(text):
                part = phases.get(text)
            case Call("REPEAT" | "LOOP" | "EVERY" as word, args):
                counts = [arg for arg in args if isinstance(arg, int)]
                part = along(tuple(arg for arg in args if not isinstance(arg, int)), phases)
                if part is not None and word != "EVERY":
                    part = part.times(max(1, counts[0] if counts else UNBOUNDED_RUNS))
            case tuple():
                part = along(item, phases)
            case _:
                part = None
        if part is not None:
            whole = part if whole is None else whole.then(part)
    return whole


@attrs.frozen(slots=True, kw_only=True)
class Across:
    """One storage in one pass through the schedule.

    ``uses`` are expected: steps weighed by the routing probability. ``distance_bytes`` and
    ``distance_ps``, by machine, are means between one use and the next over all phases; empty or
    None where there is no next one.
    """

    uses: float
    distance_bytes: float | None
    distance_ps: Mapping[str, float]


@attrs.frozen(eq=False)
class Scheduled:
    """One pass through the schedule: ``expected`` are uses of each storage, by chance too."""

    whole: Stretch | None
    machines: tuple[str, ...]
    expected: Floats

    def across(self, storage: int) -> Across:
        """Return how the schedule uses one storage.

        A storage that a router uses by chance skips slots: with n of them and m uses expected, a
        distance holds n / m of the gaps between slots, and the skipped steps themselves.
        """
        uses = float(self.expected[storage])
        if self.whole is None or self.whole.uses[storage] <= 1:
            return Across(uses=uses, distance_bytes=None, distance_ps={})
        slots = float(self.whole.uses[storage])
        span = self.whole.length - self.whole.head[:, storage] - self.whole.tail[:, storage]
        own = (span - self.whole.gaps[:, storage]) / slots
        gap = self.whole.gaps[:, storage] / (slots - 1)
        distances = (gap + own) * slots / max(uses, np.finfo(float).tiny) - own
        times = dict(zip(self.machines, map(float, distances[1:]), strict=True))
        return Across(uses=uses, distance_bytes=float(distances[0]), distance_ps=times)

    def sentences(self) -> Iterator[str]:
        """Yield how long the schedule is, and how far apart uses lie in it."""
        if self.whole is None:
            return
        again = self.whole.uses > 1
        slots = float(self.whole.uses[again].sum() - again.sum())
        means = self.whole.gaps[:, again].sum(axis=1) / slots if slots else self.whole.length * 0
        line = (
            f"schedule: {self.whole.length[0]:_.0f} bytes in all, {int(again.sum())} storages used "
            f"again, after {means[0]:_.0f} bytes in the mean"
        )
        times = zip(self.machines, means[1:], strict=True)
        yield line + "".join(f", {mean / 1e6:_.1f} us on {name}" for name, mean in times)


def scheduled(
    phases: Sequence[PhaseFact],
    schedule: tuple[Value, ...],
    *,
    measures: Mapping[str, Sequence[Sequence[int]]],
    expected: Mapping[str, Mapping[int, float]],
    machines: tuple[str, ...],
    storages: int,
) -> Scheduled:
    """Return one pass through ``schedule``.

    Of each phase, ``measures`` are the bytes of its steps, then their picoseconds on each of
    ``machines``, and ``expected`` the uses of each storage in one run.
    """
    stretches = {each.name: stretch_of(each, measures[each.name], storages) for each in phases}
    total = np.zeros(storages)
    for phase in phases:
        uses = expected[phase.name]
        places = np.fromiter(uses, dtype=np.int64, count=len(uses))
        total[places] += phase.runs * np.fromiter(uses.values(), dtype=np.float64, count=len(uses))
    return Scheduled(along(schedule, stretches), machines, total)
