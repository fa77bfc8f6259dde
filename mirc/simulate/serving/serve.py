"""A trace of requests and a file's caches into what each policy makes of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite

import attrs

from mirc.controller.keeping import Keeping, Recency
from mirc.controller.kv.conversations import Conversations
from mirc.controller.kv.crossover import Recompute
from mirc.controller.kv.events import KvEvent
from mirc.controller.kv.floor import Limits, Totals
from mirc.controller.kv.host import Host
from mirc.controller.kv.orchestrator import Orchestrator
from mirc.controller.kv.order import Foretold
from mirc.controller.kv.pages import Tenant
from mirc.controller.kv.pool import KvPool
from mirc.controller.kv.signals import ALL
from mirc.controller.kv.tree import PrefixTree
from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.ir.resolve import read
from mirc.machine import Machine
from mirc.machine.load import load
from mirc.packed.model import Packed
from mirc.packed.pack import seal
from mirc.simulate.serving.caches import Caches, caches_of, recompute_of
from mirc.simulate.serving.next_use import Farthest
from mirc.simulate.serving.turns import Turn, turns_of
from mirc.simulate.study import planned, title_of
from mirc.traces.requests import Request as Arrival

POLICIES = ("lru", "intent", "belady")
BLOCK_TOKENS = 512  # of Mooncake's traces
_GB = 10**9
_STRETCH = 256  # requests between two words about progress


@attrs.frozen(kw_only=True)
class Options:
    """What to serve: ``kv_gb`` of near memory for caches (None: what weights leave of it).

    ``swap_gb`` of host memory take what leaves, where loading it costs less than computing it
    again. At most ``at_once`` sequences run together, in batches of ``budget`` tokens.
    """

    machines: tuple[str, ...] = ()
    policies: str = "all"
    kv_gb: float | None = None
    swap_gb: float = 0.0
    block_tokens: int = BLOCK_TOKENS
    at_once: int = 16
    budget: int = 8192


@attrs.frozen(kw_only=True)
class Row:
    """What one policy made of the trace, by tenant and in all."""

    policy: str
    total: Totals
    tenants: Mapping[str, Totals]
    events: Mapping[str, int]
    steps: int

    @property
    def oracle(self) -> bool:
        """Whether it was given the future."""
        return self.policy == "belady"


@attrs.frozen(kw_only=True)
class Served:
    """All policies on one machine; ``ceiling`` is what a pool without end would have found."""

    machine: str
    near: str
    capacity_bytes: int
    swap_bytes: int
    caches: Caches
    recompute: Recompute | None
    requests: int
    ceiling: int
    signals: Mapping[str, int]
    rows: tuple[Row, ...]


@attrs.frozen(kw_only=True)
class Serving:
    """The report's whole matter."""

    title: str
    trace: str
    at_once: int
    budget: int
    machines: tuple[Served, ...]


def serve(
    module: Module,
    trace: str,
    arrivals: Sequence[Arrival],
    options: Options,
    told: Callable[[str], None] | None = None,
) -> Serving:
    """Serve a trace on each machine under each policy.

    Requests come in the trace's order, each as soon as those before it have begun and the turn
    before it has been answered: no time is modeled, so nothing here is a latency. Raises
    CouldNotRun for a file without caches, a trace with blocks of another length, or a pool that
    holds no block.
    """
    tell = told or (lambda _: None)
    packed = seal(module)
    caches = caches_of(packed, options.block_tokens)
    turns = turns_of(arrivals, options.block_tokens)
    tenants = _tenants(packed, turns)
    names = _policies(options.policies)
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
        trace=trace,
        at_once=options.at_once,
        budget=options.budget,
        machines=served,
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
    capacity = _capacity(machine, caches, options.kv_gb)
    asked = _bytes(options.swap_gb, "--swap-gb")
    swap = asked if recompute is not None and recompute.loads else 0
    rows = []
    for name in names:
        tell(f"{machine.name}: {name}")
        play = _Play(name, caches, turns, tenants, options)
        rows.append(play.run(capacity, swap, tell))
    return Served(
        machine=machine.name,
        near=machine.near.name,
        capacity_bytes=capacity,
        swap_bytes=swap,
        caches=caches,
        recompute=recompute,
        requests=len(turns),
        ceiling=_ceiling(turns, tenants, options.block_tokens),
        signals=Counter(signal.value for turn in turns for signal in turn.signals),
        rows=tuple(rows),
    )


class _Rows:
    """A log that counts: a long trace has millions of rows."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def append(self, event: KvEvent, /) -> None:
        self.counts[event.what.value] += 1


class _Play:
    """One policy over the turns of a trace."""

    def __init__(
        self,
        policy: str,
        caches: Caches,
        turns: Sequence[Turn],
        tenants: Sequence[Tenant],
        options: Options,
    ) -> None:
        self._policy = policy
        self._caches = caches
        self._turns = turns
        self._tenants = tenants
        self._options = options
        self._tree = PrefixTree()
        self._oracles: list[Farthest] = []
        self._uses: dict[tuple[str, str | int], list[int]] = {}

    def run(self, capacity: int, swap: int, tell: Callable[[str], None]) -> Row:
        """Serve all turns, and let the last one end."""
        log = _Rows()
        pool = KvPool(
            groups=self._caches.groups,
            capacity=capacity,
            tenants=self._tenants,
            keepings=self._keeping,
            log=log,
            host=Host(swap) if swap else None,
        )
        limits = Limits(budget=self._options.budget, sequences=self._options.at_once)
        served = Orchestrator(
            pool,
            block_tokens=self._caches.block_tokens,
            log=log,
            limits=limits,
            tree=self._tree,
        )
        talk = Conversations(served, ALL if self._policy == "intent" else ())
        if self._policy == "belady":
            self._foresee(pool)
        asked: dict[str, str] = {}  # the last turn of each conversation

        def step_while(busy: Callable[[], object]) -> None:
            while busy():
                served.step()
                talk.advance()

        for number, turn in enumerate(self._turns):
            for oracle in self._oracles:
                oracle.now = number
            before = asked.get(turn.request.session, "")
            step_while(lambda before=before: before in served.floor.sequences)  # type: ignore[misc]
            _send(talk, turn, served.tick)
            step_while(lambda: served.floor.queue)
            if turn.request.session:
                asked[turn.request.session] = turn.request.name
            if number % _STRETCH == 0:
                tell(f"{self._policy}: {number:,} of {len(self._turns):,} requests")
        step_while(lambda: served.floor.running)
        return Row(
            policy=self._policy,
            total=_sum(served.floor.totals.values()),
            tenants=served.floor.totals,
            events=dict(sorted(log.counts.items())),
            steps=served.tick,
        )

    def _keeping(self, tenant: str) -> Keeping:
        del tenant
        if self._policy == "belady":
            self._oracles.append(Farthest(self._uses_of))
            return self._oracles[-1]
        return Foretold() if self._policy == "intent" else Recency()

    def _foresee(self, pool: KvPool) -> None:
        for number, turn in enumerate(self._turns):
            domain = pool.tenants[turn.request.tenant].shares_with
            for name in turn.request.blocks:
                self._uses.setdefault((domain, name), []).append(number)

    def _uses_of(self, page_id: int) -> Sequence[int]:
        block = self._tree.block(page_id // len(self._caches.groups))
        return self._uses.get((block.domain, block.name), ())


def _send(talk: Conversations, turn: Turn, tick: int) -> None:
    """Send a turn with its signals.

    A tool's time is told in steps, by how many there were a millisecond of the trace until now; at
    first a step is thought to take one.
    """
    session = turn.request.session
    if turn.keeps is not None:
        talk.compact(session, turn.keeps)
    if turn.resumes:
        talk.resume(session)
    talk.request(turn.request)
    if turn.waits_ms:
        pace = tick / turn.at_ms if tick and turn.at_ms else 1.0
        talk.tool_wait(session, max(1, round(turn.waits_ms * pace)))
    if turn.ends:
        talk.sequence_end(session)


def _sum(totals: Iterable[Totals]) -> Totals:
    found = Totals()
    for each in totals:
        for field in attrs.fields(Totals):
            setattr(found, field.name, getattr(found, field.name) + getattr(each, field.name))
    return found


def _policies(text: str) -> tuple[str, ...]:
    asked = [name.strip() for name in text.split(",") if name.strip()]
    if not asked or "all" in asked:
        return POLICIES
    for name in asked:
        if name not in POLICIES:
            raise CouldNotRun(
                f"there is no policy `{name}` for a trace of requests",
                f"choose from all, {', '.join(POLICIES)}",
            )
    return tuple(name for name in POLICIES if name in asked)


def _capacity(machine: Machine, caches: Caches, kv_gb: float | None) -> int:
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
