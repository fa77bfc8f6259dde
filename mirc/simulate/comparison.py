"""A module, a machine and several policies into one table's worth of figures."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches

import attrs

from mirc.controller.ingest import ingest
from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.ir.resolve import View, read
from mirc.machine import Machine
from mirc.simulate.contracts import broken, wired
from mirc.simulate.engine import simulate
from mirc.simulate.limits import Limits, inflow_bytes_per_s, limits
from mirc.simulate.metrics import Figures, figures
from mirc.simulate.model import Outcome
from mirc.simulate.policies import POLICIES
from mirc.simulate.wiring import Wired
from mirc.simulate.workload import Scenario


@attrs.frozen(kw_only=True)
class Comparison:
    """What every policy made of the same scenario on one machine.

    ``plan`` is the name of the plan that intent had, None if it ran on hints alone. An iteration is
    a run of the phases ``before`` the ``iterated`` one, and of that one. ``wired``
    is None if the file wires nothing into SRAM.
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

    @property
    def broken(self) -> tuple[str, ...]:
        """The contracts that intent broke; the other policies know of none."""
        return tuple(line for row in self.rows if row.policy == "intent" for line in row.broken)


def compare(
    module: Module,
    scenario: Scenario,
    machine: Machine,
    policies: Sequence[str],
    *,
    plan: str | None = None,
    record: Callable[[Outcome], None] | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Run each policy on the same workload, in the order given.

    ``told`` hears the name of a policy before it runs; ``record``, where there is one, gets every
    outcome with its events.
    """
    workload = scenario.workload
    near = machine.near
    bounds = limits(workload, near.usable_bytes, inflow_bytes_per_s(machine))
    descriptors = ingest(module, machine, plan, workload.names, scenario.runs)
    held = wired(View(module, plan=plan), workload.names)
    rows = []
    for policy in policies:
        told(policy)
        # A wired object's loss can be told from the events alone, and only intent promises one.
        watched = record is not None or (policy == "intent" and bool(held.any()))
        outcome = simulate(workload, descriptors, machine, policy, record_events=watched)
        row = figures(outcome, workload, bounds, near.name, scenario.tokens)
        rows.append(attrs.evolve(row, broken=broken(outcome, workload.names, machine, held)))
        if record is not None:
            record(outcome)
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
        assumptions=scenario.assumptions,
        wired=scenario.wired,
    )


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
