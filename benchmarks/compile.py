"""Claim: `mirc compile` takes at most 1.5 times torch.export alone, in under 1 GiB.

Both are whole processes, imports included, of the same modules, inputs and phases (the presets'
defaults); they take turns and the best of each counts, since the machine is shared. Prints a
Markdown table and exits 1 where the claim does not hold.

    python benchmarks/compile.py [--best-of N] [PRESET ...]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PRESETS = HERE.parent / "mirc" / "frontend" / "presets"
RATIO = 1.5
RSS_MIB = 1024


class Run(NamedTuple):
    """One process: wall seconds, processor seconds, peak resident MiB, its output."""

    seconds: float
    cpu_seconds: float
    rss_mib: float
    output: str


def run(command: list[str]) -> Run:
    """Run a process to its end; a failed one ends the benchmark."""
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            sys.exit(f"{' '.join(command)} ended with {child.returncode}")
        output.seek(0)
        text = output.read().decode()
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


def best(runs: list[Run]) -> Run:
    """Give each figure's smallest value: what the work costs without its neighbours."""
    return Run(
        min(one.seconds for one in runs),
        min(one.cpu_seconds for one in runs),
        max(one.rss_mib for one in runs),
        runs[0].output,
    )


def measure(preset: str, times: int, folder: Path) -> bool:
    """Print one row; say whether the claim holds."""
    made = folder / f"{preset}.mir"
    compiled, bare = [], []
    for _ in range(times):
        bare.append(run([sys.executable, str(HERE / "bare_export.py"), preset]))
        command = ["-m", "mirc", "compile", f"preset:{preset}", "-o", str(made)]
        compiled.append(run([sys.executable, *command]))
    ours, theirs = best(compiled), best(bare)
    lines = made.read_text("utf-8").splitlines()
    objects = sum(line.startswith(("object ", "template ")) for line in lines)
    wall, cpu = ours.seconds / theirs.seconds, ours.cpu_seconds / theirs.cpu_seconds
    print(
        f"| {preset} | {int(theirs.output):,} | {objects:,} "
        f"| {theirs.seconds:.1f} | {ours.seconds:.1f} | {wall:.2f} | {cpu:.2f} "
        f"| {theirs.rss_mib:,.0f} | {ours.rss_mib:,.0f} |",
        flush=True,
    )
    return wall <= RATIO and ours.rss_mib < RSS_MIB


def main() -> None:
    """Measure the presets named, or all."""
    every = sorted(path.stem for path in PRESETS.glob("*.json"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", metavar="PRESET", default=every)
    parser.add_argument("--best-of", type=int, default=3, metavar="N")
    asked = parser.parse_args()
    unknown = sorted(set(asked.presets) - set(every))
    if unknown:
        parser.error(f"no such preset: {', '.join(unknown)}")
    print(
        "| preset | fx nodes | objects | bare export s | mirc compile s | ratio | ratio (CPU) "
        "| bare RSS MiB | mirc RSS MiB |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    )
    with tempfile.TemporaryDirectory() as folder:
        holds = [measure(preset, asked.best_of, Path(folder)) for preset in asked.presets]
    sys.exit(0 if all(holds) else 1)


if __name__ == "__main__":
    main()
