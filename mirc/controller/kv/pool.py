"""Pages that sequences hold and let go into which of them stay: leaf first, quotas, promises."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from mirc.controller.keeping import Keeping, Recency
from mirc.controller.kv.events import KvEvent, Log, What, Why
from mirc.controller.kv.groups import Group
from mirc.controller.kv.host import Host
from mirc.controller.kv.pages import Page, Tenant

_LATER = 1 << 40  # a priority counts for more than any age
Keepings = Callable[[str], Keeping]  # by the tenant's name: each tenant's pages have their order


class Watch(Protocol):
    """Who must know when a page that is claimed can be used, and before it leaves."""

    def came(self, page_id: int) -> None:
        """Hear of a page that can be used now."""

    def strength(self, page_id: int) -> int:
        """Say how firmly soft claims hold a page: the higher leaves later."""

    def leaves(self, page_id: int, for_whom: str, to: str) -> None:
        """Hear that a page is about to leave for someone's need, ``to`` a memory below if any."""


class KvPool:
    """The near memory's pages: who uses each, what nobody uses, and which of that leaves first.

    A page is one block of one group: page ``key * groups + group``. It is held while a sequence
    uses it, then kept for as long as there is room. A page of a contiguous group leaves only when
    none that stands on it is near, so what stays is always a usable beginning. What leaves goes to
    the ``host`` memory, if there is one. Hard claims are never broken; soft ones last, each loss
    after its row. Amounts are in the unit of the groups' sizes; ``now`` is the caller's clock.
    """

    def __init__(
        self,
        *,
        groups: Sequence[Group],
        capacity: int,
        tenants: Iterable[Tenant],
        keepings: Keepings,
        log: Log,
        host: Host | None = None,
    ) -> None:
        self.groups = tuple(groups)
        self._sizes = tuple(group.size for group in groups)
        self._number = len(self.groups)
        self.capacity = capacity
        self.tenants = {tenant.name: tenant for tenant in tenants}
        self.host = host
        self.now = 0
        self.used = 0
        self.reserved = 0  # for pages that hard claims are owed and that are not near yet
        self.used_by = dict.fromkeys(self.tenants, 0)
        self.idle_by = dict.fromkeys(self.tenants, 0)  # near, nobody's, not claimed hard
        self.soft_idle = 0
        self.claimed = 0  # near or not: all that hard claims cover
        self.watch: Watch | None = None
        self._log = log
        self._pages: dict[int, Page] = {}
        self._plain = {name: keepings(name) for name in self.tenants}
        self._last = {name: Recency() for name in self.tenants}  # under soft claims
        self._hard: dict[int, list[str]] = {}
        self._soft: dict[int, list[str]] = {}

    # ── What is there ───────────────────────────────────────────

    def page_of(self, key: int, group: int) -> int:
        """Return the number of the page that a group keeps of a block."""
        return key * self._number + group

    def find(self, page_id: int) -> Page | None:
        """Return a page that is near or in the host memory."""
        return self._pages.get(page_id)

    def resident(self, page_id: int) -> bool:
        """Say whether a page can be used, from the host memory too."""
        return (page := self._pages.get(page_id)) is not None and page.ready

    def pages(self) -> Mapping[int, Page]:
        """Return every page, by its number."""
        return self._pages

    def claims_on(self, page_id: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the hard and the soft claims that cover a page."""
        return tuple(self._hard.get(page_id, ())), tuple(self._soft.get(page_id, ()))

    def size(self, page_id: int) -> int:
        """Return the units that a page takes."""
        return self._sizes[page_id % self._number]

    # ── Use ─────────────────────────────────────────────────────

    def hold(self, page_id: int, reader: str) -> None:
        """Let one more sequence use a near page; it cannot leave until all have let it go."""
        page = self._pages[page_id]
        self._count(page_id, page, -1)
        page.users += 1
        page.live = None
        page.read_by(reader)
        self._count(page_id, page, 1)
        self._settle(page_id, page)

    def let_go(self, page_id: int, *, live: bool | None) -> None:
        """Let one sequence stop using a page, with a hint whether it will be used again.

        Let go of a chain from its tail: then of equally old pages the tail leaves first. A page
        that was not filled is dropped when its maker lets it go.
        """
        page = self._pages[page_id]
        if page.users < 1:
            raise ValueError(f"page {page_id} is let go by nobody who holds it")
        self._count(page_id, page, -1)
        page.users -= 1
        page.used_at = self.now
        page.live = live
        self._count(page_id, page, 1)
        if page.users == 0 and not page.ready:
            self._drop(page_id, What.RETIRED, Why.USED_ALONE, "")
        else:
            self._settle(page_id, page)

    def told(self, page_id: int, *, live: bool | None) -> None:
        """Hear a hint about a page that nobody uses; O(log n), nothing for any other page."""
        page = self._pages.get(page_id)
        if page is None or page.users:
            return
        page.live = live
        if page.offered:
            self._order(page_id, page).told(page_id, live)

    def make(self, page_id: int, parent: int, tenant: str, reader: str) -> bool:
        """Make a page for its first user, or bring it back; say whether room was found.

        ``parent`` is the page that it stands on (-1: none). Whatever is new is not ready before
        ``fill``.
        """
        size = self.size(page_id)
        owed = size if page_id in self._hard else 0
        self.reserved -= owed
        there = self._pages.get(page_id)
        payer = there.tenant if there is not None else tenant
        if not self.make_room(size, payer, reader):
            self.reserved += owed
            return False
        there = self._pages.get(page_id)  # making room may have dropped it from the host
        if there is None:
            page = Page(tenant=tenant, parent=parent, users=1, used_at=self.now)
            page.read_by(reader)
            self._pages[page_id] = page
            self._stand(page_id, page, 1, near=1)
            self._take(page_id, page, 1)
            self._tell(What.MADE, Why.ARRIVED, page_id, reader)
        else:
            self._swap_in(page_id, there, reader)
        return True

    def keep_below(self, pages: Iterable[int]) -> None:
        """Let pages in the host memory stay there: they are about to be brought back."""
        for page_id in pages:
            if self.host is not None:
                self.host.withdraw(page_id)

    def fill(self, page_id: int) -> None:
        """Let a page be used: the tokens that it holds have been computed."""
        self._pages[page_id].ready = True
        self._came(page_id)

    def retire(self, page_id: int, why: Why) -> None:
        """Drop a page that must not be used again, and whatever stands on it must be gone before.

        Raises ``ValueError`` for a page that somebody uses.
        """
        page = self._pages[page_id]
        if page.users or page_id in self._hard:
            raise ValueError(f"page {page_id} is retired while it is used or claimed")
        self._drop(page_id, What.RETIRED, why, "")

    # ── Room ────────────────────────────────────────────────────

    def make_room(self, size: int, tenant: str, for_whom: str) -> bool:
        """Free room for ``size`` more units of a tenant; a quota is met from its own pages."""
        quota = self.tenants[tenant].quota
        while quota is not None and self.used_by[tenant] + size > quota:
            if not self._evict((tenant,), Why.QUOTA, for_whom):
                return False
        while self.used + self.reserved + size > self.capacity:
            if not self._evict(self._payers(), Why.ROOM, for_whom):
                return False
        return True

    def _payers(self) -> tuple[str, ...]:
        """Return the tenants, lowest priority first, then who has most of its share."""
        if len(self.tenants) == 1:
            return tuple(self.tenants)

        def order(name: str) -> tuple[int, float, str]:
            tenant = self.tenants[name]
            share = tenant.quota if tenant.quota is not None else self.capacity
            return tenant.priority, -self.used_by[name] / max(1, share), name

        return tuple(sorted(self.tenants, key=order))

    def _evict(self, payers: tuple[str, ...], why: Why, for_whom: str) -> bool:
        for orders in (self._plain, self._last):
            for tenant in payers:
                page_id = orders[tenant].victim()
                if page_id is not None:
                    self._pages[page_id].offered = False
                    self._leave(page_id, why, for_whom)
                    return True
        return False

    def _leave(self, page_id: int, why: Why, for_whom: str) -> None:
        page = self._pages[page_id]
        if self.host is None:
            self._drop(page_id, What.EVICTED, why, for_whom)
            return
        size = self.size(page_id)
        while self.host.used + size > self.host.capacity:
            dropped = self.host.victim()
            if dropped is None:  # what lies there is about to come back, or it is too small
                self._drop(page_id, What.EVICTED, why, for_whom)
                return
            self._drop(dropped, What.EVICTED, Why.ROOM, for_whom)
        if page_id not in self._pages:
            return  # what went from below was the same block of another group, and it went along
        if self.watch is not None:
            self.watch.leaves(page_id, for_whom, "host")
        self._withdraw(page_id, page)
        self._take(page_id, page, -1)
        page.near = False
        self._stand_near(page_id, page, -1)
        self.host.put(page_id, size, page.used_at, leaf=not page.children)
        self._tell(What.SWAPPED_OUT, why, page_id, "", for_whom)

    def _swap_in(self, page_id: int, page: Page, reader: str) -> None:
        if self.host is None or page.near:
            raise ValueError(f"page {page_id} is there")
        self.host.take(page_id)
        page.near, page.users, page.live = True, 1, None
        page.read_by(reader)
        self._stand_near(page_id, page, 1)
        self._take(page_id, page, 1)
        self._tell(What.SWAPPED_IN, Why.ARRIVED, page_id, reader)
        self._came(page_id)

    def _came(self, page_id: int) -> None:
        if self.watch is not None and (page_id in self._hard or page_id in self._soft):
            self.watch.came(page_id)

    def _drop(self, page_id: int, what: What, why: Why, for_whom: str) -> None:
        page = self._pages[page_id]
        if page.near:
            if self.watch is not None:
                self.watch.leaves(page_id, for_whom, "")
            self._withdraw(page_id, page)
            self._take(page_id, page, -1)
            self.reserved += self.size(page_id) if page_id in self._hard else 0
        elif self.host is not None:
            self.host.take(page_id)
        del self._pages[page_id]
        self._tell(what, why, page_id, "", for_whom, page.tenant)
        self._stand(page_id, page, -1, near=-int(page.near))
        number = page_id % self._number
        if self._number > 1 and self.groups[number].contiguous:
            self._drop_alone(page_id - number, for_whom)

    def _drop_alone(self, first: int, for_whom: str) -> None:
        """Drop what other groups keep of a block that a contiguous group has lost."""
        for page_id in range(first, first + len(self.groups)):
            page = self._pages.get(page_id)
            wanted = page is None or page.users or page.children or page_id in self._hard
            if not wanted:
                self._drop(page_id, What.EVICTED, Why.USED_ALONE, for_whom)

    # ── Promises ────────────────────────────────────────────────

    def claim(self, claim: str, pages: Iterable[int], *, hard: bool) -> None:
        """Cover pages by a claim; room for those that are not near is kept for a hard one."""
        covered = self._hard if hard else self._soft
        for page_id in pages:
            self._cover(page_id, lambda at: covered.setdefault(at, []).append(claim))

    def unclaim(self, claim: str, pages: Iterable[int]) -> None:
        """Take a claim from its pages; they leave like others from now on."""

        def off(page_id: int) -> None:
            for covered in (self._hard, self._soft):
                names = covered.get(page_id, [])
                if claim in names:
                    names.remove(claim)
                    if not names:
                        del covered[page_id]

        for page_id in pages:
            self._cover(page_id, off)

    def _cover(self, page_id: int, change: Callable[[int], None]) -> None:
        page = self._pages.get(page_id)
        near = page is not None and page.near
        before = page_id in self._hard
        if page is not None:
            self._withdraw(page_id, page)
            self._count(page_id, page, -1)
        change(page_id)
        more = (int(page_id in self._hard) - int(before)) * self.size(page_id)
        self.claimed += more
        self.reserved += 0 if near else more
        if page is not None:
            self._count(page_id, page, 1)
            self._settle(page_id, page)

    # ── Accounts ────────────────────────────────────────────────

    def _take(self, page_id: int, page: Page, sign: int) -> None:
        """Count a page that becomes near (1) or leaves (-1)."""
        size = self.size(page_id) * sign
        if sign < 0:
            self._plain[page.tenant].ended(page_id)
        self.used += size
        self.used_by[page.tenant] += size
        self._count(page_id, page, sign)

    def _count(self, page_id: int, page: Page, sign: int) -> None:
        if page.near and not page.users and page_id not in self._hard:
            size = self._sizes[page_id % self._number] * sign
            self.idle_by[page.tenant] += size
            self.soft_idle += size if page_id in self._soft else 0

    def _stand(self, page_id: int, page: Page, sign: int, *, near: int) -> None:
        """Count a page that comes to stand on its parent (1) or goes (-1)."""
        parent = self._parent(page_id, page)
        if parent is not None:
            parent.children += sign
            parent.near_children += near
            self._settle(page.parent, parent)

    def _stand_near(self, page_id: int, page: Page, sign: int) -> None:
        parent = self._parent(page_id, page)
        if parent is not None:
            parent.near_children += sign
            self._settle(page.parent, parent)

    def _parent(self, page_id: int, page: Page) -> Page | None:
        if not self.groups[page_id % self._number].contiguous:
            return None
        return self._pages.get(page.parent)

    def _settle(self, page_id: int, page: Page) -> None:
        """Offer a page that may leave now, withdraw one that may not."""
        if not page.near:
            if self.host is not None and not page.children:
                self.host.offer(page_id, page.used_at)
            return
        free = not page.users and not page.near_children and page_id not in self._hard
        if free and not page.offered:
            page.offered = True
            used_at = page.used_at
            if self.watch is not None and page_id in self._soft:
                used_at += self.watch.strength(page_id) * _LATER
            self._order(page_id, page).offer(page_id, used_at, page.live)
        elif not free:
            self._withdraw(page_id, page)

    def _withdraw(self, page_id: int, page: Page) -> None:
        if page.offered:
            page.offered = False
            self._order(page_id, page).withdraw(page_id)

    def _order(self, page_id: int, page: Page) -> Keeping:
        return (self._last if page_id in self._soft else self._plain)[page.tenant]

    def asked(self, page_id: int, tenant: str, *, there: bool) -> None:
        """Tell the tenant's order that a page was asked for, and whether it was there."""
        order = self._plain[tenant]
        (order.found if there else order.missed)(page_id)

    def _tell(  # noqa: PLR0917 - the columns of a row
        self, what: What, why: Why, page_id: int, name: str, for_whom: str = "", tenant: str = ""
    ) -> None:
        key, number = divmod(page_id, self._number)
        page = None if tenant else self._pages.get(page_id)
        self._log.append(
            KvEvent(
                tick=self.now,
                what=what,
                why=why,
                name=name,
                tenant=page.tenant if page is not None else tenant,
                block=key,
                group=self.groups[number].name,
                amount=self._sizes[number],
                for_whom=for_whom,
            )
        )
