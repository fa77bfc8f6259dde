"""What serving a trace is asked for, and what it comes to."""

from collections.abc import Mapping

import attrs

from mirc.controller.kv.crossover import Recompute
from mirc.controller.kv.floor import Totals
from mirc.simulate.serving.caches import Caches
from mirc.simulate.serving.policies import ORACLE
from mirc.simulate.serving.timing import Objective, Pace, Sample, Timing

BLOCK_TOKENS = 512  # of Mooncake's traces


@attrs.frozen(kw_only=True)
class Options:
    """What to serve: ``kv_gb`` of near memory for caches (None: what weights leave of it).

    ``swap_gb`` of host memory take what leaves, where loading it costs less than computing it
    again. At most ``at_once`` sequences run together, in batches of ``budget`` tokens. Requests
    come at the trace's times over ``speedup``; ``closed``, as soon as there is room instead.
    """

    machines: tuple[str, ...] = ()
    policies: str = "all"
    kv_gb: float | None = None
    swap_gb: float = 0.0
    block_tokens: int = BLOCK_TOKENS
    at_once: int = 16
    budget: int = 8192
    speedup: float = 1.0
    closed: bool = False
    objective: Objective = attrs.field(factory=Objective)


@attrs.frozen(kw_only=True)
class Row:
    """What one policy made of the trace, by tenant and in all, and when.

    ``links`` are the seconds that each link was busy with blocks.
    """

    policy: str
    total: Totals
    tenants: Mapping[str, Totals]
    events: Mapping[str, int]
    steps: int
    pace: Pace
    timing: Timing
    samples: tuple[Sample, ...]
    links: Mapping[str, float]

    @property
    def oracle(self) -> bool:
        """Whether it was given the future."""
        return self.policy == ORACLE


@attrs.frozen(kw_only=True)
class Served:
    """All policies on one machine; ``ceiling`` is what a pool without end would have found.

    ``beyond_bytes`` is what weights and caches take more than near memory has.
    """

    machine: str
    near: str
    capacity_bytes: int
    beyond_bytes: int
    swap_bytes: int
    caches: Caches
    recompute: Recompute | None
    requests: int
    ceiling: int
    signals: Mapping[str, int]
    rows: tuple[Row, ...]


@attrs.frozen(kw_only=True)
class Serving:
    """The report's whole matter; ``notes`` say what the trace and the links do not."""

    title: str
    configuration: str  # the hash of all that decided it (``mirc.simulate.identity``)
    trace: str
    options: Options
    machines: tuple[Served, ...]
    notes: tuple[str, ...] = ()
