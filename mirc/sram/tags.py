"""Line numbers into hits, victims and wired lines: the tag array."""

from collections.abc import Iterator, Mapping

import attrs

from mirc.sram.geometry import Geometry


@attrs.define
class Line:
    """One tag entry. ``tenant`` and ``generation`` say who wired it, and mean nothing otherwise."""

    tag: int
    valid: bool = False
    wired: bool = False
    tenant: str = ""
    generation: int = 0
    dirty: bool = False


@attrs.define
class _Set:
    """The lines of one set by tag; ``cached`` from the least to the most recently used.

    A victim comes out of ``cached``: a wired line is never among those considered.
    """

    cached: dict[int, Line] = attrs.field(factory=dict)
    wired: dict[int, Line] = attrs.field(factory=dict)


@attrs.define(eq=False)
class TagArray:
    """All sets, made when first touched; a way without a line in it is not listed.

    ``generations`` are the tenants' registers, which their owner advances. A wired line of an
    older generation is empty: it neither hits, nor counts, nor is written back. A set is rid of
    such lines when it is next looked at, at the cost of its ways.
    """

    geometry: Geometry
    generations: Mapping[str, int]
    loaded_lines: int = 0
    written_lines: int = 0
    _sets: dict[int, _Set] = attrs.field(factory=dict, repr=False)

    def holds_wired(self, lines: range) -> bool:
        """Tell whether any of consecutive ``lines`` is wired."""
        return any(not found.wired.keys().isdisjoint(tags) for found, tags in self._spread(lines))

    def most_wired(self, lines: range) -> int:
        """Return the most wired ways that a set would have if ``lines`` were wired too."""
        return max(len(found.wired) + len(tags) for found, tags in self._spread(lines))

    def wire(self, lines: range, tenant: str) -> None:
        """Wire lines that are not wired; each set must have a way left for them.

        What is cached already stays as it is, the others are reserved and not yet valid.
        """
        generation = self.generations[tenant]
        for found, tags in self._spread(lines):
            for tag in tags:
                line = found.cached.pop(tag, None)
                if line is None:
                    self._make_room(found)
                    line = Line(tag)
                line.wired, line.tenant, line.generation = True, tenant, generation
                found.wired[tag] = line

    def load(self, lines: range) -> None:
        """Load those of the wired ``lines`` that are not valid."""
        for found, tags in self._spread(lines):
            for tag in tags:
                line = found.wired[tag]
                self.loaded_lines += not line.valid
                line.valid = True

    def unwire(self, lines: range) -> None:
        """Let wired lines become cached ones, most recently used, dirty ones written back once."""
        for found, tags in self._spread(lines):
            for tag in tags:
                line = found.wired.pop(tag)
                if line.valid:
                    self.written_lines += line.dirty
                    found.cached[tag] = Line(tag, valid=True)

    def drop(self, lines: range) -> None:
        """Empty wired lines; what is dirty is lost."""
        for found, tags in self._spread(lines):
            for tag in tags:
                del found.wired[tag]

    def touch(self, number: int) -> tuple[Line, bool]:
        """Use one line, loading it if it must be; return it and whether it was there."""
        found, tag = self._set(number % self.geometry.sets), number // self.geometry.sets
        line = found.wired.get(tag)
        if line is None:
            line = found.cached.pop(tag, None)
            if line is None:
                self._make_room(found)
                line = Line(tag)
            found.cached[tag] = line  # now the most recently used
        hit = line.valid
        self.loaded_lines += not hit
        line.valid = True
        return line, hit

    def lines(self) -> Iterator[tuple[int, Line]]:
        """Yield a copy of every line with its set, sets ascending, wired ones first."""
        for index in sorted(self._sets):
            found = self._set(index)
            for line in (*found.wired.values(), *found.cached.values()):
                yield index, attrs.evolve(line)

    def _make_room(self, found: _Set) -> None:
        if len(found.cached) + len(found.wired) < self.geometry.ways:
            return
        victim = found.cached.pop(next(iter(found.cached)))
        self.written_lines += victim.dirty

    def _spread(self, lines: range) -> Iterator[tuple[_Set, range]]:
        """Yield the sets that consecutive lines belong to, each with their tags in it."""
        sets = self.geometry.sets
        for number in lines[:sets]:
            index = number % sets
            yield self._set(index), self.geometry.tags_in(lines, index)

    def _set(self, index: int) -> _Set:
        found = self._sets.get(index)
        if found is None:
            found = self._sets[index] = _Set()
        current = self.generations
        stale = [t for t, line in found.wired.items() if line.generation != current[line.tenant]]
        for tag in stale:
            del found.wired[tag]
        return found
