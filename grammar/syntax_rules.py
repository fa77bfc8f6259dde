"""The kinds of syntax errors: one rule each, codes MIR1xx."""

from mirc.diagnostics import Rule, Severity


def _rule(number: int, name: str) -> Rule:
    return Rule(f"MIR{number}", name, Severity.ERROR)


UNEXPECTED = _rule(100, "unexpected")
BAD_CHARACTER = _rule(101, "bad-character")
COLON = _rule(102, "colon-for-equals")
SEMICOLON = _rule(103, "semicolon")
HASH_COMMENT = _rule(104, "hash-comment")
BLOCK_COMMENT = _rule(105, "block-comment")
OPEN_STRING = _rule(106, "open-string")
WRONG_QUOTES = _rule(107, "wrong-quotes")
MISSING_EQUALS = _rule(110, "missing-equals")
MISSING_VALUE = _rule(111, "missing-value")
MISSING_COMMA = _rule(112, "missing-comma")
MISSING_NAME = _rule(113, "missing-name")
MISSING_BRACE = _rule(114, "missing-brace")
BARE_LIST = _rule(115, "bare-list")
FIELD_SEPARATOR = _rule(116, "field-separator")
BAD_UNIT = _rule(117, "bad-unit")
RESERVED_WORD = _rule(118, "reserved-word")
UNCLOSED_BRACKET = _rule(120, "unclosed-bracket")
MISMATCHED_BRACKET = _rule(121, "mismatched-bracket")
UNCLOSED_DECLARATION = _rule(122, "unclosed-declaration")
STRAY_BRACKET = _rule(123, "stray-bracket")
NESTED_TOO_DEEPLY = _rule(124, "nested-too-deeply")
UNKNOWN_BLOCK = _rule(130, "unknown-block")
MISPLACED_BLOCK = _rule(131, "misplaced-block")
FIELD_OUTSIDE = _rule(132, "field-outside")
BAD_HEADER = _rule(140, "bad-header")
UNKNOWN_VERSION = _rule(141, "unknown-version")
EMPTY_FILE = _rule(142, "empty-file")
TOO_MANY = _rule(199, "too-many-errors")

SYNTAX_RULES = tuple(value for value in dict(globals()).values() if isinstance(value, Rule))
