"""Names: which lex bare, what they refer to, and the parts of a family."""

import re
from functools import lru_cache

from mirc.ir.values import Name, Text, Value

KEYWORDS = (
    "module",
    "object",
    "extern",
    "template",
    "coalition",
    "tenant",
    "claim",
    "phase",
    "step",
    "override",
    "on",
    "plan",
    "true",
    "false",
)

UNREADABLE = "*"  # among lost names: some name could not be read, and may be any

# The NAME terminal of grammar/mir.lark; a test holds the two against each other.
NAME_PATTERN = r"(?:[0-9]+\.)*[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*(?:\[[0-9]+(?::[0-9]+)?\])*"
# Possessive: the same names, and one of a million dots costs no memory.
POSSESSIVE_NAME = NAME_PATTERN.replace(")*", ")*+")
_bare = re.compile(POSSESSIVE_NAME, re.ASCII).fullmatch
_RESERVED = frozenset(KEYWORDS)
_PART = re.compile(r"\[([0-9]+)(?::([0-9]+))?\]$")


@lru_cache(maxsize=1 << 17)
def is_bare(name: str) -> bool:
    """Say whether a name can be written without quotes."""
    return name not in _RESERVED and _bare(name) is not None


def reference(name: str) -> Name | Text:
    """Return the value that refers to ``name``: bare where it lexes bare, else quoted."""
    return Name(name) if is_bare(name) else Text(name)


def text_of(value: Value) -> str:
    """Return the name that a bare or quoted value spells; raise TypeError for any other."""
    if isinstance(value, Name | Text):
        return value.text
    raise TypeError(f"{value!r} is not a name")


def part_name(family: str, first: int, last: int | None = None) -> str:
    """Name one part: an expert ``P[17]``, or with ``last`` (exclusive) a row tile ``P[0:1024]``."""
    return f"{family}[{first}]" if last is None else f"{family}[{first}:{last}]"


def families_of(name: str) -> tuple[str, ...]:
    """Return the families a part belongs to, nearest first: ``P[3][0:8]`` gives ``P[3]``, ``P``."""
    found = []
    while (opening := name.rfind("[")) > 0 and _PART.match(name, opening) is not None:
        name = name[:opening]
        found.append(name)
    return tuple(found)


def part_range(name: str) -> tuple[int, int] | None:
    """Return the half-open index range of a part, or None for a whole."""
    match = _PART.search(name)
    if match is None:
        return None
    first = int(match[1])
    return first, int(match[2]) if match[2] else first + 1
