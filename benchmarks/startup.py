"""Claim: `mirc check` on a small file starts within 8 times `python -c pass`.

Whole processes, in turn, best of N; prints both in seconds and their ratio. Bytecode is written and
read as an installation does, whatever the environment says.

    python benchmarks/startup.py [--runs 15]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SMALL = """mir 1.0

object w {
  class      = WEIGHT_TILE
  size_bytes = 1MiB
}

phase decode_step {
  step mlp { reads = [w] }
}
"""


MOST = 8


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Return the wall seconds of one whole process that must succeed."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - begin


def main() -> None:
    """Time both in turn and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "small.mir")
        small.write_text(SMALL, encoding="utf-8")
        check = [sys.executable, "-m", "mirc", "check", str(small)]
        bare = [sys.executable, "-c", "pass"]
        cached = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        cached.pop("PYTHONDONTWRITEBYTECODE", None)
        for command in (bare, check):
            seconds(command, cached)  # the first run compiles
        pairs = [(seconds(bare, cached), seconds(check, cached)) for _ in range(runs)]
    fastest_bare, fastest_check = (min(column) for column in zip(*pairs, strict=True))
    ratio = fastest_check / fastest_bare
    print("| python -c pass, s | mirc check, s | ratio | at most |")
    print("|---:|---:|---:|---:|")
    print(f"| {fastest_bare:.4f} | {fastest_check:.4f} | {ratio:.1f} | {MOST} |")
    sys.exit(ratio > MOST)


if __name__ == "__main__":
    main()
