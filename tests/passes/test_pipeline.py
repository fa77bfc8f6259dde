import pytest

from mirc.diagnostics import CouldNotRun
from mirc.grammar import parse_schedule
from mirc.ir import Call, Name
from mirc.passes.base import Facts
from mirc.passes.phase_annotator import Phases
from mirc.passes.pipeline import PIPELINE, closure, explain, run
from mirc.passes.reuse import Reuse
from mirc.passes.seeds import Machines, Observed, Options, Schedule
from tests.passes.programs import decoder, machine


def test_every_pass_comes_after_those_whose_facts_it_reads() -> None:
    known: set[type] = {Machines, Observed, Options, Schedule}
    for each in PIPELINE:
        assert set(each.reads) <= known, each.name
        known.add(each.writes)


def test_a_pass_reads_no_fact_that_it_does_not_declare() -> None:
    program = decoder(layers=1)
    facts = Facts.seeded(Machines((machine(1 << 40),)), Schedule(), Options(), Observed())
    for each in PIPELINE:
        declared = Facts.seeded(*(facts[kind] for kind in each.reads))
        facts = facts.having(each.run(program, declared))


def test_one_pass_runs_with_those_that_it_reads_from() -> None:
    assert [each.name for each in closure(("expert-routing",))] == [
        "phase-annotator",
        "expert-routing",
    ]
    facts = run(decoder(layers=1), only=("expert-routing",))
    assert Phases in facts
    assert Reuse not in facts


def test_an_unknown_pass_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(CouldNotRun) as refused:
        run(decoder(layers=1), only=("livenes",))
    assert refused.value.hint == "did you mean `liveness`?"


def test_the_explanation_names_every_pass_and_no_seconds() -> None:
    told: list[str] = []
    facts = run(
        decoder(layers=1), machines=(machine(1 << 20),), timed=lambda name, _: told.append(name)
    )
    lines = list(explain(facts))
    assert [line[:-1] for line in lines if not line.startswith(" ")] == told
    assert told == [each.name for each in PIPELINE]
    assert lines == list(explain(run(decoder(layers=1), machines=(machine(1 << 20),))))


@pytest.mark.parametrize("text", ["prefill, REPEAT(64, decode)", "[prefill, REPEAT(64, decode)]"])
def test_a_schedule_is_read_as_in_a_file(text: str) -> None:
    assert parse_schedule(text) == (Name("prefill"), Call("REPEAT", (64, Name("decode"))))


@pytest.mark.parametrize(
    "text", ["", "a b", "REPEAT(a)", "TIMES(3, a)", "a]\n}\nobject x { class = INPUT }", "{", "3"]
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(CouldNotRun, match="is not a schedule"):
        parse_schedule(text)
