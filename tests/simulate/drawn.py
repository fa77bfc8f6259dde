"""Random workloads, rows and machines for the properties of the engine."""

from random import Random

import attrs
import numpy as np
from hypothesis import strategies as st

from mirc.controller.descriptors import HELD_FAST, Descriptors
from mirc.machine import Machine
from mirc.simulate.model import Workload
from tests.simulate.scenes import Step, machine, rows, workload


@attrs.frozen
class Drawn:
    """A workload before it is laid out, and what surrounds it."""

    sizes: list[int]
    made: list[bool]
    steps: list[Step]
    known: Descriptors
    machine: Machine
    fast: frozenset[int]

    @property
    def load(self) -> Workload:
        """Lay the steps out."""
        return workload(self.sizes, self.made, self.steps)


def need(sizes: list[int], step: Step) -> int:
    """Return the near bytes that a step cannot do without."""
    return sum(sizes[o] for o in {*step.reads, *step.writes, *step.creates}) + step.transient


def steps(made: list[bool], count: int, dice: Random, begun: int = 0) -> list[Step]:
    """Roll ``count`` steps, the first at position ``begun`` of its phase."""
    found = []
    position, phase = begun, dice.randrange(2)
    for _ in range(count):
        if position and dice.randrange(5) == 0:
            position, phase = 0, dice.randrange(2)
        uses = dice.sample(range(len(made)), dice.randint(0, min(4, len(made))))
        kinds = {o: dice.randrange(3) if made[o] else int(dice.random() < 0.2) for o in uses}
        found.append(
            Step(
                reads=[o for o in uses if kinds[o] == 0],
                writes=[o for o in uses if kinds[o] == 1],
                creates=[o for o in uses if kinds[o] == 2],
                retires=[o for o in range(len(made)) if dice.randrange(12) == 0],
                compute_ps=dice.choice([0, 3, 15, 60]) * 1_000_000,
                transient=dice.choice([0, 0, 15]),
                phase=phase,
                position=position,
            )
        )
        position += 1
    return found


def _likely(known: Descriptors, chances: list[float], dice: Random) -> Descriptors:
    """Let some objects be unlikely, and half of them belong together."""
    probability = np.array(chances)
    together = tuple(o for o in range(len(chances)) if dice.random() < 0.5)
    return attrs.evolve(
        known,
        probability=probability,
        phases=tuple(attrs.evolve(rows_, probability=probability) for rows_ in known.phases),
        mates=(together,),
        caps_bytes=(dice.choice([0, 40]),),
    )


@st.composite
def scenes(draw: st.DrawFn, most_steps: int = 40, *, held: bool = True) -> Drawn:
    """Draw a whole scene; its near memory holds every step and little more."""
    count = draw(st.integers(1, 9))
    sizes = draw(st.lists(st.integers(1, 60), min_size=count, max_size=count))
    made = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    dice = Random(draw(st.integers(0, 2**32)))  # noqa: S311 - rolled, not kept secret
    played = steps(made, draw(st.integers(1, most_steps)), dice)
    fast = frozenset(draw(st.lists(st.sampled_from(range(count)), max_size=1)) if held else [])
    room = max(need(sizes, s) for s in played) + sum(sizes[o] for o in fast)
    # Every master fits into NVMe; DRAM holds some of them, and what passes through.
    tall = draw(st.booleans())
    where = machine(
        room + draw(st.integers(1, 60)),
        reserve=draw(st.integers(0, 9)),
        in_rate=draw(st.sampled_from([1e6, 5e6])),
        out_rate=draw(st.sampled_from([5e5, 5e6])),
        dram=4 * max(sizes) + draw(st.integers(1, 60)) if tall else 10_000,
        nvme=10_000 if tall else 0,
        latency_ns=draw(st.sampled_from([0.0, 700.0])),
        direct_rate=draw(st.sampled_from([0.0, 4e5])) if tall else 0.0,
        root=draw(st.sampled_from([None, "pcie"])),
    )
    first = {
        phase: {o: float(dice.randrange(90)) for o in range(count) if dice.random() < 0.7}
        for phase in (0, 1)
    }
    load = workload(sizes, made, [*played, Step(phase=1), Step(phase=0)])
    again_share = draw(st.sampled_from([0.0, 0.6]))
    again = {o: dice.choice([0.0, 5.0, 60.0]) for o in range(count) if dice.random() < again_share}
    known = rows(
        load,
        first_us=first,
        period_us=100.0,
        strength=dict.fromkeys(fast, HELD_FAST),
        remake_us=again,
        departs=[o for o in range(count) if dice.random() < again_share],
        unpack_us={o: 3.0 for o in range(count) if dice.random() < again_share / 4},
    )
    if draw(st.booleans()):
        known = _likely(known, [dice.choice([0.1, 0.4, 1.0]) for _ in sizes], dice)
    return Drawn(sizes, made, played, known, where, fast)
