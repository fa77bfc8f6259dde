"""Paths in a model with a few repeats of each block into paths in one with all of them."""

from collections.abc import Sequence

import attrs

from mirc.frontend.fold_runs import Run, Stack
from mirc.frontend.fold_stretch import REPEATS, Spot


@attrs.frozen(slots=True)
class Child:
    """One module of a shortened list: ``number`` counts within it.

    ``run`` is the run it belongs to (-1: none) and ``unit`` the repeat.
    """

    stack: int
    prefix: str
    number: int
    run: int
    unit: int


@attrs.frozen(kw_only=True)
class Segment:
    """A run, or one module that belongs to none: modules from ``start`` on in the whole list."""

    run: int
    start: int
    period: int
    count: int

    def kept(self, repeats: int) -> int:
        """Give how many modules are left when a run has so many repeats."""
        return self.period * (repeats if self.run >= 0 else self.count)


class Layout:
    """The lists of a model and where in them each module path lies.

    ``runs`` are those of all stacks, numbered in order; :meth:`counts` are their repeats.
    """

    def __init__(self, stacks: Sequence[Stack]) -> None:
        self.stacks = stacks
        self.runs: list[Run] = []
        self.segments: list[tuple[Segment, ...]] = []
        for stack in stacks:
            self.segments.append(tuple(_segments(stack, len(self.runs))))
            self.runs += stack.runs
        self._known: dict[str, Child | None] = {}
        self._short = [_children(segments) for segments in self.segments]

    def counts(self) -> list[int]:
        """Give how often each run really repeats."""
        return [run.count for run in self.runs]

    def kept(self, stack: int, repeats: int) -> list[int]:
        """Give which modules of a list are left when each run has ``repeats`` repeats."""
        return [
            place
            for segment in self.segments[stack]
            for place in range(segment.start, segment.start + segment.kept(repeats))
        ]

    def child(self, path: str) -> Child | None:
        """Find the module of a shortened list that ``path`` lies in or below."""
        if path not in self._known:
            self._known[path] = self._found(path)
        return self._known[path]

    def spot(self, path: str) -> Spot | None:
        """Give the repeat of a run that ``path`` belongs to."""
        child = self.child(path)
        return None if child is None or child.run < 0 else Spot(child.run, child.unit)

    def number(self, child: Child, unit: int, counts: Sequence[int]) -> int:
        """Give a module's number in its list when runs have ``counts`` repeats.

        ``unit`` is the repeat that it stands for (of a module that belongs to none: anything).
        """
        before = 0
        short = 0
        for segment in self.segments[child.stack]:
            size = segment.kept(REPEATS)
            if child.number < short + size:
                inside = child.number - short
                if segment.run >= 0:
                    inside = inside % segment.period + unit * segment.period
                return before + inside
            short += size
            before += segment.kept(counts[segment.run]) if segment.run >= 0 else size
        raise AssertionError(child)

    def renamed(self, path: str, unit: int, counts: Sequence[int]) -> str:
        """Give ``path`` (of a module, or of a tensor in one) in the longer model."""
        child = self.child(path)
        if child is None:
            return path
        rest = path[len(child.prefix) + len(str(child.number)) :]
        return f"{child.prefix}{self.number(child, unit, counts)}{rest}"

    def _found(self, path: str) -> Child | None:
        for number, stack in enumerate(self.stacks):
            for container in stack.paths:
                prefix = f"{container}." if container else ""
                word = path[len(prefix) :].partition(".")[0]
                if path.startswith(prefix) and word.isdecimal():
                    place = int(word)
                    short = self._short[number]
                    if place < len(short):
                        return Child(number, prefix, place, *short[place])
        return None


def _segments(stack: Stack, first: int) -> list[Segment]:
    segments: list[Segment] = []
    end = 0
    for number, run in enumerate(stack.runs, first):
        segments += [_single(place) for place in range(end, run.start)]
        segments.append(Segment(run=number, start=run.start, period=run.period, count=run.count))
        end = run.start + run.period * run.count
    return segments + [_single(place) for place in range(end, stack.length)]


def _single(place: int) -> Segment:
    return Segment(run=-1, start=place, period=1, count=1)


def _children(segments: Sequence[Segment]) -> list[tuple[int, int]]:
    """Give the run and repeat of each module of a shortened list."""
    found: list[tuple[int, int]] = []
    for segment in segments:
        if segment.run < 0:
            found.append((-1, 0))
        else:
            found += [
                (segment.run, place // segment.period) for place in range(segment.kept(REPEATS))
            ]
    return found
