"""When each request came, had its first token and its last, into latencies, goodput and load."""

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.simulate.metrics import percentile

Times = NDArray[np.float64]
SLO_TTFT_MS = 2000.0  # of MLPerf Inference 4.0, Llama 2 70B, server
SLO_ITL_MS = 200.0  # the same
MOST_SAMPLES = 4096
_NS_PER_MS = 1_000_000
_AS_PER_MS = 10**15
_FIRST_GAP = _AS_PER_MS  # between two samples, at first


@attrs.frozen(kw_only=True, eq=False)
class Timing:
    """Per request, in the trace's order; NaN where a request was refused.

    ``arrival_ms`` is when it was sent, ``first_ms`` when it had its first token, ``end_ms`` its
    last; ``made`` are the tokens that it was answered with.
    """

    arrival_ms: Times  # [R]
    first_ms: Times  # [R]
    end_ms: Times  # [R]
    made: NDArray[np.int64]  # [R]

    @property
    def served(self) -> NDArray[np.bool_]:
        """Which requests were answered."""
        return ~np.isnan(self.end_ms)

    @property
    def ttft_ms(self) -> Times:
        """The time to the first token of each request that was answered."""
        return (self.first_ms - self.arrival_ms)[self.served]

    @property
    def itl_ms(self) -> Times:
        """The mean time between tokens of each request that was answered with two or more."""
        several = self.served & (self.made > 1)
        return (self.end_ms - self.first_ms)[several] / (self.made[several] - 1)


@attrs.frozen(kw_only=True)
class Sample:
    """What was where at one moment: bytes near by tenant, below, and requests."""

    at_ms: float
    near_bytes: Mapping[str, int]
    swap_bytes: int
    running: int
    queued: int


@attrs.frozen(kw_only=True)
class Quantiles:
    """Nearest-rank percentiles over requests, in ms; None where there is no request."""

    p50: float | None
    p95: float | None
    p99: float | None


@attrs.frozen(kw_only=True)
class Objective:
    """What a request must meet to count as good: both."""

    ttft_ms: float = SLO_TTFT_MS
    itl_ms: float = SLO_ITL_MS


@attrs.frozen(kw_only=True)
class Pace:
    """How fast a trace was served, from the first arrival to the last token, ``span_s``.

    ``requests_per_s`` were answered, ``goodput_per_s`` of them within both objectives; ``busy`` is
    the share of the time in which a batch ran. ``in_system`` is the mean number of requests that
    had come and were not answered, counted as time passed; ``in_system_by_little`` is the same as
    arrivals a second times the mean time in the system. Source: Little, Operations Research 9(3),
    1961.
    """

    span_s: float
    busy: float
    ttft_ms: Quantiles
    itl_ms: Quantiles
    requests_per_s: float
    goodput_per_s: float
    tokens_per_s: float
    in_system: float
    in_system_by_little: float


class Clocked:
    """What a run writes down as it goes, in attoseconds."""

    def __init__(self, requests: int) -> None:
        self.arrival = [-1] * requests
        self.first = [-1] * requests
        self.end = [-1] * requests
        self.made = [0] * requests
        self.busy = 0
        self.area = 0  # requests in the system times attoseconds
        self.samples: list[Sample] = []
        self._gap = _FIRST_GAP
        self._due = 0

    def wants_sample(self, now: int) -> bool:
        """Say whether it is time for another sample."""
        return now >= self._due

    def sample(self, now: int, found: Sample) -> None:
        """Keep a sample; when there are too many, every other goes and the gap doubles."""
        self.samples.append(found)
        if len(self.samples) >= MOST_SAMPLES:
            del self.samples[1::2]
            self._gap *= 2
        self._due = now + self._gap

    def timing(self) -> Timing:
        """Return what was written down, by request."""
        ended = [end >= 0 for end in self.end]
        return Timing(
            arrival_ms=_ms(self.arrival, ended),
            first_ms=_ms(self.first, ended),
            end_ms=_ms(self.end, ended),
            made=np.array(self.made, dtype=np.int64),
        )


def pace_of(clocked: Clocked, objective: Objective) -> Pace:
    """Return how fast it went."""
    timing = clocked.timing()
    served = timing.served
    first = min(clocked.arrival, default=0)
    span_as = max(0, max(clocked.end, default=0) - first)
    span_s = span_as / _AS_PER_MS / 1000
    waited = np.zeros(len(served))
    several = served & (timing.made > 1)
    waited[several] = timing.itl_ms
    soon = timing.first_ms - timing.arrival_ms <= objective.ttft_ms
    good = served & soon & (waited <= objective.itl_ms)
    stayed = sum(
        end - arrival for arrival, end in zip(clocked.arrival, clocked.end, strict=True) if end >= 0
    )
    return Pace(
        span_s=span_s,
        busy=min(1.0, _over(clocked.busy, span_as)),  # the last token is stored after the end
        ttft_ms=_quantiles(timing.ttft_ms),
        itl_ms=_quantiles(timing.itl_ms),
        requests_per_s=_over(int(served.sum()), span_s),
        goodput_per_s=_over(int(good.sum()), span_s),
        tokens_per_s=_over(int(timing.made[served].sum()), span_s),
        in_system=_over(clocked.area, span_as),
        in_system_by_little=_over(stayed, span_as),
    )


def _ms(values: Sequence[int], ended: Sequence[bool]) -> Times:
    """Return attoseconds as milliseconds, to the nanosecond."""
    pairs = zip(values, ended, strict=True)
    whole = [each // (_AS_PER_MS // _NS_PER_MS) if end else -1 for each, end in pairs]
    found = np.array(whole, dtype=np.float64)
    found[found < 0] = np.nan
    return found / _NS_PER_MS


def _quantiles(values: Times) -> Quantiles:
    if not len(values):
        return Quantiles(p50=None, p95=None, p99=None)
    whole = np.rint(values * _NS_PER_MS).astype(np.int64)
    p50, p95, p99 = (percentile(whole, percent) / _NS_PER_MS for percent in (50, 95, 99))
    return Quantiles(p50=p50, p95=p95, p99=p99)


def _over(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
