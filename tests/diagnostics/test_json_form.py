"""Findings into JSON, held against the committed schema."""

import json
from pathlib import Path

import jsonschema

from mirc.diagnostics import (
    Diagnostic,
    Edit,
    FileFindings,
    Findings,
    Fix,
    Related,
    Severity,
    Source,
    Span,
)
from mirc.diagnostics.json_form import SCHEMA, as_text
from mirc.grammar.syntax_rules import COLON

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "schemas" / "check-1.schema.json"


def found() -> Findings:
    source = Source("é.mir", "object é {\r\n  x: 1\n}\n")
    fix = Fix("write `=`", (Edit(Span(15, 16), " ="),))
    related = (Related(Span(0, 6), "r"),)
    colon = Diagnostic(COLON, Span(15, 16), "m", "h", related, fix, subject="object é.x")
    return Findings((FileFindings(source, (colon,)), FileFindings(Source("empty.mir", ""), ())))


def test_the_output_is_valid_under_its_schema() -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(as_text(found(), version="0.1.0")), schema)
    assert schema["$id"] == SCHEMA


def test_places_count_lines_and_columns_from_1_and_offsets_from_0() -> None:
    document = json.loads(as_text(found(), version="0.1.0"))
    (diagnostic,) = document["diagnostics"]
    assert diagnostic["start"] == {"line": 2, "column": 4, "offset": 15}
    assert diagnostic["end"] == {"line": 2, "column": 5, "offset": 16}
    assert diagnostic["related"][0]["start"]["line"] == 1
    assert document["summary"] == {"files": 2, "errors": 1, "warnings": 0, "hints": 0}
    assert diagnostic["severity"] == Severity.ERROR.value


def test_a_finding_has_its_subject_and_its_fix_with_the_edits() -> None:
    (diagnostic,) = json.loads(as_text(found(), version="0.1.0"))["diagnostics"]
    assert diagnostic["subject"] == "object é.x"
    assert diagnostic["fix"]["message"] == "write `=`"
    (edit,) = diagnostic["fix"]["edits"]
    assert (edit["start"]["offset"], edit["end"]["offset"], edit["text"]) == (15, 16, " =")


def test_a_document_of_format_1_0_is_still_valid() -> None:
    document = json.loads(as_text(found(), version="0.1.0"))
    document["format_version"] = "1.0"
    for diagnostic in document["diagnostics"]:
        del diagnostic["subject"], diagnostic["fix"]
    jsonschema.validate(document, json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    assert document["diagnostics"]
