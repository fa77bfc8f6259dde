"""A run under intent whose weights may also change their precision, beside the one that may not."""

from collections.abc import Callable, Sequence
from enum import StrEnum

import attrs

from mirc.controller.descriptors import Descriptors
from mirc.diagnostics import CouldNotRun
from mirc.machine import Machine
from mirc.packed.model import Packed
from mirc.simulate.engine import simulate
from mirc.simulate.faults import Fault
from mirc.simulate.ladders import Managed, managed, physics
from mirc.simulate.limits import Limits
from mirc.simulate.metrics import Figures, figures
from mirc.simulate.model import Outcome
from mirc.simulate.precision import Aim, Precision, PrecisionStage
from mirc.simulate.stages import Truth, left_over, stages_of
from mirc.simulate.workload import Scenario

POLICY = "intent + precision"


class Lowering(StrEnum):
    """Whether the precision of weights is managed too."""

    AUTO = "auto"
    """As ``FIT``, where the file has ladders and its weights do not fit."""
    FIT = "fit"
    """As little as lets weights stay near."""
    SPEED = "speed"
    """Down to the floors, whatever the room."""
    OFF = "off"
    """Never."""


@attrs.frozen(kw_only=True)
class Joint:
    """Figures of the run, and what became of its weights.

    The bounds of the other rows are of full precision: this run is not held against them.
    """

    figures: Figures
    precision: Precision


def joint(
    packed: Packed,
    scenario: Scenario,
    machine: Machine,
    lowering: Lowering,
    *,
    known: Descriptors,
    bounds: Limits,
    plan: str | None,
    faults: Sequence[Fault] = (),
    truth: Truth | None = None,
    record: Callable[[Outcome], None] | None = None,
) -> Joint | None:
    """Run intent with precision; None where it is off, or not asked for and of no use.

    Raises CouldNotRun where it was asked for and no weight may be held in fewer bits.
    """
    if lowering is Lowering.OFF:
        return None
    if lowering is Lowering.AUTO and bounds.weights_bytes <= bounds.room_bytes:
        return None
    workload = scenario.workload
    units = managed(packed, plan, workload, known)
    if not any(each.unit.lowest for each in units):
        if lowering is Lowering.AUTO:
            return None
        raise CouldNotRun(
            "no weight of the file may be held in fewer bits than it is",
            "declare a `precision_ladder`: `mirc compile` and `mirc opt` write one",
        )
    aim = Aim.SPEED if lowering is Lowering.SPEED else Aim.FIT
    stage = _stage(units, scenario, known, machine, aim)
    others = stages_of(
        packed, scenario, known, machine, policy="intent", plan=plan, faults=faults, truth=truth
    )
    outcome = simulate(
        workload,
        known,
        machine,
        "intent",
        record_events=record is not None,
        stages=(*others, stage),
    )
    outcome = attrs.evolve(outcome, happenings=(*outcome.happenings, *left_over(others)))
    if record is not None:
        record(attrs.evolve(outcome, policy=POLICY))
    row = figures(outcome, workload, bounds, machine.near.name, scenario.tokens)
    return Joint(
        figures=attrs.evolve(row, policy=POLICY, happenings=outcome.happenings),
        precision=stage.outcome(),
    )


def _stage(
    units: Sequence[Managed],
    scenario: Scenario,
    known: Descriptors,
    machine: Machine,
    aim: Aim,
) -> PrecisionStage:
    return PrecisionStage(units, physics(units, scenario.workload, known, machine), aim)
