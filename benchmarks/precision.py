"""Claim: precision and residency together are at least as good as either alone.

llama3-8b decodes on a 24 GB card whose memory is cut from 24 GB down to 5. At each size four ways:
`offload` keeps full precision and streams what does not fit (intent); `quantise` holds all weights
at one rung, the widest of its ladder at which everything fits, and streams nothing (a checkpoint
that was quantised before); `fit` lowers the least
sensitive weights until they fit, `speed` lowers all to their floors; both stream what is left.
Prints a Markdown table: p50 of a decode step, bytes that weights take, and the doubt (declared
sensitivity times rungs lost, averaged over bytes: no accuracy was measured, and none is claimed).
Exits 1 where `fit` is slower than `offload` or has more doubt than `quantise`, or `speed` is slower
than either.

    python benchmarks/precision.py [PRESET [MACHINE]]
"""

import sys

import attrs
import numpy as np

from mirc.controller.descriptors import Descriptors
from mirc.controller.ingest import ingest
from mirc.diagnostics import CouldNotRun
from mirc.emit import emit
from mirc.frontend import CaptureOptions, capture
from mirc.graph import Program
from mirc.machine import Machine
from mirc.machine.load import load
from mirc.packed.pack import seal
from mirc.passes.pipeline import run
from mirc.simulate.engine import simulate
from mirc.simulate.ladders import Managed, Physics, managed, physics
from mirc.simulate.metrics import percentile, steady_ps
from mirc.simulate.model import Ints, Workload
from mirc.simulate.precision import Aim, PrecisionStage
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import build

GB = 1_000_000_000
SHARES = (1.0, 0.75, 0.6, 0.5, 0.4, 0.3, 0.25, 0.21)
RUNS = 12
SLACK = 1.002  # two runs that differ by less are equal


@attrs.frozen
class Result:
    """One way to run: p50 of a steady step, bytes of weights, and doubt; None if it does not."""

    p50_ps: int
    weights_bytes: int
    doubt: float


def cut(machine: Machine, share: float) -> Machine:
    """Return the machine with a share of its near memory, reserve included."""
    near = attrs.evolve(machine.near, capacity_bytes=int(machine.near.capacity_bytes * share))
    others = [near if memory.name == near.name else memory for memory in machine.memories]
    return attrs.evolve(machine, name=f"{machine.name}-{share:g}", memories=tuple(others))


def doubt(units: list[Managed], rungs: Ints) -> float:
    """Return sensitivity times rungs lost, averaged over the bytes of full precision."""
    sizes = np.array([each.unit.size_bytes for each in units])
    levels = np.array([each.unit.sensitivity for each in units])
    return float((sizes * levels * rungs).sum() / sizes.sum())


def uniform(
    units: list[Managed], price: Physics, load: Workload, known: Descriptors, machine: Machine
) -> Result | None:
    """Hold all weights at one rung of their ladders, the widest at which all fit."""
    # What is not a weight takes at least its largest cache block and the steps' own space.
    others = int(load.transient_bytes.max()) + int(load.size_bytes[load.made].max(initial=0))
    deepest = max(each.unit.lowest for each in units)
    for rung in range(deepest + 1):
        rungs = np.array([min(rung, each.unit.lowest) for each in units], dtype=np.int64)
        sizes = [each.unit.rungs[r] for each, r in zip(units, rungs.tolist(), strict=True)]
        if sum(sizes) + others > machine.near.usable_bytes or load.roofs_ps is None:
            continue
        spared = np.zeros(load.object_count)
        held = load.size_bytes.copy()
        for each, size in zip(units, sizes, strict=True):
            held[each.object] = size
            spared[each.object] = round((each.unit.size_bytes - size) * price.near_ps)
        step = np.repeat(np.arange(load.step_count), np.diff(load.access_ptr))
        saved = np.bincount(step, weights=spared[load.access_object], minlength=load.step_count)
        times = np.maximum(load.roofs_ps[0] - saved.astype(np.int64), load.roofs_ps[1])
        smaller = attrs.evolve(load, size_bytes=held, compute_ps=times, roofs_ps=None)
        outcome = simulate(smaller, known, machine, "intent")
        p50 = percentile(steady_ps(outcome.step_ps, load), 50)
        return Result(p50, sum(sizes), doubt(units, rungs))
    return None


def ways(program: Program, machine: Machine) -> dict[str, Result | None]:
    """Run all four on one machine, each with a plan that was made for it."""
    module = emit(program, run(program, machines=(machine,)))
    plan = next(iter(module.plans))
    schedule = schedule_of(module, None, f"REPEAT({RUNS}, decode_step)")
    scenario = build(module, schedule, machine, plan=plan)
    packed, work = seal(module), scenario.workload
    known = ingest(packed, machine, plan, work.names, scenario.runs)
    units = list(managed(packed, plan, work, known))
    price = physics(units, work, known, machine)
    found: dict[str, Result | None] = {}
    for way, aim in (("offload", None), ("fit", Aim.FIT), ("speed", Aim.SPEED)):
        stage = None if aim is None else PrecisionStage(units, price, aim)
        stages = () if stage is None else (stage,)
        outcome = simulate(work, known, machine, "intent", stages=stages)
        p50 = percentile(steady_ps(outcome.step_ps, work), 50)
        rungs = np.zeros(len(units), dtype=np.int64) if stage is None else stage.rungs
        held = sum(each.unit.rungs[r] for each, r in zip(units, rungs.tolist(), strict=True))
        found[way] = Result(p50, held, doubt(units, rungs))
    found["quantise"] = uniform(units, price, work, known, machine)
    return found


def holds(found: dict[str, Result | None]) -> bool:
    """Say whether the claim holds at one size."""
    offload, fit, speed = (found[name] for name in ("offload", "fit", "speed"))
    uniformly = found["quantise"]
    if offload is None or fit is None or speed is None:
        return False
    good = fit.p50_ps <= offload.p50_ps * SLACK and speed.p50_ps <= offload.p50_ps * SLACK
    if uniformly is not None:
        good &= fit.doubt <= uniformly.doubt + 1e-9 and speed.p50_ps <= uniformly.p50_ps * SLACK
    return good


def cell(result: Result | None) -> str:
    """Return a cell of the table."""
    if result is None:
        return "does not fit"
    size = result.weights_bytes / GB
    return f"{result.p50_ps / 1e9:.2f} ms, {size:.2f} GB, {result.doubt:.3f}"


def main() -> None:
    """Print the table; exit 1 where the claim fails."""
    given = sys.argv[1:]
    preset, name = (*given, *("llama3-8b", "card-24g")[len(given) :])
    program = capture(f"preset:{preset}", CaptureOptions(), lambda _line: None)
    names = ("offload", "quantise", "fit", "speed")
    print(f"{preset} on {name}: p50 of a decode step, bytes of weights, doubt\n")
    print("| near memory | " + " | ".join(names) + " | holds |")
    print("|---:|" + "---|" * (len(names) + 1))
    kept = True
    for share in SHARES:
        machine = cut(load(name), share)
        usable = f"{machine.near.usable_bytes / GB:.2f} GB"
        try:
            found = ways(program, machine)
        except CouldNotRun as error:
            print(f"| {usable} | {error.message} |||||")
            continue
        good = holds(found)
        kept &= good
        print(f"| {usable} | {' | '.join(cell(found[way]) for way in names)} | {good} |")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
