"""One object's story: where it was, what moved it, for whom, and why, from the log of a run."""

import json
from pathlib import Path

import attrs
import pytest
from jsonschema import Draft202012Validator

from mirc.controller.stage import Happening
from mirc.diagnostics import CouldNotRun
from mirc.kernels.events import EVENT, Kind, Reason
from mirc.report.why import REASONS, WORDS, Story, as_object, as_text, asked, story
from mirc.simulate.engine import simulate
from mirc.traces.events import EventHeader, EventLog
from tests.simulate.scenes import Step, machine, rows, workload

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "why-1.schema.json"
SILENT = {Kind.STEP, Kind.ROOM, Kind.END}  # they are of no object


def _log(policy: str = "lru", steps: int = 6) -> EventLog:
    """Two objects of 60 take turns in a near memory of 100; each crosses in 60 us."""
    played = [Step(reads=[step % 2], position=step, compute_ps=0) for step in range(steps)]
    load = workload([60, 60], [False, False], played)
    found = simulate(load, rows(load), machine(100, in_rate=1e6), policy, record_events=True)
    assert found.events is not None
    header = EventHeader(
        machine="bench",
        policy=policy,
        columns=tuple(EVENT.names or ()),
        kinds=tuple(kind.name for kind in Kind),
        reasons=tuple(reason.name for reason in Reason),
        memories=("hbm", "dram"),
        phases=load.phase_names,
        objects=load.names,
    )
    return EventLog(header, found.events.tolist())


def _tell(text: str, *happenings: Happening, steps: int = 6) -> Story:
    return story(_log(steps=steps), happenings, asked(text))


def test_there_are_words_for_whatever_the_log_can_say() -> None:
    assert set(WORDS) == {kind.name for kind in Kind if kind not in SILENT}
    assert set(REASONS) == {reason.name for reason in Reason}


def test_a_story_says_what_moved_the_object_and_for_whom() -> None:
    text = as_text([_tell("o0")])
    assert "`o0` on bench under lru" in text
    assert "step 0 (0, its step 0), 0 ps: takes 60 B of hbm, to come from dram" in text
    assert (
        "step 1 (0, its step 1), 60.00 us: leaves hbm, where its copy was clean, for `o1`, "
        "because a step needs the room"
    ) in text
    assert "step 2 (0, its step 2), 120.0 us: for its sake, `o1` leaves hbm" in text


def test_a_story_of_one_step_begins_with_where_the_object_was() -> None:
    found = _tell("o1@2")
    assert (found.before, found.since is not None and found.since.kind) == ("near", "LAND")
    assert {each.step for each in found.told} == {2}
    assert "when step 2 began it was near, since step 1: it has arrived in hbm" in as_text([found])
    away = _tell("o1@3")
    assert (away.before, away.since is not None and away.since.other) == ("not near", "o0")


def test_what_a_stage_did_stands_before_the_step_that_it_preceded() -> None:
    row = Happening(
        time_ps=120_000_000, step=2, actor="faults", what="fail", object="o1", detail="once"
    )
    told = _tell("o1", row).told
    place = next(number for number, each in enumerate(told) if each.by == "faults")
    assert told[place - 1].step == 1
    assert told[place + 1].step >= 2
    assert "faults: fail; once" in as_text([_tell("o1", row)])


def test_what_a_stage_did_is_told_of_all_that_it_concerns() -> None:
    signal = Happening(
        time_ps=0, step=0, actor="signals", what="begin", detail="on TURN", covers=("o1", "o2")
    )
    assert "signals: begin; on TURN" in as_text([_tell("o1", signal)])
    assert "signals" not in as_text([_tell("o0", signal)])
    granted = Happening(
        time_ps=0, step=0, actor="claims", what="accepted", outcome="kept", covers=("o1",)
    )
    assert "claims: claim `kept` accepted\n" in as_text([_tell("o1", granted)])


def test_a_loss_is_told_to_the_one_that_lost_and_to_the_one_that_took() -> None:
    claim = Happening(
        time_ps=0, step=1, actor="claims", what="lost", object="o0", outcome="c", for_whom="o1"
    )
    pin = attrs.evolve(claim, actor="promises", what="soft pin", outcome="lost")
    lost = as_text([_tell("o0", claim, pin)])
    assert "claims: claim `c` lost, for `o1`\n" in lost
    assert "promises: soft pin lost, for `o1`\n" in lost
    took = as_text([_tell("o1", claim, pin)])
    assert "claims: for its sake, of `o0`: claim `c` lost\n" in took
    assert "promises: for its sake, of `o0`: soft pin lost\n" in took


def test_a_long_story_is_cut_in_the_middle_and_says_so() -> None:
    text = as_text([_tell("o0", steps=60)])
    assert "more; `--output-format json` tells all" in text
    assert len(text.splitlines()) == 62


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("o11", "there is no object `o11` in this run", "did you mean `o1`?"),
        ("weights", "there is no object `weights` in this run", "name one of the file's"),
        ("o0@x", "`x` is not a step", "write OBJECT or OBJECT@STEP"),
        ("o0@99", "the run has no step 99", "choose one from 0 to 5"),
    ],
)
def test_what_does_not_exist_is_refused(text: str, message: str, hint: str) -> None:
    with pytest.raises(CouldNotRun) as refused:
        _tell(text)
    assert refused.value.message == message
    assert hint in str(refused.value.hint)


def test_the_json_form_follows_its_schema_and_leaves_nothing_out() -> None:
    stories = [_tell("o0", steps=60), _tell("o1@3")]
    found = json.loads(json.dumps(as_object(stories)))
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(found)
    assert len(found["stories"][0]["told"]) == len(stories[0].told) > 62
