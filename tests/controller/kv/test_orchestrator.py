"""Sequences over one pool: batches, sharing, leaf-first eviction, quotas, claims, swapping."""

import pytest

from mirc.claims.events import Answer
from mirc.claims.terms import Terms
from mirc.controller.kv.events import What, Why
from mirc.controller.kv.pages import Tenant
from mirc.controller.kv.sequences import Phase, Request
from mirc.ir.enums import Guarantee
from tests.controller.kv.scene import BLOCK, Scene, ask, present


def hard(scene: Scene, name: str, blocks: range, tenant: str = "t") -> Terms:
    pages = scene.it.pages(tenant, tuple(blocks))
    return Terms(name=name, holder="h", blocks=pages, guarantee=Guarantee.HARD)


class TestBatches:
    @pytest.mark.mechanism("S7-01")
    def test_sequences_in_different_phases_run_in_one_step(self) -> None:
        scene = Scene(40, budget=6)
        scene.it.request(ask("old", [0], new=9))
        scene.it.step()
        scene.it.request(ask("new", [1, 2, 3]))
        batch = scene.it.step()
        assert [(part.name, part.phase, part.tokens) for part in batch] == [
            ("old", Phase.DECODE, 1),
            ("new", Phase.PREFILL, 5),
        ]

    def test_a_long_prompt_is_cut_into_chunks_of_the_budget(self) -> None:
        scene = Scene(40, budget=5)
        scene.it.request(ask("a", range(3)))  # 12 tokens
        assert [scene.it.step()[0].tokens for _ in range(3)] == [5, 5, 2]

    def test_a_block_is_not_read_by_others_before_it_is_whole(self) -> None:
        scene = Scene(40, budget=6)
        scene.it.request(ask("a", range(3)))
        scene.it.step()  # a block and a half
        decision = scene.it.request(ask("b", [0, 1, 9]))
        assert (decision.phase, decision.why) == (Phase.QUEUED, Why.IN_FLIGHT)
        assert decision.blockers == ("a",)
        scene.run()
        made = [row.block for row in scene.rows(What.MADE)]
        assert len(made) == len(set(made)) == 4  # 0, 1, 2 and 9: each once


class TestSharing:
    @pytest.mark.mechanism("S0-14")
    def test_the_fan_out_is_the_number_of_live_readers(self) -> None:
        scene = Scene(40)
        scene.serve(ask("first", [0, 1]))
        for name in ("17", "18", "21"):
            scene.it.request(ask(name, [0, 1, name], new=int(name)))
        assert scene.it.fanout("t", [0, 1]) == 3
        scene.it.step()
        for left in (2, 1, 0):
            readers = scene.it.fanout("t", [0, 1])
            while scene.it.fanout("t", [0, 1]) == readers:
                scene.it.step()
            assert scene.it.fanout("t", [0, 1]) == left

    def test_usable_is_what_lies_there_without_a_hole_from_the_root(self) -> None:
        scene = Scene(40)
        found = scene.serve(ask("a", [0, 1, 2]), ask("b", [0, 1, 3]), ask("c", [1, 0]))
        assert found == [0, 2 * BLOCK, 0]

    def test_equal_prompts_of_two_domains_share_nothing(self) -> None:
        tenants = (Tenant(name="a"), Tenant(name="b"))
        scene = Scene(40, tenants=tenants)
        found = scene.serve(ask("1", [0, 1], tenant="a"), ask("2", [0, 1], tenant="b"))
        assert found == [0, 0]
        assert scene.pool.used_by == {"a": 2, "b": 2}

    def test_tenants_of_one_domain_share_and_the_maker_pays(self) -> None:
        tenants = (Tenant(name="a", domain="d"), Tenant(name="b", domain="d"))
        scene = Scene(40, tenants=tenants)
        found = scene.serve(ask("1", [0, 1], tenant="a"), ask("2", [0, 1], tenant="b"))
        assert found == [0, 2 * BLOCK]
        assert scene.pool.used_by == {"a": 2, "b": 0}


class TestRoom:
    def test_leaves_leave_first_and_the_tail_of_the_oldest_before_all(self) -> None:
        scene = Scene(7)
        scene.serve(ask("a", [0, 1, 2, 3]), ask("b", [0, 1, 4]), ask("c", [7, 8, 9, 10]))
        # Keys: a made 0..3, b made 4. Room for two is needed: a's tail, and what stood under it.
        assert [row.block for row in scene.rows(What.EVICTED)] == [3, 2]

    def test_an_older_sequence_sends_the_youngest_back_and_both_end(self) -> None:
        scene = Scene(6)
        scene.it.request(ask("old", [0], new=4 * BLOCK))
        scene.it.request(ask("young", [1], new=4 * BLOCK))
        scene.run()
        gone = [(row.name, row.for_whom) for row in scene.rows(What.PREEMPTED)]
        assert gone
        assert set(gone) == {("young", "old")}
        assert [row.name for row in scene.rows(What.ENDED)] == ["old", "young"]

    def test_what_could_never_run_is_refused_at_once(self) -> None:
        scene = Scene(6)
        decision = scene.it.request(ask("a", [0, 1], new=5 * BLOCK))  # 2 + 5 blocks
        assert (decision.phase, decision.why) == (Phase.ENDED, Why.TOO_LARGE)

    def test_a_tenant_at_its_quota_pays_with_its_own(self) -> None:
        tenants = (Tenant(name="small", quota=3), Tenant(name="big"))
        scene = Scene(40, tenants=tenants)
        scene.serve(
            ask("1", [0, 1], tenant="small"),
            ask("2", [5, 6], tenant="big"),
            ask("3", [2, 3], tenant="small"),
        )
        assert [(row.tenant, row.why) for row in scene.rows(What.EVICTED)] == [("small", Why.QUOTA)]
        assert scene.pool.used_by == {"small": 3, "big": 2}

    def test_a_request_beyond_its_quota_is_refused_by_name(self) -> None:
        scene = Scene(40, tenants=(Tenant(name="small", quota=3),))
        decision = scene.it.request(ask("1", range(4), tenant="small"))
        assert decision.why is Why.OVER_QUOTA
        assert decision.blockers == ("small",)

    def test_the_lowest_priority_yields_first(self) -> None:
        tenants = (Tenant(name="dear", priority=90), Tenant(name="cheap", priority=10))
        scene = Scene(4, tenants=tenants)
        scene.serve(
            ask("1", [0, 1], tenant="cheap"),
            ask("2", [5, 6], tenant="dear"),
            ask("3", [7], tenant="dear"),
        )
        assert [row.tenant for row in scene.rows(What.EVICTED)] == ["cheap"]


class TestRetirement:
    @pytest.mark.mechanism("S0-15")
    def test_what_only_a_sequence_could_name_is_gone_with_it(self) -> None:
        scene = Scene(40)
        scene.it.request(ask("a", [0], new=2 * BLOCK))
        scene.run()
        assert present(scene.log) == {(0, "kv"): "near"}
        assert [row.why for row in scene.rows(What.RETIRED)] == [Why.SEQUENCE_END] * 2

    def test_touching_what_has_ended_is_an_error(self) -> None:
        scene = Scene(40)
        scene.it.request(ask("a", [0], new=1))
        assert scene.it.touch("a") == 0
        scene.it.step()
        assert scene.it.touch("a") == 1
        scene.run()
        with pytest.raises(ValueError, match="does not run"):
            scene.it.touch("a")


class TestClaims:
    def test_a_hard_claim_turns_a_silent_loss_into_a_refusal_by_name(self) -> None:
        # The published litmus case: 80 blocks, 60 resident and claimed, 70 active.
        scene = Scene(80)
        scene.serve(ask("resident", range(60)))
        assert scene.it.claim(hard(scene, "prompt", range(60)))["prompt"] is Answer.ACCEPTED
        decision = scene.it.request(ask("active", range(100, 170)))
        assert (decision.phase, decision.why) == (Phase.ENDED, Why.CLAIMED)
        assert decision.blockers == ("prompt",)
        assert scene.rows(What.EVICTED) == []

    def test_without_a_claim_the_same_request_evicts_fifty(self) -> None:
        scene = Scene(80)
        scene.serve(ask("resident", range(60)), ask("active", range(100, 170)))
        assert len(scene.rows(What.EVICTED)) == 50

    def test_a_soft_claim_is_lost_last_and_told_before(self) -> None:
        scene = Scene(6)
        scene.serve(ask("a", [0, 1]), ask("b", [2, 3]))
        pages = scene.it.pages("t", (0, 1))
        scene.it.claim(Terms(name="soft", holder="h", blocks=pages))
        scene.serve(ask("c", [4, 5, 6, 7, 8]))
        rows = [
            (row.what, row.block)
            for row in scene.log
            if row.what in (What.CLAIM_LOST, What.EVICTED)
        ]
        assert rows == [
            (What.EVICTED, 3),
            (What.EVICTED, 2),
            (What.CLAIM_LOST, 1),
            (What.EVICTED, 1),
        ]

    def test_a_hard_claim_keeps_room_for_what_is_not_there_yet(self) -> None:
        scene = Scene(10)
        scene.it.claim(hard(scene, "later", range(6)))
        assert scene.it.request(ask("big", range(20, 25))).why is Why.CLAIMED
        assert scene.it.request(ask("small", range(20, 24))).why is None
        scene.run()
        assert scene.serve(ask("its own", range(6)), ask("again", range(6))) == [0, 6 * BLOCK]
        assert scene.rows(What.EVICTED) == []

    def test_claims_leave_running_work_what_it_may_come_to_need(self) -> None:
        scene = Scene(10, min_active=5)
        answer = scene.it.claim(hard(scene, "most", range(6)))
        assert answer == {"most": Answer.REFUSED}
        assert scene.rows(What.REFUSED)[0].why is Why.ACTIVE_NEEDS

    def test_a_claimed_block_that_runs_makes_no_room_for_a_second_claim(self) -> None:
        # Of 10 blocks 4 are claimed, 3 more in use and 1 promised: 2 are left, and 3 are asked for.
        scene = Scene(10)
        scene.serve(ask("a", range(4)))
        scene.it.claim(hard(scene, "first", range(4)))
        scene.it.request(ask("runs", [0, 1, 7, 8, 9], new=2))
        scene.it.step()
        pages = scene.it.pages("t", (0, 1, 20, 21, 22))
        second = Terms(name="second", holder="h", blocks=pages, guarantee=Guarantee.HARD)
        assert scene.it.claim(second) == {"second": Answer.REFUSED}

    def test_an_expired_claim_protects_nothing(self) -> None:
        scene = Scene(4)
        scene.serve(ask("a", [0, 1, 2]))
        pages = scene.it.pages("t", (0, 1, 2))
        scene.it.claim(Terms(name="c", holder="h", blocks=pages, guarantee=Guarantee.HARD, lasts=3))
        assert scene.it.request(ask("b", [5, 6])).why is Why.CLAIMED
        scene.it.advance(3)
        assert scene.rows(What.CLAIM_EXPIRED)
        assert scene.serve(ask("b2", [5, 6])) == [0]

    def test_who_waits_for_a_release_begins_with_it(self) -> None:
        scene = Scene(4)
        scene.serve(ask("a", [0, 1]))
        scene.it.claim(hard(scene, "c", range(2)))
        scene.it.request(ask("busy", [7], new=BLOCK))
        waiting = scene.it.request(ask("next", [8, 9]))
        assert (waiting.why, waiting.blockers) == (Why.BUSY, ("busy",))
        scene.it.release("c", "h")
        assert "next" in scene.it.floor.running


class TestSwapping:
    def test_what_was_swapped_out_is_brought_back_and_not_computed(self) -> None:
        scene = Scene(4, host=8)
        found = scene.serve(ask("a", [0, 1, 2]), ask("b", [5, 6, 7]), ask("a2", [0, 1, 2]))
        assert found == [0, 0, 3 * BLOCK]
        assert scene.rows(What.EVICTED) == []
        assert scene.it.floor.totals["t"].swapped == 2  # block 0 had stayed

    def test_without_memory_below_it_is_computed_again(self) -> None:
        scene = Scene(4)
        found = scene.serve(ask("a", [0, 1, 2]), ask("b", [5, 6, 7]), ask("a2", [0, 1, 2]))
        assert found == [0, 0, BLOCK]

    def test_a_full_host_drops_its_oldest_leaf(self) -> None:
        scene = Scene(3, host=2)
        scene.serve(ask("a", [0, 1, 2]), ask("b", [5, 6, 7]))
        assert [row.block for row in scene.rows(What.SWAPPED_OUT)] == [2, 1, 0]
        assert [row.block for row in scene.rows(What.EVICTED)] == [2]


def test_a_prompt_whose_tokens_are_not_those_of_its_blocks_is_refused() -> None:
    scene = Scene(40)
    with pytest.raises(ValueError, match="9 tokens in 2 blocks of 4"):
        scene.it.request(Request(name="a", tenant="t", blocks=(0, 1), tokens=9))


def test_a_tenant_that_nobody_declared_is_refused() -> None:
    with pytest.raises(ValueError, match="who is unknown"):
        Scene(40).it.request(ask("a", [0], tenant="nobody"))
