"""The kinds of errors in the JSON form that .mir text cannot have."""

from mirc.diagnostics import Rule, Severity

_GOOD = """
{"mir": "1.0", "declarations": [
  {"object": "x", "class": "INPUT"}
]}
"""

NOT_JSON = Rule(
    "MIR150",
    "not-json",
    Severity.ERROR,
    about="The text is not JSON, so nothing in it can be read.",
    message="not JSON: {reason}",
    hint="write JSON (RFC 8259)",
    bad=(
        """
{"mir": "1.0", "declarations": [
  {"object": "x", "class": "INPUT",}
]}
""",
    ),
    good=_GOOD,
)
NOT_THE_FORM = Rule(
    "MIR151",
    "not-the-json-form",
    Severity.ERROR,
    about=(
        "The text is JSON, but not the JSON of a module: a list where an object belongs, a "
        "declaration without its keyword, null, a key that stands twice."
    ),
    message="expected {what}, found {found}",
    hint="see `mirc schema` for the form",
    bad=(
        """
{"mir": "1.0", "declarations": [
  {"class": "INPUT"}
]}
""",
        """
{"mir": "1.0", "declarations": {"object": "x", "class": "INPUT"}}
""",
    ),
    good=_GOOD,
)

JSON_RULES = (NOT_JSON, NOT_THE_FORM)
