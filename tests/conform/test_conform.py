"""Each controller's verdict on the contract, and the published case in its three behaviours."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from mirc.claims import Answer, Kind, Reason, Terms
from mirc.conform.adapters import ADAPTERS, NAMES, adapter_named
from mirc.conform.clauses import CLAUSES
from mirc.conform.litmus import SUITE
from mirc.conform.orchestrated import Orchestrated
from mirc.conform.outcomes import Outcome, outcomes
from mirc.conform.protocol import Adapter, Setting
from mirc.conform.recency import RecencyWithPriorities, WriteNoAdmit
from mirc.conform.reference import Forgetful, Reference
from mirc.conform.suite import Conformance, Played, Verdict, conform
from mirc.diagnostics import CouldNotRun

PUBLISHED = SUITE[0]
CONFORMING = ("ours", "reference")


def published(adapter: Adapter) -> Played:
    (played,) = conform(adapter, [PUBLISHED]).played
    return played


def numbers(found: Conformance, verdict: Verdict) -> set[int]:
    return {clause.number for clause in CLAUSES if found.verdict(clause) is verdict}


@pytest.mark.mechanism("S4-02")
@pytest.mark.parametrize("name", CONFORMING)
def test_a_controller_of_ours_keeps_every_clause(name: str) -> None:
    found = conform(adapter_named(name))
    assert found.adapter == name
    assert found.broken == ()
    assert numbers(found, Verdict.KEPT) == set(range(1, 22))


@pytest.mark.mechanism("S4-02")
def test_the_broken_one_fails_and_the_clauses_are_named() -> None:
    found = conform(Forgetful())
    assert {4, 5, 13, 17, 19} <= numbers(found, Verdict.BROKEN)
    told = {(clause.number, litmus.title, sentence) for clause, litmus, sentence in found.broken}
    assert (
        5,
        "80 blocks, 60 claimed, 70 active",
        "70 active blocks are admitted beside 60 claimed of 80",
    ) in told
    left = "block `p59` of the hard claim `prompt` leaves"
    assert (4, "80 blocks, 60 claimed, 70 active", left) in told


@pytest.mark.parametrize("adapter", [RecencyWithPriorities(), WriteNoAdmit()])
def test_who_makes_no_promises_breaks_none(adapter: Adapter) -> None:
    found = conform(adapter)
    assert found.broken == ()
    assert numbers(found, Verdict.KEPT) == {1, 19}


@pytest.mark.mechanism("S4-07", "S4-02", "S4-08")
def test_recency_lets_active_work_evict_fifty_of_the_sixty() -> None:
    played = published(RecencyWithPriorities())
    assert played.outcomes == ((Outcome.SOFT_PRIORITY, 50),)


@pytest.mark.mechanism("S4-07", "S4-02", "S4-08")
def test_write_no_admit_alone_still_lets_active_work_evict_fifty() -> None:
    played = published(WriteNoAdmit())
    assert played.outcomes == ((Outcome.SOFT_PRIORITY, 50), (Outcome.WRITE_NO_ADMIT, 70))


@pytest.mark.mechanism("S4-07", "S3-19", "S4-02", "S4-08")
@pytest.mark.parametrize("name", CONFORMING)
def test_a_hard_claim_turns_the_same_pressure_into_a_refusal_that_names_it(name: str) -> None:
    played = published(adapter_named(name))
    assert played.outcomes == ((Outcome.HARD_CLAIM, 1), (Outcome.ACTIVE_REFUSAL, 1))
    (denied,) = (event for event in played.log if event.kind is Kind.DENIED)
    assert denied.reason == Reason.CLAIMED
    assert denied.blockers == ("prompt",)
    assert denied.for_whom == "prefill"


@pytest.mark.mechanism("S4-08", "S4-02")
@pytest.mark.parametrize("name", CONFORMING)
def test_every_case_shows_its_outcome_in_the_log_alone(name: str) -> None:
    found = conform(adapter_named(name))
    for played in found.played:
        told = {named.outcome for named in outcomes(played.log)}
        assert played.litmus.shows in told, played.litmus.title
    # With what the two other behaviours show, every outcome has its case.
    shown = {outcome for played in found.played for outcome, _ in played.outcomes}
    others = {outcome for outcome, _ in published(WriteNoAdmit()).outcomes}
    assert shown | others == set(Outcome) - {Outcome.BROKEN_PROMISE}
    assert Outcome.BROKEN_PROMISE not in shown


@pytest.mark.mechanism("S4-04")
@pytest.mark.parametrize("make", ADAPTERS)
def test_the_same_suite_gives_the_same_verdict(make: type[Reference]) -> None:
    assert conform(make()) == conform(make())


def test_a_request_of_ours_that_would_wait_is_not_taken_in() -> None:
    ours = Orchestrated()
    ours.open(Setting(capacity=8))
    assert ours.active("first", ["a", "b", "c", "d", "e", "f"])
    assert not ours.active("second", ["x", "y", "z"])
    denied = ours.events()[-1]
    assert (denied.kind, denied.for_whom, denied.blockers) == (Kind.DENIED, "second", ("first",))
    ours.finish("first")
    assert sorted(map(str, ours.resident())) == ["a", "b", "c", "d", "e", "f"]
    assert ours.active("second", ["x", "y", "z"])


def test_the_clauses_are_numbered_from_one() -> None:
    assert [clause.number for clause in CLAUSES] == list(range(1, 22))
    assert len({clause.title for clause in CLAUSES}) == 21
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("claim", None),
        ("claim", {"prompt": "yes"}),
        ("release", None),
        ("fail", True),
        ("resident", None),
        ("resident", [["p0"]]),
        ("events", None),
        ("events", ["ACCEPTED"]),
    ],
)
def test_an_answer_of_another_kind_is_the_adapters_fault(method: str, answer: object) -> None:
    class Odd(Reference):
        pass

    setattr(Odd, method, lambda *_: answer)
    with pytest.raises(CouldNotRun, match=f"failed in `{method}`: TypeError"):
        conform(Odd())


class Ends(BaseException):
    """Not an `Exception`, as what ends threads and tasks elsewhere is not."""


@pytest.mark.parametrize("ending", [SystemExit, GeneratorExit, Ends])
def test_an_adapter_that_ends_the_process_does_not_pass(ending: type[BaseException]) -> None:
    class Quits(Reference):
        def advance(self, now: int) -> None:
            raise ending(now * 0)

    said = f"the adapter `reference` failed in `advance`: {ending.__name__}: 0"
    with pytest.raises(CouldNotRun, match=said):
        conform(Quits())


def test_a_module_that_ends_the_process_is_no_adapter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quitting_adapter.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CouldNotRun, match="cannot import the adapter `quitting_adapter:x`: System"):
        adapter_named("quitting_adapter:x")


def test_an_adapter_in_which_somebody_presses_a_key_is_interrupted() -> None:
    class Slow(Reference):
        def advance(self, now: int) -> None:
            raise KeyboardInterrupt(now)

    with pytest.raises(KeyboardInterrupt):
        conform(Slow())


def test_a_claim_that_is_not_answered_breaks_clause_1() -> None:
    class Mute(Reference):
        def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
            return {} if batch else super().claim(batch)

    assert numbers(conform(Mute()), Verdict.BROKEN) == {1}


class Silent(Reference):
    """It makes no promises softly, takes none back, and says so without an event."""

    def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
        asked = [terms for terms in batch if terms.hard]
        unsaid = {terms.name: Answer.UNSUPPORTED for terms in batch if not terms.hard}
        return {**super().claim(asked), **unsaid}

    def release(self, name: str, holder: str) -> Answer:
        del name, holder
        return Answer.UNSUPPORTED

    def fail(self, name: str, why: str) -> Answer:
        del name, why
        return Answer.UNSUPPORTED


@pytest.mark.mechanism("S4-02")
def test_unsupported_breaks_no_clause_and_needs_no_event() -> None:
    found = conform(Silent())
    assert found.broken == ()
    assert numbers(found, Verdict.NOT_OFFERED) == {7, 8, 9, 11, 13, 21}
    assert numbers(found, Verdict.KEPT) >= {1, 2, 3, 4, 5, 6, 10, 12, 16, 19, 20}


def test_unsupported_beside_an_event_that_says_otherwise_breaks_clause_1() -> None:
    class Wavering(Reference):
        def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
            return dict.fromkeys(super().claim(batch), Answer.UNSUPPORTED)

    assert 1 in numbers(conform(Wavering()), Verdict.BROKEN)
