"""Requests, signals and claims into steps over one pool of keys and values, each act with its row.

This is the reference for what serving engines do with the memory of attention: what is shared, who
may begin, who leaves first and what may never leave. It is small on purpose. One ``step`` is one
batch; nothing here knows the time that it takes.
"""

from collections.abc import Sequence as Row

import attrs

from mirc.claims.admission import Pool
from mirc.claims.events import Answer
from mirc.claims.terms import Block, Terms
from mirc.controller.kv.batch import Slice, plan
from mirc.controller.kv.chains import Chains
from mirc.controller.kv.events import Log, Why
from mirc.controller.kv.floor import Floor, Limits
from mirc.controller.kv.pool import KvPool
from mirc.controller.kv.promises import Promises
from mirc.controller.kv.region import FastRegion
from mirc.controller.kv.room import Verdict, life
from mirc.controller.kv.sequences import Phase, Request, Sequence
from mirc.controller.kv.tree import ROOT, PrefixTree


@attrs.frozen(kw_only=True)
class Decision:
    """What a request is told: it runs, it waits (for whom), or it has ended: refused, by whom."""

    phase: Phase
    why: Why | None = None
    blockers: tuple[str, ...] = ()
    usable_tokens: int = 0


class Orchestrator:
    """A pool, a prefix tree, claims, a queue and what runs; rows of what it does go to ``log``."""

    def __init__(
        self,
        pool: KvPool,
        *,
        block_tokens: int,
        log: Log,
        limits: Limits | None = None,
        tree: PrefixTree | None = None,
        fast: FastRegion | None = None,
    ) -> None:
        self.pool = pool
        self.chains = Chains(pool, tree or PrefixTree(), block_tokens)
        self.promises = Promises(pool, log, self._below)
        self.floor = Floor(
            self.chains,
            limits=limits or Limits(),
            log=log,
            claiming=self.promises.sizes,
            fast=fast,
        )
        self.tick = 0
        self._count = 0

    # ── Requests ────────────────────────────────────────────────

    def request(self, request: Request) -> Decision:
        """Take a request in; it begins at once if nobody is before it and it may have its room.

        Raises ``ValueError`` for a name that is in use, an unknown tenant, and a prompt whose
        tokens are not those of its blocks.
        """
        sequence = self.new(request)
        self.extend(sequence)
        return self.enqueue(sequence)

    def new(self, request: Request) -> Sequence:
        """Return a sequence without blocks for a request; raises ``ValueError`` as that does."""
        tenant = self.pool.tenants.get(request.tenant)
        if tenant is None:
            raise ValueError(
                f"`{request.name}` names the tenant `{request.tenant}`, who is unknown"
            )
        if request.name in self.floor.sequences:
            raise ValueError(f"a sequence `{request.name}` is there already")
        self._check(request)
        self._count += 1
        return Sequence(
            request=request,
            number=self._count,
            domain=tenant.shares_with,
            left=request.new_tokens,
        )

    def extend(self, sequence: Sequence) -> None:
        """Let the blocks of a sequence's request follow those that it has."""
        request = sequence.request
        for name in request.blocks:
            below = sequence.keys[-1] if sequence.keys else ROOT
            sequence.keys.append(self.chains.tree.key(sequence.domain, below, name))
        if request.blocks:
            whole = self.chains.block_tokens
            sequence.fill += [whole] * (len(request.blocks) - 1)
            sequence.fill.append(request.tokens - whole * (len(request.blocks) - 1))
        sequence.sealed = len(sequence.keys)

    def enqueue(self, sequence: Sequence) -> Decision:
        """Let a sequence wait for its turn, which may be now."""
        self.floor.sequences[sequence.name] = sequence
        self.floor.totals[sequence.request.tenant].asked += sequence.tokens
        self.floor.line_up(sequence)
        verdicts = self.floor.admit()
        verdict = verdicts.get(sequence.name, Verdict(why=Why.BUSY))
        usable = sum(sequence.fill[: verdict.usable]) if verdict.why is None else 0
        return Decision(
            phase=sequence.phase,
            why=verdict.why,
            blockers=verdict.blockers or tuple(name for _, name in self.floor.queue[:1]),
            usable_tokens=usable,
        )

    def touch(self, name: str) -> int:
        """Return how many pages a running sequence reads, all of which are near.

        Raises ``ValueError`` for one that does not run: its pages may be gone, or must not be used.
        """
        sequence = self.floor.running.get(name)
        if sequence is None:
            raise ValueError(f"`{name}` does not run: what it used may be gone")
        pages = [page_id for held in sequence.held for _, page_id in held]
        if not all(self.pool.pages()[page_id].near for page_id in pages):
            raise ValueError(f"`{name}` reads a page that is not near")
        return len(pages)

    def running(self) -> tuple[Sequence, ...]:
        """Return the sequences that have their room, in the order in which they got it."""
        return tuple(self.floor.running.values())

    def waiting(self) -> tuple[str, ...]:
        """Return the names in the queue, oldest first."""
        return tuple(name for _, name in self.floor.queue)

    def fanout(self, tenant: str, blocks: Row[str | int]) -> int:
        """Return how many sequences read the last of these blocks now."""
        page_id = self.pages(tenant, blocks)[-1].key
        page = self.pool.find(int(page_id))
        return 0 if page is None else page.users

    # ── Steps ───────────────────────────────────────────────────

    def advance(self, ticks: int = 1) -> None:
        """Let time pass: claims expire, and who waited may begin."""
        self.tell_time(self.tick + ticks)
        self.promises.advance(self.tick)
        self._grant()
        self.floor.admit()

    def tell_time(self, tick: int) -> None:
        """Set the clock that rows and pages are dated by; nothing happens for it."""
        self.tick = self.pool.now = tick

    def step(self) -> tuple[Slice, ...]:
        """Let a tick pass and run one batch; return what ``run`` does."""
        self.advance()
        return self.run()

    def run(self) -> tuple[Slice, ...]:
        """Run one batch, now; return what each sequence in it did, in its own phase.

        When nothing runs and the oldest in the queue cannot begin, it never will: it is refused.
        """
        while self.floor.queue and not self.floor.running:
            head = self.floor.sequences[self.floor.queue[0][1]]
            self.floor.refuse(head, self.floor.judge(head))
            self.floor.admit()
        batch = plan(self.floor.running.values(), self.floor.limits.budget)
        return tuple(each for each in batch if self._run(each))

    def _run(self, part: Slice) -> bool:
        sequence = self.floor.running.get(part.name)
        if sequence is None:
            return False  # it gave its place to an older one of this batch
        work = self._decode if part.phase is Phase.DECODE else self._prefill
        if (sequence.todo or sequence.left) and not work(sequence, part.tokens):
            return False
        if not sequence.todo and not sequence.left:
            self.floor.finish(sequence)
        return True

    def _prefill(self, sequence: Sequence, tokens: int) -> bool:
        totals = self.floor.totals[sequence.request.tenant]
        left = tokens
        while left:
            done = self.chains.compute(sequence, left)
            left -= done
            totals.again += done if sequence.resumed else 0
            totals.computed += 0 if sequence.resumed else done
            if left and not self.floor.grow(sequence, lambda: self.chains.open(sequence)):
                return False
        self.floor.owe(sequence)
        self.floor.reached(sequence)
        return True

    def _decode(self, sequence: Sequence, tokens: int) -> bool:
        del tokens  # one
        append = self.chains.append
        if not append(sequence) and not self.floor.grow(sequence, lambda: append(sequence)):
            return False
        sequence.left -= 1
        sequence.promised = 0
        self.floor.totals[sequence.request.tenant].made += 1
        if self.chains.full(sequence):
            at = sequence.done
            self.chains.turn(sequence)
            self.chains.publish(sequence, at)
        return True

    def accept(self, sequence: Sequence, tokens: int, first: int) -> None:
        """Count accepted drafts, and let all use the blocks from ``first`` on that they filled."""
        sequence.left = max(0, sequence.left - tokens)
        self.floor.totals[sequence.request.tenant].made += tokens
        for at in range(first, sequence.done):
            self.chains.publish(sequence, at)
        if not sequence.left:
            self.floor.finish(sequence)

    # ── Claims ──────────────────────────────────────────────────

    def pages(self, tenant: str, blocks: Row[str | int]) -> tuple[Block, ...]:
        """Return the pages of a row of blocks from the root, as a claim names them."""
        keys = self.chains.tree.chain(self.pool.tenants[tenant].shares_with, blocks)
        numbers = range(len(self.pool.groups))
        found = (self.pool.page_of(key, number) for key in keys for number in numbers)
        return tuple(Block(page_id, self.pool.size(page_id)) for page_id in found)

    def claim(self, *batch: Terms) -> dict[str, Answer]:
        """Ask for claims on ``pages``; hard ones leave running work what it may come to need."""
        return self.promises.request(batch, self._room(batch))

    def _room(self, batch: Row[Terms]) -> Pool:
        """Describe the pool to claims, without what is claimed already."""
        pool = self.pool
        asked = {int(block.key) for terms in batch for block in terms.blocks}
        own = sum(
            pool.size(page_id)
            for page_id in asked
            if (page := pool.find(page_id)) is not None
            and page.near
            and page.users
            and not pool.claims_on(page_id)[0]
        )
        idle = sum(pool.idle_by.values())
        held = pool.used + pool.reserved - idle - own
        promised = sum(each.promised for each in self.floor.running.values())
        lives = [life(self.chains, each) for each in self.floor.running.values()]
        beside = max(0, held - self.promises.ledger.claimed + promised)
        least = max([self.floor.limits.min_active, *lives])
        return Pool(
            capacity=pool.capacity,
            must_hold=beside,
            min_active=max(0, least - beside),
            free=max(0, pool.capacity - pool.used - pool.reserved),
            recomputable=max(0, idle - pool.soft_idle),
            soft=pool.soft_idle,
            holding=self.floor.holding(),
        )

    def release(self, claim: str, holder: str) -> Answer:
        """Give a claim back; whoever waited for its room may begin."""
        answer = self.promises.release(claim, holder)
        self._grant()
        self.floor.admit()
        return answer

    def fail(self, claim: str, why: str) -> Answer:
        """End a claim whose pages cannot be made; whoever waited for its room may begin."""
        answer = self.promises.fail(claim, why)
        self._grant()
        self.floor.admit()
        return answer

    def signal(self, event: str) -> None:
        """Tell of an event that ends or binds claims."""
        self.promises.signal(event)
        self._grant()
        self.floor.admit()

    def _grant(self) -> None:
        """Grant claims that wait, as far as there is room for them now."""
        waiting = self.promises.ledger.waiting
        if waiting:
            self.promises.retry(self._room(waiting))

    # ── How ─────────────────────────────────────────────────────

    def _check(self, request: Request) -> None:
        whole = self.chains.block_tokens
        blocks = len(request.blocks)
        if blocks != -(-request.tokens // whole):
            held = f"{request.tokens} tokens in {blocks} blocks of {whole}"
            raise ValueError(f"`{request.name}` has {held}")

    def _below(self, page_id: int) -> int:
        key, number = divmod(page_id, len(self.pool.groups))
        if not self.pool.groups[number].contiguous:
            return ROOT
        below = self.chains.tree.parent(key)
        return ROOT if below == ROOT else self.pool.page_of(below, number)
