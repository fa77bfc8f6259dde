"""Accesses and a rig into what came of them: hits by tier, bytes and times by link, waits."""

import attrs
import numpy as np

from mirc.diagnostics import CouldNotRun
from mirc.kernels.build import compiled
from mirc.kernels.replacement.state import BELADY
from mirc.kernels.tiers import state as k
from mirc.kernels.tiers.play import finish, play
from mirc.kernels.tiers.state import Table
from mirc.machine import Machine
from mirc.simulate.accesses.model import NOTHING, Accesses
from mirc.simulate.accesses.rig import Settings, rig

PYTHON, COMPILED = "python", "compiled"


@attrs.frozen(kw_only=True)
class LinkUse:
    """What one link did; tuples are by class: demand, prefetch, write-back."""

    name: str
    bytes: tuple[int, int, int]
    transfers: tuple[int, int, int]
    waited_ps: tuple[int, int, int]
    busy_ps: int


@attrs.frozen(kw_only=True, eq=False)
class Timed:
    """What came of a run.

    ``hits`` counts accesses by the nearest tier that had a copy, the farthest included. ``span_ps``
    is the time until the last access was served. ``spread`` and ``waits_ps`` are how long accesses
    waited: in buckets (see ``percentile_ps``), and each, if that was asked for.
    """

    tiers: tuple[str, ...]
    capacity_bytes: tuple[int, ...]
    accesses: int
    objects: int
    writes: int
    hits: tuple[int, ...]
    span_ps: int
    demand_ps: int
    queue_ps: int
    late_ps: int
    room_ps: int
    prefetched: int
    on_time: int
    late: int
    early: int
    retaken: int
    unheld: int
    staged_peak_bytes: int
    links: tuple[LinkUse, ...]
    spread: Table
    waits_ps: Table

    @property
    def waited_ps(self) -> int:
        """All that accesses waited for transfers."""
        return self.demand_ps + self.queue_ps + self.late_ps

    def percentile_ps(self, share: float) -> int:
        """Return a wait that this share of the accesses did not exceed, at most 1/16 too long."""
        counts = np.cumsum(self.spread)
        if not counts[-1]:
            return 0
        bucket = int(np.searchsorted(counts, share * counts[-1]))
        return _upper(bucket)


class Player:
    """A rig that is handed accesses, chunk by chunk, and told when there are no more."""

    def __init__(
        self, machine: Machine, size_bytes: Table, settings: Settings, path: str = COMPILED
    ) -> None:
        """Lay out the machine; ``path`` is ``COMPILED`` or ``PYTHON``: the same source."""
        self.rig = rig(machine, size_bytes, settings)
        tiers, seen, rule = self.rig.tiers, self.rig.seen, self.rig.rules[0]
        fast = path == COMPILED
        self._play = compiled(play, tiers, seen, rule) if fast else play
        self._finish = compiled(finish, tiers, seen) if fast else finish
        self._objects = len(size_bytes)

    def play(self, chunk: Accesses, count: int, uses: Table = NOTHING) -> None:
        """Make the first ``count`` accesses of a chunk; a prefetcher may look at what follows.

        ``uses`` are the positions of the next use of each access's object, for an oracle.
        """
        made = self.rig
        if (chunk.what == k.WRITE).any():
            self._check_ways_down()
        self._play(
            made.tiers, made.rules, made.seen, chunk.ids, chunk.what, chunk.at_ps, uses, count
        )

    def _check_ways_down(self) -> None:
        """Raise CouldNotRun if what is written could not get to where it has to."""
        tiers, last = self.rig.tiers, len(self.rig.names) - 1
        for tier in range(last):
            if tiers.few[k.WAYS + last + 1 + tier * (last + 1) + last, 0] == 0:
                names = self.rig.names
                raise CouldNotRun(
                    f"the trace writes, and no links lead from `{names[tier]}` to `{names[-1]}`",
                    "add a [[link]], or give a trace that only reads",
                )

    def end(self) -> Timed:
        """Wait for all that is under way, and return what came of it."""
        self._finish(self.rig.tiers, self.rig.seen)
        tiers = self.rig.tiers
        run = tiers.run
        hits = tiers.few[k.HITS, : len(self.rig.names)].tolist()
        return Timed(
            tiers=self.rig.names,
            capacity_bytes=self.rig.capacity_bytes,
            accesses=sum(hits),
            objects=self._objects,
            writes=int(run[k.WRITES]),
            hits=tuple(hits),
            span_ps=int(run[k.ENDED_PS]),
            demand_ps=int(run[k.DEMAND_PS]),
            queue_ps=int(run[k.QUEUE_PS]),
            late_ps=int(run[k.LATE_PS]),
            room_ps=int(run[k.ROOM_PS]),
            prefetched=int(run[k.PREFETCHED]),
            on_time=int(run[k.ON_TIME]),
            late=int(run[k.LATE]),
            early=int(run[k.EARLY]),
            retaken=int(run[k.RETAKEN]),
            unheld=int(run[k.UNHELD]),
            staged_peak_bytes=int(run[k.STAGED_PEAK]),
            links=tuple(
                _link(name, tiers.few[:, number].tolist())
                for number, name in enumerate(self.rig.links)
            ),
            spread=self.rig.seen.spread,
            waits_ps=self.rig.seen.waits,
        )


def run(machine: Machine, accesses: Accesses, settings: Settings, *, path: str = COMPILED) -> Timed:
    """Make all accesses of an array, and return what came of them."""
    player = Player(machine, accesses.size_bytes, settings, path)
    uses = next_uses(accesses.ids) if settings.rule == BELADY else NOTHING
    player.play(accesses, accesses.count, uses)
    return player.end()


def next_uses(ids: Table) -> Table:
    """Return the position of the next access to each access's object, NEVER without one."""
    order = np.argsort(ids, kind="stable")
    found = np.full(len(ids), k.NEVER, dtype=np.int64)
    same = ids[order[1:]] == ids[order[:-1]]
    found[order[:-1][same]] = order[1:][same]
    return found


def _link(name: str, column: list[int]) -> LinkUse:
    def by_class(row: int) -> tuple[int, int, int]:
        first, second, third = column[row : row + 3]
        return first, second, third

    return LinkUse(
        name=name,
        bytes=by_class(k.MOVED),
        transfers=by_class(k.BEGUN),
        waited_ps=by_class(k.WAITED_PS),
        busy_ps=column[k.BUSY_PS],
    )


def _upper(bucket: int) -> int:
    """Return the longest wait that falls into a bucket."""
    if bucket < k.SUBS:
        return bucket
    doublings, sub = divmod(bucket, k.SUBS)
    return ((sub + k.SUBS + 1) << (doublings - 1)) - 1
