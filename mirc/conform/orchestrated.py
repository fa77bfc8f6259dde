"""The orchestrator of keys and values, as the contract of claims sees it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs

from mirc.claims import Answer, Block, Event, Key, Kind, Terms
from mirc.conform.protocol import Setting
from mirc.controller.keeping import Keeping
from mirc.controller.kv.events import KvEvent, What
from mirc.controller.kv.floor import Limits
from mirc.controller.kv.groups import Group
from mirc.controller.kv.host import Host
from mirc.controller.kv.orchestrator import Orchestrator
from mirc.controller.kv.order import Foretold
from mirc.controller.kv.pages import Tenant
from mirc.controller.kv.pool import KvPool
from mirc.controller.kv.sequences import Phase, Request

TENANT = "t"
TICKS = 1_000_000
"""Ticks in one unit of the contract's time: a step takes one tick, and no case so many steps."""

_REQUESTS = {
    What.ADMITTED: Kind.ADMITTED,
    What.WAITS: Kind.STALLED,
    What.REFUSED: Kind.DENIED,
}
_GONE = (What.EVICTED, What.SWAPPED_OUT, What.RETIRED)


class Orchestrated:
    """A pool of pages under an orchestrator: a request is a prompt, a block one token."""

    name = "ours"

    def open(self, setting: Setting) -> None:
        """Begin anew."""
        self._log: list[Event] = []
        self._heard = 0  # events of the ledger
        self._names: dict[int, Key] = {}  # of pages
        self._asked: set[str] = set()  # requests; claims that are refused have rows as well
        self._told: set[int] = set()  # pages that the log says are there
        self._pool = KvPool(
            groups=(Group(name="kv"),),
            capacity=setting.capacity,
            tenants=(Tenant(name=TENANT),),
            keepings=_foretold,
            log=self,
            host=Host(setting.lower) if setting.lower else None,
        )
        limits = Limits(budget=setting.capacity, min_active=setting.min_active)
        self._it = Orchestrator(self._pool, block_tokens=1, log=self, limits=limits)
        self._ledger = self._it.promises.ledger
        self._ledger.quotas.update(setting.quotas)

    def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
        """Ask for the pages of the blocks, on a clock of ticks."""
        answers = self._it.claim(*map(self._in_pages, batch))
        self._look()
        return answers

    def release(self, name: str, holder: str) -> Answer:
        """Give a claim back."""
        answer = self._it.release(name, holder)
        self._look()
        return answer

    def fail(self, name: str, why: str) -> Answer:
        """Tell of blocks that cannot be made."""
        answer = self._it.fail(name, why)
        self._look()
        return answer

    def active(self, name: str, keys: Sequence[Key]) -> bool:
        """Send the keys as a prompt; one that would have to wait is taken back."""
        self._pages(keys)
        self._asked.add(name)
        request = Request(name=name, tenant=TENANT, blocks=tuple(keys), tokens=len(keys))
        phase = self._it.request(request).phase
        if phase is Phase.QUEUED:
            floor = self._it.floor
            waiting = floor.sequences[name]
            floor.refuse(waiting, floor.judge(waiting))
        self._look()
        return phase in (Phase.PREFILL, Phase.DECODE)

    def finish(self, name: str) -> None:
        """Compute the prompt to its end."""
        while name in {each.name for each in self._it.running()}:
            self._it.step()
        self._look()

    def advance(self, now: int) -> None:
        """Let the ticks of so much time pass."""
        self._it.advance(max(0, (now - self._ledger.now // TICKS) * TICKS))
        self._look()

    def signal(self, event: str) -> None:
        """Raise an event of claims."""
        self._it.signal(event)
        self._look()

    def resident(self) -> Collection[Key]:
        """Return the blocks whose pages are near and computed."""
        return [
            self._names[page_id]
            for page_id, page in self._pool.pages().items()
            if page.near and page.ready
        ]

    def events(self) -> Sequence[Event]:
        """Return the ledger's events, and what the orchestrator did besides, in order."""
        return self._log

    def append(self, row: KvEvent, /) -> None:
        """Take a row of the orchestrator's own log, after what its ledger said before."""
        self._hear()
        if row.what in _GONE and row.block in self._told:
            self._told.discard(row.block)
            to = "host" if row.what is What.SWAPPED_OUT else ""
            self._say(Kind.EVICTED, (row.block,), for_whom=row.for_whom, to=to)
        kind = _REQUESTS.get(row.what)
        if kind is not None and row.name in self._asked:
            self._say(kind, (), for_whom=row.name, reason=str(row.why), blockers=row.blockers)

    def _hear(self) -> None:
        """Take over what the ledger has said."""
        for event in self._ledger.log[self._heard :]:
            self._heard += 1
            pages = {int(block.key) for block in event.blocks}
            if event.kind is Kind.PLACED and pages <= self._told:
                continue
            self._told |= pages if event.kind is Kind.PLACED else set()
            self._told -= pages if event.kind is Kind.EVICTED else set()
            blocks = tuple(Block(self._names[int(block.key)]) for block in event.blocks)
            self._log.append(attrs.evolve(event, at=event.at // TICKS, blocks=blocks))

    def _look(self) -> None:
        """Note what the ledger has said, and what has come without being covered."""
        self._hear()
        for page_id, page in self._pool.pages().items():
            if page.near and page.ready and page_id not in self._told:
                self._told.add(page_id)
                self._say(Kind.PLACED, (page_id,))

    def _say(self, kind: Kind, pages: Sequence[int], **fields: Any) -> None:
        blocks = tuple(Block(self._names[page_id]) for page_id in pages)
        at = self._ledger.now // TICKS
        self._log.append(Event(at=at, kind=kind, blocks=blocks, **fields))

    def _pages(self, keys: Sequence[Key]) -> tuple[Block, ...]:
        pages = self._it.pages(TENANT, keys)
        self._names.update(zip((int(page.key) for page in pages), keys, strict=True))
        return pages

    def _in_pages(self, terms: Terms) -> Terms:
        return attrs.evolve(
            terms,
            blocks=self._pages([block.key for block in terms.blocks]),
            lasts=terms.lasts and terms.lasts * TICKS,
            patience=terms.patience * TICKS,
            directives=tuple(
                attrs.evolve(each, lasts=each.lasts and each.lasts * TICKS)
                for each in terms.directives
            ),
        )


def _foretold(tenant: str) -> Keeping:
    del tenant
    return Foretold()
