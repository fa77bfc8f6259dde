"""What links did and memories held, drawn from an event log, against the engine's own accounts."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings

from mirc.report.timeline.occupancy import changes
from mirc.report.timeline.service import slices
from mirc.simulate.engine import simulate
from mirc.simulate.model import Outcome
from tests.simulate.drawn import Drawn, scenes

POLICIES = ("lru", "static", "intent", "belady")


def played(drawn: Drawn, policy: str) -> Outcome:
    return simulate(
        drawn.load, drawn.known, drawn.machine, policy, record_events=True, path="python"
    )


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=15)
@given(drawn=scenes())
def test_the_slices_of_a_link_add_up_to_its_busy_time(policy: str, drawn: Drawn) -> None:
    outcome = played(drawn, policy)
    busy: Counter[int] = Counter()
    for piece in slices(outcome, drawn.machine):
        busy[piece.link] += piece.end_ps - piece.start_ps
    assert [busy[place] for place in range(len(outcome.links))] == [
        link.busy_ps for link in outcome.links
    ]


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=15)
@given(drawn=scenes())
def test_what_crossed_a_link_is_in_its_slices_by_class(policy: str, drawn: Drawn) -> None:
    outcome = played(drawn, policy)
    moved: Counter[tuple[int, int]] = Counter()
    for piece in slices(outcome, drawn.machine):
        moved[piece.link, piece.priority] += piece.bytes
    for place, link in enumerate(outcome.links):
        said = (link.demand_bytes, link.prefetch_bytes, link.writeback_bytes)
        assert tuple(moved[place, priority] for priority in range(3)) == said


@settings(max_examples=15)
@given(drawn=scenes())
def test_a_link_carries_one_transfer_at_a_time(drawn: Drawn) -> None:
    outcome = played(drawn, "intent")
    pieces = slices(outcome, drawn.machine)
    for place in range(len(outcome.links)):
        own = [piece for piece in pieces if piece.link == place]
        assert all(a.end_ps <= b.start_ps for a, b in pairwise(own))


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=15)
@given(drawn=scenes())
def test_what_memories_hold_peaks_where_the_engine_says(policy: str, drawn: Drawn) -> None:
    outcome = played(drawn, policy)
    assert outcome.events is not None
    found = changes(outcome.events, drawn.load.klass)
    for number, peak in enumerate(outcome.peak_bytes.values()):
        held = np.cumsum(found.bytes[found.memory == number])
        assert int(held.max(initial=0)) == peak
        assert int(held.min(initial=0)) >= 0
