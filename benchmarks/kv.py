"""Claim: what a serving stack knows of keys and values keeps more of use than any rule without it.

Serves Mooncake's synthetic trace (no sessions) and generated conversations of agents that wait,
fork and compact, over the caches of llama3-8b and llama3-70b, at several capacities: usable hits,
block hits, TTFT and goodput of every policy beside Belady; then intent without each fact and each
signal, and told each conversation's signals about another one (the placebo); then other
conversations. The last lines say at which capacities intent is not at least as good as the best of
the rules that it is not made of. FOLDER keeps the compiled files.

    python benchmarks/kv.py [FOLDER]             few capacities, no policy of old
    python benchmarks/kv.py --whole [FOLDER]     all capacities and policies, of both models
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import attrs

from mirc.controller.kv.density import Fact
from mirc.controller.kv.signals import Signal
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.simulate.serving.model import Options, Row, Served
from mirc.simulate.serving.policies import (
    ABLATIONS,
    BELIEVED,
    INTENT,
    ORACLE,
    PLACEBO,
    POLICIES,
    TIMED,
)
from mirc.simulate.serving.serve import serve
from mirc.traces.make.agents import Agents, agents
from mirc.traces.requests import Request, read

SAMPLE = Path(__file__).parents[1] / "samples" / "traces" / "mooncake-synthetic.jsonl.gz"
MOST_PLACEBO = 0.02
SEEDS = (0, 1, 2)  # of the conversations
FEW = ("lru", "arc", INTENT, TIMED, ORACLE)  # beside the first model's, unless all are asked for
OF_OLD = ("fifo", "mru", "s3-fifo-small")  # never the best here
_OF_TRACES = (Signal.TOOL_WAIT, Signal.RESUME, Signal.COMPACT, Signal.SEQUENCE_END)
_GB = 1e9
_CLOSE = 1e-9


@attrs.frozen(kw_only=True)
class Model:
    """A model, the machine that serves it, and how much slower than recorded requests come."""

    preset: str
    machine: str
    block_gb: float  # of 512 tokens
    speedup: Mapping[str, float]


@attrs.frozen(kw_only=True)
class Trace:
    """A trace, and the capacities in blocks at which it is served."""

    name: str
    blocks: tuple[int, ...]
    quick: tuple[int, ...]
    ablated: int
    seed: int = 0

    def requests(self) -> Sequence[Request]:
        """Read it, or draw it: 400 conversations."""
        if self.name == "mooncake":
            return read(str(SAMPLE))
        return tuple(agents(Agents(seed=self.seed)))


@attrs.frozen(kw_only=True)
class Point:
    """One policy on one trace at one capacity."""

    trace: Trace
    model: Model
    blocks: int
    policy: str
    path: str


MODELS = (
    Model(
        preset="llama3-8b",
        machine="h100-sxm",
        block_gb=0.067108864,
        speedup={"mooncake": 0.3, "agents": 0.2},
    ),
    Model(
        preset="llama3-70b",
        machine="b200",
        block_gb=0.16777216,
        speedup={"mooncake": 0.06, "agents": 0.08},
    ),
)
TRACES = (
    Trace(
        name="mooncake",
        blocks=(1000, 3000, 5000, 10_000, 20_000, 30_000),
        quick=(1000, 5000, 20_000),
        ablated=5000,
    ),
    Trace(name="agents", blocks=(375, 500, 625, 750, 1000), quick=(500, 750), ablated=500),
)


def played(point: Point) -> tuple[Row, Served]:
    """Serve a trace; the policy's row and what it was served with."""
    module = load(Source(point.path, Path(point.path).read_text(encoding="utf-8")))
    options = Options(
        machines=(point.model.machine,),
        policies=point.policy,
        kv_gb=(point.blocks + 0.5) * point.model.block_gb,
        speedup=point.model.speedup[point.trace.name],
    )
    (served,) = serve(module, point.trace.name, point.trace.requests(), options).machines
    return served.rows[0], served


def usable(row: Row) -> float:
    """Return the share of prompt tokens that were there when their request began."""
    return row.total.found / row.total.asked


def table(heads: Sequence[str], rows: Iterator[Sequence[str]]) -> None:
    """Print a table."""
    print(f"| {' | '.join(heads)} |\n|---|{'--:|' * (len(heads) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(flush=True)


def named(policy: str) -> str:
    """Return a policy's name, with what it was given that others were not."""
    return f"{policy} (oracle)" if policy == ORACLE else policy


Results = Mapping[tuple[str, int], Row]


def compared(
    trace: Trace, model: Model, blocks: Sequence[int], policies: Sequence[str], found: Results
) -> list[str]:
    """Print the tables of all policies; return the capacities at which intent is not the best."""
    places = [f"{at * model.block_gb:.0f} GB ({at:,} blocks)" for at in blocks]

    def rows(cell: str) -> Iterator[Sequence[str]]:
        for policy in policies:
            at = [found[policy, place] for place in blocks]
            values = {
                "usable": [f"{usable(row):.2%}" for row in at],
                "hits": [f"{row.total.blocks_there / row.total.blocks:.2%}" for row in at],
                "ttft": [
                    f"{row.pace.ttft_ms.p50:,.0f} / {row.pace.ttft_ms.p95:,.0f}" for row in at
                ],
                "goodput": [f"{row.pace.goodput_per_s:.3f}" for row in at],
            }
            yield [named(policy), *values[cell]]

    about = f"{trace.name}, {model.preset} on {model.machine}, arrivals x "
    print(f"### {about}{model.speedup[trace.name]:g}\n")
    for cell, what in (
        ("usable", "prompt tokens usable"),
        ("hits", "blocks there"),
        ("ttft", "TTFT p50 / p95, ms"),
        ("goodput", "requests a second within both objectives"),
    ):
        print(f"{what}:\n")
        table([what, *places], rows(cell))
    return list(_lost(trace, model, blocks, policies, found))


def _lost(
    trace: Trace, model: Model, blocks: Sequence[int], policies: Sequence[str], found: Results
) -> Iterator[str]:
    others = [policy for policy in policies if policy not in {INTENT, TIMED, ORACLE}]
    for place in blocks:
        best = max(others, key=lambda policy: usable(found[policy, place]))
        ours, theirs = usable(found[INTENT, place]), usable(found[best, place])
        verdict = "at least as good" if ours >= theirs - _CLOSE else "NOT AS GOOD"
        where = f"{trace.name}, {model.preset}, {place:,} blocks"
        said = f"{where}: intent {ours:.2%}, {best} {theirs:.2%}"
        print(f"{said}: {verdict}")
        if ours < theirs - _CLOSE:
            yield said
    print(flush=True)


def ablations(trace: Trace) -> list[str]:
    """Return the policies that show what each fact and signal is worth on a trace."""
    of_trace: list[str] = [f"{INTENT}-{fact}" for fact in Fact]
    if trace.name == "mooncake":
        of_trace.remove(f"{INTENT}-{Fact.SIGNAL}")
        return of_trace
    of_trace += [f"{INTENT}-{signal}" for signal in _OF_TRACES]
    return [*of_trace, BELIEVED, PLACEBO]


def ablated(trace: Trace, model: Model, found: Results, names: Sequence[str]) -> None:
    """Print what intent is without each thing that it knows, and what the placebo gains."""
    place = trace.ablated
    whole = usable(found[INTENT, place])
    at = f"{place * model.block_gb:.0f} GB ({place:,} blocks)"
    print(f"### {trace.name}, {model.preset}, {at}: what each thing known is worth\n")

    def rows() -> Iterator[Sequence[str]]:
        for name in (INTENT, *names):
            row = found[name, place]
            what = f"intent without {ABLATIONS[name]}" if name in ABLATIONS else name
            change = f"{usable(row) - whole:+.2%}"
            good = f"{row.pace.goodput_per_s:.3f}"
            yield [what, f"{usable(row):.2%}", change, f"{row.pace.ttft_ms.p95:,.0f}", good]

    table(["", "usable", "change", "TTFT p95, ms", "goodput"], rows())
    if PLACEBO in names:
        deaf = usable(found[f"{INTENT}-{Fact.SIGNAL}", place])
        gain = usable(found[PLACEBO, place]) / deaf - 1
        verdict = "at most" if gain <= MOST_PLACEBO else "MORE THAN"
        print(f"the placebo gains {gain:+.2%} over intent without signals: {verdict} 2 %\n")


def redrawn(model: Model, path: str, pool: ProcessPoolExecutor) -> None:
    """Print what other conversations say of intent, of the placebo and of some others."""
    trace = next(each for each in TRACES if each.name == "agents")
    deaf = f"{INTENT}-{Fact.SIGNAL}"
    names = ("lru", "arc", "learned", "ttl", BELIEVED, INTENT, TIMED, deaf, PLACEBO)
    print(f"### {trace.name}, {model.preset}, {trace.ablated} blocks: drawn again, tokens usable\n")

    def rows() -> Iterator[Sequence[str]]:
        for seed in SEEDS:
            drawn = attrs.evolve(trace, seed=seed)
            found = served(drawn, model, path, [(name, trace.ablated) for name in names], pool)
            shares = {name: usable(found[name, trace.ablated]) for name in names}
            gain = shares[PLACEBO] / shares[deaf] - 1
            yield [str(seed), *(f"{shares[name]:.2%}" for name in names), f"{gain:+.2%}"]

    table(["seed", *names, "the placebo gains"], rows())


def served(
    trace: Trace,
    model: Model,
    path: str,
    wanted: Sequence[tuple[str, int]],
    pool: ProcessPoolExecutor,
) -> Results:
    """Serve a trace under policies at capacities in blocks."""
    points = [
        Point(trace=trace, model=model, blocks=at, policy=policy, path=path)
        for policy, at in wanted
    ]
    return dict(zip(wanted, (row for row, _ in pool.map(played, points)), strict=True))


def compiled(folder: Path, model: Model) -> str:
    """Compile a model unless its file is there."""
    path = folder / f"{model.preset}.mir"
    if not path.exists():
        arguments = ("compile", f"preset:{model.preset}", "-M", model.machine, "-o", str(path))
        command = [sys.executable, "-m", "mirc", *arguments]
        subprocess.run(command, check=True, capture_output=True)
    return str(path)


def main() -> None:
    """Print all tables, and at the end where intent loses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    lost: list[str] = []
    with tempfile.TemporaryDirectory() as temporary, ProcessPoolExecutor(given.jobs) as pool:
        folder = given.folder or Path(temporary)
        rules = [
            name for name in POLICIES if name != ORACLE and (given.whole or name not in OF_OLD)
        ]
        every = [*rules, TIMED, ORACLE]
        for model in MODELS:
            first = model is MODELS[0]
            path = compiled(folder, model)
            policies = every if first or given.whole else FEW
            for trace in TRACES:
                few = trace.quick if first else (trace.ablated,)
                blocks = trace.blocks if given.whole else few
                names = ablations(trace) if first else []
                wanted = [(policy, at) for at in blocks for policy in policies]
                wanted += [(name, trace.ablated) for name in names]
                found = served(trace, model, path, wanted, pool)
                lost += compared(trace, model, blocks, policies, found)
                if names:
                    ablated(trace, model, found, names)
            if first:
                redrawn(model, path, pool)
    print("intent is not the best at:" if lost else "intent is the best everywhere")
    for said in lost:
        print(f"- {said}")


if __name__ == "__main__":
    main()
