"""One unit's inputs into its next transition: scored, vetoed, and begun or refused."""

from mirc.controller.precision.device import Device, Outcome, Row
from mirc.controller.precision.states import NEAR, State
from mirc.controller.precision.units import Form, Unit
from mirc.controller.precision.worth import Inputs, Prices, target


def hop(unit: Unit, now: Form, wanted: Form) -> Form:
    """Return the next form on the way from one to another, both of the same unit: O(1).

    What is to be narrow or compressed near memory arrives in full precision first, unless a copy of
    just that form lies below; what is to be wide again arrives from the master.
    """
    whole = Form(State.S0)
    if wanted.state in NEAR:
        if now.state in NEAR:
            return whole if now.rung > wanted.rung else wanted
        return wanted if now.rung == wanted.rung and wanted.rung else whole
    if wanted == Form(unit.home or State.S6):
        return wanted  # its near copy is dropped, or a stored one released
    if now.state in NEAR and wanted.rung > now.rung:
        return Form(State.S1, wanted.rung)
    moves = now.state not in (State.S2, State.S6) and wanted.rung == now.rung
    return wanted if moves else whole


def flies(unit: Unit, now: Form, wanted: Form) -> bool:
    """Tell whether a hop is a transfer, which takes time and reserves its destination."""
    if State.S6 in (now.state, wanted.state) or wanted == Form(unit.home or State.S6):
        return False
    if now.state in NEAR and wanted.state in NEAR:
        return wanted.rung < now.rung
    return True


def step(device: Device, unit: Unit, inputs: Inputs, prices: Prices) -> tuple[Row, ...]:
    """Let one unit take the first hop towards its target; O(forms), each proposal a row.

    The scorer knows no floors. What it proposes is judged before anything is done; a vetoed form is
    a row of the log with its predicted gain and cost, and the next best is proposed instead.
    """
    now = device.form(unit.name)
    if now.state is State.S5:
        return ()
    forms = list(unit.forms())
    if now not in forms:
        forms.append(now)
    rows: list[Row] = []
    while len(forms) > 1:
        wanted, gain = target(unit, now, forms, inputs, prices)
        if wanted == now:
            return tuple(rows)
        rows.append(_begin(device, unit, now, wanted, gain))
        if rows[-1].outcome is not Outcome.VETOED:
            return tuple(rows)
        forms.remove(wanted)
    return tuple(rows)


def _begin(device: Device, unit: Unit, now: Form, wanted: Form, gain_ps: float) -> Row:
    # A form that may not be taken is vetoed as a whole: no hop towards it is made.
    next_form = hop(unit, now, wanted) if wanted.rung <= unit.lowest else wanted
    begin = device.depart if flies(unit, now, next_form) else device.move
    return begin(unit.name, next_form, gain_ps)
