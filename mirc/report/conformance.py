"""The verdict on each clause of the contract of claims into text and JSON."""

import json
from collections.abc import Sequence
from typing import Any

from mirc.claims import Event
from mirc.conform.clauses import CLAUSES
from mirc.conform.suite import Conformance, Verdict
from mirc.diagnostics.words import counted

SCHEMA = "urn:mirc:schema:conform:1"
FORMAT_VERSION = "1.0"
MOST_TOLD = 3
"""Breaches of one clause that the text tells one by one; the JSON has them all."""


def as_text(found: Conformance) -> str:
    """Return the clauses with their verdicts, what each case showed, and each breach."""
    lines = [f"{found.adapter}: {_conclusion(found)}", "", "clause"]
    lines += [f"{each.number:4}  {found.verdict(each):11}  {each.title}" for each in CLAUSES]
    lines += ["", "case, and what its log alone says became of blocks and requests"]
    for played in found.played:
        shown = [f"{outcome} x {count}" for outcome, count in played.outcomes]
        lines.append(f"      {played.litmus.title}: {', '.join(shown) or 'nothing'}")
    for clause in CLAUSES:
        breaches = [row for row in found.broken if row[0] == clause]
        if breaches:
            lines += ["", f"clause {clause.number} is broken: {clause.title}"]
        for _, litmus, sentence in breaches[:MOST_TOLD]:
            lines.append(f"      {litmus.title}: {sentence}")
        if len(breaches) > MOST_TOLD:
            lines.append(f"      and {len(breaches) - MOST_TOLD} more")
    return "\n".join(lines) + "\n"


def as_json(found: Sequence[Conformance], *, version: str) -> str:
    """Return the same as JSON, with every breach and the log of every case."""
    report = {
        "name": "mirc",
        "version": version,
        "schema": SCHEMA,
        "format_version": FORMAT_VERSION,
        "adapters": [_object(each) for each in found],
    }
    return json.dumps(report, indent=2) + "\n"


def _conclusion(found: Conformance) -> str:
    verdicts = [found.verdict(clause) for clause in CLAUSES]
    broken = verdicts.count(Verdict.BROKEN)
    kept = verdicts.count(Verdict.KEPT)
    if broken:
        return f"does not conform: {counted(broken, 'clause')} broken, {kept} kept"
    if kept == len(CLAUSES):
        return f"conforms: all {kept} clauses kept"
    missing = len(CLAUSES) - kept
    return f"makes no such promises: {counted(missing, 'clause')} not offered, {kept} kept"


def _object(found: Conformance) -> dict[str, Any]:
    return {
        "adapter": found.adapter,
        "broken": any(found.verdict(clause) is Verdict.BROKEN for clause in CLAUSES),
        "clauses": [
            {
                "number": clause.number,
                "title": clause.title,
                "verdict": str(found.verdict(clause)),
                "breaches": [
                    {"case": litmus.title, "what": sentence}
                    for broken, litmus, sentence in found.broken
                    if broken == clause
                ],
            }
            for clause in CLAUSES
        ],
        "cases": [
            {
                "title": played.litmus.title,
                "outcomes": {str(outcome): count for outcome, count in played.outcomes},
                "events": [_event(event) for event in played.log],
            }
            for played in found.played
        ],
    }


def _event(event: Event) -> dict[str, Any]:
    """Return what applies of an event."""
    fields = {
        "at": event.at,
        "kind": str(event.kind),
        "claim": event.claim,
        "holder": event.holder,
        "guarantee": str(event.guarantee) if event.guarantee else "",
        "priority": event.priority,
        "blocks": [block.key for block in event.blocks],
        "reason": str(event.reason),
        "blockers": list(event.blockers),
        "short": event.short or None,
        "for_whom": event.for_whom,
        "to": event.to,
    }
    return {key: value for key, value in fields.items() if value not in ("", None, [])}
