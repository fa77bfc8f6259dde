"""Refined chances of a family's parts into which of them the plan keeps near: as many as before."""

from collections.abc import Callable, Iterator, Mapping

from mirc.ir import Module, Override, PlanPhase
from mirc.ir.enums import TierKind
from mirc.ir.resolve import View, read
from mirc.ir.values import Value

Kept = tuple[str, Value, Value]
"""An object, the residency that the plan gives it, and the one that it gives it instead."""


def exchanged(
    module: Module, part: PlanPhase, chance: Callable[[str], float | None]
) -> Iterator[Kept]:
    """Yield what the plan's phase keeps near otherwise, once its routed parts have these chances.

    Of parts of one size as many stay near as before, the likeliest; of equally likely ones those
    that did. ``chance`` returns None for what is not routed.
    """
    view = View(module)
    alike: dict[object, dict[str, Override]] = {}
    for override in part.overrides:
        if override.value("residency") is not None and chance(override.name) is not None:
            size = view.value(override.name, "size_bytes")
            alike.setdefault(size, {})[override.name] = override
    for overrides in alike.values():
        yield from _swapped(overrides, {name: chance(name) or 0.0 for name in overrides})


def _swapped(overrides: Mapping[str, Override], chances: Mapping[str, float]) -> Iterator[Kept]:
    staying = {name for name, override in overrides.items() if _stays(override)}
    ranked = sorted(overrides, key=lambda name: (-chances[name], name not in staying))
    likeliest = set(ranked[: len(staying)])
    coming = [name for name in ranked if name in likeliest - staying]
    going = [name for name in reversed(ranked) if name in staying - likeliest]
    for come, go in zip(coming, going, strict=True):
        to_come, to_go = overrides[come].value("residency"), overrides[go].value("residency")
        assert to_come is not None  # noqa: S101 - ``exchanged`` has looked
        assert to_go is not None  # noqa: S101 - the same
        yield come, to_come, to_go
        yield go, to_go, to_come


def _stays(override: Override) -> bool:
    """Tell whether the plan keeps an object always in the memory that compute reads from."""
    stays = read(override, "residency")
    return any(stay.tier is TierKind.HBM and stay.first_step is None for stay in stays)
