"""Laying out few repeats as many: always the sequence that many would have been."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.frontend.fold_runs import runs_of
from mirc.frontend.fold_stretch import REPEATS, NotAffineError, Spot, Stretch, followed


class Shape(NamedTuple):
    """What a drawn sequence is made of; how far back its blocks reach, and for what."""

    before: int
    size: int
    after: int
    passes: int
    glue: int
    back: int


shapes = st.builds(
    Shape,
    before=st.integers(1, 3),
    size=st.integers(1, 4),
    after=st.integers(0, 3),
    passes=st.integers(1, 3),
    glue=st.integers(0, 2),
    back=st.integers(0, 3),
)


class Line(NamedTuple):
    spots: list[Spot | None]
    keys: list[str]
    refers: list[tuple[int, ...]]


def line(shape: Shape, depth: int) -> Line:
    """Build a sequence directly; in it each element refers to the very first one, to the one
    ``back`` before it in its repeat, and to its like in the repeat before."""
    made = Line([], [], [])

    def add(spot: Spot | None, key: str, start: int) -> None:
        place = len(made.spots)
        made.spots.append(spot)
        made.keys.append(key)
        like = place - shape.size - shape.glue if spot is not None and spot.unit else 0
        made.refers.append((0, max(start, place - shape.back), like))

    for _ in range(shape.before):
        add(None, "before", 0)
    for number in range(shape.passes):
        for unit in range(depth):
            for offset in range(shape.size):
                add(Spot(0, unit), f"{number}.{offset}", len(made.spots) - offset)
            for _ in range(shape.glue if unit < depth - 1 else 0):
                add(None, "glue", len(made.spots))
        for _ in range(shape.after):
            add(None, "after", len(made.spots) - 1)
    return made


@given(shape=shapes, depth=st.integers(REPEATS - 1, 12))
def test_a_stretched_sequence_is_the_one_that_so_many_repeats_make(
    shape: Shape, depth: int
) -> None:
    short, long = line(shape, REPEATS), line(shape, depth)
    stretch = Stretch(short.spots, short.keys, [depth])
    assert [short.keys[copy.source] for copy in stretch.copies] == long.keys
    refers = []
    for copy in stretch.copies:
        place, before = stretch.places.get(copy.source), stretch.before.get(copy.source)
        spot = short.spots[copy.source] if place is None else Spot(place.run, place.unit)
        earlier = () if before is None else short.refers[before]
        refers.append(followed(stretch, spot, copy, short.refers[copy.source], earlier))
    assert refers == long.refers


def test_repeats_that_differ_in_the_middle_are_refused() -> None:
    spots: list[Spot | None] = [Spot(0, unit) for unit in range(REPEATS)]
    with pytest.raises(NotAffineError, match="differ"):
        Stretch(spots, ["a", "a", "b", "a"], [9])
    with pytest.raises(NotAffineError, match="do not all do the same"):
        Stretch([Spot(0, 0), Spot(0, 1)], ["a", "a"], [9])


def test_a_reference_that_neither_moves_nor_stays_is_refused() -> None:
    spots: list[Spot | None] = [Spot(0, unit) for unit in range(REPEATS)]
    stretch = Stretch(spots, ["a"] * REPEATS, [9])
    third = stretch.copies[5]
    assert followed(stretch, spots[2], third, (1,), (0,)) == (4,)  # the repeat before
    assert followed(stretch, spots[2], third, (0,), (0,)) == (0,)  # always the first
    with pytest.raises(NotAffineError, match="different things"):
        followed(stretch, spots[2], third, (3,), (0,))
    with pytest.raises(NotAffineError, match="from outside"):
        followed(stretch, None, third, (2,), ())


@given(words=st.lists(st.integers(0, 2), max_size=30), least=st.integers(2, 5))
def test_runs_lie_apart_in_order_and_do_repeat(words: list[int], least: int) -> None:
    end = 0
    for run in runs_of(words, least):
        assert run.start >= end
        assert run.count >= least
        end = run.start + run.period * run.count
        block = words[run.start : run.start + run.period]
        assert words[run.start : end] == block * run.count
