"""A problem and its budget into a schedule that spills and recomputes for the least cost."""

import random
from collections import Counter
from collections.abc import Iterator

import attrs

from mirc.bounds.remat import Kind, Move, Moves, Problem, cost_of, keep_all, peak_bytes
from mirc.passes.remat_crossing import crossed
from mirc.passes.remat_edits import (
    BOTH,
    Draft,
    Edit,
    Means,
    applied,
    extras,
    without_spares,
)
from mirc.passes.remat_pruning import pruned

SMALL = 128
"""Operations up to which several weights of relief are tried."""
LARGE = 512
"""Operations above which minimum cuts alone give the starts, and few rounds of edits follow."""
ROUNDS = 8
"""Rounds of edits to a start of a problem above that size."""
WORK = 60_000
"""Moves that repairs may look at, by default: what bounds the search after the first answer."""


@attrs.frozen(kw_only=True)
class Plan:
    """A schedule within its budget, or (``fits`` False) the nearest to it that was found."""

    moves: Moves
    cost: float
    peak_bytes: int
    fits: bool

    @property
    def spilled(self) -> frozenset[int]:
        """The values that go out to far memory."""
        return frozenset(index for kind, index in self.moves if kind is Kind.OUT)

    def recomputed(self, problem: Problem) -> frozenset[int]:
        """Return the values that are made more than once."""
        runs = Counter(index for kind, index in self.moves if kind is Kind.RUN)
        return frozenset(
            value for op, count in runs.items() if count > 1 for value in problem.ops[op].writes
        )


def plan(problem: Problem, means: frozenset[Means] = BOTH, work: int = WORK) -> Plan:
    """Return the best schedule found that uses these means only.

    Two kinds of starts: from keeping everything, the gap between two uses whose loss costs least
    per byte of relief is spilled or recomputed until the budget holds (several weights of relief);
    and what a minimum cut says of the moment that is shortest of room (``crossed``). A
    large-neighbourhood search (Shaw, CP 1998) then drops a few of the moves so inserted, repairs
    with noise, prunes, and keeps what is cheaper. With both means the answers with each alone are
    starting points too, so it is never above either. Deterministic. Cost: O(work) moves looked at
    after the first answers, each of which takes O(edits x gaps).
    """
    starts = [first_plan(problem, means)]
    if len(means) > 1:
        starts += [plan(problem, frozenset({each}), work) for each in sorted(means)]
    best = min(starts, key=_rank)
    for seed, start in enumerate(dict.fromkeys(starts)):
        found = _searched(problem, start, means, work // len(starts), random.Random(seed))  # noqa: S311 - no secret
        best = min(best, found, key=_rank)
    return best


def _rank(found: Plan) -> tuple[int, float]:
    return (0 if found.fits else found.peak_bytes, found.cost)


def _planned(problem: Problem, moves: Moves) -> Plan:
    peak = peak_bytes(problem, moves)
    return Plan(
        moves=moves,
        cost=cost_of(problem, moves),
        peak_bytes=peak,
        fits=peak <= problem.budget_bytes,
    )


def first_plan(problem: Problem, means: frozenset[Means]) -> Plan:
    """Return the best of the starts of ``plan``, without its search: for large problems.

    Above LARGE operations what the minimum cuts say is all there is, edited a few rounds where it
    does not hold the budget at some other moment: seconds where all edits would take minutes.
    """
    cuts = crossed(problem, means)
    if len(problem.ops) > LARGE:
        found = [_pruned(problem, moves) for moves in cuts or (keep_all(problem),)]
        best = min(found, key=_rank)
        if best.fits or problem.budget_bytes < least_bytes(problem):
            return best
        edited = _relieved(problem, best.moves, means, 1.0, None, rounds=ROUNDS)
        return min(best, _pruned(problem, edited), key=_rank)
    powers = (1.0, 0.5, 1.5) if len(problem.ops) <= SMALL else (1.0,)
    tries = [_relieved(problem, keep_all(problem), means, power, None) for power in powers]
    tries += [_relieved(problem, moves, means, 1.0, None) for moves in cuts]
    return min((_pruned(problem, moves) for moves in tries), key=_rank)


def least_bytes(problem: Problem) -> int:
    """Return the room without which no schedule is: that of one operation, or of what is kept."""
    sizes = [value.size_bytes for value in problem.values]
    return max(
        sum(sizes[value] for value in problem.kept),
        *(
            sum(sizes[v] for v in {*op.reads, *op.writes}) + op.workspace_bytes
            for op in problem.ops
        ),
    )


def _pruned(problem: Problem, moves: Moves) -> Plan:
    plain = _planned(problem, moves)
    if not plain.fits:
        return plain
    return _planned(problem, pruned(problem, moves, lambda move: cost_of(problem, (move,))))


def _relieved(
    problem: Problem,
    moves: Moves,
    means: frozenset[Means],
    power: float,
    noise: random.Random | None,
    *,
    rounds: int | None = None,
) -> Moves:
    """Edit until the budget holds, no edit lowers the excess, or ``rounds`` are over."""
    batch = max(1, len(problem.ops) // 64)
    draft = Draft(problem, moves)
    for _ in range(rounds or 4 * len(problem.ops) + 16):
        if not draft.excess:
            break
        edits = list(draft.edits(means))
        ranked = sorted(
            (edit.cost / edit.relief**power * (noise.uniform(0.6, 1.6) if noise else 1.0), place)
            for place, edit in enumerate(edits)
        )
        for edit_set in _choices([edits[place] for _, place in ranked], batch):
            tried = Draft(problem, applied(draft.moves, edit_set))
            if tried.excess < draft.excess:
                draft = tried
                break
        else:
            break
    return draft.moves


def _choices(ranked: list[Edit], batch: int) -> Iterator[list[Edit]]:
    """Yield sets of edits to try: the best few of different values, then single ones."""
    if batch > 1:
        first: dict[int, Edit] = {}
        for edit in ranked:
            first.setdefault(edit.value, edit)
            if len(first) == batch:
                break
        yield list(first.values())
    yield from ([edit] for edit in ranked[:24])


def _searched(
    problem: Problem, start: Plan, means: frozenset[Means], work: int, rng: random.Random
) -> Plan:
    best = current = start
    while work > 0:
        moves = current.moves
        places = extras(problem, moves)
        work -= 8 * len(moves) * max(1, min(4, len(places)))
        if not places:
            break
        gone = set(_destroyed(moves, places, rng))
        opened = without_spares(
            tuple(move for place, move in enumerate(moves) if place not in gone)
        )
        repaired = _relieved(problem, opened, means, rng.choice((0.5, 1.0, 1.5)), rng)
        found = _pruned(problem, repaired)
        if _rank(found) <= _rank(current) or (
            found.fits and current.fits and found.cost < current.cost * (1 + 0.02 * rng.random())
        ):
            current = found
        best = min(best, found, key=_rank)
    return best


def _destroyed(moves: Moves, places: list[int], rng: random.Random) -> list[int]:
    """Choose extra moves to drop: neighbours in the schedule, those of a few values, or any."""
    count = rng.randint(1, max(1, min(len(places), 2 + len(places) // 3)))
    way = rng.randrange(3)
    if way == 0:
        begin = rng.randrange(len(places))
        return places[begin : begin + count]
    if way == 1:
        named: list[Move] = sorted({moves[place] for place in places})
        chosen = set(rng.sample(named, min(count, len(named))))
        return [place for place in places if moves[place] in chosen]
    return rng.sample(places, count)
