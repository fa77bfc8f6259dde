"""Claim: a wired hot set is loaded once, whatever streams by; by hint, scratchpad and cache, more.

A decode of 512 steps whose hot set fits: bytes a token of every mode beside its closed form; a step
with and without prefetch (which saves time and no bytes). Then the honest case: 96 MB of SRAM
under a 7B model in fp16. Then one where wiring matters: the draft model of
samples/wired-draft.mir on npu-scratchpad, as `mirc simulate` reports it. Exits 1 where a mode
differs from its closed form or a hint is not between.

Run it: ``python benchmarks/wired.py``.
"""

import sys
from pathlib import Path

from mirc.lint.errors import load_right
from mirc.lint.sources import read
from mirc.machine import Machine
from mirc.machine.load import load
from mirc.report.units import size_text
from mirc.report.wired import wired_text
from mirc.simulate.onchip import MODES, Array, Decode, closed_form, step_s
from mirc.simulate.study import Options, study

DRAFT = Path(__file__).parent.parent / "samples/wired-draft.mir"
ARRAY = Array(line_bytes=64 << 10, sets=64, ways=8)
DECODE = Decode(steps=512, hot=256, first=64, second=1024)
STEPS, SRAM_BYTES, MODEL_BYTES = 512, 96_000_000, 14_000_000_000


def main() -> int:
    """Print all three; return the exit code."""
    wrong = modes(load("npu-scratchpad"))
    honest()
    return wrong | draft()


def modes(machine: Machine) -> int:
    """Print the bytes of each mode a token, with its closed form; return 1 if they differ."""
    found = {mode: run(DECODE, ARRAY) for mode, run in MODES.items()}
    rate = machine.near.read_bytes_per_s
    hot, streamed = (n * ARRAY.line_bytes for n in (DECODE.hot, DECODE.streamed))
    print(
        f"{DECODE.steps} steps, hot set {size_text(hot)} of an array of "
        f"{size_text(ARRAY.sets * ARRAY.ways * ARRAY.line_bytes)}, {size_text(streamed)} streamed "
        "a step"
    )
    print(
        f"{'mode':12} {'bytes a token':>14} {'closed form':>14} {'in turn':>10} {'prefetched':>10}"
    )
    wrong = 0
    compute_s = streamed / rate / 2
    for mode, total in found.items():
        form = closed_form(mode, DECODE, ARRAY)
        wrong |= form not in {None, total}
        each = total / DECODE.steps
        serial, overlapped = step_s(each, compute_s, rate)
        said = "none" if form is None else size_text(form / DECODE.steps)
        print(
            f"{mode:12} {size_text(each):>14} {said:>14} {serial * 1e6:8.1f} us "
            f"{overlapped * 1e6:7.1f} us"
        )
    return wrong | (not found["wired"] < found["hint"] < found["nothing"])


def honest() -> None:
    """Print what the closed forms say of an SRAM that is far smaller than the model."""
    without = STEPS * MODEL_BYTES
    with_it = SRAM_BYTES + STEPS * (MODEL_BYTES - SRAM_BYTES)
    print(
        f"96 MB of SRAM under a 7B model in fp16, {STEPS} tokens: {size_text(without / STEPS)} a "
        f"token without wiring, {size_text(with_it / STEPS)} with it, the binding counted: saves "
        f"{100 * (1 - with_it / without):.2f} % of the bytes"
    )


def draft() -> int:
    """Print what `mirc simulate` says of the draft model; return 1 if it is no gain."""
    module = load_right(read(str(DRAFT)))
    asked = Options(
        machines=("npu-scratchpad",), policies="intent", schedule="REPEAT(64, draft_step)"
    )
    (comparison,) = study(module, asked).comparisons
    if comparison.wired is None:
        return 1
    print(f"a draft model on {comparison.machine}, `mirc simulate samples/wired-draft.mir`:")
    print(f"  {wired_text(comparison.wired, comparison.machine, comparison.tokens)}")
    return int(2 * comparison.wired.sram_bytes < comparison.wired.near_bytes)


if __name__ == "__main__":
    sys.exit(main())
