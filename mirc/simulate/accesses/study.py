"""A trace of accesses, policies and capacities into a row of figures for each pair."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import attrs
import numpy as np

from mirc.controller.own import is_own
from mirc.diagnostics import CouldNotRun
from mirc.kernels.replacement.state import LRU
from mirc.machine.load import load
from mirc.simulate.accesses.hits import Count, count_hits, rule_named
from mirc.simulate.accesses.model import NOTHING, Accesses
from mirc.simulate.accesses.rig import Settings
from mirc.simulate.accesses.timed import PYTHON, Player, Timed, next_uses
from mirc.simulate.curves import Curve, curve

Tell: TypeAlias = Callable[[str], None] | None

CHUNK = 1 << 22
PYTHON_ACCESSES = 20_000
CURVE_POINTS = 25


@attrs.frozen(kw_only=True)
class Asked:
    """What is replayed: rules by name, each at each capacity, in objects or in bytes.

    With ``machine`` the capacities are of its near memory, in bytes, and accesses take time as
    ``settings`` say; without one, hits are counted.
    """

    policies: tuple[str, ...] = ("lru",)
    capacities: tuple[int, ...] = ()
    in_bytes: bool = False
    machine: str | None = None
    settings: Settings = attrs.field(factory=Settings)
    curve: bool = False


@attrs.frozen(kw_only=True, eq=False)
class Row:
    """One policy at one capacity: what was counted, and on a machine what came of it."""

    policy: str
    oracle: bool
    capacity: int
    count: Count | None = None
    timed: Timed | None = None


@attrs.frozen(kw_only=True, eq=False)
class Replayed:
    """All of it."""

    trace: str
    accesses: int
    objects: int
    total_bytes: int
    asked: Asked
    rows: tuple[Row, ...]
    curve: Curve | None = None


def replayed(name: str, accesses: Accesses, asked: Asked, tell: Tell = None) -> Replayed:
    """Replay; raises CouldNotRun for a rule or a machine that does not exist, or cannot do it."""
    oracle = any(not is_own(policy) and rule_named(policy).oracle for policy in asked.policies)
    uses = next_uses(accesses.ids) if oracle else NOTHING
    capacities = asked.capacities or (_default_capacity(accesses, asked),)
    rows = []
    for policy in asked.policies:
        for capacity in capacities:
            if tell is not None:
                tell(f"{policy} at {capacity:_}")
            rows.append(_row(accesses, policy, capacity, asked, uses, tell))
    return Replayed(
        trace=name,
        accesses=accesses.count,
        objects=accesses.objects,
        total_bytes=int(accesses.size_bytes.sum()),
        asked=asked,
        rows=tuple(rows),
        curve=_curve(accesses, asked) if asked.curve else None,
    )


def _default_capacity(accesses: Accesses, asked: Asked) -> int:
    if asked.machine is not None:
        return load(asked.machine).near.usable_bytes
    return max(1, (int(accesses.size_bytes.sum()) if asked.in_bytes else accesses.objects) // 10)


def _row(  # noqa: PLR0917 - one call, and each is a thing of its own
    accesses: Accesses,
    policy: str,
    capacity: int,
    asked: Asked,
    uses: np.ndarray[tuple[int], np.dtype[np.int64]],
    tell: Tell,
) -> Row:
    if asked.machine is None:
        count = count_hits(
            accesses.ids,
            policy,
            capacity,
            size=accesses.size_bytes if asked.in_bytes else None,
            next_use=uses if len(uses) else None,
        )
        return Row(policy=policy, oracle=count.oracle, capacity=capacity, count=count)
    if is_own(policy):
        raise CouldNotRun(
            f"`{policy}` is your own, and on a machine only built-in rules are replayed",
            "leave out `--machine`: hits are counted for it",
        )
    rule = rule_named(policy)
    settings = attrs.evolve(
        asked.settings,
        near_bytes=capacity,
        rule=rule.number,
        variant=rule.variant,
        rule_below=LRU if rule.oracle else rule.number,
    )
    timed = _timed(asked.machine, accesses, settings, uses if rule.oracle else NOTHING, tell)
    return Row(policy=policy, oracle=rule.oracle, capacity=capacity, timed=timed)


def _timed(
    machine: str,
    accesses: Accesses,
    settings: Settings,
    uses: np.ndarray[tuple[int], np.dtype[np.int64]],
    tell: Tell,
) -> Timed:
    path = {"path": PYTHON} if accesses.count <= PYTHON_ACCESSES else {}
    player = Player(load(machine), accesses.size_bytes, settings, **path)
    for begin in range(0, accesses.count, CHUNK):
        count = min(CHUNK, accesses.count - begin)
        ahead = slice(begin, begin + count + settings.lookahead)
        chunk = attrs.evolve(
            accesses,
            ids=accesses.ids[ahead],
            what=accesses.what[ahead],
            at_ps=accesses.at_ps[ahead],
        )
        player.play(chunk, count, uses[ahead])
        if tell is not None and accesses.count > CHUNK:
            tell(f"{begin + count:_} of {accesses.count:_} accesses")
    return player.end()


def _curve(accesses: Accesses, asked: Asked) -> Curve:
    sizes = accesses.size_bytes if asked.in_bytes else np.ones(accesses.objects, dtype=np.int64)
    least, most = max(1, int(sizes.max())), max(1, int(sizes.sum()))
    points = np.unique(np.rint(np.geomspace(least, max(least, most), CURVE_POINTS)))
    return curve(accesses.ids, sizes, _whole(points, asked.capacities))


def _whole(
    points: np.ndarray[tuple[int], np.dtype[np.float64]], more: Sequence[int]
) -> tuple[int, ...]:
    return (*points.astype(np.int64).tolist(), *more)
