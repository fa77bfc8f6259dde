"""Claim: a confidence means what it says: of values that carry it, about so many hold.

A confidence is the probability that what was observed lies within a factor of 2 of a declared
number, or is the declared level. Runs of presets on machines are scored against what `mirc compile`
wrote, field by field; the recompute class that is written without a machine is held against the
classes of every machine that ships. Routing is left to benchmarks/routing.py: a simulated run draws
from the file's own chances. Prints Markdown tables of the mean confidence, the share that held, and
the expected calibration error (ECE); exits 1 where a field's ECE over all runs exceeds 0.1.

    python benchmarks/calibration.py [--runs N] [PRESET@MACHINE ...]
"""

import argparse
import sys
from collections.abc import Iterator

from mirc.emit import emit
from mirc.frontend import CaptureOptions, capture
from mirc.graph import Program
from mirc.ir import Field
from mirc.machine.load import load, names
from mirc.observe.compare import Compared, against
from mirc.observe.logs import seen_in
from mirc.observe.score import Forecast, Score, score
from mirc.passes.annotate import Annotated
from mirc.passes.pipeline import run
from mirc.passes.recompute_classifier import Recomputation
from mirc.simulate.study import Options, study

CASES = (
    "gpt2@card-24g",
    "llama3-8b@h100-sxm",
    "llama3-8b@card-24g",
    "mixtral-8x7b@h100-sxm",
    "whisper-large@edge",
)
TOLERANCE = 0.1


def observed(program: Program, machine: str, runs: int) -> Compared:
    """Compile for one machine, run the intent on it, and compare."""
    module = emit(program, run(program, machines=(load(machine),)))
    asked = Options(machines=(machine,), policies="intent", steps=runs, record=True)
    return against(module, seen_in(study(module, asked).logs), machine).logs[0]


def confidences(found: Compared) -> Iterator[tuple[str, Score]]:
    """Yield each field's confidences as forecasts that its values hold."""
    for scored in found.scored:
        if scored.confidence is not None:
            yield scored.field, scored.confidence
    for timed in found.timed:
        if timed.confidence is not None:
            yield f"{timed.field} ({timed.phase})", timed.confidence


def recompute_forecasts(program: Program) -> Iterator[Forecast]:
    """Yield each written recompute class as a forecast of the class on every machine."""
    facts = run(program, machines=tuple(load(name) for name in names()))
    for index, intent in facts[Annotated].intents.items():
        field = next((f for f in intent.fields if f.key == "recompute_class"), None)
        if isinstance(field, Field) and field.confidence is not None:
            cost = facts[Recomputation].of(index)
            same = sum(word is cost.portable for word, _ in cost.on.values())
            yield Forecast(float(field.confidence), len(cost.on), same)


def row(*cells: object) -> None:
    """Print one row of a Markdown table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def figures(found: Score) -> tuple[str, ...]:
    """Return a score's cells."""
    values = (found.forecast, found.observed, found.calibration_error)
    return (f"{found.trials:,}", *(f"{value:.3f}" for value in values))


def main() -> None:
    """Measure the cases named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="PRESET@MACHINE", default=CASES)
    parser.add_argument("--runs", type=int, default=16, metavar="N")
    asked = parser.parse_args()
    worst: dict[str, float] = {}
    programs: dict[str, Program] = {}
    row("case", "field", "trials", "mean confidence", "held", "ECE")
    row("---", "---", "--:", "--:", "--:", "--:")
    for case in asked.cases:
        preset, _, machine = case.partition("@")
        if preset not in programs:
            programs[preset] = capture(f"preset:{preset}", CaptureOptions(), lambda _line: None)
        for field, found in confidences(observed(programs[preset], machine, asked.runs)):
            row(case, field, *figures(found))
            worst[field] = max(worst.get(field, 0.0), found.calibration_error)
    classes = [one for program in programs.values() for one in recompute_forecasts(program)]
    together = score(classes)
    if together is not None:
        row("all machines", "recompute_class", *figures(together))
        worst["recompute_class"] = together.calibration_error
    sys.exit(any(error > TOLERANCE for error in worst.values()))


if __name__ == "__main__":
    main()
