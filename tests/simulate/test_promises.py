"""Soft pins and dwell timers in a run: each loss is a row of the audit, told by the report."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from mirc.controller.ingest import ingest
from mirc.controller.stage import Happening
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.kernels.events import Kind
from mirc.packed.pack import seal
from mirc.report import json_form
from mirc.report import text as text_form
from mirc.report.promises import promise_lines, promise_objects
from mirc.simulate.comparison import compare
from mirc.simulate.engine import simulate
from mirc.simulate.model import Outcome
from mirc.simulate.stages import stages_of
from mirc.simulate.study import Study
from tests.simulate.toy import GB, card, cycle, scenario

SCHEMA = Path(__file__).parents[2] / "docs/schemas/simulate-1.schema.json"


def run(text: str, *, near: int = 3 * GB, laps: int = 4) -> Outcome:
    where = card(near)
    found = scenario(text, machine=where, schedule=f"REPEAT({laps}, decode)")
    packed = seal(load(Source("toy.mir", f"mir 1.0\n{text}")))
    known = ingest(packed, where, None, found.workload.names, found.runs)
    stages = stages_of(packed, found, known, where, policy="intent", plan=None)
    return simulate(
        found.workload, known, where, "intent", record_events=True, stages=stages, path="python"
    )


def said(text: str, which: range, field: str) -> str:
    for number in which:
        text = text.replace(f"object w{number} {{", f"object w{number} {{ {field} ")
    return text


def of(outcome: Outcome, what: str) -> list[Happening]:
    return [each for each in outcome.happenings if each.outcome == what]


def departures(outcome: Outcome) -> list[tuple[int, int]]:
    assert outcome.events is not None
    gone = outcome.events[outcome.events["kind"] == Kind.DROP]
    return list(zip(gone["object"].tolist(), gone["step"].tolist(), strict=True))


@pytest.mark.mechanism("S2-19")
def test_every_loss_of_a_soft_pin_is_a_row_before_the_next_step_and_says_for_whom() -> None:
    # All five are pinned, and three fit: the pins must yield, and none does in silence.
    outcome = run(said(cycle(5), range(5), "pin_level = SOFT"))
    gone = [(f"w{o}", step + 1) for o, step in departures(outcome) if step < 19]
    lost = [(each.object, each.step) for each in of(outcome, "lost")]
    assert gone
    assert lost == gone
    assert all(each.for_whom and each.what == "soft pin" for each in of(outcome, "lost"))
    assert outcome.path == "python + promises"


def test_a_pin_that_others_make_room_for_is_not_lost() -> None:
    outcome = run(said(cycle(5), range(1), "pin_level = SOFT"))
    assert [(each.object, each.outcome) for each in outcome.happenings] == [("w0", "begins")]
    assert departures(outcome)


def test_a_pin_holds_in_the_phases_that_say_so() -> None:
    steps = "step t { reads = [w0] }\n  step u { reads = [w1] }"
    text = cycle(5) + f"phase other {{ override w0 {{ pin_level = SOFT }}\n  {steps} }}\n"
    where = card(3 * GB)
    found = scenario(text, machine=where, schedule="other, decode, other")
    packed = seal(load(Source("toy.mir", f"mir 1.0\n{text}")))
    known = ingest(packed, where, None, found.workload.names, found.runs)
    stages = stages_of(packed, found, known, where, policy="intent", plan=None)
    outcome = simulate(found.workload, known, where, "intent", stages=stages, path="python")
    assert [(each.outcome, each.step) for each in outcome.happenings][:2] == [
        ("begins", 1),
        ("ends", 2),
    ]


@pytest.mark.mechanism("S2-12")
def test_a_loss_within_the_dwell_is_a_row_and_one_after_it_is_none() -> None:
    text = cycle(5)
    short = run(said(text, range(5), "dwell_steps = 1"), laps=6)
    long = run(said(text, range(5), "dwell_steps = 9"), laps=6)
    assert len(departures(short)) > 3
    lost = [(each.object, each.step) for each in of(long, "lost")]
    assert lost == [(f"w{o}", step + 1) for o, step in departures(long) if step < 29]
    # A dwell of one run ends with the run: what leaves later is no loss.
    kept = {(each.object, each.step) for each in of(short, "lost")}
    over = {(each.object, each.step) for each in of(short, "ends")}
    assert over
    assert all(each.step % 5 == 0 for each in of(short, "ends"))
    after = [(f"w{o}", step + 1) for o, step in departures(short)]
    assert set(after) - kept
    for each in of(short, "lost"):
        begun = [row.step for row in of(short, "begins") if row.object == each.object]
        last = max(step for step in begun if step < each.step)
        assert (last - 1) // 5 == (each.step - 1) // 5  # it was lost in the run that brought it


@pytest.mark.mechanism("S2-12")
def test_what_dwells_stays_while_something_else_may_leave_and_is_free_after() -> None:
    text = cycle(5)
    free = run(text)
    victim = departures(free)[0][0]
    dwelt = run(said(text, range(victim, victim + 1), "dwell_steps = 2"))
    (ended, *_) = of(dwelt, "ends")
    assert not of(dwelt, "lost")
    assert [step for o, step in departures(dwelt) if o == victim and step < ended.step] == []
    assert [step for o, step in departures(free) if o == victim and step < ended.step]


def test_what_comes_and_goes_within_one_step_is_lost_all_the_same() -> None:
    # The prefetcher of a long step brings in more than fits: some leave before the step ends.
    sizes = "".join(
        f"object w{i} {{ class = WEIGHT_TILE size_bytes = 1GB dwell_steps = 1 }}\n"
        for i in range(8)
    )
    steps = "".join(
        f"  step s{i} {{ reads = [w{i}]  flops = 9_000_000_000_000 }}\n" for i in range(8)
    )
    outcome = run(f"{sizes}phase decode {{\n{steps}}}\n", laps=5)
    begun = [(each.object, each.step) for each in of(outcome, "begins")]
    over = of(outcome, "lost") + of(outcome, "ends")
    gone = [(f"w{o}", step + 1) for o, step in departures(outcome) if step < 39]
    assert len(begun) - len(over) <= 3  # what is near at the end dwells on
    told = {(each.object, each.step) for each in of(outcome, "lost")}
    after = {(each.object, each.step) for each in of(outcome, "ends")}
    for name, step in gone:
        ended = [s for o, s in after if o == name and s < step]
        assert (name, step) in told or ended


def test_the_report_counts_the_losses_in_text_and_json() -> None:
    text = said(cycle(5), range(5), "pin_level = SOFT dwell_steps = 2")
    where = card(3 * GB)
    found = scenario(text, machine=where, schedule="REPEAT(4, decode)")
    packed = seal(load(Source("toy.mir", f"mir 1.0\n{text}")))
    comparison = compare(packed, found, where, ["lru", "intent"])
    pins, dwells = promise_lines(comparison.rows)
    assert pins.startswith("soft pin: began ")
    assert "; lost `w" in pins
    assert dwells.startswith("dwell: began ")
    study = Study(title="toy", seed=0, configuration=f"sha256:{0:064x}", comparisons=(comparison,))
    report = json.loads(json.dumps(json_form.as_object(study, version="0")))
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(report)
    told = report["machines"][0]["promises"]
    assert told == json.loads(json.dumps(promise_objects(comparison.rows)))
    assert [each["promise"] for each in told] == ["soft pin", "dwell"]
    assert told[0]["losses"][0]["for_whom"].startswith("w")
    assert [row["path"] for row in report["machines"][0]["policies"]] == [
        "python",
        "python + promises",
    ]
    assert "  path: python (lru); python + promises (intent)\n" in text_form.as_text(study)
    assert pins in text_form.as_text(study)
