"""Accesses into the hits of one cache of any rule, without a clock."""

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from mirc.controller.own import is_own, own_policy
from mirc.diagnostics import CouldNotRun
from mirc.kernels.build import compiled
from mirc.kernels.rebind import rebound
from mirc.kernels.replacement.names import RULES, Rule
from mirc.kernels.replacement.replay import (
    COUNTED,
    EVICTED,
    HIT_SIZE,
    HITS,
    PASSED_BY,
    replay,
)
from mirc.kernels.replacement.state import CAPACITY, IDS, SIZE, Replacement, replacement
from mirc.kernels.world import Table
from mirc.simulate.own import in_stead

_NOTHING = np.zeros(0, dtype=np.int64)
COMPILED, PYTHON = "compiled", "python"
PYTHON_ACCESSES = 100_000  # up to which plain Python is sooner done than the kernel is loaded


@attrs.frozen(kw_only=True)
class Count:
    """What came of a run: sizes in the unit of the capacity.

    ``passed_by`` were not taken in: larger than the cache, or an oracle knew better. ``laps`` is
    how often the cache's content was replaced: below 1 a rule has hardly been asked to choose.
    """

    policy: str
    oracle: bool
    capacity: int
    accesses: int
    hits: int
    hit_size: int
    evicted: int
    passed_by: int
    laps: float


def rule_named(name: str) -> Rule:
    """Return a rule by its name; raises CouldNotRun if there is none."""
    if name not in RULES:
        raise CouldNotRun(f"there is no rule `{name}`", f"choose from {', '.join(RULES)}")
    return RULES[name]


def count_hits(
    ids: Table,
    policy: str,
    capacity: int,
    *,
    size: Table | None = None,
    next_use: Table | None = None,
    path: str | None = None,
) -> Count:
    """Play accesses of dense ids; ``policy`` names a rule, or is ``FILE.py:CLASS``.

    ``size`` [n] is 1 of each id where it is left out. An oracle needs ``next_use``: the position of
    the next access to each access's id (see ``next_uses``). ``path`` forces ``compiled`` or
    ``python``. Raises CouldNotRun for a policy that does not exist or fails.
    """
    count = int(ids.max(initial=-1)) + 1
    if path is None:
        path = PYTHON if len(ids) <= PYTHON_ACCESSES else COMPILED
    counting = Counting(count, policy, capacity, size=size, path=path)
    if counting.oracle and next_use is None:
        raise CouldNotRun(f"`{policy}` needs the future", "give it the position of each next use")
    counting.play(ids, _NOTHING if next_use is None else next_use)
    return counting.end()


class Counting:
    """One cache that is handed accesses, part after part, and asked in the end what came of it."""

    def __init__(
        self,
        objects: int,
        policy: str,
        capacity: int,
        *,
        size: Table | None = None,
        path: str = COMPILED,
    ) -> None:
        """Begin with an empty cache; the arguments are those of ``count_hits``."""
        rule = RULES["fifo"] if is_own(policy) else rule_named(policy)
        self.policy, self.capacity, self.oracle = policy, capacity, rule.oracle
        self.accesses = 0
        self._table = replacement(rule.number, objects, capacity, rule.variant)
        if size is not None:
            self._table.cell[SIZE, :objects] = size
        self._mean = float(np.mean(size)) if size is not None and objects else 1.0
        self._counted = np.zeros(COUNTED, dtype=np.int64)
        if is_own(policy):
            self._play = _by_own(policy, self._table)
        else:
            self._play = compiled(replay, self._table) if path == COMPILED else replay

    def play(self, ids: Table, next_use: Table) -> None:
        """Play some accesses more; ``next_use`` counts from the first of all, and may be empty."""
        self._play(self._table, ids, next_use, self._counted)
        self.accesses += len(ids)

    def end(self) -> Count:
        """Return what came of it so far."""
        left, counted = int(self._counted[EVICTED]), self._counted
        return Count(
            policy=self.policy,
            oracle=self.oracle,
            capacity=self.capacity,
            accesses=self.accesses,
            hits=int(counted[HITS]),
            hit_size=int(counted[HIT_SIZE]),
            evicted=left,
            passed_by=int(counted[PASSED_BY]),
            laps=left * self._mean / self.capacity if self.capacity else 0.0,
        )


def _by_own(spelled: str, table: Replacement) -> Callable[..., Any]:
    """Return the loop in which a user's class decides; it is never compiled."""
    theirs = own_policy(spelled, int(table.now[CAPACITY]))
    for x, each in enumerate(table.cell[SIZE, : table.now[IDS]].tolist()):
        theirs.sized(x, each)
    return rebound(replay, in_stead(theirs))
