import json
from pathlib import Path

import attrs
from jsonschema import Draft202012Validator

from mirc.report.json_form import as_object, as_text
from mirc.simulate.wiring import Wired, Wiring, Wish
from tests.report.rows import comparison, row, study

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "simulate-1.schema.json"


def test_the_object_is_what_the_schema_says() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    content = as_object(study(comparison(), comparison(plan=None), title="m"), version="1")
    Draft202012Validator(schema).validate(json.loads(json.dumps(content)))


def test_ratios_have_six_decimals_and_counts_are_whole() -> None:
    content = as_object(study(comparison(), title="m"), version="1")
    policy = content["machines"][0]["policies"][0]
    assert policy["gap_to_bound"] == 0.333333
    assert policy["near_bytes"] == 4_000_000_000


def test_every_policy_says_which_code_ran_with_which_stages() -> None:
    rows = (attrs.evolve(row("intent", 4), path="compiled + claims, signals"), row("lru", 4))
    content = as_object(study(comparison(*rows)), version="1")
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(
        json.loads(json.dumps(content))
    )
    policies = content["machines"][0]["policies"]
    assert [each["path"] for each in policies] == ["compiled + claims, signals", "python"]


def test_the_text_is_ascii_and_ends_with_a_line_break() -> None:
    text = as_text(study(comparison(), title="m\u00f6del"), version="1")
    assert text.isascii()
    assert text.endswith("}\n")


def test_what_was_wired_is_there_only_where_something_was_to_be() -> None:
    wishes = (Wish(name="w", size_bytes=9, object_bytes=12, bound_bytes=6, refusal="NO_SPACE"),)
    wiring = Wiring(memory="sram", wishes=wishes, loaded_bytes=6)
    with_it = attrs.evolve(comparison(), wired=Wired(wiring=wiring, near_bytes=30, sram_bytes=10))
    content = as_object(study(comparison(), with_it, title="m"), version="1")
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(
        json.loads(json.dumps(content))
    )
    assert "wired" not in content["machines"][0]
    found = content["machines"][1]["wired"]
    assert (found["near_bytes_per_token"], found["near_bytes_per_token_wired"]) == (15.0, 10.0)
    assert found["saved_share"] == 0.333333
    assert found["objects"] == [
        {
            "name": "w",
            "size_bytes": 9,
            "first_byte": 0,
            "object_bytes": 12,
            "bound_bytes": 6,
            "soft": False,
            "refusal": "NO_SPACE",
        }
    ]
