"""A whole deployment, drawn: machine, objects, plan, tenants, rules, claims and ladders."""

from random import Random

import attrs
import numpy as np

from mirc.claims import Block, Terms
from mirc.controller.descriptors import HELD_FAST, Descriptors
from mirc.controller.precision.units import Unit
from mirc.controller.signals import Guard
from mirc.ir.enums import ClaimLoss, Guarantee
from mirc.machine import Machine
from mirc.simulate.ladders import Managed
from tests.simulate.drawn import need
from tests.simulate.scenes import Step, machine, rows, workload

EVENTS = ("GO", "STOP")  # what ends protections and claims
SIGNAL = "SURGE"  # what changes strengths
PHASES = 3
FOREVER = None


@attrs.frozen(kw_only=True)
class Deployment:
    """What is drawn before the first step; ``repertoire`` is every step that can come.

    ``amply`` tells that whatever must be near together fits, and that all of it fits below.
    """

    policy: str
    sizes: list[int]
    made: list[bool]
    whose: list[int]
    repertoire: list[Step]
    known: Descriptors
    machine: Machine
    fast: frozenset[int]
    guards: tuple[tuple[Guard, ...], ...]
    surge: dict[int, int]
    fanout: list[list[int]]
    claims: list[Terms]
    ladders: list[Managed]
    speed: bool
    amply: bool

    @property
    def count(self) -> int:
        """How many objects there are."""
        return len(self.sizes)


def drawn_terms(dice: Random, name: str, sizes: list[int]) -> Terms:
    """Roll a claim on one to five objects."""
    objects = dice.sample(range(len(sizes)), dice.randint(1, min(5, len(sizes))))
    return Terms(
        name=name,
        holder="gateway",
        blocks=tuple(Block(o, sizes[o]) for o in objects),
        guarantee=dice.choice([Guarantee.SOFT, Guarantee.SOFT, Guarantee.HARD]),
        on_loss=dice.choice(list(ClaimLoss)),
        tenant=dice.choice([None, "a"]),
        priority=dice.randint(0, 100),
        lasts=dice.choice([FOREVER, FOREVER, FOREVER, 900_000_000]),
        until=dice.choice([None, None, None, None, *EVENTS]),
        least=dice.choice([None, 1]),
        revision=dice.randint(0, 3),
    )


def deployment(dice: Random, policy: str) -> Deployment:
    """Roll all of it; rules, claims, quotas and ladders are known to intent alone."""
    told = policy == "intent"
    count = dice.randint(3, 9)
    sizes = [dice.randint(8, 60) for _ in range(count)]
    made = [dice.random() < 0.4 for _ in range(count)]
    whose = [dice.choice([-1, 0, 1]) if told else -1 for _ in range(count)]
    repertoire = [_step(dice, made) for _ in range(7)]
    fast = frozenset(dice.sample(range(count), dice.randint(0, 1)))
    fast = fast if policy in ("intent", "static", "regret") else frozenset()
    guards = tuple(tuple(_guards(dice, count)) if told else () for _ in range(PHASES))
    surged = dice.sample(range(count), 2) if told and dice.random() < 0.5 else []
    surge = {o: dice.choice([0, 3, 5, HELD_FAST]) for o in surged}
    held = fast | {each.object for of in guards for each in of}
    held |= {o for o, strength in surge.items() if strength == HELD_FAST}
    amply, tall = dice.random() < 0.7, dice.random() < 0.5
    least = max(need(sizes, step) for step in repertoire)
    near = least + sum(sizes[o] for o in (held if amply else fast))
    near += dice.randint(1, 30) if dice.random() < 0.7 else dice.randint(30, 150)
    # Where there is not ample room below, DRAM holds some masters and what passes through.
    tight = not amply and tall
    where = machine(
        near,
        reserve=dice.randint(0, 9),
        in_rate=dice.choice([1e6, 5e6]),
        out_rate=dice.choice([5e5, 5e6]),
        dram=4 * max(sizes) + dice.randint(1, 60) if tight else 10_000,
        nvme=10_000 if tall else 0,
        latency_ns=dice.choice([0.0, 700.0]),
        direct_rate=dice.choice([0.0, 4e5]) if tall else 0.0,
        root=dice.choice([None, "pcie"]),
    )
    quotas = tuple(
        (name, _quota(sizes, repertoire, {o for o in range(count) if whose[o] == number}, held))
        for number, name in enumerate("ab")
    )
    claims = [drawn_terms(dice, name, sizes) for name in "pq"] if told else []
    return Deployment(
        policy=policy,
        sizes=sizes,
        made=made,
        whose=whose,
        repertoire=repertoire,
        known=_known(dice, sizes, made, fast, quotas if told else (), whose),
        machine=where,
        fast=fast,
        guards=guards,
        surge=surge,
        fanout=[[dice.randint(0, 3) for _ in sizes] for _ in range(PHASES)],
        claims=claims if dice.random() < 0.8 else [],
        ladders=_ladders(dice, sizes, made) if told and dice.random() < 0.7 else [],
        speed=dice.random() < 0.5,
        amply=amply,
    )


def _step(dice: Random, made: list[bool]) -> Step:
    uses = dice.sample(range(len(made)), dice.randint(0, min(4, len(made))))
    kinds = {o: dice.randrange(3) if made[o] else int(dice.random() < 0.2) for o in uses}
    return Step(
        reads=[o for o in uses if kinds[o] == 0],
        writes=[o for o in uses if kinds[o] == 1],
        creates=[o for o in uses if kinds[o] == 2],
        retires=[o for o in range(len(made)) if made[o] and dice.randrange(9) == 0],
        compute_ps=dice.choice([0, 3, 15, 60]) * 1_000_000,
        transient=dice.choice([0, 0, 15]),
    )


def _guards(dice: Random, count: int) -> list[Guard]:
    found = []
    for o in dice.sample(range(min(3, count)), dice.randint(0, 2)):  # often of several phases
        until = dice.random() < 0.6
        word = dice.choice(EVENTS) if until else dice.choice(["FANOUT_GT", "FANOUT_GE", "DIRTY"])
        barred = dice.choice([0, 0, 1 << 1])
        found.append(Guard(object=o, until=until, word=word, bound=1, barred=barred))
    return found


def _quota(sizes: list[int], repertoire: list[Step], own: set[int], held: frozenset[int]) -> int:
    """Return what the tenant's part of each step needs beside what of it is held."""
    most = 0
    for step in repertoire:
        uses = {*step.reads, *step.writes, *step.creates} & own
        most = max(most, sum(sizes[o] for o in uses | (held & own)))
    return most + 7


def _known(  # noqa: PLR0917
    dice: Random,
    sizes: list[int],
    made: list[bool],
    fast: frozenset[int],
    quotas: tuple[tuple[str, int], ...],
    whose: list[int],
) -> Descriptors:
    objects = range(len(sizes))
    phases = [Step(phase=phase) for phase in range(PHASES)]
    share = dice.choice([0.0, 0.6])
    strength = {o: dice.randrange(HELD_FAST) for o in objects if dice.random() < share}
    strength |= dict.fromkeys(fast, HELD_FAST)
    known = rows(
        workload(sizes, made, phases),
        first_us={
            phase: {o: float(dice.randrange(90)) for o in objects if dice.random() < 0.7}
            for phase in range(PHASES)
        },
        period_us=100.0,
        strength=strength,
        remake_us={o: dice.choice([0.0, 5.0, 60.0]) for o in objects if dice.random() < share},
        departs=[o for o in objects if dice.random() < share],
        unpack_us={o: 3.0 for o in objects if dice.random() < share / 4},
    )
    chances = np.array([dice.choice([0.1, 0.4, 1.0, 1.0]) for _ in objects])
    phases_ = tuple(attrs.evolve(each, probability=chances) for each in known.phases)
    mates = [
        tuple(o for o in objects if whose[o] == tenant and dice.random() < 0.5)
        for tenant in (-1, 0, 1)
    ]
    mates = [each for each in mates if len(each) > 1]
    return attrs.evolve(
        known,
        probability=chances,
        phases=phases_,
        mates=tuple(mates),
        caps_bytes=tuple(dice.choice([0, 40]) for _ in mates),
        quotas=quotas,
        tenant=np.array(whose if quotas else [-1] * len(sizes), dtype=np.int64),
    )


def _ladders(dice: Random, sizes: list[int], made: list[bool]) -> list[Managed]:
    return [
        Managed(
            object=o,
            unit=Unit(
                name=f"o{o}",
                rungs=(size, size // 2, size // 4),
                floor=dice.randint(0, 2),
                sensitivity=dice.choice([0.05, 0.25, 0.75]),
            ),
            dtypes=("bfloat16", "float8_e4m3fn", "int4"),
            chosen=dice.choice([0.05, 1.0]),
        )
        for o, size in enumerate(sizes)
        if not made[o] and dice.random() < 0.7
    ]
