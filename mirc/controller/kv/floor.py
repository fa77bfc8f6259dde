"""Sequences that want room into those that have it: who begins, and who gives way to whom."""

from bisect import insort
from collections.abc import Callable
from operator import mul

import attrs

from mirc.claims.admission import Named
from mirc.controller.kv.chains import Chains
from mirc.controller.kv.events import KvEvent, Log, What, Why
from mirc.controller.kv.region import FastRegion
from mirc.controller.kv.room import Others, Verdict, judge, most
from mirc.controller.kv.sequences import Phase, Sequence


@attrs.frozen(kw_only=True)
class Limits:
    """What a step may hold: ``budget`` tokens, of at most ``sequences`` at a time.

    ``min_active`` is the room that claims always leave to running work, in the pool's unit. Of each
    prompt the first ``sinks`` blocks are promoted into the fast region, if there is one.
    """

    budget: int = 8192
    sequences: int = 256
    min_active: int = 0
    sinks: int = 1


@attrs.define
class Totals:
    """What one tenant's sequences cost.

    Of ``asked`` prompt tokens ``found`` were usable when they were first admitted. ``computed`` are
    those of prompts that were computed; ``again`` those that a sequence which had lost its place
    computed besides; ``made`` by decoding. ``swapped`` units were brought back from below. Of
    ``blocks`` of prompts ``blocks_there`` lay in memory, ``blocks_found`` of them without a hole
    before.
    """

    asked: int = 0
    found: int = 0
    computed: int = 0
    again: int = 0
    made: int = 0
    swapped: int = 0
    blocks: int = 0
    blocks_there: int = 0
    blocks_found: int = 0
    preempted: int = 0
    refused: int = 0


class Floor:
    """The queue and what runs. The oldest begins first; the youngest gives way first.

    So the oldest always goes on, and whatever could run alone runs in the end.
    """

    def __init__(
        self,
        chains: Chains,
        *,
        limits: Limits,
        log: Log,
        claiming: Callable[[], Named],
        fast: FastRegion | None = None,
    ) -> None:
        self.limits = limits
        self.sequences: dict[str, Sequence] = {}
        self.running: dict[str, Sequence] = {}
        self.queue: list[tuple[int, str]] = []  # by arrival
        self.totals = {name: Totals() for name in chains.pool.tenants}
        self._chains = chains
        self._pool = chains.pool
        self._log = log
        self._claiming = claiming
        self._fast = fast
        self._promoted: dict[str, int] = {}  # the prefix that each sequence reads in fast memory

    def line_up(self, sequence: Sequence) -> None:
        """Let a sequence wait at its place by arrival."""
        sequence.phase = Phase.QUEUED
        insort(self.queue, (sequence.number, sequence.name))

    def admit(self) -> dict[str, Verdict]:
        """Let the oldest begin, one after another, up to the first that cannot yet."""
        verdicts: dict[str, Verdict] = {}
        while self.queue and len(self.running) < self.limits.sequences:
            sequence = self.sequences[self.queue[0][1]]
            verdict = verdicts[sequence.name] = self.judge(sequence)
            if verdict.final:
                self.refuse(sequence, verdict)
                continue
            if verdict.why is not None:
                self._wait(sequence, verdict)
                break
            del self.queue[0]
            self._begin(sequence, verdict)
        return verdicts

    def judge(self, sequence: Sequence) -> Verdict:
        """Decide whether a sequence may begin now."""
        running = self.running.values()
        tenant = sequence.request.tenant
        others = Others(
            promised=sum(each.promised for each in running),
            promised_to_tenant=sum(
                each.promised for each in running if each.request.tenant == tenant
            ),
            holding=self.holding(),
            claiming=self._claiming(),
        )
        return judge(self._chains, sequence, others)

    def holding(self) -> Named:
        """Return what each running sequence holds or was promised, in the pool's unit."""
        sizes = [group.size for group in self._pool.groups]
        return tuple(
            (each.name, each.promised + sum(map(mul, map(len, each.held), sizes)))
            for each in self.running.values()
        )

    def _begin(self, sequence: Sequence, verdict: Verdict) -> None:
        totals = self.totals[sequence.request.tenant]
        chains, pool = self._chains, self._pool
        there = 0
        for at, key in enumerate(sequence.keys):
            page_id = pool.page_of(key, 0)
            pool.asked(page_id, sequence.request.tenant, there=at < verdict.usable)
            there += int(pool.resident(page_id))
        chains.enter(sequence, verdict.usable)
        found = sum(sequence.fill[: verdict.usable])
        totals.swapped += verdict.swapped
        if not sequence.resumed:
            totals.found += found
            totals.blocks += len(sequence.keys)
            totals.blocks_there += there
            totals.blocks_found += verdict.usable
        sequence.promised = verdict.promise
        sequence.phase = Phase.PREFILL
        self.reached(sequence)
        sequence.waits_for = ()
        self.running[sequence.name] = sequence
        self.tell(What.ADMITTED, Why.ARRIVED, sequence, found)

    def reached(self, sequence: Sequence) -> None:
        """Let a sequence decode once its prompt is computed, its sinks promoted before that."""
        if sequence.todo:
            return
        sequence.phase = Phase.DECODE
        sinks = min(self.limits.sinks, sequence.sealed)
        if self._fast is not None and sinks and sequence.left:
            prefix = sequence.keys[sinks - 1]
            size = sinks * sum(group.size for group in self._pool.groups)
            self._fast.now = self._pool.now
            if self._fast.acquire(prefix, size, sequence.name):
                self._promoted[sequence.name] = prefix

    def _release(self, sequence: Sequence) -> None:
        prefix = self._promoted.pop(sequence.name, None)
        if prefix is not None and self._fast is not None:
            self._fast.now = self._pool.now
            self._fast.release(prefix, sequence.name)

    def owe(self, sequence: Sequence) -> None:
        """Reckon the room that the rest of a prompt, and the block after it, may still take."""
        blocks = len(sequence.keys) - sequence.done - int(sequence.opened) + int(sequence.left > 0)
        sequence.promised = sum(each.size * most(each, blocks) for each in self._pool.groups)

    def _wait(self, sequence: Sequence, verdict: Verdict) -> None:
        if sequence.waits_for != verdict.blockers:
            sequence.waits_for = verdict.blockers
            self.tell(What.WAITS, verdict.why or Why.BUSY, sequence, blockers=verdict.blockers)

    def refuse(self, sequence: Sequence, verdict: Verdict) -> None:
        """Turn a sequence away, with who is in its way."""
        self.queue.remove((sequence.number, sequence.name))
        del self.sequences[sequence.name]
        sequence.phase = Phase.ENDED
        self.totals[sequence.request.tenant].refused += 1
        self.tell(What.REFUSED, verdict.why or Why.BUSY, sequence, blockers=verdict.blockers)

    def grow(self, sequence: Sequence, attempt: Callable[[], bool]) -> bool:
        """Try until there is room, sending younger sequences back; False if it went itself."""
        while not attempt():
            tenant = sequence.request.tenant
            quota = self._pool.tenants[tenant].quota
            size = sum(group.size for group in self._pool.groups)
            bound = quota is not None and self._pool.used_by[tenant] + size > quota
            youngest = max(
                (
                    each
                    for each in self.running.values()
                    if not each.drafting and (each.request.tenant == tenant or not bound)
                ),
                key=lambda each: each.number,
                default=sequence,
            )
            self._preempt(youngest, sequence.name)
            if youngest is sequence:
                return False
        return True

    def _preempt(self, sequence: Sequence, for_whom: str) -> None:
        """Send a sequence back to the queue; its pages stay for as long as there is room."""
        self.totals[sequence.request.tenant].preempted += 1
        self.tell(What.PREEMPTED, Why.OLDER_NEEDS_ROOM, sequence, for_whom=for_whom)
        self.park(sequence)
        self.line_up(sequence)

    def park(self, sequence: Sequence) -> None:
        """Let a running sequence give up its place; it will want its pages again."""
        del self.running[sequence.name]
        self._release(sequence)
        self._chains.leave(sequence, lambda _: True)
        sequence.resumed = True

    def finish(self, sequence: Sequence) -> None:
        """End a running sequence; blocks that only it could name are retired."""
        del self.running[sequence.name], self.sequences[sequence.name]
        self._release(sequence)
        self._chains.end(sequence, sequence.hint)
        self.tell(What.ENDED, Why.FINISHED, sequence, sequence.tokens)

    def tell(
        self,
        what: What,
        why: Why,
        sequence: Sequence,
        amount: int = 0,
        *,
        for_whom: str = "",
        blockers: tuple[str, ...] = (),
    ) -> None:
        """Put a row about a sequence into the log."""
        self._log.append(
            KvEvent(
                tick=self._pool.now,
                what=what,
                why=why,
                name=sequence.name,
                tenant=sequence.request.tenant,
                amount=amount,
                for_whom=for_whom,
                blockers=blockers,
            )
        )
