"""A file's claims in a run: asked for at load, kept if hard, said when soft and lost."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import attrs
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from mirc.claims import Block, Ledger, Terms
from mirc.controller.ingest import ingest
from mirc.controller.stage import Happening, Stage
from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.ir.enums import Guarantee
from mirc.kernels.events import Kind
from mirc.kernels.world import NEVER, World
from mirc.packed.pack import seal
from mirc.report import json_form
from mirc.report import text as text_form
from mirc.report.claims import claim_lines, claim_objects
from mirc.simulate.claims import Beside, ClaimStage, broken_claims
from mirc.simulate.comparison import compare
from mirc.simulate.engine import simulate
from mirc.simulate.faults import fault_of
from mirc.simulate.model import Outcome, Workload
from mirc.simulate.stages import stages_of
from mirc.simulate.study import Study
from tests.simulate.scenes import Step, machine, rows, workload
from tests.simulate.toy import GB, card, cycle, scenario, weights

LAPS = "REPEAT(5, decode)"
# Three weights of 1 GB stay in 4 GB, if the last step did not use two more at once.
TIGHT = (
    weights(4)
    + """phase decode {
  step s0 { reads = [w0] }
  step s1 { reads = [w1] }
  step s2 { reads = [w2, w3] }
}
"""
)


def claim(name: str, over: str, *terms: str) -> str:
    said = "  ".join(terms)
    return f"claim {name} {{ holder = gateway  objects = [{over}]  {said} }}\n"


HARD = ("guarantee = HARD", "on_loss = REFUSE_OTHERS")


def run(text: str, *faults: str, near: int = 3 * GB, schedule: str = LAPS) -> Outcome:
    machine = card(near)
    found = scenario(text, machine=machine, schedule=schedule)
    packed = seal(load(Source("toy.mir", f"mir 1.0\n{text}")))
    known = ingest(packed, machine, None, found.workload.names, found.runs)
    stages = stages_of(
        packed,
        found,
        known,
        machine,
        policy="intent",
        plan=None,
        faults=tuple(map(fault_of, faults)),
    )
    return simulate(
        found.workload,
        known,
        machine,
        "intent",
        record_events=True,
        stages=stages,
        path="python",
    )


def leavings(outcome: Outcome) -> Counter[int]:
    assert outcome.events is not None
    gone = outcome.events[outcome.events["kind"] == Kind.DROP]
    return Counter(gone["object"].tolist())


def told(outcome: Outcome) -> list[tuple[str, str, str, int]]:
    return [(each.what, each.outcome, each.object, each.step) for each in outcome.happenings]


@pytest.mark.mechanism("S4-01", "S3-19")
def test_what_is_claimed_hard_never_leaves_and_without_the_claim_it_does() -> None:
    free = run(cycle(5))
    victim = leavings(free).most_common(1)[0][0]
    held = run(cycle(5) + claim("kept", f"w{victim}", *HARD))
    assert leavings(free)[victim] > 0
    assert leavings(held)[victim] == 0
    assert sum(leavings(held).values()) > 0
    assert held.path == "python + claims"
    assert [row[:3] for row in told(held)] == [
        ("requested", "kept", ""),
        ("accepted", "kept", ""),
        ("materialized", "kept", ""),
    ]


def test_a_run_that_is_stuck_names_what_a_claim_a_pin_and_the_step_itself_hold() -> None:
    text = TIGHT.replace("1_000_000_000 }", "1_000_000_000  pin_level = WIRED }", 1)
    with pytest.raises(CouldNotRun, match="step 2 waits for room for `w3`") as caught:
        run(text + claim("kept", "w1", *HARD), "shrink:hbm=3GB@2", near=4 * GB)
    assert caught.value.message.endswith(
        "nothing else may leave: `w0` of 1_000_000_000 bytes by its pin, or as it is never to be "
        "spilled, `w1` of 1_000_000_000 bytes by a claim, `w2` of 1_000_000_000 bytes by the step "
        "itself"
    )


@pytest.mark.mechanism("S4-06")
def test_a_claim_that_would_stop_the_run_is_refused() -> None:
    # The last step needs 2 of 3 GB: one may be claimed, and what it uses itself counts once.
    refused = run(TIGHT + claim("two", "w0, w1", *HARD))
    assert [row[0] for row in told(refused)] == ["requested", "refused"]
    assert refused.happenings[1].detail == "ACTIVE_NEEDS: 1_000_000_000 bytes short"
    assert [row[0] for row in told(run(TIGHT + claim("own", "w2, w3", *HARD)))] == [
        "requested",
        "accepted",
        "materialized",
    ]


def test_of_two_claims_the_higher_priority_is_granted_and_named_to_the_other() -> None:
    text = TIGHT + claim("low", "w0", *HARD, "priority = 10") + claim("high", "w1", *HARD)
    outcome = run(text)
    first = [row for row in outcome.happenings if row.step == 0]
    assert [(row.what, row.outcome, row.detail) for row in first] == [
        ("requested", "high", "1 object, 1_000_000_000 bytes"),
        ("accepted", "high", "1 object, 1_000_000_000 bytes"),
        ("requested", "low", "1 object, 1_000_000_000 bytes"),
        ("refused", "low", "CLAIMED: `high` is in the way, 1_000_000_000 bytes short"),
    ]


def test_a_refusal_names_what_must_be_held_and_how_much_is_missing() -> None:
    # `big` is never spilled: of 3 GB it leaves 1, and two are claimed.
    text = cycle(3) + (
        "object big { class = KV_BLOCK  size_bytes = 2GB  spill_policy = NEVER }\n"
        "phase made { step m { writes = [big] } }\n"
    )
    outcome = run(text + claim("two", "w0, w1", *HARD), schedule="made")
    (refused,) = [row for row in outcome.happenings if row.what == "refused"]
    assert refused.detail == "MUST_HOLD: `big` is in the way, 1_000_000_000 bytes short"


@pytest.mark.mechanism("S3-19")
def test_of_soft_claims_the_weaker_loses_and_hears_for_whom() -> None:
    weak = claim("weak", "w0", "priority = 10")
    outcome = run(TIGHT + weak + claim("strong", "w1", "priority = 90"))
    lost = [row for row in outcome.happenings if row.what == "lost"]
    assert [(row.outcome, row.object) for row in lost] == [("weak", "w0")]
    assert lost[0].for_whom in {"w2", "w3"}
    assert lost[0].step == 3  # within step 2 they needed its room
    assert leavings(outcome)[1] == 0
    # The other way round it is the other one.
    turned = run(TIGHT + weak.replace("10", "95") + claim("strong", "w1", "priority = 90"))
    assert [row.outcome for row in turned.happenings if row.what == "lost"] == ["strong"]
    assert leavings(turned)[0] == 0


def test_a_claim_that_asks_for_it_is_demoted_and_comes_back() -> None:
    text = TIGHT + claim("weak", "w0", "on_loss = DEMOTE") + claim("s", "w1", "priority = 90")
    outcome = run(text)
    turns = [row.what for row in outcome.happenings if row.outcome == "weak"]
    assert turns[:6] == [
        "requested",
        "accepted",
        "materialized",
        "demoted",
        "materialized",
        "demoted",
    ]
    assert {row.object for row in outcome.happenings if row.what == "demoted"} == {"w0"}


@pytest.mark.parametrize("terms", [("until = 2500ms",), ("retain_us = 2500ms",)])
def test_a_claim_ends_with_its_time(terms: tuple[str, ...]) -> None:
    outcome = run(cycle(5) + claim("kept", "w0", *HARD, *terms))
    (ended,) = [row for row in outcome.happenings if row.what == "expired"]
    assert ended.detail == "TIME, 1 object, 1_000_000_000 bytes"
    before = [row for row in outcome.happenings if row.step < ended.step]
    assert ended.time_ps >= 2_500_000_000_000
    assert before[-1].what == "materialized"


def test_a_claim_ends_with_its_event() -> None:
    text = weights(2) + (
        "phase decode { step s0 { reads = [w0]  raises = [TURN_OVER] }\n"
        "step s1 { reads = [w1] } }\n"
    )
    outcome = run(text + claim("kept", "w0", *HARD, "until = TURN_OVER"))
    (ended,) = [row for row in outcome.happenings if row.what == "expired"]
    assert ended.step == 1
    assert ended.detail.startswith("EVENT")


def test_an_object_can_say_who_claims_it_and_a_claim_how_many() -> None:
    text = (
        cycle(5)
        .replace("object w0 {", "object w0 { claimed_by = some ")
        .replace("object w1 {", "object w1 { claimed_by = some ")
    )
    both = run(text + "claim some { holder = gateway }\n")
    one = run(text + "claim some { holder = gateway  blocks = 1 }\n")
    assert both.happenings[0].detail == "2 objects, 2_000_000_000 bytes"
    assert one.happenings[0].detail == "1 object, 1_000_000_000 bytes"


def test_a_claim_in_another_tier_or_on_nothing_is_said_or_not_there() -> None:
    other = run(cycle(3) + claim("far", "w0", "tiers = [DRAM]"))
    assert [row.what for row in other.happenings] == ["requested", "unsupported"]
    assert run(cycle(3) + "claim none { holder = gateway }\n").path == "python"


def test_a_tenants_quota_bounds_its_hard_claims() -> None:
    text = cycle(3) + "tenant t { quota_bytes = 500_000_000 }\n"
    outcome = run(text + claim("kept", "w0", *HARD, "tenant_id = t"))
    assert [row.detail for row in outcome.happenings if row.what == "refused"] == [
        "QUOTA: 500_000_000 bytes short"
    ]


def test_a_claim_ends_with_the_tenant_whose_objects_it_covers() -> None:
    text = "tenant t { quota_bytes = 3GB }\n" + cycle(5).replace(
        "object w0 {", "object w0 { tenant_id = t "
    )
    outcome = run(text + claim("kept", "w0", *HARD), "end:t@12")
    rows = [row for row in outcome.happenings if row.actor == "claims"]
    assert [row.what for row in rows] == ["requested", "accepted", "materialized", "expired"]
    assert (rows[-1].step, rows[-1].detail) == (12, "LIFE, 1 object, 1_000_000_000 bytes")
    assert broken_claims(outcome.happenings) == ()


def holding(load: Workload, lives: dict[int, list[int]]) -> ClaimStage:
    """Return a stage that claims the first object hard, for whoever."""
    none = np.empty(0, dtype=np.int64)
    block = Block(0, int(load.size_bytes[0]))
    return ClaimStage(
        [Terms(name="kept", holder="x", blocks=(block,), guarantee=Guarantee.HARD)],
        names=load.names,
        beside=Beside(
            step=none, object=none, size_bytes=load.size_bytes, transient_bytes=load.transient_bytes
        ),
        ends={},
        lives=lives,
        ledger=Ledger(),
    )


@pytest.mark.parametrize("made", [True, False])
def test_what_a_step_ends_ends_its_claim_and_breaks_nothing_and_is_let_go(made: bool) -> None:  # noqa: FBT001
    # A weight has a master below, which stays; what the run made is gone altogether.
    first = Step(creates=[0]) if made else Step(reads=[0])
    steps = [first, Step(reads=[1], retires=[0], position=1), Step(reads=[1], position=2)]
    load = workload([40, 60], [made, False], [*steps, Step(reads=[1], position=3)])
    stage = holding(load, {2: [0]})
    outcome = simulate(
        load, rows(load), machine(100), "intent", record_events=True, path="python", stages=[stage]
    )
    assert [(row.what, row.step) for row in outcome.happenings] == [
        ("requested", 0),
        ("accepted", 0),
        ("materialized", 1),
        ("expired", 2),
    ]
    assert outcome.happenings[-1].detail == "LIFE, 1 object, 40 bytes"
    assert stage.due(3) == NEVER


@attrs.frozen
class Releasing:
    """The holder of a claim, who gives it back before a step."""

    stage: ClaimStage
    at: int
    name: str = "holder"

    def due(self, step: int) -> int:
        return self.at if step <= self.at else NEVER

    def act(self, w: World, step: int) -> Iterator[Happening]:
        del w, step
        self.stage.ledger.release("kept", "x")
        return iter(())


def test_what_its_holder_gives_back_in_mid_run_is_let_go() -> None:
    # One of 60 fits beside what is claimed; without the claim it leaves for the others.
    steps = [Step(reads=[max(0, p % 3)], position=p % 3) for p in range(12)]
    load = workload([40, 60, 60], [False] * 3, steps)
    stage = holding(load, {})
    stages: list[Stage] = [stage, Releasing(stage, 6)]
    outcome = simulate(
        load, rows(load), machine(100), "intent", record_events=True, path="python", stages=stages
    )
    assert [(row.what, row.step) for row in outcome.happenings][-1] == ("released", 7)
    assert outcome.events is not None
    left = outcome.events[(outcome.events["kind"] == Kind.DROP) & (outcome.events["object"] == 0)]
    assert left["step"].min() >= 7


def test_what_ends_while_it_is_copied_down_ends_its_claim_and_breaks_nothing() -> None:
    # o0 is copied down after step 0, which takes 60 us; step 1 ends its life within them.
    steps = [Step(creates=[0]), Step(retires=[0], position=1), Step(position=2), Step(position=3)]
    load = workload([60], [True], steps)
    stage = holding(load, {2: [0]})
    known = rows(load, departs=[0])
    where = machine(100, out_rate=1e6)
    outcome = simulate(load, known, where, "intent", record_events=True, stages=[stage])
    assert outcome.events is not None
    assert Kind.COPY in outcome.events["kind"]
    assert [(row.what, row.detail) for row in outcome.happenings[-2:]] == [
        ("materialized", "1 object, 60 bytes"),
        ("expired", "LIFE, 1 object, 60 bytes"),
    ]


@pytest.mark.mechanism("S3-19")
def test_a_hard_claim_that_lost_something_is_a_broken_contract() -> None:
    row = Happening(
        time_ps=1, step=7, actor="claims", what="broken", object="w0", outcome="kept", for_whom="x"
    )
    assert broken_claims([row]) == (
        "`w0`, which the claim `kept` holds, left near memory before step 7",
    )
    assert broken_claims(run(cycle(5) + claim("kept", "w0", *HARD)).happenings) == ()


def test_the_report_tells_what_became_of_each_claim() -> None:
    text = TIGHT + claim("big", "w0, w1", *HARD) + claim("weak", "w0")
    machine = card(3 * GB)
    found = scenario(text, machine=machine, schedule=LAPS)
    packed = seal(load(Source("toy.mir", f"mir 1.0\n{text}")))
    comparison = compare(packed, found, machine, ["lru", "intent"])
    rows = comparison.rows
    big, weak = claim_lines(rows)
    assert big == (
        "claim `big`: refused (ACTIVE_NEEDS: 1_000_000_000 bytes short) before step 0, at 0 ps"
    )
    assert weak.startswith(
        "claim `weak`: accepted (1 object, 1_000_000_000 bytes) before step 0, at 0 ps; "
        "materialized (1 object, 1_000_000_000 bytes) before step 1, at "
    )
    objects = json.loads(json.dumps(claim_objects(rows)))
    assert [each["claim"] for each in objects] == ["big", "weak"]
    assert objects[0]["events"][1] == {
        "time_ps": 0,
        "step": 0,
        "what": "refused",
        "object": "",
        "for_whom": "",
        "detail": "ACTIVE_NEEDS: 1_000_000_000 bytes short",
    }
    study = Study(title="toy", seed=0, configuration=f"sha256:{0:064x}", comparisons=(comparison,))
    report = json_form.as_object(study, version="0")
    assert report["machines"][0]["claims"] == claim_objects(rows)
    schema = Path(__file__).parents[2] / "docs/schemas/simulate-1.schema.json"
    Draft202012Validator(json.loads(schema.read_text("utf-8"))).validate(report)
    assert big in text_form.as_text(study)
