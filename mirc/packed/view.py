"""A packed file into the value that holds for a field, and who said so."""

from collections.abc import Iterator

from mirc.ir.resolve import Layer, Overrides, Resolver, Written
from mirc.packed.model import Packed
from mirc.packed.tables import Kind


class PackedView(Resolver):
    """What holds for each object while a phase or signal lasts, under a plan.

    Answers as ``mirc.ir.resolve.View`` does of the module that was packed. Raises KeyError for a
    phase, signal or plan that is not there. O(overrides) to make.
    """

    def __init__(
        self,
        packed: Packed,
        phase: str | None = None,
        signal: str | None = None,
        plan: str | None = None,
    ) -> None:
        super().__init__(_layers(packed, phase, signal, plan))
        self.packed = packed

    def _written(self, name: str) -> Written:
        return self.packed.written(name)


def _layers(
    packed: Packed, phase: str | None, signal: str | None, plan: str | None
) -> Iterator[Overrides]:
    """Yield the override layers that hold, strongest first."""
    planned = None if plan is None else _number(packed, Kind.PLAN, plan)
    if plan is not None and planned is not None and phase is not None:
        inside = packed.number(Kind.PLAN_PHASE, phase, planned)
        if inside is not None:
            yield Layer.PLAN_PHASE, plan, packed.overrides(inside)
    if signal is not None:
        yield Layer.SIGNAL, signal, packed.overrides(_number(packed, Kind.SIGNAL, signal))
    if phase is not None:
        yield Layer.PHASE, phase, packed.overrides(_number(packed, Kind.PHASE, phase))
    if plan is not None and planned is not None:
        yield Layer.PLAN, plan, packed.overrides(planned)


def _number(packed: Packed, kind: Kind, name: str) -> int:
    number = packed.number(kind, name)
    if number is None:
        raise KeyError(name)
    return number
