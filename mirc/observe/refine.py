"""A module and the observation of one run into the changes that make its estimates agree."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.ir import Block, Module, Override, families_of
from mirc.ir.resolve import Layer, read
from mirc.ir.values import Value
from mirc.observe.compare import Mismatch, Sighting, mismatch
from mirc.observe.estimates import Estimate, Timing, estimates
from mirc.observe.staying import exchanged
from mirc.observe.wishes import Wish, wishes

REFINED = (
    "reuse",
    "route_probability",
    "first_use_us",
    "last_use_us",
    "period_us",
    "prefetch_horizon_us",
    "residency",
)
"""Keys that are changed: estimates, and what a plan chose by them. Facts, hints and promises never
are."""


@attrs.frozen
class Address:
    """The block in which a field stands, or will: an override of ``target`` in a layer.

    ``layer`` is () for the declaration itself, (phase,) for a phase, (plan, phase) for the plan's
    and (plan,) for the plan itself. Without a target it is the plan's phase.
    """

    layer: tuple[str, ...]
    target: str


@attrs.frozen(kw_only=True)
class Change:
    """One field of one block, as it was (None where it was not written) and as it becomes.

    No other key than those of ``REFINED`` can be changed.
    """

    address: Address
    key: str = attrs.field(validator=attrs.validators.in_(REFINED))
    before: tuple[Value, float | None] | None
    after: tuple[Value, float | None]
    why: str


@attrs.frozen(kw_only=True)
class Refinement:
    """Changes in the order in which they were found; ``before`` is None where nothing is scored."""

    changes: tuple[Change, ...]
    sighting: Sighting
    before: Mismatch | None

    def after(self, source: Source) -> Mismatch | None:
        """Return the mismatch of a text with the changes; steps and schedule are the same."""
        seen = self.sighting
        again = estimates(load(source), seen.expected, seen.observation, seen.plan)
        return mismatch(one for one in again if isinstance(one, Estimate))


def refine(module: Module, seen: Iterable[Sighting], name: str) -> Refinement:
    """Return what the run in ``seen`` says against the estimates of the module.

    An estimate that the run does not contradict stays. One that holds for several phases or objects
    of which the run says different things is overridden where it says them. Raises CouldNotRun if
    ``name``, as messages call the observation, holds other than one run.
    """
    runs = list(seen)
    if len(runs) != 1:
        raise CouldNotRun(
            f"`{name}` holds {len(runs)} runs, and a file is refined from one",
            "record one policy on one machine: `mirc simulate -M NAME --policy intent --record`",
        )
    (run,) = runs
    found = [
        one
        for one in estimates(module, run.expected, run.observation, run.plan)
        if isinstance(one, Estimate)
    ]
    decided = _Decided(module, run.plan)
    for wish in wishes(found):
        decided.take(wish)
    changes = (*decided.changes(), *_moved(module, run.plan, found, decided))
    return Refinement(
        changes=(*changes, *_kept_near(module, run.plan, found, changes)),
        sighting=run,
        before=mismatch(found),
    )


class _Decided:
    """Wishes by the places where they were written."""

    def __init__(self, module: Module, plan: str | None) -> None:
        self.module = module
        self.plan = plan
        self.at: dict[tuple[Address, str], list[Wish]] = {}
        self.times: dict[str, list[tuple[float, float]]] = {}  # by phase: said, and seen
        self.overrides: dict[tuple[str, ...], Mapping[str, Override]] = {
            (phase.name,): {each.name: each for each in phase.overrides}
            for phase in module.phases.values()
        }
        if plan is not None:
            chosen = module.plans[plan]
            self.overrides[plan, ""] = {each.name: each for each in chosen.overrides}
            for part in chosen.phases:
                self.overrides[plan, part.name] = {each.name: each for each in part.overrides}

    def take(self, wish: Wish) -> None:
        """Enter what an estimate should say."""
        one = wish.estimate
        self.at.setdefault((self._address(one), one.field), []).append(wish)
        if isinstance(one, Timing) and wish.why and isinstance(wish.value, float):
            self.times.setdefault(one.phase, []).append((one.value, wish.value))

    def changes(self) -> Iterator[Change]:
        """Yield the changes: in place where all who are meant agree, else for each apart."""
        for (address, key), said in self.at.items():
            first = said[0]
            if all(wish.said == first.said and wish.why for wish in said):
                yield from self._change(address, key, first)
                continue
            for wish in said:
                if wish.value is not None:
                    yield from self._change(self._apart(wish.estimate), key, wish)

    def _change(self, address: Address, key: str, wish: Wish) -> Iterator[Change]:
        written = wish.estimate.origin.field
        value = wish.value
        if value is None and written is not None:
            value = written.value
        if value is None:
            return  # only a confidence was wished, of a default that bears none
        before = None if written is None else (written.value, written.confidence)
        if before != (value, wish.confidence):
            yield Change(
                address=address,
                key=key,
                before=before,
                after=(value, wish.confidence),
                why=wish.why,
            )

    def _address(self, one: Estimate) -> Address:
        match one.origin.layer:
            case Layer.PHASE:
                return self._override((one.phase,), one.object, one.field)
            case Layer.PLAN:
                return self._override((self.plan or "", ""), one.object, one.field)
            case Layer.PLAN_PHASE if one.field == "period_us":
                return Address((self.plan or "", one.phase), "")
            case Layer.PLAN_PHASE:
                return self._override((self.plan or "", one.phase), one.object, one.field)
            case _:
                return Address((), one.object)

    def _override(self, layer: tuple[str, ...], name: str, key: str) -> Address:
        """Find which override of a layer speaks for an object: its own or a family's."""
        there = self.overrides[layer]
        for target in (name, *families_of(name)):
            if target in there and there[target].value(key) is not None:
                return Address(layer, target)
        return Address(layer, name)

    def _apart(self, one: Estimate) -> Address:
        """Return where an estimate of one object in one phase takes the place of a shared one."""
        if one.origin.layer is Layer.PLAN_PHASE:
            return Address((self.plan or "", one.phase), one.object)
        return Address((one.phase,), one.object)


def _moved(
    module: Module, plan: str | None, found: Sequence[Estimate], decided: _Decided
) -> Iterator[Change]:
    """Yield the other times of phases whose clock changed: of what was not seen, and horizons."""
    if plan is None:
        return
    seen = {(one.object, one.phase) for one in found if isinstance(one, Timing)}
    for part in module.plans[plan].phases:
        pairs = decided.times.get(part.name)
        if not pairs:
            continue
        clock = _Clock(pairs)
        for override in part.overrides:
            for field in override.fields:
                if field.key == "prefetch_horizon_us":
                    value = round(float(read(override, field.key)) * clock.pace, 3)
                    why = f"on the plan's clock, which goes {clock.pace:.3g} times as far"
                elif field.key in ("first_use_us", "last_use_us") and (
                    (override.name, part.name) not in seen
                ):
                    value = clock.at(float(read(override, field.key)))
                    why = "not used in the run: moved with what is"
                else:
                    continue
                if value != field.value:
                    yield Change(
                        address=Address((plan, part.name), override.name),
                        key=field.key,
                        before=(field.value, field.confidence),
                        after=(value, field.confidence),
                        why=why,
                    )


def _kept_near(
    module: Module, plan: str | None, found: Sequence[Estimate], changes: Iterable[Change]
) -> Iterator[Change]:
    """Yield which routed parts the plan keeps near, in phases of which chances changed."""
    changed = {
        change.address.target: change.after[0]
        for change in changes
        if change.key == "route_probability"
    }
    if plan is None or not changed:
        return
    chances: dict[str, dict[str, float]] = {}
    for one in found:
        if one.field == "route_probability":
            value = changed.get(one.object, one.value)
            number = float(value) if isinstance(value, int | float) else one.observed
            chances.setdefault(one.phase, {})[one.object] = number
    for part in module.plans[plan].phases:
        chance = chances.get(part.name, {})
        if changed.keys() & chance.keys():
            for name, before, after in exchanged(module, part, chance.get):
                yield Change(
                    address=Address((plan, part.name), name),
                    key="residency",
                    before=(before, None),
                    after=(after, None),
                    why="as many stay near as before, the likeliest",
                )


class _Clock:
    """Planned times into observed ones, linear between those that were seen."""

    def __init__(self, pairs: Iterable[tuple[float, float]]) -> None:
        latest: dict[float, float] = {}
        for said, seen in pairs:
            latest[said] = max(seen, latest.get(said, 0.0))
        self.said = sorted(latest)
        self.seen = [latest[said] for said in self.said]
        self.pace = self.seen[-1] / self.said[-1] if self.said[-1] else 1.0

    def at(self, said: float) -> float:
        """Return when something planned for then is to be expected."""
        place = bisect_right(self.said, said) - 1
        if place < 0:
            return round(min(said, self.seen[0]), 3)
        if place == len(self.said) - 1:
            return round(self.seen[-1] + said - self.said[-1], 3)
        low, high = self.said[place], self.said[place + 1]
        part = (said - low) / (high - low)
        return round(self.seen[place] + part * (self.seen[place + 1] - self.seen[place]), 3)


def block_at(module: Module, address: Address) -> Block | None:
    """Return the block of an address; None where it has to be made."""
    match address.layer:
        case ():
            return module.data[address.target]
        case (phase,):
            overrides: Iterable[Override] = module.phases[phase].overrides
        case (plan, ""):
            overrides = module.plans[plan].overrides
        case (plan, phase):
            part = next(each for each in module.plans[plan].phases if each.name == phase)
            if not address.target:
                return part
            overrides = part.overrides
        case _:
            raise AssertionError(address)
    return next((each for each in overrides if each.name == address.target), None)
