"""A module and the observation of one run into what was declared beside what was seen."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.ir.enums import ObjectClass
from mirc.ir.resolve import View, read
from mirc.machine.load import load
from mirc.observe.deadlines import Deadlines, deadlines
from mirc.observe.estimates import Estimate, Timing, Unscored, estimates
from mirc.observe.expected import Expected, expect
from mirc.observe.facts import Facts, Memory, facts, memory
from mirc.observe.observation import Observation, observations
from mirc.observe.score import Score, score
from mirc.observe.sources import parts_of
from mirc.traces.observations import Part

FORECASTS = ("reuse", "route_probability")
TIMES = ("first_use_us", "last_use_us", "period_us")


class Why(StrEnum):
    """Why an object was never read."""

    WRITTEN = "written, never read"
    """An output, or made in vain."""
    UNREAD = "may be read, never was"
    """A phase that ran can read it: an expert that no router chose."""
    ELSEWHERE = "no phase that ran reads it"
    """Another phase may, or none at all."""


@attrs.frozen(kw_only=True)
class NeverRead:
    """A declared object or template that the run did not read."""

    object: str
    klass: str
    why: Why


@attrs.frozen(kw_only=True)
class Group:
    """Estimates of one class and field; ``held`` of ``estimates`` were right."""

    name: str
    estimates: int
    held: int
    score: Score


@attrs.frozen(kw_only=True)
class Scored:
    """One field: what was written by class and in all, then what was left to class defaults."""

    field: str
    classes: tuple[Group, ...]
    total: Group | None
    defaults: Group | None
    confidence: Score | None


@attrs.frozen(kw_only=True)
class Timed:
    """One time field in one phase: each run that used an object is a chance to be right.

    ``held`` of ``chances`` lie within a factor of 2; of the others ``earlier`` came too early.
    """

    field: str
    phase: str
    estimates: int
    chances: int
    held: int
    earlier: int
    later: int
    confidence: Score | None


@attrs.frozen(kw_only=True)
class Mismatch:
    """How far all written estimates are from what was seen.

    ``missed`` of ``chances`` in which one could have been right were not; ``brier_excess`` is what
    forecasts score above the least that any could (0 where none was written).
    """

    chances: int
    missed: int
    brier_excess: float

    @property
    def share(self) -> float:
        """The share of chances missed."""
        return self.missed / self.chances


@attrs.frozen(kw_only=True)
class Compared:
    """One run beside the file. ``wrong`` are the written estimates that did not hold, worst first.

    ``source`` is what observed it, ``plan`` the one whose times and overrides were taken, None
    without one; ``unscored`` counts declared values by their spelling. ``mismatch`` is None where
    nothing written could be scored, ``memory`` where no blocks were seen.
    """

    source: str
    machine: str
    policy: str
    plan: str | None
    runs: tuple[tuple[str, int], ...]
    scored: tuple[Scored, ...]
    timed: tuple[Timed, ...]
    deadlines: tuple[Deadlines, ...]
    mismatch: Mismatch | None
    wrong: tuple[Estimate, ...]
    unscored: tuple[tuple[str, int], ...]
    never_read: tuple[NeverRead, ...]
    facts: Facts
    memory: Memory | None


@attrs.frozen(kw_only=True)
class Report:
    """Every log of a file beside one module, in the file's order; ``title`` names the model."""

    title: str
    logs: tuple[Compared, ...]


@attrs.frozen(kw_only=True)
class Sighting:
    """One observation, what the file's steps may read, and the plan whose times are taken."""

    expected: dict[str, Expected]
    observation: Observation
    plan: str | None


def compare(module: Module, lines: Iterable[str], name: str, plan: str | None = None) -> Report:
    """Compare a module with the event logs or observations in ``lines``, as ``against`` does."""
    return against(module, parts_of(lines, name), name, plan)


def against(
    module: Module, parts: Iterable[tuple[int, Part]], name: str, plan: str | None = None
) -> Report:
    """Compare a module with what was observed; ``name`` is what messages call it.

    Raises CouldNotRun as ``sightings`` does.
    """
    logs = tuple(judged(module, seen) for seen in sightings(module, parts, name, plan))
    title = None if module.info is None else read(module.info, "model") or module.info.name
    return Report(title=title or "a module without a name", logs=logs)


def sightings(
    module: Module, parts: Iterable[tuple[int, Part]], name: str, plan: str | None = None
) -> Iterator[Sighting]:
    """Yield each observation of a file, read against the module.

    ``plan`` is used for every run, else the one made for the run's machine. Raises CouldNotRun for
    a broken observation, one of another file, or a plan that is not there.
    """
    if plan is not None and plan not in module.plans:
        listed = ", ".join(module.plans)
        raise CouldNotRun(
            f"there is no plan `{plan}` in this file",
            f"choose from {listed}" if listed else "leave `--plan` out: the file has none",
        )
    expected = expect(module)
    for seen in observations(parts, module, expected, name):
        yield Sighting(
            expected=expected, observation=seen, plan=plan or plan_for(module, seen.machine)
        )


def plan_for(module: Module, machine: str) -> str | None:
    """Return the plan made for a machine: it says its name, or the file that describes it."""
    asked = {name: read(plan, "machine") for name, plan in module.plans.items()}
    for name, spelled in asked.items():
        if spelled == machine:
            return name
    for name, spelled in asked.items():
        if _name_in(spelled) == machine:
            return name
    return None


def judged(module: Module, sighting: Sighting) -> Compared:
    """Compare a module with one observation."""
    observation = sighting.observation
    found = tuple(estimates(module, sighting.expected, observation, sighting.plan))
    known = [one for one in found if isinstance(one, Estimate)]
    unscored: dict[str, int] = {}
    for one in found:
        if isinstance(one, Unscored):
            label = f"{one.field} = {one.declared}"
            unscored[label] = unscored.get(label, 0) + 1
    return Compared(
        source=observation.source,
        machine=observation.machine,
        policy=observation.policy,
        plan=sighting.plan,
        runs=tuple(observation.runs.items()),
        scored=tuple(
            _scored(field, [one for one in known if one.field == field]) for field in FORECASTS
        ),
        timed=tuple(_timed([one for one in known if isinstance(one, Timing)], observation.runs)),
        deadlines=deadlines(module, observation, sighting.plan),
        mismatch=mismatch(known),
        wrong=_wrong(known),
        unscored=tuple(sorted(unscored.items())),
        never_read=tuple(_never_read(module, sighting)),
        facts=facts(module, observation),
        memory=memory(module, observation),
    )


def mismatch(found: Iterable[Estimate]) -> Mismatch | None:
    """Add up all written estimates, forecasts and times; None where there is none."""
    written = [one for one in found if one.written]
    chances = sum(one.chances for one in written)
    if not chances:
        return None
    scored = score(one.forecast for one in written if one.forecast is not None)
    return Mismatch(
        chances=chances,
        missed=chances - sum(one.held for one in written),
        brier_excess=0.0 if scored is None else scored.brier - scored.least_brier,
    )


def _name_in(spelled: str | None) -> str | None:
    """Return a machine file's name for itself; None where there is no such file, or here."""
    if spelled is None:
        return None
    try:
        return load(spelled).name
    except CouldNotRun:
        return None


def _scored(field: str, found: Sequence[Estimate]) -> Scored:
    written = [one for one in found if one.written]
    groups = (
        _group(klass, [one for one in written if one.klass == klass])
        for klass in dict.fromkeys([*(word.value for word in ObjectClass), "no class"])
    )
    return Scored(
        field=field,
        classes=tuple(group for group in groups if group is not None),
        total=_group("all", written),
        defaults=_group("defaults", [one for one in found if not one.written]),
        confidence=_confidence(written),
    )


def _group(name: str, found: Sequence[Estimate]) -> Group | None:
    result = score(one.forecast for one in found if one.forecast is not None)
    if result is None:
        return None
    held = sum(one.right for one in found)
    return Group(name=name, estimates=len(found), held=held, score=result)


def _confidence(found: Iterable[Estimate]) -> Score | None:
    given = (one.confidence_forecast for one in found)
    return score(forecast for forecast in given if forecast is not None)


def _timed(found: Sequence[Timing], phases: Iterable[str]) -> Iterator[Timed]:
    for phase in phases:
        for field in TIMES:
            here = [one for one in found if one.phase == phase and one.field == field]
            if here:
                yield Timed(
                    field=field,
                    phase=phase,
                    estimates=len(here),
                    chances=_sum(here, lambda one: one.chances),
                    held=_sum(here, lambda one: one.held),
                    earlier=_sum(here, lambda one: one.earlier),
                    later=_sum(here, lambda one: one.later),
                    confidence=_confidence(here),
                )


def _sum(found: Iterable[Timing], amount: Callable[[Timing], int]) -> int:
    return sum(map(amount, found))


def _wrong(found: Iterable[Estimate]) -> tuple[Estimate, ...]:
    """Sort what was not right by field, then by the share of chances missed, then by error."""
    wrong = [one for one in found if one.written and not one.right]
    fields = (*FORECASTS, *TIMES)

    def badness(one: Estimate) -> tuple[object, ...]:
        blamed = score([one.forecast]) if one.forecast is not None else None
        excess = blamed.brier - blamed.least_brier if blamed is not None else 0.0
        missed = 1 - one.held / one.chances
        return (fields.index(one.field), -excess, -missed, one.object, one.phase)

    return tuple(sorted(wrong, key=badness))


def _never_read(module: Module, sighting: Sighting) -> Iterator[NeverRead]:
    expected, observation = sighting.expected, sighting.observation
    if not observation.uses:
        return
    view = View(module)
    readable = {name for phase in observation.runs for name in expected[phase].readable}
    gathered = {name for phase in observation.runs for name in expected[phase].gathered}
    for name, declared in module.data.items():
        # Rows were gathered from some part or other of these: from which, the log does not tell.
        if name in observation.read or name in gathered or getattr(declared, "extern", False):
            continue
        why = Why.UNREAD if name in readable else Why.ELSEWHERE
        if name in observation.written:
            why = Why.WRITTEN
        klass = view.class_of(name)
        yield NeverRead(object=name, klass="no class" if klass is None else klass.value, why=why)
