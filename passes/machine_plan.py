"""The plan of one machine: what each phase keeps near, and where masters are."""

import attrs

from mirc.ir.enums import TierKind
from mirc.machine import Machine
from mirc.passes.backing import Masters
from mirc.passes.leaving import Leaving
from mirc.passes.phase_annotator import PhaseFact
from mirc.passes.pieces import Wanted
from mirc.passes.placing import Placement, Transfers
from mirc.passes.reuse import Clock


@attrs.frozen(kw_only=True)
class PhasePlan:
    """One phase on one machine: ``working_bytes[t]`` are taken at step ``t`` besides pieces.

    ``first_run_ps`` is a run that finds nothing near, all it wants coming over the links meanwhile.
    """

    phase: PhaseFact
    clock: Clock
    wanted: dict[int, Wanted]
    working_bytes: tuple[int, ...]
    placement: Placement
    first_run_ps: int


@attrs.frozen(kw_only=True)
class MachinePlan:
    """One machine: a plan for each phase, and where masters are kept.

    ``transfers_ps`` gives a piece's transfer times over the links from its master to near memory.
    ``leaving`` is what a training iteration spills and computes again, where it does not fit.
    """

    machine: Machine
    phases: dict[str, PhasePlan]
    masters: Masters
    transfers_ps: Transfers = attrs.field(eq=False, repr=False)
    leaving: Leaving | None = None

    @property
    def fits(self) -> bool:
        """Whether every phase does."""
        return all(phase.placement.fits for phase in self.phases.values())

    @property
    def near(self) -> TierKind:
        """The kind of the near memory."""
        return TierKind(self.machine.near.kind)
