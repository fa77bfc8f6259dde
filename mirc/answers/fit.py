"""A module and a machine into the largest batch and context that fit, and what stops the next."""

from collections.abc import Callable, Iterator

import attrs
import numpy as np

from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.ir.resolve import read
from mirc.machine import Machine
from mirc.simulate.admission import (
    Below,
    Peak,
    Scope,
    backing_of,
    below,
    kept_fast,
    largest_spells,
    peak,
)
from mirc.simulate.census import Census
from mirc.simulate.demand import Demand, Spell, demand
from mirc.simulate.instances import patterns, walk
from mirc.simulate.reading import Reader
from mirc.simulate.schedule import Schedule
from mirc.simulate.tables import PhaseTable
from mirc.simulate.workload import tables_of

MOST = 1 << 40
"""Sequences or tokens beyond which nothing is said to bound them."""


@attrs.frozen(kw_only=True)
class Point:
    """``sequences`` at once, each with ``tokens`` in its caches when the schedule ends."""

    sequences: int
    tokens: int


@attrs.frozen(kw_only=True, eq=False)
class Question:
    """A module's schedule on a machine, ready to be asked about any batch and context.

    ``largest`` are the runs of each phase with the largest caches, as the schedule makes them.
    ``asked`` is the batch and context of the file, or those given (``given``: at least one was);
    ``grows`` says whether a phase has caches that grow with the context, ``scales`` whether
    anything at all grows with the batch.
    """

    module: Module
    machine: Machine
    plan: str | None
    schedule: Schedule
    demanded: Demand
    largest: dict[str, tuple[Spell, ...]]
    tables: dict[str, PhaseTable]
    asked: Point
    given: bool
    grows: bool
    scales: bool

    def peak(self, scope: Scope, point: Point) -> Peak:
        """Return the step that needs the most."""
        return peak(self.demanded, scope, self._spells(point), self.below(point))

    def below(self, point: Point) -> Below:
        """Return what the memories below have left beside the masters."""
        return below(self.demanded, self.machine, self._spells(point))

    def fits(self, scope: Scope, point: Point) -> bool:
        """Tell whether a run is admitted."""
        if scope is Scope.TIERS and self.below(point).free_bytes is None:
            return False
        return self.peak(scope, point).size_bytes <= self.machine.near.usable_bytes

    def phases_that_fit(self, scope: Scope, point: Point) -> tuple[str, ...]:
        """Return the phases that would be admitted were no other one to run."""
        under = self.below(point)
        if scope is Scope.TIERS and under.free_bytes is None:
            return ()
        usable = self.machine.near.usable_bytes
        return tuple(
            name
            for name, runs in self._spells(point).items()
            if peak(self.demanded, scope, {name: runs}, under).size_bytes <= usable
        )

    def _spells(self, point: Point) -> dict[str, tuple[Spell, ...]]:
        """Give caches that a phase with a context grows ``tokens`` at the end of its run."""
        found: dict[str, tuple[Spell, ...]] = {}
        for name, (spell,) in self.largest.items():
            before, after = spell.before.copy(), spell.after.copy()
            if self.tables[name].batch.context:
                written = after > before
                after[written] = max(point.tokens, self.tables[name].batch.tokens)
                before[written] = after[written] - self.tables[name].batch.tokens
            found[name] = (
                Spell(sequences=point.sequences, alive=point.sequences, before=before, after=after),
            )
        return found


@attrs.frozen(kw_only=True)
class Limit:
    """What stops one more: the point, and its peak."""

    point: Point
    peak: Peak


@attrs.frozen(kw_only=True)
class Answer:
    """What fits within one scope.

    ``batch`` is the largest at the context asked for, ``context`` the largest at the batch asked
    for: each None where nothing bounds it; 0 where not even one fits. ``at`` is the peak at the
    largest batch (of the context asked for, where no batch fits), ``beyond`` of one sequence more.
    ``frontier`` are pairs of a batch and its largest context. ``asked`` is the peak at the batch
    and context asked for, ``asked_fits`` whether that point runs.
    """

    scope: Scope
    batch: int | None
    context: int | None
    at: Limit
    beyond: Limit | None
    beyond_context: Limit | None
    frontier: tuple[Point, ...]
    asked: Limit
    asked_fits: bool

    @property
    def fits(self) -> bool:
        """Whether the schedule runs at all, at one sequence of the context asked for."""
        return self.batch != 0


def question(
    module: Module,
    schedule: Schedule,
    machine: Machine,
    *,
    plan: str | None = None,
    batch: int | None = None,
    context: int | None = None,
) -> Question:
    """Read the schedule's phases at one batch and at one sequence more.

    Raises CouldNotRun for an object without a size, for a context of a model that has none, and for
    a batch other than the captured one where nothing grows with it.
    """
    census, further = Census(Reader(module)), Census(Reader(module))
    tables = tables_of(module, schedule, 1, census)
    more = tables_of(module, schedule, 2, further)
    found = patterns(tuple(tables.values()), census)
    demanded = demand(
        tables,
        census,
        found,
        kept=kept_fast(module, plan, census, machine),
        backing=backing_of(module, plan, census),
        further=(more, further),
    )
    runs = [tables[name] for name in schedule.runs]
    walked = walk(found, runs)
    sized = np.array([pattern.token_bytes > 0 for pattern in found], dtype=np.bool_)
    grows = any(
        bool((sized & (after > before)).any())
        for table, (before, after) in zip(runs, walked.spans, strict=True)
        if table.batch.context
    )
    if context is not None and not grows:
        raise CouldNotRun(
            "no phase of the schedule has caches that grow, so there is no context to ask about",
            "leave `--context` out, or name a `--schedule` with a decode step",
        )
    scales = _scales(demanded)
    captured = max(
        (read(module.phases[name], "batch") for name in dict.fromkeys(schedule.runs)), default=1
    )
    if batch not in (None, captured) and not scales:
        raise CouldNotRun(
            f"nothing in this file grows with the batch: its sizes are those of batch {captured}",
            f"leave `--batch` out, or compile the model for a batch of {batch}",
        )
    lengths = [int(after.max(initial=0)) for _, after in walked.spans]
    return Question(
        module=module,
        machine=machine,
        plan=plan,
        schedule=schedule,
        demanded=demanded,
        largest=largest_spells(runs, walked),
        tables=tables,
        asked=Point(sequences=batch or captured, tokens=context or max(lengths, default=0)),
        given=batch is not None or context is not None,
        grows=grows,
        scales=scales,
    )


def _scales(demanded: Demand) -> bool:
    """Say whether any bytes grow with the batch: what a run makes, temporaries, caches, experts.

    Rows gathered out of a table do not count: they are bounded by it.
    """
    return bool(
        demanded.sizes[1][demanded.made].any()
        or any(slope.any() for _, slope in demanded.inner.values())
        or any(part.table.caches or part.experts for part in demanded.phases.values())
    )


def answer(asked: Question, scope: Scope) -> Answer:
    """Search for the largest of both: what fits is monotone in each.

    Cost: O(log of the answer) peaks, each O(steps + accesses of the phases).
    """
    point = asked.asked

    def at(sequences: int, tokens: int) -> bool:
        return asked.fits(scope, Point(sequences=sequences, tokens=tokens))

    batch = _largest(lambda sequences: at(sequences, point.tokens))
    context = _largest(lambda tokens: at(point.sequences, tokens)) if asked.grows else None
    top = Point(sequences=batch or 1, tokens=point.tokens)
    return Answer(
        scope=scope,
        batch=batch,
        context=context,
        at=_limit(asked, scope, top),
        beyond=_limit(asked, scope, Point(sequences=batch + 1, tokens=point.tokens))
        if batch
        else None,
        beyond_context=_limit(asked, scope, Point(sequences=point.sequences, tokens=context + 1))
        if context
        else None,
        frontier=tuple(_frontier(at)) if asked.grows else (),
        asked=_limit(asked, scope, point),
        asked_fits=asked.fits(scope, point),
    )


def _limit(asked: Question, scope: Scope, point: Point) -> Limit:
    return Limit(point=point, peak=asked.peak(scope, point))


def _frontier(at: Callable[[int, int], bool]) -> Iterator[Point]:
    """Yield the largest context of every batch that is a power of two, as long as there is one."""
    sequences, tokens = 1, _largest(lambda tokens: at(1, tokens))
    while tokens:
        yield Point(sequences=sequences, tokens=tokens)
        sequences *= 2
        tokens = _largest(_context_of(at, sequences))


def _context_of(at: Callable[[int, int], bool], sequences: int) -> Callable[[int], bool]:
    return lambda tokens: at(sequences, tokens)


def _largest(fits: Callable[[int], bool]) -> int | None:
    """Return the largest number that fits, 0 if 1 does not; None if ``MOST`` does."""
    if not fits(1):
        return 0
    low, high = 1, 2
    while fits(high):
        if high >= MOST:
            return None
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
