"""Claim: what `mirc fit` says fits, the simulator runs; one sequence or one token more it refuses.

Compiles llama3-8b, mixtral-8x7b and deepseek-v3 (or reads FILES), and asks for the largest batch
and context of decode steps on three machines, in near memory alone and over all tiers. At each
answer the run is simulated under lru and intent; just above it the simulator must not admit it.
Caches have blocks of BLOCK_TOKENS tokens: thousands of sequences in blocks of 16 would be more
accesses than the simulator takes. Exits 1 where any of it fails.

    python benchmarks/fit.py [FILES]
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mirc.answers.fit import Question, answer, question
from mirc.controller.ingest import ingest
from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.ir import Module
from mirc.machine import Machine
from mirc.machine.load import load as load_machine
from mirc.packed.pack import seal
from mirc.simulate.admission import Scope
from mirc.simulate.engine import simulate
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import build

MODELS = ("llama3-8b", "mixtral-8x7b", "deepseek-v3")
MACHINES = ("card-24g", "h100-sxm", "mi300x")
BLOCK_TOKENS = 4096
RUNS = 2
SCHEDULE = f"REPEAT({RUNS}, decode_step)"
POLICIES = ("lru", "intent")


def module_of(path: Path) -> Module:
    """Read a file, with larger blocks."""
    text = path.read_text("utf-8")
    return load(Source(path.name, text.replace("block_tokens    = 16\n", BLOCKS)))


BLOCKS = f"block_tokens    = {BLOCK_TOKENS}\n"


def admitted(asked: Question, machine: Machine, scope: Scope, batch: int, context: int) -> str:
    """Simulate a batch whose caches hold ``context`` tokens in the end; say how it went."""
    module = asked.module
    try:
        scenario = build(
            module,
            schedule_of(module, None, SCHEDULE),
            machine,
            batch=batch,
            context=context - RUNS,
            scope=scope,
        )
    except CouldNotRun as refused:
        return "refused" if "bytes at once" in refused.message else refused.message
    known = ingest(seal(module), machine, None, scenario.workload.names, scenario.runs)
    for policy in POLICIES:
        outcome = simulate(scenario.workload, known, machine, policy)
        if outcome.peak_bytes[machine.near.name] > machine.near.usable_bytes:
            return f"{policy} overfills near memory"
    return "completes"


def judge(module: Module, name: str, scope: Scope) -> bool:
    """Print a machine's answers and what the simulator says of them."""
    machine = load_machine(name)
    begin = time.perf_counter()
    asked = question(module, schedule_of(module, None, SCHEDULE), machine)
    found = answer(asked, scope)
    seconds = time.perf_counter() - begin
    at = asked.asked
    holds = True
    if not found.fits:
        said = admitted(asked, machine, scope, at.sequences, at.tokens)
        holds = said == "refused"
        print(f"| {name} | {scope} | 0 | {said} | - | - | - | {seconds:.2f} |", flush=True)
        return holds
    cells = []
    for what, batch, context, above in (
        ("batch", found.batch, at.tokens, (1, 0)),
        ("context", at.sequences, found.context, (0, 1)),
    ):
        if not batch or not context:
            cells.append(f"{what} without a bound | - ")
            continue
        there = admitted(asked, machine, scope, batch, context)
        beyond = admitted(asked, machine, scope, batch + above[0], context + above[1])
        holds &= (there, beyond) == ("completes", "refused")
        cells.append(f"{batch if what == 'batch' else context:_} | {there}, then {beyond}")
    print(f"| {name} | {scope} | {' | '.join(cells)} | {seconds:.2f} |", flush=True)
    return holds


def main() -> None:
    """Judge every model on every machine, in both scopes."""
    holds = True
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(name) for name in sys.argv[1:]]
        for model in () if paths else MODELS:
            path = Path(folder, f"{model}.mir")
            command = [sys.executable, "-m", "mirc", "compile", f"preset:{model}", "-o", str(path)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            paths.append(path)
        for path in paths:
            module = module_of(path)
            print(f"\n{path.stem}\n")
            print("| machine | within | largest batch | simulated | context | simulated | s |")
            print("|---|---|---|---|---|---|---|")
            for name in MACHINES:
                for scope in Scope:
                    holds &= judge(module, name, scope)
    print("holds" if holds else "DOES NOT HOLD")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
