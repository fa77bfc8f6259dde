"""Declared against observed into the JSON object of ``mirc compare --output-format json``."""

import json
from typing import Any

import attrs

from mirc.observe.compare import Compared, Report
from mirc.observe.estimates import Estimate

SCHEMA = "urn:mirc:schema:compare:1"
FORMAT_VERSION = "1.1"
_DIGITS = 6


def as_object(report: Report, *, version: str) -> dict[str, Any]:
    """Return the report as plain data; ``version`` is the tool's.

    Numbers have six decimals. There are no dates or paths: equal inputs give equal bytes.
    """
    return {
        "name": "mirc",
        "version": version,
        "schema": SCHEMA,
        "format_version": FORMAT_VERSION,
        "model": report.title,
        "logs": [_log(log) for log in report.logs],
    }


def as_text(report: Report, *, version: str) -> str:
    """Return the object as text: ASCII, two blanks a level, a line break at the end."""
    return json.dumps(as_object(report, version=version), indent=2) + "\n"


def _log(log: Compared) -> dict[str, Any]:
    return {
        "source": log.source,
        "machine": log.machine,
        "policy": log.policy,
        "plan": log.plan,
        "runs": dict(log.runs),
        "scored": [_rounded(attrs.asdict(scored)) for scored in log.scored],
        "timed": [_rounded(attrs.asdict(timed)) for timed in log.timed],
        "deadlines": [_rounded(attrs.asdict(one)) for one in log.deadlines],
        "mismatch": None if log.mismatch is None else _rounded(attrs.asdict(log.mismatch)),
        "wrong": [_estimate(estimate) for estimate in log.wrong],
        "unscored": dict(log.unscored),
        "never_read": [
            {"object": one.object, "class": one.klass, "why": one.why.name.lower()}
            for one in log.never_read
        ],
        "facts": attrs.asdict(log.facts),
        "memory": None if log.memory is None else attrs.asdict(log.memory),
    }


def _estimate(one: Estimate) -> dict[str, Any]:
    forecast = one.forecast
    return {
        "field": one.field,
        "object": one.object,
        "class": one.klass,
        "phase": one.phase,
        "declared": one.declared,
        "confidence": one.confidence,
        "observed": _rounded(one.observed),
        "held": one.held,
        "chances": one.chances,
        "trials": None if forecast is None else forecast.trials,
        "events": None if forecast is None else forecast.events,
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
