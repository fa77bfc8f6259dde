"""A machine that does everything to an orchestrator, against a model that reads its rows alone."""

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mirc.claims.events import Answer
from mirc.claims.terms import Terms
from mirc.controller.kv.events import What
from mirc.controller.kv.groups import Group, GroupKind
from mirc.controller.kv.pages import Tenant
from mirc.controller.kv.replay import Replay
from mirc.controller.kv.sequences import Phase, Request
from mirc.ir.enums import Guarantee
from tests.controller.kv.scene import BLOCK, Scene, present
from tests.nightly import NIGHTLY

GROUPS = (
    (Group(name="kv"),),
    (Group(name="kv"), Group(name="draft", size=2)),
    (
        Group(name="kv"),
        Group(name="window", kind=GroupKind.WINDOW, window_blocks=2),
        Group(name="state", kind=GroupKind.RECURRENT, every_blocks=2),
    ),
)
# Prompts that share beginnings: from any block, one of three follows.
PROMPTS = st.lists(st.integers(0, 2), min_size=1, max_size=7).map(tuple)
TENANTS = ("a", "b", "c")


def chain(prompt: tuple[int, ...]) -> tuple[str, ...]:
    return tuple("".join(map(str, prompt[: at + 1])) for at in range(len(prompt)))


class Machine(RuleBasedStateMachine):
    """Tenants a and b share a domain, c is alone and has a quota."""

    @initialize(
        capacity=st.integers(6, 30),
        groups=st.sampled_from(GROUPS),
        host=st.sampled_from((0, 0, 5, 12)),
        quota=st.integers(3, 12),
        budget=st.integers(1, 20),
    )
    def begin(
        self, capacity: int, groups: tuple[Group, ...], host: int, quota: int, budget: int
    ) -> None:
        self.scene = Scene(
            capacity,
            groups=groups,
            host=host,
            budget=budget,
            min_active=2,
            fast=3,
            tenants=(
                Tenant(name="a", domain="ab"),
                Tenant(name="b", domain="ab", priority=20),
                Tenant(name="c", quota=quota),
            ),
        )
        self.replay = Replay(self.scene.it)
        self.windows: dict[str, tuple[str, int]] = {}
        self.count = 0
        self.claims: set[str] = set()

    @rule(prompt=PROMPTS, tenant=st.sampled_from(TENANTS), new=st.integers(0, 9))
    def asks(self, prompt: tuple[int, ...], tenant: str, new: int) -> None:
        self.count += 1
        it = self.scene.it
        before = present(self.scene.log)
        waits = bool(it.floor.queue)
        request = Request(
            name=f"r{self.count}",
            tenant=tenant,
            blocks=chain(prompt),
            tokens=BLOCK * len(prompt),
            new_tokens=new,
            session=f"s{self.count % 3}",
        )
        decision = self.scene.talk.request(request)
        if decision.why is None and not waits:
            # Usable is at most what the rows say is there, without a hole from the root.
            pages = it.pages(tenant, request.blocks)
            groups = self.scene.pool.groups
            there = [
                (int(page.key) // len(groups), groups[0].name) in before
                for page in pages[:: len(groups)]
            ]
            hole = there.index(False) if False in there else len(there)
            assert decision.usable_tokens <= hole * BLOCK
            if len(groups) == 1:
                ready = [self.scene.pool.resident(int(page.key)) for page in pages]
                hole = ready.index(False) if False in ready else len(ready)
                assert decision.usable_tokens == hole * BLOCK
        if decision.phase is Phase.ENDED:
            assert decision.blockers or decision.why is not None

    @rule(steps=st.integers(1, 5))
    def steps(self, steps: int) -> None:
        for _ in range(steps):
            batch = self.scene.it.step()
            assert sum(part.tokens for part in batch) <= self.scene.it.floor.limits.budget
            self.scene.talk.advance()

    @rule(
        prompt=PROMPTS,
        tenant=st.sampled_from(TENANTS),
        guarantee=st.sampled_from(Guarantee),
        lasts=st.one_of(st.none(), st.integers(1, 20)),
    )
    def claims_blocks(
        self, prompt: tuple[int, ...], tenant: str, guarantee: Guarantee, lasts: int | None
    ) -> None:
        self.count += 1
        name = f"c{self.count}"
        it = self.scene.it
        blocks = it.pages(tenant, chain(prompt))
        terms = Terms(
            name=name, holder="h", tenant=tenant, blocks=blocks, guarantee=guarantee, lasts=lasts
        )
        if it.claim(terms)[name] is Answer.ACCEPTED:
            self.claims.add(name)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def gives_a_claim_back(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.claims)))
        self.claims.discard(name)
        self.scene.it.release(name, "h")

    @rule(session=st.sampled_from(("s0", "s1", "s2")), what=st.integers(0, 4))
    def signals(self, session: str, what: int) -> None:
        talk = self.scene.talk
        (
            lambda: talk.tool_wait(session, 3),
            lambda: talk.resume(session),
            lambda: talk.compact(session, 1),
            lambda: talk.superseded(session),
            lambda: talk.sequence_end(session),
        )[what]()

    @rule(data=st.data(), new=st.integers(0, 5))
    def forks(self, data: st.DataObject, new: int) -> None:
        running = sorted(self.scene.it.floor.running)
        if running:
            self.count += 1
            parent = data.draw(st.sampled_from(running))
            tenant = self.scene.it.floor.running[parent].request.tenant
            child = Request(
                name=f"r{self.count}", tenant=tenant, blocks=(), tokens=0, new_tokens=new
            )
            self.scene.talk.fork(parent, child)

    @rule(data=st.data(), tokens=st.integers(1, 9))
    def speculates(self, data: st.DataObject, tokens: int) -> None:
        able = [
            each.name
            for each in self.scene.it.floor.running.values()
            if each.phase is Phase.DECODE and not each.drafting
        ]
        if able:
            name = data.draw(st.sampled_from(sorted(able)))
            checkpoint = self.replay.open(name, tokens)
            if checkpoint is not None:
                self.windows[name] = checkpoint, self.replay.draft(name, tokens)

    @precondition(lambda self: self.windows)
    @rule(data=st.data())
    def settles(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.windows)))
        _, drafted = self.windows.pop(name)
        self.replay.settle(name, data.draw(st.integers(0, drafted)))

    @invariant()
    def capacity_and_quotas_hold(self) -> None:
        pool = self.scene.pool
        near = [at for at, page in pool.pages().items() if page.near]
        used = sum(map(pool.size, near))
        assert used == pool.used
        kept = used - sum(pool.idle_by.values()) + pool.reserved
        assert kept <= pool.capacity  # whatever is owed can be had
        assert used <= pool.capacity
        for tenant in pool.tenants.values():
            own = sum(pool.size(at) for at in near if pool.pages()[at].tenant == tenant.name)
            assert own == pool.used_by[tenant.name]
            assert tenant.quota is None or own <= tenant.quota
        if pool.host is not None:
            below = sum(pool.size(at) for at, page in pool.pages().items() if not page.near)
            assert below == pool.host.used <= pool.host.capacity

    @invariant()
    def users_are_those_who_hold(self) -> None:
        pool = self.scene.pool
        users: dict[int, int] = {}
        for sequence in self.scene.it.floor.sequences.values():
            for held in sequence.held:
                for _, page_id in held:
                    users[page_id] = users.get(page_id, 0) + 1
        assert users == {at: page.users for at, page in pool.pages().items() if page.users}
        assert all(pool.pages()[at].near for at in users)

    @invariant()
    def a_block_never_outlives_the_one_before_it(self) -> None:
        pool = self.scene.pool
        for at, page in pool.pages().items():
            group = pool.groups[at % len(pool.groups)]
            if group.contiguous and page.parent >= 0:
                below = pool.pages()[page.parent]
                assert below.near or not page.near

    @invariant()
    def the_rows_tell_what_is_there(self) -> None:
        pool = self.scene.pool
        said = present(self.scene.log)
        found = {
            (at // len(pool.groups), pool.groups[at % len(pool.groups)].name): (
                "near" if page.near else "host"
            )
            for at, page in pool.pages().items()
        }
        assert said == found

    @invariant()
    def what_is_claimed_hard_never_leaves(self) -> None:
        # From the ledger's own record: no claim that was hard has ever lost a block.
        for row in self.scene.it.promises.ledger.log:
            assert not (row.kind in ("LOST", "DEMOTED") and row.guarantee is Guarantee.HARD)
        pool, ledger = self.scene.pool, self.scene.it.promises.ledger
        for name, state in ledger.states.items():
            if state == "MATERIALIZED":
                for block in ledger.blocks(name):
                    assert pool.pages()[int(block.key)].near

    @invariant()
    def tenants_of_other_domains_share_no_block(self) -> None:
        tree = self.scene.it.chains.tree
        for sequence in self.scene.it.floor.sequences.values():
            domains = {tree.block(key).domain for key in sequence.keys}
            assert domains <= {sequence.domain}

    def teardown(self) -> None:
        if not hasattr(self, "scene"):
            return
        for name in sorted(self.windows):
            self.replay.settle(name, 0)
        self.scene.run()
        assert self.scene.fast is not None
        assert self.scene.fast.used == 0
        pool = self.scene.pool
        assert all(page.users == 0 for page in pool.pages().values())
        assert (
            sum(pool.idle_by.values())
            + sum(
                pool.size(at)
                for at, page in pool.pages().items()
                if page.near and pool.claims_on(at)[0]
            )
            == pool.used
        )
        began = {row.name for row in self.scene.rows(What.ADMITTED)}
        over = {row.name for row in self.scene.rows(What.ENDED)}
        over |= {row.name for row in self.scene.rows(What.REFUSED)}
        assert began <= over


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=25_000 if NIGHTLY else 150,
    stateful_step_count=60,
    deadline=None,
)
