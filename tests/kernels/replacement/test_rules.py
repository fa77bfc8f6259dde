"""Every rule of replacement lets go what its paper says, and none forgets what may not leave."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.ruled import Tabled
from mirc.kernels.build import compiled
from mirc.kernels.replacement import rule as rules
from mirc.kernels.replacement.names import RULES
from mirc.kernels.replacement.replay import COUNTED, replay
from mirc.kernels.replacement.state import (
    BELADY,
    HELD,
    NEVER,
    NEXT_USE,
    SIZE,
    STAMP,
    TIME,
    Replacement,
    full_for,
    here,
    replacement,
)
from mirc.kernels.world import NONE
from mirc.simulate.accesses.hits import count_hits
from mirc.simulate.accesses.timed import next_uses
from tests.kernels.replacement import own_rules, references
from tests.nightly import by_night

IDS = 24
traces = st.lists(st.integers(0, IDS - 1), max_size=120)
# A few that come often among many that come once: ghosts are recalled, hands go round.
skewed = st.lists(
    st.one_of(st.integers(0, 5), st.integers(0, 5), st.integers(0, IDS - 1)), max_size=200
)
REFERENCES: dict[str, Callable[[Sequence[int], int], list[int]]] = {
    "fifo": references.fifo,
    "lru": references.lru,
    "mru": references.mru,
    "lfu": references.lfu,
    "arc": references.arc,
    "sieve": references.sieve,
    "s3-fifo": lambda ids, room: references.s3_fifo(ids, room, direct=True),
    "s3-fifo-small": lambda ids, room: references.s3_fifo(ids, room, direct=False),
    "belady": references.belady,
}


def cache(name: str, capacity: int, ids: int = IDS) -> Replacement:
    return replacement(RULES[name].number, ids, capacity, RULES[name].variant)


def left(r: Replacement, ids: Sequence[int], times: Sequence[int] = ()) -> list[int]:
    """Return what leaves a cache, in order."""
    found = []
    uses = next_uses(np.array(ids, dtype=np.int64)).tolist()
    for n, x in enumerate(ids):
        if times:
            r.now[TIME] = times[n]
        r.cell[NEXT_USE, x] = uses[n]
        if here(r, x):
            rules.touched(r, x)
            continue
        rules.missed(r, x)
        while full_for(r, r.cell[SIZE, x]):
            victim = int(rules.choose(r))
            found.append(victim)
            rules.evicted(r, victim)
        rules.admitted(r, x)
    return found


@pytest.mark.parametrize("name", REFERENCES)
@settings(max_examples=by_night(20, 2000), deadline=None)
@given(ids=skewed, capacity=st.integers(1, 20))
def test_a_rule_lets_go_what_its_paper_says(name: str, ids: list[int], capacity: int) -> None:
    assert left(cache(name, capacity), ids) == REFERENCES[name](ids, capacity)


@settings(max_examples=by_night(20, 2000), deadline=None)
@given(
    ids=traces,
    capacity=st.integers(1, 12),
    said=st.lists(st.tuples(st.integers(0, 100), st.integers(0, 150)), min_size=IDS, max_size=IDS),
)
def test_a_priority_set_by_hand_holds_until_it_expires(
    ids: list[int], capacity: int, said: list[tuple[int, int]]
) -> None:
    r = cache("ttl", capacity)
    for x, (priority, expires) in enumerate(said):
        rules.retain(r, x, priority, expires)
    times = range(len(ids))
    assert left(r, ids, times) == references.ttl(ids, capacity, said.__getitem__, times)


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=by_night(10, 1000), deadline=None)
@given(
    ids=skewed,
    capacity=st.integers(4, 20),
    size=st.lists(st.integers(1, 4), min_size=IDS, max_size=IDS),
)
def test_no_rule_holds_more_than_its_capacity_or_loses_count(
    name: str, ids: list[int], capacity: int, size: list[int]
) -> None:
    r = cache(name, capacity)
    r.cell[SIZE, :IDS] = size
    left(r, ids)
    there = r.cell[STAMP, :IDS] != 0
    assert r.now[HELD] == r.cell[SIZE, :IDS][there].sum() <= capacity
    for _ in range(there.sum()):  # all can be let go again, one by one
        assert here(r, int(rules.choose(r)))
        rules.evicted(r, int(rules.choose(r)))
    assert r.now[HELD] == 0
    assert rules.choose(r) == NONE


acts = st.lists(
    st.tuples(st.sampled_from("uuuufapr"), st.integers(0, IDS - 1), st.integers(0, 100)),
    max_size=150,
)


def _act(r: Replacement, what: str, x: int, number: int) -> list[int]:
    """Use, forbid, allow, prioritise or remove an id; return what left."""
    gone: list[int] = []
    if what == "f":
        rules.forbid(r, x)
    elif what == "a":
        rules.allow(r, x)
    elif what == "p":
        rules.retain(r, x, number, NEVER)
    elif what == "r":
        rules.removed(r, x)
    elif here(r, x):
        rules.touched(r, x)
    else:
        rules.missed(r, x)
        while full_for(r, 1):
            victim = int(rules.choose(r))
            if victim == NONE:
                return gone
            gone.append(victim)
            rules.evicted(r, victim)
        rules.admitted(r, x)
    return gone


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=by_night(16, 1600), deadline=None)
@given(done=acts, capacity=st.integers(1, 12))
def test_what_is_forbidden_never_leaves_and_what_is_allowed_can(
    name: str, done: list[tuple[str, int, int]], capacity: int
) -> None:
    r = cache(name, capacity)
    pinned: set[int] = set()
    for what, x, number in done:
        gone = _act(r, what, x, number)
        pinned |= {x} if what == "f" else set()
        pinned -= {x} if what == "a" else set()
        assert not pinned.intersection(gone)
        free = {each for each in range(IDS) if here(r, each)} - pinned
        victim = int(rules.choose(r))
        assert victim in free or (victim == NONE and not free)


@pytest.mark.parametrize("name", ["fifo", "lru", "mru", "lfu", "ttl"])
@settings(max_examples=by_night(24, 2400), deadline=None)
@given(done=acts, capacity=st.integers(1, 12))
def test_who_was_forbidden_stands_where_it_would_stand(
    name: str, done: list[tuple[str, int, int]], capacity: int
) -> None:
    r = cache(name, capacity)
    there: dict[int, list[int]] = {}  # came, used, count
    pinned: set[int] = set()
    priority = dict.fromkeys(range(IDS), 35)
    keys: dict[str, Callable[[int], Any]] = {
        "fifo": lambda x: there[x][0],
        "lru": lambda x: there[x][1],
        "mru": lambda x: -there[x][1],
        "lfu": lambda x: (there[x][2], there[x][1]),
        "ttl": lambda x: (priority[x], there[x][1]),
    }
    for now, (what, x, number) in enumerate(done):
        for victim in _act(r, what, x, number):
            assert victim == min(set(there) - pinned, key=keys[name])
            del there[victim]
        if what == "f":
            pinned.add(x)
        elif what == "a":
            pinned.discard(x)
        elif what == "p":
            priority[x] = number
        elif what == "r":
            there.pop(x, None)
        elif x in there:
            there[x] = [there[x][0], now, there[x][2] + 1]
        elif len(there) < capacity:
            there[x] = [now, now, 1]


@pytest.mark.parametrize("name", [name for name, each in RULES.items() if not each.oracle])
@settings(max_examples=by_night(8, 800), deadline=None)
@given(ids=skewed, capacity=st.integers(1, 20))
def test_tables_that_grow_hold_the_same_rule(name: str, ids: list[int], capacity: int) -> None:
    known, there, gone = Tabled(name, capacity), set[int](), []
    for x in ids:
        if x in there:
            known.touched(x)
            continue
        known.missed(x)
        while len(there) >= capacity:
            victim = known.choose()
            assert victim is not None
            known.evicted(victim)
            there.discard(victim)
            gone.append(victim)
        known.admitted(x)
        there.add(x)
    assert gone == left(cache(name, capacity), ids)


def test_compiled_and_plain_rules_agree_on_every_row() -> None:
    dice = np.random.default_rng(3)
    ids = np.minimum(dice.zipf(1.2, 3000), 400) - 1
    uses = next_uses(ids)
    fast = compiled(replay, cache("lru", 4))
    plays: list[Callable[..., Any]] = [replay, fast]
    for name in RULES:
        tables = [cache(name, 40, 400) for _ in range(2)]
        counts = np.zeros((2, COUNTED), dtype=np.int64)
        for play, r, counted in zip(plays, tables, counts, strict=True):
            play(r, ids, uses, counted)
        assert counts[0].tolist() == counts[1].tolist(), name
        for plain, quick in zip(*tables, strict=True):
            assert np.array_equal(plain, quick), name


@settings(max_examples=by_night(12, 1200), deadline=None)
@given(ids=skewed, capacity=st.integers(1, 12))
def test_a_rule_of_ones_own_counts_as_the_same_rule_does(ids: list[int], capacity: int) -> None:
    array = np.array(ids, dtype=np.int64)
    theirs = count_hits(array, f"{own_rules.__file__}:Oldest", capacity)
    ours = count_hits(array, "lru", capacity)
    assert (theirs.hits, theirs.evicted) == (ours.hits, ours.evicted)


@settings(max_examples=by_night(12, 1200), deadline=None)
@given(ids=skewed, capacity=st.integers(1, 12))
def test_no_rule_has_more_hits_than_an_oracle(ids: list[int], capacity: int) -> None:
    array = np.array(ids, dtype=np.int64)
    uses = next_uses(array)
    most = count_hits(array, "belady-bypass", capacity, next_use=uses)
    best = count_hits(array, "belady", capacity, next_use=uses)
    assert best.hits <= most.hits
    for name, each in RULES.items():
        if not each.oracle:
            assert count_hits(array, name, capacity).hits <= best.hits, name


def test_only_an_oracles_future_is_read() -> None:
    ids = np.array([0, 1, 2, 0, 1, 2] * 4, dtype=np.int64)
    lies = np.arange(len(ids))[::-1].copy()
    for name, each in RULES.items():
        if each.number != BELADY:
            told = count_hits(ids, name, 2, next_use=lies)
            assert told == count_hits(ids, name, 2), name
