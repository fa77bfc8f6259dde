"""A difference as text, Markdown and JSON."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import HealthCheck, given, settings

from mirc.changes import Diff, Verdict, allowance, diff, judge
from mirc.changes.json_form import as_object
from mirc.changes.markdown import as_markdown
from mirc.changes.text import as_text
from mirc.diagnostics import Source
from mirc.diagnostics.render import COLOUR
from mirc.grammar import load
from mirc.ir import Module
from tests.strategies import modules

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "schemas" / "diff-1.schema.json"
SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
OLD = "object w { class = INPUT  size_bytes = 1MiB }\nobject g { class = INPUT }\n"
NEW = "object w { class = INPUT  size_bytes = 2MiB  retention_priority = 9 }\n"


def judged(*allowed: str) -> tuple[Diff, Verdict]:
    found = diff(load(Source("old", OLD)), load(Source("new", NEW)))
    return found, judge(found, map(allowance, allowed), "breaking")


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@given(modules(), modules())
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_difference_fits_the_schema(one: Module, other: Module) -> None:
    found = diff(one, other)
    jsonschema.validate(as_object(found, judge(found, (), "any"), version="1"), SCHEMA)


def test_the_worst_comes_first_and_the_bytes_last() -> None:
    assert as_text(*judged()) == (
        "breaking[MIRD101 object-removed]: object `g`: removed\n"
        "risky[MIRD301 size-grown]: object `w`: `size_bytes` 1MiB -> 2MiB\n"
        "risky[MIRD701 peak-grown]: tier `HBM`: grown 1 MiB -> 2 MiB\n"
        "safe[MIRD408 hint-changed]: object `w`: `retention_priority` 35 -> 9\n"
        "\n"
        "asked for at the busiest step:\n"
        "  HBM   1 MiB -> 2 MiB  (+1 MiB) at the file, its only step\n"
        "  assumed: each object in the first of its preferred tiers, no plan applied\n"
        "  assumed: sizes per token and per sequence by each phase's batch, tokens and context\n"
        "  assumed: `transient_bytes` of a step in HBM\n"
        "  assumed: what outlives a phase is there all the time, anything else from its first use "
        "to its last\n"
        "  assumed: 1 object of the old file without `size_bytes` left out\n"
        "  assumed: a phase without steps in the old file uses what it overrides, at once\n"
        "  assumed: a phase without steps in the new file uses what it overrides, at once\n"
        "\n"
        "1 breaking, 2 risky, 1 safe\n"
    )


def test_what_is_allowed_is_marked_and_what_allowed_nothing_is_named() -> None:
    found, verdict = judged("object-removed:g", "claim-revoked")
    text = as_text(found, verdict)
    assert "object `g`: removed (allowed)\n" in text
    assert "nothing matched --allow claim-revoked\n" in text
    assert text.endswith("1 breaking, 2 risky, 1 safe (1 allowed)\n")
    assert "- object `g`: removed: object-removed (MIRD101) (allowed)" in as_markdown(
        found, verdict
    )


def test_markdown_has_a_table_of_bytes() -> None:
    assert "| HBM | 1 MiB | 2 MiB | +1 MiB |" in as_markdown(*judged())


def test_colour_is_around_the_judgement_alone() -> None:
    first = as_text(*judged(), palette=COLOUR).splitlines()[0]
    assert first == "\x1b[1;31mbreaking[MIRD101 object-removed]\x1b[0m: object `g`: removed"


def test_data_says_which_changes_fail() -> None:
    found = as_object(*judged("MIRD1"), version="9")
    assert [(c["rule"], c["allowed"], c["fails"]) for c in found["changes"][:1]] == [
        ("object-removed", True, False)
    ]
    assert found["tiers"][0]["gained_bytes"] == 2**20
    assert found["summary"] == {"breaking": 1, "risky": 2, "safe": 1, "allowed": 1, "failing": 0}


def test_what_a_terminal_would_obey_is_shown_as_a_picture() -> None:
    one = load(Source("one", 'object "a\\u001b[2J" { class = INPUT }'))
    found = diff(one, load(Source("two", "object b { class = INPUT }")))
    assert "\x1b" not in as_text(found, judge(found, (), "any"))


NASTY = "x`](http://evil)<img src=y>``|@all"
UNTICKED = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")


def test_names_and_values_in_markdown_are_code_and_cannot_be_anything_else() -> None:
    old = f'phase "{NASTY}" {{ }}\nobject "{NASTY}" {{ class = INPUT }}\n'
    new = (
        f'phase "{NASTY}" {{\n  override "{NASTY}" {{ pin_level = SOFT }}\n}}\n'
        f'object "{NASTY}" {{ class = INPUT  security_domain = "# {NASTY}\\n# b" }}\n'
        f'object "#b\\n\\n# c" {{ class = INPUT }}\n'
    )
    found = diff(load(Source("old", old)), load(Source("new", new)))
    assert found.changes
    page = as_markdown(found, judge(found, map(allowance, ["object-removed:`<b>"]), "any"))
    assert NASTY in page
    assert not {"<", "[", "@"} & {*UNTICKED.sub("", page)}
    assert page.count("\n#") == 0


def test_text_names_are_between_single_ticks_as_ever() -> None:
    assert "object `w`: `size_bytes` `1MiB` -> `2MiB`" in as_markdown(*judged())
