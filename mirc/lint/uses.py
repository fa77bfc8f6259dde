"""The steps of a module into who reads and who writes what."""

from collections.abc import Iterator

import attrs

from mirc.ir.forms import uses
from mirc.ir.meaning import Access
from mirc.ir.module import Phase, Step
from mirc.ir.names import families_of
from mirc.ir.types import Bytes
from mirc.ir.values import Call, Name, Text, Value
from mirc.lint.context import Context

_USE = uses(Bytes())  # one entry of `reads` or `writes`


@attrs.frozen(slots=True, eq=False, repr=False)
class At:
    """A step: its phase, and its place among the phase's steps."""

    phase: Phase
    index: int

    @property
    def step(self) -> Step:
        """The step."""
        return self.phase.steps[self.index]


@attrs.frozen(slots=True, eq=False, repr=False)
class PartialUse:
    """``TOUCH(name, bytes)`` or ``ROUTED(name, k)`` in a step, ``place`` its index in the list."""

    at: At
    key: str
    place: int
    call: Call

    @property
    def access(self) -> Access:
        """What it means."""
        read: Access = _USE.read(self.call)
        return read


@attrs.frozen(eq=False, repr=False)
class Uses:
    """Steps by the name that they read or write, as written: an object, a template or a family.

    ``partial`` are the uses that do not name all of it.
    """

    reads: dict[str, list[At]]
    writes: dict[str, list[At]]
    partial: tuple[PartialUse, ...]

    def readers(self, name: str) -> tuple[At, ...]:
        """Return the steps that read a declared object, in order, as itself or with its family."""
        return tuple(self._of(self.reads, name))

    def writers(self, name: str) -> tuple[At, ...]:
        """Return the steps that write it, in order."""
        return tuple(self._of(self.writes, name))

    def _of(self, table: dict[str, list[At]], name: str) -> Iterator[At]:
        found = table.get(name, [])
        if not name.endswith("]"):
            yield from found
            return
        for family in families_of(name):
            if family in table:
                found = [*found, *table[family]]
        yield from sorted(found, key=lambda at: at.index)


def uses_of(context: Context) -> Uses:
    """Read every step once; O(reads and writes)."""
    tables: dict[str, dict[str, list[At]]] = {"reads": {}, "writes": {}}
    partial: list[PartialUse] = []
    for phase in context.module.phases.values():
        for index, step in enumerate(phase.steps):
            at = At(phase, index)
            for field in step.fields:
                table = tables.get(field.key)
                if table is None or not isinstance(field.value, tuple):
                    continue
                for place, item in enumerate(field.value):
                    name = _name(item)
                    table.setdefault(name, []).append(at)
                    if isinstance(item, Call):
                        partial.append(PartialUse(at, field.key, place, item))
    return Uses(tables["reads"], tables["writes"], tuple(partial))


def _name(item: Value) -> str:
    """Return the object of one entry, which the checker has found to be well-formed."""
    while isinstance(item, Call):
        item = item.args[0]
    return item.text if isinstance(item, Name | Text) else ""
