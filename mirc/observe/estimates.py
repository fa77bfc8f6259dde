"""Declared estimates and an observation into what came of each of them."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median, median_low
from typing import Any

import attrs

from mirc.ir import Module
from mirc.ir.enums import Level, ObjectClass, ReuseUnit
from mirc.ir.levels import LEVELS, probability_of
from mirc.ir.meaning import Applied
from mirc.ir.resolve import Layer, Origin, Resolved, View, read_field
from mirc.observe.expected import Expected
from mirc.observe.observation import Observation, Seen
from mirc.observe.score import Forecast, within_factor_2

RESOLUTION_US = 1.0
"""Times below a microsecond, zero included, count as one: about what a kernel takes to launch."""

_PS_PER_US = 1_000_000


@attrs.frozen(kw_only=True)
class Estimate:
    """One declared value of one object in one phase, beside what was observed of it.

    ``origin`` is who declared ``value``, and ``declared`` how a file spells it; ``written`` is
    False for a default of the class. It was right, as its confidence means that, in ``held`` of
    ``chances``: one chance, or of a time one a run. ``forecast`` is what it says of single trials,
    None where it says nothing of them. ``observed`` is the share of trials; the mean a trial for a
    number of reads; the median, in microseconds, for a time. ``supported`` is the number that the
    run speaks for, whatever was declared: of a time, when the step of the median run begins in the
    median run, on the one clock that all objects share.
    """

    field: str
    object: str
    klass: str
    phase: str
    origin: Origin
    value: Any
    declared: str
    written: bool
    confidence: float | None
    observed: float
    supported: float
    held: int
    chances: int = 1
    forecast: Forecast | None = None

    @property
    def right(self) -> bool:
        """Whether it held every time."""
        return self.held == self.chances

    @property
    def confidence_forecast(self) -> Forecast | None:
        """Its confidence as a forecast of being right."""
        if self.confidence is None:
            return None
        return Forecast(self.confidence, self.chances, self.held)


@attrs.frozen(kw_only=True)
class Timing(Estimate):
    """An estimate of a time: the runs in which the use came ``earlier`` or ``later`` by more.

    ``offsets_ps`` are the times that were seen, in the order of runs.
    """

    earlier: int
    later: int
    offsets_ps: Sequence[int] = attrs.field(eq=False, repr=False)


@attrs.frozen(kw_only=True)
class Unscored:
    """A declared value for which no event is documented, or which the log cannot tell."""

    field: str
    object: str
    phase: str
    declared: str


def estimates(
    module: Module,
    expected: Mapping[str, Expected],
    observation: Observation,
    plan: str | None,
) -> Iterator[Estimate | Unscored]:
    """Yield one for each field, object and phase that ran, in the order of runs and steps.

    That of a plan's ``period_us`` bears the phase's name as its object's.
    """
    for phase in observation.runs:
        judge = _Judge(module, expected[phase], observation, phase, plan)
        names = dict.fromkeys(
            [*expected[phase].readable, *(n for n, where in observation.seen if where == phase)]
        )
        for name in names:
            yield from judge.estimates(name)
        yield from judge.period(module)


class _Judge:
    def __init__(
        self,
        module: Module,
        expected: Expected,
        observation: Observation,
        phase: str,
        plan: str | None,
    ) -> None:
        self.expected = expected
        self.observation = observation
        self.phase = phase
        self.plan = plan
        self.view = View(module, phase=phase, plan=plan)
        self.templates = module.templates
        self.readable = frozenset(expected.readable)
        self.routings: dict[str, int] = {}  # expert: steps, of all runs, that route it
        for position, names in enumerate(expected.routed):
            times = observation.steps.get((phase, position), 0)
            for name in names:
                self.routings[name] = self.routings.get(name, 0) + times
        self.clock = self._clock()

    def estimates(self, name: str) -> Iterator[Estimate | Unscored]:
        seen = self.observation.seen.get((name, self.phase))
        if seen is None:
            blind = name in self.templates or not self.observation.uses
            seen = Seen(trials=0 if blind else self.observation.runs[self.phase])
        if seen.trials and (name in self.readable or seen.read):
            yield self._reuse(name, seen)
        if (
            self.observation.uses
            and self.routings.get(name)
            and self.view.class_of(name) is ObjectClass.EXPERT_WEIGHT
        ):
            yield self._route(name, seen)
        for field, offsets, positions in (
            ("first_use_us", seen.first_ps, seen.first_at),
            ("last_use_us", seen.last_ps, seen.last_at),
        ):
            resolved = self.view.get(name, field)
            if offsets and resolved.value is not None:
                typical = self.clock[median_low(positions)]
                of = (name, self._class(name))
                yield self._time(field, of, resolved, offsets, typical)

    def period(self, module: Module) -> Iterator[Timing]:
        """Yield the plan's time of one run of the phase, where it gives one and ends were seen."""
        plan = None if self.plan is None else module.plans[self.plan]
        part = next((p for p in plan.phases if p.name == self.phase), None) if plan else None
        field = next((f for f in part.fields if f.key == "period_us"), None) if part else None
        offsets = self.observation.periods_ps.get(self.phase)
        if plan is None or field is None or not offsets:
            return
        origin = Origin(Layer.PLAN_PHASE, plan.name, field)
        resolved = Resolved(read_field(field), field.confidence, origin)
        typical = median_low(offsets)
        yield self._time("period_us", (self.phase, "phase"), resolved, offsets, typical)

    def _clock(self) -> dict[int, int]:
        """Return when each step begins: its median, and never before the one before it."""
        starts = self.observation.starts_ps
        now = 0
        clock = {}
        for position in range(len(self.expected.reads)):
            if (self.phase, position) in starts:
                now = max(now, median_low(starts[self.phase, position]))
                clock[position] = now
        return clock

    def _reuse(self, name: str, seen: Seen) -> Estimate | Unscored:
        resolved = self.view.get(name, "reuse")
        value, trials = resolved.value, seen.trials
        read = min(seen.read, trials)
        declared = _spelled(value)
        if name in self.expected.gathered:
            return Unscored(field="reuse", object=name, phase=self.phase, declared=declared)
        if isinstance(value, Level):
            probability, observed = probability_of("reuse", value), read / trials
            held = _in_level("reuse", value, observed)
        elif isinstance(value, float):
            probability, observed = min(1.0, value), seen.reads / trials
            held = _about(value, observed, trials)
        elif value == Applied("EVERY", (ReuseUnit.ITERATION,)):
            probability, observed = 1.0, read / trials
            held = read == trials
        else:
            return Unscored(field="reuse", object=name, phase=self.phase, declared=declared)
        forecast = Forecast(probability, trials, read)
        found = {"observed": observed, "supported": seen.reads / trials, "held": int(held)}
        return self._estimate("reuse", name, resolved, forecast, **found)

    def _route(self, name: str, seen: Seen) -> Estimate:
        key = "route_probability"
        resolved = self.view.get(name, key)
        trials = self.routings[name]
        chosen = min(seen.routed, trials)
        observed = chosen / trials
        if isinstance(resolved.value, Level):
            probability = probability_of(key, resolved.value)
            held = _in_level(key, resolved.value, observed)
        else:
            probability = float(resolved.value)
            held = _about(probability, observed, trials)
        forecast = Forecast(probability, trials, chosen)
        found = {"observed": observed, "supported": observed, "held": int(held)}
        return self._estimate(key, name, resolved, forecast, **found)

    def _estimate(
        self, field: str, name: str, resolved: Resolved, forecast: Forecast, **found: Any
    ) -> Estimate:
        return Estimate(
            field=field,
            object=name,
            klass=self._class(name),
            phase=self.phase,
            origin=resolved.origin,
            value=resolved.value,
            declared=_spelled(resolved.value),
            written=resolved.origin.layer is not Layer.DEFAULT,
            confidence=resolved.confidence,
            forecast=forecast,
            **found,
        )

    def _time(
        self,
        field: str,
        of: tuple[str, str],
        resolved: Resolved,
        offsets: Sequence[int],
        typical_ps: int,
    ) -> Timing:
        declared = float(resolved.value)
        wrong = [
            time
            for time in (offset / _PS_PER_US for offset in offsets)
            if not within_time(declared, time)
        ]
        earlier = sum(time < declared for time in wrong)
        return Timing(
            field=field,
            object=of[0],
            klass=of[1],
            phase=self.phase,
            origin=resolved.origin,
            value=declared,
            declared=_spelled(declared),
            written=True,
            confidence=resolved.confidence,
            observed=median(offsets) / _PS_PER_US,
            held=len(offsets) - len(wrong),
            chances=len(offsets),
            earlier=earlier,
            later=len(wrong) - earlier,
            supported=typical_ps / _PS_PER_US,
            offsets_ps=offsets,
        )

    def _class(self, name: str) -> str:
        klass = self.view.class_of(name)
        return "no class" if klass is None else klass.value


def within_time(declared_us: float, observed_us: float) -> bool:
    """Tell whether a time lies within a factor of 2 of what was declared."""
    return within_factor_2(declared_us, observed_us, RESOLUTION_US)


def _in_level(key: str, level: Level, share: float) -> bool:
    event = LEVELS[key][level]
    return event.low <= share < event.high or share == event.high == 1 or event.high == share == 0


def _about(declared: float, observed: float, trials: int) -> bool:
    """Tell whether a share or mean lies within a factor of 2, seen to half a trial."""
    if declared == 0:
        return observed == 0  # said to be impossible: once is enough
    return within_factor_2(declared, observed, 0.5 / trials)


def _spelled(value: object) -> str:
    if isinstance(value, Applied):
        return f"{value.word}({', '.join(map(str, value.args))})" if value.args else value.word
    return f"{value:.6g}" if isinstance(value, float) else str(value)
