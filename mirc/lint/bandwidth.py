"""The rule about what deadlines need of a machine's links together."""

from collections.abc import Iterator

from mirc.diagnostics import Severity
from mirc.ir.enums import DeadlineClass
from mirc.ir.module import Block, Phase
from mirc.ir.resolve import read
from mirc.lint.context import Context
from mirc.lint.holding import AT_LOAD, Holding, Place, places
from mirc.lint.rule import Found, LintRule
from mirc.lint.sizes import human
from mirc.lint.times import PS_PER_US, ROUNDED, duration, near_and_nearer, period_us_of
from mirc.machine import Machine
from mirc.machine.roofline import step_ps
from mirc.machine.transfers import PS_PER_S


class DeadlinesBeyondLinks(LintRule):
    """HARD deadlines that all links together cannot meet: in each run some reader waits.

    What a run reads of objects with a HARD deadline was near when it began or comes in during it.
    Near and nearer memory hold at most what they have; the rest must cross, in the time of one
    run: its `period_us` in the plan, else its roofline time. The links are taken at their highest
    rates, all at once. Objects that exist at load count, whole reads of them only, at the least
    size that they may have. The file is not wrong: the model is larger than the machine, and some
    of its promises are broken as counted misses.
    """

    code = "MIR612"
    name = "deadlines-beyond-links"
    severity = Severity.HINT
    message = (
        "each run of `{phase}` must bring in {crossing} for HARD deadlines: that takes {time} on "
        "{machine}, and a run takes {period}"
    )
    hint = "say `deadline_class = SOFT` where a reader may wait, or plan for a larger machine"
    bad = """
object a { class = WEIGHT_TILE  size_bytes = 12GiB }
object b { class = WEIGHT_TILE  size_bytes = 12GiB }
phase p {
  step s { reads = [a]  flops = 10_000_000 }
  step t { reads = [b]  flops = 10_000_000 }
}
"""
    good = """
object a { class = WEIGHT_TILE  size_bytes = 12GiB }
object b { class = WEIGHT_TILE  size_bytes = 12GiB  deadline_class = SOFT }
phase p {
  step s { reads = [a]  flops = 10_000_000 }
  step t { reads = [b]  flops = 10_000_000 }
}
"""
    machine = "card-24g"

    def _findings(self, context: Context) -> Iterator[Found]:
        planned = {place.machine.name for place in places(context) if place.plan is not None}
        for place in places(context):
            if place.plan is None and place.machine.name in planned:
                continue  # the plan knows better how long a run takes
            rate = inflow_bytes_per_s(place.machine)
            room = sum(memory.usable_bytes for memory in near_and_nearer(place.machine))
            for phase in context.module.phases.values() if rate else ():
                crossing = _hard_bytes(context, phase, place) - room
                if crossing <= 0:
                    continue
                period = period_us_of(context, place.plan, phase.name)
                if period is None:
                    period = _roofline_us(context, phase, place)
                time = crossing / rate * PS_PER_S / PS_PER_US
                if time > period * ROUNDED:
                    block, key = _clock(context, phase, place)
                    yield self.at(
                        block,
                        key,
                        phase=phase.name,
                        crossing=human(crossing),
                        machine=place.machine.name,
                        time=duration(time),
                        period=duration(period),
                    )


def inflow_bytes_per_s(machine: Machine) -> float:
    """Return the most that all links bring into near memory; those of one root take turns."""
    nearer = {memory.name for memory in near_and_nearer(machine)}
    peaks: dict[str, float] = {}
    for link in machine.links:
        if link.target == machine.near.name and link.source not in nearer:
            root = link.root or f"link {link.name}"
            peaks[root] = max(peaks.get(root, 0.0), link.peak_bytes_per_s)
    return sum(peaks.values())


def _clock(context: Context, phase: Phase, place: Place) -> tuple[Block, str | None]:
    """Return where the time of a run is written: in the plan, or nowhere but by the phase."""
    if place.plan is not None:
        for part in context.module.plans[place.plan].phases:
            if part.name == phase.name and part.value("period_us") is not None:
                return part, "period_us"
    return phase, None


def _hard_bytes(context: Context, phase: Phase, place: Place) -> int:
    """Return the bytes that a run reads whole, by HARD deadlines, of what exists at load."""
    holding = context.once(Holding)
    said, size_of = holding.said, holding.needs.sizes(phase, place.plan)
    return sum(
        size_of(name)
        for name in holding.needs.uses(phase, place.plan)
        if name not in context.module.templates
        and said.class_of(name) in AT_LOAD
        and said.value(name, "deadline_class", phase.name, place.plan) is DeadlineClass.HARD
    )


def _roofline_us(context: Context, phase: Phase, place: Place) -> float:
    """Return the time of one run with all its operands near."""
    needs = context.once(Holding).needs
    info, batch = context.module.info, needs.batch(phase)
    dtype = str((info and read(info, "dtype")) or "bfloat16")
    total = 0
    for step, need in zip(phase.steps, needs.of(phase, place.plan), strict=True):
        near_bytes = (
            sum(need.wholes.values())
            + sum(part.size_bytes for part in need.partial.values())
            + batch.amount(read(step, "traffic_bytes"))
        )
        flops = batch.amount(read(step, "flops"))
        total += step_ps(place.machine, flops, read(step, "work"), dtype, near_bytes)
    return total / PS_PER_US
