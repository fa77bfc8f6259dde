"""A comparison of policies into the JSON object of ``mirc simulate --output-format json``."""

import json
from typing import Any

import attrs

from mirc.report.claims import claim_objects
from mirc.report.corrections import correction_objects
from mirc.report.faults import fault_objects
from mirc.report.hints import ablation_object, curve_object
from mirc.report.misses import misses_objects
from mirc.report.precision import precision_object
from mirc.report.promises import promise_objects
from mirc.report.sinks import sinks_object
from mirc.report.wired import wired_object
from mirc.simulate.comparison import Comparison
from mirc.simulate.metrics import Figures, verdict
from mirc.simulate.study import Study

SCHEMA = "urn:mirc:schema:simulate:1"
FORMAT_VERSION = "1.0"
_DIGITS = 6


def as_object(study: Study, *, version: str) -> dict[str, Any]:
    """Return the report as plain data; ``version`` is the tool's.

    Times are integer picoseconds, sizes integer bytes; ratios have six decimals. There are no
    seconds, dates or paths: equal inputs give equal bytes.
    """
    return {
        "name": "mirc",
        "version": version,
        "schema": SCHEMA,
        "format_version": FORMAT_VERSION,
        "model": study.title,
        "seed": study.seed,
        "configuration": study.configuration,
        "machines": [_machine(comparison) for comparison in study.comparisons],
    }


def as_text(study: Study, *, version: str) -> str:
    """Return the object as text: ASCII, two blanks a level, a line break at the end."""
    return json.dumps(as_object(study, version=version), indent=2) + "\n"


def _machine(comparison: Comparison) -> dict[str, Any]:
    wired, sinks = comparison.wired, comparison.sinks
    return {
        "machine": comparison.machine,
        "near_memory": comparison.near,
        "usable_bytes": comparison.usable_bytes,
        "plan": comparison.plan,
        "phase": comparison.iterated,
        **({"before": list(comparison.before)} if comparison.before else {}),
        "iterations": comparison.iterations,
        "sequences": comparison.sequences,
        "tokens": comparison.tokens,
        "bounds": _rounded(attrs.asdict(comparison.bounds)),
        "policies": [_policy(row) for row in comparison.rows],
        "verdict": list(verdict(comparison.rows)),
        "broken_contracts": list(comparison.broken),
        "assumptions": list(comparison.assumptions),
        **({"claims": claims} if (claims := claim_objects(comparison.rows)) else {}),
        **({"promises": soft} if (soft := promise_objects(comparison.rows)) else {}),
        **({"faults": failed} if (failed := fault_objects(comparison.rows)) else {}),
        **(
            {"corrections": _rounded(corrected)}
            if (corrected := correction_objects(comparison.rows))
            else {}
        ),
        **(
            {}
            if comparison.joint is None
            else {"precision": _rounded(precision_object(comparison.joint))}
        ),
        **(
            {}
            if comparison.hints is None
            else {"hint_curve": _rounded(curve_object(comparison.hints))}
        ),
        **(
            {}
            if comparison.ablation is None
            else {"ablation": _rounded(ablation_object(comparison.ablation))}
        ),
        **({"miss_curves": misses_objects(comparison.misses)} if comparison.misses else {}),
        **({} if sinks is None else {"sinks": _rounded(sinks_object(sinks))}),
        **({} if wired is None else {"wired": _rounded(wired_object(wired, comparison.tokens))}),
    }


def _policy(row: Figures) -> dict[str, Any]:
    apart = attrs.filters.exclude("broken", "happenings", "corrections")
    fields = attrs.asdict(row, filter=apart)
    return _rounded(fields)  # type: ignore[no-any-return]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
