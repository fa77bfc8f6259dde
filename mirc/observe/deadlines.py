"""Declared deadlines and an observation into how often they were met, and who was waited for."""

from collections.abc import Iterator, Mapping

import attrs

from mirc.ir import Module
from mirc.ir.enums import DeadlineClass
from mirc.ir.resolve import View
from mirc.observe.observation import Observation

_PS_PER_US = 1_000_000


@attrs.frozen(kw_only=True)
class Deadlines:
    """Uses of objects of one deadline class: ``waited`` of ``uses`` were waited for by their step.

    ``bounded`` uses are of objects with a ``deadline_us``, ``missed`` of them waited longer.
    """

    klass: str
    objects: int
    uses: int
    waited: int
    longest_us: float
    bounded: int
    missed: int


def deadlines(module: Module, observation: Observation, plan: str | None) -> tuple[Deadlines, ...]:
    """Sort the uses that were seen by deadline class, the strictest first.

    What a phase or plan overrides holds there. Empty where no uses were seen, or no waits could be.
    """
    if not observation.waits:
        return ()
    views = {phase: View(module, phase=phase, plan=plan) for phase in observation.runs}
    found: dict[DeadlineClass, list[_Use]] = {}
    for use in _uses(views, observation):
        found.setdefault(use.klass, []).append(use)
    return tuple(_group(klass, found[klass]) for klass in DeadlineClass if klass in found)


@attrs.frozen(kw_only=True)
class _Use:
    name: str
    klass: DeadlineClass
    uses: int
    waits_us: tuple[float, ...]
    deadline_us: float | None


def _uses(views: Mapping[str, View], observation: Observation) -> Iterator[_Use]:
    for (name, phase), seen in observation.seen.items():
        klass = views[phase].value(name, "deadline_class")
        if isinstance(klass, DeadlineClass) and seen.uses:
            yield _Use(
                name=name,
                klass=klass,
                uses=seen.uses,
                waits_us=tuple(wait / _PS_PER_US for wait in seen.waits_ps),
                deadline_us=views[phase].value(name, "deadline_us"),
            )


def _group(klass: DeadlineClass, uses: list[_Use]) -> Deadlines:
    bounded = [(use, use.deadline_us) for use in uses if use.deadline_us is not None]
    return Deadlines(
        klass=klass.value,
        objects=len({use.name for use in uses}),
        uses=sum(use.uses for use in uses),
        waited=sum(len(use.waits_us) for use in uses),
        longest_us=max((wait for use in uses for wait in use.waits_us), default=0.0),
        bounded=sum(use.uses for use, _ in bounded),
        missed=sum(wait > limit for use, limit in bounded for wait in use.waits_us),
    )
