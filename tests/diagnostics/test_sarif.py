"""Findings into SARIF, held against the schema (see sarif-2.1.0.NOTICE.md for where it is from)."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mirc.diagnostics import Diagnostic, FileFindings, Findings, Source, Span
from mirc.diagnostics.sarif import FINGERPRINT, MOST_RESULTS, as_object, as_text
from mirc.lint.registry import ALL_RULES
from tests.diagnostics.scenes import ERROR, HINT, RULES, TEXT, WARNING, many, mixed

SCHEMA = json.loads((Path(__file__).parent / "sarif-2.1.0.schema.json").read_text("utf-8"))


def run(findings: Findings) -> dict[str, Any]:
    log = as_object(findings, RULES, version="0.1.0", root=".")
    validator = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in validator.iter_errors(log)] == []
    (only,) = log["runs"]
    return dict(only)


@pytest.mark.parametrize("findings", [mixed(), Findings(), many((ERROR, 3))])
def test_the_log_is_valid_under_the_schema(findings: Findings) -> None:
    assert run(findings)["tool"]["driver"]["name"] == "mirc"


def test_every_rule_there_is_can_be_listed() -> None:
    text = as_text(Findings(), ALL_RULES, version="0.1.0", root=".")
    jsonschema.validate(json.loads(text), SCHEMA, cls=jsonschema.Draft202012Validator)
    (only,) = json.loads(text)["runs"]
    assert [rule["id"] for rule in only["tool"]["driver"]["rules"]] == [r.code for r in ALL_RULES]


def test_a_result_points_to_its_rule_and_has_the_severity_as_level() -> None:
    log = run(mixed())
    rules = log["tool"]["driver"]["rules"]
    assert [rules[each["ruleIndex"]]["id"] for each in log["results"]] == [
        each["ruleId"] for each in log["results"]
    ]
    assert {each["ruleId"]: each["level"] for each in log["results"]} == {
        "MIR201": "error",
        "MIR402": "warning",
        "MIR901": "note",
    }


def test_columns_are_code_points_and_addresses_relative_and_quoted() -> None:
    log = run(mixed())
    assert log["columnKind"] == "unicodeCodePoints"
    place = log["results"][1]["locations"][0]["physicalLocation"]
    # line 3 is `object 𝄞 {`: the name is its 8th character, whatever its bytes and UTF-16 units
    assert place["region"] == {
        "startLine": 3,
        "startColumn": 8,
        "endLine": 3,
        "endColumn": 9,
        "charOffset": TEXT.index("𝄞"),
        "charLength": 1,
    }
    assert place["artifactLocation"] == {"uri": "dir/%C3%A4%20b.mir", "uriBaseId": "%SRCROOT%"}
    assert log["results"][1]["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 1


def test_a_fix_is_its_edits_as_replacements() -> None:
    (fixed,) = (each for each in run(mixed())["results"] if "fixes" in each)
    ((change,),) = ([fix["artifactChanges"][0]] for fix in fixed["fixes"])
    first, second = change["replacements"]
    assert (first["deletedRegion"]["charOffset"], first["deletedRegion"]["charLength"]) == (30, 1)
    assert first["insertedContent"] == {"text": "2"}
    assert second["deletedRegion"]["charLength"] == 0


def test_fingerprints_stay_when_lines_move_and_differ_otherwise() -> None:
    def prints(findings: Findings) -> list[str]:
        return [each["partialFingerprints"][FINGERPRINT] for each in run(findings)["results"]]

    def at(start: int, text: str) -> Findings:
        found = tuple(
            Diagnostic(WARNING, Span(at, at + 1), "m", subject="object x")
            for at in (start, start + 2)
        )
        return Findings((FileFindings(Source("a.mir", text), found),))

    before, after = prints(at(0, "a\nb\n")), prints(at(4, "\n\n\n\na\nb\n"))
    assert before == after
    assert len(set(before)) == 2


def test_beyond_the_cap_the_mildest_are_left_out_and_a_note_says_so() -> None:
    log = run(many((HINT, 10), (WARNING, MOST_RESULTS - 5), (ERROR, 3)))
    levels = [each["level"] for each in log["results"]]
    assert (len(levels), levels.count("error"), levels.count("note")) == (MOST_RESULTS, 3, 2)
    (note,) = log["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("8 findings are left out")


def test_a_file_outside_the_repository_and_standard_input_have_no_base() -> None:
    found = (Diagnostic(ERROR, Span(0, 1), "m"),)
    for name in ("/elsewhere/a.mir", "<stdin>"):
        (result,) = run(Findings((FileFindings(Source(name, "x"), found),)))["results"]
        artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert "uriBaseId" not in artifact
