"""A llama3-70b decode, its bytes divided by 64: 128 MiB tiles are 2 MiB here."""

import numpy as np
import pytest

from mirc.machine import Machine
from mirc.simulate.engine import simulate
from mirc.simulate.model import Outcome
from tests.simulate.scenes import MIB, PS, Decode, Step, decode, machine, rows, workload

SCALE = 64
LAPS = 10
# h100-sxm: 72 GB usable, 55 GB/s in, 3.35 TB/s near at 0.9. gh200: 129.6, 415, 4.9 TB/s.
CARDS = {"h100-sxm": (72e9, 55e9, 3.35e12), "gh200": (129.6e9, 415e9, 4.9e12)}


@pytest.fixture(scope="module", params=list(CARDS))
def card(request: pytest.FixtureRequest) -> tuple[Decode, Machine, float]:
    near, link, rate = CARDS[request.param]
    made = decode(LAPS, 128 * MIB // SCALE, 80, rate * 0.9 / SCALE, SCALE)
    where = machine(int(near / SCALE), in_rate=link / SCALE, out_rate=link / SCALE)
    return made, where, link / SCALE


def run(card: tuple[Decode, Machine, float], policy: str) -> Outcome:
    made, where, _ = card
    return simulate(made.load, made.known, where, policy, path="compiled")


def closed_form(card: tuple[Decode, Machine, float]) -> int:
    """W + (S - 1)(W - C): the first fill, then what does not fit, once a lap."""
    made, where, _ = card
    room = where.near.usable_bytes - made.others
    return made.weights + (LAPS - 1) * (made.weights - room)


def step_over_bound(card: tuple[Decode, Machine, float], outcome: Outcome) -> float:
    """Return the median lap over max(compute, bytes / bandwidth)."""
    made, where, rate = card
    laps = np.add.reduceat(outcome.step_ps, made.load.iteration_ptr[:-1])
    compute = int(made.load.compute_ps.sum()) // LAPS
    streamed = made.weights - (where.near.usable_bytes - made.others)
    return float(np.median(laps)) / max(compute, streamed / rate * PS)


@pytest.mark.parametrize("policy", ["intent", "static"])
def test_what_streams_moves_little_more_than_it_must_in_little_more_time(
    policy: str, card: tuple[Decode, Machine, float]
) -> None:
    outcome = run(card, policy)
    assert outcome.links[0].total_bytes <= 1.05 * closed_form(card)
    assert step_over_bound(card, outcome) <= 1.05


@pytest.mark.parametrize("policy", ["lru", "lru-prefetch"])
def test_recency_moves_every_weight_every_lap(
    policy: str, card: tuple[Decode, Machine, float]
) -> None:
    moved = run(card, policy).links[0].total_bytes
    assert moved == pytest.approx(LAPS * card[0].weights, rel=0.01)


@pytest.mark.parametrize("policy", ["mru", "belady"])
def test_the_fewest_bytes_without_prefetch_still_wait_for_each_of_them(
    policy: str, card: tuple[Decode, Machine, float]
) -> None:
    outcome = run(card, policy)
    assert outcome.links[0].total_bytes <= 1.01 * closed_form(card)
    assert step_over_bound(card, outcome) > step_over_bound(card, run(card, "intent"))


# Four objects of 100 bytes over a link of 1 byte/us: 100 us each.
US = 1_000_000


def cycle(laps: int, compute_us: int, count: int = 4) -> Outcome:
    load = workload(
        [100] * count,
        [False] * count,
        [
            Step(reads=[o], compute_ps=compute_us * US, position=o)
            for _ in range(laps)
            for o in range(count)
        ],
    )
    first = {0: {o: float(o * compute_us) for o in range(count)}}
    known = rows(load, first_us=first, period_us=count * compute_us)
    return simulate(load, known, machine(200, in_rate=1e6), "intent")


@pytest.mark.parametrize("compute_us", [150, 400])
def test_a_streamed_step_takes_the_longer_of_computing_and_moving(compute_us: int) -> None:
    # Room for two: one in use, the next on its way. 100 us of moving hide behind the computing.
    outcome = cycle(6, compute_us)
    assert (outcome.step_ps[4:] == compute_us * US).all()


def test_without_prefetch_computing_and_moving_add_up() -> None:
    # LRU with room for two of four: each step fetches 100 us, then computes 150.
    load = workload(
        [100] * 4,
        [False] * 4,
        [Step(reads=[o], compute_ps=150 * US, position=o) for _ in range(3) for o in range(4)],
    )
    outcome = simulate(load, rows(load), machine(200, in_rate=1e6), "lru")
    assert (outcome.step_ps == 250 * US).all()
    assert int(outcome.stall_demand_ps.sum()) == 12 * 100 * US
