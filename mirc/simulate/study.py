"""A module and what was asked of it into comparisons on every machine."""

from collections.abc import Callable

import attrs

from mirc.controller.telemetry import Telemetry
from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import print_module
from mirc.ir import Module
from mirc.ir.resolve import read
from mirc.kernels.events import EVENT, Kind, Reason
from mirc.machine import Machine
from mirc.machine.load import load, names
from mirc.packed.pack import seal
from mirc.simulate.admission import Scope
from mirc.simulate.comparison import Comparison, compare, plan_for, policies_of
from mirc.simulate.faults import fault_of
from mirc.simulate.hints import Probe
from mirc.simulate.identity import identity
from mirc.simulate.joint import Lowering
from mirc.simulate.model import Outcome, Workload
from mirc.simulate.schedule import schedule_of
from mirc.simulate.stages import Truth
from mirc.simulate.workload import Scenario, build, must_take_context
from mirc.traces.events import EventHeader, EventLog
from mirc.traces.routing import RoutingTrace

Watch = Callable[[Outcome, Scenario, Machine], None]
"""Is shown a run that was recorded, with what it played and where."""

_DECIDES = ("steps", "schedule", "batch", "context", "within", "seed", "faults", "lowering")
"""Options that change figures; the others choose what is shown of them."""


@attrs.frozen(kw_only=True)
class Options:
    """What to simulate; ``machines`` are names or paths, empty for those of the file's plans."""

    machines: tuple[str, ...] = ()
    policies: str = "all"
    steps: int | None = None
    schedule: str | None = None
    batch: int | None = None
    context: int | None = None
    within: Scope = Scope.TIERS
    seed: int = 0
    faults: tuple[str, ...] = ()
    telemetry: Telemetry = Telemetry.OFF
    lowering: Lowering = Lowering.AUTO
    probes: tuple[Probe, ...] = ()
    record: bool = False
    routing: RoutingTrace | None = None


@attrs.frozen(kw_only=True, eq=False)
class Study:
    """Comparisons in the order of the machines; ``title`` names the model.

    ``configuration`` is the hash of all that decided them (``mirc.simulate.identity``).
    """

    title: str
    seed: int
    configuration: str
    comparisons: tuple[Comparison, ...]
    logs: tuple[EventLog, ...] = ()


def study(
    module: Module,
    options: Options,
    source: Source | None = None,
    told: Callable[[str], None] | None = None,
    believed: Module | None = None,
    *,
    watch: Watch | None = None,
) -> Study:
    """Simulate; ``told`` hears what runs now, and an empty line at the end.

    ``watch`` is shown every run with its events as soon as it has ended; they are not kept.

    What happens is what ``module`` says. Policies are told the same, or what the ``believed``
    module declares instead.

    Raises CouldNotRun for whatever was asked for and does not exist, and for what has no size.
    """
    tell = told or (lambda _: None)
    policies = policies_of(options.policies)
    asked = options.machines or planned(module)
    machines = {spelled: load(spelled) for spelled in dict.fromkeys(asked)}
    faults = tuple(map(fault_of, options.faults))
    schedule = schedule_of(module, options.steps, options.schedule)
    if options.context is not None:
        must_take_context(module, schedule)
    intent = module if believed is None else believed
    packed = seal(intent)
    sealed = None if believed is None else seal(module)
    logs: list[EventLog] = []

    def record(outcome: Outcome, scenario: Scenario, machine: Machine) -> None:
        if options.record:
            logs.append(log_of(outcome, scenario.workload, machine))
        if watch is not None:
            watch(outcome, scenario, machine)

    def on(spelled: str, machine: Machine) -> Comparison:
        own = plan_for(module, machine, spelled)
        scenario = build(
            module,
            schedule,
            machine,
            batch=options.batch,
            context=options.context,
            scope=options.within,
            seed=options.seed,
            source=source,
            plan=own,
            routing=options.routing,
        )
        return compare(
            packed,
            scenario,
            machine,
            policies,
            plan=plan_for(intent, machine, spelled),
            faults=faults,
            telemetry=options.telemetry,
            lowering=options.lowering,
            probes=options.probes,
            seed=options.seed,
            truth=None if sealed is None else Truth(packed=sealed, plan=own),
            record=(lambda outcome: record(outcome, scenario, machine))
            if options.record or watch is not None
            else None,
            told=lambda policy: tell(f"{machine.name}: {policy}"),
        )

    try:
        comparisons = tuple(on(spelled, machine) for spelled, machine in machines.items())
    finally:
        tell("")
    return Study(
        title=title_of(module),
        seed=options.seed,
        configuration=identity(
            _text_of(module, source),
            machines.values(),
            {
                **{field: getattr(options, field) for field in _DECIDES},
                "believed": None if believed is None else print_module(believed),
                **({} if options.routing is None else {"routing": options.routing.digest}),
            },
            policies,
        ),
        comparisons=comparisons,
        logs=tuple(logs),
    )


def planned(module: Module) -> tuple[str, ...]:
    """Return the machines that the file's plans name; raise CouldNotRun where there is none."""
    found = tuple(read(plan, "machine") for plan in module.plans.values())
    if not found:
        raise CouldNotRun(
            "no machine was named, and the file has no plan that names one",
            f"give `--machine` one of {', '.join(names())}",
        )
    return found


def title_of(module: Module) -> str:
    """Return the name of the model, or words for a module without one."""
    info = module.info
    if info is None:
        return "a module without a name"
    return read(info, "model") or info.name


def _text_of(module: Module, source: Source | None) -> str:
    return print_module(module) if source is None else source.text


def log_of(outcome: Outcome, workload: Workload, machine: Machine) -> EventLog:
    """Return a recorded run's events with their header."""
    rows = [] if outcome.events is None else outcome.events.tolist()
    return EventLog(header_of(outcome, workload, machine), rows)


def header_of(outcome: Outcome, workload: Workload, machine: Machine) -> EventHeader:
    """Return what the numbers in a run's events mean."""
    return EventHeader(
        machine=machine.name,
        policy=outcome.policy,
        columns=tuple(EVENT.names or ()),
        kinds=tuple(kind.name for kind in Kind),
        reasons=tuple(reason.name for reason in Reason),
        memories=tuple(outcome.hits),  # in the order of their numbers
        phases=workload.phase_names,
        objects=workload.names,
    )
