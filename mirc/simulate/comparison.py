"""A packed file, a machine and several policies into one table's worth of figures."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches

import attrs

from mirc.controller.descriptors import Descriptors, as_they_are
from mirc.controller.ingest import ingest
from mirc.controller.telemetry import Telemetry
from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.ir.resolve import read
from mirc.machine import Machine
from mirc.packed.model import Packed
from mirc.packed.view import PackedView
from mirc.simulate.claims import broken_claims
from mirc.simulate.contracts import broken, wired
from mirc.simulate.engine import simulate
from mirc.simulate.faults import Fault
from mirc.simulate.joint import Joint, Lowering, joint
from mirc.simulate.limits import Limits, inflow_bytes_per_s, limits
from mirc.simulate.metrics import Figures, figures
from mirc.simulate.model import Outcome
from mirc.simulate.policies import POLICIES
from mirc.simulate.sinks import Promoted, promoted
from mirc.simulate.stages import Truth, left_over, stages_of
from mirc.simulate.wiring import Wired
from mirc.simulate.workload import Scenario

_WITHOUT_FAULTS = ("the bounds are those of a run in which nothing fails",)


@attrs.frozen(kw_only=True)
class Comparison:
    """What every policy made of the same scenario on one machine.

    ``plan`` is the name of the plan that intent had, None if it ran on hints alone. An iteration is
    a run of the phases ``before`` the ``iterated`` one, and of that one. ``wired``
    is None if the file wires nothing into SRAM, ``joint`` if no precision was managed.
    """

    machine: str
    near: str
    usable_bytes: int
    plan: str | None
    iterated: str
    iterations: int
    sequences: int
    tokens: int
    bounds: Limits
    rows: tuple[Figures, ...]
    assumptions: tuple[str, ...]
    before: tuple[str, ...] = ()
    wired: Wired | None = None
    sinks: Promoted | None = None
    joint: Joint | None = None

    @property
    def runs(self) -> tuple[Figures, ...]:
        """The figures of every run, in the order in which they were recorded."""
        return self.rows if self.joint is None else (*self.rows, self.joint.figures)

    @property
    def broken(self) -> tuple[str, ...]:
        """The contracts that intent broke; the other policies know of none."""
        return tuple(line for row in self.rows if row.policy == "intent" for line in row.broken)


def compare(
    packed: Packed,
    scenario: Scenario,
    machine: Machine,
    policies: Sequence[str],
    *,
    plan: str | None = None,
    faults: Sequence[Fault] = (),
    telemetry: Telemetry = Telemetry.OFF,
    lowering: Lowering = Lowering.OFF,
    truth: Truth | None = None,
    record: Callable[[Outcome], None] | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Run each policy on the same workload, in the order given, all with the same ``faults``.

    ``told`` hears the name of a policy before it runs; ``record``, where there is one, gets every
    outcome with its events. Policies know what the packed file says, and no more: where that is the
    intent of another file, ``truth`` is the one that runs.
    """
    workload = scenario.workload
    near = machine.near
    descriptors = _known(packed, scenario, machine, plan, truth)
    inflow = inflow_bytes_per_s(machine)
    bounds = limits(workload, near.usable_bytes, inflow, descriptors.remade)
    held = wired(PackedView(packed, plan=plan), workload.names)
    rows = []
    for policy in policies:
        told(policy)
        # A wired object's loss can be told from the events alone, and only intent promises one.
        watched = record is not None or (policy == "intent" and bool(held.any()))
        stages = stages_of(
            packed,
            scenario,
            descriptors,
            machine,
            policy=policy,
            plan=plan,
            faults=faults,
            telemetry=telemetry,
            truth=truth,
        )
        try:
            outcome = simulate(
                workload, descriptors, machine, policy, record_events=watched, stages=stages
            )
        except CouldNotRun as error:
            raise CouldNotRun(f"under `{policy}`, {error.message}", error.hint) from error
        said = (*outcome.happenings, *left_over(stages))
        outcome = attrs.evolve(outcome, happenings=said)
        row = figures(outcome, workload, bounds, near.name, scenario.tokens)
        lost = broken(outcome, workload.names, machine, held)
        lost = (*lost, *broken_claims(outcome.happenings))
        rows.append(attrs.evolve(row, broken=lost, happenings=outcome.happenings))
        if record is not None:
            record(outcome)
    together = None
    if "intent" in policies and lowering is not Lowering.OFF:
        told("intent with precision")
        together = joint(
            packed,
            scenario,
            machine,
            lowering,
            known=descriptors,
            bounds=bounds,
            plan=plan,
            faults=faults,
            truth=truth,
            record=record,
        )
    return Comparison(
        machine=machine.name,
        near=near.name,
        usable_bytes=near.usable_bytes,
        plan=plan,
        iterated=scenario.iterated,
        before=scenario.before,
        iterations=scenario.iterations,
        sequences=scenario.sequences,
        tokens=scenario.tokens,
        bounds=bounds,
        rows=tuple(rows),
        assumptions=(*scenario.assumptions, *(_WITHOUT_FAULTS if faults else ())),
        wired=scenario.wired,
        sinks=promoted(packed, machine, plan, scenario),
        joint=together,
    )


def _known(
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


def plan_for(module: Module, machine: Machine, spelled: str) -> str | None:
    """Return the plan made for a machine that was asked for as ``spelled``; None without one."""
    for name, plan in module.plans.items():
        if read(plan, "machine") in (machine.name, spelled):
            return name
    return None


def policies_of(text: str) -> tuple[str, ...]:
    """Read ``all``, or names separated by commas, into policies in the order of the table."""
    asked = [name.strip() for name in text.split(",") if name.strip()]
    if not asked or "all" in asked:
        return tuple(POLICIES)
    for name in asked:
        if name not in POLICIES:
            near = get_close_matches(name, POLICIES, n=1)
            listed = ", ".join(POLICIES)
            raise CouldNotRun(
                f"there is no policy `{name}`",
                f"did you mean `{near[0]}`?" if near else f"choose from all, {listed}",
            )
    return tuple(name for name in POLICIES if name in asked)
