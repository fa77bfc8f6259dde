"""Findings into SARIF 2.1.0, the form that code scanning services take."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from mirc.diagnostics.addresses import portable, relative
from mirc.diagnostics.findings import FileFindings, Findings
from mirc.diagnostics.fingerprints import Identity, identities
from mirc.diagnostics.model import Diagnostic, Fix, Rule, Severity, Source, Span

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
MOST_RESULTS = 5_000  # GitHub shows no more of one run
MOST_RELATED = 100
FINGERPRINT = "mircFinding/v1"
ROOT = "%SRCROOT%"  # the repository; whoever reads the file knows where that is
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "note"}


def as_text(findings: Findings, rules: Sequence[Rule], *, version: str, root: str) -> str:
    """Return the log as text: ASCII, two blanks a level, a line break at the end."""
    return json.dumps(as_object(findings, rules, version=version, root=root), indent=2) + "\n"


def as_object(
    findings: Findings, rules: Sequence[Rule], *, version: str, root: str
) -> dict[str, Any]:
    """Return the log of one run as plain data.

    ``rules`` are all there are, spoken or not; ``root`` is the folder that addresses are relative
    to. A fingerprint is that of rule, subject and occurrence, never of a line. Beyond
    ``MOST_RESULTS`` the mildest findings are left out, and a notification says so.
    """
    listed = {rule.code: index for index, rule in enumerate(rules)}
    found = [
        (file, identity, diagnostic)
        for file in findings.files
        for identity, diagnostic in identities(file)
    ]
    kept = found
    if len(found) > MOST_RESULTS:
        levels = list(Severity)
        order = sorted(range(len(found)), key=lambda at: levels.index(found[at][2].rule.severity))
        kept = [found[at] for at in sorted(order[:MOST_RESULTS])]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "mirc",
                        "version": version,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(len(found) - len(kept))],
                "results": [
                    _result(file, identity, diagnostic, listed, root)
                    for file, identity, diagnostic in kept
                ],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    about = portable(rule.about or rule.name)
    first, _, rest = about.partition("\n\n")
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": " ".join(first.split())},
        "fullDescription": {"text": " ".join(about.split())},
        "defaultConfiguration": {"enabled": rule.default, "level": _LEVELS[rule.severity]},
        "help": {"text": _help(rule, first, rest), "markdown": _help_in_markdown(rule, about)},
        "properties": {"tags": ["memory-intent"], "precision": "very-high"},
    }


def _help(rule: Rule, first: str, rest: str) -> str:
    parts = [first, rest, _examples(rule, "Wrong:\n\n{}", "Right:\n\n{}")]
    return "\n\n".join(part for part in parts if part)


def _help_in_markdown(rule: Rule, about: str) -> str:
    fence = "```\n{}```"
    examples = _examples(rule, f"Wrong:\n\n{fence}", f"Right:\n\n{fence}")
    head = f"**{rule.code} {rule.name}** (`mirc explain {rule.code}`)"
    return "\n\n".join(part for part in (head, about, examples) if part)


def _examples(rule: Rule, bad: str, good: str) -> str:
    parts = [bad.format(portable(rule.bad[0]))] if rule.bad else []
    parts += [good.format(portable(rule.good))] if rule.good else []
    return "\n\n".join(parts)


def _invocation(left_out: int) -> dict[str, Any]:
    invocation: dict[str, Any] = {"executionSuccessful": True}
    if left_out:
        text = (
            f"{left_out} findings are left out, the mildest first: {MOST_RESULTS} are the most"
            " that are shown of one run"
        )
        invocation["toolExecutionNotifications"] = [{"level": "note", "message": {"text": text}}]
    return invocation


def _result(
    file: FileFindings,
    identity: Identity,
    diagnostic: Diagnostic,
    listed: dict[str, int],
    root: str,
) -> dict[str, Any]:
    source, rule = file.source, diagnostic.rule
    artifact = _artifact(source, root)
    words = diagnostic.message + (f"\nhelp: {diagnostic.hint}" if diagnostic.hint else "")
    result: dict[str, Any] = {
        "ruleId": rule.code,
        "level": _LEVELS[rule.severity],
        "message": {"text": portable(words)},
        "locations": [{"physicalLocation": _location(source, diagnostic.span, artifact)}],
        "partialFingerprints": {FINGERPRINT: identity.fingerprint},
    }
    if rule.code in listed:
        result["ruleIndex"] = listed[rule.code]
    if diagnostic.subject:
        name = portable(diagnostic.subject)
        result["locations"][0]["logicalLocations"] = [{"fullyQualifiedName": name}]
    if diagnostic.related:
        result["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": portable(related.message)},
                "physicalLocation": _location(source, related.span, artifact),
            }
            for number, related in enumerate(diagnostic.related[:MOST_RELATED], start=1)
        ]
    if diagnostic.fix is not None:
        result["fixes"] = [_fix(source, diagnostic.fix, artifact)]
    return result


def _artifact(source: Source, root: str) -> dict[str, str]:
    if source.name.startswith("<"):
        return {"uri": quote(source.name.strip("<>"))}
    address = relative(source.name, root)
    if address.startswith(("/", "../")):
        return {"uri": quote(address)}
    return {"uri": quote(address), "uriBaseId": ROOT}


def _location(source: Source, span: Span, artifact: dict[str, str]) -> dict[str, Any]:
    return {"artifactLocation": artifact, "region": _region(source, span)}


def _region(source: Source, span: Span) -> dict[str, int]:
    end_of_text = len(source.text)
    start, end = min(span.start, end_of_text), min(span.end, end_of_text)
    (start_line, start_column), (end_line, end_column) = map(source.position, (start, end))
    return {
        "startLine": start_line,
        "startColumn": start_column,
        "endLine": end_line,
        "endColumn": end_column,
        "charOffset": start,
        "charLength": end - start,
    }


def _fix(source: Source, fix: Fix, artifact: dict[str, str]) -> dict[str, Any]:
    replacements = [
        {
            "deletedRegion": _region(source, edit.span),
            "insertedContent": {"text": portable(edit.text)},
        }
        for edit in fix.edits
    ]
    return {
        "description": {"text": portable(fix.message)},
        "artifactChanges": [{"artifactLocation": artifact, "replacements": replacements}],
    }
