"""The five rooms of the controller's loop: their order, their messages, each of them exchanged."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from mirc.controller import turn
from mirc.controller.messages import FETCH, REST, Order, Seen, Verdict, Wish
from mirc.kernels.events import NEEDED, TOO_EARLY, Kind, Reason
from mirc.kernels.world import NEVER, NONE, World
from mirc.simulate.engine import simulate
from mirc.simulate.model import Outcome
from tests.simulate.scenes import Step, machine, rows, workload

LETTER = {"survey": "o", "wanted": "S", "judge": "V", "arrange": "A", "carry_out": "X"}


def _run() -> Outcome:
    """Six weights of 100 in turn through room for three, 25 us a transfer, 100 us a step."""
    steps = [Step(reads=[o], position=o, compute_ps=100_000_000) for o in range(6)] * 3
    load = workload([100] * 6, [False] * 6, steps)
    known = rows(load, first_us={0: {o: 100.0 * o for o in range(6)}}, period_us=600.0)
    where = machine(300, in_rate=4e6)
    return simulate(load, known, where, "intent", record_events=True, path="python")


def _swap(
    monkeypatch: pytest.MonkeyPatch, room: str, made: Callable[[Callable[..., Any]], Any]
) -> None:
    monkeypatch.setattr(turn, room, made(getattr(turn, room)))


@pytest.mark.mechanism("S1-07")
def test_every_decision_passes_observe_score_veto_schedule_execute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed: list[tuple[str, type]] = []

    def heard(room: str) -> Callable[[Callable[..., Any]], Any]:
        def made(old: Callable[..., Any]) -> Any:
            def new(*given: Any) -> Any:
                answer = old(*given)
                passed.append((room, type(answer)))
                return answer

            return new

        return made

    for room in LETTER:
        _swap(monkeypatch, room, heard(room))
    assert _run().prefetches.issued > 0
    turns = "".join(LETTER[room] for room, _ in passed)
    assert re.fullmatch(r"(oSoVA(XoVA)*X+)+", turns), turns
    assert dict(passed) == {
        "survey": Seen,
        "wanted": Wish,
        "judge": Verdict,
        "arrange": Order,
        "carry_out": bool,
    }


@pytest.mark.mechanism("S1-07")
def test_a_score_that_wants_nothing_leaves_all_to_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "wanted", lambda _w, _seen: Wish(NONE, NEVER))
    assert _run().prefetches.issued == 0


@pytest.mark.mechanism("S1-07")
def test_a_veto_that_grants_nothing_turns_every_wish_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        turn, "judge", lambda _w, _seen, wish: Verdict(wish.object, wish.wait_ps, TOO_EARLY, 0)
    )
    found = _run()
    assert found.prefetches.issued == 0
    assert found.events is not None
    assert Reason.TOO_EARLY in found.events["reason"][found.events["kind"] == Kind.REFUSE]


@pytest.mark.mechanism("S1-07")
def test_a_schedule_that_displaces_nobody_fetches_what_has_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def only_room(_w: World, verdict: Verdict) -> Order:
        act = FETCH if verdict.fits and verdict.object != NONE else REST
        return Order(act, verdict.object, NONE, NEEDED)

    assert Reason.FARTHER in _reasons(_run())
    monkeypatch.setattr(turn, "arrange", only_room)
    found = _run()
    assert found.prefetches.issued > 0
    assert Reason.FARTHER not in _reasons(found)


@pytest.mark.mechanism("S1-07")
def test_an_execute_that_does_nothing_moves_nothing_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "carry_out", lambda _w, _order: False)
    assert _run().prefetches.issued == 0


def _reasons(found: Outcome) -> set[int]:
    assert found.events is not None
    return set(found.events["reason"].tolist())
