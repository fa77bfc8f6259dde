"""Findings into the JSON object of ``mirc check --output-format json``."""

import json
from typing import Any

from mirc.diagnostics.addresses import portable
from mirc.diagnostics.findings import Findings
from mirc.diagnostics.model import Diagnostic, Fix, Severity, Source, Span

FORMAT_VERSION = "1.1"  # 1.1 added subject and fix
SCHEMA = "urn:mirc:schema:check:1"


def as_object(findings: Findings, *, version: str) -> dict[str, Any]:
    """Return the findings as plain data; ``version`` is mirc's.

    Lines and columns count from 1 and columns are characters; offsets count characters from 0 and
    an end is exclusive.
    """
    counts = findings.counts
    return {
        "name": "mirc",
        "version": version,
        "schema": SCHEMA,
        "format_version": FORMAT_VERSION,
        "diagnostics": [
            _diagnostic(file.source, diagnostic)
            for file in findings.files
            for diagnostic in file.diagnostics
        ],
        "summary": {
            "files": len(findings.files),
            **{f"{severity.value}s": counts[severity] for severity in Severity},
        },
    }


def as_text(findings: Findings, *, version: str) -> str:
    """Return the object as text: ASCII, two blanks a level, a line break at the end."""
    return json.dumps(as_object(findings, version=version), indent=2) + "\n"


def _diagnostic(source: Source, diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.rule.code,
        "name": diagnostic.rule.name,
        "severity": diagnostic.rule.severity.value,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        **_place(source, diagnostic.span),
        "related": [
            {"message": related.message, **_place(source, related.span)}
            for related in diagnostic.related
        ],
        "subject": diagnostic.subject,
        "fix": _fix(source, diagnostic.fix) if diagnostic.fix is not None else None,
    }


def _fix(source: Source, fix: Fix) -> dict[str, Any]:
    return {
        "message": fix.message,
        "edits": [
            {
                "start": _position(source, edit.span.start),
                "end": _position(source, edit.span.end),
                "text": edit.text,
            }
            for edit in fix.edits
        ],
    }


def _place(source: Source, span: Span) -> dict[str, Any]:
    return {
        "file": portable(source.name),
        "start": _position(source, span.start),
        "end": _position(source, span.end),
    }


def _position(source: Source, offset: int) -> dict[str, int]:
    offset = min(offset, len(source.text))
    line, column = source.position(offset)
    return {"line": line, "column": column, "offset": offset}
