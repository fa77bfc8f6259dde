"""What a run of a phase was seen to use, and when, into corrected orders for its next run."""

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.controller.descriptors import UNSAID, Descriptors, Ints, PhaseRows, announced
from mirc.controller.ranking import orders
from mirc.controller.trust import AT_FIRST, Floats, believed, in_order
from mirc.kernels import world as k
from mirc.kernels.world import CERTAIN, World

Flags = NDArray[np.bool_]

_TRUE = 0.97  # a class of which this share of the chances proves true is left as it was told
_MATTERS = 0.02  # so it is if no chance moves by more than this and a tenth of itself
_FEW = 0.02  # the share of misplaced uses up to which the plan may still say what stays
_SPACING = 1.1  # between reviews: after n runs of a phase there were no more than O(log n)


@attrs.frozen(kw_only=True)
class Correction:
    """One change of a phase's orders, after ``runs`` runs of it.

    ``misplaced`` objects were used at another time than hinted, the chances of ``unlikely`` ones
    were corrected; ``trust`` is the share of each class's chances that is taken to be true, by the
    class's number. ``switching_bytes`` lay near, and would have stayed by the former orders alone.
    """

    phase: str
    runs: int
    misplaced: int
    unlikely: int
    trust: dict[int, float]
    switching_bytes: int


@attrs.define
class _Seen:
    """What the runs of one phase have shown; positions are of steps, UNSAID if never used."""

    used: Ints  # [n], in how many runs
    first: Ints  # [n], position of its first use in the run that used it last
    last: Ints  # [n]
    runs: int = 0
    review_at: int = 1
    clock_ps: dict[int, int] = attrs.field(factory=dict)  # computing before a position
    trust: dict[int, float] = attrs.field(factory=dict)


class Learner:
    """Holds the hints of a run's objects against what the run is seen to use.

    When a run of a phase has ended, the planned times of those uses that came out of order are
    replaced by observed ones, and chances of use by what is believed of them. A change costs the
    bytes that were kept near and now may leave: no more of that is accepted than demand has had to
    fetch since the last one, so that what changing costs is bounded by what not changing did. Where
    observation contradicts nothing, nothing is touched. Source: a change that is paid for by the
    cost since the last one is the idea of Borodin, Linial and Saks, An optimal on-line algorithm
    for metrical task systems, J. ACM 39 (1992).
    """

    def __init__(
        self,
        told: Descriptors,
        *,
        phases: tuple[str, ...],
        sizes: Ints,
        made: Flags,
        classes: Ints,
        price: Floats,
        tolls_ps: Floats,
    ) -> None:
        """Take the hints, the phases by number, and per object (``n`` of them) what else is known.

        ``made`` is made by the run and not streamed: nothing is learned of it. ``price`` is what
        its worth (``World.worth``) is for an object that is certain to be used, ``tolls_ps`` as in
        ``orders``.
        """
        self.corrections: list[Correction] = []
        self.postponed = 0  # changes that were not paid for yet
        self._told = told
        self._known = told
        self._bears: Ints = np.arange(len(sizes), dtype=np.int64)
        self._phases = phases
        self._sizes = sizes
        self._classes = classes
        self._price = price
        self._tolls_ps = tolls_ps
        self._streamed = ~made
        self._seen: dict[int, _Seen] = {}
        self._paid_bytes = 0

    def review(self, w: World) -> None:
        """Learn from the run of a phase that has ended; O(n log n), and mostly O(n)."""
        phase = int(w.run[k.PHASE])
        retold = self._retold(w)
        if phase != k.NONE and self._known.phase(self._phases[phase]) is not None:
            seen = self._noted(w, phase)
            if not retold and seen.runs >= seen.review_at:
                self._learn(w, phase, seen)
        w.obj[[k.SEEN_FIRST, k.SEEN_LAST]] = k.NONE
        w.run[k.WORKED_PS] = 0

    def _retold(self, w: World) -> bool:
        """Take in what was announced since the last run; tell whether anything was.

        It is believed for one run, then held against all that was seen.
        """
        if (w.obj[k.BEARS] == self._bears).all():
            return False
        donors = np.argsort(self._bears)[w.obj[k.BEARS]]
        self._told, self._known = announced(self._told, donors), announced(self._known, donors)
        self._bears = w.obj[k.BEARS].copy()
        for seen in self._seen.values():
            seen.review_at = seen.runs + 1
            seen.trust.clear()
        return True

    def _learn(self, w: World, phase: int, seen: _Seen) -> None:
        seen.review_at = max(seen.runs + 1, int(seen.runs * _SPACING))
        name = self._phases[phase]
        rows, told = self._known.phase(name), self._told.phase(name)
        if rows is None or told is None:
            return
        unlikely, chance, kept = self._chances(seen, rows, told)
        misplaced, rows = self._placed(seen, rows, told, int(w.run[k.WORKED_PS]))
        if misplaced or unlikely:
            rows = attrs.evolve(rows, probability=chance, stays=rows.stays & kept)
            self._change(w, phase, rows, misplaced=misplaced, unlikely=unlikely)

    def _noted(self, w: World, phase: int) -> _Seen:
        count = len(self._sizes)
        seen = self._seen.get(phase)
        if seen is None:
            never = np.full(count, UNSAID, dtype=np.int64)
            seen = _Seen(np.zeros(count, dtype=np.int64), never, never.copy())
            self._seen[phase] = seen
        used = np.flatnonzero((w.obj[k.SEEN_FIRST] != k.NONE) & self._streamed)
        seen.runs += 1
        seen.used[used] += 1
        seen.first[used] = w.obj[k.SEEN_FIRST, used]
        seen.last[used] = w.obj[k.SEEN_LAST, used]
        positions, each = np.unique(seen.first[used], return_index=True)
        times = w.obj[k.SEEN_PS, used[each]].tolist()
        for position, time in zip(positions.tolist(), times, strict=True):
            seen.clock_ps.setdefault(position, time)
        return seen

    def _chances(self, seen: _Seen, rows: PhaseRows, told: PhaseRows) -> tuple[int, Floats, Flags]:
        """Return how many chances of use are believed to be others, and what all are then.

        And of which objects a plan may go on saying that they stay: not of those of a class in
        which trust falls, as it chose them by these chances.
        """
        unlikely, chance, kept = 0, rows.probability.copy(), np.ones_like(rows.stays)
        hinted = self._streamed & ((told.first_ps != UNSAID) | (told.probability < 1))
        for number in np.unique(self._classes[hinted]).tolist():
            ids = np.flatnonzero(hinted & (self._classes == number))
            declared, used = told.probability[ids], seen.used[ids]
            if (declared == 1).all() and (used == seen.runs).all():
                continue
            trust = seen.trust.get(number, AT_FIRST)
            found, seen.trust[number] = believed(declared, used, seen.runs, trust)
            moved = np.abs(found - chance[ids]) > _MATTERS + 0.1 * chance[ids]
            lost = rows.stays[ids] & (seen.trust[number] < min(trust, _TRUE))
            moved |= lost
            if seen.trust[number] < _TRUE and moved.any():
                unlikely += int(moved.sum())
                chance[ids], kept[ids] = found, ~lost
        return unlikely, chance, kept

    def _placed(
        self, seen: _Seen, rows: PhaseRows, told: PhaseRows, worked_ps: int
    ) -> tuple[int, PhaseRows]:
        """Return how many objects were used out of order, and rows that have them in it.

        They are put between those that were not, on the plan's clock; where these are fewer than
        half, everything is put on the observed clock, what was never seen at its beginning.
        """
        known = (seen.first != UNSAID) & (told.first_ps != UNSAID)
        ids = np.flatnonzero(known & (rows.first_ps != UNSAID))
        observed = ids[np.lexsort((rows.first_ps[ids], seen.first[ids]))]
        fixed = observed[in_order(rows.first_ps[observed])]
        wrong = known.copy()
        wrong[fixed] = False
        misplaced = int(wrong.sum())
        if not misplaced:
            return 0, rows
        first, last, period_ps = rows.first_ps.copy(), rows.last_ps.copy(), rows.period_ps
        none = np.zeros_like(rows.stays)  # where much is misplaced, what stays was badly chosen
        where = np.flatnonzero(wrong)
        if len(fixed) and 2 * len(fixed) >= len(observed):
            at, anchors = np.unique(seen.first[fixed], return_index=True)
            times = rows.first_ps[fixed][anchors]
        else:
            at = np.array(sorted(seen.clock_ps), dtype=np.int64)
            times = np.array([seen.clock_ps[position] for position in at.tolist()], dtype=np.int64)
            unseen = self._streamed & (told.first_ps != UNSAID)
            first[unseen] = last[unseen] = 0  # whenever it comes, it says nothing of the time
            where = np.flatnonzero(known)
            period_ps = worked_ps
        first[where] = np.interp(seen.first[where], at, times).astype(np.int64)
        last[where] = np.interp(seen.last[where], at, times).astype(np.int64)
        return misplaced, attrs.evolve(
            rows,
            period_ps=period_ps,
            first_ps=first,
            last_ps=last,
            stays=rows.stays & ~wrong if misplaced < _FEW * len(observed) else none,
            horizon_ps=np.where(wrong, UNSAID, rows.horizon_ps),
        )

    def _change(
        self, w: World, phase: int, rows: PhaseRows, *, misplaced: int, unlikely: int
    ) -> None:
        """Give a phase new orders, if what that costs is paid for."""
        known = attrs.evolve(
            self._known,
            phases=tuple(rows if r.name == rows.name else r for r in self._known.phases),
        )
        plan = orders(known, rows, self._sizes, self._tolls_ps)
        cost = self._given_up(w, w.ranked[phase], plan.ranked)
        fetched = int(w.ledger[k.DEMAND, w.link[k.TARGET] == k.NEAR].sum())
        seen = self._seen[phase]
        if cost > fetched - self._paid_bytes:
            self.postponed += 1
            seen.review_at = seen.runs + 1
            return
        self._paid_bytes = fetched
        self._known = known
        self.corrections.append(
            Correction(
                phase=rows.name,
                runs=seen.runs,
                misplaced=misplaced,
                unlikely=unlikely,
                trust=dict(seen.trust),
                switching_bytes=cost,
            )
        )
        uses = len(plan.order)
        w.phase[[k.USES, k.PERIOD_PS], phase] = uses, plan.period_ps
        w.order[phase, :uses] = plan.order
        w.due[phase, :uses] = plan.due_ps
        w.first[phase] = rows.first_ps
        w.horizon[phase] = rows.horizon_ps
        w.place[phase] = plan.place
        w.rank[phase] = plan.rank
        w.ranked[phase] = plan.ranked
        w.chance[phase] = np.rint(rows.probability * CERTAIN)
        w.worth[phase] = np.rint(rows.probability * self._price)
        w.run[k.RELEARNT] = 1

    def _given_up(self, w: World, before: Ints, after: Ints) -> int:
        """Return the bytes near that one ranking keeps in their room, and another does not."""
        near = (w.obj[k.STATE] != k.ABSENT) & self._streamed
        room = int(self._sizes[near].sum())
        lost = near & self._kept(before, room) & ~self._kept(after, room)
        return int(self._sizes[lost].sum())

    def _kept(self, ranked: Ints, room: int) -> Flags:
        """Tell which objects a ranking keeps in some bytes of room, if it has its will."""
        best = ranked[::-1]
        best = best[self._streamed[best]]
        found = np.zeros(len(ranked), dtype=np.bool_)
        found[best[np.cumsum(self._sizes[best]) <= room]] = True
        return found
