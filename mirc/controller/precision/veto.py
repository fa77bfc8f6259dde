"""A proposed transition into the reason why it must not be made, if there is one."""

from enum import StrEnum

import attrs

from mirc.controller.precision.states import NEAR, STORED, State, edge
from mirc.controller.precision.units import Form, Unit


class Veto(StrEnum):
    """Why a transition is rejected before anything is done; none is ever overruled."""

    NO_FORM = "NO_FORM"
    """The unit has no such rung, is not compressed, or cannot be made again."""
    FLOOR = "FLOOR"
    """It would hold the unit in fewer bits than its floor allows."""
    ILLEGAL = "ILLEGAL"
    """The table has no such edge."""
    NO_MASTER = "NO_MASTER"
    """Nothing would keep its full precision."""
    NO_COPY = "NO_COPY"
    """No bytes of that form lie where it would come from."""


@attrs.frozen
class Ruling:
    """A veto, or None, and the clause that says why."""

    veto: Veto | None = None
    why: str = ""


_FINE = Ruling()


def within_bounds(unit: Unit, wanted: Form) -> Ruling:
    """Judge a form by itself: the unit has it, and its floor allows it.

    Pressure is not asked about: there is none under which a floor may be crossed.
    """
    if wanted.rung >= len(unit.rungs):
        return Ruling(Veto.NO_FORM, f"its ladder ends with rung {len(unit.rungs) - 1}")
    if wanted.state is State.S2 and unit.compressed_bytes is None:
        return Ruling(Veto.NO_FORM, "it is not compressed")
    if wanted.state is State.S6 and unit.recompute_ps is None:
        return Ruling(Veto.NO_FORM, "it cannot be made again")
    if wanted.rung > unit.lowest:
        return Ruling(Veto.FLOOR, f"rung {wanted.rung} is below its floor, rung {unit.lowest}")
    if wanted.rung and unit.home is None:
        return Ruling(Veto.NO_MASTER, "no master keeps its full precision")
    return _FINE


def rule(unit: Unit, now: Form, wanted: Form) -> Ruling:
    """Judge one transition that is made in place, before it is scheduled: O(1)."""
    bounds = within_bounds(unit, wanted)
    if bounds.veto is not None:
        return bounds
    verdict = edge(now.state, wanted.state)
    if not verdict.legal:
        return Ruling(Veto.ILLEGAL, verdict.why)
    if now.state is State.S1 and wanted.state is State.S1 and wanted.rung < now.rung:
        return Ruling(Veto.ILLEGAL, edge(State.S1, State.S0).why)
    if wanted.state in STORED and wanted != Form(wanted.state) and now != wanted:
        return Ruling(Veto.NO_COPY, "it is rounded near the compute, and departs through S5")
    if wanted.state in STORED and now.state is not wanted.state is not unit.home:
        return Ruling(Veto.NO_COPY, "no copy of it lies there: it departs through S5")
    return _FINE


def rule_flight(unit: Unit, now: Form, coming: Form) -> Ruling:
    """Judge a transfer from the form that a unit has to the one that is to arrive: O(1).

    What arrives is the master, or the very copy that departs.
    """
    bounds = within_bounds(unit, coming)
    if bounds.veto is not None:
        return bounds
    if State.S5 in (now.state, coming.state):
        return Ruling(Veto.ILLEGAL, "a transfer leads from one place to another, one at a time")
    for begin, end in ((now.state, State.S5), (State.S5, coming.state)):
        verdict = edge(begin, end)
        if not verdict.legal:
            return Ruling(Veto.ILLEGAL, verdict.why)
    master = coming.rung == 0 and unit.home is not None
    if coming.rung != now.rung and not (master and coming.state is State.S0):
        return Ruling(Veto.NO_COPY, f"no copy at rung {coming.rung} departs")
    if now.state is State.S0 and coming.state in NEAR:
        return Ruling(Veto.ILLEGAL, "it is near already")
    return _FINE
