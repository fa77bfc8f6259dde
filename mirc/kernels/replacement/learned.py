"""What past intervals taught into when an id will be used next: the rule that only observes.

The next use is predicted as the last one plus an interval that is learned while the run goes on, of
ids alike: by how often an id was used since it came, and how long its last interval was. What was
used again moves the interval of its kind towards what was seen; what leaves unused, and had waited
longer, moves it up. Who is predicted to be used last leaves first. Who was predicted and did not
come is predicted anew, for three times as long as it has waited: in time it leaves too.

Counts and intervals as features, and the farthest predicted next use as the victim, are those of
Song, Berger, Li and Lloyd, Learning relaxed Belady for content distribution network caching, NSDI
2020; here a table of running means of logarithms takes the place of its trees.
"""

from typing import Any

from mirc.kernels.replacement.state import CLOCK, COUNT, EXPIRES, LEARNT, SPARE, Replacement

USED_AT, INTERVAL = SPARE, SPARE + 1  # rows: clock of the last use; logarithm of the last interval
COUNTS, LENGTHS = 4, 15  # kinds told apart: by uses, and by powers of two
RATE = 0.02  # how far one interval moves the mean of its kind
PATIENCE = 3  # how often as long as it waited one who is overdue may wait again
ONE = 1 << 10  # of a logarithm, which counts in 1024ths


def admitted(r: Replacement, x: int) -> None:
    """Begin to count."""
    r.cell[COUNT, x] = 0
    r.cell[INTERVAL, x] = 0
    r.cell[USED_AT, x] = r.now[CLOCK]
    _predict(r, x)


def touched(r: Replacement, x: int) -> None:
    """Learn from the interval since the last use."""
    seen = _logarithm(r.now[CLOCK] - r.cell[USED_AT, x])
    _learn(r, _kind(r, x), seen)
    r.cell[COUNT, x] += 1
    r.cell[INTERVAL, x] = seen
    r.cell[USED_AT, x] = r.now[CLOCK]
    _predict(r, x)


def left_for_room(r: Replacement, x: int) -> None:
    """Learn that an interval is longer than thought."""
    waited = _logarithm(2 * (r.now[CLOCK] - r.cell[USED_AT, x] + 1))
    if waited > r.real[_kind(r, x)]:
        _learn(r, _kind(r, x), waited)


def overdue(r: Replacement, x: int) -> None:
    """Predict anew when one is used who should have been by now."""
    r.cell[EXPIRES, x] = r.now[CLOCK] + 1 + PATIENCE * (r.now[CLOCK] - r.cell[USED_AT, x])


def _predict(r: Replacement, x: int) -> None:
    """Set when an id is thought to be used next; where nothing is known yet, in as long as ever."""
    mean = r.real[_kind(r, x)]
    interval = _power(int(mean)) if mean > 0 else r.now[CLOCK]
    r.cell[EXPIRES, x] = r.now[CLOCK] + 1 + interval


def _learn(r: Replacement, kind: int, seen: int) -> None:
    if r.real[kind] == 0:
        r.real[kind] = seen
    else:
        r.real[kind] += (seen - r.real[kind]) * RATE


def _kind(r: Replacement, x: int) -> Any:
    length = min(r.cell[INTERVAL, x] // ONE, LENGTHS - 1)
    return LEARNT + min(r.cell[COUNT, x], COUNTS - 1) * LENGTHS + length


def _logarithm(value: int) -> Any:
    """Return the binary logarithm of a number from 1 on, straight between powers: all integers."""
    power = 0
    while value >> (power + 1) > 0:
        power += 1
    return power * ONE + ((value * ONE) >> power) - ONE


def _power(logarithm: int) -> Any:
    """Return the number of a logarithm, rounded down."""
    return ((ONE + logarithm % ONE) << (logarithm // ONE)) // ONE
