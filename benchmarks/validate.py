"""Claim: the simulator gives what other simulators count and what theory says.

Prints a table of expected against got, and exits 1 where a row is outside its tolerance. Waits are
those of the links that `mirc replay -M` uses, hits those of the caches that it counts in.

    python benchmarks/validate.py             # all of it, a minute or two
    python benchmarks/validate.py --without-libcachesim
"""

import sys
from collections.abc import Callable, Iterator

import attrs
import numpy as np
from cache_counts import TRACE, blocks_of, compared
from numpy.typing import NDArray
from schedule_links import waits

from mirc.bounds.routing import distinct_experts
from mirc.controller.kv.crossover import Recompute
from mirc.machine import Machine
from mirc.machine.load import parse
from mirc.simulate.accesses.hits import count_hits
from mirc.simulate.accesses.model import Accesses
from mirc.simulate.accesses.numbering import Numbering
from mirc.simulate.accesses.rig import Settings
from mirc.simulate.accesses.timed import PYTHON, Timed, run
from mirc.simulate.curves import curve
from mirc.simulate.routing import draw_experts
from mirc.traces.make.accesses import Stream, zipf

ARRIVALS = 1_000_000
SERVICE_PS = 1_000_000_000  # 1 ms: an object of 1 MB over 1 GB/s
SECOND_PS = 1_000_000_000_000
MACHINE = """
name = "two"
summary = "a memory, one below, and a link each way"
[[memory]]
name = "hbm"
kind = "HBM"
owner = "gpu"
capacity_bytes = 1_000_000_000_000_000
read_bytes_per_s = 1e12
write_bytes_per_s = 1e12
[[memory]]
name = "dram"
kind = "DRAM"
owner = "host"
capacity_bytes = 1_000_000_000_000_000
read_bytes_per_s = 1e12
write_bytes_per_s = 1e12
[[link]]
name = "in"
source = "dram"
target = "hbm"
curve = [[1, {rate}]]
sharing = "{sharing}"
[[link]]
name = "out"
source = "hbm"
target = "dram"
curve = [[1, {rate}]]
[compute]
owner = "gpu"
memory = "hbm"
peak_flops = {{ bfloat16 = 1e15 }}
efficiency = {{ matmul = 1.0, attention = 1.0, other = 1.0 }}
memory_efficiency = 1.0
"""


@attrs.frozen(kw_only=True)
class Row:
    """What theory or another simulator says, what came out, and how far they may be apart."""

    what: str
    expected: float
    got: float
    tolerance: float = 0.0  # relative; 0: they are to be equal

    @property
    def holds(self) -> bool:
        """Whether they are near enough."""
        return abs(self.got - self.expected) <= self.tolerance * abs(self.expected)


def two_memories(rate: float = 1e9, sharing: str = "turns") -> Machine:
    """Return a machine of two memories and a link each way."""
    return parse("two", MACHINE.format(rate=rate, sharing=sharing))


def libcachesim() -> Iterator[Row]:
    """Compare hits of each rule at six capacities with what libCacheSim counts."""
    for row in compared(blocks_of()):
        what = f"hits of {row.policy} at {row.capacity:,}: libCacheSim"
        yield Row(what=what, expected=row.expected, got=row.got)


def stack_property() -> Iterator[Row]:
    """Compare hits of LRU from one pass of stack distances, and from a run at each capacity.

    Source: Mattson and others, IBM Systems Journal 9(2), 1970.
    """
    ids = blocks_of()
    capacities = (1_000, 5_000, 10_000, 30_000, 50_000, 100_000)
    sizes = np.ones(int(ids.max()) + 1, dtype=np.int64)
    one_pass = curve(ids, sizes, capacities)
    for capacity, hits in zip(capacities, one_pass.hits, strict=True):
        got = count_hits(ids, "lru", capacity).hits
        yield Row(what=f"hits of lru at {capacity:,}: stack distances", expected=hits, got=got)


def che() -> Iterator[Row]:
    """Compare the hit ratio of LRU under independent references of Zipf's law.

    A cache of C objects forgets after the time T in which C distinct ones are asked for: the sum of
    1 - exp(-p T) is C, and that of p (1 - exp(-p T)) the hit ratio. Source: Che, Tung and Wang,
    IEEE JSAC 20(7), 2002.
    """
    objects, warm = 1_000_000, 2_000_000
    stream = Stream(accesses=10_000_000, objects=objects, seed=1)
    keys = np.concatenate([rows.keys for rows in zipf(stream, 1.0)])
    ids = Numbering().ids(keys)
    p = 1 / np.arange(1, objects + 1)
    p /= p.sum()
    for capacity in (10_000, 100_000):
        low, high = 1.0, 1e9
        for _ in range(100):
            middle = (low * high) ** 0.5
            few = (1 - np.exp(-p * middle)).sum() < capacity
            low, high = (middle, high) if few else (low, middle)
        expected = float((p * (1 - np.exp(-p * low))).sum())
        # The cache is empty at first: what comes before it is full does not count.
        every, begin = (count_hits(part, "lru", capacity).hits for part in (ids, ids[:warm]))
        got = (every - begin) / (len(ids) - warm)
        what = f"hit ratio of lru at {capacity:,} of 10^6, Zipf 1.0: Che"
        yield Row(what=what, expected=expected, got=got, tolerance=0.005)


def arrivals(load: float, seed: int) -> NDArray[np.int64]:
    """Return when transfers of 1 ms are asked for at random, so that a link is busy for a share."""
    gaps = np.random.default_rng(seed).exponential(SERVICE_PS / load, ARRIVALS)
    # Near a load of 1 an error of the drawn rate counts ten times: it is made exact.
    gaps *= SERVICE_PS / load / gaps.mean()
    return np.cumsum(gaps).astype(np.int64)


def queue(load: float, sharing: str = "turns", ahead: float = 0.0, seed: int = 1) -> Timed:
    """Ask for a new object at each arrival; a share of them is only fetched ahead."""
    rng = np.random.default_rng(seed + 1)
    accesses = Accesses(
        ids=np.arange(ARRIVALS, dtype=np.int64),
        size_bytes=np.full(ARRIVALS, 1_000_000, dtype=np.int64),
        what=np.where(rng.random(ARRIVALS) < ahead, 2, 0).astype(np.int64),
        at_ps=arrivals(load, seed),
    )
    settings = Settings(window=4096, keep_waits=ARRIVALS)
    return run(two_memories(sharing=sharing), accesses, settings)


def one_server() -> Iterator[Row]:
    """Compare the time on a link with arrivals at random and transfers of one length.

    In services: 1 + r / 2 (1 - r). Source: Pollaczek and Khinchin, as in Kleinrock, Queueing
    Systems I (1975), 5.6.
    """
    for load in (0.5, 0.8, 0.9):
        found = queue(load)
        got = found.waited_ps / found.accesses / SERVICE_PS
        expected = 1 + load / (2 * (1 - load))
        what = f"time on a link, load {load}: M/D/1"
        yield Row(what=what, expected=expected, got=got, tolerance=0.02)


def priorities() -> Iterator[Row]:
    """Compare waits of two classes: the more urgent goes first, and neither interrupts.

    With the residual service w = r / 2: w / (1 - r1) and w / (1 - r1) (1 - r). Source: Cobham,
    Journal of the Operations Research Society of America 2(1), 1954.
    """
    load = 0.8
    link = queue(load, ahead=0.5).links[0]
    residual, urgent = load / 2, load / 2
    expected = (residual / (1 - urgent), residual / ((1 - urgent) * (1 - load)))
    for at, name in enumerate(("demand", "prefetch")):
        got = link.waited_ps[at] / link.transfers[at] / SERVICE_PS
        what = f"wait of a {name}, load {load}: Cobham"
        yield Row(what=what, expected=expected[at], got=got, tolerance=0.03)


def shared_evenly() -> Iterator[Row]:
    """Compare the time on a link that all transfers share evenly: 1 / (1 - r), of any lengths.

    Source: Kleinrock, Queueing Systems II (1976), 4.4.
    """
    for load in (0.8, 0.9):
        found = queue(load, sharing="fair")
        got = found.waited_ps / found.accesses / SERVICE_PS
        what = f"time on a fair link, load {load}: M/G/1-PS"
        yield Row(what=what, expected=1 / (1 - load), got=got, tolerance=0.03)


def of_schedules() -> Iterator[Row]:
    """Compare times and waits on a link of the schedule's engine, which has code of its own.

    Transfers of 1 MB are shorter than a chunk there, so that none is interrupted. Sources: as of
    ``one_server`` and ``priorities``.
    """
    rng, few = np.random.default_rng(2), ARRIVALS // 10
    for load in (0.5, 0.7):
        times = arrivals(load, seed=1)[:few]
        _, landed = waits(two_memories(), times, np.zeros(few, dtype=np.int64))
        got = float((landed - times).mean()) / SERVICE_PS
        what = f"time on a link of a schedule, load {load}: M/D/1"
        yield Row(what=what, expected=1 + load / (2 * (1 - load)), got=got, tolerance=0.03)
    load = 0.7
    classes = rng.integers(0, 2, few)
    waited, _ = waits(two_memories(), arrivals(load, seed=1)[:few], classes)
    urgent = load / 2
    expected = (urgent / (1 - urgent), urgent / ((1 - urgent) * (1 - load)))
    for at, name in enumerate(("demand", "prefetch")):
        what = f"wait of a {name} of a schedule, load {load}: Cobham"
        got = float(waited[classes == at].mean()) / SERVICE_PS
        yield Row(what=what, expected=expected[at], got=got, tolerance=0.03)


def little() -> Iterator[Row]:
    """Compare how many transfers are there, counted at regular times, with rate x time there.

    Source: Little, Operations Research 9(3), 1961.
    """
    load, seed = 0.8, 7
    found = queue(load, seed=seed)
    begun = arrivals(load, seed)
    ended = np.sort(begun + found.waits_ps)
    looks = np.linspace(0, begun[-1], 500_000)
    there = np.searchsorted(begun, looks, side="right") - np.searchsorted(ended, looks, "right")
    rate = ARRIVALS / begun[-1]
    expected = float(rate * found.waits_ps.mean())
    what = "transfers there at a time, load 0.8: Little"
    yield Row(what=what, expected=expected, got=float(there.mean()), tolerance=0.01)


LAYERS, LAYER_BYTES, LINK_RATE = 64, 1_100_000_000, 55e9  # 20 ms a layer


def streamed(think_ms: int, lookahead: int, rounds: int = 50) -> float:
    """Return the ms of a step that uses 64 layers in turn, with room for 10 under LRU."""
    accesses = Accesses(
        ids=np.tile(np.arange(LAYERS, dtype=np.int64), rounds),
        size_bytes=np.full(LAYERS, LAYER_BYTES, dtype=np.int64),
    )
    settings = Settings(near_bytes=10 * LAYER_BYTES, think_ps=think_ms * 10**9, lookahead=lookahead)
    return run(two_memories(LINK_RATE), accesses, settings, path=PYTHON).span_ps / rounds / 10**9


def streaming() -> Iterator[Row]:
    """Compare a step that streams its weights with max(compute, transfer); alone, with the sum.

    Source: the roofline of Williams, Waterman and Patterson, CACM 52(4), 2009.
    """
    transfer_ms = LAYER_BYTES / LINK_RATE * 1000
    for think in (5, 20, 40):
        expected = LAYERS * max(think, transfer_ms)
        what = f"ms of a streamed step, {think} ms of computing a layer: max"
        yield Row(what=what, expected=expected, got=streamed(think, 2), tolerance=0.005)
    expected = LAYERS * (5 + transfer_ms)
    what = "the same without prefetch, 5 ms: sum"
    yield Row(what=what, expected=expected, got=streamed(5, 0), tolerance=0.005)


def too_deep() -> Iterator[Row]:
    """Prefetch deeper than half of what LRU holds: used layers outrank it, worse than none."""
    none = streamed(5, 0)
    for lookahead in (6, 8):
        deep = streamed(5, lookahead)
        what = f"slower than {none:.0f} ms without: {lookahead} ahead, room for 10: {deep:.0f} ms"
        yield Row(what=what, expected=1, got=float(deep > none))


def crossover() -> Iterator[Row]:
    """Find the rate of a link above which loading keys and values beats computing them.

    Two operations a parameter and token (Kaplan and others, Scaling laws for neural language
    models, 2020, 2.1), 500 TFLOP/s reached. Found by bisection: a block of 512 tokens is fetched
    over links of many rates until that takes as long as computing it.
    """
    models = (("llama3-8b", 131_072, 8.03e9), ("llama3-70b", 327_680, 70.6e9))
    for name, kv_bytes, parameters in models:
        cost = Recompute(
            kv_bytes=kv_bytes, parameters=parameters, flops_per_s=500e12, load_bytes_per_s=0.0
        )
        compute_ps = 512 * cost.recompute_s * SECOND_PS
        low, high = 1e7, 1e12
        for _ in range(50):
            middle = (low * high) ** 0.5
            slow = fetch_ps(middle, 512 * kv_bytes) > compute_ps
            low, high = (middle, high) if slow else (low, middle)
        what = f"GB/s at which loading beats computing, {name}"
        expected = cost.crossover_bytes_per_s / 1e9
        yield Row(what=what, expected=expected, got=low / 1e9, tolerance=0.001)


def fetch_ps(rate: float, size: int) -> int:
    """Return how long one fetch takes over an idle link."""
    accesses = Accesses(
        ids=np.zeros(1, dtype=np.int64), size_bytes=np.array([size], dtype=np.int64)
    )
    return run(two_memories(rate), accesses, Settings(), path=PYTHON).span_ps


def experts() -> Iterator[Row]:
    """Compare distinct experts that a batch touches, 8 of 128 a token: E (1 - (1 - k/E)^T).

    Source: the coupon collector with batches, Stadje, Advances in Applied Probability 22(4), 1990.
    """
    even = np.full(128, 0.5)
    for tokens in (1, 8, 32):
        drawn = [len(draw_experts(even, 8, tokens, (1, n))) for n in range(2_000)]
        what = f"experts that {tokens} tokens touch, 8 of 128 each"
        expected = distinct_experts(128, 8, tokens)
        yield Row(what=what, expected=expected, got=float(np.mean(drawn)), tolerance=0.01)


CHECKS: tuple[Callable[[], Iterator[Row]], ...] = (
    libcachesim,
    stack_property,
    che,
    one_server,
    priorities,
    shared_evenly,
    of_schedules,
    little,
    streaming,
    too_deep,
    crossover,
    experts,
)


def main() -> int:
    """Print every row; return 1 if one does not hold."""
    wanted = [c for c in CHECKS if c is not libcachesim or "--without-libcachesim" not in sys.argv]
    print(f"hits are those of {TRACE.name} where nothing else is said; times in services\n")
    print(f"{'':<70}{'expected':>14}{'got':>14}{'within':>9}")
    wrong = count = 0
    for check in wanted:
        for row in check():
            count += 1
            wrong += not row.holds
            within = f"{row.tolerance:.1%}" if row.tolerance else "equal"
            sign = "" if row.holds else "  MISMATCH"
            print(
                f"{row.what:<70}{number(row.expected):>14}{number(row.got):>14}{within:>9}{sign}",
                flush=True,
            )
    print(f"\n{count - wrong} of {count} hold")
    return int(wrong > 0)


def number(value: float) -> str:
    """Write a count whole, anything else with four digits behind the point."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4f}"


if __name__ == "__main__":
    sys.exit(main())
