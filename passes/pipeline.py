"""THE list of passes in running order, and programs run through it."""

import time
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

from mirc.diagnostics import CouldNotRun
from mirc.graph import Program
from mirc.ir import Value
from mirc.machine import Machine
from mirc.passes.annotate import Annotate
from mirc.passes.arbiter import Arbiter
from mirc.passes.base import AnyPass, Fact, Facts
from mirc.passes.coalition import CoalitionDetect
from mirc.passes.expert_routing import ExpertRouting
from mirc.passes.liveness import Liveness
from mirc.passes.phase_annotator import PhaseAnnotator
from mirc.passes.recompute_classifier import RecomputeClassifier
from mirc.passes.reuse import ReuseEstimate
from mirc.passes.seeds import Machines, Observed, Options, Schedule
from mirc.passes.tier_liveness import TierLiveness

PIPELINE: tuple[AnyPass, ...] = (
    PhaseAnnotator(),  # first: all that follows is per phase
    Liveness(),
    ExpertRouting(),  # before reuse: the bytes of a routed step are those of the experts it draws
    ReuseEstimate(),  # after liveness: inner traffic is part of a step's time
    RecomputeClassifier(),  # after liveness: the cone stops at what is alive
    CoalitionDetect(),
    TierLiveness(),  # after reuse: streams are spread over the clock
    Arbiter(),  # after tier-liveness: what streams is not worth wiring
    Annotate(),  # last: rules over all facts
)

Timer = Callable[[str, float], None]


def run(
    program: Program,
    *,
    machines: tuple[Machine, ...] = (),
    spelled: Mapping[str, str] | None = None,
    schedule: tuple[Value, ...] | None = None,
    options: Options | None = None,
    observed: Observed | None = None,
    only: tuple[str, ...] = (),
    timed: Timer | None = None,
) -> Facts:
    """Run PIPELINE over a program; ``only`` limits it to these passes and what they read.

    ``spelled`` gives the text that loads a machine again where that is not its name. ``timed`` is
    told each pass's name and seconds. Raises CouldNotRun for an unknown pass.
    """
    facts = Facts.seeded(
        Machines(machines, spelled or {}),
        Schedule(schedule),
        options or Options(),
        observed or Observed(),
    )
    for each in closure(only) if only else PIPELINE:
        begin = time.perf_counter()
        facts = facts.having(each.run(program, facts))
        if timed is not None:
            timed(each.name, time.perf_counter() - begin)
    return facts


def closure(names: tuple[str, ...]) -> tuple[AnyPass, ...]:
    """Return the passes of these names and all that they read from, in running order."""
    by_name = {each.name: each for each in PIPELINE}
    writer = {each.writes: each for each in PIPELINE}
    wanted: dict[str, AnyPass] = {}
    todo = [by_name[name] if name in by_name else _unknown(name) for name in names]
    while todo:
        each = todo.pop()
        if each.name not in wanted:
            wanted[each.name] = each
            todo += [writer[kind] for kind in each.reads if kind in writer]
    return tuple(each for each in PIPELINE if each.name in wanted)


def explain(facts: Facts) -> Iterator[str]:
    """Yield what each pass that ran established, without seconds."""
    for each in PIPELINE:
        if each.writes in facts:
            yield f"{each.name}:"
            fact: Fact = facts[each.writes]
            yield from (f"  {sentence}" for sentence in fact.sentences())


def _unknown(name: str) -> AnyPass:
    names = [each.name for each in PIPELINE]
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"choose from {', '.join(names)}"
    raise CouldNotRun(f"there is no pass `{name}`", hint)
