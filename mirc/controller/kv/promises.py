"""Claims on pages into what a pool may not let go, or only at last: a ledger and a pool as one."""

from collections.abc import Callable, Iterable, Sequence

from mirc.claims.admission import Pool
from mirc.claims.events import Answer, Event, Kind
from mirc.claims.ledger import Ledger
from mirc.claims.terms import Block, Terms
from mirc.controller.kv.events import KvEvent, Log, What, Why
from mirc.controller.kv.pool import KvPool
from mirc.ir.enums import Guarantee

_TOLD = {
    Kind.ACCEPTED: What.CLAIM_ACCEPTED,
    Kind.CLIPPED: What.CLAIM_ACCEPTED,
    Kind.REFUSED: What.REFUSED,
    Kind.EXPIRED: What.CLAIM_EXPIRED,
    Kind.RELEASED: What.CLAIM_RELEASED,
    Kind.LOST: What.CLAIM_LOST,
    Kind.DEMOTED: What.CLAIM_LOST,
}


class Promises:
    """A claim ledger over the pages of one pool: it decides, and the pool obeys.

    The ledger hears of every covered page that comes, and of every one before it leaves. What it
    covers hard the pool does not offer to leave, nor what that stands on; what it covers softly
    leaves last. ``stands_on`` gives the page below a page (negative: none).
    """

    def __init__(self, pool: KvPool, log: Log, stands_on: Callable[[int], int]) -> None:
        self.ledger = Ledger()
        self._pool = pool
        self._stands_on = stands_on
        self._log = log
        self._covered: dict[str, tuple[int, ...]] = {}
        self._firmly: dict[str, bool] = {}  # whether each claim, as it was granted last, is hard
        self._placed: set[int] = set()  # near pages that the ledger knows of
        self._heard = 0
        pool.watch = self

    def request(self, batch: Sequence[Terms], room: Pool) -> dict[str, Answer]:
        """Ask the ledger for claims; ``room`` is the pool without what is claimed."""
        self._tell_of(batch)
        answers = self.ledger.request(batch, room)
        self._sync()
        return answers

    def release(self, name: str, holder: str) -> Answer:
        """Give a claim back."""
        answer = self.ledger.release(name, holder)
        self._sync()
        return answer

    def retry(self, room: Pool) -> None:
        """Grant what waits for room, or for an event that has come."""
        self._tell_of(self.ledger.waiting)
        self.ledger.retry(room)
        self._sync()

    def fail(self, name: str, why: str) -> Answer:
        """End a claim whose pages cannot be made."""
        answer = self.ledger.fail(name, why)
        self._sync()
        return answer

    def signal(self, event: str) -> None:
        """Tell of an event: it ends claims, and binds others."""
        self.ledger.signal(event)
        self._sync()

    def strength(self, page_id: int) -> int:
        """Return how firmly claims hold a page: the higher leaves later."""
        return self.ledger.standing(page_id).strength

    def advance(self, now: int) -> None:
        """Let time pass: claims expire."""
        self.ledger.advance(now)
        if len(self.ledger.log) > self._heard:
            self._sync()

    def came(self, page_id: int) -> None:
        """Tell the ledger of a page that can be used now, if it is near."""
        page = self._pool.find(page_id)
        if page is not None and page.near and page.ready:
            self._placed.add(page_id)
            self.ledger.placed(Block(page_id, self._pool.size(page_id)))

    def leaves(self, page_id: int, for_whom: str, to: str) -> None:
        """Tell the ledger that a page is about to leave, and the log of each claim's loss.

        Raises ``ValueError`` for a page that is claimed hard: the pool never offers one.
        """
        if page_id not in self._placed:
            return
        self._placed.discard(page_id)
        blocking = self.ledger.leave(page_id, for_whom, to)
        if blocking:
            raise ValueError(f"page {page_id} is claimed by `{blocking[0]}` and cannot leave")
        self._sync()

    def sizes(self) -> tuple[tuple[str, int], ...]:
        """Return what each hard claim in force covers, in the pool's unit."""
        return tuple(
            (name, sum(map(self._pool.size, pages)))
            for name, pages in self._covered.items()
            if self._firmly[name]
        )

    def _tell_of(self, batch: Iterable[Terms]) -> None:
        """Tell the ledger which pages of claims are there: it hears of covered ones alone."""
        for terms in batch:
            for block in terms.blocks:
                self.came(int(block.key))

    def _sync(self) -> None:
        """Bring the pool to what the ledger says, and put its news into the log."""
        news = self.ledger.log[self._heard :]
        self._heard = len(self.ledger.log)
        anew = {event.claim for event in news if event.kind is Kind.REVISED}
        for event in news:
            if event.kind in (Kind.ACCEPTED, Kind.CLIPPED):
                self._firmly[event.claim] = event.guarantee is Guarantee.HARD
        for name in dict.fromkeys(event.claim for event in news if event.claim in self._firmly):
            firmly = self._firmly[name]
            pages = tuple(int(block.key) for block in self.ledger.blocks(name))
            pages = self._with_roots(pages) if firmly else pages
            before = self._covered.pop(name, ())
            if pages:
                self._covered[name] = pages
            if pages != before or name in anew:
                self._pool.unclaim(name, before)
                self._pool.claim(name, pages, hard=firmly)
        for event in news:
            told = _TOLD.get(event.kind)
            if told is not None:
                reason = event.reason
                self._tell(event, told, Why(reason) if reason in set(Why) else Why.ASKED)

    def _with_roots(self, pages: tuple[int, ...]) -> tuple[int, ...]:
        found = dict.fromkeys(pages)
        for page_id in pages:
            below = self._stands_on(page_id)
            while below >= 0 and below not in found:
                found[below] = None
                below = self._stands_on(below)
        return tuple(found)

    def _tell(self, event: Event, what: What, why: Why) -> None:
        self._log.append(
            KvEvent(
                tick=self._pool.now,
                what=what,
                why=why,
                name=event.claim,
                block=int(event.blocks[0].key) // len(self._pool.groups) if event.blocks else -1,
                amount=sum(block.size for block in event.blocks),
                for_whom=event.for_whom,
                blockers=event.blockers,
            )
        )
