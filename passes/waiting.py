"""Experts that are fetched when they are drawn into how long a run is expected to wait for them."""

from collections.abc import Iterable
from math import erf, exp, pi, sqrt

Hops = tuple[tuple[str, int], ...]


def waited_ps(drawn: Iterable[tuple[int, float, Hops]]) -> float:
    """Return the picoseconds that a run waits on average for what its steps draw from below.

    Each entry is one piece: the step that may draw it, the probability, and its transfer's time
    over each link on its way. What one step draws is asked for at once and follows one another over
    the links: they take as long as the busiest, and one piece's time on its others. Which is the
    busiest depends on the draw: the mean of the greater of two normal variables stands for it.
    Cost: O(pieces). Source: Clark, Operations Research 9(2), 1961.
    """
    steps: dict[int, dict[Hops, tuple[float, float]]] = {}
    for step, probability, hops in drawn:
        alike = steps.setdefault(step, {})
        mean, variance = alike.get(hops, (0.0, 0.0))
        alike[hops] = (mean + probability, variance + probability * (1 - probability))
    return sum(_wait_ps(alike) for alike in steps.values())


def _wait_ps(alike: dict[Hops, tuple[float, float]]) -> float:
    busy: dict[str, float] = {}
    tail = 0.0
    for hops, (count, _) in alike.items():
        for link, spent in hops:
            busy[link] = busy.get(link, 0.0) + count * spent
        times = [spent for _, spent in hops]
        tail += min(1.0, count) * (sum(times) - max(times, default=0))
    first, *others = sorted(busy, key=lambda link: (-busy[link], link)) or [""]
    if not others:
        return busy.get(first, 0.0) + tail
    spread = 0.0
    for hops, (_, variance) in alike.items():
        spent_on = dict(hops)
        spread += variance * (spent_on.get(first, 0) - spent_on.get(others[0], 0)) ** 2
    return _greater(busy[first], busy[others[0]], sqrt(spread)) + tail


def _greater(first: float, second: float, deviation: float) -> float:
    """Return the mean of the greater of two normal variables, by the deviation of their difference.

    ``first`` is not below ``second``.
    """
    if not deviation:
        return first
    far = (first - second) / deviation
    below = (1 - erf(far / sqrt(2))) / 2
    return first - (first - second) * below + deviation * exp(-far * far / 2) / sqrt(2 * pi)
