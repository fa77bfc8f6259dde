"""A recorded training step and a budget into what to checkpoint, keep and spill in it."""

from collections.abc import Iterator
from functools import partial

import attrs

from mirc.bounds.remat_regions import Lowered, Lowering, Step, TracedOp, lower, repeatable
from mirc.passes.remat_edits import BOTH, Means


@attrs.frozen(kw_only=True)
class Prices:
    """Seconds of one FLOP, of one byte of near traffic, and of one byte out and back."""

    flop: float = 1 / 500e12
    near_byte: float = 1 / 3e12
    round_trip_byte: float = 2 / 50e9

    def of(self, op: TracedOp) -> float:
        """Return the seconds of an operation: the slower of its FLOPs and its bytes."""
        return max(op.flops * self.flop, op.moved_bytes * self.near_byte)


@attrs.frozen(kw_only=True)
class RegionPlan:
    """A lowering, what it makes of the step, and the seconds that it adds."""

    choice: Lowering
    lowered: Lowered
    added_seconds: float
    fits: bool


def plan_regions(
    step: Step, budget_bytes: int, prices: Prices | None = None, means: frozenset[Means] = BOTH
) -> RegionPlan:
    """Return the cheapest lowering found whose peak holds the budget.

    Regions are checkpointed and values spilled in the order of seconds per byte until the budget
    holds; then what proves needless is taken back, and the dearest operations of checkpointed
    regions are kept while there is room. With both means the best of both together and of each
    alone: never above either. ``fits`` is False where nothing tried holds the budget: then it is
    the lowest peak. Cost: O(drops + operations) lowerings, each counted in O(step log step).
    """
    search = _Search(step, budget_bytes, prices or Prices())
    plans = [search.run(frozenset({each})) for each in sorted(means)]
    if len(means) > 1:
        plans.append(search.run(means))
        plans += [search.tidied(each.choice, means) for each in list(plans)]
    return min(plans, key=_rank)


def _rank(found: RegionPlan) -> tuple[int, float]:
    return (0 if found.fits else found.lowered.peak_bytes, found.added_seconds)


class _Search:
    def __init__(self, step: Step, budget_bytes: int, prices: Prices) -> None:
        self.step = step
        self.budget_bytes = budget_bytes
        self.prices = prices
        self.saved = {each.value for each in step.savings}

    def planned(self, choice: Lowering) -> RegionPlan:
        lowered = lower(self.step, choice)
        seconds = sum(self.prices.of(self.step.ops[op]) for op in lowered.again)
        return RegionPlan(
            choice=choice,
            lowered=lowered,
            added_seconds=seconds + lowered.spilled_bytes * self.prices.round_trip_byte,
            fits=lowered.peak_bytes <= self.budget_bytes,
        )

    def run(self, means: frozenset[Means]) -> RegionPlan:
        """Drop in the order of price until the budget holds, then take back."""
        now = self.planned(Lowering())
        for choice in self._drops(means):
            if now.fits:
                break
            tried = self.planned(_joined(now.choice, choice))
            if self._excess(tried) < self._excess(now):
                now = tried
        return self.tidied(now.choice, means)

    def tidied(self, choice: Lowering, means: frozenset[Means]) -> RegionPlan:
        """Take back what the budget does not need, dearest first, then keep what there is room for.

        Where a budget does not hold, nothing is taken back.
        """
        now = self.planned(choice)
        if not now.fits:
            return now
        for drop in sorted(_parts(now.choice), key=lambda each: -self._price(each)):
            now = self._better(now, _without(now.choice, drop))
        if Means.RECOMPUTE in means:
            for op in self._keepable(now.choice):
                kept = attrs.evolve(now.choice, kept=now.choice.kept | {op})
                now = self._better(now, kept)
        return now

    def _better(self, now: RegionPlan, choice: Lowering) -> RegionPlan:
        tried = self.planned(choice)
        return tried if tried.fits and tried.added_seconds < now.added_seconds else now

    def _excess(self, found: RegionPlan) -> int:
        return sum(max(0, size - self.budget_bytes) for size in found.lowered.live)

    def _drops(self, means: frozenset[Means]) -> list[Lowering]:
        drops: list[tuple[float, int, Lowering]] = []
        if Means.SPILL in means:
            drops += [
                (self.prices.round_trip_byte, -known.size_bytes, Lowering(spilled=frozenset({v})))
                for v in sorted(self.saved)
                if not (known := self.step.values[v]).mutated and known.size_bytes
            ]
        if Means.RECOMPUTE in means:
            for name in filter(partial(repeatable, self.step), self.step.spans):
                inside = {s.value for s in self.step.savings if s.region == name}
                entering = {value for value in self.step.enters[name] if value >= 0}
                size = sum(self.step.values[v].size_bytes for v in inside - entering)
                if size:
                    choice = Lowering(regions=frozenset({name}))
                    drops.append((self._price(choice) / size, -size, choice))
        drops.sort(key=lambda each: each[:2])
        return [choice for _, _, choice in drops]

    def _price(self, choice: Lowering) -> float:
        """Return what one drop costs by itself."""
        seconds = sum(
            self.step.values[v].size_bytes * self.prices.round_trip_byte for v in choice.spilled
        )
        for name in choice.regions:
            seconds += sum(
                self.prices.of(self.step.ops[op]) for op in range(*self.step.spans[name])
            )
        return seconds

    def _keepable(self, choice: Lowering) -> Iterator[int]:
        """Yield the operations whose results a checkpoint may keep, most seconds a byte first.

        Not random draws: one that is kept would leave the generator where it was for the next.
        """
        ops = [
            op
            for name in choice.regions
            for op in range(*self.step.spans[name])
            if self.step.ops[op].writes
            and not self.step.ops[op].random
            and not any(self.step.values[v].mutated for v in self.step.ops[op].writes)
        ]

        def value(op: int) -> tuple[float, int]:
            known = self.step.ops[op]
            size = sum(self.step.values[v].size_bytes for v in known.writes)
            return -self.prices.of(known) / max(1, size), op

        yield from sorted(ops, key=value)


def _parts(choice: Lowering) -> list[Lowering]:
    return [
        *(Lowering(regions=frozenset({name})) for name in sorted(choice.regions)),
        *(Lowering(spilled=frozenset({value})) for value in sorted(choice.spilled)),
    ]


def _joined(one: Lowering, other: Lowering) -> Lowering:
    return Lowering(
        regions=one.regions | other.regions,
        kept=one.kept | other.kept,
        spilled=one.spilled | other.spilled,
    )


def _without(one: Lowering, other: Lowering) -> Lowering:
    return attrs.evolve(
        one, regions=one.regions - other.regions, spilled=one.spilled - other.spilled
    )
