"""Claim: intent streams Llama-3-70B within 5 % of the closed form and of the time bound.

Compiles llama3-70b for two machines (or reads FILE), simulates S = 64 decode steps on each, and
prints for every policy its bytes over W+(S-1)(W-C) and its p50 step over max(compute, bytes over
bandwidth). Exits 1 unless intent is within 1.05 of both and lru moves S*W to 1 %, on both machines.

    python benchmarks/decode.py [FILE]
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

MACHINES = ("h100-sxm", "gh200")
STEPS = 64
MOST = 1.05
LRU_OFF_BY = 0.01


def mirc(*arguments: str) -> str:
    """Run the command and return what it prints."""
    command = [sys.executable, "-m", "mirc", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def compiled(folder: str) -> str:
    """Compile the model for both machines and return the file."""
    path = str(Path(folder, "llama3-70b.mir"))
    mirc("compile", "preset:llama3-70b", *(f"-M{name}" for name in MACHINES), "-o", path)
    return path


def measure(machine: dict[str, Any]) -> bool:
    """Print a machine's rows; say whether the claim holds there."""
    bounds = machine["bounds"]
    closed, weights = bounds["closed_form_bytes"], bounds["weights_bytes"]
    holds = True
    for row in machine["policies"]:
        moved = row["near_bytes"] / closed
        p50 = row["p50_ps"] / bounds["iteration_ps"]
        name = f"{row['policy']}{' (oracle)' if row['oracle'] else ''}"
        print(f"| {machine['machine']} | {name} | {moved:.4f} | {p50:.4f} |")
        if row["policy"] == "intent":
            holds &= moved <= MOST and p50 <= MOST
        if row["policy"] == "lru":
            holds &= abs(row["near_bytes"] / (STEPS * weights) - 1) <= LRU_OFF_BY
    return holds


def main() -> None:
    """Simulate both machines and print a Markdown table."""
    with tempfile.TemporaryDirectory() as folder:
        path = sys.argv[1] if len(sys.argv) > 1 else compiled(folder)
        schedule = f"REPEAT({STEPS}, decode_step)"
        options = ("--schedule", schedule, "--output-format", "json")
        result = json.loads(mirc("simulate", path, *(f"-M{name}" for name in MACHINES), *options))
    print("| machine | policy | bytes / (W+(S-1)(W-C)) | p50 step / bound |")
    print("|---|---|---:|---:|")
    held = [measure(machine) for machine in result["machines"]]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
