"""What the controller knows of each object: a dense row, and what a plan adds in each phase."""

import attrs
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
UNSAID = -1  # in rows of times and positions

# ``strength``: how hard an object resists leaving near memory, weakest first.
SPENT, ELSEWHERE, DROPPABLE, SPILLABLE, RELUCTANT, GUARDED, HELD_FAST = range(7)


@attrs.frozen(kw_only=True, eq=False)
class PhaseRows:
    """What holds in one phase under one plan; ``n`` objects, times from the phase's start.

    ``first_ps`` and ``last_ps`` are the planned times of first and last use, ``horizon_ps`` how
    long before it a prefetch should begin; ``stays`` whether the plan always keeps the object near;
    ``probability`` how likely a run that may use it does; ``remake_ps`` is what computing it again
    takes where it may be dropped for that, UNSAID elsewhere; ``departs`` whether the plan lets the
    object leave after a step of the phase. ``runs`` is how often the schedule
    that was asked for runs the phase: a static placement weighs objects by it, the controller never
    looks.
    """

    name: str
    period_ps: int
    first_ps: Ints  # [n]
    last_ps: Ints  # [n]
    horizon_ps: Ints  # [n]
    stays: NDArray[np.bool_]  # [n]
    strength: Ints  # [n]
    probability: NDArray[np.float64]  # [n]
    runs: float = 1.0
    remake_ps: Ints = attrs.field()  # [n]
    departs: NDArray[np.bool_] = attrs.field()  # [n]

    @remake_ps.default
    def _never_remade(self) -> Ints:
        return np.full(len(self.first_ps), UNSAID, dtype=np.int64)

    @departs.default
    def _never_departing(self) -> NDArray[np.bool_]:
        return np.zeros(len(self.first_ps), dtype=np.bool_)


@attrs.frozen(kw_only=True, eq=False)
class Descriptors:
    """All objects of a run, by its dense ids; ``size_bytes`` is the run's to say.

    ``probability`` is how likely a use is in each run of a phase that may use it;
    ``fragment_bytes`` the size of the pieces in which an object lies (0: in one piece);
    ``backing`` the tiers that may hold its master; the nearest of them with room does. What arrives
    takes ``unpack_ps`` more until it can be read; ``mates`` are the members of each coalition, by
    id, and ``caps_bytes`` the most of it that is worth fetching together.
    """

    names: tuple[str, ...]
    probability: NDArray[np.float64]  # [n]
    fragment_bytes: Ints  # [n]
    backing: tuple[tuple[str, ...], ...]  # [n]
    strength: Ints  # [n]
    phases: tuple[PhaseRows, ...]
    unpack_ps: Ints = attrs.field()  # [n]
    mates: tuple[tuple[int, ...], ...] = ()
    caps_bytes: tuple[int, ...] = ()  # of each coalition
    quotas: tuple[tuple[str, int], ...] = ()  # of tenants, in bytes of near memory
    tenant: Ints = attrs.field()  # [n]: whose quota holds, by its number, or UNSAID

    @tenant.default
    def _nobody(self) -> Ints:
        return np.full(len(self.names), UNSAID, dtype=np.int64)

    @unpack_ps.default
    def _nothing_to_unpack(self) -> Ints:
        return np.zeros(len(self.names), dtype=np.int64)

    @property
    def remade(self) -> NDArray[np.bool_]:
        """Which objects may be dropped and computed again, in some phase: [n]."""
        found = np.zeros(len(self.names), dtype=np.bool_)
        for rows in self.phases:
            found |= rows.remake_ps != UNSAID
        return found

    def phase(self, name: str) -> PhaseRows | None:
        """Return the rows of a phase, or None if nothing is known of it."""
        return next((rows for rows in self.phases if rows.name == name), None)


def announced(known: Descriptors, donors: Ints) -> Descriptors:
    """Return rows in which each object has the hints of another: of ``donors`` (an id for each).

    That is when it is used, how likely, from how far ahead it is fetched and whether the plan keeps
    it near. Sizes and contracts (its strength) stay its own.
    """
    return attrs.evolve(
        known,
        probability=known.probability[donors],
        phases=tuple(_announced(rows, donors) for rows in known.phases),
    )


def _announced(rows: PhaseRows, donors: Ints) -> PhaseRows:
    return attrs.evolve(
        rows,
        first_ps=rows.first_ps[donors],
        last_ps=rows.last_ps[donors],
        horizon_ps=rows.horizon_ps[donors],
        stays=rows.stays[donors],
        departs=rows.departs[donors],
        probability=rows.probability[donors],
    )


def as_they_are(believed: Descriptors, real: Descriptors) -> Descriptors:
    """Return what is believed of objects that lie, are cut, unpacked and remade as ``real`` says.

    A price of making again is the real one wherever both say that it may be done.
    """
    return attrs.evolve(
        believed,
        fragment_bytes=real.fragment_bytes,
        backing=real.backing,
        unpack_ps=real.unpack_ps,
        phases=tuple(_priced(rows, real.phase(rows.name)) for rows in believed.phases),
    )


def _priced(rows: PhaseRows, real: PhaseRows | None) -> PhaseRows:
    if real is None:
        return rows
    both = (rows.remake_ps != UNSAID) & (real.remake_ps != UNSAID)
    return attrs.evolve(rows, remake_ps=np.where(both, real.remake_ps, rows.remake_ps))
