"""Rules about the time that transfers take on a machine's links."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from mirc.diagnostics import Severity
from mirc.ir.enums import DeadlineClass, SpillPolicy, TierKind
from mirc.ir.module import Field
from mirc.ir.resolve import read_field
from mirc.lint.context import Context
from mirc.lint.holding import Holding, Place
from mirc.lint.rule import Found, LintRule
from mirc.lint.said import Said, Written
from mirc.lint.times import (
    NEAREST_FIRST,
    PS_PER_US,
    ROUNDED,
    duration,
    near_and_nearer,
    period_us_of,
)
from mirc.machine.transfers import route, transfer_ps


class LatePrefetch(LintRule):
    """A prefetch that begins `prefetch_horizon_us` before the use cannot arrive in time.

    On idle links already, the way from the farthest place in which the object may be takes
    longer: hops follow one another, and pieces of a `PAGED` layout each take their time. That
    place is the lowest tier of its `residency` in the plan; without one the slowest of its
    `fallback_tiers`, or of the tiers that back it. A horizon of the phase's whole `period_us` is
    the most that there is.
    """

    code = "MIR610"
    name = "late-prefetch"
    severity = Severity.WARNING
    message = (
        "`{object}` is to be fetched {horizon} before its use, and the way from {tier} takes "
        "{time} on {machine}"
    )
    hint = "write at least `prefetch_horizon_us = {least}`, or keep it nearer"
    bad = """
object x { class = WEIGHT_TILE  size_bytes = 96MiB  fallback_tiers = [DRAM] }
phase p { step s { reads = [x] } }
plan h {
  machine = "h100-sxm"
  phase p { override x { prefetch_horizon_us = 20 } }
}
"""
    good = """
object x { class = WEIGHT_TILE  size_bytes = 96MiB  fallback_tiers = [DRAM] }
phase p { step s { reads = [x] } }
plan h {
  machine = "h100-sxm"
  phase p { override x { prefetch_horizon_us = 2_000 } }
}
"""

    def _findings(self, context: Context) -> Iterator[Found]:
        for way in _ways(context, "prefetch_horizon_us"):
            longest, horizon = max(way.times), way.limit_us
            if longest[0] <= horizon * PS_PER_US * ROUNDED:
                continue
            period = period_us_of(context, way.place.plan, way.written.phase)
            if period is not None and horizon * ROUNDED >= period:
                continue
            yield self.at(
                way.written.block,
                way.written.field.key,
                object=way.written.name,
                horizon=duration(horizon),
                tier=NEAREST_FIRST[longest[1]],
                time=duration(longest[0] / PS_PER_US),
                least=f"{-(-longest[0] // PS_PER_US):_}",
                machine=way.place.machine.name,
            )


class DeadlineBelowTransfer(LintRule):
    """A HARD `deadline_us` that no fetch can meet, from wherever the object may be.

    Even the quickest way from the tiers in which it may lie takes longer on idle links: each time
    that it is not near already, the deadline is missed.
    """

    code = "MIR611"
    name = "deadline-below-transfer"
    severity = Severity.WARNING
    message = (
        "`{object}` must be readable within {deadline}, and the quickest way, from {tier}, takes "
        "{time} on {machine}"
    )
    hint = "allow at least `deadline_us = {least}`, or pin the object"
    bad = """
object x { class = WEIGHT_TILE  size_bytes = 96MiB  deadline_us = 100  fallback_tiers = [DRAM] }
phase p { step s { reads = [x] } }
"""
    good = """
object x { class = WEIGHT_TILE  size_bytes = 96MiB  deadline_us = 2_000  fallback_tiers = [DRAM] }
phase p { step s { reads = [x] } }
"""
    machine = "h100-sxm"

    def _findings(self, context: Context) -> Iterator[Found]:
        for way in _ways(context, "deadline_us"):
            name, phase, said = way.written.name, way.written.phase, context.once(Said)
            quickest, deadline = min(way.times), way.limit_us
            klass = said.value(name, "deadline_class", phase, way.place.plan)
            in_time = quickest[0] <= deadline * PS_PER_US * ROUNDED
            if klass is not DeadlineClass.HARD or in_time or self._told(said, way):
                continue
            yield self.at(
                way.written.block,
                way.written.field.key,
                object=way.written.name,
                deadline=duration(deadline),
                tier=NEAREST_FIRST[quickest[1]],
                time=duration(quickest[0] / PS_PER_US),
                least=f"{-(-quickest[0] // PS_PER_US):_}",
                machine=way.place.machine.name,
            )

    def _told(self, said: Said, way: "_Way") -> bool:
        """Whether `hard-yet-spillable` speaks of it, with the same times."""
        written = said.mark(way.written.name, "spill_policy", way.written.phase, way.place.plan)
        free = (SpillPolicy.ALLOW, SpillPolicy.DROP_RECOMPUTE)
        usual = said.implied(way.written.name, "spill_policy") in free
        return written is not None and said.typed(written) in free and not usual


class _Way(NamedTuple):
    """An object for which a time is written somewhere, and a machine on which it must come near.

    ``times`` are the picoseconds from each tier in which it may be, with the tier's number.
    """

    written: Written
    place: Place
    times: tuple[tuple[int, int], ...]

    @property
    def limit_us(self) -> float:
        """The time that is written."""
        limit: float = read_field(self.written.field)
        return limit


def _ways(context: Context, key: str) -> Iterator[_Way]:
    if next(context.where(key), None) is None and not context.module.families:
        return
    holding = context.once(Holding)
    roads = [_Roads(holding, Place(machine)) for machine in context.machines]
    for plan in context.module.plans.values():
        own = context.machine_of(plan)
        if own is not None:
            roads.append(_Roads(holding, Place(own, plan.name)))
    for written in holding.said.layers(key):
        for road in roads:
            if road.place.plan == written.plan:
                times = road.times(written.name, written.phase)
                if times:
                    yield _Way(written, road.place, times)


class _Roads:
    """The times of the ways to the near memory of one machine; objects alike are timed once."""

    def __init__(self, holding: Holding, place: Place) -> None:
        self.holding = holding
        self.place = place
        self._near = near_and_nearer(place.machine)
        self._paged = frozenset(holding.said.about("layout"))
        self._known: dict[
            tuple[tuple[TierKind, ...], int, int | None], tuple[tuple[int, int], ...]
        ] = {}
        self._sizes: dict[str | None, Callable[[str], int]] = {}
        self._tiers: dict[int, tuple[TierKind, ...]] = {}

    def times(self, name: str, phase: str | None) -> tuple[tuple[int, int], ...]:
        if phase not in self._sizes:
            self._sizes[phase] = self._size_in(phase)
        size, fragment = self._sizes[phase](name), self._fragment(name, phase)
        key = (self._sources(name, phase), size, fragment)
        if key not in self._known:
            self._known[key] = tuple(self._timed(*key)) if size else ()
        return self._known[key]

    def _timed(
        self, tiers: Sequence[TierKind], size: int, fragment: int | None
    ) -> Iterator[tuple[int, int]]:
        machine = self.place.machine
        for tier in tiers if fragment != 0 else ():
            memory = machine.tier(tier)
            if memory is None or memory in self._near:
                continue
            try:
                links = route(machine, memory.name, machine.near.name, size)
            except LookupError:
                continue
            time = sum(transfer_ps(link, size, fragment) for link in links)
            yield time, NEAREST_FIRST.index(tier)

    def _fragment(self, name: str, phase: str | None) -> int | None:
        if name not in self._paged:
            return None
        layout = self.holding.said.value(name, "layout", phase, self.place.plan)
        return int(layout.args[1]) if layout.word == "PAGED" else None

    def _sources(self, name: str, phase: str | None) -> tuple[TierKind, ...]:
        said, plan = self.holding.said, self.place.plan
        own = said.overriding(plan, phase, "residency").get(name) if plan else None
        if own is not None:
            return self._named(own[1])
        stays = said.value(name, "residency", phase, plan) if plan else None
        if stays is not None:
            return tuple(stay.tier for stay in stays)
        fallback = said.mark(name, "fallback_tiers", phase, plan)
        if fallback is not None:
            tiers: tuple[TierKind, ...] = said.typed(fallback)
            return tiers
        return said.value(name, "backing", phase, plan) or ()

    def _named(self, field: Field) -> tuple[TierKind, ...]:
        """Return the tiers of a residency; equal lines share one value."""
        tiers = self._tiers.get(id(field.value))
        if tiers is None:
            tiers = tuple(stay.tier for stay in read_field(field))
            self._tiers[id(field.value)] = tiers
        return tiers

    def _size_in(self, phase: str | None) -> Callable[[str], int]:
        """Return the bytes of one instance of a template, and of an object in the phase."""
        holding = self.holding
        templates, instance = holding.module.templates, holding.instance_bytes
        if phase is None:
            return instance
        size = holding.needs.sizes(holding.module.phases[phase], self.place.plan)
        return lambda name: instance(name) if name in templates else size(name)
