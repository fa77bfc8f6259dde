"""The Lark grammar into ``grammar/tables.py``: what reads right texts without importing Lark.

    python -m mirc.grammar.export          write the tables
    python -m mirc.grammar.export --print  show them

The same bytes for any hash seed: Lark numbers its states in set order, here they are numbered
breadth-first from the start symbols. A test writes them anew and compares.
"""

import sys
from pathlib import Path
from typing import Any

import attrs
from lark import Lark
from lark.grammar import Rule
from lark.parsers.lalr_analysis import Shift

from mirc.grammar.parser import lark
from mirc.grammar.structure import Bodies, Row, Walker, bodies_of

RuleRow = tuple[str, int, tuple[int, ...], tuple[int, ...]]
STARTS = ("line", "start")
TARGET = Path(__file__).with_name("tables.py")
_SPELLED = {  # where the values alone would not tell
    "rules": "tuple[tuple[str, int, tuple[int, ...], tuple[int, ...]], ...]",
    "bodies": "tuple[dict[str, tuple[int, str]], ...]",
}
_HEAD = '''"""Tables of ``mir.lark``: written by ``python -m mirc.grammar.export``, never by hand.

``TERMINALS`` in the order in which they are tried; ``WORDS`` are names that are a terminal by
themselves. ``RULES`` are (name, length, children kept, those that are lists to spread).
``STATES`` tell after each symbol the state that follows, or ``~n`` where rule n is complete; as
text, since Python reads a constant at once.
``BODIES`` map, inside each kind of block, a keyword to the body that it opens and its rule.
"""

# fmt: off
# ruff: noqa: E501, Q000 - generated
'''


@attrs.frozen
class Tables:
    """All that a lexer and an LALR driver need, as plain data."""

    terminals: tuple[tuple[str, str], ...]
    ignored: tuple[tuple[str, str], ...]
    words: dict[str, str]
    rules: tuple[RuleRow, ...]
    states: tuple[str, ...]
    start: dict[str, int]
    end: dict[str, int]
    bodies: Bodies


def tables() -> Tables:
    """Build the tables with Lark."""
    made = lark(STARTS)
    lexer: Any = made.parser
    lexer = lexer.lexer
    terminals = [(t.name, t.pattern.to_regexp()) for t in lexer.scanner.terminals]
    words = _words(lexer)
    sources = sorted(made.rules, key=lambda r: (r.origin.name, [s.name for s in r.expansion]))
    rules = tuple(map(_rule, sources))
    rows, start, end = _numbered(made, {rule: number for number, rule in enumerate(sources)})
    walker = Walker(rows, tuple(rule[:2] for rule in rules))
    return Tables(
        terminals=tuple(t for t in terminals if t[0] not in lexer.ignore_types),
        ignored=tuple(t for t in terminals if t[0] in lexer.ignore_types),
        words=words,
        rules=rules,
        states=tuple(" ".join(f"{s} {to}" for s, to in row.items()) for row in rows),
        start=start,
        end=end,
        bodies=bodies_of(walker, start["start"], words),
    )


def _words(lexer: Any) -> dict[str, str]:
    """Return the terminals that Lark takes out of NAME, by spelling."""
    found = {t.pattern.value: t.name for t in lexer.callback["NAME"].scanner.terminals}
    if len(lexer.callback) > 1:
        raise ValueError("the lexer knows words of NAME alone")
    return dict(sorted(found.items()))


def _rule(rule: Rule) -> RuleRow:
    kept = [i for i, s in enumerate(rule.expansion) if not getattr(s, "filter_out", False)]
    spread = [i for i in kept if rule.expansion[i].name.startswith("_")]
    return str(rule.origin.name), len(rule.expansion), tuple(kept), tuple(spread)


def _numbered(
    made: Lark, numbers: dict[Rule, int]
) -> tuple[tuple[Row, ...], dict[str, int], dict[str, int]]:
    """Return the parse table, its states numbered in the order in which they are reached."""
    parser: Any = made.parser
    table = parser.parser._parse_table  # noqa: SLF001 - Lark has no public face for it
    order: dict[Any, int] = {}
    queue = [table.start_states[name] for name in STARTS]
    for state in queue:  # it grows as it is walked
        if state not in order:
            order[state] = len(order)
            queue += [to for _, (act, to) in sorted(table.states[state].items()) if act is Shift]
    rows = tuple(
        {
            symbol: order[to] if act is Shift else ~numbers[to]
            for symbol, (act, to) in sorted(table.states[state].items())
        }
        for state in order
    )
    start = {name: order[table.start_states[name]] for name in STARTS}
    end = {name: order[table.end_states[name]] for name in STARTS}
    return rows, start, end


def source() -> str:
    """Return the text of the tables' module."""
    made = tables()
    parts = []
    for field in attrs.fields(Tables):
        kind = _SPELLED.get(field.name)
        named = f"{field.name.upper()}: {kind}" if kind else field.name.upper()
        parts.append(f"{named} = {_literal(getattr(made, field.name))}")
    return _HEAD + "\n".join(parts) + "\n"


def _literal(value: Any) -> str:
    """Write a value with one line for each of its elements."""
    if isinstance(value, dict):
        rows, ends = [f"{k!r}: {v!r}" for k, v in value.items()], "{}"
    else:
        rows, ends = [repr(element) for element in value], "()"
    return f"{ends[0]}\n" + "".join(f"  {row},\n" for row in rows) + ends[1]


if __name__ == "__main__":
    if "--print" in sys.argv[1:]:
        sys.stdout.write(source())
    else:
        TARGET.write_text(source(), encoding="utf-8")
