"""A difference into the JSON object of ``mirc diff --output-format json``."""

import json
from typing import Any

from mirc.changes.allow import Verdict
from mirc.changes.model import Change, Demand, Diff, Judgement

FORMAT_VERSION = "1.0"
SCHEMA = "urn:mirc:schema:diff:1"


def as_object(diff: Diff, verdict: Verdict, *, version: str) -> dict[str, Any]:
    """Return the difference as plain data, every change on its own; ``version`` is mirc's."""
    allowed = frozenset(verdict.allowed)
    failing = frozenset(verdict.failing)
    return {
        "name": "mirc",
        "version": version,
        "schema": SCHEMA,
        "format_version": FORMAT_VERSION,
        "changes": [
            {**_change(change), "allowed": change in allowed, "fails": change in failing}
            for change in diff.changes
        ],
        "tiers": [
            {
                "tier": change.tier.value,
                "old": _demand(change.old),
                "new": _demand(change.new),
                "gained_bytes": change.gained_bytes,
            }
            for change in diff.tiers
        ],
        "assumptions": list(diff.assumptions),
        "unused_allowances": list(verdict.unused),
        "summary": {
            **{judgement.value: diff.counts[judgement] for judgement in Judgement},
            "allowed": len(verdict.allowed),
            "failing": len(verdict.failing),
        },
    }


def as_text(diff: Diff, verdict: Verdict, *, version: str) -> str:
    """Return the object as text: ASCII, two blanks a level, a line break at the end."""
    return json.dumps(as_object(diff, verdict, version=version), indent=2) + "\n"


def _change(change: Change) -> dict[str, Any]:
    return {
        "code": change.rule.code,
        "rule": change.rule.name,
        "judgement": change.rule.judgement.value,
        "kind": change.kind,
        "declaration": str(change.name),
        "where": change.where or None,
        "key": change.key,
        "old": change.old,
        "new": change.new,
    }


def _demand(demand: Demand | None) -> dict[str, Any] | None:
    if demand is None:
        return None
    return {"bytes": demand.size_bytes, "phase": demand.phase, "step": demand.step}
