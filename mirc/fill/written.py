"""A module into which keys were written for an object, and by which layer."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from mirc.ir import Field, Module, Override, families_of

Layer = tuple[str, ...]
"""``()`` is the declaration itself; ``("phase", p)``, ``("signal", e)``, ``("plan", m)`` and
``("plan", m, p)`` are overrides."""


class Written:
    """What stands in a file, looked up by layer and object."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._layers: dict[Layer, Mapping[str, tuple[Field, ...]]] = {
            (): {name: block.fields for name, block in module.data.items()}
        }
        for phase in module.phases.values():
            self._layers["phase", phase.name] = _by_target(phase.overrides)
        for signal in module.signals.values():
            self._layers["signal", signal.name] = _by_target(signal.overrides)
        for plan in module.plans.values():
            self._layers["plan", plan.name] = _by_target(plan.overrides)
            for part in plan.phases:
                self._layers["plan", plan.name, part.name] = _by_target(part.overrides)
        self.parts = cache(module.parts)

    def said(self, layer: Layer, target: str, key: str) -> bool:
        """Say whether a layer gives ``key`` to the target or to a family that it belongs to."""
        return any(self._fields(layer, name, key) for name in (target, *families_of(target)))

    def hidden(self, layer: Layer, target: str, key: str) -> Iterator[Field]:
        """Yield what weaker layers say, of the target or of any part: an override would hide it."""
        names = (*self.parts(target), target, *families_of(target))
        for weaker in self._weaker(layer):
            for name in names:
                yield from self._fields(weaker, name, key)

    def pinned(self, target: str) -> bool:
        """Say whether some layer pins the target, or a part or family of it."""
        names = (*self.parts(target), target, *families_of(target))
        return any(
            self._fields(layer, name, "pin_level") for layer in self._layers for name in names
        )

    def _fields(self, layer: Layer, name: str, key: str) -> Iterable[Field]:
        fields = self._layers.get(layer, {}).get(name, ())
        return [field for field in fields if field.key == key]

    def _weaker(self, layer: Layer) -> Iterator[Layer]:
        match layer:
            case ("phase", _):
                yield ()
                yield from (("plan", plan) for plan in self._module.plans)
            case ("plan", _):
                yield ()
            case ("plan", plan, phase):
                yield ()
                yield "plan", plan
                yield "phase", phase
                yield from (("signal", event) for event in self._module.signals)
            case _:
                return


def _by_target(overrides: Iterable[Override]) -> dict[str, tuple[Field, ...]]:
    return {override.name: override.fields for override in overrides}
