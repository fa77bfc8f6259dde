"""Characters that nobody sees, and signs in the place of others."""

import re

from mirc.diagnostics import Edit, Fix
from mirc.grammar import syntax_rules as rules
from mirc.grammar.automaton import CHARACTER, Word
from mirc.grammar.mending import replacement
from mirc.grammar.reading import Reading
from mirc.grammar.words import shown, span

_NEXT = re.compile(r"[ \t]*[A-Za-z_]")
_REST = re.compile(r"[\w.]+", re.ASCII)
_EQUALS = "\uff1d"


def invisible(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain a blank that is none of ours, a byte order mark, a control character."""
    del accepts
    if word.kind != CHARACTER or (word.text.isprintable() and not word.text.isspace()):
        return False
    found = shown(word)
    if word.text.isspace():
        hint, message, text = "write a plain blank", f"replace {found} by a blank", " "
    else:
        hint, message, text = "remove it", f"remove {found}", ""
    fix = Fix(message, (Edit(span(word), text),))
    reading.report(rules.BAD_CHARACTER, span(word), found=found, hint=hint, fix=fix)
    rest = _REST.match(reading.text, word.end)
    inside = not word.text.isspace() and reading.automaton.end == word.start and rest is not None
    end = rest.end() if inside and rest is not None else word.end
    if inside:  # the word that was taken is not whole
        reading.guess()
    reading.erase(word.start, end)
    reading.again(end)
    return True


def full_width_equals(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key \uff1d value``."""
    if word.text != _EQUALS or word.kind != CHARACTER or "EQUAL" not in accepts:
        return False
    fix = replacement(word.start, word.end, "=")
    reading.report(
        rules.BAD_CHARACTER, span(word), found=shown(word), hint="write `=`, in ASCII", fix=fix
    )
    reading.replace(word.start, "=")
    reading.supply("EQUAL", word.start)
    return True


def bar(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``[A|B]``."""
    if word.text != "|" or word.kind != CHARACTER or "COMMA" not in accepts:
        return False
    if _NEXT.match(reading.text, word.end) is None:
        return False
    after = "" if reading.text[word.end].isspace() else " "
    fix = replacement(word.start, word.end, f",{after}")
    hint = "write `,` between values"
    reading.report(rules.BAD_CHARACTER, span(word), found=shown(word), hint=hint, fix=fix)
    reading.replace(word.start, ",")
    reading.supply("COMMA", word.start)
    return True
