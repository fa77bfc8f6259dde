"""The clock of a trace of requests: arrivals, batches, latencies, links, and many steps at once."""

from collections.abc import Sequence

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from mirc.controller.keeping import Recency
from mirc.controller.kv.conversations import Conversations
from mirc.controller.kv.events import KvEvent, What
from mirc.controller.kv.floor import Limits
from mirc.controller.kv.groups import Group, GroupKind
from mirc.controller.kv.host import Host
from mirc.controller.kv.orchestrator import Orchestrator
from mirc.controller.kv.pages import Tenant
from mirc.controller.kv.pool import KvPool
from mirc.controller.kv.signals import ALL
from mirc.diagnostics import CouldNotRun
from mirc.machine.load import load
from mirc.machine.transfers import transfer_ps
from mirc.simulate.serving.arrivals import AsThereIsRoom, ByTheClock
from mirc.simulate.serving.caches import Caches, ways_of
from mirc.simulate.serving.cost import Cost, steps_until, total_as
from mirc.simulate.serving.play import Heard, Play
from mirc.simulate.serving.swapping import Swapping
from mirc.simulate.serving.timing import Objective, Pace, Timing, pace_of
from mirc.simulate.serving.tools import USUAL_US, Tools
from mirc.simulate.serving.turns import turns_of
from mirc.traces.requests import Request as Arrival
from tests.nightly import by_night

MS = 10**15  # attoseconds
MB = 1_000_000
BLOCK = 8  # tokens
FULL = Group(name="full", size=MB)
CACHES = Caches(
    groups=(FULL,),
    windows=(0,),
    layers={"kv": 0},
    block_tokens=BLOCK,
    fragment_bytes=MB,
    weights_bytes=0,
)
# A token computes for 1 ms, a batch reads weights for 2 ms; caches cost nothing.
PLAIN = Cost(token_as=MS, pair_as=(0,), cached_as=(0,), fixed_as=0, windows=(0,), dense_as=2 * MS)


class Rows(Heard):
    """A log that keeps what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[KvEvent] = []

    def append(self, event: KvEvent, /) -> None:
        """Keep a row, too."""
        self.rows.append(event)
        super().append(event)


def arrival(at_ms: int, tokens: int, new: int = 1, first: int = 0, **more: object) -> Arrival:
    blocks = tuple(range(first, first - (-tokens // BLOCK)))
    return Arrival(
        at_ms=at_ms,
        input_tokens=tokens,
        output_tokens=new,
        blocks=blocks,
        **more,  # type: ignore[arg-type]
    )


def play(
    arrivals: Sequence[Arrival],
    cost: Cost = PLAIN,
    caches: Caches = CACHES,
    *,
    blocks: int = 100,
    swap: int = 0,
    budget: int = 16,
    at_once: int = 4,
    speedup: float | None = 1.0,
    most: int = 1 << 30,
) -> tuple[Play, Rows]:
    turns = turns_of(arrivals, BLOCK)
    heard = Rows()
    size = caches.block_bytes
    pool = KvPool(
        groups=caches.groups,
        capacity=blocks * size,
        tenants=[Tenant(name=name) for name in {turn.request.tenant: None for turn in turns}],
        keepings=lambda _: Recency(),
        log=heard,
        host=Host(swap * size) if swap else None,
    )
    limits = Limits(budget=budget, sequences=at_once)
    served = Orchestrator(pool, block_tokens=BLOCK, log=heard, limits=limits)
    comes = AsThereIsRoom(turns) if speedup is None else ByTheClock(turns, speedup)
    swapping = Swapping(load("h100-sxm"), caches)
    talk = Conversations(served, ALL)
    found = Play(served, heard, talk, turns, comes, cost, swapping, tools=Tools(None), most=most)
    found.run(lambda _: None)
    return found, heard


def timing(arrivals: Sequence[Arrival], **more: object) -> Timing:
    return play(arrivals, **more)[0].clocked.timing()  # type: ignore[arg-type]


def test_a_request_alone_takes_its_prompt_then_a_batch_for_every_further_token() -> None:
    found = timing([arrival(5, 20, new=4)])
    # Batches of 16 and 4 tokens: 16 ms and 4 ms. Then each token waits for the weights: 2 ms.
    assert found.arrival_ms.tolist() == [0]
    assert found.first_ms.tolist() == [16 + 4]
    assert found.end_ms.tolist() == [20 + 3 * 2]
    assert found.made.tolist() == [4]
    assert found.itl_ms.tolist() == [2]


@pytest.mark.mechanism("S7-01")
def test_a_token_of_one_shares_its_batch_with_a_piece_of_the_prompt_of_another() -> None:
    found = timing([arrival(0, 8, new=5), arrival(9, 30, new=1, first=50)])
    # 0-8: the first prompt. 8-10: its second token; the other has come at 9. 10-26: a token and 15
    # of the prompt; 26-42: the same; so the first's third and fourth token take 16 ms each.
    assert found.first_ms.tolist() == [8, 42]
    assert found.end_ms[0] == 44


def test_a_speedup_brings_requests_sooner_and_no_tool_is_faster_for_it() -> None:
    arrivals = [
        arrival(100, 8, session="a", tool_wait_ms=1000),
        arrival(200, 16, session="a"),
        arrival(400, 8, first=50),
    ]
    found = timing(arrivals, speedup=4.0)
    # The second turn comes a second after the answer at 8, whatever its timestamp says.
    assert found.arrival_ms.tolist() == [0, 8 + 1000, 75]


def test_times_count_from_the_first_request_so_that_none_is_too_late_to_tell() -> None:
    epoch = 1_700_000_000_000
    later = timing([arrival(epoch, 20, new=4), arrival(epoch + 3, 8, new=2, first=50)])
    soon = timing([arrival(0, 20, new=4), arrival(3, 8, new=2, first=50)])
    assert later.ttft_ms.tolist() == soon.ttft_ms.tolist()
    assert later.itl_ms.tolist() == soon.itl_ms.tolist()


@pytest.mark.parametrize(
    ("trace", "speedup"),
    [
        ([arrival(0, 8), arrival(10**11, 8)], 1.0),
        ([arrival(0, 8), arrival(10, 8)], 1e-30),
        ([arrival(0, 8), arrival(10, 8)], 1e-300),
        ([arrival(0, 8, session="a", tool_wait_ms=10**11), arrival(9, 8, session="a")], 1.0),
    ],
)
def test_a_request_that_comes_too_late_to_tell_its_time_is_refused(
    trace: list[Arrival], speedup: float
) -> None:
    with pytest.raises(CouldNotRun, match="request 2 of the trace comes more than 100 days after"):
        timing(trace, speedup=speedup)


def test_a_turn_without_a_tool_comes_at_its_time_but_never_before_the_answer() -> None:
    arrivals = [arrival(0, 16, new=3, session="a"), arrival(1, 16, session="a")]
    arrivals += [arrival(900, 16, session="a")]
    found = timing(arrivals)
    assert found.arrival_ms.tolist() == [0, found.end_ms[0], 900]


def test_closed_turns_come_as_soon_as_nobody_queues() -> None:
    arrivals = [arrival(1000 * at, 8, first=10 * at) for at in range(4)]
    found = timing(arrivals, speedup=None, at_once=1)
    # 8 ms for each prompt, and 2 ms to store its one token: the next begins then, and with its
    # first batch nobody queues.
    assert found.arrival_ms.tolist() == [0, 0, 18, 28]
    assert found.first_ms.tolist() == [8, 18, 28, 38]


@pytest.mark.mechanism("S7-10")
def test_what_was_swapped_out_is_used_once_the_link_has_brought_it_back() -> None:
    # Room for 3 blocks: the second prompt sends the first below, and the third brings it back. One
    # block leaves for it, then both of the first come, in one move; then its token, in 2 ms, while
    # another block leaves.
    arrivals = [arrival(0, 16), arrival(100, 16, first=50), arrival(200, 16)]
    found, heard = play(arrivals, blocks=3, swap=10)
    assert (heard.counts[What.SWAPPED_IN], heard.counts[What.SWAPPED_OUT]) == (2, 4)
    inward, outward = ways_of(load("h100-sxm"), MB)
    spent_ps = sum(transfer_ps(link, MB, MB) for link in outward)
    spent_ps += sum(transfer_ps(link, 2 * MB, MB) for link in inward)
    assert found.clocked.timing().ttft_ms[2] == pytest.approx(spent_ps / 1e9 + 2)


@pytest.mark.mechanism("S7-10")
def test_a_preempted_request_ends_later_whether_it_is_swapped_or_computed_again() -> None:
    arrivals = [arrival(0, 16, new=40), arrival(0, 16, new=40, first=50)]
    roomy = timing(arrivals, blocks=20)
    computed, heard = play(arrivals, blocks=9)
    swapped, below = play(arrivals, blocks=9, swap=20)
    assert heard.counts[What.PREEMPTED] > 0 == heard.counts[What.SWAPPED_OUT]
    assert below.counts[What.PREEMPTED] > 0 < below.counts[What.SWAPPED_IN]
    late = [each.clocked.timing().end_ms[1] for each in (swapped, computed)]
    assert roomy.end_ms[1] < late[0] < late[1]


def test_a_tool_is_expected_to_take_what_is_declared_or_what_tools_took_until_now() -> None:
    learning, told = Tools(None), Tools(5)
    assert (learning.begins("a", 100), told.begins("a", 100)) == (USUAL_US, 5)
    assert learning.begins("b", 300) == USUAL_US  # none has answered yet
    for session in ("a", "b", "c"):
        learning.answers(session)
        told.answers(session)
    assert (learning.expected_us, told.expected_us) == (200, 5)


def test_goodput_counts_what_meets_both_objectives() -> None:
    arrivals = [arrival(0, 16, new=3), arrival(0, 16, new=3, first=50), arrival(500, 16, new=3)]
    clocked = play(arrivals)[0].clocked
    pace = pace_of(clocked, Objective(ttft_ms=20, itl_ms=100))
    # First tokens after 16, about 32 and a mere step (its prompt is there): two in time.
    assert pace.goodput_per_s / pace.requests_per_s == pytest.approx(2 / 3)
    assert pace.requests_per_s == pytest.approx(3 / pace.span_s)


def test_a_request_that_can_never_run_has_no_times() -> None:
    found = timing([arrival(0, 16), arrival(1, 80, first=20)], blocks=4)
    assert found.served.tolist() == [True, False]
    assert np.isnan(found.first_ms[1])


DRAWN = st.lists(
    st.tuples(
        st.integers(0, 60),  # ms since the one before
        st.integers(0, 3),  # the chain whose beginning it is
        st.integers(0, 40),  # tokens
        st.integers(0, 30),  # new ones
        st.integers(0, 2),  # the session; 0 is none
        st.sampled_from((0, 0, 7, 50)),  # the tool's time
    ),
    min_size=1,
    max_size=12,
)
WINDOWED = Caches(
    groups=(FULL, Group(name="near", kind=GroupKind.WINDOW, size=MB, window_blocks=2)),
    windows=(0, 14),
    layers={"kv": 0, "near": 1},
    block_tokens=BLOCK,
    fragment_bytes=MB // 4,
    weights_bytes=0,
)
COSTLY = Cost(
    token_as=MS // 3,
    pair_as=(MS // 101, MS // 57),
    cached_as=(MS // 31, MS // 211),
    fixed_as=0,
    windows=(0, 14),
    dense_as=MS // 2,
)


def drawn_arrivals(drawn: Sequence[tuple[int, ...]]) -> list[Arrival]:
    at, found = 0, []
    for gap, chain, tokens, new, session, wait in drawn:
        at += gap
        found.append(
            arrival(
                at,
                tokens,
                new,
                first=100 * chain,
                session=f"s{session}" if session else "",
                tool_wait_ms=wait if session else 0,
            )
        )
    return found


@settings(max_examples=by_night(20, 1000), deadline=None)
@given(DRAWN, st.integers(9, 20), st.sampled_from((0, 8)), st.sampled_from((None, 1.0)))
def test_many_steps_at_once_are_exactly_those_steps_one_by_one(
    drawn: list[tuple[int, ...]], blocks: int, swap: int, speedup: float | None
) -> None:
    arrivals = drawn_arrivals(drawn)
    runs = [
        play(
            arrivals,
            COSTLY,
            WINDOWED,
            blocks=blocks,
            swap=swap,
            speedup=speedup,
            most=most,
        )
        for most in (0, 1 << 30)
    ]
    (slow, its_rows), (fast, rows) = runs
    assert rows.rows == its_rows.rows
    assert fast.steps == slow.steps
    for name in ("arrival", "first", "end", "made", "busy", "area"):
        assert getattr(fast.clocked, name) == getattr(slow.clocked, name), name


@settings(max_examples=by_night(20, 1000), deadline=None)
@given(DRAWN, st.integers(9, 20))
def test_the_books_balance(drawn: list[tuple[int, ...]], blocks: int) -> None:
    found, _ = play(drawn_arrivals(drawn), COSTLY, WINDOWED, blocks=blocks)
    times, pace = found.clocked.timing(), pace_of(found.clocked, Objective())
    served = times.served
    assert (times.arrival_ms <= times.first_ms)[served].all()
    assert (times.first_ms <= times.end_ms)[served].all()
    assert _little(pace) == pytest.approx(0, abs=1e-9)
    assert pace.goodput_per_s <= pace.requests_per_s


def _little(pace: Pace) -> float:
    return pace.in_system - pace.in_system_by_little


@settings(max_examples=by_night(30, 1000), deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**4)), min_size=1, max_size=4),
    st.integers(0, 200),
    st.integers(1, 10**9),
)
def test_the_sum_of_the_highest_of_lines_is_that_of_its_terms(
    lines: list[tuple[int, int]], steps: int, time_as: int
) -> None:
    terms = [max(base + slope * at for base, slope in lines) for at in range(steps)]
    assert total_as(lines, steps) == sum(terms)
    if steps:
        sums = np.cumsum([0, *terms])
        first = next((at for at in range(1, steps) if sums[at] >= time_as), steps)
        assert steps_until(lines, time_as, steps) == first


@settings(max_examples=by_night(30, 1000), deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=5), st.integers(1, 30))
def test_the_lines_of_steps_that_only_decode_are_what_each_step_costs(
    contexts: list[int], steps: int
) -> None:
    ends = [end for each in contexts if (end := COSTLY.steady(each)) is not None]
    steps = min([steps, *ends])
    each = [COSTLY.step_as([(context + at, 1) for context in contexts]) for at in range(steps)]
    assert total_as(COSTLY.lines(contexts), steps) == sum(each)
