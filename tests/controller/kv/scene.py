"""An orchestrator over a small pool, and what its rows alone say of it."""

from collections.abc import Iterable, Mapping

from mirc.controller.keeping import Keeping
from mirc.controller.kv.conversations import Conversations
from mirc.controller.kv.events import KvEvent, What
from mirc.controller.kv.floor import Limits
from mirc.controller.kv.groups import Group
from mirc.controller.kv.host import Host
from mirc.controller.kv.orchestrator import Orchestrator
from mirc.controller.kv.order import Foretold
from mirc.controller.kv.pages import Tenant
from mirc.controller.kv.pool import KvPool
from mirc.controller.kv.region import FastRegion
from mirc.controller.kv.sequences import Request
from mirc.controller.kv.signals import ALL, Signal

BLOCK = 4  # tokens


def foretold(tenant: str) -> Keeping:
    del tenant
    return Foretold()


class Scene:
    """One tenant `t` unless others are given; blocks of 4 tokens, a unit each."""

    def __init__(
        self,
        capacity: int,
        *,
        groups: Iterable[Group] = (Group(name="kv"),),
        tenants: Iterable[Tenant] = (Tenant(name="t"),),
        host: int = 0,
        budget: int = 64,
        min_active: int = 0,
        heard: Iterable[Signal] = ALL,
        fast: int = 0,
    ) -> None:
        self.log: list[KvEvent] = []
        self.pool = KvPool(
            groups=tuple(groups),
            capacity=capacity,
            tenants=tenants,
            keepings=foretold,
            log=self.log,
            host=Host(host) if host else None,
        )
        limits = Limits(budget=budget, min_active=min_active)
        self.fast = FastRegion(fast, self.log) if fast else None
        self.it = Orchestrator(
            self.pool, block_tokens=BLOCK, log=self.log, limits=limits, fast=self.fast
        )
        self.talk = Conversations(self.it, frozenset(heard))

    def rows(self, what: What) -> list[KvEvent]:
        return [row for row in self.log if row.what is what]

    def run(self, steps: int = 1000) -> None:
        """Step until nothing runs and nothing waits."""
        for _ in range(steps):
            if not self.it.floor.running and not self.it.floor.queue:
                return
            self.it.step()
            self.talk.advance()
        raise AssertionError("it never came to an end")

    def serve(self, *requests: Request) -> list[int]:
        """Serve requests one after another; return the tokens that each found."""
        found = []
        for request in requests:
            found.append(self.talk.request(request).usable_tokens)
            self.run()
        return found


def ask(
    name: str, blocks: Iterable[int | str], new: int = 0, tenant: str = "t", session: str = ""
) -> Request:
    blocks = tuple(blocks)
    return Request(
        name=name,
        tenant=tenant,
        blocks=blocks,
        tokens=BLOCK * len(blocks),
        new_tokens=new,
        session=session,
    )


def present(log: Iterable[KvEvent]) -> Mapping[tuple[int, str], str]:
    """Return where each page is, by the rows alone: `near` or `host`."""
    where: dict[tuple[int, str], str] = {}
    for row in log:
        page = row.block, row.group
        match row.what:
            case What.MADE:
                assert page not in where
                where[page] = "near"
            case What.SWAPPED_OUT:
                assert where[page] == "near"
                where[page] = "host"
            case What.SWAPPED_IN:
                assert where[page] == "host"
                where[page] = "near"
            case What.EVICTED | What.RETIRED:
                del where[page]
            case _:
                pass
    return where
