"""Characters that begin no word, and what was meant by them."""

from mirc.diagnostics import Span
from mirc.grammar import syntax_rules as rules
from mirc.grammar.automaton import CHARACTER, OPENERS, Word
from mirc.grammar.reading import Reading
from mirc.grammar.words import end_of_noise, shown, span

# Straight and typographic quotes, as word processors and web pages make them.
_CLOSING_QUOTE = {
    "'": "'",
    "`": "`",
    "\u201c": "\u201d",
    "\u2018": "\u2019",
    "\u201e": "\u201c",
    "\u00ab": "\u00bb",
}


def colon(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key: value``."""
    if word.text != ":" or word.kind != CHARACTER or "EQUAL" not in accepts:
        return False
    reading.report(
        rules.COLON, span(word), "`:` is not used here", "write `=` between a key and its value"
    )
    if reading.text.startswith("=", word.end):
        reading.erase(word.start, word.end)
    else:
        reading.replace(word.start, "=")
        reading.supply("EQUAL", word.start)
    return True


def semicolon(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``key = value;``."""
    del accepts
    if word.text != ";" or word.kind != CHARACTER:
        return False
    reading.report(
        rules.SEMICOLON, span(word), "`;` is not used here", "end a field with a line break"
    )
    end = word.end
    while reading.text.startswith(";", end):
        end += 1
    reading.erase(word.start, end)
    reading.again(end)
    return True


def comment(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``# ...`` and ``/* ... */``."""
    del accepts
    if word.kind != CHARACTER:
        return False
    if word.text == "#":
        end = reading.line_end(word.start)
        reading.report(
            rules.HASH_COMMENT,
            span(word),
            "`#` does not start a comment",
            "comments start with `//`",
        )
    elif reading.text.startswith("/*", word.start):
        close = reading.text.find("*/", word.start + 2)
        end = len(reading.text) if close < 0 else close + 2
        reading.report(
            rules.BLOCK_COMMENT,
            Span(word.start, word.start + 2),
            "there are no block comments",
            "begin each line with `//`",
        )
    else:
        return False
    reading.replace(word.start, " " * (min(end, reading.line_end(word.start)) - word.start))
    reading.erase(word.start, end)
    reading.again(end)
    return True


def quotes(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``'text'`` and typographic quotes."""
    if word.kind != CHARACTER or word.text not in _CLOSING_QUOTE:
        return False
    end = reading.text.find(_CLOSING_QUOTE[word.text], word.end, reading.line_end(word.start))
    if end < 0 or "STRING" not in accepts:
        return False
    reading.report(
        rules.WRONG_QUOTES,
        Span(word.start, end + 1),
        "strings stand in straight double quotes",
        f'write `"{reading.text[word.end : end]}"`',
    )
    reading.replace(word.start, '"')
    reading.replace(end, '"')
    reading.supply("STRING", word.start)
    reading.again(end + 1)
    return True


def open_string(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain ``"text`` up to the end of the line."""
    if word.kind != CHARACTER or word.text != '"':
        return False
    end = reading.line_end(word.start)
    reading.report(
        rules.OPEN_STRING,
        Span(word.start, end),
        "the string is not closed on its line",
        'add the closing `"`',
    )
    brace = reading.text.rfind("{", word.start, end)
    if "STRING" in accepts and "EQUAL" not in accepts and reading.automaton.inner in OPENERS:
        reading.drop(end)
        reading.again(end)
    elif "STRING" in accepts and brace > 0:
        reading.supply("STRING", word.start)
        reading.guess()
        reading.again(brace)
    else:
        reading.erase(word.start, end)
        reading.again(end)
    return True


def bad_character(reading: Reading, word: Word, accepts: frozenset[str]) -> bool:
    """Explain any other character of no terminal."""
    del accepts
    if word.kind != CHARACTER:
        return False
    reading.report(
        rules.BAD_CHARACTER,
        span(word),
        f"the character {shown(word)} is not allowed here",
        "put a name with other characters than letters, digits, `_` and `.` in double quotes"
        if word.text.isalnum() or word.text in "-/:"
        else None,
    )
    end = end_of_noise(reading.text, word.start)
    reading.erase(word.start, end)
    reading.again(end)
    return True
