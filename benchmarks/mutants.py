"""Claim: at least 90 % of the mutants of SRAM, claims and admission are killed by their tests.

A mutant is a module with one thing changed (a comparison, an operator, a number, a condition, a
statement taken out); it is killed if a test fails, or the run does not end. Those that live
are listed, each with the reason in ``survivors.toml`` why it behaves the same, or "no reason
given". Exits 1 below 90 %.

Run it: ``python benchmarks/mutants.py [sram|claims ...] [--sample N]``.
"""

import argparse
import random
import sys
import tomllib
from pathlib import Path

import forked
import mutation

ROOMS = {"sram": ("tests/sram",), "claims": ("tests/claims", "tests/conform")}
CLAIM = 0.9
SEED = 7
SURVIVORS = Path(__file__).with_name("survivors.toml")


def main(rooms: list[str], sample: int | None, at_once: int) -> int:
    """Print the score of each room and what lived; return the exit code."""
    reasons: dict[str, str] = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))
    missed = 0
    for room in rooms:
        missed += _judge(room, sample, at_once, reasons) < CLAIM
    return int(missed > 0)


def _judge(room: str, sample: int | None, at_once: int, reasons: dict[str, str]) -> float:
    found = [mutant for path in _files(room) for mutant in mutation.mutants(_name(path), path)]
    drawn = found if sample is None else random.Random(SEED).sample(found, min(sample, len(found)))  # noqa: S311 - a sample, no secret
    untouched = forked.Trial(key="", changed={}, tests=ROOMS[room], first_failure_only=True)
    baseline = next(iter(forked.trials([untouched], at_once=1, limit_s=600)))
    if baseline.noticed:
        raise SystemExit(f"the tests of {room} fail without any mutant: {baseline.failed}")
    work = [
        forked.Trial(
            key=mutant.key,
            changed={mutant.module: mutant.tree},
            tests=ROOMS[room],
            first_failure_only=True,
        )
        for mutant in drawn
    ]
    alive = []
    verdicts = forked.trials(work, at_once=at_once, limit_s=4 * at_once * baseline.seconds + 10)
    for number, verdict in enumerate(verdicts, 1):
        if not verdict.noticed:
            alive.append(verdict.key)
        if sys.stderr.isatty() and number % 10 == 0:
            print(f"\r{room}: {number} of {len(work)}, {len(alive)} alive", end="", file=sys.stderr)
    score = 1 - len(alive) / len(work)
    print(f"{room}: {len(work) - len(alive)} of {len(work)} mutants killed, {100 * score:.1f} %")
    for key in sorted(alive):
        print(f"  lives: {key}\n         {reasons.get(key, 'no reason given')}")
    return score


def _files(room: str) -> list[Path]:
    return sorted(p for p in (forked.ROOT / "mirc" / room).rglob("*.py") if p.name != "__init__.py")


def _name(path: Path) -> str:
    return ".".join(path.relative_to(forked.ROOT).with_suffix("").parts)


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("rooms", nargs="*", choices=[[], *ROOMS], default=[])
    options.add_argument("--sample", type=int)
    options.add_argument("--at-once", type=int, default=2)
    asked = options.parse_args()
    sys.exit(main(asked.rooms or list(ROOMS), asked.sample, asked.at_once))
