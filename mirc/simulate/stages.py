"""A file, a policy and options into the stages that act between the steps of a run."""

from collections.abc import Sequence

import attrs
import numpy as np

from mirc.controller.descriptors import Descriptors
from mirc.controller.stage import Happening, Stage
from mirc.controller.telemetry import Telemetry, TelemetryStage
from mirc.kernels.world import CAPACITY
from mirc.machine import Machine
from mirc.packed.model import Packed
from mirc.packed.view import PackedView
from mirc.simulate.claims import claim_stage
from mirc.simulate.course import signal_stage
from mirc.simulate.faults import Fault, FaultStage, Targets
from mirc.simulate.model import Ints, Workload
from mirc.simulate.promises import promise_stage
from mirc.simulate.topology import topology
from mirc.simulate.workload import Scenario


@attrs.frozen(kw_only=True, eq=False)
class Truth:
    """The file that really runs, packed, and its plan, where the controller believes another."""

    packed: Packed
    plan: str | None


def stages_of(
    packed: Packed,
    scenario: Scenario,
    known: Descriptors,
    machine: Machine,
    *,
    policy: str,
    plan: str | None,
    faults: Sequence[Fault] = (),
    telemetry: Telemetry = Telemetry.OFF,
    truth: Truth | None = None,
) -> tuple[Stage, ...]:
    """Return the stages of one run, fresh ones: what fails first, then what the controller does.

    Everything fails under every policy, tenants those of the ``truth``, where it is another file;
    rules, signals and what else a file asks for is heard under intent alone. Raises CouldNotRun for
    a fault of something that does not exist.
    """
    found: list[Stage] = []
    workload = scenario.workload
    ways = topology(workload, known, machine) if faults or telemetry is not Telemetry.OFF else None
    if ways is not None and telemetry is not Telemetry.OFF:
        found.append(TelemetryStage(ways.link_names))
    if ways is not None and faults:
        real = truth or Truth(packed=packed, plan=plan)
        targets = Targets(
            links=ways.link_names,
            memories=ways.names,
            objects=workload.names,
            tenants=tenants_of(PackedView(real.packed, plan=real.plan), workload),
            sizes=ways.memories[CAPACITY].tolist(),
        )
        found.append(FaultStage(faults, targets, workload.step_count))
    signals = signal_stage(packed, scenario, machine, plan) if policy == "intent" else None
    if signals is not None:
        found.append(signals)
    claims = claim_stage(packed, scenario, machine, plan) if policy == "intent" else None
    if claims is not None:
        found.append(claims)
    promises = promise_stage(packed, scenario, plan) if policy == "intent" else None
    if promises is not None:
        found.append(promises)
    return tuple(found)


def left_over(stages: Sequence[Stage]) -> tuple[Happening, ...]:
    """Return what is to be said of faults once a run has ended."""
    return tuple(row for each in stages if isinstance(each, FaultStage) for row in each.left_over())


def tenants_of(view: PackedView, workload: Workload) -> dict[str, Ints]:
    """Return the objects of each tenant of the file; an instance is of its template's tenant."""
    owner = [owner_of(view, name) for name in workload.names]
    known = {name: view.value(name, "tenant_id") for name in dict.fromkeys(owner)}
    whose = np.array([known[name] or "" for name in owner], dtype=np.str_)
    return {name: np.flatnonzero(whose == name) for name in view.packed.tenants}


def owner_of(view: PackedView, name: str) -> str:
    """Return the declaration that an id's name comes from: ``kv(0,1)`` is an instance of ``kv``."""
    return name if name in view.packed.data else name[: name.rindex("(")]
