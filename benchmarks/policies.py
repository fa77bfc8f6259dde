"""Claim: none. All policies on weights, experts and training: what intent is worth, and what not.

For llama3-70b streamed on h100-sxm and gh200, deepseek-v3 on a card of 24 GB, the experts of
qwen3-moe-30b-a3b under a Zipf router (synthetic: benchmarks/half_true.py) at batch 1, 8 and 32, and
a training step of llama3-8b with its states below: every policy beside the bounds, intent with
10 to 100 % of its hints wrong, and without each field of the file. Losses are printed as losses.
FOLDER keeps the compiled files; a NAME after it runs only the workloads whose name begins so.

    python benchmarks/policies.py [FOLDER [NAME]]
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
from half_true import card, compiled, zipf

from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.machine import Machine
from mirc.machine.load import load as machine_of
from mirc.packed.pack import seal
from mirc.simulate.case import Case, case_of, run
from mirc.simulate.comparison import plan_for, policies_of
from mirc.simulate.hints import ablation, hint_curve
from mirc.simulate.hints.curve import waited_ps
from mirc.simulate.metrics import over
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import build

SEED = 1
PS_PER_S = 1e12
BYTES_PER_GB = 1e9
TELLING = 1e-4  # a change of time or bytes that is smaller is none


@attrs.frozen(kw_only=True)
class Load:
    """One workload: how its file is made, what of it runs, and where."""

    name: str
    file: str
    arguments: tuple[str, ...]
    machine: Callable[[], Machine]
    schedule: str
    routed: bool = False


def machine(name: str) -> Callable[[], Machine]:
    """Return what loads a preset."""
    return lambda: machine_of(name)


BOTH = ("preset:llama3-70b", "-M", "h100-sxm", "-M", "gh200")
LOADS = (
    Load(
        name="llama3-70b on h100-sxm",
        file="llama3-70b.mir",
        arguments=BOTH,
        machine=machine("h100-sxm"),
        schedule="REPEAT(64, decode_step)",
    ),
    Load(
        name="llama3-70b on gh200",
        file="llama3-70b.mir",
        arguments=BOTH,
        machine=machine("gh200"),
        schedule="REPEAT(64, decode_step)",
    ),
    Load(
        name="deepseek-v3 on card-24g",
        file="deepseek-v3.mir",
        arguments=("preset:deepseek-v3", "-M", "card-24g"),
        machine=machine("card-24g"),
        schedule="REPEAT(8, decode_step)",
    ),
    *(
        Load(
            name=f"qwen3-moe-30b-a3b at batch {batch} on card-24g with 256 GB of host memory",
            file=f"qwen3-batch-{batch}.mir",
            arguments=("preset:qwen3-moe-30b-a3b", "-M", "card-24g", "--batch", str(batch)),
            machine=card,
            schedule=f"REPEAT({laps}, decode_step)",
            routed=True,
        )
        for batch, laps in ((1, 128), (8, 64), (32, 32))
    ),
    Load(
        name="training llama3-8b at 2,048 tokens on h100-sxm",
        file="train.mir",
        arguments=("preset:llama3-8b", "--phases", "train:seq=2048", "-M", "h100-sxm"),
        machine=machine("h100-sxm"),
        schedule="REPEAT(16, forward, backward, optimizer_update)",
    ),
)


def case(load_: Load, folder: Path) -> Case:
    """Compile the file unless it is there, and build its run."""
    path = folder / load_.file
    arguments = load_.arguments
    if load_.routed and not path.exists():
        arguments = (*arguments, "--routing", str(zipf(folder / "zipf.npz")))
    compiled(path, *arguments)
    source = Source(str(path), path.read_text(encoding="utf-8"))
    module, there = load(source), load_.machine()
    plan = plan_for(module, there, there.name)
    schedule = schedule_of(module, None, load_.schedule)
    scenario = build(module, schedule, there, seed=SEED, source=source, plan=plan)
    return case_of(seal(module), scenario, there, plan)


def seconds(picoseconds: float) -> str:
    """Return a time in s."""
    return f"{picoseconds / PS_PER_S:.3f}"


def change(ratio: float) -> str:
    """Return a change in percent, with its sign."""
    return f"{100 * ratio:+.2f} %"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table as Markdown."""
    print(f"| {' | '.join(header)} |\n|---|{'--:|' * (len(header) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
    print()


def compared(whole: Case) -> None:
    """Print what every policy makes of the run, fastest first, and the bound."""
    rows = [run(whole, policy) for policy in policies_of("every")]
    intent = next(row for row in rows if row.policy == "intent")
    rows.sort(key=lambda row: (row.total_ps, row.policy))
    bounds = whole.bounds
    cells = [
        [
            f"{row.policy} (oracle)" if row.oracle else row.policy,
            seconds(row.total_ps),
            seconds(row.p50_ps),
            seconds(waited_ps(row)),
            f"{row.near_bytes / BYTES_PER_GB:.1f}",
            change(row.excess_bytes),
            change(row.gap_to_bound),
            "" if row is intent else change(over(row.total_ps, intent.total_ps)),
        ]
        for row in rows
    ]
    least = f"{bounds.near_bytes / BYTES_PER_GB:.1f}"
    cells.append(
        ["bound", seconds(bounds.total_ps), seconds(bounds.iteration_ps), "", least, "", "", ""]
    )
    header = [
        "policy",
        "total, s",
        "p50, s",
        "stalls, s",
        "GB in",
        "over bound",
        "gap",
        "vs intent",
    ]
    table(header, cells)


def curved(whole: Case) -> None:
    """Print intent with a growing share of its hints wrong."""
    curve = hint_curve(whole, SEED)
    truth = curve.points[0].intent_ps
    header = ["hints wrong", "intent, s", "vs all true", "static, told the same, s", "lru, s"]
    header.append("intent over the better")
    rows = [
        [
            f"{point.share:.0%}",
            seconds(point.intent_ps),
            change(over(point.intent_ps, truth)),
            seconds(point.static_ps),
            seconds(curve.lru_ps),
            change(over(point.intent_ps, min(point.static_ps, curve.lru_ps))),
        ]
        for point in curve.points
    ]
    table(header, rows)


def ablated(whole: Case) -> None:
    """Print what each field is worth, and which are worth nothing here."""
    found = ablation(whole)
    telling = [row for row in found.rows if max(abs(row.slower), abs(row.moved)) >= TELLING]
    table(
        ["intent without", "lines", "total, s", "slower by", "bytes in, more by"],
        [
            [
                f"`{row.what}`",
                f"{row.lines:,}",
                seconds(row.total_ps),
                change(row.slower),
                change(row.moved),
            ]
            for row in telling
        ],
    )
    silent = ", ".join(f"`{row.what}`" for row in found.rows if row not in telling)
    print(f"Nothing changes without {silent}.\n", flush=True)


def main() -> None:
    """Print all tables."""
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        for load_ in LOADS:
            if load_.name.startswith(wanted):
                whole = case(load_, folder)
                print(f"### {load_.name}, `{load_.schedule}`\n")
                for part in (compared, curved, ablated):
                    part(whole)


if __name__ == "__main__":
    main()
