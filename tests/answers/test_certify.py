"""Certificates of whole compilations: nothing lies below what was proven to be the least."""

import pytest

from mirc.answers.certified_forms import ROUNDING, as_object, as_text
from mirc.answers.certify import Certified, certify
from mirc.bounds.certificate import Certificate
from mirc.emit import emit
from mirc.graph import Program
from mirc.machine import Machine
from mirc.machine.load import load
from mirc.passes.pipeline import run
from mirc.passes.seeds import Options
from tests.passes.programs import decoder, machine
from tests.test_emit import toy

GB = 10**9


def certified(program: Program, *machines: Machine) -> Certified:
    facts = run(program, machines=machines)
    return certify(program, facts, emit(program, facts))


@pytest.mark.parametrize(
    ("program", "made_for"),
    [
        (toy(), machine(200)),
        (decoder(layers=2), load("card-24g")),
        (decoder(layers=40), machine(60 * GB, link_bytes_per_s=50e9)),
    ],
    ids=["experts", "all near", "streamed"],
)
def test_no_decision_costs_less_than_its_bound(program: Program, made_for: Machine) -> None:
    found = certified(program, made_for)
    assert found.certificates
    for _, certificate in found.certificates:
        assert certificate.bound is not None or certificate.note
        if certificate.gap is not None:
            assert certificate.gap >= -ROUNDING, certificate
    assert "BELOW ITS BOUND" not in as_text(found)


def test_a_cost_below_its_bound_is_called_what_it_is() -> None:
    wrong = Certificate(decision="d", objective=1.0, bound=2.0, unit="ms", method="m")
    text = as_text(Certified(certificates=(("p", wrong),), idle=(), prices=()))
    assert "gap -50.000 %, BELOW ITS BOUND: one of the two is wrong" in text


def test_what_has_no_bound_says_why_and_what_has_none_to_say_has_no_gap() -> None:
    none = Certificate(
        decision="d", objective=1.0, bound=None, unit="ms", method="m", note="too large for an LP"
    )
    zero = Certificate(decision="e", objective=1.0, bound=0.0, unit="ms", method="m")
    found = Certified(certificates=(("p", none), ("p", zero)), idle=(), prices=())
    text = as_text(found)
    assert "d: 1.000 ms, no bound: too large for an LP" in text
    assert "e: 1.000 ms, at least 0.000 ms, no gap can be said" in text
    assert [each["gap"] for each in as_object(found)["certificates"]] == [None, None]
    assert "shadow prices" not in text
    assert "  none\n" in text + "\n"


def test_times_are_printed_in_units_that_people_read_and_kept_as_numbers() -> None:
    slow = Certificate(
        decision="when transfers begin in a run of p on m",
        objective=2_345_678.0,
        bound=1_234.5,
        unit="us",
        method="m",
    )
    found = Certified(certificates=(("p", slow),), idle=(), prices=())
    assert "2.346 s, at least 1.234 ms" in as_text(found)
    (each,) = as_object(found)["certificates"]
    assert (each["objective"], each["bound"], each["unit"]) == (2_345_678.0, 1_234.5, "us")


def test_one_run_is_one_run_and_the_two_kinds_of_bytes_are_named() -> None:
    moved = Certificate(
        decision="which pieces stay near in 1 runs of prefill on m",
        objective=5.0,
        bound=5.0,
        unit="bytes",
        method="m",
    )
    text = as_text(Certified(certificates=(("p", moved),), idle=(), prices=()))
    assert "which pieces stay near in 1 run of prefill on m: 5 bytes" in text
    assert "bytes of several runs count the first fill of near memory" in text


@pytest.mark.parametrize("asked", [Options(), Options(wire=True)], ids=["plain", "wire"])
def test_wiring_is_certified_where_it_was_asked_for(asked: Options) -> None:
    program = toy()
    facts = run(program, machines=(load("npu-scratchpad"),), options=asked)
    found = certify(program, facts, emit(program, facts))
    assert ("sram-arbiter" in {name for name, _ in found.certificates}) == asked.wire
