"""Claim: the arbiter saves at least half of what the best choice saves, and above 0.95 on average.

The best is exact, by dynamic programming over the bytes of the quota. Generators, 2,000 instances
each of 5 to 60 candidates for a quota of 256 bytes:

- uniform: sizes uniform on 1 to a quarter of the quota, reads uniform on 1 to 100
- heavy-tailed: sizes and reads from Pareto distributions (1.1 and 1.2)
- one large, many small: one candidate of the whole quota beside small ones of 1 to 5 bytes, one of
  them a little denser than the large one
- halves: a candidate just above half of the quota, a little denser than two of just half. This is
  the worst case of any greedy choice with this guard; it counts for the half, not for the average

Off-chip memories differ: binding costs a half or two reads of a byte. The greedy choice
without its guard (the best single candidate) is printed beside. Exits 1 where the claim
fails. Run it: ``python benchmarks/arbiter.py``.
"""

import random
import statistics
import sys
from collections.abc import Callable

from mirc.bounds.knapsack import exact
from mirc.controller.arbiter import Candidate, arbitrate

QUOTA = 256
HOLDING = 1.0
INSTANCES = 2_000
HALF, MEAN = 0.5, 0.95


def uniform(rng: random.Random) -> list[tuple[int, float]]:
    """Draw sizes and reads uniformly."""
    return [(rng.randint(1, QUOTA // 4), rng.uniform(1, 100)) for _ in range(rng.randint(5, 60))]


def heavy(rng: random.Random) -> list[tuple[int, float]]:
    """Draw a few very large and very busy candidates among many small ones."""
    return [
        (min(QUOTA, int(4 * rng.paretovariate(1.1))), rng.paretovariate(1.2) + 1)
        for _ in range(rng.randint(5, 60))
    ]


def one_large(rng: random.Random) -> list[tuple[int, float]]:
    """Draw one that fills the quota, and small ones, one of which is a little denser."""
    small = [(rng.randint(1, 5), rng.uniform(1, 4)) for _ in range(rng.randint(3, 8))]
    return [(QUOTA, 10.0), (1, 10.1), *small]


def halves(rng: random.Random) -> list[tuple[int, float]]:
    """Draw one just above half of the quota, a little denser than two of half."""
    more = rng.randint(1, 8)
    return [(QUOTA // 2 + more, 10.0 + rng.random() / 100), (QUOTA // 2, 10.0), (QUOTA // 2, 10.0)]


GENERATORS: dict[str, Callable[[random.Random], list[tuple[int, float]]]] = {
    "uniform": uniform,
    "heavy-tailed": heavy,
    "one large, many small": one_large,
    "halves": halves,
}


def main() -> int:
    """Print a line for each generator; return the exit code."""
    print(f"{'generator':24} {'instances':>9} {'worst':>7} {'mean':>7} {'unguarded worst':>16}")
    usual: list[float] = []
    worst = 1.0
    for name, generate in GENERATORS.items():
        shares, bare = [], []
        for seed in range(INSTANCES):
            rng = random.Random(seed)  # noqa: S311 - instances, no secrets
            candidates = [
                Candidate(
                    name=str(number),
                    size_bytes=size,
                    reuse_count=reads,
                    reading=1.0,
                    binding=rng.choice((0.5, 2.0)) if name in {"uniform", "heavy-tailed"} else 0.5,
                )
                for number, (size, reads) in enumerate(generate(rng))
            ]
            best = exact([c.net_s for c in candidates], [c.size_bytes for c in candidates], QUOTA)
            if best > 0:
                shares.append(arbitrate(candidates, QUOTA, holding=HOLDING).saved_s / best)
                bare.append(greedy(candidates) / best)
        worst = min(worst, *shares)
        if name != "halves":
            usual += shares
        print(
            f"{name:24} {len(shares):9} {min(shares):7.3f} {statistics.fmean(shares):7.3f} "
            f"{min(bare):16.3f}"
        )
    mean = statistics.fmean(usual)
    print(f"worst of all {worst:.3f} (claim {HALF}), mean of the first three {mean:.3f} ({MEAN})")
    return int(worst < HALF or mean <= MEAN)


def greedy(candidates: list[Candidate]) -> float:
    """Return what descending scores alone save."""
    saved, left = 0.0, QUOTA
    for candidate in sorted(candidates, key=lambda c: -c.score(HOLDING)):
        if candidate.net_s > 0 and candidate.size_bytes <= left:
            saved += candidate.net_s
            left -= candidate.size_bytes
    return saved


if __name__ == "__main__":
    sys.exit(main())
