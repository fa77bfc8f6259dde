"""Claim: one refine on a shifted workload lowers the mismatch, and no step takes longer for it.

Four workloads are not as their files say. Streaming: the plan of Llama-3-70B on h100-sxm is of a
build in which every fourth block ran at another's place; and one made for a single sequence runs
64. Experts: Mixtral-8x7B on card-24g, whose routers are taken to be even and are not (Zipf,
exponent 1, an order for each layer). Training: a loop whose plan was made for a quarter of the
batch. Each is run under `intent`, refined from what was recorded of it, and run again; refining
again from the same record must change nothing. Prints a Markdown table; exits 1 where the mismatch
is not strictly lower, the median step is longer, or the second refine changes anything. FOLDER
keeps the compiled files.

    python benchmarks/refine.py [FOLDER]
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import attrs
import numpy as np

from mirc.diagnostics import Source
from mirc.grammar import load, print_module
from mirc.ir import Field, Module, Override, Plan, PlanPhase
from mirc.observe.compare import Mismatch, sightings
from mirc.observe.logs import seen_in
from mirc.observe.refine import Refinement, refine
from mirc.observe.rewrite import rewritten
from mirc.simulate.joint import Lowering
from mirc.simulate.metrics import Figures
from mirc.simulate.study import Options, Study, study

ROOT = Path(__file__).parents[1]
LOOP = ROOT / "samples" / "models" / "train_loop.py"
TIMES = ("first_use_us", "last_use_us")
MS = 1e9


@attrs.frozen(kw_only=True)
class Case:
    """What happens (``truth``), what the file says of it, and how it is run.

    ``known`` is the file that was compiled knowing what happens, where there is one.
    """

    name: str
    truth: Module
    said: Source
    options: Options
    known: Source | None = None


def compiled(path: Path, *arguments: str) -> Source:
    """Compile a file unless it is there."""
    if not path.exists():
        command = [sys.executable, "-m", "mirc", "compile", *arguments, "-o", str(path)]
        subprocess.run(command, check=True, capture_output=True)
    return Source(path.name, path.read_text(encoding="utf-8"))


def options(machine: str, schedule: str, batch: int | None = None) -> Options:
    """Run intent alone, in the precision that the file gives."""
    return Options(
        machines=(machine,),
        policies="intent",
        schedule=schedule,
        batch=batch,
        lowering=Lowering.OFF,
        record=True,
    )


def moved(module: Module) -> Module:
    """Return the module with a plan of another order: of every four blocks, two swap places."""
    plans = {name: _moved_plan(plan) for name, plan in module.plans.items()}
    return attrs.evolve(
        module,
        declarations=tuple(
            plans[each.name] if isinstance(each, Plan) else each for each in module.declarations
        ),
    )


def _moved_plan(plan: Plan) -> Plan:
    return attrs.evolve(plan, phases=tuple(map(_moved_phase, plan.phases)))


def _moved_phase(phase: PlanPhase) -> PlanPhase:
    by_name = {each.name: each for each in phase.overrides}
    return attrs.evolve(
        phase,
        overrides=tuple(
            _at_the_time_of(by_name.get(_other(each.name), each), each) for each in phase.overrides
        ),
    )


def _other(name: str) -> str:
    """Name the part of another block that an object swaps times with: of blocks 4n and 4n + 2."""
    parts = name.split(".")
    place = next((at for at, part in enumerate(parts) if part.isdigit()), None)
    if place is None or int(parts[place]) % 2:
        return name
    number = int(parts[place])
    parts[place] = str(number + 2 if number % 4 == 0 else number - 2)
    return ".".join(parts)


def _at_the_time_of(other: Override, one: Override) -> Override:
    times: dict[str, Field] = {field.key: field for field in other.fields if field.key in TIMES}
    return attrs.evolve(one, fields=tuple(times.get(field.key, field) for field in one.fields))


def zipf(path: Path) -> Path:
    """Record 4,000 tokens of 32 routers that choose 2 of 8, Zipf (exponent 1) in an order."""
    rng = np.random.default_rng(0)
    layers, experts, chosen, tokens = 32, 8, 2, 4_000
    found = np.empty((tokens, layers, chosen), dtype=np.int16)
    for layer in range(layers):
        weights = np.empty(experts)
        weights[rng.permutation(experts)] = -np.log(np.arange(1, experts + 1))
        keys = weights + rng.gumbel(size=(tokens, experts))
        found[:, layer] = np.argpartition(-keys, chosen, axis=1)[:, :chosen]
    np.savez(path, found)
    return path


def cases(folder: Path) -> Iterator[Case]:
    """Yield the workloads, compiled into the folder."""
    llama = compiled(folder / "llama3-70b.mir", "preset:llama3-70b", "-M", "h100-sxm")
    streamed = load(llama)
    yield Case(
        name="streaming, blocks out of order",
        truth=streamed,
        said=Source(llama.name, print_module(moved(streamed))),
        options=options("h100-sxm", "REPEAT(12, decode_step)"),
        known=llama,
    )
    yield Case(
        name="streaming, 64 sequences for 1",
        truth=streamed,
        said=llama,
        options=options("h100-sxm", "REPEAT(6, decode_step)", batch=64),
    )
    trace = zipf(folder / "mixtral.npz")
    mixtral = ("preset:mixtral-8x7b", "-M", "card-24g")
    routed = compiled(folder / "routed.mir", *mixtral, "--routing", str(trace))
    yield Case(
        name="experts, routers taken to be even",
        truth=load(routed),
        known=routed,
        said=compiled(folder / "even.mir", *mixtral),
        options=options("card-24g", "REPEAT(96, decode_step)"),
    )
    loop = compiled(folder / "train.mir", f"{LOOP}", "-M", "edge")
    yield Case(
        name="training, four times the batch",
        truth=load(loop),
        said=loop,
        options=options("edge", "REPEAT(8, forward, backward, optimizer_update)", batch=16),
    )


def ran(case: Case, said: Source) -> Study:
    """Run the truth under what a file says of it."""
    return study(case.truth, case.options, None, None, load(said))


def refined(said: Source, seen: Study) -> tuple[Refinement, Source]:
    """Refine a file from a recorded run."""
    module = load(said)
    found = refine(module, sightings(module, seen_in(seen.logs), said.name), said.name)
    return found, Source(said.name, rewritten(said, module, found.changes))


def figures(found: Study) -> Figures:
    """Return the row of intent."""
    return found.comparisons[0].rows[0]


def shown(found: Mismatch | None) -> str:
    """Return a mismatch as two figures."""
    return "-" if found is None else f"{100 * found.share:.2f} % / {found.brier_excess:.4f}"


def better(before: Mismatch | None, after: Mismatch | None) -> bool:
    """Tell whether a mismatch is strictly lower: fewer chances missed, or better forecasts."""
    if before is None or after is None:
        return False
    return (after.share, after.brier_excess) < (before.share, before.brier_excess)


def measure(case: Case) -> bool:
    """Print the row of a workload; return whether the claim holds for it."""
    first = ran(case, case.said)
    found, text = refined(case.said, first)
    again, same = refined(text, first)
    second = ran(case, text)
    after = found.after(text)
    was, now = figures(first), figures(second)
    best = "-" if case.known is None else f"{figures(ran(case, case.known)).p50_ps / MS:.3f}"
    print(
        f"| {case.name} | {len(found.changes):,} | {shown(found.before)} | {shown(after)} "
        f"| {was.p50_ps / MS:.3f} | {now.p50_ps / MS:.3f} | {best} | {was.total_ps / MS:.1f} "
        f"| {now.total_ps / MS:.1f} | {len(again.changes)} |",
        flush=True,
    )
    return (
        better(found.before, after)
        and now.p50_ps <= was.p50_ps
        and not again.changes
        and same.text == text.text
    )


def main() -> None:
    """Measure all workloads."""
    print(
        "| workload | changes | mismatch before | after | median step before (ms) | after "
        "| compiled knowing it "
        "| whole run before (ms) | after | changes of a second refine |"
    )
    print(f"|---|{'--:|' * 9}")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        held = [measure(case) for case in cases(folder)]
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
