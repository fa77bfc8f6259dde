"""What tokens, pairs and bytes cost on a machine into the time that each batch takes."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import attrs

Part: TypeAlias = tuple[int, int]
"""What one sequence does in a batch: cached tokens, and the new ones after them."""

ATTO = 10**18  # whole attoseconds: a step's time is then a linear function of whole numbers
LEAST_AS = 10**12  # no step takes less than a microsecond


@attrs.frozen(kw_only=True)
class Experts:
    """Families routed alike: each token reads ``chosen`` of ``parts``; all of it is ``read_as``."""

    parts: int
    chosen: int
    read_as: int

    def step_as(self, tokens: int) -> int:
        """Return the time to read those that a batch touches, on average: uniform routing."""
        spared = (1 - min(1.0, self.chosen / self.parts)) ** tokens
        return round(self.read_as * (1 - spared))


@attrs.frozen(kw_only=True)
class Cost:
    """What a batch takes on one machine, in whole attoseconds.

    ``token_as`` is the arithmetic of a token by itself. By cache group: ``pair_as`` is that of one
    token with one token before it, ``cached_as`` the reading or writing of a token's bytes,
    ``fixed_as`` of a state's; ``windows`` are the tokens that the group reaches back, 0 for all.
    ``dense_as`` is the reading of all weights but those of ``experts``.
    """

    token_as: int
    pair_as: tuple[int, ...]
    cached_as: tuple[int, ...]
    fixed_as: int
    windows: tuple[int, ...]
    dense_as: int
    experts: tuple[Experts, ...] = ()

    def step_as(self, batch: Sequence[Part]) -> int:
        """Return the time of one batch: the slower of its arithmetic and its bytes."""
        compute, near = self._roofs(batch)
        return max(compute, near, LEAST_AS)

    def compute_as(self, context: int, tokens: int) -> int:
        """Return the time of the arithmetic of tokens that come after so many others."""
        compute, _ = self._roofs([(context, tokens)])
        return compute

    def lines(self, contexts: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """Return the roofs of steps in each of which every sequence makes one token.

        Each is the first step's time and what every further one takes more, for as long as nobody
        passes the end of a window (``steady``).
        """
        compute, near = self._roofs([(each, 1) for each in contexts])
        growing = more_compute = more_near = 0
        for window, pair, cached in zip(self.windows, self.pair_as, self.cached_as, strict=True):
            growing = sum(1 for each in contexts if not window or each < window)
            more_compute += growing * pair
            more_near += growing * cached
        return (compute, more_compute), (near, more_near), (LEAST_AS, 0)

    def steady(self, context: int) -> int | None:
        """Return the tokens that a sequence makes before it fills a window; None: without end."""
        ahead = [window - context for window in self.windows if window > context]
        return min(ahead, default=None)

    def _roofs(self, batch: Sequence[Part]) -> tuple[int, int]:
        tokens = sum(new for _, new in batch)
        compute = tokens * self.token_as
        near = self.dense_as + len(batch) * self.fixed_as
        near += sum(each.step_as(tokens) for each in self.experts)
        for window, pair, cached in zip(self.windows, self.pair_as, self.cached_as, strict=True):
            if pair:
                compute += pair * sum(_pairs(*part, window) for part in batch)
            if cached:
                near += cached * sum(_cached(*part, window) for part in batch)
        return compute, near


def total_as(lines: Iterable[tuple[int, int]], steps: int) -> int:
    """Return the time of ``steps`` steps, each as long as the highest of the lines: O(log steps).

    The highest of lines is convex, so a line that is the highest at two steps is so between them.
    """
    lines = tuple(lines)

    def spent(first: int, last: int) -> int:
        low = max(base + slope * first for base, slope in lines)
        high = max(base + slope * last for base, slope in lines)
        for base, slope in lines:
            if base + slope * first == low and base + slope * last == high:
                return (low + high) * (last - first + 1) // 2
        middle = (first + last) // 2
        return spent(first, middle) + spent(middle + 1, last)

    return spent(0, steps - 1) if steps > 0 else 0


def _pairs(context: int, tokens: int, window: int) -> int:
    """Return the tokens that the new ones attend to, themselves among them, each counted."""
    first, last = context + 1, context + tokens
    if not window or last <= window:
        return (first + last) * tokens // 2
    if first > window:
        return window * tokens
    return (first + window) * (window - first + 1) // 2 + window * (last - window)


def _cached(context: int, tokens: int, window: int) -> int:
    """Return the tokens whose bytes are read or written: those in reach once, and the new ones."""
    return (min(context, window - 1) if window else context) + tokens


def steps_until(lines: Sequence[tuple[int, int]], time_as: int, most: int) -> int:
    """Return after how many steps a time has passed: at least 1, at most ``most``; O(log^2)."""
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if total_as(lines, middle) >= time_as:
            high = middle
        else:
            low = middle + 1
    return low
