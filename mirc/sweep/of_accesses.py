"""A point over a trace of accesses into its figures."""

from functools import lru_cache

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.simulate.accesses.hits import Count
from mirc.simulate.accesses.model import Trace
from mirc.simulate.accesses.reading import Reading, read
from mirc.simulate.accesses.study import Asked, replayed
from mirc.simulate.accesses.timed import Timed
from mirc.sweep.points import Point

_GB = 10**9
_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def of_accesses(point: Point) -> dict[str, int | float]:
    """Replay; without a machine hits are counted, with one they take time. Raises CouldNotRun."""
    accesses = _accesses(str(point.trace), point.object_bytes, point.speedup)
    unit = point.object_bytes if point.machine is not None else 1
    in_bytes = point.capacity_gb is not None or point.machine is not None
    if in_bytes and not accesses.size_bytes.all():
        raise CouldNotRun(
            f"`{point.trace}` does not say how large all its objects are", "give `object_bytes`"
        )
    if point.capacity_gb is not None:
        capacity = int(point.capacity_gb * _GB)
    elif unit is None:
        raise CouldNotRun("objects of several sizes have room in GB", "give `capacities_gb`")
    else:
        capacity = (point.capacity or 0) * unit
    asked = Asked(
        policies=(point.policy,),
        capacities=(capacity,),
        in_bytes=in_bytes,
        machine=point.machine,
    )
    (row,) = replayed(str(point.trace), accesses, asked).rows
    found = {"accesses": accesses.count, "objects": accesses.objects}
    if row.timed is not None:
        return {**found, **_waited(row.timed)}
    return {**found, **(_counted(row.count) if row.count is not None else {})}


def _counted(count: Count) -> dict[str, int | float]:
    return {
        name: value
        for name, value in attrs.asdict(count).items()
        if name in ("hits", "hit_size", "evicted", "passed_by", "laps")
    }


def _waited(timed: Timed) -> dict[str, int | float]:
    return {
        "hits": timed.hits[0],
        "span_ps": timed.span_ps,
        "demand_ps": timed.demand_ps,
        "queue_ps": timed.queue_ps,
        "late_ps": timed.late_ps,
        **{f"wait_{name}_ps": timed.percentile_ps(share) for name, share in _SHARES.items()},
        **{f"{link.name}_bytes": sum(link.bytes) for link in timed.links},
    }


@lru_cache(maxsize=1)
def _accesses(path: str, object_bytes: int | None, speedup: float | None) -> Trace:
    return read(path, Reading(object_bytes=object_bytes, speedup=speedup))
