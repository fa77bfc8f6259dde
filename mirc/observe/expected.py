"""A module into what each step of each phase may read: what an observation is read against."""

from collections.abc import Mapping

import attrs

from mirc.ir import Module, Phase
from mirc.simulate.reading import Reader, Use

NO_NAMES: frozenset[str] = frozenset()


@attrs.frozen(kw_only=True, eq=False)
class Expected:
    """One phase by its steps; names are of declared objects and templates, families spread out.

    ``reads[i]`` are what step ``i`` may read, ``routed[i]`` those of them that a router chooses.
    ``readable`` is all of ``reads`` in written order. Of ``gathered`` parts some rows are read, and
    a log does not tell from which part they came. ``positions`` finds a step by its name.
    """

    reads: tuple[frozenset[str], ...]
    routed: tuple[frozenset[str], ...]
    readable: tuple[str, ...]
    gathered: frozenset[str]
    positions: Mapping[str, int]


def expect(module: Module) -> dict[str, Expected]:
    """Read every phase; one without steps reads at once what the simulator assumes."""
    reader = Reader(module)
    return {name: _phase(reader, phase) for name, phase in module.phases.items()}


def owner_of(module: Module, name: str) -> str | None:
    """Return the object or template that a name is of: ``kv(0,3)`` is of ``kv``; else None."""
    if name in module.data:
        return name
    owner = name[: max(0, name.rfind("("))]
    return owner if owner in module.data else None


def _phase(reader: Reader, phase: Phase) -> Expected:
    steps = [
        [use for use in reader.uses(phase, step) if not use.writes] for step in reader.steps(phase)
    ]
    readable = dict.fromkeys(
        name for uses in steps for use in uses for name in _names(reader.module, use)
    )
    gathered = [
        _names(reader.module, use)
        for uses in steps
        for use in uses
        if use.access.touched is not None
    ]
    return Expected(
        reads=tuple(_union(reader.module, uses) for uses in steps),
        routed=tuple(
            _union(reader.module, [use for use in uses if use.access.top_k]) for uses in steps
        ),
        readable=tuple(readable),
        gathered=frozenset(name for names in gathered if len(names) > 1 for name in names),
        positions={step.name: at for at, step in enumerate(reader.steps(phase))},
    )


def _union(module: Module, uses: list[Use]) -> frozenset[str]:
    return frozenset(name for use in uses for name in _names(module, use)) if uses else NO_NAMES


def _names(module: Module, use: Use) -> tuple[str, ...]:
    return module.parts(use.access.name)
