"""The rules of well-formedness: names and references (2xx), keys, types and confidences (3xx)."""

from mirc.diagnostics import Rule, Severity


def _error(number: int, name: str) -> Rule:
    return Rule(f"MIR{number}", name, Severity.ERROR)


DUPLICATE_NAME = _error(201, "duplicate-name")
DUPLICATE_FIELD = _error(202, "duplicate-field")
DUPLICATE_OVERRIDE = _error(203, "duplicate-override")
UNDECLARED_OBJECT = _error(210, "undeclared-object")
UNDECLARED_STEP = _error(211, "undeclared-step")
UNDECLARED_PHASE = _error(212, "undeclared-phase")
UNDECLARED_COALITION = _error(213, "undeclared-coalition")
UNDECLARED_TENANT = _error(214, "undeclared-tenant")
UNDECLARED_CLAIM = _error(215, "undeclared-claim")
UNKNOWN_MACHINE = _error(216, "unknown-machine")
UNKNOWN_SIGNAL = _error(217, "unknown-signal")
UNKNOWN_KEY = _error(301, "unknown-key")
MISPLACED_KEY = _error(302, "misplaced-key")
WRONG_CLASS = _error(303, "wrong-class")
MISSING_KEY = _error(304, "missing-key")
WRONG_TYPE = _error(310, "wrong-type")
UNKNOWN_WORD = _error(311, "unknown-word")
WRONG_UNIT = _error(312, "wrong-unit")
OUT_OF_RANGE = _error(313, "out-of-range")
INEXACT_NUMBER = _error(314, "inexact-number")
CONFIDENCE_ON_CONTRACT = _error(320, "confidence-on-contract")
CONFIDENCE_RANGE = _error(321, "confidence-range")

IR_RULES = tuple(value for value in dict(globals()).values() if isinstance(value, Rule))
