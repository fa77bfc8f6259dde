"""One phase into arrays of what each of its runs touches, built once and repeated."""

from collections.abc import Iterable

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.ir import Phase, Step
from mirc.ir.enums import Level
from mirc.ir.levels import probability_of
from mirc.ir.names import part_range
from mirc.ir.resolve import read
from mirc.simulate.census import Census, Life
from mirc.simulate.model import CREATE, READ, WRITE, Bytes, Ints
from mirc.simulate.reading import Batch, Reader, Use


@attrs.frozen(kw_only=True)
class Cost:
    """What a step computes in one run, besides moving the bytes of its objects."""

    flops: int
    work: str
    dtype: str
    traffic_bytes: int
    transient_bytes: int


@attrs.frozen(kw_only=True)
class CacheUse:
    """A step's use of a template: all live tokens when read, the new ones when written."""

    position: int
    template: str
    writes: bool


@attrs.frozen(kw_only=True, eq=False)
class Route:
    """A step's routed reads of families with the same experts: they share one draw.

    ``router`` names the module that the first of these families belongs to, or the family.
    ``members[e]`` are the objects of expert ``e`` over all those families, ``probabilities[e]``
    the chance that a run of the step uses it, for any token.
    """

    router: str
    position: int
    chosen: int
    members: tuple[Ints, ...]
    probabilities: NDArray[np.float64]


@attrs.frozen(kw_only=True, eq=False)
class Accesses:
    """Parallel arrays: in step ``step``, ``size_bytes`` of ``object`` are touched as ``kind``."""

    step: Ints
    object: Ints
    size_bytes: Ints
    kind: Bytes

    def __len__(self) -> int:
        return len(self.step)


@attrs.frozen(kw_only=True, eq=False)
class PhaseTable:
    """One run of a phase: steps count from 0; ``ends`` are (step, object) pairs of retirements."""

    name: str
    batch: Batch
    costs: tuple[Cost, ...]
    fixed: Accesses
    ends: tuple[Ints, Ints]
    caches: tuple[CacheUse, ...]
    routes: tuple[Route, ...]


def read_phase(phase: Phase, batch: Batch, census: Census) -> PhaseTable:
    """Turn a phase into its table, entering the objects that it uses into the census."""
    reader = census.reader
    rows: list[tuple[int, int, int, int]] = []
    caches: list[CacheUse] = []
    routes: list[Route] = []
    costs: list[Cost] = []
    for position, step in enumerate(reader.steps(phase)):
        uses = reader.uses(phase, step)
        costs.append(_cost(reader, step, uses, batch))
        caches += _caches(reader, uses, position)
        routes += _routes((use for use in uses if use.access.top_k), position, batch, census)
        for use in uses:
            if not use.access.top_k and use.access.name not in reader.module.templates:
                rows += _fixed(use, position, phase.name, batch, census)
    fixed, ends = _lives(merge(accesses(rows)), census)
    return PhaseTable(
        name=phase.name,
        batch=batch,
        costs=tuple(costs),
        fixed=fixed,
        ends=ends,
        caches=tuple(caches),
        routes=tuple(routes),
    )


def accesses(rows: Iterable[tuple[int, int, int, int]]) -> Accesses:
    """Gather (step, object, bytes, kind) rows into arrays."""
    table = np.array(list(rows), dtype=np.int64).reshape(-1, 4)
    return Accesses(
        step=table[:, 0],
        object=table[:, 1],
        size_bytes=table[:, 2],
        kind=table[:, 3].astype(np.int8),
    )


def merge(table: Accesses) -> Accesses:
    """Sort by step, then object; several uses of an object in one step become one.

    Their bytes add up, and the strongest kind stays: create over write over read.
    """
    if not len(table):
        return table
    # One key, and a sort that merges what is in order already: that is most of it.
    keys = table.step * (int(table.object.max()) + 1) + table.object
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    step, thing = table.step[order], table.object[order]
    if len(first) == len(keys):
        return Accesses(
            step=step, object=thing, size_bytes=table.size_bytes[order], kind=table.kind[order]
        )
    return Accesses(
        step=step[first],
        object=thing[first],
        size_bytes=np.add.reduceat(table.size_bytes[order], first),
        kind=np.maximum.reduceat(table.kind[order], first),
    )


def first_places(objects: Ints, count: int) -> Ints:
    """Return the first place of each of ``count`` ids in ``objects``, or ``len(objects)``."""
    places = np.full(count, len(objects), dtype=np.int64)
    # Of several assignments to one index the last stays: going backwards, that is the first place.
    places[objects[::-1]] = np.arange(len(objects) - 1, -1, -1)
    return places


def _lives(table: Accesses, census: Census) -> tuple[Accesses, tuple[Ints, Ints]]:
    """Let what a run makes begin with its first use and end with its last."""
    count = len(census.names)
    made = np.array([life is Life.RUN for life in census.lives], dtype=np.bool_)
    passing = made | np.array([life is Life.FETCHED for life in census.lives], dtype=np.bool_)
    first = first_places(table.object, count)
    last = len(table) - 1 - first_places(table.object[::-1], count)
    used = first < len(table)
    kind = table.kind.copy()
    kind[first[used & made]] = CREATE
    ending = np.flatnonzero(used & passing)
    steps = table.step[last[ending]]
    order = np.lexsort((ending, steps))
    return attrs.evolve(table, kind=kind), (steps[order], ending[order])


def _cost(reader: Reader, step: Step, uses: tuple[Use, ...], batch: Batch) -> Cost:
    return Cost(
        flops=batch.amount(read(step, "flops")),
        work=read(step, "work").lower(),
        dtype=_dtype(reader, uses),
        traffic_bytes=batch.amount(read(step, "traffic_bytes")),
        transient_bytes=batch.amount(read(step, "transient_bytes")),
    )


def _dtype(reader: Reader, uses: tuple[Use, ...]) -> str:
    """Return the type that a step computes in: the module's, else that of what it reads first."""
    info = reader.module.info
    if info is not None and info.value("dtype") is not None:
        return str(read(info, "dtype"))
    for use in uses:
        name = use.access.name
        whole = name in reader.module.templates or name in reader.module.objects
        found = reader.view.value(name if whole else reader.parts(name)[0], "dtype")
        if found is not None:
            return str(found)
    return "bfloat16"


def _caches(reader: Reader, uses: tuple[Use, ...], position: int) -> list[CacheUse]:
    return [
        CacheUse(position=position, template=use.access.name, writes=use.writes)
        for use in uses
        if use.access.name in reader.module.templates
    ]


def _fixed(
    use: Use, position: int, phase: str, batch: Batch, census: Census
) -> list[tuple[int, int, int, int]]:
    kind = WRITE if use.writes else READ
    names = census.reader.parts(use.access.name)
    if use.access.touched is not None:
        touched = batch.amount(use.access.touched)
        if touched < sum(batch.amount(census.size_value(name)) for name in names):
            return [(position, census.rows(names[0], phase, touched), touched, kind)]
    wholes = (census.whole(name, batch) for name in names)
    return [(position, ident, size, kind) for ident, size in wholes]


def _routes(uses: Iterable[Use], position: int, batch: Batch, census: Census) -> list[Route]:
    """Group a step's routed families by their number of experts: each group shares one draw."""
    groups: dict[int, list[list[list[str]]]] = {}
    chosen: dict[int, int] = {}
    routers: dict[int, str] = {}
    for use in uses:
        experts = _experts(census.reader, use.access.name)
        groups.setdefault(len(experts), []).append(experts)
        routers.setdefault(len(experts), use.access.name.rpartition(".")[0] or use.access.name)
        chosen[len(experts)] = max(chosen.get(len(experts), 0), use.access.top_k or 0)
    return [
        Route(
            router=routers[count],
            position=position,
            chosen=chosen[count],
            members=tuple(
                _members(expert, batch, census) for expert in zip(*families, strict=True)
            ),
            probabilities=np.array(
                [_probability(census.reader, names[0]) for names in families[0]]
            ),
        )
        for count, families in groups.items()
    ]


def _members(expert: tuple[list[str], ...], batch: Batch, census: Census) -> Ints:
    ids = [census.whole(name, batch)[0] for names in expert for name in names]
    return np.array(ids, dtype=np.int64)


def _experts(reader: Reader, family: str) -> list[list[str]]:
    """Return the objects of each expert of a family, experts in ascending order."""
    experts: dict[int, list[str]] = {}
    for name in reader.parts(family):
        suffix = name[len(family) :]
        spread = part_range(family + suffix[: suffix.find("]") + 1])
        experts.setdefault(spread[0] if suffix and spread else 0, []).append(name)
    return [experts[index] for index in sorted(experts)]


def _probability(reader: Reader, name: str) -> float:
    value = reader.view.value(name, "route_probability")
    if isinstance(value, Level):
        value = probability_of("route_probability", value)
    if value is None:  # not of the class that has a default for it
        value = probability_of("route_probability", Level.MEDIUM)
    return float(value)
