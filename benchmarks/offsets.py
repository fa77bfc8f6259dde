"""Claim: offsets for all that a run makes lie within 1 % of the peak that is live at once.

For every preset and phase: bytes of the plan, the bound, the gap, and the storages placed. Exits 1
where a gap is above 1 %. Run it: ``python benchmarks/offsets.py [PRESET ...]``.
"""

import sys

from mirc.frontend import CaptureOptions, capture
from mirc.frontend.huggingface import PRESETS
from mirc.passes.liveness import Liveness
from mirc.passes.pipeline import run

CLAIM = 0.01


def main(names: list[str]) -> int:
    """Print a line for each phase of each preset; return the exit code."""
    missed = 0
    known = sorted(path.stem for path in PRESETS.glob("*.json"))
    print(f"{'preset':20} {'bytes':>15} {'bound':>15} {'gap':>9}  decision")
    for name in names or known:
        program = capture(f"preset:{name}", CaptureOptions(), lambda _: None)
        for found in Liveness().certify(program, run(program, only=("liveness",))):
            gap = 0.0 if found.gap is None else found.gap
            missed += gap > CLAIM
            print(
                f"{name:20} {found.objective:15_.0f} {found.bound or 0:15_.0f} {100 * gap:7.4f} %"
                f"  {found.decision}: {found.note}, {found.solver}",
                flush=True,
            )
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
