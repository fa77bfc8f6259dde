"""Sinks are on chip before the first decode step, for as long as was promised, shared by prefix."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mirc.controller.sinks.choice import Sink, Stay
from mirc.controller.sinks.promotion import Wanted, nearest_holder, promote
from mirc.controller.sinks.resident import Loss, Residents
from mirc.machine import Link
from mirc.machine.load import load
from mirc.machine.transfers import transfer_ps

LINK = Link(name="dma", source="hbm", target="sram", curve=((1, 1e9),))  # a byte a nanosecond


def sink(position: int, stay: Stay = Stay.TIMED, score: float = 0.5) -> Sink:
    return Sink(position=position, score=score, stay=stay)


def wanted(name: str, size: int, first_use_ps: int) -> Wanted:
    return Wanted(name=name, size_bytes=size, first_use_ps=first_use_ps)


@pytest.mark.mechanism("S2-09", "S2-13")
def test_every_transfer_has_a_start_and_an_end_before_the_first_use() -> None:
    asked = [wanted("layer 0", 100, 100_000), wanted("layer 1", 50, 1_000_000)]
    found = promote(asked, LINK, [(0, 1_000_000)])
    assert [(t.wanted.name, t.start_ps, t.finish_ps, t.late_ps) for t in found] == [
        ("layer 0", 0, 100_000, 0),
        ("layer 1", 100_000, 150_000, 0),
    ]


@pytest.mark.mechanism("S2-13", "S2-15")
def test_transfers_keep_to_the_safe_windows_and_what_fits_into_none_is_late() -> None:
    # 100 bytes take 100,000 ps: the second window holds one of them, the first none.
    windows = [(0, 90_000), (200_000, 300_000)]
    found = promote([wanted("a", 100, 350_000), wanted("b", 100, 350_000)], LINK, windows)
    assert [(t.start_ps, t.finish_ps, t.late_ps) for t in found] == [
        (200_000, 300_000, 0),
        (300_000, 400_000, 50_000),
    ]


@pytest.mark.mechanism("S2-14")
def test_the_holder_closest_to_its_consumer_is_read() -> None:
    machine = load("gh200")
    near = machine.near.name
    below = [m.name for m in machine.memories if m.name != near]
    costs = {}
    for name in below:
        link = machine.link(name, near)
        if link is not None:
            costs[name] = transfer_ps(link, 1 << 20)
    assert nearest_holder(machine, sorted(costs), near, 1 << 20) == min(
        costs, key=costs.__getitem__
    )
    assert nearest_holder(machine, [*below, near], near, 1 << 20) == near
    with pytest.raises(KeyError):
        nearest_holder(machine, ["nowhere"], near, 1)


@pytest.mark.mechanism("S2-16")
def test_a_shared_prefix_is_promoted_once_and_released_with_its_last_reader() -> None:
    held = Residents(8, leave_below=0.1)
    _, first = held.join("system", "a", (sink(0), sink(3)), step=0, dwell=12)
    _, second = held.join("system", "b", (sink(0), sink(3)), step=4, dwell=12)
    assert first == (0, 3)
    assert second == ()
    assert (held.readers("system"), held.used) == (2, 2)
    assert held.leave("system", "a", step=5) == ()
    gone = held.leave("system", "b", step=6)
    assert [(g.position, g.step, g.why) for g in gone] == [
        (0, 6, Loss.RELEASED),
        (3, 6, Loss.RELEASED),
    ]
    assert (held.readers("system"), held.used) == (0, 0)


@pytest.mark.mechanism("S2-12", "S2-21")
def test_a_timed_position_stays_for_its_dwell_and_leaves_after_it_once_its_score_is_low() -> None:
    held = Residents(8, leave_below=0.1)
    held.join("p", "a", (sink(0, Stay.PINNED), sink(5)), step=10, dwell=12)
    low = {0: 0.01, 5: 0.01}
    assert held.stepped("p", low, step=21) == ()
    (gone,) = held.stepped("p", low, step=22)
    assert (gone.position, gone.why) == (5, Loss.DWELL_OVER)
    assert held.positions("p", 0) == {0}  # the pinned one has as low a score


def test_a_timed_position_with_a_high_score_goes_on_after_its_dwell() -> None:
    held = Residents(8, leave_below=0.1)
    held.join("p", "a", (sink(5),), step=0, dwell=2)
    assert held.stepped("p", {5: 0.1}, step=9) == ()


@pytest.mark.mechanism("S2-19")
def test_taking_a_position_within_its_dwell_is_a_broken_promise_and_a_pinned_one_stays() -> None:
    held = Residents(8, leave_below=0.1)
    held.join("p", "a", (sink(0, Stay.PINNED), sink(5), sink(6)), step=0, dwell=3)
    assert held.take("p", 0, step=100) is None
    early, late = held.take("p", 5, step=2), held.take("p", 6, step=3)
    assert early is not None
    assert late is not None
    assert (early.why, late.why) == (Loss.BROKEN, Loss.DWELL_OVER)


def test_an_ended_generation_hits_nothing_and_the_next_one_starts_anew() -> None:
    held = Residents(8, leave_below=0.1)
    old, _ = held.join("p", "a", (sink(0),), step=0, dwell=3)
    (gone,) = held.invalidate("p", step=1)
    assert gone.why is Loss.INVALIDATED
    new, again = held.join("p", "b", (sink(0),), step=2, dwell=3)
    assert again == (0,)
    assert new != old
    assert held.positions("p", old) == frozenset()
    assert held.positions("p", new) == {0}


def test_what_there_is_no_room_for_is_not_promoted() -> None:
    held = Residents(1, leave_below=0.1)
    _, taken = held.join("p", "a", (sink(4), sink(0)), step=0, dwell=3)
    assert taken == (4,)
    assert held.join("q", "b", (sink(1),), step=0, dwell=3)[1] == ()


class Regions(RuleBasedStateMachine):
    """Against a plain count: readers never negative, room never exceeded, all freed at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.held = Residents(5, leave_below=0.1)
        self.readers: dict[str, set[str]] = {}
        self.on_chip = 0
        self.step = 0

    @rule(prefix=st.sampled_from("pq"), reader=st.sampled_from("abc"), count=st.integers(0, 4))
    def join(self, prefix: str, reader: str, count: int) -> None:
        chosen = tuple(sink(n) for n in range(count))
        _, promoted = self.held.join(prefix, reader, chosen, self.step, 2)
        assert not (promoted and self.readers.get(prefix))
        self.readers.setdefault(prefix, set()).add(reader)
        self.on_chip += len(promoted)

    @precondition(lambda self: any(self.readers.values()))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        prefix = data.draw(st.sampled_from(sorted(p for p, r in self.readers.items() if r)))
        reader = data.draw(st.sampled_from(sorted(self.readers[prefix])))
        self.readers[prefix].remove(reader)
        gone = self.held.leave(prefix, reader, self.step)
        assert not (gone and self.readers[prefix])
        self.on_chip -= len(gone)
        if not self.readers[prefix]:
            assert self.held.readers(prefix) == 0

    @precondition(lambda self: any(self.readers.values()))
    @rule(data=st.data(), score=st.sampled_from([0.0, 1.0]))
    def decode(self, data: st.DataObject, score: float) -> None:
        prefix = data.draw(st.sampled_from(sorted(p for p, r in self.readers.items() if r)))
        self.step += 1
        self.on_chip -= len(self.held.stepped(prefix, dict.fromkeys(range(4), score), self.step))

    @invariant()
    def counted(self) -> None:
        assert self.held.used == self.on_chip <= 5
        for prefix, readers in self.readers.items():
            assert self.held.readers(prefix) == len(readers)


TestRegions = Regions.TestCase
TestRegions.settings = settings(max_examples=25, stateful_step_count=20)
