"""A packed file, a machine and several policies into one table's worth of figures."""

from collections.abc import Callable, Sequence

import attrs

from mirc.controller.own import is_own
from mirc.controller.telemetry import Telemetry
from mirc.ir import Module
from mirc.ir.resolve import read
from mirc.machine import Machine
from mirc.packed.model import Packed
from mirc.simulate.assumptions import assumed_of
from mirc.simulate.case import case_of, run
from mirc.simulate.curves import Curve, curves_of_schedule
from mirc.simulate.faults import Fault
from mirc.simulate.hints import Ablation, HintCurve, Probe, ablation, hint_curve
from mirc.simulate.joint import Joint, Lowering, joint
from mirc.simulate.limits import Limits
from mirc.simulate.metrics import Figures
from mirc.simulate.model import Outcome
from mirc.simulate.policies import MORE, POLICIES, policy_of
from mirc.simulate.sinks import Promoted, promoted
from mirc.simulate.stages import Truth
from mirc.simulate.wiring import Wired
from mirc.simulate.workload import Scenario

_WITHOUT_FAULTS = ("the bounds are those of a run in which nothing fails",)


@attrs.frozen(kw_only=True)
class Comparison:
    """What every policy made of the same scenario on one machine.

    ``plan`` is the name of the plan that intent had, None if it ran on hints alone. An iteration is
    a run of the phases ``before`` the ``iterated`` one, and of that one. ``wired``
    is None if the file wires nothing into SRAM, ``joint`` if no precision was managed, ``hints``
    and ``ablation`` if they were not asked for, and ``misses`` are none then.
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
    hints: HintCurve | None = None
    ablation: Ablation | None = None
    misses: tuple[Curve, ...] = ()

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
    probes: Sequence[Probe] = (),
    seed: int = 0,
    record: Callable[[Outcome], None] | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Run each policy on the same workload, in the order given, all with the same ``faults``.

    ``told`` hears the name of a policy before it runs; ``record``, where there is one, gets every
    outcome with its events. Policies know what the packed file says, and no more: where that is the
    intent of another file, ``truth`` is the one that runs. ``probes`` ask for more than policies;
    ``seed`` decides which hints are wrong in theirs.
    """
    case = case_of(packed, scenario, machine, plan, truth)
    rows = []
    for policy in policies:
        told(policy)
        rows.append(run(case, policy, faults=faults, telemetry=telemetry, seed=seed, record=record))
    together = None
    if "intent" in policies and lowering is not Lowering.OFF:
        told("intent with precision")
        together = joint(
            packed,
            scenario,
            machine,
            lowering,
            known=case.known,
            bounds=case.bounds,
            plan=plan,
            faults=faults,
            truth=truth,
            record=record,
        )
    return Comparison(
        machine=machine.name,
        near=machine.near.name,
        usable_bytes=machine.near.usable_bytes,
        plan=plan,
        iterated=scenario.iterated,
        before=scenario.before,
        iterations=scenario.iterations,
        sequences=scenario.sequences,
        tokens=scenario.tokens,
        bounds=case.bounds,
        rows=tuple(rows),
        assumptions=(
            *scenario.assumptions,
            *assumed_of(machine),
            *(_WITHOUT_FAULTS if faults else ()),
        ),
        wired=scenario.wired,
        sinks=promoted(packed, machine, plan, scenario),
        joint=together,
        hints=hint_curve(case, seed, told=told) if Probe.CURVE in probes else None,
        ablation=ablation(case, told) if Probe.ABLATION in probes else None,
        misses=curves_of_schedule(scenario.workload, machine.near.usable_bytes)
        if Probe.MISSES in probes
        else (),
    )


def plan_for(module: Module, machine: Machine, spelled: str) -> str | None:
    """Return the plan made for a machine that was asked for as ``spelled``; None without one."""
    for name, plan in module.plans.items():
        if read(plan, "machine") in (machine.name, spelled):
            return name
    return None


def policies_of(text: str) -> tuple[str, ...]:
    """Read names separated by commas into policies in the order of the tables.

    ``all`` are those that a table has by default, ``every`` all there are; the user's come last.
    """
    asked = [name.strip() for name in text.split(",") if name.strip()]
    everything = (*POLICIES, *MORE)
    if "every" in asked:
        asked += everything
    if not asked or "all" in asked:
        asked += POLICIES
    for name in asked:
        if name not in {"all", "every"}:
            policy_of(name)
    own = (name for name in dict.fromkeys(asked) if is_own(name))
    return (*(name for name in everything if name in asked), *own)
