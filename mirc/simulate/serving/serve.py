"""A trace of requests and a file's caches into what each policy makes of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from operator import itemgetter

import attrs
import numpy as np

from mirc.controller.keeping import Keeping
from mirc.controller.kv.conversations import Conversations
from mirc.controller.kv.floor import Limits, Totals
from mirc.controller.kv.host import Host
from mirc.controller.kv.orchestrator import Orchestrator
from mirc.controller.kv.pages import Tenant
from mirc.controller.kv.pool import KvPool
from mirc.controller.kv.signals import Signal
from mirc.controller.kv.tree import ROOT, PrefixTree
from mirc.diagnostics import CouldNotRun
from mirc.grammar import print_module
from mirc.ir import Module
from mirc.ir.resolve import read
from mirc.machine import Machine
from mirc.machine.load import load
from mirc.packed.model import Packed
from mirc.packed.pack import seal
from mirc.simulate.assumptions import assumed_of
from mirc.simulate.identity import digest, identity
from mirc.simulate.serving.arrivals import AsThereIsRoom, ByTheClock
from mirc.simulate.serving.caches import Caches, caches_of, recompute_of
from mirc.simulate.serving.cost import ATTO, Cost
from mirc.simulate.serving.model import Options, Row, Served, Serving
from mirc.simulate.serving.next_use import Farthest
from mirc.simulate.serving.placebo import Shuffled
from mirc.simulate.serving.play import Heard, Play
from mirc.simulate.serving.policies import (
    ORACLE,
    PLACEBO,
    Model,
    heard_by,
    keeping_of,
    policies_of,
)
from mirc.simulate.serving.prices import cost_of
from mirc.simulate.serving.swapping import Swapping
from mirc.simulate.serving.timing import pace_of
from mirc.simulate.serving.tools import Tools
from mirc.simulate.serving.turns import Turn, turns_of
from mirc.simulate.study import planned, title_of
from mirc.traces.requests import Request as Arrival

_GB = 10**9


def serve(
    module: Module,
    trace: str,
    arrivals: Sequence[Arrival],
    options: Options,
    told: Callable[[str], None] | None = None,
) -> Serving:
    """Serve a trace on each machine under each policy.

    Requests come when the trace says (``Options``), and never before the turn before is answered.
    Raises CouldNotRun for a file without caches, a trace with blocks of another length, or a pool
    that holds no block.
    """
    tell = told or (lambda _: None)
    packed = seal(module)
    caches = caches_of(packed, options.block_tokens)
    turns = turns_of(arrivals, options.block_tokens)
    tenants = _tenants(packed, turns)
    names = policies_of(options.policies)
    machines = options.machines or planned(module)
    try:
        served = tuple(
            _on(module, load(spelled), caches, turns, tenants, names, options, tell)
            for spelled in machines
        )
    finally:
        tell("")
    return Serving(
        title=title_of(module),
        configuration=_identity(module, arrivals, options, machines, names),
        trace=trace,
        options=options,
        machines=served,
        notes=tuple(
            dict.fromkeys(said for spelled in machines for said in assumed_of(load(spelled)))
        ),
    )


def _identity(
    module: Module,
    arrivals: Sequence[Arrival],
    options: Options,
    machines: Sequence[str],
    names: Sequence[str],
) -> str:
    said = attrs.fields_dict(Options)
    others = {name: getattr(options, name) for name in said if name not in ("machines", "policies")}
    return identity(
        print_module(module), map(load, machines), {**others, "trace": digest(arrivals)}, names
    )


def _on(  # noqa: PLR0917 - one call, and each is a thing of its own
    module: Module,
    machine: Machine,
    caches: Caches,
    turns: Sequence[Turn],
    tenants: tuple[Tenant, ...],
    names: Sequence[str],
    options: Options,
    tell: Callable[[str], None],
) -> Served:
    recompute = recompute_of(module, machine, caches)
    capacity = capacity_of(machine, caches, options.kv_gb)
    asked = _bytes(options.swap_gb, "--swap-gb")
    swap = asked if recompute is not None and recompute.loads else 0
    cost = cost_of(module, machine, caches)
    tool = module.signals.get(Signal.TOOL_WAIT)
    declared_us = None if tool is None else read(tool, "expected_us")
    rows = []
    for name in names:
        tell(f"{machine.name}: {name}")

        def played(order: Sequence[int], name: str = name) -> Row:
            policy = _Policy(
                name, caches, turns, tenants, options, order=order, declared_us=declared_us
            )
            return policy.run(machine, cost, capacity, swap, tell)

        row = played(range(len(turns)))
        if name == ORACLE and not options.closed:
            row = played(
                _ranks(row)
            )  # when turns come is its own doing: it is told what came of it
        rows.append(row)
    return Served(
        machine=machine.name,
        near=machine.near.name,
        capacity_bytes=capacity,
        beyond_bytes=max(0, capacity + caches.weights_bytes - machine.near.usable_bytes),
        swap_bytes=swap,
        caches=caches,
        recompute=recompute,
        requests=len(turns),
        ceiling=_ceiling(turns, tenants, options.block_tokens),
        signals=Counter(signal.value for turn in turns for signal in turn.signals),
        rows=tuple(rows),
    )


class _Policy:
    """One policy over the turns of a trace."""

    def __init__(
        self,
        name: str,
        caches: Caches,
        turns: Sequence[Turn],
        tenants: Sequence[Tenant],
        options: Options,
        *,
        order: Sequence[int],
        declared_us: int | None,
    ) -> None:
        self._name = name
        self._order = order  # of each turn, its place among all
        self._caches = caches
        self._turns = turns
        self._tenants = tenants
        self._options = options
        self._declared_us = declared_us  # how long a tool is expected to take
        self._tree = PrefixTree()
        self._begun: set[int] = set()
        self._uses: dict[tuple[str, str | int], list[int]] = {}

    def run(
        self,
        machine: Machine,
        cost: Cost,
        capacity: int,
        swap: int,
        tell: Callable[[str], None],
    ) -> Row:
        """Serve all turns, and let the last one end."""
        heard, options = Heard(), self._options
        pages = capacity // self._caches.block_bytes * len(self._caches.groups)
        pool = KvPool(
            groups=self._caches.groups,
            capacity=capacity,
            tenants=self._tenants,
            keepings=lambda _: self._keeping(pages, cost),
            log=heard,
            host=Host(swap) if swap else None,
        )
        served = Orchestrator(
            pool,
            block_tokens=self._caches.block_tokens,
            log=heard,
            limits=Limits(budget=options.budget, sequences=options.at_once),
            tree=self._tree,
        )
        if self._name == ORACLE:
            self._foresee(pool)
        swapping = Swapping(machine, self._caches)
        play = Play(
            served,
            heard,
            self._talk(served),
            self._turns,
            AsThereIsRoom(self._turns)
            if options.closed
            else ByTheClock(self._turns, options.speedup),
            cost,
            swapping,
            tools=Tools(self._declared_us),
            begun=self._begin,
        )
        play.run(lambda said: tell(f"{self._name}: {said}"))
        return Row(
            policy=self._name,
            total=_sum(served.floor.totals.values()),
            tenants=served.floor.totals,
            events={what.value: count for what, count in sorted(heard.counts.items())},
            steps=play.steps,
            pace=pace_of(play.clocked, options.objective),
            timing=play.clocked.timing(),
            samples=tuple(play.clocked.samples),
            links={name: busy / ATTO for name, busy in swapping.busy_as.items()},
        )

    def _begin(self, number: int, begins: bool) -> None:  # noqa: FBT001
        (self._begun.add if begins else self._begun.discard)(self._order[number])

    def _keeping(self, pages: int, cost: Cost) -> Keeping:
        if self._name == ORACLE:
            return Farthest(self._uses_of, self._begun)
        tokens = self._caches.block_tokens
        return keeping_of(
            self._name,
            pages,
            self._below,
            len(self._caches.groups),
            Model(
                again=lambda depth: cost.compute_as(depth * tokens, tokens),
                declared=self._caches.declared,
            ),
        )

    def _below(self, block: int) -> int | None:
        parent = self._tree.parent(block)
        return None if parent == ROOT else parent

    def _talk(self, served: Orchestrator) -> Conversations:
        heard = heard_by(self._name)
        if self._name == PLACEBO:
            return Shuffled(served, heard)
        return Conversations(served, heard)

    def _foresee(self, pool: KvPool) -> None:
        for place, turn in sorted(zip(self._order, self._turns, strict=True), key=itemgetter(0)):
            domain = pool.tenants[turn.request.tenant].shares_with
            for name in turn.request.blocks:
                self._uses.setdefault((domain, name), []).append(place)

    def _uses_of(self, page_id: int) -> Sequence[int]:
        block = self._tree.block(page_id // len(self._caches.groups))
        return self._uses.get((block.domain, block.name), ())


def _ranks(row: Row) -> list[int]:
    """Return the place of each turn among all by when it came; refused ones come last."""
    came = np.argsort(row.timing.arrival_ms, kind="stable")
    found = [0] * len(came)
    for place, number in enumerate(came.tolist()):
        found[number] = place
    return found


def _sum(totals: Iterable[Totals]) -> Totals:
    found = Totals()
    for each in totals:
        for field in attrs.fields(Totals):
            setattr(found, field.name, getattr(found, field.name) + getattr(each, field.name))
    return found


def capacity_of(machine: Machine, caches: Caches, kv_gb: float | None) -> int:
    """Return the near memory that caches get; raises CouldNotRun where it holds no block."""
    near = machine.near
    free = near.usable_bytes - caches.weights_bytes
    capacity = free if kv_gb is None else _bytes(kv_gb, "--kv-gb")
    if capacity < caches.block_bytes:
        raise CouldNotRun(
            f"the caches get {max(0, capacity):_} bytes of `{near.name}` of {machine.name}, and "
            f"one block of {caches.block_tokens} tokens takes {caches.block_bytes:_}",
            "give more with `--kv-gb`, or choose a larger machine",
        )
    return capacity


def _bytes(gigabytes: float, option: str) -> int:
    if not isfinite(gigabytes):
        raise CouldNotRun(f"`{option}` takes a number of gigabytes, and {gigabytes} is none")
    return int(gigabytes * _GB)


def _tenants(packed: Packed, turns: Sequence[Turn]) -> tuple[Tenant, ...]:
    """Return the tenants of a trace, with what the file declares of them."""

    def tenant(name: str) -> Tenant:
        declared = packed.tenants.get(name)
        if declared is None:
            return Tenant(name=name)
        return Tenant(
            name=name,
            quota=read(declared, "quota_bytes"),
            priority=read(declared, "priority"),
            domain=read(declared, "security_domain") or "",
        )

    return tuple(tenant(name) for name in dict.fromkeys(turn.request.tenant for turn in turns))


def _ceiling(turns: Sequence[Turn], tenants: Sequence[Tenant], block_tokens: int) -> int:
    """Return the prompt tokens that were in a prompt before, or in a whole block generated before.

    A block that a turn left half full is never shared, so no memory would have held it.
    """
    domain = {tenant.name: tenant.shares_with for tenant in tenants}
    seen: set[tuple[str, str | int]] = set()
    found = 0
    for turn in turns:
        request = turn.request
        for at, name in enumerate(request.blocks):
            if (domain[request.tenant], name) in seen:
                found += min(block_tokens, request.tokens - at * block_tokens)
        whole = request.generated[: request.new_tokens // block_tokens]
        seen.update((domain[request.tenant], name) for name in (*request.blocks, *whole))
    return found
