"""A trace of accesses, policies and capacities into a row of figures for each pair."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import TypeAlias

import attrs
import numpy as np

from mirc.controller.own import is_own
from mirc.diagnostics import CouldNotRun
from mirc.kernels.replacement.state import LRU
from mirc.kernels.world import Table
from mirc.machine.load import load
from mirc.simulate.accesses import hits
from mirc.simulate.accesses.futures import futures_of
from mirc.simulate.accesses.hits import Count, Counting, rule_named
from mirc.simulate.accesses.model import NOTHING, Trace, overlapped
from mirc.simulate.accesses.rig import Settings
from mirc.simulate.accesses.timed import COMPILED, PYTHON, Player, Timed
from mirc.simulate.curves import Curve, curve_in_parts

Tell: TypeAlias = Callable[[str], None] | None

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


@attrs.frozen(kw_only=True)
class Blocks:
    """What an id stands for: so many tokens in the caches of every template of a model."""

    model: str
    templates: int
    tokens: int
    size_bytes: int


@attrs.frozen(kw_only=True)
class Missing:
    """A run that has no row, and why: it could not be, or was interrupted."""

    policy: str
    capacity: int
    why: str


@attrs.frozen(kw_only=True, eq=False)
class Replayed:
    """All of it: ``rows`` of what ran, and ``missing``, what did not.

    ``stopped`` is what ended it before all ran, or what was wrong with the trace; None if nothing.
    """

    trace: str
    accesses: int
    objects: int
    total_bytes: int
    asked: Asked
    rows: tuple[Row, ...]
    missing: tuple[Missing, ...] = ()
    curve: Curve | None = None
    cut: str = ""
    stopped: BaseException | None = None
    blocks: Blocks | None = None


def replayed(name: str, trace: Trace, asked: Asked, tell: Tell = None) -> Replayed:
    """Replay; a run that cannot be, or is interrupted, leaves the rows of others as they are.

    Raises CouldNotRun for a rule or a machine that does not exist, and if no run can be.
    """
    rules = [rule_named(policy) for policy in asked.policies if not is_own(policy)]
    capacities = asked.capacities or (_default_capacity(trace, asked),)
    uses = futures_of(trace) if any(rule.oracle for rule in rules) else NOTHING
    rows: list[Row] = []
    missing: list[Missing] = []
    stopped: BaseException | None = trace.cut
    drawn = None
    try:
        for policy, capacity in product(asked.policies, capacities):
            run = _Run(policy, capacity)
            if isinstance(stopped, _FINAL):
                missing.append(run.missing("it did not begin"))
                continue
            try:
                rows.append(_row(trace, run, asked, uses, tell))
            except CouldNotRun as error:
                stopped = error
                missing.append(run.missing(error.message))
            except _FINAL as error:
                stopped = error
                missing.append(run.missing(f"{_why(error)} after {run.done:_} accesses"))
        if asked.curve and not isinstance(stopped, _FINAL):
            drawn = _curve(trace, asked)
    except _FINAL as error:
        stopped = error
    if stopped is not None and not rows:
        raise stopped
    return Replayed(
        trace=name,
        accesses=trace.count,
        objects=trace.objects,
        total_bytes=int(trace.size_bytes.sum()),
        asked=asked,
        rows=tuple(rows),
        missing=tuple(missing),
        curve=drawn,
        cut="" if trace.cut is None else trace.cut.message,
        stopped=stopped,
    )


_FINAL = (KeyboardInterrupt, MemoryError)


def _why(error: BaseException) -> str:
    return "out of memory" if isinstance(error, MemoryError) else "interrupted"


class _Run:
    """One policy at one capacity, and how far it is."""

    def __init__(self, policy: str, capacity: int) -> None:
        self.policy, self.capacity = policy, capacity
        self.done = 0

    def on(self, count: int, tell: Tell) -> None:
        """Count accesses that were made."""
        self.done += count
        if tell is not None:
            tell(f"{self.policy} at {self.capacity:_}: {self.done:_} accesses")

    def missing(self, why: str) -> Missing:
        """Return why there is no row of it."""
        return Missing(policy=self.policy, capacity=self.capacity, why=why)


def _default_capacity(trace: Trace, asked: Asked) -> int:
    if asked.machine is not None:
        return load(asked.machine).near.usable_bytes
    return max(1, (int(trace.size_bytes.sum()) if asked.in_bytes else trace.objects) // 10)


def _row(trace: Trace, run: _Run, asked: Asked, uses: Table, tell: Tell) -> Row:
    policy, capacity = run.policy, run.capacity
    if asked.machine is None:
        count = _counted(trace, run, asked, uses, tell)
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
    path = PYTHON if trace.count <= PYTHON_ACCESSES else COMPILED
    player = Player(load(asked.machine), trace.size_bytes, settings, path)
    for part, own in overlapped(trace.parts(), settings.lookahead):
        told = uses[run.done : run.done + part.count] if rule.oracle else NOTHING
        player.play(part, own, told)
        run.on(own, tell)
    return Row(policy=policy, oracle=rule.oracle, capacity=capacity, timed=player.end())


def _counted(trace: Trace, run: _Run, asked: Asked, uses: Table, tell: Tell) -> Count:
    smallest = int(trace.size_bytes.min()) if asked.in_bytes else 1
    if run.capacity < smallest:
        raise CouldNotRun(
            f"a cache of {run.capacity:_} bytes holds none of the objects, of which the smallest "
            f"takes {smallest:_}",
            "give it more, or smaller objects with `--object-bytes`",
        )
    counting = Counting(
        trace.objects,
        run.policy,
        run.capacity,
        size=trace.size_bytes if asked.in_bytes else None,
        path=hits.PYTHON if trace.count <= hits.PYTHON_ACCESSES else hits.COMPILED,
    )
    for part in trace.parts():
        told = uses[run.done : run.done + part.count] if counting.oracle else NOTHING
        counting.play(part.ids, told)
        run.on(part.count, tell)
    return counting.end()


def _curve(trace: Trace, asked: Asked) -> Curve:
    sizes = trace.size_bytes if asked.in_bytes else np.ones(trace.objects, dtype=np.int64)
    least, most = max(1, int(sizes.max())), max(1, int(sizes.sum()))
    points = np.unique(np.rint(np.geomspace(least, max(least, most), CURVE_POINTS)))
    parts = (part.ids for part in trace.parts())
    return curve_in_parts(parts, sizes, _whole(points, asked.capacities), accesses=trace.count)


def _whole(
    points: np.ndarray[tuple[int], np.dtype[np.float64]], more: Sequence[int]
) -> tuple[int, ...]:
    return (*points.astype(np.int64).tolist(), *more)
