"""Six inputs into what each form of a unit costs, and into the form that it should take.

Everything is in picoseconds over one control window, so that bytes, waits and doubts can be added.
"""

from collections.abc import Iterable

import attrs
from attrs import validators as v

from mirc.controller.precision.states import State
from mirc.controller.precision.units import Form, Unit


@attrs.frozen(kw_only=True)
class Inputs:
    """What is predicted and observed of one unit; source: essay 001, its table of control inputs.

    ``uses`` of it are expected in the window (reuse horizon) if it is chosen, which has the
    probability ``chosen`` (router history; 1 for what is always read); the next one is
    ``slack_ps`` away. A byte takes ``warm_ps`` from S3 and ``cold_ps`` from S4 on an idle link,
    ``expand_ps`` to be expanded; others use the share ``pressure`` of the link. The sixth input,
    sensitivity, is the unit's own.
    """

    uses: float = attrs.field(default=1.0, validator=v.ge(0))
    chosen: float = attrs.field(default=1.0, validator=[v.ge(0), v.le(1)])
    slack_ps: float = attrs.field(default=0.0, validator=v.ge(0))
    warm_ps: float = attrs.field(validator=v.ge(0))
    cold_ps: float = attrs.field(validator=v.ge(0))
    expand_ps: float = attrs.field(default=0.0, validator=v.ge(0))
    pressure: float = attrs.field(default=0.0, validator=[v.ge(0), v.lt(1)])


@attrs.frozen(kw_only=True)
class Prices:
    """The thresholds, all explicit; times in picoseconds.

    Holding a byte near for a window is worth ``room_ps`` of stall elsewhere (the shadow price of
    near memory), reading one there takes ``read_ps``; ``doubt_ps`` is what one visible loss of
    quality is worth: the caller's word, since nothing here measures quality. A transfer is
    reckoned ``margin`` longer. A unit keeps its form unless another is better by more than
    ``gap_ps`` and the share ``gap`` of its present cost.
    """

    room_ps: float = 0.0
    read_ps: float = 0.0
    doubt_ps: float = 0.0
    margin: float = 0.25
    gap_ps: float = 0.0
    gap: float = 0.1


def recovery_ps(unit: Unit, form: Form, inputs: Inputs, prices: Prices) -> float:
    """Return the time from the decision to fetch until the unit can be read: its prefetch window.

    A transfer is slowed by what others put on the link, 1 / (1 - pressure) on a shared one; S6 is
    computed and does not wait for a link.
    """
    if form.state is State.S6:
        return unit.recompute_ps or 0.0
    per_byte = {State.S3: inputs.warm_ps, State.S4: inputs.cold_ps}.get(form.state, 0.0)
    slowed = per_byte * unit.bytes_of(form) / (1.0 - inputs.pressure)
    return slowed * (1.0 + prices.margin)


def read_ps(unit: Unit, form: Form, inputs: Inputs, prices: Prices) -> float:
    """Return what one use reads and expands once the unit is near.

    What arrives is in full precision, or in the narrow form that was stored; a compressed unit is
    read, expanded into near memory and read again.
    """
    if form.state is State.S2:
        whole = unit.size_bytes
        moved = unit.bytes_of(form) + 2 * whole
        return prices.read_ps * moved + inputs.expand_ps * whole
    return prices.read_ps * unit.rungs[form.rung]


def service_ps(unit: Unit, form: Form, inputs: Inputs, prices: Prices) -> float:
    """Return the time that one use of the unit takes: what slack does not hide, and its read."""
    wait = max(0.0, recovery_ps(unit, form, inputs, prices) - inputs.slack_ps)
    return wait + read_ps(unit, form, inputs, prices)


def cost_ps(unit: Unit, form: Form, inputs: Inputs, prices: Prices) -> float:
    """Return what a form costs over the window: its uses, its room, and the doubt that it brings.

    A linear sum on purpose: each input moves the best form in one direction (Topkis, Minimizing a
    submodular function on a lattice, Operations Research 26 (1978), on increasing differences).
    """
    uses = inputs.uses * inputs.chosen
    doubt = unit.sensitivity * form.rung * prices.doubt_ps
    held = unit.near_bytes(form) * prices.room_ps
    return uses * service_ps(unit, form, inputs, prices) + held + doubt


def best(unit: Unit, forms: Iterable[Form], inputs: Inputs, prices: Prices) -> Form:
    """Return the cheapest of some forms, the first of equals: O(forms)."""
    return min(forms, key=lambda form: cost_ps(unit, form, inputs, prices))


def target(
    unit: Unit, now: Form, forms: Iterable[Form], inputs: Inputs, prices: Prices
) -> tuple[Form, float]:
    """Return the form that a unit should take, and the picoseconds that this gains.

    It keeps its present one within the gap: a score that swings inside it changes nothing.
    """
    wanted = best(unit, forms, inputs, prices)
    present = cost_ps(unit, now, inputs, prices)
    gain = present - cost_ps(unit, wanted, inputs, prices)
    if wanted == now or gain <= prices.gap_ps + prices.gap * present:
        return now, 0.0
    return wanted, gain
