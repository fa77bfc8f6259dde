"""A packed file, a scenario and a machine into the figures of runs that share all three."""

from collections.abc import Callable, Sequence

import attrs
import numpy as np

from mirc.controller.descriptors import Descriptors, as_they_are
from mirc.controller.ingest import ingest
from mirc.controller.telemetry import Telemetry
from mirc.diagnostics import CouldNotRun
from mirc.machine import Machine
from mirc.packed.model import Packed
from mirc.packed.view import PackedView
from mirc.simulate.claims import broken_claims
from mirc.simulate.contracts import broken, wired
from mirc.simulate.corrupt import shuffled
from mirc.simulate.engine import simulate
from mirc.simulate.faults import Fault
from mirc.simulate.limits import Limits, inflow_bytes_per_s, limits
from mirc.simulate.metrics import Figures, figures
from mirc.simulate.model import Flags, Outcome
from mirc.simulate.policies import PLACEBO
from mirc.simulate.stages import Truth, left_over, stages_of
from mirc.simulate.workload import Scenario


@attrs.frozen(kw_only=True, eq=False)
class Case:
    """What all policies share: the run, what is ``known`` of its objects, and the bounds.

    ``held`` tells which objects are wired. Where the packed file is the intent of another file,
    ``truth`` is the one that runs.
    """

    packed: Packed
    scenario: Scenario
    machine: Machine
    plan: str | None
    known: Descriptors
    bounds: Limits
    held: Flags
    truth: Truth | None = None


def case_of(
    packed: Packed,
    scenario: Scenario,
    machine: Machine,
    plan: str | None = None,
    truth: Truth | None = None,
) -> Case:
    """Tell the controller what a packed file says of a scenario's objects, and bound the run.

    Raises CouldNotRun for an object that the run uses and the file does not declare.
    """
    workload = scenario.workload
    known = known_of(packed, scenario, machine, plan, truth)
    usable, inflow = machine.near.usable_bytes, inflow_bytes_per_s(machine)
    return Case(
        packed=packed,
        scenario=scenario,
        machine=machine,
        plan=plan,
        known=known,
        bounds=limits(workload, usable, inflow, known.remade),
        held=wired(PackedView(packed, plan=plan), workload.names),
        truth=truth,
    )


def known_of(
    packed: Packed, scenario: Scenario, machine: Machine, plan: str | None, truth: Truth | None
) -> Descriptors:
    """Return what a packed file says of a run's objects, which are as the file that runs says."""
    names, runs = scenario.workload.names, scenario.runs
    for name in names:
        if name not in packed.data and name.rpartition("(")[0] not in packed.data:
            raise CouldNotRun(
                f"the packed intent does not declare `{name}`, which the run uses",
                "pack the file that declares it",
            )
    known = ingest(packed, machine, plan, names, runs)
    if truth is None:
        return known
    return as_they_are(known, ingest(truth.packed, machine, truth.plan, names, runs))


def run(
    case: Case,
    policy: str,
    *,
    faults: Sequence[Fault] = (),
    telemetry: Telemetry = Telemetry.OFF,
    seed: int = 0,
    record: Callable[[Outcome], None] | None = None,
) -> Figures:
    """Run one policy by name; ``record``, where there is one, gets the outcome with its events.

    ``seed`` deals the placebo's hints out; it hears of signals and claims as intent does.
    Raises CouldNotRun, which names the policy, where the run cannot begin or go on.
    """
    scenario, machine, known = case.scenario, case.machine, case.known
    if policy == PLACEBO:
        known = shuffled(known, scenario.workload.klass.astype(np.int64), seed)
    # A wired object's loss can be told from the events alone, and only intent promises one.
    watched = record is not None or (policy == "intent" and bool(case.held.any()))
    stages = stages_of(
        case.packed,
        scenario,
        known,
        machine,
        policy="intent" if policy == PLACEBO else policy,
        plan=case.plan,
        faults=faults,
        telemetry=telemetry,
        truth=case.truth,
    )
    try:
        outcome = simulate(
            scenario.workload, known, machine, policy, record_events=watched, stages=stages
        )
    except CouldNotRun as error:
        raise CouldNotRun(f"under `{policy}`, {error.message}", error.hint) from error
    said = (*outcome.happenings, *left_over(stages))
    outcome = attrs.evolve(outcome, happenings=said)
    row = figures(outcome, scenario.workload, case.bounds, machine.near.name, scenario.tokens)
    lost = broken(outcome, scenario.workload.names, machine, case.held)
    lost = (*lost, *broken_claims(outcome.happenings))
    if record is not None:
        record(outcome)
    return attrs.evolve(row, broken=lost, happenings=outcome.happenings)
