"""What a report says of hints that the run contradicted."""

import json
from pathlib import Path

import attrs
import jsonschema
import pytest

from mirc.controller.learning import Correction
from mirc.ir.enums import ObjectClass
from mirc.report.corrections import correction_lines, correction_objects
from tests.report.rows import row

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "simulate-1.schema.json"
EXPERTS = tuple(ObjectClass).index(ObjectClass.EXPERT_WEIGHT)
FOUND = (
    Correction(
        phase="decode", runs=1, misplaced=3, unlikely=0, trust={EXPERTS: 0.9}, switching_bytes=1000
    ),
    Correction(
        phase="decode", runs=2, misplaced=0, unlikely=8, trust={EXPERTS: 0.4}, switching_bytes=500
    ),
)


@pytest.mark.mechanism("S0-26")
def test_a_phase_has_one_line_with_what_changed_most_and_what_that_gave_up() -> None:
    rows = [row("lru", 5), attrs.evolve(row("intent", 4), corrections=FOUND)]
    said = (
        "hints: intent corrected 3 uses out of order and 8 chances of use in `decode`, in "
        "2 changes that gave up 1.500 kB near; 40.00 % of those of EXPERT_WEIGHT proved true"
    )
    assert correction_lines(rows) == [said]


def test_plain_data_names_policy_and_classes() -> None:
    rows = [attrs.evolve(row("intent", 4), corrections=FOUND)]
    found = correction_objects(rows)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for each in found:
        jsonschema.validate(each, {"$ref": "#/$defs/correction", "$defs": schema["$defs"]})
    assert found[1] == {
        "policy": "intent",
        "phase": "decode",
        "runs": 2,
        "misplaced": 0,
        "unlikely": 8,
        "trust": {"EXPERT_WEIGHT": 0.4},
        "switching_bytes": 500,
    }


def test_nothing_is_said_where_nothing_was_corrected() -> None:
    assert correction_lines([row("intent", 4)]) == []
    assert correction_objects([row("intent", 4)]) == []
