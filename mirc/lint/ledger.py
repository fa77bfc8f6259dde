"""What steps need and what stays beside them into bytes per step, and into a witness."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from mirc.ir.module import Module, Phase
from mirc.ir.places import Mark
from mirc.lint.needs import Need
from mirc.lint.sizes import human

MOST_SHOWN = 8
"""Related places of one finding; its message counts the rest."""
_NAMED = 3


class Stay(NamedTuple):
    """``size_bytes`` of an object that lie in a memory from one step to another, inclusive.

    ``why`` ends a sentence that begins with its name. Stays of one object do not overlap.
    """

    name: str
    size_bytes: int
    first: int
    last: int
    mark: Mark
    why: str


class Held(NamedTuple):
    """One entry of what is held at a step: bytes, the words for them, the place that says so."""

    size_bytes: int
    words: str
    mark: Mark
    why: str


class Ledger(NamedTuple):
    """A phase's steps, their needs, and stays; ``outside`` are objects in another memory."""

    module: Module
    phase: Phase
    needs: Sequence[Need]
    stays: Sequence[Stay]
    outside: frozenset[str] = frozenset()

    def totals(self) -> list[int]:
        """Return the bytes at each step, every object once: O(steps + uses + stays)."""
        change = [0] * (len(self.needs) + 1)
        by_name: dict[str, list[Stay]] = {}
        for stay in self.stays:
            change[stay.first] += stay.size_bytes
            change[stay.last + 1] -= stay.size_bytes
            by_name.setdefault(stay.name, []).append(stay)
        staying = accumulate(change)
        return [
            most + self._beside(need, step, by_name)
            for step, (need, most) in enumerate(zip(self.needs, staying, strict=False))
        ]

    def held(self, step: int) -> tuple[Held, ...]:
        """Return what makes up the total at a step, largest first; equal ones in written order."""
        need = self.needs[step]
        at = {s.name: [s] for s in self.stays if s.first <= step <= s.last}
        entries = {s.name: Held(s.size_bytes, f"`{s.name}`", s.mark, s.why) for (s,) in at.values()}
        for name, size in need.wholes.items():
            if (name in entries and entries[name].size_bytes >= size) or name in self.outside:
                continue
            mark = Mark(self.module.data[name], "size_bytes")
            entries[name] = Held(size, f"`{name}`", mark, "is used by the step")
        found = [entry for entry in entries.values() if entry.size_bytes]
        for family, part in need.partial.items():
            rest = self._rest(family, part.size_bytes, need, step, at)
            if rest:
                found.append(Held(rest, part.words, part.mark, "are used by the step"))
        if need.transient_bytes:
            mark = Mark(self.phase.steps[step], "transient_bytes")
            words = "`transient_bytes`"
            found.append(Held(need.transient_bytes, words, mark, "are the step's inner peak"))
        return largest_first(found)

    def _beside(self, need: Need, step: int, by_name: dict[str, list[Stay]]) -> int:
        """Return what a step needs beyond what stays."""
        total = need.transient_bytes
        for name, size in need.wholes.items():
            if name in by_name:
                total += max(0, size - _size_at(by_name[name], step))
            elif name not in self.outside:
                total += size
        for family, part in need.partial.items():
            total += self._rest(family, part.size_bytes, need, step, by_name)
        return total

    def _rest(
        self, family: str, size: int, need: Need, step: int, by_name: dict[str, list[Stay]]
    ) -> int:
        """Return what of a partial use cannot be among the parts that are held anyway."""
        for name in self.module.parts(family):
            if name in by_name:
                size -= _size_at(by_name[name], step)
            elif name in self.outside:
                size = 0
            if name in need.wholes:
                size -= need.wholes[name]
            if size <= 0:
                return 0
        return size


def _size_at(stays: list[Stay], step: int) -> int:
    return next((s.size_bytes for s in stays if s.first <= step <= s.last), 0)


def witness(held: Iterable[Held], capacity_bytes: int) -> tuple[Held, ...]:
    """Return the fewest entries, largest first, that together exceed a capacity.

    Without any one of them the rest would fit: the least of them is what carries the sum across,
    and each other is at least as large.
    """
    found: list[Held] = []
    left = capacity_bytes
    for entry in held:
        found.append(entry)
        left -= entry.size_bytes
        if left < 0:
            break
    return tuple(found)


def named(found: Sequence[Held], of: int) -> str:
    """Return words for a witness: its largest entries with their bytes, and how many it has."""
    shown = [f"{entry.words} ({human(entry.size_bytes)})" for entry in found[:_NAMED]]
    if len(found) > _NAMED:
        shown.append(f"{len(found) - _NAMED} more")
    words = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    return words if len(found) == of else f"{words}, the largest {len(found)} of {of}"


def shown(found: Sequence[Held]) -> tuple[tuple[Mark, str], ...]:
    """Return the related places of a witness, the largest ones."""
    return tuple(
        (entry.mark, f"{entry.words} {entry.why}: {human(entry.size_bytes)}")
        for entry in found[:MOST_SHOWN]
    )


def and_others(steps: int) -> str:
    """Return words for further steps at which the same is true."""
    return "" if not steps else f" (and {steps} more step{'s' * (steps > 1)})"


def against(size_bytes: int, capacity_bytes: int) -> tuple[str, str]:
    """Return both as people say them; to the byte where they are nearly the same."""
    if abs(size_bytes - capacity_bytes) <= capacity_bytes // 1000:
        return f"{size_bytes:_} B", f"{capacity_bytes:_} B"
    return human(size_bytes), human(capacity_bytes)


def spans(first: int, last: int, steps: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches of an inclusive interval that may wrap around the end of a phase."""
    if first <= last:
        yield first, last
    else:
        yield 0, last
        yield first, steps - 1


def largest_first(entries: Iterable[Held]) -> tuple[Held, ...]:
    """Return entries by their bytes; equal ones as they come."""
    return tuple(sorted(entries, key=lambda entry: -entry.size_bytes))  # stable


def total_of(entries: Iterable[Held]) -> int:
    """Return the bytes of all of them."""
    return sum(entry.size_bytes for entry in entries)
